//! What a journal tells. No event has room for a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::gate::plan::Predicted;
use crate::rules::Waived;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// A host joins a pool.
    Join,
    /// A member leaves it.
    Eject,
}

impl Act {
    /// The word, which is the command's too.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Eject => "eject",
        }
    }

    /// The server's method.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Join => "pool.join",
            Self::Eject => "pool.eject",
        }
    }
}

/// A host or pool by what people and servers call it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
    /// Its management address; empty where it does not matter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The target by which the operator named it; empty where it does not matter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
}

/// How a sent call was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer", deny_unknown_fields)]
pub enum Sent {
    /// The server says that it is done.
    Done,
    /// The server refused.
    Refused {
        /// Its code.
        code: String,
        /// The code's parameters.
        params: Vec<String>,
    },
    /// The call did not reach the server.
    NotSent {
        /// Why.
        why: String,
    },
    /// No answer came, or none that can be read: the server may have done it.
    Lost {
        /// What came instead.
        why: String,
    },
}

/// How a step or a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Done and as predicted.
    Done,
    /// Done, and something differs from the prediction.
    Differs,
    /// Nothing was sent.
    NotStarted,
    /// It was sent and the server refused.
    Refused,
    /// It was sent and did not take effect.
    NoEffect,
    /// It was sent and its end is not known.
    Unconfirmed,
}

impl Outcome {
    /// In a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Done => "done, as predicted",
            Self::Differs => "done, and not all as predicted",
            Self::NotStarted => "not started",
            Self::Refused => "refused by the server",
            Self::NoEffect => "without effect",
            Self::Unconfirmed => "not confirmed",
        }
    }

    /// Whether nothing is left to find out.
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Unconfirmed)
    }
}

/// One thing that happened, or is about to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// A run begins.
    Begun {
        /// What is to be done.
        act: Act,
        /// The program that writes this.
        tool: String,
        /// Its process.
        process: u32,
        /// Where it runs.
        machine: String,
        /// The pool.
        pool: Named,
        /// The hosts, in order.
        hosts: Vec<Named>,
        /// Digest of the plan.
        plan: String,
        /// Digest of the rules.
        rules: String,
    },
    /// A finding that does not count, because somebody answers for it.
    Waived {
        /// The host.
        host: Named,
        /// The rule.
        rule: String,
        /// Who answers for it, until when, and why.
        #[serde(flatten)]
        waived: Waived,
    },
    /// Somebody agreed.
    Confirmed {
        /// `typed` on a terminal, or `plan`: a plan that was written before.
        by: String,
    },
    /// A server forgot the session while it was only asked, and was asked again in a new one.
    LoggedInAgain {
        /// The server.
        server: String,
        /// The call that was answered so.
        during: String,
    },
    /// A host's turn: both sides were collected again and compared with the plan.
    Compared {
        /// The host.
        host: Named,
        /// Digest of the pool's snapshot.
        pool: String,
        /// Digest of the host's snapshot; empty at an eject.
        joiner: String,
        /// What changed and stops it; empty when nothing did.
        changes: Vec<String>,
    },
    /// The next thing that happens is this call. On disk before it is sent.
    Sending {
        /// The host.
        host: Named,
        /// `pool.join`, `pool.eject`.
        method: String,
        /// The server that it is sent to.
        server: String,
        /// Its parameters, passwords left out.
        params: BTreeMap<String, String>,
        /// What is predicted, to compare with what comes.
        predicted: Box<Predicted>,
    },
    /// What came of it.
    Answered {
        /// The host.
        host: String,
        /// The answer.
        #[serde(flatten)]
        sent: Sent,
    },
    /// What the servers showed afterwards, when it changed.
    Looked {
        /// The host.
        host: String,
        /// The phase that it is in.
        phase: String,
        /// In words.
        about: String,
    },
    /// A host's turn is over.
    Ended {
        /// The host.
        host: String,
        /// How.
        outcome: Outcome,
        /// What differs, or why; one line each.
        about: Vec<String>,
    },
    /// The run is over.
    Closed {
        /// Its exit status.
        exit: u8,
    },
    /// An earlier run broke off while it wrote a line; what is left of that line stands before this one.
    Recovered {
        /// How many bytes are left of it.
        bytes: usize,
        /// Their digest.
        sha256: String,
    },
}
