//! The linear program over pools: which mix of pools, fractions allowed, takes every host and loses the least.
//!
//! Revised simplex with a dense inverse; pools are generated when they pay (column generation), so that no more than the
//! basis is ever held. Its floating-point result is never believed: only the prices are used, and what they prove is worked
//! out again in whole numbers (`bound`).

use std::sync::Arc;

use super::bits::Bits;
use super::dense::{invert, real, whole};
use super::lattice::Lattice;
use super::price::{Pattern, Prices, pattern};
use super::row::Row;

#[derive(Clone, Debug)]
enum Basic {
    Missing(usize),
    Surplus(usize),
    Pool(Arc<Pattern>),
}

/// A basis of the program. Rows: one a kind (at least its hosts), one for the number of pools, then [`Row`]s.
#[derive(Clone, Debug)]
pub(super) struct Master {
    pub(super) rows: Vec<Row>,
    basis: Vec<Basic>,
    inverse: Vec<f64>,
    values: Vec<f64>,
    pub(super) prices: Vec<f64>,
    pivots: usize,
    /// What a missing host costs: more than any is worth, or it is raised.
    penalty: f64,
}

/// A basis without what can be worked out again: what waits in the tree.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    rows: Vec<Row>,
    basis: Vec<Basic>,
}

/// How a run of the simplex ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ended {
    /// No pool and no slack pays any more.
    Optimal,
    /// The prices are as good as they need to be.
    Enough,
    /// Numbers or the number of steps got out of hand; the prices still prove what they prove.
    GaveUp,
}

const TINY: f64 = 1e-9;
const REFACTOR: usize = 250;
/// Columns that are generated at one look.
const AT_ONCE: usize = 10;

/// The program of one lattice and number of pools.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program<'l> {
    pub(super) lattice: &'l Lattice,
    pub(super) pools: usize,
    penalty: f64,
}

impl<'l> Program<'l> {
    pub(super) fn new(lattice: &'l Lattice, pools: usize) -> Self {
        let heaviest = lattice.kinds.iter().map(|kind| kind.weight).max().unwrap_or(0);
        Self { lattice, pools, penalty: real(heaviest) * 8.0 + 16.0 }
    }

    /// A basis of nothing but missing hosts.
    pub(super) fn start(&self) -> Master {
        let kinds = self.lattice.kinds.len();
        let mut basis: Vec<_> = (0..kinds).map(Basic::Missing).collect();
        basis.push(Basic::Surplus(kinds));
        self.restore(Stored { rows: Vec::new(), basis }).unwrap_or_else(|| Master {
            rows: Vec::new(),
            basis: Vec::new(),
            inverse: Vec::new(),
            values: Vec::new(),
            prices: Vec::new(),
            pivots: 0,
            penalty: self.penalty,
        })
    }

    /// A stored basis at work again; none when it cannot be inverted.
    pub(super) fn restore(&self, stored: Stored) -> Option<Master> {
        let mut master = Master {
            rows: stored.rows,
            basis: stored.basis,
            inverse: Vec::new(),
            values: Vec::new(),
            prices: Vec::new(),
            pivots: 0,
            penalty: self.penalty,
        };
        self.refactor(&mut master).then_some(master)
    }

    /// The right-hand side of a row. A little more than the truth for kinds, a different little for each: ties cost
    /// steps. The bound uses the truth.
    fn side(&self, master: &Master, row: usize) -> f64 {
        let kinds = self.lattice.kinds.len();
        if row < kinds {
            let stir = real(whole(row + 1)) * 0.618_033_988_749;
            real(whole(self.lattice.kinds[row].count)) + 1e-6 * (stir - stir.floor())
        } else if row == kinds {
            -real(whole(self.pools)) - 1e-5
        } else {
            let row = &master.rows[row - kinds - 1];
            real(row.sign() * row.count) - 1e-7
        }
    }

    fn cost(&self, penalty: f64, basic: &Basic) -> f64 {
        match basic {
            Basic::Missing(row) if *row < self.lattice.kinds.len() => penalty,
            Basic::Missing(_) => penalty * real(whole(self.lattice.limit)),
            Basic::Surplus(_) => 0.0,
            Basic::Pool(pattern) => real(pattern.cost),
        }
    }

