//! Everything that can end a command early, with the exit status that it ends with.

use std::path::PathBuf;

use super::Exit;
use crate::collect::xapi::{AuthorityError, KnownHostsError, XapiError};
use crate::collect::{CollectError, QuoteError, TargetError, local::LocalError};
use crate::cpu::releases::UnknownProduct;
use crate::diff::DiffError;
use crate::eject::MemberError;
use crate::fleet::MergeError;
use crate::gate;
use crate::gate::journal::JournalError;
use crate::gate::lock::LockError;
use crate::lab::LabError;
use crate::plan::{PlanError, WeightsError};
use crate::rules::{RuleError, WaiverError};

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A target is no target.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A target could not be read.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A server could not be reached, trusted, logged in to or read.
    #[error(transparent)]
    Xapi(#[from] XapiError),
    /// The file of known hosts cannot be used.
    #[error(transparent)]
    KnownHosts(#[from] KnownHostsError),
    /// The file of authorities cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Several targets failed.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\npoolgate: "))]
    Several(Vec<Self>),
    /// A quote could not be read.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// This machine could not be read.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// `--as-release` names no release.
    #[error("--as-release: {0}")]
    Release(#[from] UnknownProduct),
    /// `--member` names no one host.
    #[error("--member: {0}")]
    Member(#[from] MemberError),
    /// The lab did not start.
    #[error("lab: {0}")]
    Lab(#[from] LabError),
    /// Two documents cannot be compared.
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// Rules have mistakes.
    #[error("{}\n{} in rules", .0.iter().map(|error| error.rendered.as_str()).collect::<Vec<_>>().join("\n\n"), mistakes(.0.len()))]
    Rules(Vec<RuleError>),
    /// Waivers have mistakes.
    #[error("{}\n{} in waivers", .0.iter().map(|error| error.rendered.as_str()).collect::<Vec<_>>().join("\n\n"), mistakes(.0.len()))]
    Waivers(Vec<WaiverError>),
    /// A file that the operator named could not be read.
    #[error("cannot read {what} {}: {source}", path.display())]
    Read {
        /// What it was to be.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder of rules could not be read.
    #[error("cannot read rules from {}: {source}; --rules takes a folder of .toml files", path.display())]
    RuleFolder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Parts of a fleet that make no whole.
    #[error("merge: {0}")]
    Merge(#[from] MergeError),
    /// Wishes for a plan that cannot be met.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// `--weights` names no weights.
    #[error("--weights {}: {source}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WeightsError,
    },
    /// Lines of a fleet that cannot be read.
    #[error("{}\nno plan was made: {} of {target} cannot be read; mend or remove them", lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), bad_lines(lines.len(), *more))]
    Lines {
        /// The fleet.
        target: String,
        /// What is wrong with the first of them.
        lines: Vec<CollectError>,
        /// How many more there are.
        more: usize,
    },
    /// A call was sent before, and its end is not known.
    #[error("{0}")]
    OpenCall(String),
    /// An output file could not be written.
    #[error("cannot write {}: {source}; what was there is untouched", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A plan cannot be used.
    #[error("{}: {source}", path.display())]
    JoinPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: gate::plan::PlanError,
    },
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Another run acts on the pool.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A server could not be reached, trusted, logged in to or read.
    #[error("{0}")]
    Unreachable(String),
    /// Anything wrong in what the operator asked for.
    #[error("{0}")]
    Usage(String),
}

fn mistakes(count: usize) -> String {
    if count == 1 { "1 mistake".to_owned() } else { format!("{count} mistakes") }
}

fn bad_lines(shown: usize, more: usize) -> String {
    let count = shown + more;
    let all = if count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
    if more > 0 { format!("{all} ({more} not shown)") } else { all }
}

impl CliError {
    /// The exit status.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Local(_) | Self::Xapi(_) | Self::Unreachable(_) => Exit::Unreachable,
            Self::Several(errors) => errors.iter().map(Self::exit).fold(Exit::Done, Exit::worse),
            Self::Target(_)
            | Self::Collect(_)
            | Self::KnownHosts(_)
            | Self::Authority(_)
            | Self::Quote(_)
            | Self::Release(_)
            | Self::Member(_)
            | Self::Lab(_)
            | Self::Diff(_)
            | Self::Rules(_)
            | Self::Waivers(_)
            | Self::Read { .. }
            | Self::RuleFolder { .. }
            | Self::Merge(_)
            | Self::Plan(_)
            | Self::Weights { .. }
            | Self::Lines { .. }
            | Self::Write { .. }
            | Self::JoinPlan { .. }
            | Self::Journal(_)
            | Self::Lock(_)
            | Self::Usage(_) => Exit::Usage,
            Self::OpenCall(_) => Exit::Unconfirmed,
        }
    }
}
