//! Everything that can end a command early, with the exit status that it ends with.

use std::path::PathBuf;

use super::Exit;
use crate::collect::{CollectError, TargetError, local::LocalError};
use crate::cpu::releases::UnknownProduct;
use crate::diff::DiffError;
use crate::eject::MemberError;
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
    /// This machine could not be read.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// `--as-release` names no release.
    #[error("--as-release: {0}")]
    Release(#[from] UnknownProduct),
    /// `--member` names no one host.
    #[error("--member: {0}")]
    Member(#[from] MemberError),
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
    /// An output file could not be written.
    #[error("cannot write {}: {source}; what was there is untouched", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Anything wrong in what the operator asked for.
    #[error("{0}")]
    Usage(String),
}

fn mistakes(count: usize) -> String {
    if count == 1 { "1 mistake".to_owned() } else { format!("{count} mistakes") }
}

impl CliError {
    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Local(_) => Exit::Unreachable,
            Self::Target(_)
            | Self::Collect(_)
            | Self::Release(_)
            | Self::Member(_)
            | Self::Diff(_)
            | Self::Rules(_)
            | Self::Waivers(_)
            | Self::Read { .. }
            | Self::RuleFolder { .. }
            | Self::Write { .. }
            | Self::Usage(_) => Exit::Usage,
        }
    }
}
