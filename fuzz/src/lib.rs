//! Every parser of poolgate as a fuzz target: bytes in, nothing out. What must hold of any input is asserted here, once,
//! for cargo-fuzz (`fuzz_targets/`) and for the short run on the stable toolchain (`tests/fuzz.rs`).
//!
//! A target more: a line in [`TARGETS`], a file of two lines in `fuzz_targets/` with its `[[bin]]` in `Cargo.toml`, and a
//! folder of seeds in `corpus/`; a test holds the four together.

use poolgate::text::{lines, plain};

mod files;
mod forgotten;
mod servers;
mod snapshots;

/// A parser under test.
pub struct Target {
    /// Its name: the file in `fuzz_targets/` and the folder in `corpus/`.
    pub name: &'static str,
    /// Reads bytes; panics where something that must hold does not.
    pub run: fn(&[u8]),
    /// Files of the tree that are seeds too, by folder and ending: what poolgate itself ships.
    pub seeds: &'static [(&'static str, &'static str)],
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("any", snapshots::any, &[]),
    target("archive", snapshots::archive, &[]),
    target("database", snapshots::database, &[]),
    target("dump", snapshots::dump, &[]),
    target("expression", files::expression, &[]),
    target("fleet", snapshots::fleet, &[]),
    target("fleet_pools", snapshots::fleet_pools, &[]),
    target("folder", snapshots::folder, &[]),
    target("http", servers::http, &[]),
    target("journal", files::journal, &[]),
    target("judged", forgotten::judged, &[("fixtures", "candidate-bare.json")]),
    target("known_hosts", servers::known_hosts, &[]),
    target("parts", files::parts, &[]),
    target("plan_file", files::plan_file, &[]),
    target("quote", files::quote, &[("src/collect", "quote.toml")]),
    target("records", snapshots::records, &[]),
    target("report", files::report, &[]),
    target("rule", files::rule, &[("rules/procurement", ".toml"), ("rules/eject", ".toml")]),
    target("severity", files::severity, &[]),
    target("snapshot", snapshots::snapshot, &[("fixtures", "candidate-bare.json")]),
    target("template", files::template, &[]),
    target("waivers", files::waivers, &[("tests/formats", "waivers.toml")]),
    target("weights", files::weights, &[("rules/data", "plan-weights.toml")]),
    target("words", servers::words, &[]),
    target("xml_answer", snapshots::xml_answer, &[]),
];

const fn target(name: &'static str, run: fn(&[u8]), seeds: &'static [(&'static str, &'static str)]) -> Target {
    Target { name, run, seeds }
}

/// Runs one target; what `fuzz_targets/` call.
pub fn run(name: &str, bytes: &[u8]) {
    match TARGETS.iter().find(|target| target.name == name) {
        Some(target) => (target.run)(bytes),
        None => panic!("no target {name}"),
    }
}

/// A message is never empty, and is text that a person can read to its end; shown, it does nothing to a terminal.
fn told(message: &str) {
    assert!(!message.trim().is_empty(), "an error without a message");
    assert!(message.len() < 64 << 10, "an error of {} bytes: {message:.200}", message.len());
    quiet(&lines(message, false));
}

/// The same of a mistake in a file, which names the file.
fn told_of(file: &str, message: &str) {
    told(message);
    assert!(message.contains(file), "an error that does not say where: {message}");
}

/// Text for a terminal holds nothing that a terminal acts on, and as it is printed no line that a log of CI takes for a
/// command: where a text is wrapped, any part of it may begin a line.
fn quiet(text: &str) {
    for line in text.split('\n') {
        assert_eq!(plain(line), line, "not as it is shown");
    }
    for line in lines(text, false).split('\n') {
        assert!(!line.trim_start().starts_with("::"), "a log's command: {line:?}");
    }
}
