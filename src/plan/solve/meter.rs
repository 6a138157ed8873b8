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

    /// A part of the steps that are left: one in so many.
    pub(super) const fn share(&self, of: u64) -> u64 {
        self.left / of
    }

    /// A meter for a part of the work: so many of the steps that are left.
    pub(super) fn part(&self, steps: u64) -> Self {
        Self { left: self.left.min(steps), until: self.until, by_clock: self.by_clock }
    }

    /// Takes what a part has taken of so many steps.
    pub(super) fn took(&mut self, steps: u64, part: &Self) {
        self.left = self.left.saturating_sub(self.left.min(steps) - part.left);
        self.by_clock |= part.by_clock;
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
