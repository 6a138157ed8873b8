//! The level of so many CPUs that none of them is kept: a fleet's, by vendor and of all together.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::decode::NamedSet;
use super::distinct::{Distinct, Lack, Place};
use super::text::{plain, wrap};
use super::{Labelled, SetKind};
use crate::facts::Featureset;

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
/// CPUs without a set that are named.
const NAMED: usize = 5;
/// The feature that no host lacks which runs HVM guests.
const FPU: usize = 0;

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
    /// CPUs that show this set.
    shown: u64,
    /// CPUs that do not show it and should.
    missing: u64,
    /// The first of them in the order of the lines.
    first: BTreeSet<(usize, String)>,
    /// CPUs that run no HVM guests and do not count.
    left_out: u64,
    /// Those of CPUs that are not known to run no HVM guests.
    distinct: Distinct,
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
    /// What guests start with and some of the CPUs do not show, so that there is no level of it.
    pub gaps: Vec<FleetGap>,
    /// The same for the CPUs of each vendor.
    pub vendors: Vec<VendorLevel>,
}

/// A kind of set that some CPUs show and some do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FleetGap {
    /// Which.
    pub set: SetKind,
    /// How many do not show it.
    pub without: u64,
    /// The first of them in the order of the lines, as `file:line: name`.
    pub first: Vec<String>,
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
    /// What guests start with and some of them do not show.
    pub gaps: Vec<FleetGap>,
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
    /// Who lacks what others of the vendor have, the fewest first.
    pub lacks: Vec<Lack>,
}

impl RunningLevel {
    /// One CPU more, of the host at this place.
    pub fn add(&mut self, host: &Labelled<'_>, place: Place<'_>) {
        let running = self.vendors.entry(host.cpu.vendor.get().cloned()).or_default();
        running.hosts += 1;
        for (kind, running) in KINDS.into_iter().zip(&mut running.kinds) {
            let set = kind.of(host.cpu);
            running.shown += u64::from(set.get().is_some());
            match set.get() {
                _ if kind.is_hvm() && host.runs_hvm == Some(false) => running.left_out += 1,
                Some(set) => running.count(kind, set, &set.to_string(), host.runs_hvm, place),
                None => running.lacks(place.1, &host.name),
            }
        }
    }

    /// One CPU more, of which only the sets that a server levels are known, as text. False, and nothing counted, where one of
    /// them is no set.
    pub fn add_texts(
        &mut self,
        vendor: &str,
        sets: [&str; LEVELLED],
        runs_hvm: Option<bool>,
        place: Place<'_>,
    ) -> bool {
        if let Some(running) = self.vendors.get_mut(&Some(vendor.to_owned()))
            && running.add_seen(sets, runs_hvm)
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
            let (kind, running) = (KINDS[index], &mut running.kinds[index]);
            running.shown += 1;
            match set {
                Ok(_) if kind.is_hvm() && runs_hvm == Some(false) => running.left_out += 1,
                Ok(set) => running.count(kind, &set, sets[index], runs_hvm, place),
                Err(_) => {}
            }
        }
        running.kinds[LEVELLED..].iter_mut().for_each(|kind| kind.missing += 1);
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
            levels: running.levels(vendor.as_deref()),
            gaps: running.gaps(),
        };
        FleetLevel {
            hosts: all.hosts,
            one_vendor: known.then_some(self.vendors.len() <= 1),
            levels: all
                .levels(self.vendors.keys().next().filter(|_| self.vendors.len() == 1).and_then(Option::as_deref)),
            gaps: all.gaps(),
            vendors: self.vendors.iter().map(vendor).collect(),
        }
    }
}

impl Running {
    /// Counts a CPU all of whose sets were met before.
    fn add_seen(&mut self, sets: [&str; LEVELLED], runs_hvm: Option<bool>) -> bool {
        let mut left_out = [false; LEVELLED];
        for (index, left_out) in left_out.iter_mut().enumerate() {
            let hvm = KINDS[index].is_hvm();
            match self.kinds[index].distinct.get(sets[index]) {
                _ if hvm && runs_hvm == Some(false) => *left_out = true,
                // Whether it counts hangs on what is said of the host, and was perhaps answered otherwise before.
                Some(entry) if hvm && !entry.set.has(FPU) => return false,
                Some(_) => {}
                None => return false,
            }
        }
        self.hosts += 1;
        for ((kind, left_out), set) in self.kinds.iter_mut().zip(left_out).zip(sets) {
            kind.shown += 1;
            if left_out { kind.left_out += 1 } else { kind.distinct.again(set) }
        }
        self.kinds[LEVELLED..].iter_mut().for_each(|kind| kind.missing += 1);
        true
    }

