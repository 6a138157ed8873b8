//! The report as SARIF 2.1.0 (OASIS), for code scanning: a small model of the fields that are written, section numbers
//! as in the standard.

use serde::Serialize;

use super::Report;
use super::json::phase;
use super::parts::{Part, fingerprint, lines, mark};
use crate::rules::{Finding, Outcome, Severity};
use crate::text::{json, plain};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// 3.13
#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

/// 3.14
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    /// 3.14.19: the text is Unicode, and columns are not given.
    column_kind: &'static str,
    results: Vec<SarifResult<'a>>,
    properties: RunProperties<'a>,
}

#[derive(Serialize)]
struct RunProperties<'a> {
    verdict: &'static str,
    phase: &'static str,
    pool: std::borrow::Cow<'a, str>,
}

/// 3.18
#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

/// 3.19
#[derive(Serialize)]
struct Driver<'a> {
    name: &'static str,
    version: &'static str,
    rules: Vec<Descriptor<'a>>,
}

/// 3.49
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    id: &'a str,
    short_description: Message,
    help: Message,
    default_configuration: Configuration,
}

/// 3.50
#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

/// 3.11 and 3.12
#[derive(Serialize)]
struct Message {
    text: String,
}

/// 3.27
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    rule_index: usize,
    kind: &'static str,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: ResultProperties<'a>,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "poolgateFinding/v1")]
    finding: String,
}

#[derive(Serialize)]
struct ResultProperties<'a> {
    host: std::borrow::Cow<'a, str>,
    outcome: &'static str,
    severity: &'static str,
}

/// 3.28
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    logical_locations: [LogicalLocation; 1],
}

/// 3.29
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
}

/// 3.4
#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

/// 3.33
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    kind: &'static str,
}

/// 3.35
#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

/// The report as SARIF. `all` adds the rules that passed or had no say.
pub fn to_sarif(report: &Report, all: bool) -> String {
    let parts = report.parts();
    let mut rules: Vec<&Finding> = parts.iter().flat_map(|part| part.shown(all)).collect();
    rules.sort_by_key(|finding| finding.rule.as_str());
    rules.dedup_by_key(|finding| finding.rule.as_str());
    let index = |finding: &Finding| rules.iter().position(|rule| rule.rule == finding.rule).unwrap_or_default();
    let results = parts.iter().flat_map(|part| part.shown(all).map(move |finding| (part, finding)));
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            column_kind: "unicodeCodePoints",
            results: results.map(|(part, finding)| result(report, part, finding, index(finding))).collect(),
            properties: RunProperties {
                verdict: report.verdict.words(),
                phase: phase(report),
                pool: plain(&report.pool.name),
            },
            tool: Tool {
                driver: Driver {
                    name: "poolgate",
                    version: env!("CARGO_PKG_VERSION"),
                    rules: rules.iter().map(|rule| descriptor(rule)).collect(),
                },
            },
        }],
    };
    json(&log)
}

fn descriptor(finding: &Finding) -> Descriptor<'_> {
    Descriptor {
        id: &finding.rule,
        short_description: Message { text: literal(&plain(&finding.title)) },
        help: Message { text: format!("poolgate rules explain {}", finding.rule) },
        default_configuration: Configuration { level: level(finding.severity) },
    }
}

fn result<'a>(report: &Report, part: &Part<'a>, finding: &'a Finding, rule_index: usize) -> SarifResult<'a> {
    let (kind, level) = match finding.outcome {
        // A blocker that nobody could decide stops the join as a failed one does; of another kind than "fail" a result
        // has no level (3.27.10), and services would not show it.
        Outcome::Fail | Outcome::Unknown => ("fail", level(finding.severity)),
        Outcome::Pass => ("pass", "none"),
        Outcome::NotApplicable => ("notApplicable", "none"),
    };
    let host = literal(&plain(part.name));
    let text: Vec<_> = lines(part.kind, finding).iter().map(|line| literal(line)).collect();
    SarifResult {
        rule_id: &finding.rule,
        rule_index,
        kind,
        level,
        message: Message { text: format!("{host}: {}: {}", mark(finding), text.join("\n")) },
        locations: [Location {
            physical_location: PhysicalLocation { artifact_location: ArtifactLocation { uri: uri(part.source) } },
            logical_locations: [LogicalLocation { name: plain(part.name).into_owned(), kind: part.kind.word() }],
        }],
        partial_fingerprints: Fingerprints { finding: fingerprint(report, part, finding) },
        suppressions: finding
            .waived
            .iter()
            .map(|waived| Suppression {
                kind: "external",
                status: "accepted",
                justification: format!(
                    "{} (owner {}, until {}, {})",
                    plain(&waived.reason),
                    plain(&waived.owner),
                    waived.expires,
                    plain(&waived.waiver)
                ),
            })
            .collect(),
        properties: ResultProperties {
            host: plain(part.name),
            outcome: finding.outcome.word(),
            severity: finding.severity.word(),
        },
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A message in which nothing is a link (3.11.6) or a placeholder (3.11.5).
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        out.push(character);
        match (character, characters.peek()) {
            (']', Some('(')) => out.push(' '),
            ('{', Some(next)) if next.is_ascii_digit() => out.push(' '),
            _ => {}
        }
    }
    out
}

/// A target as a URI reference (3.4.3): a relative path stays relative, so that services find it in the checkout.
pub(super) fn uri(target: &str) -> String {
    let mut out = String::new();
    let (scheme, rest) = match target.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => (format!("{scheme}://"), rest),
        _ if target.starts_with('/') => ("file://".to_owned(), target),
        _ => (String::new(), target.strip_prefix("./").unwrap_or(target)),
    };
    out.push_str(&scheme);
    for byte in rest.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@".contains(&byte) || (!scheme.is_empty() && byte == b':') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_become_uris() {
        assert_eq!(uri("fixtures/a b.json"), "fixtures/a%20b.json");
        assert_eq!(uri("./x.json"), "x.json");
        assert_eq!(uri("/srv/x.json"), "file:///srv/x.json");
        assert_eq!(uri("https://10.0.0.1:8443"), "https://10.0.0.1:8443");
        assert_eq!(uri("javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(uri("cpu:\"Gold 6330\""), "cpu%3A%22Gold%206330%22");
        assert_eq!(uri("é"), "%C3%A9");
    }

    #[test]
    fn messages_hold_no_links_and_no_placeholders() {
        assert_eq!(literal("[x](http://evil) {0} {a} [y]"), "[x] (http://evil) { 0} {a} [y]");
    }
}
