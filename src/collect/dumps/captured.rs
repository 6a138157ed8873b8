//! Leaves as they stand in a dump, CPU by CPU.

use std::collections::BTreeMap;

use raw_cpuid::{CpuIdReader, CpuIdResult};

use crate::collect::CollectError;
use crate::collect::limits::{DUMP_CPUS, DUMP_LEAVES};
use crate::cpu::leaves::{self, Cpu, HypervisorLeaves};

/// The leaves of one CPU. What a dump does not hold was not captured.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaves {
    leaves: BTreeMap<(u32, u32), CpuIdResult>,
    /// A line of this CPU could not be read, so that lines without a subleaf can no longer be counted.
    torn: bool,
}

impl CpuIdReader for Leaves {
    fn cpuid2(&self, eax: u32, ecx: u32) -> CpuIdResult {
        self.leaves.get(&(eax, ecx)).copied().unwrap_or(CpuIdResult { eax: 0, ebx: 0, ecx: 0, edx: 0 })
    }
}

impl Leaves {
    /// Adds a leaf; one that is there already stays. Without a subleaf it is the next of its leaf.
    pub(super) fn add(&mut self, leaf: u32, subleaf: Option<u32>, registers: [u32; 4]) {
        let subleaf = match subleaf {
            Some(subleaf) => subleaf,
            None => match self.leaves.range((leaf, 0)..=(leaf, u32::MAX)).next_back() {
                None if !self.torn => 0,
                Some(((_, last), _)) if !self.torn => last.saturating_add(1),
                // Leaf 0 and others without subleaves need no count; 4, 7, 0xb and 0xd would be mistaken.
                None if !matches!(leaf, 4 | 7 | 0xb | 0xd) => 0,
                _ => return,
            },
        };
        if self.leaves.len() < DUMP_LEAVES {
            let [eax, ebx, ecx, edx] = registers;
            self.leaves.entry((leaf, subleaf)).or_insert(CpuIdResult { eax, ebx, ecx, edx });
        } else {
            self.tear();
        }
    }

    /// Says that a line of this CPU could not be read.
    pub(super) const fn tear(&mut self) {
        self.torn = true;
    }

    pub(super) fn holds(&self, leaf: u32, subleaf: u32) -> bool {
        self.leaves.contains_key(&(leaf, subleaf))
    }

    pub(super) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// The CPU that answered so.
    pub(super) fn cpu(&self) -> Cpu {
        let bare = self.ends_with_basic();
        leaves::read_captured(self, |leaf, subleaf| self.holds(leaf, subleaf) || bare && leaf == 0x8000_0000)
    }

    /// Whether a dump without extended leaves is whole: such CPUs end with basic leaf 3 at most, and AMD made none.
    fn ends_with_basic(&self) -> bool {
        let Some(last) = self.leaves.get(&(0, 0)).filter(|leaf| leaf.ebx.to_le_bytes() != *b"Auth") else {
            return false;
        };
        let extended = self.leaves.range((0x8000_0000, 0)..).next().is_some();
        !extended && (1..=3).contains(&last.eax) && (1..=last.eax).all(|leaf| self.holds(leaf, 0))
    }

    pub(super) fn hypervisor(&self) -> HypervisorLeaves {
        leaves::hypervisor(self)
    }
}

/// The CPUs of a dump, in its order.
#[derive(Debug, Default)]
pub(super) struct Cpus {
    /// Each with the number that the dump gives it, where it gives one.
    pub(super) each: Vec<(Option<u32>, Cpu)>,
    /// What the first of them says of hypervisors.
    pub(super) hypervisor: HypervisorLeaves,
}

impl Cpus {
    /// Sets MSR_ARCH_CAPABILITIES of the CPU with a number, or of all.
    pub(super) fn set_arch_capabilities(&mut self, number: Option<u32>, value: u64) {
        let wanted = |own: &Option<u32>| number.is_none() || *own == number;
        self.each.iter_mut().filter(|(own, _)| wanted(own)).for_each(|(_, cpu)| cpu.set_arch_capabilities(value));
    }
}

/// Takes leaves in the order of a dump and makes CPUs of them.
#[derive(Debug)]
pub(super) struct Collector<'n> {
    name: &'n str,
    cpus: Cpus,
    number: Option<u32>,
    now: Leaves,
}

impl<'n> Collector<'n> {
    pub(super) fn new(name: &'n str) -> Self {
        Self { name, cpus: Cpus::default(), number: None, now: Leaves::default() }
    }

    /// A heading: the leaves that follow are another CPU's.
    pub(super) fn begin(&mut self, number: Option<u32>) -> Result<(), CollectError> {
        self.end()?;
        self.number = number;
        Ok(())
    }

    /// A leaf. Dumps without headings begin each CPU with leaf 0.
    pub(super) fn add(&mut self, leaf: u32, subleaf: Option<u32>, registers: [u32; 4]) -> Result<(), CollectError> {
        if leaf == 0 && subleaf.unwrap_or(0) == 0 && self.now.holds(0, 0) {
            self.begin(None)?;
        }
        self.now.add(leaf, subleaf, registers);
        Ok(())
    }

    /// A line that should have been a leaf.
    pub(super) const fn tear(&mut self) {
        self.now.tear();
    }

    /// All CPUs.
    pub(super) fn finish(mut self) -> Result<Cpus, CollectError> {
        self.end()?;
        Ok(self.cpus)
    }

    fn end(&mut self) -> Result<(), CollectError> {
        let leaves = std::mem::take(&mut self.now);
        if leaves.len() == 0 {
            return Ok(());
        }
        if self.cpus.each.len() == DUMP_CPUS {
            return Err(CollectError::Crowded { name: self.name.to_owned(), limit: DUMP_CPUS, what: "CPUs" });
        }
        if self.cpus.each.is_empty() {
            self.cpus.hypervisor = leaves.hypervisor();
        }
        self.cpus.each.push((self.number.take(), leaves.cpu()));
        Ok(())
    }
}
