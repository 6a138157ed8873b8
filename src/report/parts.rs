//! A report as a flat list: the hosts that were judged and, last, the run itself, each with its findings. Every format
//! but the table and JSON is written over these, so that none can leave a host out.

use super::Report;
use crate::eject::EjectFacts;
use crate::rules::{Evidence, Finding, FixStep, Outcome, Prediction, ServerAnswer, Severity, Verdict};
use crate::text::plain;

/// What a part is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    /// A host that is to join.
    Joiner,
    /// A host that is to leave.
    Member,
    /// The run: its waivers.
    Run,
}

impl PartKind {
    /// The word in formats for programs.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Joiner => "joiner",
            Self::Member => "member",
            Self::Run => "run",
        }
    }
}

/// One host, or the run, with its findings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) kind: PartKind,
    /// The host's name; `waivers` for the run.
    pub(super) name: &'a str,
    pub(super) uuid: &'a str,
    pub(super) release: &'a str,
    /// The target that the host was read from.
    pub(super) source: &'a str,
    pub(super) seen: &'a str,
    pub(super) verdict: Verdict,
    pub(super) server: Option<&'a Prediction>,
    pub(super) findings: &'a [Finding],
    pub(super) notes: &'a [String],
    /// What a member's leaving destroys.
    pub(super) eject: Option<&'a EjectFacts>,
}

impl Part<'_> {
    /// The findings to show: all, or those that have something to say.
    pub(super) fn shown(&self, all: bool) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| all || is_telling(finding))
    }

    /// How many findings of which kind, in a line.
    pub(super) fn summary(&self) -> String {
        let all = summary(self.findings);
        match self.kind {
            // Nothing of a run passes: there are only findings.
            PartKind::Run => all.strip_suffix(", 0 rules passed").map(str::to_owned).unwrap_or(all),
            PartKind::Joiner | PartKind::Member => all,
        }
    }

    /// What the server would answer, in a line.
    pub(super) fn answer(&self) -> Option<String> {
        let call = match self.kind {
            PartKind::Joiner => "pool.join",
            PartKind::Member => "pool.eject",
            PartKind::Run => return None,
        };
        Some(match self.server {
            None => "no answer to predict: no server of a known release was seen".to_owned(),
            Some(server) => match &server.first {
                Some(first) if first.params.is_empty() => format!("{call} refuses with {}", first.code),
                Some(first) => format!("{call} refuses with {} [{}]", first.code, first.params.join("; ")),
                None if server.undecided.is_empty() => format!("{call} passes its checks"),
                None => format!("{call} is not known to refuse; cannot tell: {}", server.undecided.join(", ")),
            },
        })
    }
}

impl Report {
    /// The hosts in their order, then the run where there is something to say of it.
    pub(super) fn parts(&self) -> Vec<Part<'_>> {
        let joiners = self.joiners.iter().map(|joiner| Part {
            kind: PartKind::Joiner,
            name: &joiner.name,
            uuid: &joiner.uuid,
            release: &joiner.release,
            source: &joiner.target,
            seen: &joiner.seen,
            verdict: joiner.verdict,
            server: joiner.server.as_ref(),
            findings: &joiner.findings,
            notes: &joiner.notes,
            eject: None,
        });
        let member = self.member.iter().map(|member| Part {
            kind: PartKind::Member,
            name: &member.name,
            uuid: &member.uuid,
            release: &member.release,
            source: &self.pool.target,
            seen: &self.pool.seen,
            verdict: member.verdict,
            server: member.server.as_ref(),
            findings: &member.findings,
            notes: &[],
            eject: Some(&member.facts),
        });
        let run = self.waivers.iter().filter(|waivers| !waivers.findings.is_empty()).map(|waivers| Part {
            kind: PartKind::Run,
            name: "waivers",
            uuid: "",
            release: "",
            source: &waivers.file,
            seen: "",
            verdict: Verdict::over(&waivers.findings),
            server: None,
            findings: &waivers.findings,
            notes: &[],
            eject: None,
        });
        joiners.chain(member).chain(run).collect()
    }

    /// One line on what was asked: `branch-01 → pool production`.
    pub(super) fn question(&self) -> String {
        match &self.member {
            Some(member) => format!("{} leaves pool {}", member.name, self.pool.name),
            None => {
                let names: Vec<_> = self.joiners.iter().map(|joiner| joiner.name.as_str()).collect();
                format!("{} → pool {}", names.join(", "), self.pool.name)
            }
        }
    }
}

/// Whether a finding is shown without being asked for.
pub(super) fn is_telling(finding: &Finding) -> bool {
    matches!(finding.outcome, Outcome::Fail | Outcome::Unknown)
}

/// What a finding comes to, in a word.
pub(super) const fn mark(finding: &Finding) -> &'static str {
    match (finding.outcome, finding.severity) {
        (Outcome::Fail, _) if finding.waived.is_some() => "waived",
        (Outcome::Fail, Severity::Blocker) => "BLOCKER",
        (Outcome::Fail, Severity::Warning) => "WARNING",
        (Outcome::Fail, Severity::Note) => "NOTE",
        (Outcome::Unknown, Severity::Blocker) => "UNDECIDED",
        (Outcome::Unknown, _) => "unknown",
        (Outcome::Pass, _) => "pass",
        (Outcome::NotApplicable, _) => "n/a",
    }
}

