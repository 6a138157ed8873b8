//! The linear program over pools: which mix of pools, fractions allowed, takes every host and loses the least.
//!
//! Revised simplex with a dense inverse; pools are generated when they pay (column generation), so that no more than the
//! basis is ever held. Its floating-point result is never believed: only the prices are used, and what they prove is worked
//! out again in whole numbers (`bound`).

use super::bits::Bits;
use super::dense::{real, whole};
use super::lattice::Lattice;
use super::price::{Prices, pattern};
use super::row::Row;
use super::simplex::{Basic, Master};

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

/// Columns that are generated at one look.
const AT_ONCE: usize = 30;
/// Columns beyond those that are kept, before they are sifted.
const MANY: usize = 250;
/// Steps of the dual simplex between two looks.
const MENDING: usize = 2_000;
/// Steps of the primal simplex between two looks.
const GAINING: usize = 2_000;

/// The program of one lattice and number of pools.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program<'l> {
    pub(super) lattice: &'l Lattice,
    pub(super) pools: usize,
    pub(super) penalty: f64,
}

impl<'l> Program<'l> {
    pub(super) fn new(lattice: &'l Lattice, pools: usize) -> Self {
        let heaviest = lattice.kinds.iter().map(|kind| kind.weight).max().unwrap_or(0);
        Self { lattice, pools, penalty: real(heaviest) * 8.0 + 16.0 }
    }

    /// A basis of nothing but missing hosts.
    pub(super) fn start(&self) -> Option<Master> {
        let kinds = self.lattice.kinds.len();
        let mut basis: Vec<_> = (0..kinds).map(Basic::Missing).collect();
        basis.push(Basic::Surplus(kinds));
        Master::new(self, Vec::new(), Vec::new(), basis)
    }

    /// The right-hand side of a row. A little more than the truth for kinds, a different little for each: ties cost
    /// steps. The bound uses the truth.
    pub(super) fn side(&self, master: &Master, row: usize) -> f64 {
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

    pub(super) fn cost(&self, master: &Master, basic: Basic) -> f64 {
        match basic {
            Basic::Missing(row) if row < self.lattice.kinds.len() => master.penalty,
            Basic::Missing(_) => master.penalty * real(whole(self.lattice.limit)),
            Basic::Surplus(_) => 0.0,
            Basic::Pool(column) => master.table.cost(column),
        }
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
        for _ in 0..most {
            let mended = self.mend(master, MENDING, &mut work);
            if !self.gain(master, GAINING, &mut work) || !mended {
                return (Ended::GaveUp, work);
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
            if enough(self.value(master), self.proven(master, least)) {
                return (Ended::Enough, work);
            }
            if paying.is_empty() {
                return (Ended::Optimal, work);
            }
            paying.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            master.trim(MANY);
            for (_, level) in paying.iter().take(AT_ONCE) {
                let extra = extra(&sets, &master.rows, *level);
                let pool = pattern(self.lattice, &prices, &extra, *level);
                master.table.add_pool(&master.rows, pool);
            }
        }
        (Ended::GaveUp, work)
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
        self.price(master);
        master.penalty < self.penalty * 1e5
    }

    /// How many hosts of each kind are at each level, in fractions: (level, hosts by kind), for levels in use.
    pub(super) fn hosts_at(&self, master: &Master) -> Vec<(usize, Vec<f64>)> {
        let mut found: Vec<(usize, Vec<f64>)> = Vec::new();
        for (basic, value) in master.basis.iter().zip(&master.values) {
            let Basic::Pool(column) = basic else { continue };
            let pattern = master.table.pool(*column);
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
                Basic::Pool(column) => pools[master.table.pool(*column).level] += value.max(0.0),
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
