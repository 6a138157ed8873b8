//! How a host's turn ends.

use std::time::Duration;

use super::drift::Drift;
use super::journal::{Named, Outcome};
use super::verify::Difference;
use crate::rules::Verdict;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For a host to come up as a member, or to come back from an eject.
    pub wait: Duration,
    /// Between two looks.
    pub poll: Duration,
    /// After the call, before an untouched host counts as one on which the call had no effect.
    pub settle: Duration,
    /// For what comes up a little after the host: plugs, bonds.
    pub grace: Duration,
}

impl Waits {
    /// The usual ones, for a host to come up within this time.
    pub fn within(wait: Duration) -> Self {
        Self {
            wait,
            poll: Duration::from_secs(3).min(wait / 8),
            settle: Duration::from_secs(180),
            grace: Duration::from_secs(60).min(wait / 4),
        }
    }
}

/// A host's turn, and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The host.
    pub host: Named,
    /// How it ended.
    pub end: End,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// It is done. What differs from the prediction, and what else to know.
    Done {
        /// What differs.
        differences: Vec<Difference>,
        /// What else to know.
        notes: Vec<String>,
    },
    /// Nothing was sent: something changed since the plan.
    Drifted(Vec<Drift>),
    /// Nothing was sent: the verdict does not allow it.
    Verdict(Verdict),
    /// Nothing was sent: something else is in progress.
    Busy(Vec<String>),
    /// Nothing was sent: a server could not be reached, trusted, logged in to or read.
    Unreachable(String),
    /// Nothing was sent: the operator interrupted.
    Interrupted,
    /// Nothing was sent: an earlier host's turn ended otherwise than well.
    NotReached,
    /// It was sent and the server refused.
    Refused {
        /// Its code.
        code: String,
        /// The code's parameters.
        params: Vec<String>,
        /// What it leaves behind that may have been otherwise before.
        left: Vec<String>,
    },
    /// It was sent and did not take effect.
    NoEffect {
        /// What is to be seen.
        about: String,
    },
    /// It was sent and its end is not known.
    Unconfirmed {
        /// What is to be seen.
        about: String,
        /// What to do.
        advice: String,
    },
}

impl End {
    /// Whether the next host may have its turn.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }

    /// What the journal says of it; nothing for a turn that it need not know of.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Done { differences, .. } if differences.is_empty() => Outcome::Done,
            Self::Done { .. } => Outcome::Differs,
            Self::Drifted(_)
            | Self::Verdict(_)
            | Self::Busy(_)
            | Self::Unreachable(_)
            | Self::Interrupted
            | Self::NotReached => Outcome::NotStarted,
            Self::Refused { .. } => Outcome::Refused,
            Self::NoEffect { .. } => Outcome::NoEffect,
            Self::Unconfirmed { .. } => Outcome::Unconfirmed,
        }
    }

    /// The lines of it for the journal.
    pub fn about(&self) -> Vec<String> {
        match self {
            Self::Done { differences, notes } => {
                differences.iter().map(|difference| difference.message.clone()).chain(notes.iter().cloned()).collect()
            }
            Self::Drifted(drift) => drift.iter().map(ToString::to_string).collect(),
            Self::Verdict(verdict) => vec![verdict.words().to_owned()],
            Self::Busy(operations) => operations.clone(),
            Self::Unreachable(why) => vec![why.clone()],
            Self::Interrupted => vec!["interrupted by the operator".to_owned()],
            Self::NotReached => vec!["an earlier host did not end well".to_owned()],
            Self::Refused { code, params, left } => {
                let refusal = format!("{code} [{}]", params.join(", "));
                std::iter::once(refusal).chain(left.iter().cloned()).collect()
            }
            Self::NoEffect { about } | Self::Unconfirmed { about, .. } => vec![about.clone()],
        }
    }
}
