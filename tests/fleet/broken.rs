//! Lines that cannot be read: each is named, the others are judged, and nothing becomes a GO for want of a line.

use std::fs;

use serde_json::Value as Json;

use crate::common::run::{Done, poolgate};
use crate::made::fixture_line;

pub(crate) fn fleet(lines: &[String]) -> Done {
    poolgate(["check", "--fleet", "-", "--format", "ndjson"]).stdin(lines.join("\n")).any_status(|status| *status < 4)
}

/// The rows of hosts and the summary.
pub(crate) fn read(done: &Done) -> (Vec<Json>, Json) {
    let mut rows: Vec<Json> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = rows.pop().unwrap();
    assert_eq!(summary["type"], "summary");
    (rows, summary)
}

pub(crate) fn in_group(stem: &str, group: &str) -> String {
    let mut line = fixture_line(stem);
    line["group"] = group.into();
    line.to_string()
}

/// A pool and two candidates that may join.
fn good(group: &str) -> Vec<String> {
    ["xcp-ng-8.3-5-hosts", "candidate-good", "candidate-twin"].map(|stem| in_group(stem, group)).to_vec()
}

#[test]
fn good_lines_end_with_0() {
    let done = fleet(&good("a"));
    assert_eq!(done.status, 0, "{done}");
    let (rows, summary) = read(&done);
    assert_eq!((rows.len(), &summary["verdict"]), (3, &"GO".into()));
}

#[test]
fn a_bad_line_is_named_and_the_others_are_judged() {
    let bad = [
        "{\"host\": {",
        "[]",
        "nonsense",
        "{}",
        "{\"host\":{\"uuid\":7}}",
        "\"text\"",
        "{\"format\":\"poolgate-snapshot\"}",
    ];
    for bad in bad {
        let mut lines = good("a");
        lines.insert(2, bad.to_owned());
        let done = fleet(&lines);
        assert_eq!(done.status, 2, "{bad}: {done}");
        assert!(done.stderr.contains("-:3"), "{bad}: {done}");
        let (rows, summary) = read(&done);
        let judged: Vec<_> = rows.iter().filter(|row| row["type"] == "joiner").map(|row| &row["line"]).collect();
        assert!(judged.contains(&&2.into()), "{bad}: {judged:?}");
        assert_eq!(summary["read"]["unreadable"], 1, "{bad}");
        assert_eq!(summary["verdict"], "UNDECIDED", "a fleet with a gap is no GO: {bad}");
    }
}

#[test]
fn no_go_is_said_where_the_first_line_of_a_pool_may_be_missing() {
    let mut lines = good("a");
    lines.push("{\"broken".to_owned());
    // The pool itself stood on the broken line: what follows it would be judged against a candidate.
    lines.extend(["candidate-good", "candidate-twin"].map(|stem| in_group(stem, "b")));
    let done = fleet(&lines);
    let (rows, summary) = read(&done);
    let row = rows.iter().find(|row| row["line"] == 6).unwrap();
    assert_eq!(
        (&row["type"], &row["verdict"], &row["doubtful"]),
        (&"joiner".into(), &"UNDECIDED".into(), &true.into())
    );
    assert_eq!((done.status, &summary["read"]["doubtful"]), (2, &1.into()));
    // The same two where nothing is broken.
    let (rows, _) = read(&fleet(&lines[4..]));
    assert_ne!(rows[1]["verdict"], "UNDECIDED");
}

#[test]
fn joiners_to_a_host_that_cannot_be_read_are_not_judged() {
    let mut lines = good("a");
    lines[0] = lines[0].replacen("\"ha_enabled\":", "\"ha_enabled\":7,\"was\":", 1);
    let done = fleet(&lines);
    let (rows, summary) = read(&done);
    assert!(rows[1..].iter().all(|row| row["type"] == "not-judged"), "{done}");
    assert_eq!((done.status, &summary["read"]["not_judged"]), (2, &2.into()));
    assert_eq!(summary["verdict"], "UNDECIDED");
}

#[test]
fn nothing_to_judge_is_no_go() {
    let lines = [in_group("candidate-good", "a"), in_group("candidate-twin", "b")];
    let done = fleet(&lines);
    assert_eq!(done.status, 2);
    assert!(done.stderr.contains("no joiner"), "{done}");
    assert_eq!(fleet(&[]).status, 2);
}

#[test]
fn many_bad_lines_in_a_row_end_a_pool() {
    let mut lines = good("a");
    let last = lines.pop().unwrap();
    lines.extend(std::iter::repeat_n("?".to_owned(), 64));
    lines.push(last);
    let (rows, summary) = read(&fleet(&lines));
    assert_eq!(summary["read"]["pools"], 2, "{rows:?}");
    assert_eq!(summary["read"]["unreadable"], 64);
    assert_eq!(summary["unreadable"].as_array().unwrap().len(), 20, "as many as are told");
}

#[test]
fn a_fleet_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in ["https://10.0.0.1", "local", "fixtures", "no-such-file.ndjson", "cpu:\"Xeon\""] {
        poolgate(["check", "--fleet", wrong]).status(2).complaint();
    }
    poolgate(["check", "--fleet", "x", "--pool", "y"]).status(2).complaint();
    poolgate(["check", "--fleet", "fixtures/fleet-19-hosts.ndjson", "--format", "html"])
        .status(2)
        .complaint_of("html");
    // What was there stays when a format is refused.
    let file = folder.path().join("report.sarif");
    fs::write(&file, "before").unwrap();
    let words = ["check", "--fleet", "fixtures/fleet-19-hosts.ndjson", "-o", file.to_str().unwrap()];
    poolgate(words).status(2).complaint();
    assert_eq!(fs::read_to_string(&file).unwrap(), "before");
}
