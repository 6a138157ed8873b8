//! The level of so many CPUs that none of them is kept: a fleet's, by vendor and of all together.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::SetKind;
use super::decode::NamedSet;
use super::text::plain;
use crate::facts::Featureset;
use crate::snapshot::HostCpu;

/// The kinds that a server levels, then those that stand in where no CPU shows any of them.
const KINDS: [SetKind; 7] = [
    SetKind::FeaturesHvmHost,
    SetKind::FeaturesPvHost,
    SetKind::FeaturesHvm,
    SetKind::FeaturesPv,
    SetKind::PhysicalFeatures,
    SetKind::Features,
    SetKind::Raw,
];
/// How many of them a server levels.
const LEVELLED: usize = 4;
/// Texts of sets that are remembered, for each kind: a fleet has some hundreds.
const SEEN: usize = 4_096;

/// What CPUs so far have in common. Two of them join to what both have in common, in any order.
#[derive(Clone, Debug, Default)]
pub struct RunningLevel {
    /// By vendor; none for CPUs that do not say.
    vendors: BTreeMap<Option<String>, Running>,
}

#[derive(Clone, Debug, Default)]
struct Running {
    hosts: u64,
    kinds: [Kind; 7],
}

#[derive(Clone, Debug, Default)]
struct Kind {
    level: Featureset,
    /// Whether some CPU does not show this set.
    missing: bool,
    /// CPUs that run no HVM guests and do not count.
    left_out: u64,
    /// Texts that were counted, and whether they were left out: counting one again changes nothing.
    seen: HashMap<Box<str>, bool>,
}

/// The level of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FleetLevel {
    /// How many CPUs.
    pub hosts: u64,
    /// Whether they are of one vendor; null when some do not say.
    pub one_vendor: Option<bool>,
    /// The level of each kind of set that all the CPUs show.
    pub levels: Vec<KindLevel>,
    /// The same for the CPUs of each vendor.
    pub vendors: Vec<VendorLevel>,
}

/// The level of the CPUs of one vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VendorLevel {
    /// The vendor; null for CPUs that do not say.
    pub vendor: Option<String>,
    /// How many CPUs.
    pub hosts: u64,
    /// The level of each kind of set that all of them show.
    pub levels: Vec<KindLevel>,
}

/// The level of one kind of set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindLevel {
    /// Which.
    pub set: SetKind,
    /// What all have.
    pub level: NamedSet,
    /// How many CPUs are left out: they run no HVM guests.
    pub left_out: u64,
}

impl RunningLevel {
    /// One CPU more.
    pub fn add(&mut self, cpu: &HostCpu) {
        let running = self.vendors.entry(cpu.vendor.get().cloned()).or_default();
        running.hosts += 1;
        for (kind, running) in KINDS.into_iter().zip(&mut running.kinds) {
            match kind.of(cpu).get() {
                Some(set) => drop(running.count(kind, set)),
                None => running.missing = true,
            }
        }
    }

    /// One CPU more, of which only the sets that a server levels are known, as text. False, and nothing counted, where one of
    /// them is no set.
    pub fn add_texts(&mut self, vendor: &str, sets: [&str; LEVELLED]) -> bool {
        if let Some(running) = self.vendors.get_mut(&Some(vendor.to_owned()))
            && running.add_seen(sets)
        {
            return true;
        }
        let parsed = sets.map(|set| set.parse::<Featureset>());
        if parsed.iter().any(Result::is_err) {
            return false;
        }
        let running = self.vendors.entry(Some(vendor.to_owned())).or_default();
        running.hosts += 1;
        for (index, set) in parsed.into_iter().enumerate() {
            if let Ok(set) = set {
                let kind = &mut running.kinds[index];
                let left_out = kind.count(KINDS[index], &set);
                if kind.seen.len() == SEEN {
                    kind.seen.clear();
                }
                kind.seen.insert(sets[index].into(), left_out);
            }
        }
        running.kinds[LEVELLED..].iter_mut().for_each(|kind| kind.missing = true);
        true
    }

    /// What both have in common.
    pub fn join(&mut self, other: Self) {
        for (vendor, more) in other.vendors {
            let running = self.vendors.entry(vendor).or_default();
            running.join(&more);
        }
    }

    /// How many CPUs.
    pub fn hosts(&self) -> u64 {
        self.vendors.values().map(|running| running.hosts).sum()
    }