    /// The entries of a column that are not zero.
    fn column(&self, rows: &[Row], basic: &Basic) -> Vec<(usize, f64)> {
        match basic {
            Basic::Missing(row) => vec![(*row, 1.0)],
            Basic::Surplus(row) => vec![(*row, -1.0)],
            Basic::Pool(pattern) => {
                let kinds = self.lattice.kinds.len();
                let mut entries: Vec<_> =
                    pattern.hosts.iter().map(|(kind, count)| (*kind, real(whole(*count)))).collect();
                entries.push((kinds, -1.0));
                for (index, row) in rows.iter().enumerate() {
                    let entry = row.entry(pattern);
                    if entry != 0 {
                        entries.push((kinds + 1 + index, real(entry * row.sign())));
                    }
                }
                entries
            }
        }
    }

    /// Works out inverse, values and prices from the basis.
    fn refactor(&self, master: &mut Master) -> bool {
        let size = master.basis.len();
        let mut matrix = vec![0.0; size * size];
        for (place, basic) in master.basis.iter().enumerate() {
            for (row, entry) in self.column(&master.rows, basic) {
                matrix[row * size + place] = entry;
            }
        }
        let Some(inverse) = invert(matrix, size) else { return false };
        master.inverse = inverse;
        let sides: Vec<_> = (0..size).map(|row| self.side(master, row)).collect();
        let dot = |row: &[f64]| row.iter().zip(&sides).map(|(a, b)| a * b).sum::<f64>();
        master.values = master.inverse.chunks(size.max(1)).map(dot).collect();
        master.prices = vec![0.0; size];
        for (place, basic) in master.basis.iter().enumerate() {
            let cost = self.cost(master.penalty, basic);
            if cost != 0.0 {
                for (price, entry) in master.prices.iter_mut().zip(&master.inverse[place * size..]) {
                    *price += cost * entry;
                }
            }
        }
        master.pivots = 0;
        true
    }

    /// Adds a row that the present values may break; what is missing is made up for by a penalty. The inverse grows by a
    /// border.
    pub(super) fn add(&self, master: &mut Master, row: Row) {
        let place = master.basis.len();
        let sign = real(row.sign());
        let entries: Vec<f64> = master
            .basis
            .iter()
            .map(|basic| match basic {
                Basic::Pool(pattern) => sign * real(row.entry(pattern)),
                _ => 0.0,
            })
            .collect();
        let used: f64 = entries.iter().zip(&master.values).map(|(entry, value)| entry * value).sum();
        let broken = used < sign * real(row.count);
        let (basic, own) = if broken { (Basic::Missing(place), 1.0) } else { (Basic::Surplus(place), -1.0) };
        let mut border = vec![0.0; place + 1];
        for (entry, line) in entries.iter().zip(master.inverse.chunks(place.max(1))) {
            if *entry != 0.0 {
                border.iter_mut().zip(line).for_each(|(border, cell)| *border -= entry * cell / own);
            }
        }
        border[place] = 1.0 / own;
        let mut inverse = Vec::with_capacity((place + 1) * (place + 1));
        for line in master.inverse.chunks(place.max(1)) {
            inverse.extend_from_slice(line);
            inverse.push(0.0);
        }
        inverse.extend_from_slice(&border);
        master.inverse = inverse;
        let cost = self.cost(master.penalty, &basic);
        master.prices.push(0.0);
        master.prices.iter_mut().zip(&border).for_each(|(price, border)| *price += cost * border);
        master.rows.push(row);
        master.basis.push(basic);
        let side = self.side(master, place);
        master.values.push((side - used) / own);
    }

    /// Drops rows that have no say here, but for those that part children.
    pub(super) fn purge(&self, master: &mut Master) -> bool {
        let first = self.lattice.kinds.len() + 1;
        let mut dropped = vec![false; master.rows.len()];
        for (basic, value) in master.basis.iter().zip(&master.values) {
            if let Basic::Surplus(row) = basic
                && let Some(index) = row.checked_sub(first)
                && *value > 1e-3
            {
                dropped[index] = !master.rows[index].parts;
            }
        }
        if !dropped.contains(&true) {
            return true;
        }
        let mut places = Vec::with_capacity(dropped.len());
        let mut next = first;
        for dropped in &dropped {
            places.push(next);
            next += usize::from(!dropped);
        }
        let at = |row: usize| row.checked_sub(first).map_or(row, |index| places[index]);
        let gone = |basic: &Basic| matches!(basic, Basic::Surplus(row) if *row >= first && dropped[row - first]);
        master.basis.retain(|basic| !gone(basic));
        for basic in &mut master.basis {
            match basic {
                Basic::Surplus(row) | Basic::Missing(row) => *row = at(*row),
                Basic::Pool(_) => {}
            }
        }
        let mut dropped = dropped.iter();
        master.rows.retain(|_| !dropped.next().copied().unwrap_or(false));
        self.refactor(master)
    }

