//! `local` on machines that are folders: CPUID from a table, /proc and /sys as files.

#![expect(clippy::expect_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, SystemTime};

use poolgate::collect::local::{Kernel, Readings, collect, snapshot};
use poolgate::cpu::leaves::{hypervisor, read};
use poolgate::facts::{Known, Reason};
use poolgate::snapshot::{Hardware, Host, HostCpu, read_snapshot};
use raw_cpuid::CpuIdResult;
use tempfile::TempDir;

type Leaves = BTreeMap<(u32, u32), [u32; 4]>;

const fn le(text: [u8; 4]) -> u32 {
    u32::from_le_bytes(text)
}

/// An Intel CPU of family 6, model 85, stepping 7 with VT-x, AVX-512, no-execute; 46 and 48 bits of address.
fn cascade_lake() -> Leaves {
    BTreeMap::from([
        ((0, 0), [0xd, le(*b"Genu"), le(*b"ntel"), le(*b"ineI")]),
        ((1, 0), [0x0005_0657, 0, 0x77fe_fbff, 0xbfeb_fbff]),
        ((7, 0), [0, 0xd19f_fffb, 0x0000_0818, 0x8c00_0000]),
        ((0xd, 0), [0xe7, 2696, 2696, 0]),
        ((0xd, 1), [0xf, 0, 0, 0]),
        ((0x8000_0000, 0), [0x8000_0008, 0, 0, 0]),
        ((0x8000_0001, 0), [0, 0, 0x121, 0x2c10_0800]),
        ((0x8000_0007, 0), [0, 0, 0, 0x100]),
        ((0x8000_0008, 0), [0x302e, 0, 0, 0]),
    ])
}

const BARE_WORDS: &str = "bfebfbff-77fefbff-2c100800-00000121-0000000f-d19ffffb-00000808-00000100-00000000-8c000000-\
                          00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000-00000000";

/// The same CPU as a guest of KVM or a domain of Xen sees it.
fn below(signature: [[u8; 4]; 3], version: u32) -> Leaves {
    let mut leaves = cascade_lake();
    leaves.insert((1, 0), [0x0005_0657, 0, 0xf7fe_fbdf, 0x1fc9_f3f5]);
    let [ebx, ecx, edx] = signature;
    leaves.insert((0x4000_0000, 0), [0x4000_0005, le(ebx), le(ecx), le(edx)]);
    leaves.insert((0x4000_0001, 0), [version, 0, 0, 0]);
    leaves
}

/// CPUs `0..` with these leaves.
fn readings(cpus: &[Leaves]) -> Readings {
    let reader = |leaves: &Leaves| {
        let leaves = leaves.clone();
        move |leaf, subleaf| {
            let [eax, ebx, ecx, edx] = leaves.get(&(leaf, subleaf)).copied().unwrap_or_default();
            CpuIdResult { eax, ebx, ecx, edx }
        }
    };
    let each: BTreeMap<_, _> = cpus.iter().map(|cpu| read(&reader(cpu))).enumerate().collect();
    Readings {
        first: each[&0].clone(),
        each,
        unread: BTreeMap::new(),
        listed: true,
        hypervisor: hypervisor(&reader(&cpus[0])),
    }
}

