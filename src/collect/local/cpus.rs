//! CPUID on every logical CPU: one thread that moves from CPU to CPU and asks on each.

use std::collections::BTreeMap;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::LocalError;
use super::kernel::print_list;
use crate::cpu::leaves::{Cpu, HypervisorLeaves};
use crate::facts::{Known, Reason};
use crate::snapshot::CpuGroup;

/// What CPUID said, CPU by CPU.
#[derive(Clone, Debug)]
pub struct Readings {
    /// The answers of one CPU: of the lowest that could be chosen, else of whichever CPU the thread ran on.
    pub first: Cpu,
    /// The CPUs that were asked, by the kernel's number.
    pub each: BTreeMap<usize, Cpu>,
    /// The CPUs that are online and could not be asked, and why.
    pub unread: BTreeMap<usize, String>,
    /// Whether the kernel listed the CPUs that are online; without that list there may be more.
    pub listed: bool,
    /// The leaves of hypervisors, the same on all CPUs.
    pub hypervisor: HypervisorLeaves,
}

impl Readings {
    /// Asks every CPU in `online`; without that list, every CPU that this process may run on.
    ///
    /// # Errors
    /// Where the architecture has no CPUID, and where no thread can be started.
    pub fn here(online: Option<&[usize]>) -> Result<Self, LocalError> {
        // A thread of its own, so that the caller's affinity is never touched.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("cpuid".to_owned());
            let thread = thread.spawn_scoped(scope, || read_here(online)).map_err(LocalError::Thread)?;
            thread.join().unwrap_or(Err(LocalError::Panicked))
        })
    }

    /// The CPUs in groups that answer alike, or why that is not known: CPUs that were not asked may differ.
    /// CPUs that are seen to differ are known to differ, whatever the others say.
    pub(super) fn groups(&self, microcode: &BTreeMap<usize, String>) -> Known<Vec<CpuGroup>> {
        let mut groups: Vec<(&Cpu, Option<&String>, Vec<usize>)> = Vec::new();
        for (&number, cpu) in &self.each {
            let revision = microcode.get(&number);
            match groups.iter_mut().find(|(known, known_revision, _)| *known == cpu && *known_revision == revision) {
                Some((_, _, members)) => members.push(number),
                None => groups.push((cpu, revision, vec![number])),
            }
        }
        if groups.len() < 2
            && let Some(why) = self.not_asked()
        {
            return Known::no(Reason::PermissionDenied, why);
        }
        groups.iter().map(|(cpu, revision, members)| group(cpu, *revision, members)).collect::<Vec<_>>().into()
    }

    /// The CPUs that could not be asked, in words.
    fn not_asked(&self) -> Option<String> {
        let why = self.unread.values().next();
        match why {
            Some(why) => {
                let numbers: Vec<_> = self.unread.keys().copied().collect();
                Some(format!("CPUID was not read on CPU {}: {why}", print_list(&numbers)))
            }
            None if self.each.is_empty() => Some("CPUID was read on one CPU only, the kernel chose which".to_owned()),
            None if !self.listed => {
                Some("the kernel does not list its CPUs, so there may be more than were read".to_owned())
            }
            None => None,
        }
    }
}

fn group(cpu: &Cpu, revision: Option<&String>, members: &[usize]) -> CpuGroup {
    let part = |part: fn(&crate::cpu::leaves::Signature) -> u32| known_part(cpu, part);
    CpuGroup {
        cpus: print_list(members).into(),
        count: (members.len() as i64).into(),
        family: part(|signature| signature.family),
        model: part(|signature| signature.model),
        stepping: part(|signature| signature.stepping),
        microcode: revision.map_or_else(
            || Known::no(Reason::NotCollected, "/proc/cpuinfo does not say"),
            |text| text.clone().into(),
        ),
        raw: cpu.words.clone().into(),
    }
}

/// A part of the signature, when the CPU has one.
pub(in crate::collect) fn known_part(cpu: &Cpu, part: fn(&crate::cpu::leaves::Signature) -> u32) -> Known<i64> {
    cpu.signature.as_ref().map_or_else(
        || Known::no(Reason::AbsentOnRelease, "this CPU has no CPUID leaf 1"),
        |signature| i64::from(part(signature)).into(),
    )
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
fn read_here(online: Option<&[usize]>) -> Result<Readings, LocalError> {
    use raw_cpuid::CpuIdReaderNative;

    use crate::cpu::leaves::{hypervisor, read};

    let (mut each, mut unread) = (BTreeMap::new(), BTreeMap::new());
    for number in online.map_or_else(allowed, <[usize]>::to_vec) {
        match go_to(number) {
            Ok(()) => drop(each.insert(number, read(&CpuIdReaderNative))),
            Err(why) => drop(unread.insert(number, why)),
        }
    }
    let first = each.values().next().cloned().unwrap_or_else(|| read(&CpuIdReaderNative));
    Ok(Readings { first, each, unread, listed: online.is_some(), hypervisor: hypervisor(&CpuIdReaderNative) })
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
fn read_here(_: Option<&[usize]>) -> Result<Readings, LocalError> {
    Err(LocalError::Architecture)
}

/// The CPUs that this thread may run on; none where the kernel's set is larger than ours.
fn allowed() -> Vec<usize> {
    sched_getaffinity(None)
        .map(|set| (0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number)).collect())
        .unwrap_or_default()
}

/// Moves this thread. Returns when it runs there.
fn go_to(number: usize) -> Result<(), String> {
    if number >= CpuSet::MAX_CPU {
        return Err(format!("numbers from {} on cannot be chosen", CpuSet::MAX_CPU));
    }
    let mut set = CpuSet::new();
    set.set(number);
    sched_setaffinity(None, &set)
        .map_err(|error| format!("the kernel does not let this process run there ({error}): see its cpuset"))
}
