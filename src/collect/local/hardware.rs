//! The machine: DMI, memory, and what the firmware left on.

use procfs_core::{FromBufRead as _, Meminfo};

use super::cpuinfo::CpuFile;
use super::devices;
use super::kernel::Kernel;
use super::role::Role;
use crate::cpu::leaves::Cpu;
use crate::facts::{Known, Reason};
use crate::snapshot::Hardware;

/// 1:ecx 5, VT-x.
const VMX: usize = 32 + 5;
/// 0x80000001:ecx 2, AMD-V.
const SVM: usize = 3 * 32 + 2;
/// 0x80000001:edx 20, no-execute.
const NX: usize = 2 * 32 + 20;

pub(super) fn hardware(kernel: &Kernel, cpu: &Cpu, file: &Known<CpuFile>, role: Role) -> Hardware {
    let dmi = |name| kernel.text(&format!("/sys/class/dmi/id/{name}"));
    Hardware {
        manufacturer: dmi("sys_vendor"),
        product: dmi("product_name"),
        serial: dmi("product_serial"),
        bios_vendor: dmi("bios_vendor"),
        bios_version: dmi("bios_version"),
        bios_date: dmi("bios_date"),
        memory_total: memory_total(kernel, role),
        microcode: microcode(file),
        physical_address_bits: size(cpu.physical_address_bits, "leaf 0x80000008"),
        linear_address_bits: size(cpu.linear_address_bits, "leaf 0x80000008"),
        xsave_size: size(cpu.xsave_size, "XSAVE"),
        virtualisation_enabled: virtualisation_enabled(kernel, cpu, file, role),
        nx_enabled: nx_enabled(cpu, role),
        iommu_enabled: iommu_enabled(kernel, role),
        numa_nodes: numa_nodes(kernel, role),
        nics: devices::nics(kernel),
        disks: devices::disks(kernel),
    }
}

fn size(found: Option<impl Into<i64>>, what: &str) -> Known<i64> {
    found.map_or_else(
        || Known::no(Reason::NotApplicable, format!("this CPU has no {what}")),
        |size| Known::Yes(size.into()),
    )
}

pub(super) fn memory_total(kernel: &Kernel, role: Role) -> Known<i64> {
    // A guest's memory is that of the machine it takes itself for; the control domain's is a part of the host's.
    if let (Role::Dom0, Some(why)) = (role, role.hidden_by()) {
        return Known::no(Reason::NotCollected, why);
    }
    kernel.bytes("/proc/meminfo").and_then(|bytes| {
        let total = Meminfo::from_buf_read(bytes.as_slice()).ok().and_then(|memory| memory.mem_total.try_into().ok());
        total.map_or_else(|| Known::no(Reason::Unreadable, "/proc/meminfo does not say MemTotal"), Known::Yes)
    })
}

pub(super) fn numa_nodes(kernel: &Kernel, role: Role) -> Known<i64> {
    if let (Role::Dom0, Some(why)) = (role, role.hidden_by()) {
        return Known::no(Reason::NotCollected, why);
    }
    kernel.names("/sys/devices/system/node").and_then(|names| {
        let is_node = |name: &&String| name.strip_prefix("node").is_some_and(|rest| rest.parse::<u32>().is_ok());
        match names.iter().filter(is_node).count() {
            0 => Known::no(Reason::Unreadable, "/sys/devices/system/node lists no node"),
            nodes => Known::Yes(nodes as i64),
        }
    })
}

fn microcode(file: &Known<CpuFile>) -> Known<String> {
    file.as_ref().and_then(|file| {
        file.microcode.values().next().map_or_else(
            || Known::no(Reason::NotCollected, "/proc/cpuinfo names no microcode"),
            |revision| revision.clone().into(),
        )
    })
}

/// The CPU's own bit stays set when the firmware locks virtualisation off, so the kernel is the witness: KVM registers
/// only where it could turn it on, and kernels from 5.6 on drop `vmx` from the flags where it is locked off.
fn virtualisation_enabled(kernel: &Kernel, cpu: &Cpu, file: &Known<CpuFile>, role: Role) -> Known<bool> {
    match role {
        Role::Guest => return Known::no(Reason::NotCollected, "a guest sees what its hypervisor lends it"),
        Role::Dom0 => {
            let offers = kernel.text("/sys/hypervisor/properties/capabilities");
            return offers.map(|offers| offers.split_whitespace().any(|one| one.starts_with("hvm-")));
        }
        Role::BareMetal => {}
    }
    let (vmx, svm) = (cpu.words.has(VMX), cpu.words.has(SVM));
    if !vmx && !svm {
        return Known::Yes(false);
    }
    let file = match file {
        Known::Yes(file) => file,
        // The kernel speaks of another CPU, so its KVM is another's too.
        Known::No(why) => return Known::No(why.clone()),
    };
    if kernel.exists("/sys/class/misc/kvm") {
        return Known::Yes(true);
    }
    match if vmx { file.vmx() } else { None } {
        Some(on) => Known::Yes(on),
        None => Known::no(
            Reason::NotCollected,
            format!(
                "the CPU has it, and only a loaded kvm_{} would show whether the firmware left it on",
                if vmx { "intel" } else { "amd" },
            ),
        ),
    }
}

fn nx_enabled(cpu: &Cpu, role: Role) -> Known<bool> {
    match (cpu.words.has(NX), role.hidden_by()) {
        (true, _) => Known::Yes(true),
        (false, None) => Known::Yes(false),
        (false, Some(why)) => Known::no(Reason::NotCollected, why),
    }
}

/// An IOMMU that the kernel drives is on. One that the firmware describes and the kernel leaves alone may well serve
/// Xen, so that is no answer.
fn iommu_enabled(kernel: &Kernel, role: Role) -> Known<bool> {
    let units = match kernel.names("/sys/class/iommu") {
        Known::Yes(units) => units,
        Known::No(why) => return Known::No(why),
    };
    if !units.is_empty() {
        return Known::Yes(true);
    }
    if let Some(why) = role.hidden_by() {
        return Known::no(Reason::NotCollected, why);
    }
    kernel.names("/sys/firmware/acpi/tables").and_then(|tables| {
        match tables.iter().find(|table| matches!(table.as_str(), "DMAR" | "IVRS")) {
            Some(table) => Known::no(
                Reason::NotCollected,
                format!("the firmware describes one (ACPI table {table}) and this kernel leaves it off"),
            ),
            None => Known::Yes(false),
        }
    })
}
