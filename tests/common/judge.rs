//! Judges fixtures in process, for properties that need thousands of runs.

#![expect(clippy::panic, reason = "helpers of tests fail as tests do")]

use poolgate::rules::{Judgement, Phase, Policy, Registry, Side, judge_sequence};
use poolgate::snapshot::read_snapshot;
use serde_json::Value as Json;

use super::run::fixture_path;

/// Every candidate with the pool that it was made for.
pub const PAIRS: [(&str, &str); 22] = [
    ("xcp-ng-8.3-5-hosts", "candidate-good"),
    ("xcp-ng-8.3-5-hosts", "candidate-twin"),
    ("xcp-ng-8.3-5-hosts", "candidate-trouble"),
    ("xcp-ng-8.3-5-hosts", "candidate-amd"),
    ("xcp-ng-8.3-5-hosts", "candidate-older-intel"),
    ("xcp-ng-8.3-5-hosts", "candidate-hvm-off"),
    ("xcp-ng-8.3-5-hosts", "candidate-mixed-cores"),
    ("xcp-ng-8.3-5-hosts", "candidate-member"),
    ("xcp-ng-8.3-5-hosts", "candidate-bare"),
    ("xcp-ng-8.3-5-hosts", "candidate-unknown"),
    ("xenserver-6.5-masking", "candidate-6.5-maskable"),
    ("xenserver-6.5-masking", "candidate-6.5-unmaskable"),
    ("xenserver-7.1-3-hosts", "candidate-7.1"),
    ("xenserver-8-16-hosts", "candidate-xs8"),
    ("xenserver-6.2-1-host", "candidate-6.2"),
    ("xenserver-6.5-masking", "candidate-6.5-twin"),
    ("xenserver-7.1-3-hosts", "candidate-7.1-twin"),
    ("xenserver-7.6-3-hosts", "candidate-7.6"),
    ("citrix-hypervisor-8.2-3-hosts", "candidate-ch8.2"),
    ("xcp-ng-8.2-1-host", "candidate-xcp8.2"),
    ("xenserver-8-1-host", "candidate-xs8-twin"),
    ("xenserver-9-5-hosts", "candidate-xs9"),
];

/// Pairs of which nothing is to be said: GO without a finding, at least one of each release line.
pub const GOOD: [(&str, &str); 10] = [
    ("xenserver-6.2-1-host", "candidate-6.2"),
    ("xenserver-6.5-masking", "candidate-6.5-twin"),
    ("xenserver-7.1-3-hosts", "candidate-7.1-twin"),
    ("xenserver-7.6-3-hosts", "candidate-7.6"),
    ("citrix-hypervisor-8.2-3-hosts", "candidate-ch8.2"),
    ("xcp-ng-8.2-1-host", "candidate-xcp8.2"),
    ("xcp-ng-8.3-5-hosts", "candidate-good"),
    ("xcp-ng-8.3-5-hosts", "candidate-twin"),
    ("xenserver-8-1-host", "candidate-xs8-twin"),
    ("xenserver-9-5-hosts", "candidate-xs9"),
];

/// The pools among the fixtures.
pub fn pools() -> std::collections::BTreeSet<&'static str> {
    PAIRS.iter().map(|(pool, _)| *pool).collect()
}

/// A fixture as JSON.
pub fn fixture_json(stem: &str) -> Json {
    let path = fixture_path(stem);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A snapshot's text as one side of a case.
pub fn side(name: &str, json: &Json) -> Side {
    let (snapshot, strangers) =
        read_snapshot(json.to_string().as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(strangers.is_empty(), "{name}: {strangers:?}");
    Side { target: name.to_owned(), snapshot, assumed: Vec::new(), notes: Vec::new() }
}

/// The built-in rules.
pub fn rules() -> Registry {
    Registry::load(&[]).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// What the built-in rules say of one joiner.
pub fn judge(pool: &Side, joiner: &Side, rules: &Registry) -> Judgement {
    let policy = Policy { max_hosts: 16, as_release: None };
    let mut judgements = judge_sequence(pool, std::slice::from_ref(joiner), rules, Phase::Join, &policy);
    judgements.pop().unwrap_or_else(|| panic!("one joiner has one judgement"))
}
