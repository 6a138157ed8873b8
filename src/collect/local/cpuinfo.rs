//! /proc/cpuinfo: the kernel's view of the CPUs. CPUID decides who the CPU is; this file adds microcode and the flags
//! that the kernel left on, and counts only where both speak of the same CPU.

use std::collections::BTreeMap;

use procfs_core::{CpuInfo, FromBufRead as _};

use super::kernel::{Kernel, clean};
use crate::cpu::leaves::Cpu;
use crate::facts::{Known, Reason};

const PATH: &str = "/proc/cpuinfo";

/// What /proc/cpuinfo says of the CPU that CPUID answered for.
pub(super) struct CpuFile {
    /// Microcode revision by CPU.
    pub(super) microcode: BTreeMap<usize, String>,
    /// The flags of the first CPU.
    flags: Vec<String>,
    /// Whether the kernel is one that lists what VT-x offers (5.6 and newer). Those drop `vmx` where the firmware
    /// locked it off.
    lists_vmx: bool,
}

impl CpuFile {
    pub(super) fn read(kernel: &Kernel, cpu: &Cpu) -> Known<Self> {
        kernel.bytes(PATH).and_then(|bytes| match CpuInfo::from_buf_read(bytes.as_slice()) {
            Err(_) => Known::no(Reason::Unreadable, format!("{PATH} is not in the form of an x86 kernel")),
            Ok(file) => Self::of(&file, cpu),
        })
    }

    fn of(file: &CpuInfo, cpu: &Cpu) -> Known<Self> {
        let field = |number, name| file.get_field(number, name);
        let Some(vendor) = field(0, "vendor_id") else {
            return Known::no(Reason::Unreadable, format!("{PATH} names no vendor_id"));
        };
        if !is_same(file, cpu, vendor) {
            let named = ["cpu family", "model", "stepping"].map(|name| field(0, name).unwrap_or("?"));
            let spoken = clean(&format!("{vendor} family {} model {} stepping {}", named[0], named[1], named[2]));
            let spoken: String = spoken.chars().take(80).collect();
            return Known::no(
                Reason::Unreadable,
                format!("{PATH} speaks of {spoken}, not of the CPU that answers CPUID"),
            );
        }
        let microcode = (0..file.num_cores())
            .filter_map(|index| {
                Some((field(index, "processor")?.parse().ok()?, revision(field(index, "microcode")?)?))
            })
            .collect();
        let flags = field(0, "flags").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        Known::Yes(Self { microcode, flags, lists_vmx: field(0, "vmx flags").is_some() })
    }

    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|found| found == flag)
    }

    /// Whether the kernel says that the firmware left VT-x on; `None` where it does not say.
    pub(super) fn vmx(&self) -> Option<bool> {
        if !self.flags.is_empty() && !self.has("vmx") { Some(false) } else { self.lists_vmx.then_some(true) }
    }
}

/// Whether the file's first CPU is the one that answered CPUID: by vendor, family, model, stepping and brand.
fn is_same(file: &CpuInfo, cpu: &Cpu, vendor: &str) -> bool {
    let number = |name| file.get_field(0, name).and_then(|text| text.parse::<u32>().ok());
    let signature = cpu.signature.is_some_and(|own| {
        (number("cpu family"), number("model"), number("stepping"))
            == (Some(own.family), Some(own.model), Some(own.stepping))
    });
    // Old kernels keep the runs of blanks that some brands have.
    let brand = match (&cpu.brand, file.model_name(0)) {
        (Some(own), Some(name)) => own.split_whitespace().eq(name.split_whitespace()),
        _ => true,
    };
    signature && brand && cpu.vendor.as_deref().map(str::trim) == Some(vendor)
}

/// `0x…`, in lower case; anything else is no revision.
fn revision(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x")?;
    u64::from_str_radix(digits, 16).ok().map(|number| format!("0x{number:x}"))
}
