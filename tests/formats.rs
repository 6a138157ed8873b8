//! The formats of a report: the same findings in each, an exit status that no format changes, and names that stay names.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "common/mod.rs"]
#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;
#[path = "formats/read.rs"]
mod read;

use common::judge::{PAIRS, fixture_json};
use common::run::{Poolgate, check, fixture, poolgate};
use read::{FORMATS, findings};
use serde_json::{Value as Json, json};

/// Runs over all fixtures: every candidate, sequences, members that leave; with and without a release to assume.
fn runs() -> Vec<(String, Box<dyn Fn() -> Poolgate>)> {
    let mut runs: Vec<(String, Box<dyn Fn() -> Poolgate>)> = Vec::new();
    for (pool, joiner) in PAIRS {
        runs.push((joiner.to_owned(), Box::new(move || check(pool, &[joiner]))));
        let assumed = move || check(pool, &[joiner]).with(["--as-release", "xcp-ng-8.3", "--all"]);
        runs.push((format!("{joiner} --all"), Box::new(assumed)));
    }
    let three = || check("xcp-ng-8.3-5-hosts", &["candidate-good", "candidate-trouble", "candidate-unknown"]);
    runs.push(("three".to_owned(), Box::new(three)));
    for (pool, member) in [("xcp-ng-8.3-5-hosts", "xcp-05"), ("xenserver-8-16-hosts", "xs8-16")] {
        let eject = move || poolgate(["check", "--phase", "eject", "--pool", &fixture(pool), "--member", member]);
        runs.push((member.to_owned(), Box::new(eject)));
    }
    let waived = || check("xcp-ng-8.3-5-hosts", &["candidate-trouble"]).with(WAIVED);
    runs.push(("waived".to_owned(), Box::new(waived)));
    runs
}

const WAIVED: [&str; 4] = ["--waivers", "tests/formats/waivers.toml", "--today", "2026-06-01"];

#[test]
fn every_format_has_the_same_findings_and_the_same_exit_status() {
    for (name, run) in runs() {
        let json = run().with(["--format", "json"]).any_status(|status| [0, 1, 3].contains(status));
        let expected = findings("json", &json.stdout);
        assert!(!expected.is_empty() || name.starts_with("candidate-"), "{name}");
        let status = match json.json()["verdict"].as_str().unwrap() {
            "NO-GO" => 1,
            "UNDECIDED" => 3,
            _ => 0,
        };
        for format in FORMATS {
            let text = run().with(["--format", format]).status(status).quietly();
            assert_eq!(findings(format, &text), expected, "{name} as {format}");
        }
    }
}

#[test]
fn waived_findings_and_what_is_wrong_with_waivers_show_in_every_format() {
    for format in FORMATS {
        let text = check("xcp-ng-8.3-5-hosts", &["candidate-trouble"]).with(WAIVED).with(["--format", format]);
        let text = text.status(1).quietly();
        for word in ["Kernel tests show no loss", "waiver-expired", "waiver-unmatched"] {
            assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(word), "{format}: no {word}");
        }
    }
}

#[test]
fn a_file_gets_the_format_of_its_extension() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let names = ["r.json", "r.ndjson", "r.sarif", "r.xml", "r.md", "r.txt", "r.html"];
    let mut words: Vec<_> = names.iter().flat_map(|name| ["-o".to_owned(), path(name)]).collect();
    words.push("--no-color".to_owned());
    let done = check("xcp-ng-8.3-5-hosts", &["candidate-trouble"]).with(&words).status(1);
    assert_eq!(done.quietly(), "");
    for (name, format) in names.iter().zip(["json", "ndjson", "sarif", "junit", "markdown", "table", "html"]) {
        let text = std::fs::read_to_string(path(name)).unwrap();
        let shown = check("xcp-ng-8.3-5-hosts", &["candidate-trouble"]).with(["--format", format]).status(1).stdout;
        assert_eq!(text, shown, "{name}");
    }
    let text = check("xcp-ng-8.3-5-hosts", &["candidate-trouble"]).with(["-o", &path("r.pdf")]).status(2).complaint();
    assert!(
        text.contains(".json, .ndjson, .sarif, .xml, .md, .html or .txt") && !folder.path().join("r.pdf").exists(),
        "{text}"
    );
}