/// A folder that stands for the root of a machine.
struct Machine(TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn file(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    fn folder(&self, path: &str) -> &Self {
        fs::create_dir_all(self.0.path().join(path)).expect("a folder");
        self
    }

    fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        symlink(Path::new(target), path).expect("a link");
        self
    }

    /// /proc/cpuinfo and the topology of two sockets with `cpus` / 4 cores each, two threads a core.
    fn cpus(&self, cpus: usize, flags: &str, microcode: impl Fn(usize) -> &'static str) -> &Self {
        let block = |cpu: usize| {
            format!(
                "processor\t: {cpu}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n\
                 model name\t: Test\nstepping\t: 7\nmicrocode\t: {}\nflags\t\t: {flags}\nvmx flags\t: vnmi\n\n",
                microcode(cpu),
            )
        };
        self.file("proc/cpuinfo", (0..cpus).map(block).collect::<String>());
        self.file("sys/devices/system/cpu/online", format!("0-{}\n", cpus - 1));
        for cpu in 0..cpus {
            let topology = format!("sys/devices/system/cpu/cpu{cpu}/topology");
            let core = cpu % (cpus / 2);
            self.file(&format!("{topology}/physical_package_id"), format!("{}\n", core % 2));
            self.file(&format!("{topology}/thread_siblings_list"), format!("{core},{}\n", core + cpus / 2));
        }
        self
    }

    /// An Ethernet card: its PCI address, its interface, its files.
    fn nic(&self, pci: &str, name: &str, driver: &str, files: &[(&str, &str)]) -> &Self {
        let device = format!("sys/devices/pci0000:00/{pci}");
        self.file(&format!("{device}/vendor"), "0x8086\n").file(&format!("{device}/device"), "0x1572\n");
        self.link(&format!("{device}/driver"), &format!("../../../bus/pci/drivers/{driver}"));
        self.link(&format!("sys/bus/pci/devices/{pci}"), &format!("../../../devices/pci0000:00/{pci}"));
        self.link(&format!("sys/class/net/{name}"), &format!("../../devices/pci0000:00/{pci}/net/{name}"));
        self.link(&format!("{device}/net/{name}/device"), "../..");
        let usual = [("type", "1\n"), ("mtu", "1500\n"), ("dev_port", "0\n"), ("addr_assign_type", "0\n")];
        let given: BTreeMap<_, _> = usual.iter().chain(files).copied().collect();
        for (file, text) in given {
            self.file(&format!("{device}/net/{name}/{file}"), text);
        }
        self
    }

    /// The one host that is seen on this machine; the snapshot survives its file.
    fn host(&self, readings: Readings) -> Host {
        let seen_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let seen = snapshot(&Kernel::below(self.0.path()), readings, seen_at);
        assert_eq!(seen.source.collected_at.text(), Some("2023-11-14T22:13:20Z"));
        let (again, strangers) = read_snapshot(seen.to_json().as_bytes()).expect("a snapshot");
        assert_eq!((&again, strangers.len()), (&seen, 0));
        let host = again.pool.coordinator_host().get().copied().cloned();
        host.expect("the host is its pool's coordinator")
    }
}

fn cpu(host: &Host) -> &HostCpu {
    host.cpu.get().expect("a CPU")
}

fn hardware(host: &Host) -> &Hardware {
    host.hardware.get().expect("hardware")
}

fn why<T>(known: &Known<T>) -> String {
    known.unknown().map(ToString::to_string).unwrap_or_default()
}

fn role(host: &Host) -> (Option<&str>, Option<bool>, Option<&str>) {
    let seen = host.hypervisor.get().expect("hypervisor facts");
    (seen.role.text(), seen.filtered.get().copied(), seen.signature.text())
}

/// A server with two sockets, two cards, a bond member, a bridge, disks of all kinds.
fn server() -> Machine {
    let machine = Machine::new();
    machine
        .cpus(8, "fpu vmx nx avx512f", |_| "0x5003604")
        .file(
            "proc/meminfo",
            "MemTotal:       394920884 kB\nMemFree:        1234 kB\nBuffers: 0 kB\nCached: 0 kB\n\
               SwapCached: 0 kB\nActive: 0 kB\nInactive: 0 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\nDirty: 0 kB\n\
               Writeback: 0 kB\nMapped: 0 kB\nSlab: 0 kB\nCommitted_AS: 0 kB\nVmallocTotal: 0 kB\n\
               VmallocUsed: 0 kB\nVmallocChunk: 0 kB\n",
        )
        .file("proc/sys/kernel/hostname", "alpha\n")
        .file(
            "proc/cmdline",
            "BOOT_IMAGE=/vmlinuz root=UUID=1 ro quiet intel_iommu=on inst.password=hunter2 \
               xen-pciback.hide=(0000:3b:00.1)(af:00.0) vfio-pci.ids=8086:1572 tok3n -- init-secret\n",
        )
        .file("sys/class/dmi/id/sys_vendor", "Maker Inc.\n")
        .file("sys/class/dmi/id/product_name", "Server\x1b[2J 1\n")
        .file("sys/class/dmi/id/bios_version", "2.1\n")
        .folder("sys/class/misc/kvm")
        .folder("sys/class/iommu/dmar0")
        .folder("sys/devices/system/node/node0")
        .folder("sys/devices/system/node/node1")
        .file("sys/devices/system/node/online", "0-1\n")
        .file("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", [6, 0, 0, 0, 1])
        .folder("run/systemd/timesync")
        .file("run/systemd/timesync/synchronized", "")
        .file("etc/chrony.conf", "# pool old.example\nserver 192.0.2.1 iburst\npool ntp.example prefer\n")
        .link("etc/localtime", "../usr/share/zoneinfo/Europe/Zurich")
        .nic(
            "0000:af:00.0",
            "eno3",
            "ixgbe",
            &[("address", "02:00:00:00:00:03\n"), ("operstate", "up\n"), ("speed", "10000\n"), ("carrier", "1\n")],
        )
        .nic(
            "0000:3b:00.1",
            "eno2",
            "i40e",
            &[
                ("address", "02:00:00:00:00:0b\n"),
                ("addr_assign_type", "3\n"),
                ("bonding_slave/perm_hwaddr", "02:00:00:00:00:0A\n"),
                ("speed", "-1\n"),
                ("carrier", "0\n"),
            ],
        )
        .nic(
            "0000:3b:00.0",
            "eno1",
            "i40e",
            &[
                ("address", "02:00:00:00:00:01\n"),
                ("addr_assign_type", "3\n"),
                ("operstate", "down\n"),
                ("speed", ""),
                ("carrier", ""),
            ],
        )
        .nic("0000:3b:02.0", "eno1v0", "iavf", &[("address", "02:00:00:00:00:99\n")])
        .link("sys/devices/pci0000:00/0000:3b:02.0/physfn", "../0000:3b:00.0")
        .file("sys/class/net/bond0/address", "02:00:00:00:00:0b\n")
        .file("sys/class/net/lo/address", "00:00:00:00:00:00\n")
        .file("sys/block/loop0/size", "8\n")
        .file("sys/block/sda/size", "1875385008\n")
        .file("sys/block/sda/device/model", "SSDSC2KB960G8   \n")
        .file("sys/block/sda/device/type", "0\n")
        .file("sys/block/sda/queue/rotational", "0\n")
        .file("sys/block/sr0/size", "2097151\n")
        .file("sys/block/sr0/device/type", "5\n");
    machine
}