    /// The level.
    pub fn finish(&self) -> FleetLevel {
        let mut all = Running::default();
        self.vendors.values().for_each(|running| all.join(running));
        let known = !self.vendors.contains_key(&None);
        let vendor = |(vendor, running): (&Option<String>, &Running)| VendorLevel {
            vendor: vendor.clone(),
            hosts: running.hosts,
            levels: running.levels(),
        };
        FleetLevel {
            hosts: all.hosts,
            one_vendor: known.then_some(self.vendors.len() <= 1),
            levels: all.levels(),
            vendors: self.vendors.iter().map(vendor).collect(),
        }
    }
}

impl Running {
    /// Counts a CPU all of whose sets were met before.
    fn add_seen(&mut self, sets: [&str; LEVELLED]) -> bool {
        let mut left_out = [false; LEVELLED];
        for ((kind, set), left_out) in self.kinds.iter().zip(sets).zip(&mut left_out) {
            match kind.seen.get(set) {
                Some(seen) => *left_out = *seen,
                None => return false,
            }
        }
        self.hosts += 1;
        for (kind, left_out) in self.kinds.iter_mut().zip(left_out) {
            kind.left_out += u64::from(left_out);
        }
        true
    }

    fn join(&mut self, other: &Self) {
        self.hosts += other.hosts;
        for (kind, more) in self.kinds.iter_mut().zip(&other.kinds) {
            kind.level = kind.level.intersect(&more.level);
            kind.missing |= more.missing;
            kind.left_out += more.left_out;
        }
    }

    fn levels(&self) -> Vec<KindLevel> {
        let level = |index: usize| {
            let Kind { level, missing, left_out, .. } = &self.kinds[index];
            (!missing && self.hosts > 0).then(|| KindLevel {
                set: KINDS[index],
                level: NamedSet::new(level),
                left_out: *left_out,
            })
        };
        let mut levels: Vec<_> = (0..LEVELLED).filter_map(level).collect();
        if levels.is_empty() {
            levels.extend((LEVELLED..KINDS.len()).find_map(level));
        }
        levels
    }
}

impl Kind {
    /// Counts a set, and says whether it is left out: without the FPU it holds only what Xen grants anyone, so that its host
    /// runs no HVM guests.
    fn count(&mut self, kind: SetKind, set: &Featureset) -> bool {
        let hvm = matches!(kind, SetKind::FeaturesHvmHost | SetKind::FeaturesHvm);
        let left_out = hvm && !set.has(0);
        if left_out {
            self.left_out += 1;
        } else {
            self.level = self.level.intersect(set);
        }
        left_out
    }
}

impl FleetLevel {
    /// For a terminal of this many columns.
    pub fn to_table(&self, width: usize) -> String {
        let mut out = format!("{} CPUs\n\n", self.hosts);
        if self.one_vendor == Some(false) {
            out.push_str("The CPUs are of different vendors: no pool takes them together.\n\n");
        }
        if self.levels.is_empty() {
            out.push_str("The CPUs show no set in common that could be levelled.\n\n");
        }
        levels(&mut out, &self.levels, width);
        if self.vendors.len() > 1 {
            for vendor in &self.vendors {
                let name = vendor.vendor.as_deref().map_or_else(|| "vendor unknown".to_owned(), plain);
                out.push_str(&format!("── {name}, {} CPUs\n\n", vendor.hosts));
                levels(&mut out, &vendor.levels, width);
            }
        }
        out
    }
}

fn left_out(cpus: u64) -> String {
    match cpus {
        1 => "  1 CPU runs no HVM guests and is left out\n".to_owned(),
        many => format!("  {many} CPUs run no HVM guests and are left out\n"),
    }
}

fn levels(out: &mut String, levels: &[KindLevel], width: usize) {
    for level in levels {
        out.push_str(&format!("{}: {}\n", level.set.key(), level.set.title()));
        let words: Vec<_> = level.level.value.split('-').collect();
        let lines: Vec<_> = words.chunks((width.saturating_sub(3) / 9).max(1)).map(|line| line.join("-")).collect();
        out.push_str(&format!("  {}\n", lines.join("-\n  ")));
        out.push_str(&format!("  {} features\n", level.level.features.len()));
        if level.left_out > 0 {
            out.push_str(&left_out(level.left_out));
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cpu_is_spoken_of_as_one() {
        assert_eq!(left_out(1), "  1 CPU runs no HVM guests and is left out\n");
        assert_eq!(left_out(2), "  2 CPUs run no HVM guests and are left out\n");
    }
}
