//! What only the machines themselves tell: clocks, boot parameters, hidden devices, limits of their CPUs, firmware.

use std::collections::BTreeSet;

use super::time::seconds;
use super::told;
use crate::cpu::levelling::label;
use crate::facts::{Found, Known, Reason, Unknown, need};
use crate::rules::case::Seen;
use crate::snapshot::{BootParameters, Clock, Hardware, Host, Pool};

/// Parameters of Xen and of the control domain's kernel that change what guests are given or how they are kept apart.
const BEARING: [&str; 36] = [
    "altp2m",
    "amd_iommu",
    "cet",
    "clearcpuid",
    "clocksource",
    "cpu",
    "cpuid",
    "cpuid_mask_cpu",
    "cpuid_mask_ecx",
    "cpuid_mask_edx",
    "cpuid_mask_ext_ecx",
    "cpuid_mask_ext_edx",
    "ept",
    "hap",
    "hap_1gb",
    "intel_iommu",
    "iommu",
    "l1tf",
    "maxcpus",
    "mds",
    "mitigations",
    "nosmp",
    "nosmt",
    "noxsave",
    "nr_cpus",
    "pcid",
    "pku",
    "pv-l1tf",
    "sched-gran",
    "smap",
    "smep",
    "smt",
    "spec-ctrl",
    "tsx",
    "xpti",
    "xsave",
];

/// A part of a host's record that may be missing as a whole.
fn part<'a, P, T>(part: &'a Known<P>, field: impl Fn(&'a P) -> &'a Known<T>) -> Found<Option<&'a T>> {
    match told(part)? {
        Some(part) => told(field(part)),
        None => Ok(None),
    }
}

fn clock<'a, T>(host: &'a Host, field: impl Fn(&'a Clock) -> &'a Known<T>) -> Found<Option<&'a T>> {
    part(&host.clock, field)
}

fn boot<'a, T>(host: &'a Host, field: impl Fn(&'a BootParameters) -> &'a Known<T>) -> Found<Option<&'a T>> {
    part(&host.boot, field)
}

/// How far a clock was from the collector's, milliseconds: as measured, else from what it showed when it was seen.
fn offset(host: &Host, seen: Option<&str>) -> Found<Option<i64>> {
    if let Some(offset) = clock(host, |clock| &clock.offset_ms)? {
        return Ok(Some(*offset));
    }
    let Some(now) = clock(host, |clock| &clock.now)? else { return Ok(None) };
    let seen = seen.ok_or_else(|| Unknown::because(Reason::NotCollected, "when the clock was read"))?;
    let odd = |time: &str| Unknown::because(Reason::Unreadable, format!("{} is no time", time.escape_debug()));
    let at = |time: &str| seconds(time).ok_or_else(|| odd(time));
    Ok(Some(at(now)?.saturating_sub(at(seen)?).saturating_mul(1000)))
}

/// How far the two clocks are apart, where both are known.
pub(super) fn clock_skew(host: &Host, coordinator: &Host, seen: &Seen) -> Found<Option<i64>> {
    let ours = offset(host, seen.joiner.as_deref())?;
    let theirs = offset(coordinator, seen.pool.as_deref())?;
    Ok(ours.zip(theirs).map(|(ours, theirs)| ours.saturating_sub(theirs).saturating_abs()))
}

/// Names of the hosts whose clock is known not to be kept right: said so, or time servers switched off.
pub(super) fn unsynchronised(pool: &Pool, joiner: &Pool) -> Found<Vec<String>> {
    let mut names = Vec::new();
    for host in need(&joiner.hosts)?.iter().chain(need(&pool.hosts)?) {
        let free = clock(host, |clock| &clock.synchronised)? == Some(&false);
        let off = clock(host, |clock| &clock.ntp_mode)?.is_some_and(|mode| mode == "Disabled");
        if free || off {
            names.push(host.name_label.text().or_else(|| host.uuid.text()).unwrap_or_default().to_owned());
        }
    }
    Ok(names)
}