#[test]
fn a_bare_server_is_seen_whole() {
    let host = server().host(readings(&vec![cascade_lake(); 8]));
    assert_eq!(role(&host), (Some("bare-metal"), Some(false), Some("")));
    assert_eq!(host.hostname.text(), Some("alpha"));

    let cpu = cpu(&host);
    assert_eq!((cpu.vendor.text(), cpu.family.get(), cpu.model.get()), (Some("GenuineIntel"), Some(&6), Some(&85)));
    assert_eq!(cpu.raw.get().map(ToString::to_string).as_deref(), Some(BARE_WORDS));
    assert_eq!(
        (cpu.cpu_count.get(), cpu.socket_count.get(), cpu.threads_per_core.get()),
        (Some(&8), Some(&2), Some(&2))
    );
    let groups = cpu.groups.get().unwrap();
    assert_eq!(
        (groups.len(), groups[0].cpus.text(), groups[0].microcode.text()),
        (1, Some("0-7"), Some("0x5003604"))
    );

    let seen = hardware(&host);
    assert_eq!((seen.manufacturer.text(), seen.product.text()), (Some("Maker Inc."), Some("Server [2J 1")));
    assert_eq!(seen.memory_total.get(), Some(&(394_920_884 * 1024)));
    assert_eq!((seen.physical_address_bits.get(), seen.linear_address_bits.get()), (Some(&46), Some(&48)));
    assert_eq!(seen.xsave_size.get(), Some(&2696));
    assert_eq!((seen.virtualisation_enabled.get(), seen.nx_enabled.get()), (Some(&true), Some(&true)));
    assert_eq!((seen.iommu_enabled.get(), seen.numa_nodes.get()), (Some(&true), Some(&2)));
    assert_eq!(host.secure_boot.get(), Some(&true));
}

#[test]
fn interfaces_come_in_the_order_of_the_bus_with_their_own_addresses() {
    let host = server().host(readings(&vec![cascade_lake(); 8]));
    let nics = hardware(&host).nics.get().unwrap();
    let names: Vec<_> = nics.iter().filter_map(|nic| nic.name.text()).collect();
    assert_eq!(names, ["eno1", "eno2", "eno3"], "no virtual function, bond or loopback");
    insta::assert_snapshot!(why(&nics[0].mac), @"not collected: the address of eno1 was set; `ethtool -P eno1` shows the card's own");
    insta::assert_snapshot!(why(&nics[0].speed), @"not collected: eno1 is down: bring it up to see its link");
    assert_eq!(nics[1].mac.text(), Some("02:00:00:00:00:0a"), "a bond's member keeps its own address aside");
    assert_eq!((nics[1].speed.get(), nics[1].carrier.get()), (None, Some(&false)));
    assert_eq!((nics[2].speed.get(), nics[2].carrier.get()), (Some(&10_000), Some(&true)));
    assert_eq!((nics[2].driver.text(), nics[2].pci.text()), (Some("ixgbe"), Some("0000:af:00.0")));
    assert_eq!((nics[2].pci_id.text(), nics[2].mtu.get()), (Some("8086:1572"), Some(&1500)));
}