    fn join(&mut self, other: &Self) {
        self.hosts += other.hosts;
        for (kind, more) in self.kinds.iter_mut().zip(&other.kinds) {
            kind.level = kind.level.intersect(&more.level);
            kind.shown += more.shown;
            kind.missing += more.missing;
            kind.left_out += more.left_out;
            kind.distinct.join(&more.distinct);
            more.first.iter().for_each(|(line, name)| kind.name(*line, name));
        }
    }

    /// `of` is the vendor that all are of; none where they differ or do not say.
    fn levels(&self, of: Option<&str>) -> Vec<KindLevel> {
        let adds_up = self.kinds[0].shown + self.kinds[1].shown > 0 && self.kinds[5].shown == 0;
        let level = |index: usize| {
            let Kind { level, shown, missing, left_out, distinct, .. } = &self.kinds[index];
            (*missing == 0 && *shown > 0).then(|| KindLevel {
                set: KINDS[index],
                level: NamedSet::new(level),
                left_out: *left_out,
                lacks: of.map(|vendor| distinct.lacks(Some(vendor), adds_up)).unwrap_or_default(),
            })
        };
        let mut levels: Vec<_> = (0..LEVELLED).filter_map(level).collect();
        if levels.is_empty() {
            levels.extend((LEVELLED..KINDS.len()).find_map(level));
        }
        levels
    }

    fn gaps(&self) -> Vec<FleetGap> {
        let levels = self.levels(None);
        let levelled = |kind: SetKind| levels.iter().any(|level| level.set == kind);
        let gap = |(kind, Kind { shown, missing, first, .. }): (SetKind, &Kind)| {
            let some = *missing > 0 && *shown > 0;
            // What guests may have at most matters where what they start with is not said.
            let matters = some && !kind.starts().is_some_and(levelled);
            let first = || first.iter().map(|(_, name)| name.clone()).collect();
            matters.then(|| FleetGap { set: kind, without: *missing, first: first() })
        };
        KINDS.into_iter().zip(&self.kinds).take(LEVELLED).filter_map(gap).collect()
    }
}

impl Kind {
    /// Counts a set of a host that is not known to run no HVM guests.
    fn count(&mut self, kind: SetKind, set: &Featureset, text: &str, runs_hvm: Option<bool>, place: Place<'_>) {
        // Without the FPU a set holds only what Xen grants anyone: that host runs no HVM guests, where nobody says.
        let counts = !kind.is_hvm() || runs_hvm.is_some() || set.has(FPU);
        if counts {
            self.level.narrow(set);
        } else {
            self.left_out += 1;
        }
        self.distinct.add(text, set, counts, place);
    }

    fn lacks(&mut self, line: usize, name: &str) {
        self.missing += 1;
        self.name(line, name);
    }

    fn name(&mut self, line: usize, name: &str) {
        if self.first.len() == NAMED
            && self.first.last().is_some_and(|(last, other)| (*last, &**other) < (line, name))
        {
            return;
        }
        self.first.insert((line, name.to_owned()));
        if self.first.len() > NAMED {
            self.first.pop_last();
        }
    }
}

impl FleetLevel {
    /// For a terminal of this many columns.
    pub fn to_table(&self, width: usize) -> String {
        let mut out = format!("{} CPUs\n\n", self.hosts);
        if self.one_vendor == Some(false) {
            out.push_str("The CPUs are of different vendors: no pool takes them together.\n\n");
        }
        if self.levels.is_empty() && self.gaps.is_empty() {
            out.push_str("The CPUs show no set in common that could be levelled.\n\n");
        }
        gaps(&mut out, &self.gaps, width);
        levels(&mut out, &self.levels, width);
        if self.vendors.len() > 1 {
            for vendor in &self.vendors {
                let name = vendor.vendor.as_deref().map_or_else(|| "vendor unknown".to_owned(), plain);
                out.push_str(&format!("── {name}, {} CPUs\n\n", vendor.hosts));
                gaps(&mut out, &vendor.gaps, width);
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

fn gaps(out: &mut String, gaps: &[FleetGap], width: usize) {
    for gap in gaps {
        out.push_str(&format!("{}: {}\n", gap.set.key(), gap.set.title()));
        let mut names: Vec<_> = gap.first.iter().map(|name| plain(name)).collect();
        let more = usize::try_from(gap.without).unwrap_or(usize::MAX) - gap.first.len();
        if more > 0 {
            names.push(format!("and {more} more"));
        }
        out.push_str(&wrap("  no level is known, since these do not show it: ", &names, ",", 4, width));
        out.push('\n');
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
        for lack in &level.lacks {
            let first = if lack.cpus == 1 { "" } else { "first " };
            let who = match lack.cpus {
                1 => "1 CPU lacks".to_owned(),
                cpus => format!("{cpus} CPUs lack"),
            };
            let heading = format!("  {who} what others have ({first}{}): ", plain(&lack.first));
            out.push_str(&wrap(&heading, &lack.groups, ",", 4, width));
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
