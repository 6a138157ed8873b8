//! A GitLab code quality report: a list of findings, each at the file that its host was read from.

use serde::Serialize;

use super::Report;
use super::parts::{Part, fingerprint, mark, waived};
use crate::rules::{Finding, Outcome, Severity};
use crate::text::{json, plain};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// The findings that have something to say, as JSON with a final newline.
pub fn to_gitlab(report: &Report) -> String {
    let parts = report.parts();
    let issues: Vec<_> = parts
        .iter()
        .flat_map(|part| part.shown(false).map(move |finding| (part, finding)))
        .map(|(part, finding)| issue(report, part, finding))
        .collect();
    json(&issues)
}

fn issue<'a>(report: &Report, part: &Part<'_>, finding: &'a Finding) -> Issue<'a> {
    let mut description = format!("{}: {}: {}", part.name, mark(finding), finding.message);
    if let Some(waived) = waived(finding) {
        description.push_str(&format!(" ({waived})"));
    }
    Issue {
        description: plain(&description).into_owned(),
        check_name: &finding.rule,
        fingerprint: fingerprint(report, part, finding),
        severity: match (finding.outcome, finding.severity) {
            _ if finding.waived.is_some() => "info",
            (Outcome::Fail | Outcome::Unknown, Severity::Blocker) => "blocker",
            (Outcome::Fail | Outcome::Unknown, Severity::Warning) => "major",
            _ => "info",
        },
        location: Location {
            path: plain(part.source.strip_prefix("./").unwrap_or(part.source)).into_owned(),
            lines: Lines { begin: 1 },
        },
    }
}