    /// Improves the basis until nothing pays, or until `enough` says so of (value, proven bound). `levels` are those that
    /// may be used, `most` how many steps may be taken. Returns the work done beside the outcome.
    pub(super) fn run(
        &self,
        master: &mut Master,
        levels: &[usize],
        most: usize,
        enough: impl Fn(f64, f64) -> bool,
    ) -> (Ended, u64) {
        let mut work = 0;
        let mut waiting = Vec::new();
        for _ in 0..most {
            let size = master.basis.len();
            if let Some((reduced, entering)) = self.waiting(master, &mut waiting) {
                work += (size * size) as u64;
                if !self.step(master, entering, reduced, &mut work) {
                    return (Ended::GaveUp, work);
                }
                continue;
            }
            let (prices, sets) = self.split(master);
            let mut paying: Vec<(f64, usize)> = Vec::new();
            let mut least = 0.0_f64;
            for level in levels {
                let (earned, steps) = self.earned(&prices, &sets, master, *level);
                work += steps as u64;
                least = least.min(-earned);
                if earned > 1e-7 {
                    paying.push((-earned, *level));
                }
            }
            // Prices below zero prove nothing yet.
            let sound = master.prices.iter().all(|price| *price > -1e-6);
            let proven = if sound { self.proven(master, least) } else { f64::NEG_INFINITY };
            if enough(self.value(master), proven) {
                return (Ended::Enough, work);
            }
            if paying.is_empty() {
                return (Ended::Optimal, work);
            }
            paying.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            waiting = paying
                .iter()
                .take(AT_ONCE)
                .map(|(_, level)| {
                    let extra = extra(&sets, &master.rows, *level);
                    let basic = Basic::Pool(Arc::new(pattern(self.lattice, &prices, &extra, *level)));
                    let entries = self.column(&master.rows, &basic);
                    (basic, entries)
                })
                .collect();
        }
        (Ended::GaveUp, work)
    }

    /// The column that pays most of those that were generated last, or of the slacks; none when a new look is needed.
    fn waiting(&self, master: &Master, waiting: &mut Vec<(Basic, Vec<(usize, f64)>)>) -> Option<(f64, Basic)> {
        let reduced = |(basic, entries): &(Basic, Vec<(usize, f64)>)| {
            let paid: f64 = entries.iter().map(|(row, entry)| master.prices[*row] * entry).sum();
            self.cost(master.penalty, basic) - paid
        };
        let pool = (0..waiting.len())
            .map(|place| (reduced(&waiting[place]), place))
            .filter(|(reduced, _)| *reduced < -1e-7)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let slack = (0..master.basis.len())
            .filter(|row| master.prices[*row] < -1e-7)
            .min_by(|a, b| master.prices[*a].total_cmp(&master.prices[*b]));
        match (pool, slack) {
            (Some((reduced, _)), Some(slack)) if master.prices[slack] < reduced => {
                Some((master.prices[slack], Basic::Surplus(slack)))
            }
            (Some((reduced, place)), _) => Some((reduced, waiting.swap_remove(place).0)),
            (None, Some(slack)) => Some((master.prices[slack], Basic::Surplus(slack))),
            (None, None) => None,
        }
    }

    fn step(&self, master: &mut Master, entering: Basic, reduced: f64, work: &mut u64) -> bool {
        if !self.pivot(master, entering, reduced) {
            return false;
        }
        if master.pivots < REFACTOR {
            return true;
        }
        *work += (master.basis.len().pow(3) / 2) as u64;
        self.refactor(master)
    }

    fn pivot(&self, master: &mut Master, entering: Basic, reduced: f64) -> bool {
        let size = master.basis.len();
        let entries = self.column(&master.rows, &entering);
        let direction: Vec<f64> = master
            .inverse
            .chunks(size)
            .map(|row| entries.iter().map(|(column, entry)| row[*column] * entry).sum())
            .collect();
        let mut leaving: Option<(f64, usize)> = None;
        for (place, step) in direction.iter().enumerate() {
            if *step > 1e-7 {
                let ratio = master.values[place].max(0.0) / step;
                let better = leaving.is_none_or(|(least, other)| {
                    ratio < least - TINY || (ratio < least + TINY && *step > direction[other])
                });
                if better {
                    leaving = Some((ratio, place));
                }
            }
        }
        let Some((ratio, out)) = leaving else { return false };
        let scale = 1.0 / direction[out];
        let pivot: Vec<f64> =
            master.inverse[out * size..(out + 1) * size].iter().map(|entry| entry * scale).collect();
        for (place, row) in master.inverse.chunks_mut(size).enumerate() {
            if place == out {
                row.copy_from_slice(&pivot);
            } else if direction[place].abs() > 1e-12 {
                let factor = direction[place];
                for (entry, other) in row.iter_mut().zip(&pivot) {
                    *entry -= factor * other;
                }
            }
        }
        for (place, value) in master.values.iter_mut().enumerate() {
            *value = if place == out { ratio } else { *value - ratio * direction[place] };
        }
        for (price, entry) in master.prices.iter_mut().zip(&pivot) {
            *price += reduced * entry;
        }
        master.basis[out] = entering;
        master.pivots += 1;
        true
    }

