//! What is said of one host, one pool and one line.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::FleetReport;
use super::top::Ranked;
use crate::rules::{Outcome, Refusal, Severity, Verdict};
use crate::text::json_text;

/// A joiner that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinerRow {
    /// Its line, from 1.
    pub line: usize,
    /// Its name; empty when unknown.
    pub name: String,
    /// Its uuid; empty when unknown.
    pub uuid: String,
    /// What its pool is called.
    pub pool: String,
    /// The line that its pool begins with.
    pub pool_line: usize,
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether GO was withheld, because a line that cannot be read may have been the first of its pool.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
    /// What the server would answer; none where there is no server to ask.
    pub server: Option<ServerRow>,
    /// What failed, the weightiest first.
    pub failed: Vec<FailedRule>,
    /// Rules for which a fact is missing, the weightiest first.
    pub undecided: Vec<UndecidedRule>,
}

/// What the server would answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerRow {
    /// The first refusal; none when no check is known to refuse.
    pub first: Option<Refusal>,
    /// Its checks for which a fact is missing, in its order.
    pub undecided: Vec<String>,
}

/// A rule that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedRule {
    /// The rule's id.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
    /// In words.
    pub message: String,
}

/// A rule for which a fact is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndecidedRule {
    /// The rule's id.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
}

/// What makes one joiner worse than another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) failed: [u32; 2],
    pub(super) undecided: [u32; 2],
}

/// The order of joiners, the worst first.
pub(super) type JoinerRank = (u8, [Reverse<u32>; 4], usize);

impl Weight {
    /// One rule more.
    pub(super) const fn add(&mut self, severity: Severity, outcome: Outcome) {
        let at = match severity {
            Severity::Blocker => 0,
            Severity::Warning => 1,
            Severity::Note => return,
        };
        match outcome {
            Outcome::Fail => self.failed[at] += 1,
            Outcome::Unknown => self.undecided[at] += 1,
            Outcome::Pass | Outcome::NotApplicable => {}
        }
    }

    /// The rank of a joiner on a line.
    pub(super) fn rank(self, verdict: Verdict, line: usize) -> JoinerRank {
        let [failed, undecided] = [self.failed, self.undecided];
        let counts = [failed[0], undecided[0], failed[1], undecided[1]].map(Reverse);
        (order(verdict), counts, line)
    }
}

const fn order(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::NoGo => 0,
        Verdict::Undecided => 1,
        Verdict::GoWithWarnings => 2,
        Verdict::Go => 3,
    }
}

impl Ranked for JoinerRow {
    type Rank = JoinerRank;

    fn rank(&self) -> JoinerRank {
        let mut weight = Weight::default();
        self.failed.iter().for_each(|rule| weight.add(rule.severity, Outcome::Fail));
        self.undecided.iter().for_each(|rule| weight.add(rule.severity, Outcome::Unknown));
        weight.rank(self.verdict, self.line)
    }
}

/// A pool with joiners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolRow {
    /// The line that it begins with.
    pub line: usize,
    /// What it is called.
    pub name: String,
    /// Its first host's name; empty when unknown.
    pub coordinator: String,
    /// The worst verdict among its joiners.
    pub verdict: Verdict,
    /// Its joiners by verdict.
    pub joiners: super::VerdictCounts,
}

/// The order of pools, the worst first.
pub(super) type PoolRank = (u8, [Reverse<u64>; 3], usize);

impl Ranked for PoolRow {
    type Rank = PoolRank;

    fn rank(&self) -> PoolRank {
        let counts = &self.joiners;
        let counts = [counts.no_go, counts.undecided, counts.go_with_warnings].map(Reverse);
        (order(self.verdict), counts, self.line)
    }
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BadLine {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

impl Ranked for BadLine {
    type Rank = usize;

    fn rank(&self) -> usize {
        self.line
    }
}

/// A host without a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unjudged {
    /// Its line, from 1.
    pub line: usize,
    /// Its name; empty when unknown.
    pub name: String,
    /// Its uuid; empty when unknown.
    pub uuid: String,
    /// What its pool is called.
    pub pool: String,
}

/// A line of an NDJSON report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FleetLine {
    /// The first host of a pool, which has nothing to join.
    First(Unjudged),
    /// A joiner.
    Joiner(JoinerRow),
    /// A joiner whose pool's first line cannot be read.
    NotJudged(Unjudged),
    /// A line that cannot be read.
    Unreadable(BadLine),
    /// All of it, counted: the last line.
    Summary(Box<FleetReport>),
}

impl FleetLine {
    /// The line, with its end.
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists of them: nothing in them can fail to serialise.
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("{}\n", json_text(&text))
    }
}
