//! The levels that a pool can have: only intersections of distinct featuresets can be a best one.

use std::collections::HashMap;

use super::bits::Bits;

/// Hosts with one featureset.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Kind {
    /// The features that count, numbered by the problem.
    pub(in crate::plan) set: Bits,
    /// Their weight.
    pub(in crate::plan) weight: i64,
    /// How many hosts.
    pub(in crate::plan) count: usize,
}

/// A level and which kinds of hosts have all of it.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Level {
    /// Its features.
    pub(in crate::plan) set: Bits,
    /// Their weight: what each host of a pool at this level keeps.
    pub(in crate::plan) weight: i64,
    /// The kinds that can be in such a pool.
    pub(in crate::plan) kinds: Bits,
    /// The levels that have all of its features, itself among them.
    pub(in crate::plan) above: Bits,
}

/// All kinds and all levels that they can have together.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Lattice {
    /// How many hosts a pool may have.
    pub(in crate::plan) limit: usize,
    /// The weights of the features, by which the levels are ordered.
    pub(in crate::plan) weights: Vec<i64>,
    /// The kinds, in the order in which they were given.
    pub(in crate::plan) kinds: Vec<Kind>,
    /// The levels, heaviest first.
    pub(in crate::plan) levels: Vec<Level>,
    /// For each kind the levels below it: those that a pool with such a host can have.
    pub(in crate::plan) below: Vec<Bits>,
}

impl Lattice {
    /// Builds the lattice; none when it has more than `most` levels.
    pub(in crate::plan) fn new(kinds: Vec<Kind>, weights: &[i64], limit: usize, most: usize) -> Option<Self> {
        let mut known: HashMap<Bits, ()> = HashMap::new();
        let mut sets: Vec<Bits> = Vec::new();
        for kind in &kinds {
            if known.insert(kind.set.clone(), ()).is_none() {
                sets.push(kind.set.clone());
            }
        }
        let mut next = 0;
        while next < sets.len() {
            for kind in &kinds {
                let both = sets[next].and(&kind.set);
                if !known.contains_key(&both) {
                    known.insert(both.clone(), ());
                    sets.push(both);
                }
            }
            if sets.len() > most {
                return None;
            }
            next += 1;
        }
        let weigh = |set: &Bits| set.iter().map(|feature| weights[feature]).sum::<i64>();
        let mut sets: Vec<_> = sets.into_iter().map(|set| (weigh(&set), set)).collect();
        sets.sort_by(|a, b| b.cmp(a));
        let count = sets.len();
        let levels: Vec<Level> = sets
            .iter()
            .map(|(weight, set)| Level {
                set: set.clone(),
                weight: *weight,
                kinds: Bits::of(kinds.len(), (0..kinds.len()).filter(|kind| set.is_subset(&kinds[*kind].set))),
                above: Bits::of(count, (0..count).filter(|other| set.is_subset(&sets[*other].1))),
            })
            .collect();
        let below = (0..kinds.len())
            .map(|kind| Bits::of(count, (0..count).filter(|level| levels[*level].kinds.has(kind))))
            .collect();
        Some(Self { limit, weights: weights.to_vec(), kinds, levels, below })
    }

    /// How many hosts there are.
    pub(in crate::plan) fn hosts(&self) -> usize {
        self.kinds.iter().map(|kind| kind.count).sum()
    }
}
