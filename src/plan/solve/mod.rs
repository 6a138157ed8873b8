//! Pools out of kinds of hosts: the placement that loses the least, and the loss that none goes below. Pure and without a
//! clock unless one is asked for. Called by `plan` alone.

pub(super) mod bits;
mod cuts;
mod dense;
mod improve;
pub(super) mod lattice;
mod master;
pub(super) mod meter;
mod price;
mod proof;
mod regroup;
mod rounding;
mod row;
mod simplex;
mod table;
#[cfg(test)]
mod tests;
mod transport;
mod tree;

pub(super) use transport::Placement;

use lattice::Lattice;
use meter::Meter;
use tree::Tree;

/// A placement with what is proven of it.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    /// The best that was found; none where the hosts fit in no so many pools.
    pub(super) placement: Option<Placement>,
    /// No placement in so many pools loses less than this.
    pub(super) bound: i64,
}

/// Finds the placement in at most `pools` pools that loses the least.
pub(super) fn solve(lattice: &Lattice, pools: usize, meter: &mut Meter) -> Solved {
    if lattice.kinds.is_empty() {
        return Solved { placement: Some(Placement { loss: 0, groups: Vec::new() }), bound: 0 };
    }
    let start = improve::in_a_row(lattice, pools);
    if start.as_ref().is_some_and(|start| start.loss == 0) {
        return Solved { placement: start, bound: 0 };
    }
    let mut tree = Tree::new(lattice, pools, start, meter);
    let bound = tree.search();
    Solved { placement: tree.best, bound }
}