/// Who waived a finding, until when and why.
pub(super) fn waived(finding: &Finding) -> Option<String> {
    let waived = finding.waived.as_ref()?;
    Some(format!("waived by {} until {}: {}", waived.owner, waived.expires, waived.reason))
}

/// That a rule's own severity was changed.
pub(super) fn overridden(finding: &Finding) -> Option<String> {
    let was = finding.severity_was?;
    Some(format!("{} by your rules; the rule itself says {}", finding.severity.word(), was.word()))
}

/// Who had which findings, in one line: `6 blockers, 3 warnings, 1 undecided, 1 waived, 88 passed`.
pub(super) fn summary(findings: &[Finding]) -> String {
    use super::{count, plural, waived_count};
    let mut words: Vec<_> =
        [(Severity::Blocker, "blocker"), (Severity::Warning, "warning"), (Severity::Note, "note")]
            .into_iter()
            .map(|(severity, word)| (count(findings, severity, Outcome::Fail), word))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| plural(count, word))
            .collect();
    let total = |outcome| findings.iter().filter(|finding| finding.outcome == outcome).count();
    if total(Outcome::Unknown) > 0 {
        words.push(format!("{} undecided", total(Outcome::Unknown)));
    }
    if waived_count(findings) > 0 {
        words.push(format!("{} waived", waived_count(findings)));
    }
    words.push(format!("{} passed", plural(total(Outcome::Pass), "rule")));
    words.join(", ")
}

/// What the server's own check of a failed rule answers.
pub(super) fn refusal(finding: &Finding) -> Option<String> {
    match &finding.server {
        Some((_, _, ServerAnswer::Refuses(refusal))) if refusal.params.is_empty() => {
            Some(format!("the server refuses with {}", refusal.code))
        }
        Some((_, _, ServerAnswer::Refuses(refusal))) => {
            Some(format!("the server refuses with {} [{}]", refusal.code, refusal.params.join("; ")))
        }
        _ => None,
    }
}

/// How many facts a finding shows in formats for people; JSON has them all.
const EVIDENCE: usize = 6;

/// The facts behind a finding as lines, and how many more there are.
pub(super) fn evidence(finding: &Finding) -> (Vec<String>, usize) {
    let lines = finding.evidence.iter().take(EVIDENCE).map(witness).collect();
    (lines, finding.evidence.len().saturating_sub(EVIDENCE) + finding.evidence_left_out)
}

fn witness(evidence: &Evidence) -> String {
    let object = if evidence.object.contains(' ') { format!(" [{}]", evidence.object) } else { String::new() };
    let assumed = if evidence.assumed { " (assumed)" } else { "" };
    let sign = if evidence.missing { ":" } else { " =" };
    format!("{}{sign} {}{object}{assumed}{}", evidence.fact, evidence.value, about(evidence))
}

/// What a missing fact would say, after it.
pub(super) fn about(evidence: &Evidence) -> String {
    if evidence.about.is_empty() {
        String::new()
    } else {
        format!(" ({})", crate::text::decapitalised(&evidence.about))
    }
}

/// Where a step is done, in words.
pub(super) fn place(kind: PartKind, step: &FixStep) -> String {
    match step.place.as_str() {
        "member" if kind == PartKind::Joiner => "on the new member".to_owned(),
        "anywhere" => "anywhere".to_owned(),
        "firmware" | "cabling" => format!("in the {}", step.place),
        "pool" => "in the pool".to_owned(),
        place => format!("on the {place}"),
    }
}

/// A finding as lines of plain text, for formats that have one text for it: message, items, facts, what mends it.
pub(super) fn lines(kind: PartKind, finding: &Finding) -> Vec<String> {
    let mut lines = vec![finding.message.clone()];
    lines.extend(waived(finding));
    lines.extend(overridden(finding));
    lines.extend(refusal(finding));
    lines.extend(finding.items.iter().map(|item| format!("• {item}")));
    let (facts, more) = evidence(finding);
    let label = if finding.outcome == Outcome::Unknown { "needs" } else { "seen" };
    lines.extend(facts.iter().map(|fact| format!("{label}: {fact}")));
    if more > 0 {
        lines.push(format!("{} more in the JSON report", super::plural(more, "fact")));
    }
    for step in &finding.fix {
        let what = if step.run.is_empty() { &step.note } else { &step.run };
        lines.push(format!("mend {}: {what}", place(kind, step)));
        if !step.run.is_empty() && !step.note.is_empty() {
            lines.push(format!("  {}", step.note));
        }
        if !step.loses.is_empty() {
            lines.push(format!("  loses: {}", step.loses));
        }
    }
    lines.iter().map(|line| plain(line).into_owned()).collect()
}

/// A name for the same finding in every run: rule, host and pool, so that services can follow it. Not a secret, and no
/// more than it has to be: FNV-1a over the parts.
pub(super) fn fingerprint(report: &Report, part: &Part<'_>, finding: &Finding) -> String {
    let host = if part.uuid.is_empty() { part.name } else { part.uuid };
    let pool = if report.pool.uuid.is_empty() { &report.pool.name } else { &report.pool.uuid };
    // Two waivers of one rule are two findings.
    let own = if part.kind == PartKind::Run { finding.message.as_str() } else { "" };
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    for text in [finding.rule.as_str(), host, pool, own] {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }
    format!("{hash:032x}")
}
