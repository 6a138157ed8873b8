//! What rules say: outcomes, findings, and the verdict over them.

use serde::{Deserialize, Serialize};

use crate::facts::Unknown;

/// How much a rule weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the reader; changes nothing.
    Note,
    /// The join works and something will be worse after it.
    Warning,
    /// The join must not be done.
    Blocker,
}

impl Severity {
    /// The word used in rule files and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Blocker => "blocker",
        }
    }

    /// Reads the word of a rule file.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Note, Self::Warning, Self::Blocker].into_iter().find(|severity| severity.word() == word)
    }
}

/// What a rule says of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// What it requires holds.
    Pass,
    /// What it requires does not hold.
    Fail,
    /// A fact is missing that would decide.
    Unknown,
    /// It has nothing to say here.
    NotApplicable,
}

impl Outcome {
    /// The word used in examples and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// The four words of every report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing speaks against it.
    #[serde(rename = "GO")]
    Go,
    /// Nothing forbids it, something is worth reading first.
    #[serde(rename = "GO WITH WARNINGS")]
    GoWithWarnings,
    /// At least one blocker.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// No blocker is known, and a fact that one needs is missing.
    #[serde(rename = "UNDECIDED")]
    Undecided,
}

impl Verdict {
    /// The words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::GoWithWarnings => "GO WITH WARNINGS",
            Self::NoGo => "NO-GO",
            Self::Undecided => "UNDECIDED",
        }
    }

    /// The verdict over findings. A missing fact is never a pass: an undecided blocker leaves the whole undecided, an
    /// undecided warning counts as a warning.
    pub fn over<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Self {
        findings.into_iter().fold(Self::Go, |verdict, finding| verdict.and(Self::of(finding)))
    }

    fn of(finding: &Finding) -> Self {
        if finding.waived.is_some() {
            return Self::Go;
        }
        Self::of_rule(finding.severity, finding.outcome)
    }

    /// The verdict over what rules of these severities say, where nothing is waived.
    pub fn weigh(rules: impl IntoIterator<Item = (Severity, Outcome)>) -> Self {
        rules.into_iter().fold(Self::Go, |verdict, (severity, outcome)| verdict.and(Self::of_rule(severity, outcome)))
    }

    const fn of_rule(severity: Severity, outcome: Outcome) -> Self {
        match (severity, outcome) {
            (Severity::Blocker, Outcome::Fail) => Self::NoGo,
            (Severity::Blocker, Outcome::Unknown) => Self::Undecided,
            (Severity::Warning, Outcome::Fail | Outcome::Unknown) => Self::GoWithWarnings,
            _ => Self::Go,
        }
    }

    /// The verdict over two parts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |verdict| match verdict {
            Self::NoGo => 0,
            Self::Undecided => 1,
            Self::GoWithWarnings => 2,
            Self::Go => 3,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

/// A fact that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The fact's path in the case: `joiner.vms[3].power_state`.
    pub fact: String,
    /// The object that it is of: `VM web01`.
    pub object: String,
    /// Its value; why there is none, where it is missing.
    pub value: String,
    /// Whether it is missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
    /// What it would say, where it is missing and would decide.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The target that it was read from; empty for what was derived.
    pub source: String,
    /// When it was seen; empty when the source does not say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub seen: String,
    /// Whether it was assumed (`--as-release`) and not seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub assumed: bool,
}

/// A step that mends a finding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixStep {
    /// On which side to do it.
    #[serde(rename = "where")]
    pub place: String,
    /// The command; empty where no command does it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// What to know; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What it loses; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub loses: String,
}

/// The server's answer to a failed check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Its error code.
    pub code: String,
    /// The code's parameters.
    pub params: Vec<String>,
}

/// What the server's own check of a rule comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerAnswer {
    /// It lets the join pass.
    Passes,
    /// It refuses.
    Refuses(Refusal),
    /// A fact that it reads is missing here.
    Undecided,
}

