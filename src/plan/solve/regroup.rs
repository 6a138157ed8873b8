//! A good plan made better a few pools at a time: the hosts of some pools that are like each other are planned anew by
//! themselves, which is small enough to be solved.

use std::collections::HashSet;

use super::bits::Bits;
use super::lattice::{Kind, Lattice};
use super::meter::Meter;
use super::transport::{Placement, PoolsAt, place};
use super::tree::Tree;

/// Pools that are planned anew together, at first and at last.
const FEWEST: usize = 3;
const MOST: usize = 7;
/// How far others than the nearest may be, in pools.
const WIDE: u64 = 4;
/// Tries a pool without anything better, before the search ends.
const DULL: usize = 40;
/// Steps for some pools at most.
const STEPS: u64 = 20_000_000;

/// A single pool of a placement: its level, and its hosts by kind.
type Pool = (usize, Vec<(usize, usize)>);

/// Whether there are pools enough to look at a few of them by themselves.
pub(super) const fn is_worth(pools: usize) -> bool {
    pools > MOST
}

/// Plans pools anew until `meter` is spent, or nothing was better for long: at first those nearest to each other, ever more
/// of them at once, then others too.
pub(super) fn regroup(lattice: &Lattice, mut best: Placement, meter: &mut Meter) -> Placement {
    let mut tried = HashSet::new();
    let mut dice = Dice(1);
    let mut dull = 0;
    let mut turn = 0;
    let pools: usize = best.groups.iter().map(|(_, count, _)| count).sum();
    let most = MOST.min(pools / 3).max(FEWEST);
    while !meter.is_spent() && dull < DULL * pools {
        let pools = single(lattice, &best);
        // Each pool once with few others, once with more, and so on.
        let start = turn % pools.len();
        let size = FEWEST + (turn / pools.len()) % (most + 1 - FEWEST);
        let wide = turn / pools.len() > most - FEWEST;
        turn += 1;
        meter.spend((pools.len() * lattice.weights.len() * 2) as u64);
        dull += 1;
        let (some, others) = nearest(lattice, pools, start, size, wide.then_some(&mut dice));
        let mut key = some.clone();
        key.sort_unstable();
        if !tried.insert(key) {
            continue;
        }
        let Some(better) = anew(lattice, &some, meter) else { continue };
        let mut levels: Vec<(usize, usize)> = Vec::new();
        for level in others.iter().map(|(level, _)| *level).chain(better) {
            match levels.iter_mut().find(|(known, _)| *known == level) {
                Some((_, count)) => *count += 1,
                None => levels.push((level, 1)),
            }
        }
        if let Some(found) = place(lattice, &levels).filter(|found| found.loss < best.loss) {
            best = found;
            dull = 0;
        }
    }
    best
}

/// Numbers that look like chance and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The pools of a placement one by one, the hosts of a level in their order.
fn single(lattice: &Lattice, placement: &Placement) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::new();
    for (level, count, hosts) in &placement.groups {
        let mut own: Vec<Pool> = vec![(*level, Vec::new()); *count];
        let mut at = 0;
        let mut room = lattice.limit;
        for (kind, left) in hosts {
            let mut left = *left;
            while left > 0 && at < own.len() {
                let taken = left.min(room);
                own[at].1.push((*kind, taken));
                left -= taken;
                room -= taken;
                if room == 0 {
                    at += 1;
                    room = lattice.limit;
                }
            }
        }
        pools.extend(own);
    }
    pools
}

/// The pool at `start` with those whose levels differ least from its own, and the others.
fn nearest(
    lattice: &Lattice,
    mut pools: Vec<Pool>,
    start: usize,
    size: usize,
    dice: Option<&mut Dice>,
) -> (Vec<Pool>, Vec<Pool>) {
    let first = pools.swap_remove(start);
    let level = &lattice.levels[first.0];
    let far = |pool: &Pool| {
        let other = &lattice.levels[pool.0];
        let shared: i64 = level.set.and(&other.set).iter().map(|feature| lattice.weights[feature]).sum();
        level.weight + other.weight - 2 * shared
    };
    pools.sort_by_key(|pool| (far(pool), pool.0));
    if let Some(dice) = dice {
        // The nearer the likelier.
        let mut keyed: Vec<(u64, Pool)> = pools
            .into_iter()
            .enumerate()
            .map(|(place, pool)| (place as u64 + dice.below(WIDE * size as u64), pool))
            .collect();
        keyed.sort_by_key(|(key, _)| *key);
        pools = keyed.into_iter().map(|(_, pool)| pool).collect();
    }
    let others = pools.split_off(size.min(pools.len() + 1) - 1);
    pools.insert(0, first);
    (pools, others)
}

/// The levels of better pools for the hosts of these.
fn anew(lattice: &Lattice, pools: &[Pool], meter: &mut Meter) -> Option<Vec<usize>> {
    let mut counts = vec![0; lattice.kinds.len()];
    pools.iter().flat_map(|(_, hosts)| hosts).for_each(|(kind, count)| counts[*kind] += count);
    let own: Vec<usize> = (0..counts.len()).filter(|kind| counts[*kind] > 0).collect();
    let kinds = own.iter().map(|kind| Kind { count: counts[*kind], ..lattice.kinds[*kind].clone() });
    let small = Lattice::new(kinds.collect(), &lattice.weights, lattice.limit, lattice.levels.len())?;
    let at = |set: &Bits, levels: &[super::lattice::Level]| levels.iter().position(|level| level.set == *set);
    let mut groups: Vec<PoolsAt> = Vec::new();
    let mut loss = 0;
    for (level, hosts) in pools {
        let common = hosts.iter().map(|(kind, _)| lattice.kinds[*kind].set.clone()).reduce(|a, b| a.and(&b));
        let set = common.unwrap_or_else(|| lattice.levels[*level].set.clone());
        let level = at(&set, &small.levels)?;
        groups.push((level, 1, Vec::new()));
        for (kind, count) in hosts {
            let each = lattice.kinds[*kind].weight - small.levels[level].weight;
            loss += each * i64::try_from(*count).unwrap_or(i64::MAX);
        }
    }
    meter.spend((small.levels.len() * small.levels.len() * 4) as u64);
    if loss == 0 {
        return None;
    }
    let known = Placement { loss, groups };
    let mut own = meter.part(STEPS);
    let mut tree = Tree::new(&small, pools.len(), Some(known), &mut own);
    tree.search();
    let found = tree.best.take();
    meter.took(STEPS, &own);
    let found = found.filter(|found| found.loss < loss)?;
    let levels = found.groups.iter().flat_map(|(level, count, _)| std::iter::repeat_n(*level, *count));
    levels.map(|level| at(&small.levels[level].set, &lattice.levels)).collect()
}