#[test]
fn only_disks_are_disks() {
    let host = server().host(readings(&vec![cascade_lake(); 8]));
    let disks = hardware(&host).disks.get().unwrap();
    let [disk] = disks.as_slice() else { panic!("one disk: {disks:?}") };
    assert_eq!((disk.name.text(), disk.model.text()), (Some("sda"), Some("SSDSC2KB960G8")));
    assert_eq!((disk.size.get(), disk.rotational.get()), (Some(&960_197_124_096), Some(&false)));
}

#[test]
fn boot_parameters_keep_no_secrets_and_name_what_is_hidden() {
    let host = server().host(readings(&vec![cascade_lake(); 8]));
    let boot = host.boot.get().unwrap();
    insta::assert_snapshot!(
        boot.kernel.text().unwrap(),
        @"ro quiet intel_iommu=on xen-pciback.hide=(0000:3b:00.1)(af:00.0) vfio-pci.ids=8086:1572 …"
    );
    let hidden = boot.hidden_pci.get().unwrap();
    assert_eq!(hidden, &["0000:3b:00.0", "0000:3b:00.1", "0000:3b:02.0", "0000:af:00.0"]);
    let clock = host.clock.get().unwrap();
    assert_eq!((clock.synchronised.get(), clock.timezone.text()), (Some(&true), Some("Europe/Zurich")));
    assert_eq!(clock.ntp_servers.get().unwrap(), &["192.0.2.1", "ntp.example"]);
}

#[test]
fn cpus_that_differ_form_groups() {
    let mut newer = cascade_lake();
    newer.insert((7, 0), [0, 0xd19f_fffb, 0x0000_0818, 0x8c00_0400]);
    let cpus: Vec<_> = (0..8).map(|cpu| if cpu % 4 == 3 { newer.clone() } else { cascade_lake() }).collect();
    let machine = Machine::new();
    machine.cpus(8, "vmx", |cpu| if cpu == 0 { "0x1" } else { "0x2" });
    let host = machine.host(readings(&cpus));
    let groups = cpu(&host).groups.get().unwrap();
    let lists: Vec<_> = groups.iter().filter_map(|group| group.cpus.text()).collect();
    assert_eq!(lists, ["0", "1-2,4-6", "3,7"]);
    assert_ne!(groups[1].raw, groups[2].raw);
    assert_eq!((groups[0].microcode.text(), groups[1].count.get()), (Some("0x1"), Some(&5)));
}

#[test]
fn a_cpu_that_was_not_asked_may_differ() {
    let mut seen = readings(&vec![cascade_lake(); 2]);
    seen.unread = BTreeMap::from([(2, "no".to_owned()), (3, "no".to_owned())]);
    let host = Machine::new().host(seen.clone());
    insta::assert_snapshot!(why(&cpu(&host).groups), @"permission denied: CPUID was not read on CPU 2-3: no");
    assert!(cpu(&host).raw.get().is_some());

    let mut other = cascade_lake();
    other.insert((1, 0), [0x0005_0656, 0, 0x77fe_fbff, 0xbfeb_fbff]);
    let differing = readings(&[cascade_lake(), other]);
    seen.each = differing.each;
    let host = Machine::new().host(seen);
    assert_eq!(cpu(&host).groups.each().len(), 2, "what is seen to differ differs, whatever the rest says");

    let mut unlisted = readings(&[cascade_lake()]);
    unlisted.listed = false;
    assert!(cpu(&Machine::new().host(unlisted)).groups.get().is_none());
}

#[test]
fn a_guest_of_kvm_says_that_it_is_filtered() {
    let machine = Machine::new();
    machine.cpus(4, "fpu hypervisor", |_| "0x1").folder("sys/class/iommu").folder("sys/class/misc/kvm");
    let host = machine.host(readings(&vec![below([*b"KVMK", *b"VMKV", *b"M\0\0\0"], 0); 4]));
    assert_eq!(role(&host), (Some("guest"), Some(true), Some("KVMKVMKVM")));
    let seen = hardware(&host);
    assert_eq!(seen.virtualisation_enabled.unknown().map(|why| why.reason), Some(Reason::NotCollected));
    assert_eq!(seen.iommu_enabled.get(), None);
}

