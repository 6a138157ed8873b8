//! Rows that pools in fractions break although each need is met: of hosts that take so many pools, those that the pools at some
//! levels have no room for are elsewhere, and a part of a pool has less room than it seems (mixed-integer rounding).

use std::collections::HashSet;
use std::sync::Arc;

use super::bits::Bits;
use super::dense::{real, whole};
use super::lattice::Lattice;
use super::row::Row;

/// How hard to look for rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Rows at most.
    pub(super) rows: usize,
    /// Rows that are made better level by level.
    pub(super) refined: usize,
    /// Whether sets of two levels are looked at.
    pub(super) pairs: bool,
}

/// Where fractions of pools and hosts are.
pub(super) struct Fractions<'a> {
    pub(super) lattice: &'a Lattice,
    /// Pools by level.
    pub(super) pools: &'a [f64],
    /// For each level in use the hosts of each kind there.
    pub(super) hosts: &'a [(usize, Vec<f64>)],
}

/// A row as it is looked for: by how much it is broken, for its size, and what it is about.
#[derive(Clone, Debug)]
struct Found {
    broken: f64,
    levels: Bits,
    kinds: Bits,
    needed: usize,
    step: usize,
}

/// By how many hosts a row must be broken.
const BROKEN: f64 = 0.05;

impl Fractions<'_> {
    /// The rows that these fractions break most, about the sets of levels `given` and others. Returns the steps it took, too.
    pub(super) fn rounded<'b>(&self, given: impl Iterator<Item = &'b Bits>, effort: Effort) -> (Vec<Row>, u64) {
        let count = self.lattice.levels.len();
        let mut sets: Vec<Bits> = self.lattice.levels.iter().map(|level| level.above.clone()).collect();
        sets.extend(given.cloned());
        for (place, (level, _)) in self.hosts.iter().enumerate() {
            sets.push(Bits::of(count, [*level]));
            for (other, _) in self.hosts[..place].iter().filter(|_| effort.pairs) {
                sets.push(Bits::of(count, [*level, *other]));
                let mut above = self.lattice.levels[*level].above.clone();
                above.add(&self.lattice.levels[*other].above);
                sets.push(above);
            }
        }
        let each = (self.lattice.kinds.len() * (self.hosts.len() / 2 + 8)) as u64;
        let mut steps = each * sets.len() as u64;
        let mut known = HashSet::new();
        let mut found: Vec<Found> =
            sets.iter().filter(|set| known.insert(*set)).filter_map(|levels| self.row(levels)).collect();
        let most_first = |a: &Found, b: &Found| b.broken.total_cmp(&a.broken).then_with(|| a.levels.cmp(&b.levels));
        found.sort_by(most_first);
        found.truncate(effort.rows.max(effort.refined));
        for row in found.iter_mut().take(effort.refined) {
            while let Some(better) = self.toggled(row) {
                *row = better;
                steps += each * self.hosts.len() as u64;
            }
            steps += each * self.hosts.len() as u64;
        }
        found.sort_by(most_first);
        found.dedup_by(|a, b| a.levels == b.levels && a.kinds == b.kinds);
        found.truncate(effort.rows);
        (found.into_iter().map(Found::into_row).collect(), steps)
    }

    /// The row that is broken most with one level more or less.
    fn toggled(&self, row: &Found) -> Option<Found> {
        let toggled = self.hosts.iter().filter_map(|(level, _)| {
            let mut levels = row.levels.clone();
            levels.toggle(*level);
            self.row(&levels)
        });
        let best = toggled.reduce(|best, other| if other.broken > best.broken { other } else { best });
        best.filter(|best| best.broken > row.broken + 1e-6)
    }

    /// The row about these levels that is broken most.
    fn row(&self, levels: &Bits) -> Option<Found> {
        let kinds = &self.lattice.kinds;
        let at = self.hosts.iter().filter(|(level, _)| levels.has(*level));
        let used: f64 = at.map(|(level, _)| self.pools[*level]).sum();
        if (used - used.round()).abs() < 1e-3 {
            return None;
        }
        let mut away = vec![0.0; kinds.len()];
        for (_, hosts) in self.hosts.iter().filter(|(level, _)| !levels.has(*level)) {
            away.iter_mut().zip(hosts).for_each(|(away, hosts)| *away += hosts);
        }
        // Kinds that are elsewhere least first.
        let mut order: Vec<(f64, usize)> =
            away.iter().enumerate().map(|(kind, away)| (away / real(whole(kinds[kind].count)), kind)).collect();
        order.retain(|(share, _)| *share < 0.999);
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (mut count, mut elsewhere) = (0, 0.0);
        let mut best: Option<(f64, usize, usize, usize)> = None;
        for (place, (_, kind)) in order.iter().enumerate() {
            count += kinds[*kind].count;
            elsewhere += away[*kind];
            let needed = count.div_ceil(self.lattice.limit);
            let step = count - self.lattice.limit * (needed - 1);
            let hosts = real(whole(step)) * (real(whole(needed)) - used) - elsewhere;
            let broken = hosts / real(whole(step)).sqrt();
            if hosts > BROKEN && best.is_none_or(|(most, ..)| broken > most) {
                best = Some((broken, place, needed, step));
            }
        }
        let (broken, place, needed, step) = best?;
        let kinds = Bits::of(kinds.len(), order[..=place].iter().map(|(_, kind)| *kind));
        Some(Found { broken, levels: levels.clone(), kinds, needed, step })
    }
}

impl Found {
    fn into_row(self) -> Row {
        Row {
            levels: Arc::new(self.levels),
            kinds: Some(Arc::new(self.kinds)),
            step: whole(self.step),
            at_least: true,
            count: whole(self.step * self.needed),
            parts: false,
        }
    }
}
