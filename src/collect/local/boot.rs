//! What the kernel was booted with, without what may be secret, and the devices that are hidden for passthrough.

use std::collections::BTreeSet;

use super::devices::parse_pci;
use super::kernel::Kernel;
use super::role::Role;
use crate::facts::{Known, Reason};
use crate::snapshot::BootParameters;

const PCI: &str = "/sys/bus/pci";

/// Parameters that bear on CPUs, memory, devices and hypervisors, and never hold a secret. Nothing is kept of all
/// others: installers and network boots put passwords and tokens on the command line.
const SHOWN: &[&str] = &[
    "amd_iommu",
    "apic",
    "clearcpuid",
    "clocksource",
    "console",
    "crashkernel",
    "default_hugepagesz",
    "edac",
    "gds",
    "hugepages",
    "hugepagesz",
    "idle",
    "intel_idle.max_cstate",
    "intel_iommu",
    "intel_pstate",
    "iommu",
    "isolcpus",
    "kvm-amd.nested",
    "kvm-intel.nested",
    "l1tf",
    "maxcpus",
    "mce",
    "mds",
    "mem",
    "mitigations",
    "mmio_stale_data",
    "nmi_watchdog",
    "noexec",
    "noibrs",
    "noibpb",
    "nohz_full",
    "nopti",
    "nosmap",
    "nosmep",
    "nosmt",
    "nospectre_v1",
    "nospectre_v2",
    "nox2apic",
    "noxsave",
    "noxsaveopt",
    "noxsaves",
    "nr_cpus",
    "numa",
    "pci",
    "pcie_aspm",
    "pciback.hide",
    "possible_cpus",
    "processor.max_cstate",
    "pti",
    "quiet",
    "retbleed",
    "ro",
    "rw",
    "smt",
    "spec_rstack_overflow",
    "spec_store_bypass_disable",
    "spectre_bhi",
    "spectre_v2",
    "spectre_v2_user",
    "srbds",
    "tsc",
    "tsx",
    "tsx_async_abort",
    "vfio-pci.ids",
    "xen-pciback.hide",
];

pub(super) fn boot(kernel: &Kernel, role: Role) -> BootParameters {
    let line = kernel.text("/proc/cmdline");
    BootParameters {
        hidden_pci: line.as_ref().map(|line| hidden(kernel, line)),
        kernel: line.map(|line| without_secrets(&line)),
        xen: match role {
            Role::BareMetal => Known::no(Reason::NotApplicable, "no Xen runs below this system"),
            Role::Dom0 => Known::no(Reason::NotCollected, "only Xen's toolstack shows it: `xl info xen_commandline`"),
            Role::Guest => Known::no(Reason::NotCollected, "a guest cannot see what its hypervisor was booted with"),
        },
    }
}

/// The line with the parameters that are known to hold no secret; `…` stands for all others, and for what is for init.
fn without_secrets(line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().collect();
    let is_shown = |word: &&str| SHOWN.contains(&word.split_once('=').map_or(*word, |(name, _)| name));
    let mut kept: Vec<_> = words.iter().copied().take_while(|word| *word != "--").filter(is_shown).collect();
    if kept.len() < words.len() {
        kept.push("…");
    }
    kept.join(" ")
}

/// The devices that the command line hides, by address or by the ids that vfio takes, and those that the drivers for
/// passthrough hold.
fn hidden(kernel: &Kernel, line: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    for word in line.split_whitespace().take_while(|word| *word != "--") {
        match word.split_once('=') {
            Some(("xen-pciback.hide" | "pciback.hide", list)) => found.extend(addresses(list)),
            Some(("vfio-pci.ids", list)) => found.extend(with_ids(kernel, list)),
            _ => {}
        }
    }
    for driver in ["pciback", "xen-pciback", "vfio-pci"] {
        let bound = kernel.names(&format!("{PCI}/drivers/{driver}"));
        found.extend(bound.each().filter(|name| parse_pci(name).is_some()).cloned());
    }
    found.into_iter().collect()
}

/// `(0000:04:01.0)(05:00.0)`: a missing domain is 0000.
fn addresses(list: &str) -> impl Iterator<Item = String> + '_ {
    list.split(['(', ')', ',']).filter_map(|one| {
        let whole = if one.matches(':').count() == 1 { format!("0000:{one}") } else { one.to_owned() };
        parse_pci(&whole).map(|_| whole.to_ascii_lowercase())
    })
}

/// The devices that have one of the ids `8086:10fb,10de:1b81:…`.
fn with_ids(kernel: &Kernel, list: &str) -> Vec<String> {
    let wanted: Vec<(u32, u32)> = list
        .split(',')
        .filter_map(|id| {
            let mut parts = id.split(':').map(|part| u32::from_str_radix(part, 16).ok());
            Some((parts.next()??, parts.next()??))
        })
        .collect();
    let id = |address: &str, part: &str| {
        let text = kernel.text(&format!("{PCI}/devices/{address}/{part}"));
        text.text().and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok())
    };
    let devices = kernel.names(&format!("{PCI}/devices"));
    let matches =
        |address: &&String| id(address, "vendor").zip(id(address, "device")).is_some_and(|id| wanted.contains(&id));
    devices.each().filter(matches).cloned().collect()
}