#[test]
fn a_guest_is_known_by_its_kernel_when_cpuid_is_silent() {
    let machine = Machine::new();
    machine.cpus(4, "fpu hypervisor", |_| "0x1");
    assert_eq!(role(&machine.host(readings(&vec![cascade_lake(); 4]))).0, Some("guest"));
}

#[test]
fn a_control_domain_does_not_pass_for_the_machine() {
    let machine = Machine::new();
    machine
        .cpus(4, "fpu hypervisor", |_| "0x5003604")
        .file("proc/xen/capabilities", "control_d\n")
        .file("proc/meminfo", "MemTotal: 2097152 kB\n")
        .file("sys/hypervisor/type", "xen\n")
        .file("sys/hypervisor/version/major", "4\n")
        .file("sys/hypervisor/version/minor", "13\n")
        .file("sys/hypervisor/properties/capabilities", "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_64 \n");
    // A PV domain on an old CPU: CPUID leaks the bare CPU.
    let host = machine.host(readings(&vec![cascade_lake(); 4]));
    assert_eq!(role(&host), (Some("dom0"), Some(true), Some("")));
    assert_eq!(host.hypervisor.get().unwrap().xen_version.text(), Some("4.13"));
    assert_eq!(hardware(&host).virtualisation_enabled.get(), Some(&true));
    for missing in [&host.memory_total, &cpu(&host).cpu_count, &cpu(&host).socket_count, &cpu(&host).nr_nodes] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(why(missing), @"not collected: the control domain sees a virtual machine; its toolstack knows the machine itself");
        }
    }
    // Without xenfs, the uuid of zeros tells the control domain from other domains.
    let machine = Machine::new();
    machine
        .file("sys/hypervisor/type", "xen\n")
        .file("sys/hypervisor/uuid", "00000000-0000-0000-0000-000000000000\n");
    let xen = below([*b"XenV", *b"MMXe", *b"nVMM"], 4 << 16 | 17);
    let host = machine.host(readings(std::slice::from_ref(&xen)));
    assert_eq!(role(&host), (Some("dom0"), Some(true), Some("XenVMMXenVMM")));
    assert_eq!(host.hypervisor.get().unwrap().xen_version.text(), Some("4.17"));
    machine.file("sys/hypervisor/uuid", "b9a4e8d2-0000-0000-0000-000000000000\n");
    assert_eq!(role(&machine.host(readings(&[xen]))).0, Some("guest"));
}

#[test]
fn virtualisation_is_only_known_where_a_witness_speaks() {
    let seen = |machine: &Machine, leaves: Leaves| {
        hardware(&machine.host(readings(&[leaves]))).virtualisation_enabled.clone()
    };
    let machine = Machine::new();
    machine.cpus(4, "fpu vmx", |_| "0x1");
    assert_eq!(seen(&machine, cascade_lake()), Known::Yes(true), "a kernel that checks the lock left vmx on");
    machine.cpus(4, "fpu", |_| "0x1");
    assert_eq!(seen(&machine, cascade_lake()), Known::Yes(false), "the kernel dropped vmx");
    let old = "processor : 0\nvendor_id : GenuineIntel\ncpu family : 6\nmodel : 85\nstepping : 7\nflags : vmx\n";
    machine.file("proc/cpuinfo", old);
    insta::assert_snapshot!(
        why(&seen(&machine, cascade_lake())),
        @"not collected: the CPU has it, and only a loaded kvm_intel would show whether the firmware left it on"
    );
    machine.folder("sys/class/misc/kvm");
    assert_eq!(seen(&machine, cascade_lake()), Known::Yes(true), "KVM registers only where it works");
    machine.file("proc/cpuinfo", old.replace("85", "79"));
    insta::assert_snapshot!(
        why(&seen(&machine, cascade_lake())),
        @"unreadable: /proc/cpuinfo speaks of GenuineIntel family 6 model 79 stepping 7, not of the CPU that answers CPUID"
    );
    let mut without = cascade_lake();
    without.insert((1, 0), [0x0005_0657, 0, 0x77fe_fbdf, 0xbfeb_fbff]);
    assert_eq!(seen(&machine, without), Known::Yes(false), "the CPU has none");
}

