//! The target `local`: the machine underneath, as CPUID and the kernel show it to any user. Asks no toolstack, so
//! nothing of XenAPI is known. Called by `cli`; reads CPUID through `cpu::leaves` and files below one root.

mod boot;
pub(super) mod clock;
mod cpuinfo;
mod cpus;
mod devices;
mod hardware;
mod kernel;
mod role;

use std::collections::BTreeSet;
use std::time::SystemTime;

pub use cpus::Readings;
pub use kernel::Kernel;

use cpuinfo::CpuFile;
use cpus::known_part;
use role::Role;

use crate::facts::{Known, Reason};
use crate::snapshot::{Host, HostCpu, Pool, Snapshot, Source, SourceKind};

/// The reference of the one host of a local snapshot.
pub const HOST: &str = "local:host";
const POOL: &str = "local:pool";
const CPUS: &str = "/sys/devices/system/cpu";

/// Why this machine cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Not an x86 CPU.
    #[error(
        "local: this is not an x86 machine, so it has no CPUID and runs no Xen pool; \
         run poolgate on the candidate itself, or give a snapshot that was collected there"
    )]
    Architecture,
    /// The thread that reads CPUID could not be started.
    #[error("local: cannot start the thread that reads CPUID: {0}; raise the limit of processes (ulimit -u)")]
    Thread(std::io::Error),
    /// The thread that reads CPUID died.
    #[error("local: reading CPUID failed inside poolgate; please report this with the CPU's model")]
    Panicked,
}

/// The machine underneath as a pool of one host.
///
/// # Errors
/// Where CPUID cannot be read at all. What is missing besides is unknown in the snapshot, with the reason.
pub fn collect() -> Result<Snapshot, LocalError> {
    let kernel = Kernel::here();
    let online = kernel.cpu_list(&format!("{CPUS}/online"));
    let readings = Readings::here(online.get().map(Vec::as_slice))?;
    Ok(snapshot(&kernel, readings, SystemTime::now()))
}

/// A snapshot from what CPUID said and from a kernel's files, at some time.
pub fn snapshot(kernel: &Kernel, mut readings: Readings, now: SystemTime) -> Snapshot {
    let file = CpuFile::read(kernel, &readings.first);
    let flagged = file.get().is_some_and(|file| file.has("hypervisor"));
    let role = Role::of(kernel, &readings.hypervisor, flagged);
    if file.get().is_some() {
        add_arch_capabilities(kernel, &mut readings);
    }
    Snapshot {
        source: Source {
            kind: SourceKind::Local.word().to_owned().into(),
            target: "local".to_owned().into(),
            collected_at: clock::timestamp(now).into(),
            tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")).to_owned().into(),
        },
        pool: Pool {
            reference: POOL.to_owned().into(),
            uuid: Known::no(Reason::NotApplicable, "a machine has no pool uuid before it runs the toolstack"),
            coordinator: HOST.to_owned().into(),
            hosts: vec![host(kernel, &readings, &file, role, now)].into(),
            ..Pool::default()
        },
    }
}

fn host(kernel: &Kernel, readings: &Readings, file: &Known<CpuFile>, role: Role, now: SystemTime) -> Host {
    let hostname = kernel.text("/proc/sys/kernel/hostname");
    Host {
        reference: HOST.to_owned().into(),
        uuid: Known::no(Reason::NotApplicable, "the host's uuid is the toolstack's, which was not asked"),
        name_label: hostname.clone(),
        hostname,
        memory_total: hardware::memory_total(kernel, role),
        secure_boot: secure_boot(kernel, role),
        cpu: cpu(kernel, readings, file, role).into(),
        hardware: hardware::hardware(kernel, &readings.first, file, role).into(),
        boot: boot::boot(kernel, role).into(),
        clock: clock::clock(kernel, now).into(),
        hypervisor: role::hypervisor(kernel, &readings.hypervisor, role).into(),
        ..Host::default()
    }
}

