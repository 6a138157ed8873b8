//! The CPUs of a dump as a machine: what CPUID says, and unknown what it cannot say.

use super::captured::Cpus;
use super::{Dump, nothing};
use crate::collect::local::{known_part, print_list};
use crate::collect::{CollectError, Collected};
use crate::cpu::leaves::{Cpu, HypervisorLeaves, WORDS};
use crate::facts::{Featureset, Known, Reason};
use crate::snapshot::{CpuGroup, Hardware, Host, HostCpu, Hypervisor, Pool, Snapshot, Source, SourceKind};

/// 1:ecx 5, VT-x.
const VMX: usize = 32 + 5;
/// 0x80000001:ecx 2, AMD-V.
const SVM: usize = 3 * 32 + 2;
/// 0x80000001:edx 20, no-execute.
const NX: usize = 2 * 32 + 20;
/// 0x80000001:edx 29, 64-bit mode.
const LM: usize = 2 * 32 + 29;
/// 0x80000001:edx 11.
const SYSCALL: usize = 2 * 32 + 11;

/// Raw CPUID as a snapshot.
pub(super) fn from_cpus(name: &str, dump: Dump, cpus: Cpus) -> Result<Collected, CollectError> {
    let Cpus { each, hypervisor } = cpus;
    let cpus: Vec<Cpu> = each.into_iter().map(|(_, cpu)| cpu).collect();
    let Some(first) = cpus.first().filter(|cpu| cpu.unknown_words.len() < WORDS) else {
        return Err(nothing(name, dump, "it holds no leaf of any CPU"));
    };
    let mut notes = vec![match cpus.len() {
        1 => format!("{}: one CPU", dump.title()),
        count => format!("{}: {count} CPUs", dump.title()),
    }];
    let (groups, left_out) = groups(&cpus);
    notes.extend(left_out);
    if let Some(remark) = seen_through(&hypervisor, first) {
        notes.push(remark);
    }
    if hides_syscall(first) {
        notes.push("taken outside 64-bit mode, where Intel hides SYSCALL: it is taken to follow LM".to_owned());
    }
    let text = |found: &Option<String>, what: &str| match found {
        Some(text) => Known::Yes(text.clone()),
        None => Known::no(Reason::NotCollected, format!("the dump holds no {what}")),
    };
    let cpu = HostCpu {
        vendor: text(&first.vendor, "vendor (leaf 0)"),
        model_name: text(&first.brand, "brand"),
        family: known_part(first, |signature| signature.family),
        model: known_part(first, |signature| signature.model),
        stepping: known_part(first, |signature| signature.stepping),
        raw: first.words.clone().into(),
        raw_unknown_words: first.unknown_words.iter().map(|word| *word as i64).collect::<Vec<_>>().into(),
        groups,
        ..HostCpu::default()
    };
    let hardware = hardware(first, &hypervisor);
    let host = Host {
        cpu: cpu.into(),
        hardware: hardware.into(),
        hypervisor: seen_from(&hypervisor).into(),
        ..Host::default()
    };
    Ok(collected(name, SourceKind::Dump, host, notes))
}

/// A host that only a dump knows as a snapshot: a pool of one without a name of its own.
pub(in crate::collect) fn collected(name: &str, kind: SourceKind, host: Host, notes: Vec<String>) -> Collected {
    let word = kind.word();
    let reference = format!("{word}:{name}");
    let never =
        |what: &str| Known::no(Reason::NotApplicable, format!("{what} is the toolstack's, which was not asked"));
    let host = Host { reference: reference.clone().into(), uuid: never("the host's uuid"), ..host };
    let snapshot = Snapshot {
        source: Source {
            kind: word.to_owned().into(),
            target: name.to_owned().into(),
            tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")).to_owned().into(),
            ..Source::default()
        },
        pool: Pool {
            reference: format!("{word}:{name}:pool").into(),
            uuid: never("the pool's uuid"),
            coordinator: reference.into(),
            hosts: vec![host].into(),
            ..Pool::default()
        },
    };
    Collected { snapshot, strangers: Vec::new(), notes }
}

/// Whether Intel's SYSCALL is missing only because the dumper ran outside 64-bit mode.
fn hides_syscall(cpu: &Cpu) -> bool {
    cpu.vendor.as_deref() == Some("GenuineIntel") && cpu.words.has(LM) && !cpu.words.has(SYSCALL)
}

