//! `lscpu -J`: who the CPU is, its topology, and the kernel's flags, as a list of fields that newer versions nest.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cpuinfo::{hardware_of, seen_from, squeeze};
use super::machine::collected;
use super::{Dump, nothing};
use crate::collect::files::without_mark;
use crate::collect::limits::LSCPU_DEPTH;
use crate::collect::{CollectError, Collected};
use crate::facts::{Known, Reason};
use crate::snapshot::{Host, HostCpu, SourceKind};

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Collected, CollectError> {
    let value: Value = serde_json::from_slice(without_mark(bytes)).map_err(|error| CollectError::Malformed {
        name: name.to_owned(),
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })?;
    let mut fields = BTreeMap::new();
    gather(&value["lscpu"], &mut fields, 0);
    let field = |key: &str| fields.get(key).copied();
    if !field("Architecture").is_some_and(|arch| matches!(arch, "x86_64" | "i686")) {
        return Err(nothing(name, Dump::Lscpu, "its Architecture is not x86"));
    }
    let text = |key: &str| match field(key) {
        Some(value) => Known::Yes(value.to_owned()),
        None => Known::no(Reason::NotCollected, format!("lscpu shows no \"{key}\"")),
    };
    let number = |key: &str| {
        text(key).and_then(|value| match value.parse() {
            Ok(number) => Known::Yes(number),
            Err(_) => Known::no(Reason::Unreadable, format!("lscpu's \"{key}\" is no whole number")),
        })
    };
    let flags = field("Flags");
    let has = |flag: &str| flags.map(|flags| flags.split(' ').any(|found| found == flag));
    let guest = field("Hypervisor vendor").is_some() || has("hypervisor") == Some(true);
    let mut notes = vec![format!(
        "{}: flags as the kernel shows them, not feature words; levels cannot be judged",
        Dump::Lscpu.title()
    )];
    if guest {
        notes.push("taken under a hypervisor: what the machine itself has may be filtered".to_owned());
    }
    let host = Host {
        cpu: HostCpu {
            vendor: text("Vendor ID"),
            model_name: text("Model name").map(|name| squeeze(&name)),
            family: number("CPU family"),
            model: number("Model"),
            stepping: number("Stepping"),
            flags: text("Flags"),
            cpu_count: number("CPU(s)"),
            socket_count: number("Socket(s)"),
            threads_per_core: number("Thread(s) per core"),
            nr_nodes: number("NUMA node(s)"),
            raw: Known::no(Reason::NotCollected, "lscpu shows the kernel's flags, not feature words"),
            ..HostCpu::default()
        }
        .into(),
        hardware: hardware_of(field("Address sizes"), &has, false).into(),
        hypervisor: if flags.is_some() || guest { seen_from(guest).into() } else { Known::default() },
        ..Host::default()
    };
    Ok(collected(name, SourceKind::Dump, host, notes))
}

/// All fields, those below others too; of two with one name the first.
fn gather<'v>(list: &'v Value, fields: &mut BTreeMap<&'v str, &'v str>, depth: usize) {
    for entry in list.as_array().into_iter().flatten() {
        if let (Some(field), Some(data)) = (entry["field"].as_str(), entry["data"].as_str()) {
            fields.entry(field.trim_end_matches(':')).or_insert(data);
        }
        if depth < LSCPU_DEPTH {
            gather(&entry["children"], fields, depth + 1);
        }
    }
}