fn cpu(kernel: &Kernel, readings: &Readings, file: &Known<CpuFile>, role: Role) -> HostCpu {
    let first = &readings.first;
    let text = |found: &Option<String>, what: &str| match found {
        Some(text) => Known::Yes(text.clone()),
        None => Known::no(Reason::NotApplicable, format!("this CPU tells no {what}")),
    };
    let microcode = file.get().map(|file| file.microcode.clone()).unwrap_or_default();
    let (cpu_count, socket_count, threads_per_core) = topology(kernel, role);
    HostCpu {
        vendor: text(&first.vendor, "vendor"),
        model_name: text(&first.brand, "brand"),
        family: known_part(first, |signature| signature.family),
        model: known_part(first, |signature| signature.model),
        stepping: known_part(first, |signature| signature.stepping),
        cpu_count,
        socket_count,
        threads_per_core,
        nr_nodes: hardware::numa_nodes(kernel, role),
        raw: first.words.clone().into(),
        raw_unknown_words: first.unknown_words.iter().map(|word| *word as i64).collect::<Vec<_>>().into(),
        groups: readings.groups(&microcode),
        ..HostCpu::default()
    }
}

/// Logical CPUs, sockets, threads of a core. The control domain's CPUs are not the host's.
fn topology(kernel: &Kernel, role: Role) -> (Known<i64>, Known<i64>, Known<i64>) {
    if let (Role::Dom0, Some(why)) = (role, role.hidden_by()) {
        let unknown = || Known::no(Reason::NotCollected, why);
        return (unknown(), unknown(), unknown());
    }
    let online = match kernel.cpu_list(&format!("{CPUS}/online")) {
        Known::Yes(online) => online,
        Known::No(why) => return (Known::No(why.clone()), Known::No(why.clone()), Known::No(why)),
    };
    let file = |cpu: &usize, name: &str| format!("{CPUS}/cpu{cpu}/topology/{name}");
    let sockets: Known<BTreeSet<i64>> =
        all(online.iter().map(|cpu| kernel.number(&file(cpu, "physical_package_id"))));
    let threads: Known<BTreeSet<usize>> =
        all(online.iter().map(|cpu| kernel.cpu_list(&file(cpu, "thread_siblings_list")).map(|list| list.len())));
    let threads = threads.map(|counts| counts.last().map_or(1, |most| *most as i64));
    ((online.len() as i64).into(), sockets.map(|sockets| sockets.len() as i64), threads)
}

/// All values, or the first reason why one is missing.
fn all<T, C: FromIterator<T>>(values: impl Iterator<Item = Known<T>>) -> Known<C> {
    let found: Result<C, _> = values
        .map(|value| match value {
            Known::Yes(value) => Ok(value),
            Known::No(why) => Err(why),
        })
        .collect();
    found.map_or_else(Known::No, Known::Yes)
}

/// The firmware's variable: four bytes of attributes, then 1 for on. Firmware without EFI cannot have it; an empty
/// folder is a container's and says nothing.
fn secure_boot(kernel: &Kernel, role: Role) -> Known<bool> {
    const VARIABLE: &str = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    let firmware = match kernel.names("/sys/firmware") {
        Known::Yes(firmware) => firmware,
        Known::No(why) => return Known::No(why),
    };
    if !firmware.iter().any(|name| name == "efi") {
        return match role {
            _ if firmware.is_empty() => Known::no(Reason::NotCollected, "/sys/firmware is hidden from this process"),
            Role::Dom0 => Known::no(Reason::NotCollected, "Xen does not show the firmware to its control domain"),
            Role::BareMetal | Role::Guest => Known::Yes(false),
        };
    }
    kernel.bytes(VARIABLE).and_then(|bytes| match bytes.as_slice() {
        [_, _, _, _, 0] => Known::Yes(false),
        [_, _, _, _, 1] => Known::Yes(true),
        _ => Known::no(Reason::Unreadable, format!("{VARIABLE} is not five bytes that end in 0 or 1")),
    })
}

/// MSR_ARCH_CAPABILITIES, where the kernel offers its registers as files and lets this user read them.
fn add_arch_capabilities(kernel: &Kernel, readings: &mut Readings) {
    const MSR: u64 = 0x10a;
    let read = |number: usize| kernel.register(&format!("/dev/cpu/{number}/msr"), MSR);
    for (number, cpu) in &mut readings.each {
        if let Known::Yes(value) = read(*number) {
            cpu.set_arch_capabilities(value);
        }
    }
    if let Some(first) = readings.each.values().next() {
        readings.first = first.clone();
    }
}