/// The CPUs in groups that answer alike, and a remark on those of which less was captured than of the first. Those say
/// nothing about being alike.
fn groups(cpus: &[Cpu]) -> (Known<Vec<CpuGroup>>, Option<String>) {
    let Some(first) = cpus.first() else { return (Known::default(), None) };
    let whole = |cpu: &Cpu| cpu.unknown_words == first.unknown_words && cpu.signature.is_some();
    let torn: Vec<usize> = (0..cpus.len()).filter(|index| !whole(&cpus[*index])).collect();
    let mut groups: Vec<(&Cpu, Vec<usize>)> = Vec::new();
    for (index, cpu) in cpus.iter().enumerate().filter(|(_, cpu)| whole(cpu)) {
        match groups.iter_mut().find(|(known, _)| alike(known, cpu)) {
            Some((_, members)) => members.push(index),
            None => groups.push((cpu, vec![index])),
        }
    }
    let remark = (!torn.is_empty())
        .then(|| format!("CPU {}: less was captured than of the first, left out", print_list(&torn)));
    let known = match (groups.len(), cpus.len()) {
        (0 | 1, 1) => Known::no(Reason::NotCollected, "the dump holds one CPU; the others may differ"),
        (0 | 1, _) if !torn.is_empty() => Known::no(Reason::NotCollected, "the dump holds some CPUs only in part"),
        _ => Known::Yes(groups.iter().map(|(cpu, members)| group(cpu, members)).collect()),
    };
    (known, remark)
}

/// Whether two CPUs of a machine answer alike in what Xen and guests see.
fn alike(a: &Cpu, b: &Cpu) -> bool {
    a.words.is_equal(&b.words) && a.signature == b.signature && a.vendor == b.vendor
}

fn group(cpu: &Cpu, members: &[usize]) -> CpuGroup {
    CpuGroup {
        cpus: print_list(members).into(),
        count: (members.len() as i64).into(),
        family: known_part(cpu, |signature| signature.family),
        model: known_part(cpu, |signature| signature.model),
        stepping: known_part(cpu, |signature| signature.stepping),
        microcode: Known::no(Reason::NotCollected, "CPUID does not say"),
        raw: cpu.words.clone().into(),
    }
}

fn seen_through(hypervisor: &HypervisorLeaves, first: &Cpu) -> Option<String> {
    let who = hypervisor.signatures.first();
    (first.announces_hypervisor() || who.is_some()).then(|| {
        let who = who.map(|who| format!(" ({})", who.escape_debug())).unwrap_or_default();
        format!("taken under a hypervisor{who}: what the machine itself has may be filtered")
    })
}

/// From where the CPU was seen: by what CPUID itself announces.
fn seen_from(leaves: &HypervisorLeaves) -> Hypervisor {
    let guest = leaves.present || !leaves.signatures.is_empty();
    Hypervisor {
        present: leaves.present.into(),
        signature: leaves.signatures.first().cloned().unwrap_or_default().into(),
        xen_version: match leaves.xen_version {
            Some((major, minor)) => format!("{major}.{minor}").into(),
            None => Known::no(Reason::NotApplicable, "no Xen answers in the dump"),
        },
        role: if guest { "guest" } else { "bare-metal" }.to_owned().into(),
        filtered: guest.into(),
    }
}

/// What CPUID tells of the firmware's settings: that something is there, not that it was left on.
fn hardware(cpu: &Cpu, hypervisor: &HypervisorLeaves) -> Hardware {
    let guest = hypervisor.present || !hypervisor.signatures.is_empty();
    let captured = |feature: usize| !cpu.unknown_words.contains(&(feature / 32));
    let size = |found: Option<u32>| match found {
        Some(size) => Known::Yes(i64::from(size)),
        None => Known::no(Reason::NotCollected, "not in the dump, or the CPU has no such leaf"),
    };
    let in_a_guest = || Known::no(Reason::NotCollected, "a guest sees what its hypervisor lends it");
    let virtualisation = match (guest, cpu.words.has(VMX) || cpu.words.has(SVM)) {
        (true, _) => in_a_guest(),
        (false, false) if captured(VMX) && captured(SVM) => Known::Yes(false),
        _ => Known::no(Reason::NotCollected, "CPUID does not show whether the firmware left it on"),
    };
    let nx = match (cpu.words.has(NX), captured(NX), guest) {
        (true, ..) => Known::Yes(true),
        (false, true, false) => Known::Yes(false),
        (false, _, true) => in_a_guest(),
        (false, false, false) => Known::no(Reason::NotCollected, "the dump does not hold leaf 0x80000001"),
    };
    Hardware {
        physical_address_bits: size(cpu.physical_address_bits.map(u32::from)),
        linear_address_bits: size(cpu.linear_address_bits.map(u32::from)),
        xsave_size: size(cpu.xsave_size),
        virtualisation_enabled: virtualisation,
        nx_enabled: nx,
        ..Hardware::default()
    }
}

/// Words that stand in a dump as a set: raw ones, the mirrors of CR4 cleared, and which of upstream's words are
/// missing.
pub(super) fn raw_words(set: &Featureset) -> (Featureset, Vec<i64>) {
    /// OSXSAVE and OSPKE.
    const MIRRORS: [usize; 2] = [32 + 27, 6 * 32 + 4];
    let known = set.words().len();
    let mut raw = set.zero_extend(WORDS.max(known));
    MIRRORS.into_iter().for_each(|bit| raw.set(bit, false));
    (raw, (known..WORDS).map(|word| word as i64).collect())
}
