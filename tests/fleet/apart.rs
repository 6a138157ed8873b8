//! Pools whose lines do not stand together: nothing becomes a GO because a host was judged against the wrong one, or against none.

use std::fs;

use serde_json::{Value as Json, json};

use crate::broken::{fleet, in_group, read};
use crate::common::run::poolgate;
use crate::made::fixture_line;

/// Two pools, the lines of the first with another pool between them.
fn interleaved() -> Vec<String> {
    let (pool, other) = ("xcp-ng-8.3-5-hosts", "xenserver-8-1-host");
    [(pool, "a"), (other, "b"), ("candidate-good", "a"), ("candidate-xs8-twin", "b"), ("candidate-twin", "a")]
        .map(|(stem, group)| in_group(stem, group))
        .to_vec()
}

#[test]
fn a_pool_that_comes_again_is_named_and_the_fleet_is_no_go() {
    let done = fleet(&interleaved());
    let (_, summary) = read(&done);
    assert_eq!(summary["verdict"], "UNDECIDED", "{done}");
    assert_eq!(summary["read"]["returned"], 3);
    assert_eq!(
        summary["returned"],
        json!([{"line": 3, "first": 1}, {"line": 4, "first": 2}, {"line": 5, "first": 1}])
    );
    let table = poolgate(["check", "--fleet", "-"]).stdin(interleaved().join("\n")).any_status(|status| *status > 0);
    assert!(table.stdout.contains("3 pools come again after others (line 3: that of line 1)"), "{table}");
    // What a pipeline looks at is no greener than the status.
    let shown = |format: &str| {
        let run = poolgate(["check", "--fleet", "-", "--format", format]).stdin(interleaved().join("\n"));
        run.any_status(|status| *status > 0).stdout
    };
    let junit = shown("junit");
    assert!(junit.contains(r#"<testsuite name="pools that come again" tests="3" skipped="0" errors="3""#), "{junit}");
    assert!(junit.contains("the pool of line 1 comes again after others"), "{junit}");
    assert_eq!(shown("github").matches("::error title=UNDECIDED: a pool comes again::").count(), 3);
    // Put together they may join.
    let mut sorted = interleaved();
    sorted.sort_by_key(|line| serde_json::from_str::<Json>(line).unwrap()["group"].as_str().unwrap().to_owned());
    let (_, summary) = read(&fleet(&sorted));
    assert_eq!((&summary["read"]["returned"], &summary["verdict"]), (&0.into(), &"GO".into()), "{summary}");
}

#[test]
fn hosts_that_go_by_their_names_are_found_too() {
    let line = |name: &str| json!({"host": {"uuid": name, "name_label": name}}).to_string();
    let (_, summary) = read(&fleet(&["web-01", "db-01", "web-02"].map(line)));
    assert_eq!(summary["returned"], json!([{"line": 3, "first": 1}]));
    let (_, summary) = read(&fleet(&["web-01", "web-02", "db-01"].map(line)));
    assert_eq!(summary["read"]["returned"], 0);
}

#[test]
fn parts_find_what_comes_again_in_another_part() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.ndjson");
    fs::write(&path, interleaved().join("\n")).unwrap();
    let text = path.to_str().unwrap();
    let whole = poolgate(["check", "--fleet", text, "--format", "json"]).any_status(|status| *status > 0);
    let mut words = vec!["merge".to_owned(), "--format".to_owned(), "json".to_owned()];
    for part in 1..=3 {
        let out = folder.path().join(format!("{part}.json")).to_str().unwrap().to_owned();
        poolgate(["check", "--fleet", text, "--shard", &format!("{part}/3"), "-o", &out]).any_status(|_| true);
        words.push(out);
    }
    let merged = poolgate(words).any_status(|status| *status > 0);
    assert_eq!((merged.status, merged.stdout), (whole.status, whole.stdout));
}

#[test]
fn a_group_is_a_text_or_a_number() {
    let numbered = |group: Json| {
        let mut lines = ["xcp-ng-8.3-5-hosts", "candidate-trouble"].map(fixture_line);
        lines.iter_mut().for_each(|line| line["group"] = group.clone());
        fleet(&lines.map(|line| line.to_string()))
    };
    let (_, summary) = read(&numbered(7.into()));
    assert_eq!((&summary["read"]["pools"], &summary["joiners"]["no_go"]), (&1.into(), &1.into()));
    for odd in [json!(7.5), json!(true), json!(["a"]), json!({})] {
        let done = numbered(odd.clone());
        assert_eq!(done.status, 2, "{odd}");
        assert!(done.stdout.contains("-:1:1: group: expected a text or a whole number"), "{odd}: {done}");
    }
}

#[test]
fn what_is_assumed_of_a_fleet_is_said() {
    let lines = ["xcp-ng-8.3-5-hosts", "candidate-bare"].map(|stem| in_group(stem, "a")).join("\n");
    for format in ["table", "markdown", "github", "junit"] {
        let words = ["check", "--fleet", "-", "--as-release", "xcp-ng-8.3", "--format", format];
        let done = poolgate(words).stdin(lines.clone()).any_status(|_| true);
        let text = done.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("as if xcp-ng-8.3 were freshly installed"), "{format}: {done}");
    }
}
