//! What levelling these CPUs together leaves, and what each costs.

use serde::Serialize;

use super::decode::NamedSet;
use super::text::{groups, plain, wrap};
use super::{Labelled, SetKind};
use crate::cpu::levelling::Shape;
use crate::cpu::names;
use crate::facts::Featureset;

/// The level of several CPUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Levelled {
    /// The level of each kind of set that all the CPUs show.
    pub levels: Vec<SetLevel>,
    /// What guests start with and some of the CPUs do not show, so that there is no level of it.
    pub gaps: Vec<Gap>,
    /// Whether the CPUs are of one vendor; null when some do not say.
    pub one_vendor: Option<bool>,
}

/// The level of one kind of set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetLevel {
    /// Which.
    pub set: SetKind,
    /// What all have.
    pub level: NamedSet,
    /// What all may have besides: features in words of predicted CPUs that were not captured.
    pub undecided: Vec<String>,
    /// What each of them gives up and costs.
    pub hosts: Vec<HostLevel>,
}

/// A kind of set that some CPUs show and some do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Which.
    pub set: SetKind,
    /// The CPUs that do not show it.
    pub without: Vec<String>,
}

/// A CPU under a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostLevel {
    /// What it is called.
    pub name: String,
    /// What it has and guests will not see.
    pub hidden: Vec<String>,
    /// The same by group, for a sentence.
    pub hidden_groups: Vec<String>,
    /// What the others would have in common without it.
    pub costs: Vec<String>,
    /// The same by group.
    pub costs_groups: Vec<String>,
    /// Whether it is left out of this level: it runs no HVM guests.
    pub left_out: bool,
}

/// Levels the CPUs as the server does: the intersection, and for HVM guests only over those that can run them.
pub fn level(hosts: &[Labelled<'_>]) -> Levelled {
    let vendors: Vec<_> = hosts.iter().map(|host| host.cpu.vendor.text()).collect();
    let one_vendor = vendors.iter().all(Option::is_some).then(|| vendors.windows(2).all(|pair| pair[0] == pair[1]));
    let kinds = [SetKind::FeaturesHvmHost, SetKind::FeaturesPvHost, SetKind::FeaturesHvm, SetKind::FeaturesPv];
    let (mut levels, mut gaps) = (Vec::new(), Vec::new());
    for kind in kinds {
        match Kind::read(hosts, kind) {
            Ok(kind) => levels.extend(kind.level()),
            Err(gap) => gaps.push(gap),
        }
    }
    // What guests may have at most matters where what they start with is not said.
    gaps.retain(|gap| {
        gap.set.starts().is_none_or(|starts| levels.iter().all(|level: &SetLevel| level.set != starts))
    });
    if levels.is_empty() {
        let others = [SetKind::PhysicalFeatures, SetKind::Features, SetKind::Raw];
        levels.extend(others.into_iter().find_map(|kind| Kind::read(hosts, kind).ok()?.level()));
    }
    Levelled { levels, gaps, one_vendor }
}

/// One kind of set of all the CPUs.
struct Kind<'h> {
    kind: SetKind,
    /// How the server of all the CPUs levels.
    shape: Shape,
    hosts: &'h [Labelled<'h>],
    /// Of each CPU; none where its host is left out or no CPU shows the kind.
    sets: Vec<Option<Featureset>>,
}

