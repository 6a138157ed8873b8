//! What levelling these CPUs together leaves, and what each costs.

use serde::Serialize;

use super::decode::NamedSet;
use super::text::{plain, wrap};
use super::{Labelled, SetKind};
use crate::cpu::names;
use crate::facts::Featureset;

/// The level of several CPUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Levelled {
    /// The level of each kind of set that all the CPUs show.
    pub levels: Vec<SetLevel>,
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
    /// What each of them gives up and costs.
    pub hosts: Vec<HostLevel>,
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
    let vendors: Vec<_> = hosts.iter().map(|(_, cpu)| cpu.vendor.text()).collect();
    let one_vendor = vendors.iter().all(Option::is_some).then(|| vendors.windows(2).all(|pair| pair[0] == pair[1]));
    let kinds = [SetKind::FeaturesHvmHost, SetKind::FeaturesPvHost, SetKind::FeaturesHvm, SetKind::FeaturesPv];
    let mut levels: Vec<_> = kinds.into_iter().filter_map(|kind| set_level(hosts, kind)).collect();
    if levels.is_empty() {
        let others = [SetKind::PhysicalFeatures, SetKind::Features, SetKind::Raw];
        levels.extend(others.into_iter().find_map(|kind| set_level(hosts, kind)));
    }
    Levelled { levels, one_vendor }
}

fn set_level(hosts: &[Labelled<'_>], set: SetKind) -> Option<SetLevel> {
    let sets: Vec<Featureset> = hosts
        .iter()
        .map(|(_, cpu)| set.of(cpu).get().cloned())
        .collect::<Option<_>>()
        .filter(|sets: &Vec<_>| !sets.is_empty())?;
    let hvm = matches!(set, SetKind::FeaturesHvmHost | SetKind::FeaturesHvm);
    // Without the FPU a set holds only what Xen grants anyone: that host runs no HVM guests.
    let counts = |index: usize| !hvm || sets[index].has(0);
    let one = |index: usize| if counts(index) { sets[index].clone() } else { Featureset::default() };
    // What the hosts before and after each have in common, so that leaving one out costs no second walk.
    let mut before = vec![Featureset::default()];
    let mut after = vec![Featureset::default()];
    for index in 0..sets.len() {
        before.push(before[index].intersect(&one(index)));
        after.push(after[index].intersect(&one(sets.len() - 1 - index)));
    }
    let level = before[sets.len()].clone();
    let without = |index: usize| before[index].intersect(&after[sets.len() - 1 - index]);
    let people = |index: usize, set: &Featureset| names::comparable(set, hosts[index].1.vendor.text());
    let hosts = (0..hosts.len())
        .map(|index| {
            let more = |set: Featureset| {
                let counted = if counts(index) { set } else { Featureset::default() };
                people(index, &counted).diff(&people(index, &level))
            };
            let (hidden, costs) = (more(sets[index].clone()), more(without(index)));
            HostLevel {
                name: hosts[index].0.clone(),
                hidden: names::names(&hidden),
                hidden_groups: groups(&hidden),
                costs: names::names(&costs),
                costs_groups: groups(&costs),
                left_out: !counts(index),
            }
        })
        .collect();
    Some(SetLevel { set, level: NamedSet::new(&level), hosts })
}

impl Levelled {
    /// For a terminal of this many columns.
    pub fn to_table(&self, width: usize) -> String {
        let mut out = String::new();
        if self.one_vendor == Some(false) {
            out.push_str("The CPUs are of different vendors: no pool takes them together.\n\n");
        }
        if self.levels.is_empty() {
            out.push_str("The CPUs show no set in common that could be levelled.\n");
        }
        for level in &self.levels {
            out.push_str(&format!("{}: {}\n", level.set.key(), level.set.title()));
            let words: Vec<_> = level.level.value.split('-').collect();
            let lines: Vec<_> =
                words.chunks((width.saturating_sub(3) / 9).max(1)).map(|line| line.join("-")).collect();
            out.push_str(&format!("  {}\n", lines.join("-\n  ")));
            out.push_str(&format!("  {} features\n", level.level.features.len()));
            for host in &level.hosts {
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
            out.push('\n');
        }
        out
    }
}

fn groups(set: &Featureset) -> Vec<String> {
    let features: Vec<_> = set.features().map(|feature| (names::group(feature), names::name(feature))).collect();
    names::grouped(features.iter().map(|(group, name)| (*group, name.as_str())))
}