/// A name that means something in every format.
const NASTY: &str = "a\u{1b}[31m\u{202e}\u{9b}\n::error::x\n##[error]y <script>alert(1)</script> \"'&]]> | `b` *c* \
                     [d](javascript:e) @root #1 % %0A , : {0} {{ 7*7 }} {% raw %} https://evil.example =cmd()";

/// A refused candidate whose names are nasty: host, VMs, SRs, networks.
fn nasty() -> Json {
    let mut json = fixture_json("candidate-trouble");
    json["pool"]["hosts"][0]["name_label"] = NASTY.into();
    for list in ["vms", "srs", "networks"] {
        for item in json["pool"][list].as_array_mut().into_iter().flatten() {
            item["name_label"] = NASTY.into();
        }
    }
    json
}

#[test]
fn a_name_stays_a_name_in_every_format() {
    let json = nasty().to_string();
    let words = ["check", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--host", "-", "--all"];
    for format in FORMATS {
        let text = poolgate(words).with(["--format", format]).stdin(json.clone()).status(1).quietly();
        let acts = |character: char| {
            character.is_control() && character != '\n' || ('\u{202a}'..='\u{202e}').contains(&character)
        };
        assert_eq!(text.chars().find(|character| acts(*character)), None, "{format}");
        if ["html", "markdown"].contains(&format) {
            assert!(!read::outside_fences(&text).contains("<script>alert"), "{format}: a tag");
        }
        read::check_names(format, &text, NASTY);
    }
}

#[test]
fn ndjson_ends_with_the_verdict() {
    let text = check("xcp-ng-8.3-5-hosts", &["candidate-good", "candidate-trouble"]).with(["--format", "ndjson"]);
    let text = text.status(1).quietly();
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let types: Vec<_> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["run", "joiner", "joiner", "verdict"]);
    assert_eq!(lines[3], json!({"type": "verdict", "verdict": "NO-GO"}));
}

#[test]
fn junit_has_a_case_for_every_rule_and_host() {
    let json =
        check("xcp-ng-8.3-5-hosts", &["candidate-good", "candidate-trouble"]).with(["--all", "--format", "json"]);
    let json = json.status(1).json();
    let xml = check("xcp-ng-8.3-5-hosts", &["candidate-good", "candidate-trouble"]).with(["--format", "junit"]);
    let xml = xml.status(1).quietly();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let suites: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testsuite")).collect();
    assert_eq!(suites.len(), 2);
    for (suite, joiner) in suites.iter().zip(json["joiners"].as_array().unwrap()) {
        let cases: Vec<_> = suite.children().filter(|node| node.has_tag_name("testcase")).collect();
        let rules = joiner["findings"].as_array().unwrap();
        assert_eq!(cases.len(), rules.len());
        let failures = cases.iter().filter(|case| case.children().any(|node| node.has_tag_name("failure")));
        assert_eq!(failures.count() as u64, joiner["summary"]["blockers"].as_u64().unwrap());
        assert_eq!(suite.attribute("failures").unwrap(), joiner["summary"]["blockers"].to_string());
    }
}

#[test]
fn the_words_for_people_and_services() {
    let text = check("xcp-ng-8.3-5-hosts", &["candidate-older-intel"]).with(["--format", "markdown"]);
    insta::assert_snapshot!(
        "markdown older-intel",
        text.status(0).quietly().replace(env!("CARGO_PKG_VERSION"), "[version]")
    );
    let text = check("xcp-ng-8.3-5-hosts", &["candidate-hvm-off"]).with(["--format", "github"]);
    insta::assert_snapshot!("github hvm-off", text.status(1).quietly());
    let text = check("xcp-ng-8.3-5-hosts", &["candidate-older-intel"]).with(["--format", "gitlab"]);
    insta::assert_snapshot!("gitlab older-intel", text.status(0).quietly());
    let text = check("xenserver-7.1-3-hosts", &["candidate-7.1"]).with(["--format", "sarif"]);
    insta::assert_snapshot!("sarif 7.1", text.status(0).quietly().replace(env!("CARGO_PKG_VERSION"), "[version]"));
}
