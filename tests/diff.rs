//! `poolgate diff`: what drifted between two snapshots or two reports.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::judge::fixture_json;
use common::run::{check, fixture, poolgate, too_wide};
use serde_json::{Value as Json, json};

const POOL: &str = "xcp-ng-8.3-5-hosts";

/// The pool a week later: a setting, a NIC, a VM and a fact that is no longer known; and what always changes.
fn later() -> Json {
    let mut json = fixture_json(POOL);
    json["source"]["collected_at"] = "2026-05-27T10:00:00Z".into();
    let pool = &mut json["pool"];
    pool["hosts"][1]["enabled"] = false.into();
    pool["hosts"][2]["name_label"] = "renamed\u{202e}".into();
    pool["igmp_snooping_enabled"] = json!({"$unknown": "permission-denied"});
    pool["pifs"][0]["mtu"] = 9000.into();
    pool["pifs"][0]["speed"] = 1000.into();
    pool["tags"] = json!(["dmz"]);
    pool["vms"].as_array_mut().unwrap().retain(|vm| vm["name_label"] != "db-02");
    // The order in which a server lists its records means nothing.
    pool["hosts"].as_array_mut().unwrap().reverse();
    pool["srs"].as_array_mut().unwrap().reverse();
    json
}

#[test]
fn the_same_is_no_difference() {
    let said = poolgate(["diff", &fixture(POOL), &fixture(POOL)]).status(0).quietly();
    assert!(said.starts_with("no difference\n"), "{said}");
    let mut shuffled = fixture_json(POOL);
    for list in ["hosts", "networks", "pifs", "vms", "srs", "pbds"] {
        shuffled["pool"][list].as_array_mut().unwrap().reverse();
    }
    poolgate(["diff", &fixture(POOL), "-"]).stdin(shuffled.to_string()).status(0).quietly();
}

#[test]
fn drift_between_two_snapshots() {
    let run = || poolgate(["diff", &fixture(POOL), "-"]).stdin(later().to_string());
    let table = run().status(1).quietly();
    assert_eq!(too_wide(&table), Vec::<&str>::new());
    insta::assert_snapshot!("table of drift", table);
    let json = run().with(["--format", "json"]).status(1).quietly();
    assert!(!json.contains('\u{202e}'));
    insta::assert_snapshot!("json of drift", json);
    let all = run().with(["--volatile", "--format", "json"]).status(1).json();
    let volatile: Vec<_> =
        all["differences"].as_array().unwrap().iter().filter(|it| it["volatile"] == true).collect();
    assert_eq!(volatile.len(), 1, "{all:#}");
    assert!(volatile[0]["path"].as_str().unwrap().ends_with(".speed"));
}

#[test]
fn only_volatile_differences_are_none() {
    let mut json = fixture_json(POOL);
    json["pool"]["pifs"][0]["speed"] = 100.into();
    json["source"]["collected_at"] = "2027-01-01T00:00:00Z".into();
    let run = || poolgate(["diff", &fixture(POOL), "-"]).stdin(json.to_string());
    assert!(run().status(0).quietly().starts_with("no difference; 1 volatile left out"));
    run().with(["--volatile"]).status(1).quietly();
}

#[test]
fn two_reports_differ_in_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    check(POOL, &["candidate-good"]).with(["-o", &path("a.json")]).status(0).quietly();
    let mut worse = fixture_json("candidate-good");
    worse["pool"]["hosts"][0]["software_version"]["git_id"] = "1".into();
    let words = ["check", "--pool", &fixture(POOL), "--host", "-", "-o", &path("b.json")];
    poolgate(words).stdin(worse.to_string()).status(1).quietly();
    poolgate(["diff", &path("a.json"), &path("a.json")]).status(0).quietly();
    let json = poolgate(["diff", &path("a.json"), &path("b.json"), "--format", "json"]).status(1).json();
    assert_eq!(json["of"], "report");
    let list = json["differences"].as_array().unwrap();
    let path_of = |difference: &Json| difference["path"].as_str().unwrap().to_owned();
    let paths: Vec<_> = list.iter().map(path_of).collect();
    assert!(paths.contains(&"report.verdict".to_owned()), "{paths:?}");
    assert!(paths.iter().any(|path| path.ends_with(".findings[software-homogeneous]")), "{paths:?}");
    // From standard input and out of a pipe they are the same, and so are snapshots.
    let report = std::fs::read_to_string(path("b.json")).unwrap();
    let snapshot = fixture_json(POOL).to_string();
    for word in ["-", "/dev/stdin"] {
        let piped = poolgate(["diff", &path("a.json"), word, "--format", "json"]).stdin(report.clone());
        assert_eq!(piped.status(1).json()["differences"], json["differences"], "{word}");
        poolgate(["diff", word, &path("b.json")]).stdin(report.clone()).status(0).quietly();
        poolgate(["diff", &fixture(POOL), word]).stdin(snapshot.clone()).status(0).quietly();
        let mixed = poolgate(["diff", &fixture(POOL), word]).stdin(report.clone()).status(2).complaint();
        assert!(mixed.contains("compare two of a kind"), "{mixed}");
    }
    // A pipe of the file system may wait for a writer forever.
    let pipe = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
    assert!(pipe.success());
    let told = poolgate(["diff", &path("a.json"), &path("pipe")]).status(2).complaint();
    assert!(told.contains("a named pipe"), "{told}");
    let mixed = poolgate(["diff", &path("a.json"), &fixture(POOL)]).status(2).complaint();
    assert!(mixed.contains("compare two of a kind"), "{mixed}");
    std::fs::write(path("c.json"), r#"{"format": "poolgate-report", "version": "7.0"}"#).unwrap();
    let newer = poolgate(["diff", &path("c.json"), &path("a.json")]).status(2).complaint();
    assert!(newer.contains("7.0 is no version 1"), "{newer}");
    std::fs::write(path("d.json"), r#"{"format": "poolgate-report", "#).unwrap();
    poolgate(["diff", &path("d.json"), &path("a.json")]).status(2).complaint();
    poolgate(["diff", "-", "-"]).status(2).complaint();
    poolgate(["diff", &path("none.json"), &path("a.json")]).status(2).complaint();
}
