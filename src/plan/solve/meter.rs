//! How much may still be done. Steps, not seconds: the same input ends at the same place on any machine. A clock can be set
//! beside it; then the answer says so.

use std::time::Instant;

/// A budget of steps, each about a billionth of a second's work, and perhaps a moment to stop at.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Meter {
    left: u64,
    until: Option<Instant>,
    /// Whether the clock ended it.
    pub(in crate::plan) by_clock: bool,
}

impl Meter {
    /// So many steps, and no longer than until then.
    pub(in crate::plan) const fn new(steps: u64, until: Option<Instant>) -> Self {
        Self { left: steps, until, by_clock: false }
    }

    /// Takes steps.
    pub(in crate::plan) fn spend(&mut self, steps: u64) {
        self.left = self.left.saturating_sub(steps);
        if self.until.is_some_and(|until| Instant::now() >= until) {
            self.by_clock = true;
        }
    }

    /// Whether nothing is left.
    pub(in crate::plan) const fn is_spent(&self) -> bool {
        self.left == 0 || self.by_clock
    }
}
