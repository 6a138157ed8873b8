//! What the lines of hosts in an NDJSON report come to, to be held against its summary.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::{FleetReport, VerdictCounts};
use crate::rules::Verdict;

/// The lines of hosts of a part, counted.
#[derive(Clone, Debug, Default)]
pub struct LineCounts {
    first: u64,
    joiners: VerdictCounts,
    not_judged: u64,
    unreadable: u64,
    /// How often each rule failed and lacked a fact.
    rules: BTreeMap<String, [u64; 2]>,
    /// The line that the last one is about.
    last: usize,
}

/// Of a [`super::FleetLine`] what is counted.
#[derive(Deserialize)]
struct Brief<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    line: usize,
    verdict: Option<Verdict>,
    #[serde(default, borrow)]
    failed: Vec<Named<'a>>,
    #[serde(default, borrow)]
    undecided: Vec<Named<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    First,
    Joiner,
    NotJudged,
    Unreadable,
    Summary,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
}

impl LineCounts {
    /// One line more. Says what is wrong with one that poolgate did not write there.
    pub fn add(&mut self, text: &[u8]) -> Result<(), String> {
        let line: Brief<'_> = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if line.line <= self.last {
            return Err(format!("line {} of the fleet after line {}", line.line, self.last));
        }
        self.last = line.line;
        match (line.kind, line.verdict) {
            (Kind::First, None) => self.first += 1,
            (Kind::Joiner, Some(verdict)) => self.joiners.add(verdict),
            (Kind::NotJudged, None) => self.not_judged += 1,
            (Kind::Unreadable, None) => self.unreadable += 1,
            _ => return Err("no line of a host".to_owned()),
        }
        for (at, rules) in [line.failed, line.undecided].into_iter().enumerate() {
            for Named { rule } in rules {
                match self.rules.get_mut(rule.as_ref()) {
                    Some(counts) => counts[at] += 1,
                    None => self.rules.entry(rule.into_owned()).or_default()[at] += 1,
                }
            }
        }
        Ok(())
    }

    /// What the summary counts otherwise than its lines come to.
    pub(super) fn contradiction(&self, report: &FleetReport) -> Option<String> {
        let read = &report.read;
        let (ours, theirs) = (&self.joiners, &report.joiners);
        let counts = [
            ("pools", self.first, read.pools),
            ("joiners with GO", ours.go, theirs.go),
            ("joiners with GO WITH WARNINGS", ours.go_with_warnings, theirs.go_with_warnings),
            ("joiners with NO-GO", ours.no_go, theirs.no_go),
            ("joiners with UNDECIDED", ours.undecided, theirs.undecided),
            ("joiners that were not judged", self.not_judged, read.not_judged),
            ("lines that cannot be read", self.unreadable, read.unreadable),
        ];
        if let Some((what, lines, summary)) = counts.into_iter().find(|(_, lines, summary)| lines != summary) {
            return Some(format!("its summary counts {summary} {what}, its lines {lines}"));
        }
        let summary: BTreeMap<_, _> =
            report.rules.iter().map(|rule| (rule.rule.as_str(), [rule.failed, rule.undecided])).collect();
        let of = |rules: Option<&[u64; 2]>| rules.copied().unwrap_or_default();
        let named = self.rules.keys().map(String::as_str).chain(summary.keys().copied());
        let mut differing = named.filter(|rule| of(self.rules.get(*rule)) != of(summary.get(rule)));
        differing.next().map(|rule| {
            let ([failed, undecided], [lines_failed, lines_undecided]) =
                (of(summary.get(rule)), of(self.rules.get(rule)));
            format!(
                "its summary counts {rule} as failed {failed} and undecided {undecided} times, its lines {lines_failed} and \
                 {lines_undecided}"
            )
        })
    }
}
