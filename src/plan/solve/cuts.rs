//! Rows that every plan keeps and fractions break: hosts of these kinds need at least so many pools.

use std::collections::HashSet;
use std::sync::Arc;

use super::bits::Bits;
use super::lattice::Lattice;
use super::row::Row;

/// Kinds whose hosts need pools at some levels.
#[derive(Clone, Debug)]
struct Need {
    kinds: Bits,
    /// The levels that a pool with any of these hosts can have.
    levels: Bits,
    /// Pools at least.
    pools: usize,
}

/// The needs that are looked at.
pub(super) struct Needs {
    all: Vec<Need>,
}

/// Pairs of needs that are looked at at most.
const PAIRS: usize = 400;

impl Needs {
    /// For each level, the hosts that cannot have all of it, and the hosts that have no more than it.
    pub(super) fn new(lattice: &Lattice) -> Self {
        let mut known = HashSet::new();
        let kinds = lattice.kinds.len();
        let lack =
            lattice.levels.iter().map(|level| Bits::of(kinds, (0..kinds).filter(|kind| !level.kinds.has(*kind))));
        let within = lattice
            .levels
            .iter()
            .map(|level| Bits::of(kinds, (0..kinds).filter(|kind| lattice.kinds[*kind].set.is_subset(&level.set))));
        let mut all = Vec::new();
        for kinds in lack.chain(within) {
            if let Some(need) = need(lattice, &kinds).filter(|need| known.insert(need.levels.clone())) {
                all.push(need);
            }
        }
        Self { all }
    }

    /// The needs that these numbers of pools break most, at most `most`; with unions of two when `pairs`.
    pub(super) fn broken(&self, lattice: &Lattice, pools: &[f64], most: usize, pairs: bool) -> Vec<Row> {
        let used: Vec<usize> = (0..pools.len()).filter(|level| pools[*level] > 1e-7).collect();
        let sum =
            |levels: &Bits| used.iter().filter(|level| levels.has(**level)).map(|level| pools[*level]).sum::<f64>();
        let mut sums: Vec<(f64, usize)> =
            self.all.iter().enumerate().map(|(index, need)| (sum(&need.levels), index)).collect();
        let mut found: Vec<(f64, Bits, usize)> = Vec::new();
        for (sum, index) in &sums {
            let need = &self.all[*index];
            push(&mut found, *sum, need);
        }
        if pairs && found.len() < most {
            // Those closest to being broken first.
            let slack = |(sum, index): &(f64, usize)| sum - real(self.all[*index].pools);
            sums.sort_by(|a, b| slack(a).total_cmp(&slack(b)).then(a.1.cmp(&b.1)));
            sums.truncate(PAIRS);
            let mut known: HashSet<Bits> = found.iter().map(|(_, levels, _)| levels.clone()).collect();
            for (place, (_, first)) in sums.iter().enumerate() {
                for (_, second) in &sums[..place] {
                    let (first, second) = (&self.all[*first], &self.all[*second]);
                    let mut levels = first.levels.clone();
                    levels.add(&second.levels);
                    let used = sum(&levels);
                    // More pools than there are now are needed only where the union has hosts enough.
                    if used.ceil() - used < 0.05 && used > used.floor() + 0.05 {
                        continue;
                    }
                    let mut kinds = first.kinds.clone();
                    kinds.add(&second.kinds);
                    let hosts: usize = kinds.iter().map(|kind| lattice.kinds[kind].count).sum();
                    let pools = hosts.div_ceil(lattice.limit);
                    if real(pools) - used > BROKEN
                        && let Some(need) = need(lattice, &kinds)
                        && known.insert(need.levels.clone())
                    {
                        push(&mut found, sum(&need.levels), &need);
                    }
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        found.truncate(most);
        found.into_iter().map(|(_, levels, pools)| Row::of_pools(Arc::new(levels), true, whole(pools))).collect()
    }

    /// For each need the levels that it is about.
    pub(super) fn levels(&self) -> impl Iterator<Item = &Bits> {
        self.all.iter().map(|need| &need.levels)
    }
}

/// By how much a need must be broken to be worth a row.
const BROKEN: f64 = 0.02;

fn push(found: &mut Vec<(f64, Bits, usize)>, sum: f64, need: &Need) {
    let broken = real(need.pools) - sum;
    if broken > BROKEN {
        found.push((broken, need.levels.clone(), need.pools));
    }
}

/// The need of these kinds, and of all that can only be where they can be.
fn need(lattice: &Lattice, kinds: &Bits) -> Option<Need> {
    let mut levels = Bits::none(lattice.levels.len());
    for kind in kinds.iter() {
        levels.add(&lattice.below[kind]);
    }
    let count = lattice.kinds.len();
    let kinds = Bits::of(count, (0..count).filter(|kind| lattice.below[*kind].is_subset(&levels)));
    let hosts: usize = kinds.iter().map(|kind| lattice.kinds[kind].count).sum();
    (hosts > 0).then(|| Need { kinds, levels, pools: hosts.div_ceil(lattice.limit) })
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of pools are far below 2^52")]
const fn real(number: usize) -> f64 {
    number as f64
}
