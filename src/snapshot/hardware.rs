//! What only the machine itself can tell: firmware, interfaces, disks, clock, boot parameters, limits of the CPU.

use crate::facts::{Featureset, Known, model};

model! {
    /// The machine (DMI, kernel and CPUID leaves that are not features).
    pub struct Hardware as "hardware" {
        /// Maker of the machine.
        pub manufacturer: Known<String>,
        /// Product name of the machine.
        pub product: Known<String>,
        /// Serial number of the machine.
        pub serial: Known<String>,
        /// Maker of the firmware.
        pub bios_vendor: Known<String>,
        /// Version of the firmware.
        pub bios_version: Known<String>,
        /// Date of the firmware, as the firmware prints it.
        pub bios_date: Known<String>,
        /// Memory, bytes.
        pub memory_total: Known<i64>,
        /// Microcode revision, `0x…`.
        pub microcode: Known<String>,
        /// Width of physical addresses, bits.
        pub physical_address_bits: Known<i64>,
        /// Width of linear addresses, bits.
        pub linear_address_bits: Known<i64>,
        /// Bytes that XSAVE needs for all state components that the CPU supports.
        pub xsave_size: Known<i64>,
        /// Whether VT-x or AMD-V is present and left on by the firmware.
        pub virtualisation_enabled: Known<bool>,
        /// Whether no-execute is present and left on by the firmware.
        pub nx_enabled: Known<bool>,
        /// Whether the IOMMU is on.
        pub iommu_enabled: Known<bool>,
        /// NUMA nodes.
        pub numa_nodes: Known<i64>,
        /// The network interfaces, in the order of their PCI addresses.
        pub nics: Known<Vec<Nic>>,
        /// The disks.
        pub disks: Known<Vec<Disk>>,
    }

    /// A network interface of the machine.
    pub struct Nic as "nic" {
        /// The kernel's name.
        pub name: Known<String>,
        /// Its own MAC address, lower case with colons.
        pub mac: Known<String>,
        /// The kernel's driver.
        pub driver: Known<String>,
        /// Speed of the link, Mbit/s.
        [volatile] pub speed: Known<i64>,
        /// Whether there is a link.
        [volatile] pub carrier: Known<bool>,
        /// Address on the PCI bus, `0000:3b:00.0`.
        pub pci: Known<String>,
        /// PCI vendor and device, `8086:1572`.
        pub pci_id: Known<String>,
        /// Largest packet, bytes.
        pub mtu: Known<i64>,
    }

    /// A disk of the machine.
    pub struct Disk as "disk" {
        /// The kernel's name.
        pub name: Known<String>,
        /// Size, bytes.
        pub size: Known<i64>,
        /// Model text.
        pub model: Known<String>,
        /// Whether it spins.
        pub rotational: Known<bool>,
    }

    /// Logical CPUs that answer CPUID alike.
    pub struct CpuGroup as "cpu_group" {
        /// Which CPUs, as the kernel writes lists: `0-15,32-47`.
        pub cpus: Known<String>,
        /// How many.
        pub count: Known<i64>,
        /// Family, extended family included.
        pub family: Known<i64>,
        /// Model, extended model included.
        pub model: Known<i64>,
        /// Stepping.
        pub stepping: Known<i64>,
        /// Microcode revision, `0x…`.
        pub microcode: Known<String>,
        /// Feature words as these CPUs give them.
        pub raw: Known<Featureset>,
    }

    /// What the host was booted with.
    pub struct BootParameters as "boot" {
        /// The kernel's command line.
        pub kernel: Known<String>,
        /// Xen's command line.
        pub xen: Known<String>,
        /// PCI addresses hidden from the control domain for passthrough.
        pub hidden_pci: Known<Vec<String>>,
    }

    /// The clock and how it is kept right.
    pub struct Clock as "clock" {
        /// Whether the kernel's clock is synchronised.
        pub synchronised: Known<bool>,
        /// What the host's clock showed, `YYYY-MM-DDThh:mm:ssZ`.
        [volatile] pub now: Known<String>,
        /// How far it was from the collector's clock, milliseconds; positive is ahead.
        [volatile] pub offset_ms: Known<i64>,
        /// `Factory`, `Custom`, `DHCP` or `Disabled` (XenServer 9).
        pub ntp_mode: Known<String>,
        /// The time servers in use.
        pub ntp_servers: Known<Vec<String>>,
        /// The time zone.
        pub timezone: Known<String>,
    }

    /// From where the machine was seen.
    pub struct Hypervisor as "hypervisor" {
        /// Whether CPUID announces a hypervisor.
        pub present: Known<bool>,
        /// The hypervisor's signature: `XenVMMXenVMM`, `KVMKVMKVM`, …; empty for none.
        pub signature: Known<String>,
        /// Xen's version, `4.17`, where Xen answers.
        pub xen_version: Known<String>,
        /// `bare-metal`, `guest`, or `dom0`.
        pub role: Known<String>,
        /// Whether what CPUID said passed through a filter and is not the machine's own.
        pub filtered: Known<bool>,
    }
}