impl<'h> Kind<'h> {
    /// A kind that all show, of those that count, or that none shows.
    fn read(hosts: &'h [Labelled<'h>], kind: SetKind) -> Result<Self, Gap> {
        let shown = hosts.iter().any(|host| kind.of(host.cpu).get().is_some());
        let counts = |host: &Labelled<'_>| !(kind.is_hvm() && host.runs_hvm == Some(false));
        let sets: Vec<_> =
            hosts.iter().map(|host| kind.of(host.cpu).get().filter(|_| counts(host)).cloned()).collect();
        let without: Vec<_> = sets
            .iter()
            .zip(hosts)
            .filter(|(set, host)| set.is_none() && counts(host))
            .map(|(_, host)| host)
            .collect();
        if !without.is_empty() && shown {
            return Err(Gap { set: kind, without: without.into_iter().map(|host| host.name.clone()).collect() });
        }
        // Without the FPU a set holds only what Xen grants anyone: that host runs no HVM guests, where nobody says.
        let left = |(set, host): (Option<Featureset>, &Labelled<'_>)| {
            set.filter(|set| !kind.is_hvm() || host.runs_hvm.is_some() || set.has(0))
        };
        let shape = Shape::of_cpus(hosts.iter().map(|host| host.cpu));
        Ok(Self { kind, shape, hosts, sets: sets.into_iter().zip(hosts).map(left).collect() })
    }

    /// None where no CPU shows it.
    fn level(&self) -> Option<SetLevel> {
        if self.hosts.iter().all(|host| self.kind.of(host.cpu).get().is_none()) {
            return None;
        }
        // What the hosts before and after each have in common, so that leaving one out costs no second walk.
        let mut before = vec![Featureset::default()];
        let mut after = vec![Featureset::default()];
        let one = |index: usize| self.sets[index].clone().unwrap_or_default();
        for index in 0..self.sets.len() {
            before.push(before[index].intersect(&one(index)));
            after.push(after[index].intersect(&one(self.sets.len() - 1 - index)));
        }
        let level = &before[self.sets.len()];
        let without = |index: usize| before[index].intersect(&after[self.sets.len() - 1 - index]);
        let undecided = self.undecided(level);
        let hosts = (0..self.hosts.len()).map(|index| {
            let more = |set: Featureset| {
                let counted = if self.sets[index].is_some() { set } else { Featureset::default() };
                self.people(index, &counted).diff(&self.people(index, level)).diff(&undecided)
            };
            let (hidden, costs) = (more(one(index)), more(without(index)));
            HostLevel {
                name: self.hosts[index].name.clone(),
                hidden: names::names(&hidden),
                hidden_groups: groups(&hidden),
                costs: names::names(&costs),
                costs_groups: groups(&costs),
                left_out: self.sets[index].is_none(),
            }
        });
        let hosts = hosts.collect();
        Some(SetLevel { set: self.kind, level: NamedSet::new(level), undecided: names::names(&undecided), hosts })
    }

    /// What every host has of which its words tell, where some do not tell.
    fn undecided(&self, level: &Featureset) -> Featureset {
        let counted = || self.sets.iter().zip(self.hosts).filter_map(|(set, host)| Some((set.as_ref()?, host)));
        let may = |(set, host): (&Featureset, &Labelled<'_>), feature| {
            set.has(feature) || host.cannot_tell(self.kind, feature)
        };
        let any = counted().fold(Featureset::default(), |any, (set, _)| any.union(set));
        any.diff(level).without(|feature| !counted().all(|own| may(own, feature)))
    }

    /// Of a set what its host can lose, as people count.
    fn people(&self, index: usize, set: &Featureset) -> Featureset {
        names::comparable(set, self.hosts[index].cpu.vendor.text()).without(|feature| self.shape.adds_up(feature))
    }
}

impl Levelled {
    /// For a terminal of this many columns.
    pub fn to_table(&self, width: usize) -> String {
        let mut out = String::new();
        if self.one_vendor == Some(false) {
            out.push_str("The CPUs are of different vendors: no pool takes them together.\n\n");
        }
        if self.levels.is_empty() && self.gaps.is_empty() {
            out.push_str("The CPUs show no set in common that could be levelled.\n");
        }
        for gap in &self.gaps {
            out.push_str(&format!("{}: {}\n", gap.set.key(), gap.set.title()));
            let names: Vec<_> = gap.without.iter().map(|name| plain(name)).collect();
            out.push_str(&wrap("  no level is known, since these do not show it: ", &names, ",", 4, width));
            out.push('\n');
        }
        for level in &self.levels {
            out.push_str(&level.to_table(width));
            out.push('\n');
        }
        out
    }
}

impl SetLevel {
    fn to_table(&self, width: usize) -> String {
        let mut out = format!("{}: {}\n", self.set.key(), self.set.title());
        let words: Vec<_> = self.level.value.split('-').collect();
        let lines: Vec<_> = words.chunks((width.saturating_sub(3) / 9).max(1)).map(|line| line.join("-")).collect();
        out.push_str(&format!("  {}\n", lines.join("-\n  ")));
        out.push_str(&format!("  {} features\n", self.level.features.len()));
        if !self.undecided.is_empty() {
            let heading = "  perhaps more, in words of predicted CPUs that were not captured: ";
            out.push_str(&wrap(heading, &self.undecided, ",", 4, width));
        }
        for host in &self.hosts {
            out.push_str(&format!("  {}\n", plain(&host.name)));
            if host.left_out {
                out.push_str("    runs no HVM guests and is left out\n");
            }
            for (what, groups) in [("hides ", &host.hidden_groups), ("costs ", &host.costs_groups)] {
                if !groups.is_empty() {
                    out.push_str(&wrap(&format!("    {what}"), groups, ",", 10, width));
                }
            }
        }
        out
    }
}
