//! Everything that can end a command early, with the exit status that it ends with.

use std::path::PathBuf;

use super::Exit;
use crate::collect::xapi::{AuthorityError, KnownHostsError, XapiError};
use crate::collect::{CollectError, TargetError, local::LocalError};
use crate::cpu::releases::UnknownProduct;
use crate::eject::MemberError;
use crate::gate::journal::JournalError;
use crate::gate::lock::LockError;
use crate::gate::plan::PlanError;
use crate::lab::LabError;
use crate::rules::RuleError;

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
    /// Rules have mistakes.
    #[error("{}\n{} in rules", .0.iter().map(|error| error.rendered.as_str()).collect::<Vec<_>>().join("\n\n"), mistakes(.0.len()))]
    Rules(Vec<RuleError>),
    /// A folder of rules could not be read.
    #[error("cannot read rules from {}: {source}; --rules takes a folder of .toml files", path.display())]
    RuleFolder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
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
    Plan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PlanError,
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
            | Self::Release(_)
            | Self::Member(_)
            | Self::Lab(_)
            | Self::Rules(_)
            | Self::RuleFolder { .. }
            | Self::Write { .. }
            | Self::Plan { .. }
            | Self::Journal(_)
            | Self::Lock(_)
            | Self::Usage(_) => Exit::Usage,
        }
    }
}