/// What one rule says of one joiner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// What holds when the rule passes.
    pub title: String,
    /// What it says.
    pub outcome: Outcome,
    /// How much it weighs.
    pub severity: Severity,
    /// In words; for a pass, the title.
    pub message: String,
    /// A line for each element that failed.
    pub items: Vec<String>,
    /// The facts that decided.
    pub evidence: Vec<Evidence>,
    /// How many more facts decided and are not listed.
    pub evidence_left_out: usize,
    /// What mends it, in order.
    pub fix: Vec<FixStep>,
    /// The server's check behind it, with the part of that check and its answer; none where the server does not check.
    pub server: Option<(&'static str, u32, ServerAnswer)>,
    /// Why it could not be decided.
    pub unknown: Option<Unknown>,
    /// The waiver under which it does not count.
    pub waived: Option<Waived>,
    /// The rule's own severity, where a user's rules set another.
    pub severity_was: Option<Severity>,
    /// Whether it fails and makes all others idle: the host is not one that could join.
    pub sole: bool,
}

/// The waiver of a finding: it stays visible and does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waived {
    /// Why it may be.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day on which it holds, `YYYY-MM-DD`.
    pub expires: String,
    /// Where it is written: `waivers.toml:12`.
    pub waiver: String,
}

/// Puts the weightiest first: failed before undecided, blockers before warnings, blockers that no side mends before the others (they
/// make the rest idle), then in the server's order, then by name; what is waived and what passed come last.
pub fn weightiest_first(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| {
        let outcome = match (finding.outcome, finding.severity) {
            (Outcome::Fail, _) if finding.waived.is_some() => 6,
            (Outcome::Fail, Severity::Blocker) => 0,
            (Outcome::Unknown, Severity::Blocker) => 1,
            (Outcome::Fail, Severity::Warning) => 2,
            (Outcome::Unknown, Severity::Warning) => 3,
            (Outcome::Fail, Severity::Note) => 4,
            (Outcome::Unknown, Severity::Note) => 5,
            (Outcome::Pass, _) => 7,
            (Outcome::NotApplicable, _) => 8,
        };
        let idle =
            !finding.fix.is_empty() && finding.fix.iter().all(|step| step.place == "anywhere" && step.run.is_empty());
        let mended = outcome != 0 || !idle;
        let place =
            finding.server.as_ref().and_then(|(check, part, _)| Some((crate::rules::check_place(check)?, *part)));
        (outcome, mended, place.unwrap_or((usize::MAX, 0)), finding.rule.clone())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, outcome: Outcome) -> Finding {
        Finding {
            rule: "r".into(),
            title: String::new(),
            outcome,
            severity,
            message: String::new(),
            items: vec![],
            evidence: vec![],
            evidence_left_out: 0,
            fix: vec![],
            server: None,
            unknown: None,
            waived: None,
            severity_was: None,
            sole: false,
        }
    }

    #[test]
    fn a_missing_fact_is_never_a_pass() {
        let verdict = |parts: &[(Severity, Outcome)]| {
            Verdict::over(&parts.iter().map(|(severity, outcome)| finding(*severity, *outcome)).collect::<Vec<_>>())
        };
        use Outcome::{Fail, NotApplicable, Pass, Unknown};
        use Severity::{Blocker, Note, Warning};
        assert_eq!(verdict(&[]), Verdict::Go);
        assert_eq!(verdict(&[(Blocker, Pass), (Note, Fail), (Note, Unknown), (Blocker, NotApplicable)]), Verdict::Go);
        assert_eq!(verdict(&[(Warning, Fail)]), Verdict::GoWithWarnings);
        assert_eq!(verdict(&[(Warning, Unknown)]), Verdict::GoWithWarnings);
        assert_eq!(verdict(&[(Blocker, Unknown), (Warning, Fail)]), Verdict::Undecided);
        assert_eq!(verdict(&[(Blocker, Unknown), (Blocker, Fail)]), Verdict::NoGo);
    }
}