    fn value(&self, master: &Master) -> f64 {
        master.basis.iter().zip(&master.values).map(|(basic, value)| self.cost(master.penalty, basic) * value).sum()
    }

    /// Prices of hosts, and what the rows add for each level.
    fn split(&self, master: &Master) -> (Prices<f64>, Vec<(usize, f64)>) {
        let kinds = self.lattice.kinds.len();
        let order = (0..kinds).map(|kind| (master.prices[kind] - real(self.lattice.kinds[kind].weight), kind));
        let sets = master.rows.iter().enumerate().map(|(index, row)| {
            let price = master.prices[kinds + 1 + index];
            (index, price * real(row.sign()))
        });
        (Prices::new(order.collect()), sets.filter(|(_, price)| *price != 0.0).collect())
    }

    /// What the best pool at a level earns beyond what it costs.
    fn earned(&self, prices: &Prices<f64>, sets: &[(usize, f64)], master: &Master, level: usize) -> (f64, usize) {
        let mut earned = -master.prices[self.lattice.kinds.len()];
        for (row, price) in sets {
            if master.rows[*row].levels.has(level) {
                earned += price * real(master.rows[*row].step);
            }
        }
        let worth = real(self.lattice.levels[level].weight);
        let extra = extra(sets, &master.rows, level);
        let steps = prices
            .fill(self.lattice, level, worth, 0.0, &extra, |_, count, each| earned += each * real(whole(count)));
        (earned, steps + sets.len())
    }

    /// Makes what is missing dearer; false where that was done often enough.
    pub(super) fn press(&self, master: &mut Master) -> bool {
        master.penalty *= 16.0;
        master.penalty < self.penalty * 1e5 && self.refactor(master)
    }

    /// How many hosts of each kind are at each level, in fractions: (level, hosts by kind), for levels in use.
    pub(super) fn hosts_at(&self, master: &Master) -> Vec<(usize, Vec<f64>)> {
        let mut found: Vec<(usize, Vec<f64>)> = Vec::new();
        for (basic, value) in master.basis.iter().zip(&master.values) {
            let Basic::Pool(pattern) = basic else { continue };
            let place = found.iter().position(|(level, _)| *level == pattern.level).unwrap_or_else(|| {
                found.push((pattern.level, vec![0.0; self.lattice.kinds.len()]));
                found.len() - 1
            });
            for (kind, count) in &pattern.hosts {
                found[place].1[*kind] += real(whole(*count)) * value.max(0.0);
            }
        }
        found
    }

    /// How many pools are at each level, in fractions; none when hosts or rows are still missing something.
    pub(super) fn pools_at(&self, master: &Master) -> Option<Vec<f64>> {
        let mut pools = vec![0.0; self.lattice.levels.len()];
        for (basic, value) in master.basis.iter().zip(&master.values) {
            match basic {
                Basic::Pool(pattern) => pools[pattern.level] += value.max(0.0),
                Basic::Missing(_) if *value > 1e-4 => return None,
                _ => {}
            }
        }
        Some(pools)
    }
}

/// What rows pay for hosts at a level beyond the prices of their kinds.
fn extra<'r>(sets: &[(usize, f64)], rows: &'r [Row], level: usize) -> Vec<(f64, &'r Bits)> {
    let paid = sets.iter().filter(|(row, _)| !rows[*row].levels.has(level));
    paid.filter_map(|(row, price)| Some((*price, rows[*row].kinds.as_deref()?))).collect()
}

impl Master {
    /// What must be kept to go on later.
    pub(super) fn store(&self) -> Stored {
        Stored { rows: self.rows.clone(), basis: self.basis.clone() }
    }

    /// The number of rows.
    pub(super) fn size(&self) -> usize {
        self.basis.len()
    }
}
