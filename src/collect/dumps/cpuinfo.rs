//! `/proc/cpuinfo`, saved: who the CPU is, and the flags as that kernel shows them. Flags are no feature words: the kernel
//! adds names of its own and leaves out what it does not use.

use std::collections::BTreeMap;

use super::machine::collected;
use super::text::{lines, text};
use super::{Dump, nothing};
use crate::collect::limits::CPUINFO_CPUS;
use crate::collect::local::print_list;
use crate::collect::{CollectError, Collected};
use crate::facts::{Known, Reason};
use crate::snapshot::{CpuGroup, Hardware, Host, HostCpu, Hypervisor, SourceKind};

/// Whether a line is one of this format's.
pub(super) fn is_line(line: &[u8]) -> bool {
    let field = line.split(|byte| *byte == b':').next().filter(|field| field.len() < line.len());
    matches!(field.map(<[u8]>::trim_ascii_end), Some(b"processor" | b"vendor_id"))
}

/// What the file says of one CPU.
type Fields = BTreeMap<String, String>;

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Collected, CollectError> {
    let cpus = blocks(name, bytes)?;
    let Some(first) = cpus.first().filter(|first| first.contains_key("vendor_id")) else {
        return Err(nothing(name, Dump::CpuInfo, "it names no vendor_id: not of an x86 kernel"));
    };
    let mut notes = vec![format!(
        "{}: flags as the kernel shows them, not feature words; levels cannot be judged",
        Dump::CpuInfo.title()
    )];
    let flags = first.get("flags").cloned();
    let has = |flag: &str| flags.as_deref().map(|flags| flags.split(' ').any(|found| found == flag));
    if has("hypervisor") == Some(true) {
        notes.push("taken under a hypervisor: what the machine itself has may be filtered".to_owned());
    }
    let host = Host {
        cpu: HostCpu {
            vendor: field(first, "vendor_id"),
            model_name: field(first, "model name").map(|name| squeeze(&name)),
            family: whole(first, "cpu family"),
            model: whole(first, "model"),
            stepping: whole(first, "stepping"),
            flags: field(first, "flags"),
            raw: Known::no(Reason::NotCollected, "/proc/cpuinfo shows the kernel's flags, not feature words"),
            groups: groups(&cpus),
            ..HostCpu::default()
        }
        .into(),
        hardware: hardware(first, &has).into(),
        hypervisor: match has("hypervisor") {
            Some(present) => Known::Yes(seen_from(present)),
            None => Known::default(),
        },
        ..Host::default()
    };
    Ok(collected(name, SourceKind::Dump, host, notes))
}

fn blocks(name: &str, bytes: &[u8]) -> Result<Vec<Fields>, CollectError> {
    let mut cpus: Vec<Fields> = Vec::new();
    let mut open = false;
    for line in lines(bytes) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            // An empty line ends a CPU.
            open &= !line.is_empty();
            continue;
        };
        let (key, value) = (text(&line[..colon]), text(&line[colon + 1..]));
        if !open || key == "processor" && cpus.last().is_some_and(|fields| fields.contains_key("processor")) {
            if cpus.len() == CPUINFO_CPUS {
                return Err(CollectError::Crowded { name: name.to_owned(), limit: CPUINFO_CPUS, what: "CPUs" });
            }
            cpus.push(Fields::new());
            open = true;
        }
        if let Some(fields) = cpus.last_mut() {
            fields.entry(key).or_insert(value);
        }
    }
    cpus.retain(|fields| fields.contains_key("processor") || fields.contains_key("vendor_id"));
    Ok(cpus)
}

fn field(fields: &Fields, name: &str) -> Known<String> {
    match fields.get(name).filter(|value| !value.is_empty()) {
        Some(value) => Known::Yes(value.clone()),
        None => Known::no(Reason::NotCollected, format!("/proc/cpuinfo has no {name}")),
    }
}

