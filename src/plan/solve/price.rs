//! The best pool of each level under given prices for hosts, and the bound that prices prove, in whole numbers.

use super::bits::Bits;
use super::lattice::Lattice;

/// A pool: its level and how many hosts of each kind are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) level: usize,
    pub(super) hosts: Vec<(usize, usize)>,
    /// What its hosts lose.
    pub(super) cost: i64,
}

/// Kinds in the order in which any level would take them: what a host of it earns beyond what it has to lose. The level
/// adds the same to all of them.
pub(super) struct Prices<T> {
    order: Vec<(T, usize)>,
}

impl<T: Copy + PartialOrd + std::ops::Add<Output = T>> Prices<T> {
    /// From what a host of each kind earns beyond its weight.
    pub(super) fn new(mut order: Vec<(T, usize)>) -> Self {
        order.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(std::cmp::Ordering::Equal).then(a.1.cmp(&b.1)));
        Self { order }
    }

    /// Calls back with each kind, how many hosts, and what one earns, for the best pool at a level that is worth `level`.
    /// `extra` are rows that pay for hosts of some kinds in addition.
    pub(super) fn fill(
        &self,
        lattice: &Lattice,
        level: usize,
        worth: T,
        nothing: T,
        extra: &[(T, &Bits)],
        mut take: impl FnMut(usize, usize, T),
    ) -> usize {
        let kinds = &lattice.levels[level].kinds;
        let mut room = lattice.limit;
        let mut steps = 0;
        let mut offer = |beyond: T, kind: usize| {
            let earns = beyond + worth;
            if room == 0 || earns <= nothing {
                return false;
            }
            let hosts = lattice.kinds[kind].count.min(room);
            room -= hosts;
            take(kind, hosts, earns);
            true
        };
        if extra.is_empty() {
            for (beyond, kind) in &self.order {
                steps += 1;
                if kinds.has(*kind) && !offer(*beyond, *kind) {
                    break;
                }
            }
            return steps;
        }
        let mut order: Vec<(T, usize)> = self.order.iter().filter(|(_, kind)| kinds.has(*kind)).copied().collect();
        for (price, paid) in extra {
            for (beyond, kind) in &mut order {
                if paid.has(*kind) {
                    *beyond = *beyond + *price;
                }
            }
        }
        steps += self.order.len() + order.len() * extra.len();
        for (beyond, kind) in Self::new(order).order {
            if !offer(beyond, kind) {
                break;
            }
        }
        steps
    }
}

/// The pattern that a level would take.
pub(super) fn pattern(lattice: &Lattice, prices: &Prices<f64>, extra: &[(f64, &Bits)], level: usize) -> Pattern {
    #[expect(clippy::cast_precision_loss, reason = "weights are far below 2^52")]
    let worth = lattice.levels[level].weight as f64;
    let mut hosts = Vec::new();
    prices.fill(lattice, level, worth, 1e-9, extra, |kind, count, _| hosts.push((kind, count)));
    let each = |(kind, count): &(usize, usize)| {
        i64::try_from(*count).unwrap_or(i64::MAX) * (lattice.kinds[*kind].weight - lattice.levels[level].weight)
    };
    let cost = hosts.iter().map(each).sum();
    Pattern { level, hosts, cost }
}
