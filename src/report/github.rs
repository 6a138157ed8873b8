//! Annotations for a GitHub Actions log: one workflow command a finding.

use std::fmt::Write as _;

use super::Report;
use super::parts::{Part, lines, mark};
use crate::rules::{Finding, Outcome, Severity};
use crate::text::plain;

/// The verdict in plain words, then one command for each finding that has something to say.
pub fn to_github(report: &Report) -> String {
    let mut out = format!("{}: {}\n", report.verdict.words(), inert(&report.question()));
    for part in report.parts() {
        let _ = writeln!(out, "{}: {}: {}", part.kind.word(), inert(part.name), part.summary());
        for finding in part.shown(false) {
            out.push_str(&command(&part, finding));
        }
    }
    out
}

fn command(part: &Part<'_>, finding: &Finding) -> String {
    let command = match (finding.outcome, finding.severity) {
        _ if finding.waived.is_some() => "notice",
        (Outcome::Fail | Outcome::Unknown, Severity::Blocker) => "error",
        (Outcome::Fail | Outcome::Unknown, Severity::Warning) => "warning",
        _ => "notice",
    };
    let title = format!("{} {} on {}", mark(finding), finding.rule, plain(part.name));
    // A file is named only where there is one to look at.
    let file = match part.source {
        "local" | "xapi-local" | "-" => String::new(),
        source if source.contains("://") || source.starts_with("cpu:") => String::new(),
        source => format!("file={},", property(source)),
    };
    format!("::{command} {file}title={}::{}\n", property(&title), data(&lines(part.kind, finding).join("\n")))
}

/// The value of a command: a line end or a percent sign would end or change it.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace("##[", "## [")
}

/// The value of a command's property, which commas and colons end.
pub(super) fn property(text: &str) -> String {
    data(&plain(text)).replace(':', "%3A").replace(',', "%2C")
}

/// A text on a line of its own that runs no command: neither `::name::` at its start nor the older `##[name]`.
pub(super) fn inert(text: &str) -> String {
    plain(text).replace("##[", "## [")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_end_a_command() {
        assert_eq!(property("a,b:c%\n::error::x"), "a%2Cb%3Ac%25\\u{a}%3A%3Aerror%3A%3Ax");
        assert_eq!(data("50%\n::set-env::##[error]x"), "50%25%0A::set-env::## [error]x");
    }
}
