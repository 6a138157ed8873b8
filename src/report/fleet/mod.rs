//! The report on a fleet in every format that has one: counts, and the worst by name.

mod github;
mod json;
mod junit;
mod markdown;
mod schema;
mod table;

pub use github::fleet_to_github;
pub use json::fleet_to_json;
pub use junit::fleet_to_junit;
pub use markdown::fleet_to_markdown;
pub use schema::{fleet_line_schema, fleet_schema};
pub use table::fleet_to_table;

use crate::fleet::{FleetReport, JoinerRow, Returned};
use crate::rules::{Severity, Verdict};

/// The words of a verdict; a fleet without joiners has none.
pub(super) const fn verdict_words(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(verdict) => verdict.words(),
        None => "NOTHING TO JUDGE",
    }
}

/// What was read, in a line.
fn read_line(report: &FleetReport) -> String {
    let read = &report.read;
    let shard = report.shard.as_ref().map(|shard| format!(", part {}/{}", shard.index, shard.of)).unwrap_or_default();
    format!(
        "fleet {}{shard}: {} in {}, {}",
        report.fleet,
        many(read.lines, "line"),
        many(read.pools, "pool"),
        many(report.joiners.total(), "joiner")
    )
}

/// What keeps the fleet from being judged whole, and what was assumed, a sentence each.
fn gaps(report: &FleetReport) -> Vec<String> {
    let read = &report.read;
    let mut gaps = Vec::new();
    if read.unreadable > 0 {
        let verb = if read.unreadable == 1 { "is" } else { "are" };
        gaps.push(format!("{} cannot be read and {verb} not judged", many(read.unreadable, "line")));
    }
    if let Some(Returned { line, first }) = report.returned.first() {
        let verb = if read.returned == 1 { "comes" } else { "come" };
        gaps.push(format!(
            "{} {verb} again after others (line {line}: that of line {first}), whose hosts are not judged against their own pool: \
             no GO is said of the fleet; sort its lines by pool",
            many(read.returned, "pool")
        ));
    }
    if read.not_judged > 0 {
        gaps.push(format!(
            "{} not judged: the first line of their pool cannot be read",
            many(read.not_judged, "joiner")
        ));
    }
    if read.doubtful > 0 {
        gaps.push(format!(
            "{} right after a line that cannot be read, which may be their first: no GO is said in them",
            many(read.doubtful, "pool")
        ));
    }
    if read.alone > 0 {
        gaps.push(format!("{} of one line, which has nothing to join", many(read.alone, "pool")));
    }
    if let Some(release) = &report.policy.as_release {
        gaps.push(format!(
            "hosts without the product are judged as if {release} were freshly installed: what that leaves to be seen is assumed, \
             and their guest CPU features are predicted"
        ));
    }
    gaps
}

/// What is the matter with a pool whose lines do not stand together.
fn comes_again(again: &Returned) -> String {
    format!(
        "the pool of line {} comes again after others: its hosts from here on are not judged against it, and no GO is said of the \
         fleet; sort its lines by pool",
        again.first
    )
}

/// Why facts are missing that blockers need, each with its joiners; classes that are missing for as many joiners together.
fn missing(report: &FleetReport) -> Vec<(u64, String)> {
    const CLASS: &str = "not collected: the records hold no class ";
    let mut reasons: Vec<(u64, String)> = Vec::new();
    for count in &report.missing {
        let class = count.reason.strip_prefix(CLASS);
        let other = |(joiners, reason): &&mut (u64, String)| *joiners == count.joiners && reason.starts_with(CLASS);
        match (class, reasons.iter_mut().find(other)) {
            (Some(class), Some((_, reason))) => {
                reason.push_str(", ");
                reason.push_str(class);
            }
            _ => reasons.push((count.joiners, count.reason.clone())),
        }
    }
    reasons
}

/// What is the matter with a joiner, in a few words: how many rules of which weight failed or lack a fact.
fn matter(row: &JoinerRow) -> String {
    let failed = |severity| row.failed.iter().filter(|rule| rule.severity == severity).count();
    let undecided = row.undecided.iter().filter(|rule| rule.severity != Severity::Note).count();
    let counts = [
        (failed(Severity::Blocker), "blocker"),
        (failed(Severity::Warning), "warning"),
        (undecided, "undecided rule"),
    ];
    let mut texts: Vec<_> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| many(count as u64, word)).collect();
    if row.doubtful {
        texts.push("a line right before its pool cannot be read and may be the pool's first".to_owned());
    }
    texts.join(", ")
}

/// A count of things.
fn many(count: u64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
