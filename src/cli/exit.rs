//! Exit statuses: one public enum, the same for every format.

use std::process::ExitCode;

/// What the process says when it ends. Where several apply, the first in the order Usage, Unconfirmed, Unreachable,
/// Refused, Undecided, Done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// GO, or GO WITH WARNINGS; for commands without a verdict: done.
    Done = 0,
    /// NO-GO; or GO WITH WARNINGS under `--fail-on warning`; or differences.
    Refused = 1,
    /// Bad usage, input, rule or waiver; a confirmation declined; a lock held by another run.
    Usage = 2,
    /// A fact that a blocker needs is missing.
    Undecided = 3,
    /// A target could not be reached, trusted or logged in to.
    Unreachable = 4,
    /// The join or eject was started and is not confirmed.
    Unconfirmed = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// Of two statuses the one that the process ends with.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Usage => 0,
            Self::Unconfirmed => 1,
            Self::Unreachable => 2,
            Self::Refused => 3,
            Self::Undecided => 4,
            Self::Done => 5,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}
