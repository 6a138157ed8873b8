//! Branch and bound over how many pools are at which levels.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::bits::Bits;
use super::cuts::Needs;
use super::improve;
use super::lattice::Lattice;
use super::master::{Ended, Program};
use super::meter::Meter;
use super::regroup;
use super::rounding::{Effort, Fractions};
use super::row::Row;
use super::simplex::{Master, Stored};
use super::transport::{Placement, place};

/// A node that waits: the bound of its parent, and its basis with one row more.
struct Waiting {
    stored: Stored,
    levels: Arc<Vec<usize>>,
    row: Row,
}

/// The state of a search.
pub(super) struct Tree<'l, 'm> {
    program: Program<'l>,
    lattice: &'l Lattice,
    needs: Needs,
    meter: &'m mut Meter,
    pub(super) best: Option<Placement>,
    /// The least bound of what was given up on.
    given_up: i64,
    waiting: Vec<Option<Waiting>>,
    /// Bound, then the newest first.
    queue: BinaryHeap<Reverse<(i64, Reverse<usize>)>>,
}

/// Nodes that wait at most; more would fill the memory.
const WAITING: usize = 3_000;

impl<'l, 'm> Tree<'l, 'm> {
    pub(super) fn new(lattice: &'l Lattice, pools: usize, best: Option<Placement>, meter: &'m mut Meter) -> Self {
        Self {
            program: Program::new(lattice, pools),
            lattice,
            needs: Needs::new(lattice),
            meter,
            best,
            given_up: i64::MAX,
            waiting: Vec::new(),
            queue: BinaryHeap::new(),
        }
    }

    fn known(&self) -> i64 {
        self.best.as_ref().map_or(i64::MAX, |best| best.loss)
    }

    /// Searches until nothing is left or the budget is spent. Returns a loss that no plan goes below.
    pub(super) fn search(&mut self) -> i64 {
        let levels = Arc::new((0..self.lattice.levels.len()).collect::<Vec<_>>());
        match self.program.start() {
            Some(root) => self.plunge(root, levels, 0, true),
            None => self.given_up = 0,
        }
        while let Some(Reverse((bound, Reverse(number)))) = self.queue.pop() {
            let Some(waiting) = self.waiting[number].take() else { continue };
            if bound >= self.known() {
                continue;
            }
            if self.meter.is_spent() {
                self.given_up = self.given_up.min(bound);
                break;
            }
            let master = Master::restore(&self.program, waiting.stored);
            match master {
                Some(mut master) => {
                    self.program.add(&mut master, waiting.row);
                    self.plunge(master, waiting.levels, bound, false);
                }
                None => self.given_up = self.given_up.min(bound),
            }
        }
        let left = self.queue.iter().map(|Reverse((bound, _))| *bound).min().unwrap_or(i64::MAX);
        self.given_up.min(left).min(self.known())
    }

    /// Follows one path down: at each node the child with more of the better pools at once, the other one later.
    fn plunge(&mut self, mut master: Master, mut levels: Arc<Vec<usize>>, mut bound: i64, root: bool) {
        let mut first = root;
        if root {
            // A good plan early makes the rest easier.
            if let Some((now, _)) = self.relax(&mut master, &mut levels, bound, EARLY) {
                self.regroup(now);
            }
        }
        loop {
            let rounds = if first { ROUNDS_AT_ROOT } else { ROUNDS };
            let solved = self.relax(&mut master, &mut levels, bound, rounds);
            let at_root = std::mem::take(&mut first);
            let Some((now, pools)) = solved else { return };
            bound = now;
            let Some(pools) = pools else {
                self.given_up = self.given_up.min(bound);
                return;
            };
            if at_root {
                self.dive(master.clone(), &levels, pools.clone());
                self.look_around(&pools);
                self.regroup(bound);
            }
            self.round(&pools, !at_root);
            if bound >= self.known() {
                return;
            }
            if self.meter.is_spent() {
                self.given_up = self.given_up.min(bound);
                return;
            }
            if !self.program.purge(&mut master) {
                self.given_up = self.given_up.min(bound);
                return;
            }
            let (up, down) = match self.branch(&master, &levels, &pools, bound) {
                Branch::Both(up, down) => (up, down),
                Branch::Only(row) => {
                    self.program.add(&mut master, row);
                    continue;
                }
                Branch::Neither => return,
                Branch::Whole => {
                    // Whole numbers of pools: their best placement is known exactly, and this node's bound is its loss, or
                    // the numbers are not to be trusted.
                    self.given_up = self.given_up.min(bound);
                    return;
                }
            };
            if self.queue.len() < WAITING {
                let waiting = Waiting { stored: master.store(), levels: Arc::clone(&levels), row: down };
                self.queue.push(Reverse((bound, Reverse(self.waiting.len()))));
                self.waiting.push(Some(waiting));
            } else {
                self.given_up = self.given_up.min(bound);
            }
            self.program.add(&mut master, up);
        }
    }