#[test]
fn arch_capabilities_are_read_where_the_kernel_lends_the_register() {
    let mut leaves = cascade_lake();
    leaves.insert((7, 0), [0, 0, 0, 1 << 29]);
    let machine = Machine::new();
    machine.cpus(4, "fpu", |_| "0x1");
    let host = machine.host(readings(std::slice::from_ref(&leaves)));
    assert_eq!(cpu(&host).raw_unknown_words.get().unwrap(), &[16, 17]);
    let mut registers = vec![0; 0x10a];
    registers.extend(0x4000_0000_0000_00ab_u64.to_le_bytes());
    machine.file("dev/cpu/0/msr", registers);
    let host = machine.host(readings(&[leaves]));
    assert_eq!(cpu(&host).raw_unknown_words.get().unwrap(), &[0_i64; 0]);
    let words = cpu(&host).raw.get().unwrap();
    assert_eq!((words.word(16), words.word(17)), (0xab, 0x4000_0000));
}

#[test]
fn a_machine_without_files_is_unknown_with_reasons() {
    let host = Machine::new().host(readings(&[cascade_lake()]));
    assert_eq!(role(&host).0, Some("bare-metal"));
    let seen = hardware(&host);
    insta::assert_snapshot!(why(&seen.serial), @"not collected: this system has no /sys/class/dmi/id/product_serial");
    insta::assert_snapshot!(why(&seen.nics), @"not collected: this system has no /sys/class/net");
    for missing in [&seen.memory_total, &seen.numa_nodes, &cpu(&host).cpu_count, &cpu(&host).socket_count] {
        assert!(why(missing).starts_with("not collected: this system has no /"), "{missing:?}");
    }
    for missing in [&seen.virtualisation_enabled, &seen.iommu_enabled, &host.secure_boot] {
        assert!(why(missing).starts_with("not collected: this system has no /"), "{missing:?}");
    }
    let clock = host.clock.get().unwrap();
    insta::assert_snapshot!(why(&clock.synchronised), @"not collected: no time daemon was found (looked for /run/systemd/timesync, chronyd and ntpd)");
}

#[test]
fn garbage_in_every_file_is_unknown_and_does_no_harm() {
    const GARBAGE: &[&[u8]] = &[
        b"",
        b"\n",
        b"\0\xff\xfe\n",
        b"0-18446744073709551615\n",
        b"-9223372036854775808\n",
        b"\x1b]0;owned\x07: :::,,--\n",
    ];
    for garbage in GARBAGE {
        let machine = server();
        let mut files = vec![machine.0.path().to_path_buf()];
        while let Some(path) = files.pop() {
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            } else if kind.is_file() {
                fs::write(&path, garbage).unwrap();
            }
        }
        let host = machine.host(readings(&[cascade_lake()]));
        let seen = hardware(&host);
        for figure in [&seen.memory_total, &cpu(&host).cpu_count, &cpu(&host).socket_count] {
            assert!(why(figure).starts_with("unreadable: "), "{garbage:?}: {figure:?}");
        }
        assert_eq!(seen.virtualisation_enabled.get(), None, "{garbage:?}");
        let text = format!("{host:?}");
        assert!(!text.contains('\x1b') && !text.contains("\\u{1b}"), "{text}");
    }
}

#[test]
fn folders_where_files_should_be_are_unreadable() {
    let machine = Machine::new();
    machine.folder("proc/cpuinfo").folder("proc/meminfo").folder("proc/cmdline").file("sys/class", "");
    let host = machine.host(readings(&[cascade_lake()]));
    let seen = hardware(&host);
    assert_eq!(seen.memory_total.unknown().map(|why| why.reason), Some(Reason::Unreadable));
    assert_eq!(host.boot.get().unwrap().kernel.unknown().map(|why| why.reason), Some(Reason::Unreadable));
}

#[test]
fn this_machine_is_read_on_every_cpu_and_left_as_it_was() {
    let allowed = rustix::thread::sched_getaffinity(None).unwrap();
    let seen = collect().unwrap();
    assert_eq!(rustix::thread::sched_getaffinity(None).unwrap(), allowed);
    let host = seen.pool.hosts.each().next().unwrap();
    let words = cpu(host).raw.get().unwrap();
    assert!(words.has(0) && words.has(2 * 32 + 29), "FPU and LM: {words}");
    if let Known::Yes(groups) = &cpu(host).groups {
        let counted: i64 = groups.iter().filter_map(|group| group.count.get()).sum();
        assert_eq!(Some(&counted), cpu(host).cpu_count.get());
    }
}