/// Devices hidden for passthrough.
pub(super) fn hidden_pci(host: &Host) -> Found<Option<Vec<String>>> {
    Ok(boot(host, |boot| &boot.hidden_pci)?.cloned())
}

/// One of the two command lines.
type Line = fn(&BootParameters) -> &Known<String>;

/// Parameters that bear on guests and are on one side only.
pub(super) fn boot_differences(host: &Host, coordinator: &Host) -> Found<Vec<String>> {
    let mut differences = Vec::new();
    let lines: [(&str, Line); 2] = [("xen", |boot| &boot.xen), ("kernel", |boot| &boot.kernel)];
    for (name, line) in lines {
        let (Some(ours), Some(theirs)) = (boot(host, line)?, boot(coordinator, line)?) else { continue };
        let (ours, theirs) = (bearing(ours), bearing(theirs));
        differences.extend(ours.difference(&theirs).map(|word| format!("{name}: {word} only on the joiner")));
        differences.extend(theirs.difference(&ours).map(|word| format!("{name}: {word} only on the coordinator")));
    }
    Ok(differences)
}

fn bearing(line: &str) -> BTreeSet<&str> {
    let name = |word: &str| word.split_once('=').map_or(word, |(name, _)| name).to_owned();
    line.split_whitespace().filter(|word| BEARING.contains(&name(word).as_str())).collect()
}

/// A limit of the host's CPU.
pub(super) fn limit(host: &Host, field: fn(&Hardware) -> &Known<i64>) -> Found<Option<i64>> {
    part(&host.hardware, field).map(|limit| limit.copied())
}

/// The least of a limit over the hosts of the pool that tell it.
pub(super) fn least(pool: &Pool, field: fn(&Hardware) -> &Known<i64>) -> Found<Option<i64>> {
    let mut least = None;
    for host in need(&pool.hosts)? {
        least = [least, limit(host, field)?].into_iter().flatten().min();
    }
    Ok(least)
}

/// `microcode 0x5003707, firmware Example Systems 2.10.0 of 01/15/2026`.
pub(super) fn firmware(host: &Host) -> String {
    let Known::Yes(hardware) = &host.hardware else { return "microcode and firmware not known".to_owned() };
    let words: Vec<_> = [&hardware.bios_vendor, &hardware.bios_version].into_iter().filter_map(Known::text).collect();
    let microcode = hardware.microcode.text().unwrap_or("not known");
    let firmware = if words.is_empty() { "not known".to_owned() } else { words.join(" ") };
    let date = hardware.bios_date.text().map(|date| format!(" of {date}")).unwrap_or_default();
    format!("microcode {microcode}, firmware {firmware}{date}")
}

/// Members with the host name of the joiner: by its first label, of which a directory keeps 15 letters. One that is found decides,
/// whatever the others are called.
pub(super) fn same_hostname(pool: &Pool, host: &Host, coordinator: &Host) -> Found<Vec<String>> {
    const NETBIOS: usize = 15;
    let kept = if need(&coordinator.external_auth_type)?.is_empty() { usize::MAX } else { NETBIOS };
    let own = first_label(need(&host.hostname)?, kept);
    let (mut found, mut gap) = (Vec::new(), None);
    for member in need(&pool.hosts)? {
        match need(&member.hostname) {
            Ok(name) if first_label(name, kept).eq_ignore_ascii_case(own) => found.push(label(member)),
            Ok(_) => {}
            Err(why) => gap = Some(why),
        }
    }
    match gap {
        Some(why) if found.is_empty() => Err(why),
        _ => Ok(found),
    }
}

/// The first label of a host name, as far as it is kept.
fn first_label(name: &str, kept: usize) -> &str {
    let label = name.split('.').next().unwrap_or_default();
    label.char_indices().nth(kept).map_or(label, |(end, _)| &label[..end])
}
