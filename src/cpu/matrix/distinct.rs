//! The different sets of a fleet with how many CPUs have each: so many texts are remembered that counting one again costs
//! nothing, and that it can be told who keeps the others from a feature.

use std::collections::HashMap;

use serde::Serialize;

use super::text::groups;
use crate::cpu::names;
use crate::facts::Featureset;

/// Sets that are remembered: a fleet has some hundreds.
const MOST: usize = 4_096;
/// Lines that are said of a level.
const LACKS: usize = 5;

/// Where a CPU stands: the file, and the line in it; 0 for a file of one host.
pub type Place<'a> = (&'a str, usize);

/// CPUs that lack what others have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// How many.
    pub cpus: u64,
    /// The first of them, as `file:line`.
    pub first: String,
    /// What they lack and others have.
    pub features: Vec<String>,
    /// The same by group, for a sentence.
    pub groups: Vec<String>,
}

/// The different sets so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Distinct {
    sets: HashMap<Box<str>, Entry>,
    /// Whether there were more than are remembered: then nothing is said of who lacks what.
    too_many: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) set: Featureset,
    /// Whether it counts for the level.
    pub(super) counts: bool,
    cpus: u64,
    file: Box<str>,
    line: usize,
}

impl Distinct {
    /// A set that was met before.
    pub(super) fn get(&self, text: &str) -> Option<&Entry> {
        self.sets.get(text)
    }

    /// One CPU more with a set that was met before.
    pub(super) fn again(&mut self, text: &str) {
        if let Some(entry) = self.sets.get_mut(text) {
            entry.cpus += 1;
        }
    }

    /// One CPU more. Places come in ascending order.
    pub(super) fn add(&mut self, text: &str, set: &Featureset, counts: bool, (file, line): Place<'_>) {
        let full = self.sets.len() == MOST;
        match self.sets.get_mut(text) {
            Some(entry) => entry.cpus += 1,
            None if full => self.too_many = true,
            None => {
                let entry = Entry { set: set.clone(), counts, cpus: 1, file: file.into(), line };
                self.sets.insert(text.into(), entry);
            }
        }
    }

    /// Adds those of another part.
    pub(super) fn join(&mut self, other: &Self) {
        self.too_many |= other.too_many;
        for (text, more) in &other.sets {
            match self.sets.get_mut(text) {
                Some(own) => {
                    own.cpus += more.cpus;
                    if (&more.file, more.line) < (&own.file, own.line) {
                        (own.file, own.line) = (more.file.clone(), more.line);
                    }
                }
                None => drop(self.sets.insert(text.clone(), more.clone())),
            }
        }
        self.too_many |= self.sets.len() > MOST;
    }

    /// Who lacks what others have, the fewest first: what leaving few CPUs out would bring most easily. `adds_up` is whether
    /// the server adds some features up over a pool, which nobody lacks then.
    pub(super) fn lacks(&self, vendor: Option<&str>, adds_up: bool) -> Vec<Lack> {
        if self.too_many {
            return Vec::new();
        }
        let people =
            |set: &Featureset| names::comparable(set, vendor).without(|feature| adds_up && names::adds_up(feature));
        let sets: Vec<_> =
            self.sets.values().filter(|entry| entry.counts).map(|entry| (people(&entry.set), entry)).collect();
        let any = sets.iter().fold(Featureset::default(), |any, (set, _)| any.union(set));
        let mut found: Vec<(u64, &str, usize, Vec<usize>)> = Vec::new();
        for feature in any.features() {
            let lacking = || sets.iter().filter(|(set, _)| !set.has(feature)).map(|(_, entry)| *entry);
            let Some(first) = lacking().map(|entry| (&*entry.file, entry.line)).min() else { continue };
            let cpus = lacking().map(|entry| entry.cpus).sum();
            match found.iter_mut().find(|it| (it.0, it.1, it.2) == (cpus, first.0, first.1)) {
                Some((.., features)) => features.push(feature),
                None => found.push((cpus, first.0, first.1, vec![feature])),
            }
        }
        found.sort();
        let lack = |(cpus, file, line, features): (u64, &str, usize, Vec<usize>)| {
            let lacking = any.clone().without(|feature| !features.contains(&feature));
            Lack {
                cpus,
                first: if line > 0 { format!("{file}:{line}") } else { file.to_owned() },
                features: names::names(&lacking),
                groups: groups(&lacking),
            }
        };
        found.into_iter().take(LACKS).map(lack).collect()
    }
}
