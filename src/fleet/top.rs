//! The first few of many by rank, whatever order they come in.

/// Something with a place among its like. No two have the same.
pub(super) trait Ranked {
    /// The place; the lowest comes first.
    type Rank: Ord;

    /// Its place.
    fn rank(&self) -> Self::Rank;
}

/// The first so many by rank.
#[derive(Clone, Debug)]
pub(super) struct Top<T> {
    limit: usize,
    kept: Vec<T>,
}

impl<T: Ranked> Top<T> {
    /// None yet.
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, kept: Vec::new() }
    }

    /// Whether one of this rank would be kept.
    pub(super) fn takes(&self, rank: &T::Rank) -> bool {
        self.kept.len() < self.limit || self.kept.last().is_some_and(|last| *rank < last.rank())
    }

    /// One more.
    pub(super) fn add(&mut self, item: T) {
        let rank = item.rank();
        if self.limit == 0 || !self.takes(&rank) {
            return;
        }
        let at = self.kept.partition_point(|kept| kept.rank() < rank);
        self.kept.insert(at, item);
        self.kept.truncate(self.limit);
    }

    /// Those kept, in the order of their ranks.
    pub(super) fn into_vec(self) -> Vec<T> {
        self.kept
    }
}
