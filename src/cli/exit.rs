//! Exit statuses: one public enum, the same for every format.

use std::process::ExitCode;

use super::args::FailOn;
use crate::rules::Verdict;

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
    /// What a verdict comes to.
    pub(super) const fn of(verdict: Verdict, fail_on: Option<FailOn>) -> Self {
        match (verdict, fail_on) {
            (Verdict::NoGo, _) | (Verdict::GoWithWarnings, Some(FailOn::Warning)) => Self::Refused,
            (Verdict::Undecided, _) => Self::Undecided,
            (Verdict::Go | Verdict::GoWithWarnings, _) => Self::Done,
        }
    }

    /// All of them, by number.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Refused, Self::Usage, Self::Undecided, Self::Unreachable, Self::Unconfirmed];

    /// What it says, for people.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "GO, or GO WITH WARNINGS; for commands without a verdict: done",
            Self::Refused => {
                "NO-GO; or GO WITH WARNINGS under --fail-on warning; or differences; or a fact changed between plan and act, \
                 the server refused, or what came is not as predicted"
            }
            Self::Usage => {
                "bad usage, input, quote, rule or waiver; a confirmation declined; a lock held by another run"
            }
            Self::Undecided => "UNDECIDED: a fact that a blocker needs is missing",
            Self::Unreachable => "a target could not be reached, trusted, logged in to or read",
            Self::Unconfirmed => "the join or eject was started and is not confirmed: --resume looks again",
        }
    }

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