    /// Solves a node: none when nothing better than what is known is in it; else its bound and its numbers of pools, which
    /// are none where they could not be worked out.
    fn relax(
        &mut self,
        master: &mut Master,
        levels: &mut Arc<Vec<usize>>,
        inherited: i64,
        rounds: usize,
    ) -> Option<(i64, Option<Vec<f64>>)> {
        let mut bound = inherited;
        let root = rounds > ROUNDS;
        let mut before = f64::NEG_INFINITY;
        let mut dull = 0;
        for round in 0..=rounds {
            let known = self.known();
            #[expect(clippy::cast_precision_loss, reason = "losses are far below 2^52")]
            let enough = |value: f64, proven: f64| {
                proven > known as f64 - 1.0 + 1e-4 || (value - 1e-3).ceil() <= (proven - 1e-3).ceil()
            };
            let (ended, work) = self.program.run(master, levels, STEPS, enough);
            self.meter.spend(work);
            let (proven, with) = self.program.bound(master, levels);
            bound = bound.max(proven);
            if bound >= known {
                return None;
            }
            if known < i64::MAX && with.iter().any(|with| *with >= known) {
                let kept = levels.iter().zip(&with).filter(|(_, with)| **with < known).map(|(level, _)| *level);
                *levels = Arc::new(kept.collect());
            }
            if ended == Ended::GaveUp {
                return Some((bound, None));
            }
            let Some(pools) = self.program.pools_at(master) else {
                if self.program.press(master) {
                    continue;
                }
                return Some((bound, None));
            };
            if root {
                self.round(&pools, false);
            }
            #[expect(clippy::cast_precision_loss, reason = "losses are far below 2^52")]
            let value = bound as f64;
            dull = if value < before + 1.5 { dull + 1 } else { 0 };
            before = value;
            if round == rounds
                || dull > DULL
                || self.meter.is_spent()
                || master.size() > self.lattice.kinds.len() + 250
            {
                return Some((bound, Some(pools)));
            }
            let mut rows = self.needs.broken(self.lattice, &pools, 8, root);
            if rows.len() < 4 {
                let hosts = self.program.hosts_at(master);
                let fractions = Fractions { lattice: self.lattice, pools: &pools, hosts: &hosts };
                let effort = if root { AT_ROOT } else { AT_NODE };
                let (rounded, steps) = fractions.rounded(self.needs.levels(), effort);
                rows.extend(rounded);
                self.meter.spend(steps);
            }
            self.meter.spend(if root { 200_000 } else { 20_000 });
            if rows.is_empty() {
                return Some((bound, Some(pools)));
            }
            for row in rows {
                self.program.add(master, row);
            }
        }
        Some((bound, None))
    }

    /// Makes whole pools of fractions in some ways, and keeps what is better than the best known.
    fn round(&mut self, pools: &[f64], around: bool) {
        let ways = improve::round(pools, self.program.pools);
        self.meter.spend(20_000 * ways.len() as u64);
        let found = ways.iter().filter_map(|whole| place(self.lattice, whole)).min_by_key(|found| found.loss);
        if let Some(found) = found.filter(|found| found.loss < self.known()) {
            self.best = Some(found);
            if around {
                self.look_around(pools);
            }
        }
    }

    /// Looks around the best plan with the levels that fractions of pools are at.
    fn look_around(&mut self, pools: &[f64]) {
        let Some(best) = self.best.take() else { return };
        let likely = improve::likely(pools);
        self.best = Some(improve::improve(self.lattice, best, &likely, self.meter));
    }

    /// Plans a few pools of the best plan anew at a time, where there are many and the best is not proved.
    fn regroup(&mut self, bound: i64) {
        if !regroup::is_worth(self.program.pools) || bound >= self.known() {
            return;
        }
        let Some(best) = self.best.take() else { return };
        let part = self.meter.share(REGROUPING);
        let mut own = self.meter.part(part);
        self.best = Some(regroup::regroup(self.lattice, best, &mut own));
        self.meter.took(part, &own);
    }

