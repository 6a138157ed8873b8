//! The plan: what will be called, on whom, what it changes, and everything that the act is compared with. Pure data that
//! people read as a table or Markdown and programs as JSON.

mod changes;
mod file;
mod make;
mod predict;
mod render;
mod schema;

pub use file::{FORMAT, MAJOR, MINOR, PlanError, read_plan};
pub use make::{EjectPlan, JoinPlan, Sought, eject_plan, join_plan};
pub use predict::{Predicted, PredictedBond, PredictedNic, PredictedVlan, Thing};
pub use render::{to_markdown, to_table};
pub use schema::{json_schema, run_schema};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::journal::Act;
use crate::rules::{FactRead, FixStep, Outcome, Refusal, Severity, Verdict, Waived};

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What it is: [`FORMAT`].
    pub format: String,
    /// Its version: `1.1`.
    pub version: String,
    /// Who wrote it: program and version.
    pub tool: String,
    /// When, `YYYY-MM-DDThh:mm:ssZ`.
    pub made_at: String,
    /// What is to be done.
    pub act: Act,
    /// The verdict over all steps.
    pub verdict: Verdict,
    /// The pool.
    pub pool: PlannedPool,
    /// How many hosts a pool may have.
    pub max_hosts: i64,
    /// SHA-256 over the rules that judged.
    pub rules: String,
    /// What is wrong with the waivers; nothing where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<PlannedFinding>,
    /// The hosts, one after another.
    pub steps: Vec<Step>,
    /// SHA-256 over all the rest, as canonical JSON.
    #[serde(default)]
    pub digest: String,
}

/// The pool of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPool {
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
    /// How many hosts it has now.
    pub hosts: Option<usize>,
    /// Its release.
    pub release: String,
    /// Its coordinator.
    pub coordinator: Party,
}

/// A server that takes part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
    /// Its management address.
    pub address: String,
    /// The target by which the operator named it.
    pub target: String,
    /// The pinned certificate's SHA-256; empty on the toolstack's own socket.
    pub fingerprint: String,
    /// SHA-256 over the snapshot of its side, as canonical JSON.
    pub snapshot: String,
    /// When that was taken.
    pub seen: String,
}

/// One host's turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The host.
    pub host: Party,
    /// Its release.
    pub release: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// What the rules have to say.
    pub findings: Vec<PlannedFinding>,
    /// What the server would refuse with; nothing where no check is known to refuse.
    pub refusal: Option<Refusal>,
    /// The call.
    pub call: Call,
    /// What it changes.
    pub changes: Vec<Change>,
    /// What cannot be made safe from here.
    pub risks: Vec<String>,
    /// What to do first.
    pub before: Vec<FixStep>,
    /// The commands that do the same by hand.
    pub by_hand: Vec<FixStep>,
    /// How to undo it.
    pub undo: Vec<FixStep>,
    /// What is predicted, to compare with what comes.
    pub predicted: Predicted,
    /// What each rule said, by its id.
    pub outcomes: BTreeMap<String, Outcome>,
    /// Every fact that a rule read and that is not volatile.
    pub facts: Vec<FactRead>,
}

/// What a rule has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedFinding {
    /// The rule.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What it says.
    pub outcome: Outcome,
    /// In words.
    pub message: String,
    /// Who answers for it, where it is waived: then it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waived>,
}

/// A call as it will be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The method: `pool.join`, `pool.eject`.
    pub method: String,
    /// The server that it is sent to.
    pub server: String,
    /// Its parameters by name, passwords left out.
    pub params: BTreeMap<String, String>,
    /// Parameters that are secret, by name.
    pub secret: Vec<String>,
}

/// Something that the call changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// On which side: `joiner`, `pool`, `member`.
    #[serde(rename = "where")]
    pub place: String,
    /// What.
    pub what: String,
    /// What becomes of it.
    pub becomes: String,
}
