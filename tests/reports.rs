//! What `check` prints, word for word: a change in a report shows here before an operator sees it.
//!
//! `INSTA_UPDATE=always cargo test --test reports` writes the snapshots; read each before committing it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::judge::{GOOD, PAIRS};
use common::run::{check, poolgate, too_wide};
use serde_json::Value as Json;

const XCP_NG: &str = "xcp-ng-8.3-5-hosts";

/// The exit status that belongs to a verdict.
fn status_of(joiner: &str) -> i32 {
    match joiner {
        _ if GOOD.iter().any(|(_, good)| *good == joiner) => 0,
        "candidate-older-intel" | "candidate-mixed-cores" | "candidate-7.1" => 0,
        "candidate-bare" | "candidate-unknown" => 3,
        _ => 1,
    }
}

/// Candidates that need words of their own.
fn words_for(joiner: &str) -> &'static [&'static str] {
    if joiner == "candidate-bare" { &["--as-release", "xcp-ng-8.3"] } else { &[] }
}

/// The version of this build is not what a snapshot is about.
fn without_version(text: &str) -> String {
    text.replace(concat!("poolgate ", env!("CARGO_PKG_VERSION")), "poolgate [version]")
}

#[test]
fn the_table_of_every_candidate() {
    for (pool, joiner) in PAIRS {
        let table = check(pool, &[joiner]).with(words_for(joiner)).status(status_of(joiner)).quietly();
        assert_eq!(too_wide(&table), Vec::<&str>::new(), "{joiner}");
        insta::assert_snapshot!(format!("table {joiner}"), table);
    }
}

#[test]
fn the_json_of_a_refused_and_of_a_welcome_candidate() {
    for joiner in ["candidate-trouble", "candidate-good"] {
        let json = check(XCP_NG, &[joiner]).with(["--format", "json"]).status(status_of(joiner)).quietly();
        insta::assert_snapshot!(format!("json {joiner}"), without_version(&json));
    }
}

#[test]
fn the_json_says_what_the_table_says() {
    for (pool, joiner) in PAIRS {
        let run = || check(pool, &[joiner]).with(words_for(joiner));
        let table = run().status(status_of(joiner)).quietly();
        let json = run().with(["--format", "json"]).status(status_of(joiner)).json();
        let verdict = json["verdict"].as_str().unwrap();
        assert_eq!(table.lines().next(), Some(verdict), "{joiner}");
        let findings = json["joiners"][0]["findings"].as_array().unwrap();
        for finding in findings {
            let heading = format!(": {}", finding["rule"].as_str().unwrap());
            assert!(table.lines().any(|line| line.ends_with(&heading)), "{joiner}: no part on{heading}");
        }
        let told = table.lines().filter(|line| is_heading(line)).count();
        assert_eq!(told, findings.len(), "{joiner}");
    }
}

/// `BLOCKER: joiner-vms-not-running`
fn is_heading(line: &str) -> bool {
    ["BLOCKER: ", "UNDECIDED: ", "WARNING: ", "unknown: ", "NOTE: "].iter().any(|word| line.starts_with(word))
}

#[test]
fn several_joiners_are_a_sequence() {
    let run = || check(XCP_NG, &["candidate-good", "candidate-trouble", "candidate-older-intel"]);
    let table = run().status(1).quietly();
    assert_eq!(too_wide(&table), Vec::<&str>::new());
    insta::assert_snapshot!("table of a sequence", table);
    let json = run().with(["--format", "json"]).status(1).json();
    let joiners = json["joiners"].as_array().unwrap();
    let verdicts: Vec<_> = joiners.iter().map(|joiner| joiner["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["GO", "NO-GO", "GO WITH WARNINGS"]);
    assert_eq!(json["verdict"], "NO-GO");
}

#[test]
fn a_joiner_is_judged_against_the_pool_as_the_earlier_ones_leave_it() {
    let one = |joiners: &[&str]| {
        let run = check(XCP_NG, joiners).with(["--format", "json", "--max-hosts", "6"]);
        run.status(i32::from(joiners.len() > 1)).json()
    };
    assert_eq!(one(&["candidate-good"])["verdict"], "GO");
    let two = one(&["candidate-good", "candidate-twin"]);
    assert_eq!(two["joiners"][0]["verdict"], "GO");
    let rules: Vec<_> = failed(&two["joiners"][1]);
    assert_eq!(rules, ["host-limit-policy"]);
    // The level that the first leaves is the level that the second finds.
    let both =
        check(XCP_NG, &["candidate-older-intel", "candidate-good"]).with(["--format", "json"]).status(0).json();
    let (first, second) = (&both["joiners"][0]["cpu"], &both["joiners"][1]["cpu"]);
    assert_ne!(first["level_before"], first["level_after"]);
    assert_eq!(first["level_after"], second["level_before"]);
}

fn failed(joiner: &Json) -> Vec<&str> {
    let findings = joiner["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["outcome"] == "fail").map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn all_shows_every_rule() {
    let rules = poolgate(["rules", "list", "--format", "json"]).status(0).json();
    let ids: Vec<_> = rules["rules"].as_array().unwrap().iter().filter(|rule| is_of_join(rule)).collect();
    let json = check(XCP_NG, &["candidate-good"]).with(["--all", "--format", "json"]).status(0).json();
    let findings = json["joiners"][0]["findings"].as_array().unwrap();
    assert_eq!(findings.len(), ids.len());
    let table = check(XCP_NG, &["candidate-good"]).with(["--all"]).status(0).quietly();
    for rule in ids {
        let id = rule["id"].as_str().unwrap();
        assert!(findings.iter().any(|finding| finding["rule"] == id), "{id}");
        assert!(table.contains(id), "{id}");
    }
    assert_eq!(too_wide(&table), Vec::<&str>::new());
}

fn is_of_join(rule: &Json) -> bool {
    rule["phases"].as_array().unwrap().iter().any(|phase| phase == "join")
}

#[test]
fn quiet_prints_the_verdicts_only() {
    let one = check(XCP_NG, &["candidate-trouble"]).with(["--quiet"]).status(1).quietly();
    insta::assert_snapshot!(one, @r"
    NO-GO
    branch-01 → pool production (5 hosts, XenServer 8 / XCP-ng 8.3)
    ");
    let two = check(XCP_NG, &["candidate-trouble", "candidate-good"]).with(["-q"]).status(1).quietly();
    insta::assert_snapshot!(two, @r"
    NO-GO
    branch-01, xcp-good → pool production (5 hosts, XenServer 8 / XCP-ng 8.3)
      NO-GO  branch-01
      GO  xcp-good
    ");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for format in ["table", "json"] {
        let run = || check(XCP_NG, &["candidate-trouble", "candidate-unknown"]).with(["--format", format]);
        assert_eq!(run().status(1).stdout, run().status(1).stdout);
    }
}

#[test]
fn nothing_of_the_terminal_shows_in_a_pipe() {
    let plain = check(XCP_NG, &["candidate-trouble"]).status(1).stdout;
    for (name, value) in [("COLUMNS", "40"), ("TERM", "xterm-256color"), ("NO_COLOR", "1"), ("LANG", "de_DE.UTF-8")] {
        let other = check(XCP_NG, &["candidate-trouble"]).env(name, value).status(1).stdout;
        assert_eq!(plain, other, "{name}={value}");
    }
    assert_eq!(plain, check(XCP_NG, &["candidate-trouble"]).with(["--no-color"]).status(1).stdout);
}