    /// Rounds up one level after the other, each time after a new look at the rest, for a good plan early.
    fn dive(&mut self, mut master: Master, levels: &[usize], mut pools: Vec<f64>) {
        if !self.program.purge(&mut master) {
            return;
        }
        for _ in 0..self.program.pools * 2 {
            let rest = |level: &usize| pools[*level] - (pools[*level] + 1e-3).floor();
            let open = levels.iter().copied().filter(|level| rest(level) > 1e-3);
            let mut open: Vec<usize> = open.collect();
            open.sort_by(|a, b| rest(b).total_cmp(&rest(a)).then(a.cmp(b)));
            if open.is_empty() {
                return;
            }
            let sure = open.iter().take_while(|level| rest(level) > SURE).count().max(1);
            for level in &open[..sure] {
                #[expect(clippy::cast_possible_truncation, reason = "a number of pools")]
                let up = pools[*level].ceil() as i64;
                let only = Bits::of(self.lattice.levels.len(), [*level]);
                self.program.add(&mut master, Row::of_pools(Arc::new(only), true, up));
            }
            #[expect(clippy::cast_precision_loss, reason = "losses are far below 2^52")]
            let known = self.known() as f64;
            let enough = |value: f64, proven: f64| proven > known - 1.0 + 1e-4 || value - proven < value / 200.0;
            let (_, work) = self.program.run(&mut master, levels, STEPS, enough);
            self.meter.spend(work);
            let Some(now) = self.program.pools_at(&master) else { return };
            pools = now;
            self.round(&pools, false);
            if self.meter.is_spent() || self.program.bound(&master, levels).0 >= self.known() {
                return;
            }
        }
    }

    /// How to split a node: by the number of pools that have all features of some level, which is at least or at most a whole
    /// number. Of some such splits, that whose children's bounds rise most.
    fn branch(&mut self, master: &Master, levels: &[usize], pools: &[f64], bound: i64) -> Branch {
        let used: Vec<usize> = (0..pools.len()).filter(|level| pools[*level] > 1e-7).collect();
        let mut splits: Vec<(f64, usize, f64)> = Vec::new();
        for (index, level) in self.lattice.levels.iter().enumerate() {
            let sum: f64 = used.iter().filter(|used| level.above.has(**used)).map(|used| pools[*used]).sum();
            let far = (sum - sum.round()).abs();
            // Levels that the same pools are above give the same split.
            if far > 1e-3 && splits.iter().all(|(_, _, other)| (sum - other).abs() > 1e-7) {
                splits.push((far, index, sum));
            }
        }
        splits.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        splits.truncate(SPLITS);
        let mut best: Option<((i64, i64), Row, Row)> = None;
        for (_, level, sum) in splits {
            let levels_above = Arc::new(self.lattice.levels[level].above.clone());
            #[expect(clippy::cast_possible_truncation, reason = "a sum of numbers of pools")]
            let below = sum.floor() as i64;
            let row = |at_least: bool, count: i64| Row {
                parts: true,
                ..Row::of_pools(Arc::clone(&levels_above), at_least, count)
            };
            let (up, down) = (row(true, below + 1), row(false, below));
            let [rises, falls] = [&up, &down].map(|row| self.try_out(master, levels, row.clone()).max(bound));
            let known = self.known();
            match (rises >= known, falls >= known) {
                (true, true) => return Branch::Neither,
                (true, false) => return Branch::Only(down),
                (false, true) => return Branch::Only(up),
                (false, false) => {}
            }
            let score = (rises.min(falls), rises.max(falls));
            if best.as_ref().is_none_or(|(most, _, _)| score > *most) {
                best = Some((score, up, down));
            }
        }
        best.map_or(Branch::Whole, |(_, up, down)| Branch::Both(up, down))
    }

    /// The bound of a child after a few steps.
    fn try_out(&mut self, master: &Master, levels: &[usize], row: Row) -> i64 {
        let mut child = master.clone();
        self.program.add(&mut child, row);
        let mut work = (child.size() * child.size()) as u64;
        self.program.mend(&mut child, TRIAL, &mut work);
        work += (levels.len() * self.lattice.kinds.len()) as u64;
        self.meter.spend(work);
        self.program.bound(&child, levels).0
    }
}

/// How a node goes on.
enum Branch {
    /// In two children.
    Both(Row, Row),
    /// In one: the other holds nothing better.
    Only(Row),
    /// Not at all: neither child holds anything better.
    Neither,
    /// It has nothing left to split.
    Whole,
}

/// How hard rows are looked for at first, and at every node.
const AT_ROOT: Effort = Effort { rows: 16, refined: 24, pairs: true };
const AT_NODE: Effort = Effort { rows: 12, refined: 6, pairs: false };
/// Rounds of new rows: before the first good plan, at first, and at every node.
const EARLY: usize = 8;
const ROUNDS_AT_ROOT: usize = 100;
const ROUNDS: usize = 6;
/// Rounds of new rows that prove next to nothing, before a node is split.
const DULL: usize = 2;
/// Looks for new columns at most.
const STEPS: usize = 500;
/// Steps of the dual simplex for trying out a child.
const TRIAL: usize = 12;
/// From which fraction on a pool is rounded up beside others.
const SURE: f64 = 0.6;
/// One part in so many of the steps that are left is for planning a few pools anew.
const REGROUPING: u64 = 2;
/// Splits that are tried out at a node.
const SPLITS: usize = 4;
