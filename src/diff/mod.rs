//! What changed between two snapshots or two JSON reports: both become trees, elements of lists are matched by what they
//! are called and not by where they stand. Pure; called by `cli`. Knows `facts` and `snapshot`.

mod schema;
mod table;
mod tree;
mod walk;

use serde::Serialize;
use serde_json::Value as Json;

use crate::facts::Fact as _;
use crate::snapshot::Snapshot;
use tree::{Node, of_json, of_value};

pub use schema::json_schema;
pub use walk::{Change, Difference};

/// One side of a comparison.
#[derive(Debug)]
pub struct Side {
    /// The target as the operator named it.
    pub target: String,
    what: What,
    seen: String,
    tree: Node,
}

/// What two sides are; both have to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Snapshots.
    Snapshot,
    /// Reports.
    Report,
}

/// Why two documents cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// A report of another format.
    #[error("{target}: {problem}; write it again with this version of poolgate")]
    Report {
        /// The file.
        target: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A snapshot and a report.
    #[error("{old} is a {} and {new} is a {}: compare two of a kind", .of.0.word(), .of.1.word())]
    Kinds {
        /// The older.
        old: String,
        /// The newer.
        new: String,
        /// What each is.
        of: (What, What),
    },
}

impl What {
    const fn word(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Report => "report",
        }
    }
}

/// What changed.
#[derive(Debug, Serialize)]
pub struct Diff {
    format: &'static str,
    version: &'static str,
    /// What was compared.
    pub of: What,
    old: End,
    new: End,
    /// The differences, in the order of the newer document; what is gone stands where it was.
    pub differences: Vec<Difference>,
    /// How many volatile facts differ and are not listed.
    pub volatile_left_out: usize,
}

#[derive(Debug, Serialize)]
struct End {
    source: String,
    seen: String,
}

impl Side {
    /// A snapshot's side.
    pub fn of_snapshot(target: &str, snapshot: &Snapshot) -> Self {
        Self {
            target: target.to_owned(),
            what: What::Snapshot,
            seen: snapshot.source.collected_at.text().unwrap_or_default().to_owned(),
            tree: of_value(&snapshot.pool.value()),
        }
    }

    /// A JSON report's side.
    pub fn of_report(target: &str, report: &Json) -> Result<Self, DiffError> {
        let problem = match (report["format"].as_str(), report["version"].as_str()) {
            (Some("poolgate-report"), Some(version)) if version.starts_with("1.") => None,
            (Some("poolgate-report"), version) => {
                Some(format!("its version {} is no version 1", version.unwrap_or("(none)")))
            }
            _ => Some("it is no poolgate report".to_owned()),
        };
        if let Some(problem) = problem {
            return Err(DiffError::Report { target: target.to_owned(), problem });
        }
        Ok(Self {
            target: target.to_owned(),
            what: What::Report,
            seen: report["pool"]["seen"].as_str().unwrap_or_default().to_owned(),
            tree: of_json(report),
        })
    }
}

/// Compares. `volatile` lists also what changes by its nature: clocks, counters, ages.
pub fn diff(old: &Side, new: &Side, volatile: bool) -> Result<Diff, DiffError> {
    if old.what != new.what {
        return Err(DiffError::Kinds { old: old.target.clone(), new: new.target.clone(), of: (old.what, new.what) });
    }
    let root = if new.what == What::Snapshot { "pool" } else { "report" };
    let mut differences = walk::walk(root, &old.tree, &new.tree);
    let before = differences.len();
    if !volatile {
        differences.retain(|difference| !difference.volatile);
    }
    let end = |side: &Side| End { source: side.target.clone(), seen: side.seen.clone() };
    Ok(Diff {
        format: "poolgate-diff",
        version: "1.0",
        of: new.what,
        old: end(old),
        new: end(new),
        volatile_left_out: before - differences.len(),
        differences,
    })
}
