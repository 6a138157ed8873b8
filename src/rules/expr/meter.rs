//! The cost limit of an evaluation.

/// Counts the steps of evaluations. One meter may serve several evaluations, which then share its limit.
#[derive(Clone, Debug)]
pub struct Meter {
    limit: u64,
    spent: u64,
}

impl Meter {
    /// Enough for every rule over the largest pool, and over in a fraction of a second.
    pub const DEFAULT_LIMIT: u64 = 1_000_000;

    /// A meter that stops after `limit` steps.
    pub const fn new(limit: u64) -> Self {
        Self { limit, spent: 0 }
    }

    /// The steps taken so far.
    pub const fn spent(&self) -> u64 {
        self.spent
    }

    /// Whether the limit was reached: the answer is then unknown.
    pub const fn exhausted(&self) -> bool {
        self.spent > self.limit
    }

    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes steps; false when there are none left.
    pub(super) const fn step(&mut self, steps: u64) -> bool {
        self.spent = self.spent.saturating_add(steps);
        !self.exhausted()
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(Self::DEFAULT_LIMIT)
    }
}