fn whole(fields: &Fields, name: &str) -> Known<i64> {
    field(fields, name).and_then(|value| match value.parse() {
        Ok(number) => Known::Yes(number),
        Err(_) => Known::no(Reason::Unreadable, format!("{name} is no whole number")),
    })
}

/// Runs of blanks made one, as brands are shown elsewhere.
pub(super) fn squeeze(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Firmware settings as flags show them.
pub(super) fn hardware_of(
    address_sizes: Option<&str>,
    has: &impl Fn(&str) -> Option<bool>,
    lists_vmx: bool,
) -> Hardware {
    let guest = has("hypervisor") != Some(false);
    let bits = |what: &str| -> Known<i64> {
        let found = address_sizes.and_then(|sizes| {
            sizes.split(',').find(|part| part.trim_end().ends_with(what))?.split_whitespace().next()?.parse().ok()
        });
        found.map_or_else(|| Known::no(Reason::NotCollected, format!("no width of {what} addresses")), Known::Yes)
    };
    let not_shown = || Known::no(Reason::NotCollected, "the flags do not show whether the firmware left it on");
    let virtualisation = match (guest, has("vmx"), has("svm")) {
        (false, Some(false), Some(false)) => Known::Yes(false),
        // Kernels that list what VT-x offers drop the flag where the firmware locked it off.
        (false, Some(true), _) if lists_vmx => Known::Yes(true),
        _ => not_shown(),
    };
    let nx = match has("nx") {
        Some(true) => Known::Yes(true),
        Some(false) if !guest => Known::Yes(false),
        _ => not_shown(),
    };
    Hardware {
        physical_address_bits: bits("physical"),
        linear_address_bits: bits("virtual"),
        virtualisation_enabled: virtualisation,
        nx_enabled: nx,
        ..Hardware::default()
    }
}

fn hardware(fields: &Fields, has: &impl Fn(&str) -> Option<bool>) -> Hardware {
    let sizes = fields.get("address sizes").map(String::as_str);
    Hardware {
        microcode: field(fields, "microcode").and_then(|text| match text.strip_prefix("0x") {
            Some(digits) if u64::from_str_radix(digits, 16).is_ok() => Known::Yes(text),
            _ => Known::no(Reason::Unreadable, "microcode is no hexadecimal number"),
        }),
        ..hardware_of(sizes, has, fields.contains_key("vmx flags"))
    }
}

/// From where a kernel saw the machine, when its flags say whether a hypervisor is there.
pub(super) fn seen_from(hypervisor: bool) -> Hypervisor {
    Hypervisor {
        present: hypervisor.into(),
        role: if hypervisor { "guest" } else { "bare-metal" }.to_owned().into(),
        filtered: hypervisor.into(),
        ..Hypervisor::default()
    }
}

/// The CPUs by what they are. A file of one CPU is a piece of one; the others may differ.
fn groups(cpus: &[Fields]) -> Known<Vec<CpuGroup>> {
    const SAME: [&str; 6] = ["vendor_id", "cpu family", "model", "stepping", "microcode", "flags"];
    let mut groups: Vec<(&Fields, Vec<usize>)> = Vec::new();
    for (index, cpu) in cpus.iter().enumerate() {
        match groups.iter_mut().find(|(known, _)| SAME.iter().all(|field| known.get(*field) == cpu.get(*field))) {
            Some((_, members)) => members.push(index),
            None => groups.push((cpu, vec![index])),
        }
    }
    if cpus.len() < 2 {
        return Known::no(Reason::NotCollected, "the file holds one CPU; the others may differ");
    }
    let group = |(cpu, members): (&Fields, Vec<usize>)| CpuGroup {
        cpus: print_list(&members).into(),
        count: (members.len() as i64).into(),
        family: whole(cpu, "cpu family"),
        model: whole(cpu, "model"),
        stepping: whole(cpu, "stepping"),
        microcode: field(cpu, "microcode"),
        raw: Known::no(Reason::NotCollected, "/proc/cpuinfo shows the kernel's flags, not feature words"),
    };
    Known::Yes(groups.into_iter().map(group).collect())
}
