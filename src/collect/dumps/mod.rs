//! Foreign dumps to snapshots: CPUID as other tools write it down, and what kernels, libvirt, Xen and `xe` say of a
//! CPU. One file a format; the formats are told apart here. Called by `collect` alone; knows `cpu::leaves`.

mod captured;
mod cpuid_r;
mod cpuinfo;
mod libcpuid;
mod libvirt;
mod lscpu;
mod machine;
mod registers;
mod text;
mod xe;
mod xen_cpuid;

use super::{CollectError, Collected};

pub(super) use machine::collected;

/// The formats of foreign dumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dump {
    /// `CPUID 00000001: …` lines: AIDA64, InstLatx64, newer libcpuid.
    Registers,
    /// `cpuid -r`, of all CPUs or of one.
    CpuidR,
    /// `basic_cpuid[1]=…` lines: libcpuid's raw format.
    Libcpuid,
    /// `xen-cpuid`: decoded sets, or policies (`-p`).
    XenCpuid,
    /// libvirt's `<cpudata>`.
    CpuData,
    /// `virsh capabilities`.
    Capabilities,
    /// `/proc/cpuinfo`.
    CpuInfo,
    /// `lscpu -J`.
    Lscpu,
    /// `xe host-cpu-info`.
    XeCpuInfo,
    /// `xe host-param-list`, or `xe host-list params=all`.
    XeParams,
}

impl Dump {
    /// What it is, for notes and errors.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Registers => "CPUID registers (AIDA64, InstLatx64)",
            Self::CpuidR => "the output of `cpuid -r`",
            Self::Libcpuid => "libcpuid's raw data",
            Self::XenCpuid => "the output of `xen-cpuid`",
            Self::CpuData => "libvirt's CPUID data",
            Self::Capabilities => "the output of `virsh capabilities`",
            Self::CpuInfo => "/proc/cpuinfo",
            Self::Lscpu => "the output of `lscpu -J`",
            Self::XeCpuInfo => "the output of `xe host-cpu-info`",
            Self::XeParams => "the output of `xe host-param-list`",
        }
    }

    /// The format that an XML document's root element names.
    pub(crate) fn of_root(root: &str) -> Option<Self> {
        match root {
            "cpudata" => Some(Self::CpuData),
            "capabilities" => Some(Self::Capabilities),
            _ => None,
        }
    }

    /// The format of a text, by the first of its lines that only one format has.
    pub(crate) fn of_text(head: &[u8]) -> Option<Self> {
        text::lines(head).find_map(Self::of_line)
    }

    fn of_line(line: &[u8]) -> Option<Self> {
        /// Whether a line belongs to a format and to no other.
        type Sign = fn(&[u8]) -> bool;
        const SIGNS: [(Dump, Sign); 7] = [
            (Dump::Registers, registers::is_line),
            (Dump::CpuidR, cpuid_r::is_line),
            (Dump::Libcpuid, libcpuid::is_line),
            (Dump::XenCpuid, xen_cpuid::is_line),
            (Dump::CpuInfo, cpuinfo::is_line),
            (Dump::XeParams, xe::is_param),
            (Dump::XeCpuInfo, xe::is_cpu_info),
        ];
        SIGNS.into_iter().find(|(_, is_line)| is_line(line)).map(|(dump, _)| dump)
    }
}

/// Reads a dump of this format.
pub(crate) fn read(name: &str, dump: Dump, bytes: &[u8]) -> Result<Collected, CollectError> {
    match dump {
        Dump::Registers => machine::from_cpus(name, dump, registers::read(name, bytes)?),
        Dump::CpuidR => machine::from_cpus(name, dump, cpuid_r::read(name, bytes)?),
        Dump::Libcpuid => machine::from_cpus(name, dump, libcpuid::read(name, bytes)?),
        Dump::CpuData => machine::from_cpus(name, dump, libvirt::read_data(name, bytes)?),
        Dump::XenCpuid => xen_cpuid::read(name, bytes),
        Dump::Capabilities => libvirt::read_capabilities(name, bytes),
        Dump::CpuInfo => cpuinfo::read(name, bytes),
        Dump::Lscpu => lscpu::read(name, bytes),
        Dump::XeCpuInfo => xe::read_cpu_info(name, bytes),
        Dump::XeParams => xe::read_params(name, bytes),
    }
}

/// A text of the right format that holds nothing to judge by.
fn nothing(name: &str, dump: Dump, why: impl Into<String>) -> CollectError {
    CollectError::Nothing { name: name.to_owned(), what: dump.title(), why: why.into() }
}
