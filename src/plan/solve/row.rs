//! Rows of the program beyond hosts and the number of pools.

use std::sync::Arc;

use super::bits::Bits;
use super::dense::whole;
use super::price::Pattern;

/// A row over the number of pools at some levels, and over hosts of some kinds that are elsewhere:
/// `step * (pools at levels) + (hosts of kinds at other levels)` is at least, or at most, `count`.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) levels: Arc<Bits>,
    pub(super) kinds: Option<Arc<Bits>>,
    pub(super) step: i64,
    pub(super) at_least: bool,
    pub(super) count: i64,
    /// Whether it parts the children of a node: such rows are never dropped.
    pub(super) parts: bool,
}

impl Row {
    /// A row over numbers of pools alone.
    pub(super) const fn of_pools(levels: Arc<Bits>, at_least: bool, count: i64) -> Self {
        Self { levels, kinds: None, step: 1, at_least, count, parts: false }
    }

    /// What a pool counts in it.
    pub(super) fn entry(&self, pattern: &Pattern) -> i64 {
        if self.levels.has(pattern.level) {
            return self.step;
        }
        let Some(kinds) = &self.kinds else { return 0 };
        pattern.hosts.iter().filter(|(kind, _)| kinds.has(*kind)).map(|(_, count)| whole(*count)).sum()
    }

    pub(super) const fn sign(&self) -> i64 {
        if self.at_least { 1 } else { -1 }
    }
}
