//! Findings and verdicts in the formats that people and programs read. Renderers take a report and write it;
//! they decide nothing.

mod alike;
mod eject;
mod fleet;
mod github;
mod gitlab;
mod html;
mod json;
mod junit;
mod losses;
mod markdown;
mod ndjson;
mod network;
mod parts;
mod sarif;
mod schema;
mod table;

pub use fleet::{
    fleet_line_schema, fleet_schema, fleet_to_github, fleet_to_json, fleet_to_junit, fleet_to_markdown,
    fleet_to_table,
};
pub use github::to_github;
pub use gitlab::to_gitlab;
pub use html::{Pictures, to_html};
pub use json::to_json;
pub use junit::to_junit;
pub use markdown::to_markdown;
pub use ndjson::to_ndjson;
pub use sarif::to_sarif;
pub use schema::{json_schema, line_schema};
pub use table::{TableOptions, to_table};

use crate::cpu::CpuFacts;
use crate::eject::EjectFacts;
use crate::facts::Known;
use crate::network::NetworkFacts;
use crate::rules::{Finding, Outcome, Policy, Prediction, Severity, SharedSr, Verdict};

/// A judged run: one pool, and its joiners in order or the member that is to leave.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict over all joiners.
    pub verdict: Verdict,
    /// The pool that was joined in thought.
    pub pool: PoolSummary,
    /// What the operator asked for.
    pub policy: Policy,
    /// The joiners, in their order.
    pub joiners: Vec<JoinerReport>,
    /// The member that is to leave, in phase eject; there are no joiners then.
    pub member: Option<Box<MemberReport>>,
    /// The waivers of the run, where there are any.
    pub waivers: Option<WaiverReport>,
}

/// What a report says of the file of waivers.
#[derive(Clone, Debug, Default)]
pub struct WaiverReport {
    /// The file.
    pub file: String,
    /// The day on which they were judged, `YYYY-MM-DD`.
    pub today: String,
    /// What is wrong with them: expired, unmatched, over-broad, not applied.
    pub findings: Vec<Finding>,
}

/// What a report says of the pool.
#[derive(Clone, Debug)]
pub struct PoolSummary {
    /// Its name, else its coordinator's.
    pub name: String,
    /// Its uuid; empty when unknown.
    pub uuid: String,
    /// How many hosts it has before the first joiner.
    pub hosts: Option<usize>,
    /// Its coordinator's release, where known.
    pub release: String,
    /// Its coordinator's address; empty when unknown.
    pub address: String,
    /// The target that it was read from.
    pub target: String,
    /// When it was seen; empty when the source does not say.
    pub seen: String,
    /// Remarks of the collector.
    pub notes: Vec<String>,
}

/// What a report says of one joiner.
#[derive(Clone, Debug)]
pub struct JoinerReport {
    /// The host's name.
    pub name: String,
    /// The host's uuid; empty when unknown.
    pub uuid: String,
    /// The target that it was read from.
    pub target: String,
    /// When it was seen; empty when the source does not say.
    pub seen: String,
    /// Its release, where known.
    pub release: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// What pool.join would answer; none where there is no server to ask.
    pub server: Option<Prediction>,
    /// What the join does to the CPU level.
    pub cpu: CpuFacts,
    /// Where the joiner's network will land.
    pub network: NetworkFacts,
    /// The pool's shared storage, which must admit the joiner.
    pub storage: Known<Vec<SharedSr>>,
    /// What each rule said, the weightiest first.
    pub findings: Vec<Finding>,
    /// What is assumed and not seen.
    pub assumed: Vec<String>,
    /// Remarks of the collector.
    pub notes: Vec<String>,
}

/// What a report says of a member that is to leave.
#[derive(Clone, Debug)]
pub struct MemberReport {
    /// The host's name.
    pub name: String,
    /// The host's uuid; empty when unknown.
    pub uuid: String,
    /// Its release, where known.
    pub release: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// What pool.eject would answer; none where there is no server to ask.
    pub server: Option<Prediction>,
    /// What is destroyed, and what stays.
    pub facts: EjectFacts,
    /// What each rule said, the weightiest first.
    pub findings: Vec<Finding>,
}

impl JoinerReport {
    /// The findings that have something to say.
    pub fn telling(&self) -> impl Iterator<Item = &Finding> {
        telling(&self.findings)
    }
}

/// How many rules of a severity had an outcome; what is waived is counted apart.
fn count(findings: &[Finding], severity: Severity, outcome: Outcome) -> usize {
    let counts = |finding: &&Finding| finding.severity == severity && finding.outcome == outcome;
    findings.iter().filter(|finding| finding.waived.is_none()).filter(counts).count()
}

fn waived_count(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.waived.is_some()).count()
}

fn telling(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| parts::is_telling(finding))
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("{count} {word}") } else { format!("{count} {word}s") }
}
