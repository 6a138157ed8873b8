//! Waivers: what they cover does not count and stays visible; what they must not cover counts all the same.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::judge::fixture_json;
use common::run::{Poolgate, poolgate};
use serde_json::Value as Json;

const POOL: &str = "fixtures/xcp-ng-8.3-5-hosts.json";

type Pairs<'t> = &'t [(&'t str, &'t str)];

/// A waiver for the joiner of these tests, with other values for some keys; an empty one leaves the key out.
fn waiver(rule: &str, changes: Pairs<'_>) -> String {
    let mut fields = vec![
        ("rule", format!("\"{rule}\"")),
        ("host", "\"xcp-good\"".to_owned()),
        ("reason", "\"It was tried\"".to_owned()),
        ("owner", "\"ops\"".to_owned()),
        ("expires", "2026-12-31".to_owned()),
    ];
    for (key, value) in changes {
        fields.retain(|(known, _)| known != key);
        if !value.is_empty() {
            fields.push((key, (*value).to_owned()));
        }
    }
    let lines: Vec<_> = fields.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    format!("[[waiver]]\n{}\n", lines.concat())
}

/// A check of a joiner under these waivers.
fn check(joiner: &Json, waivers: &str) -> (tempfile::TempDir, Poolgate) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("waivers.toml");
    std::fs::write(&file, waivers).unwrap();
    let words = ["check", "--pool", POOL, "--host", "-", "--format", "json", "--today", "2026-06-01", "--waivers"];
    let run = poolgate(words).with([file.to_str().unwrap()]).stdin(joiner.to_string());
    (folder, run)
}

/// A report under these waivers.
fn report(joiner: &Json, waivers: &str, status: i32) -> Json {
    let (_folder, run) = check(joiner, waivers);
    run.status(status).json()
}

/// (rule, severity) of what is wrong with the waivers.
fn wrong(report: &Json) -> Vec<(&str, &str)> {
    let findings = report["waivers"]["findings"].as_array().unwrap().iter();
    findings.map(|finding| (finding["rule"].as_str().unwrap(), finding["severity"].as_str().unwrap())).collect()
}

/// A joiner that fails one check of the server that force skips: its toolstack is another build.
fn other_build() -> Json {
    let mut json = fixture_json("candidate-good");
    json["pool"]["hosts"][0]["software_version"]["git_id"] = "1".into();
    json
}

/// A joiner that fails a check that nothing skips: a VM runs on it.
fn running() -> Json {
    let mut json = fixture_json("candidate-good");
    let vms = fixture_json("candidate-trouble")["pool"]["vms"].clone();
    let running =
        vms.as_array().unwrap().iter().find(|vm| vm["power_state"] == "Running" && vm["is_control_domain"] == false);
    json["pool"]["vms"].as_array_mut().unwrap().push(running.unwrap().clone());
    json
}

#[test]
fn what_a_server_fails_on_after_its_checks_is_not_waived() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut pool = fixture_json("xcp-ng-8.3-5-hosts");
    pool["pool"]["restrictions"]["restrict_pool_size"] = "true".into();
    std::fs::write(path("pool.json"), pool.to_string()).unwrap();
    let mut newer = fixture_json("candidate-good");
    newer["pool"]["hosts"][0]["software_version"]["xapi"] = "99.1".into();
    newer["pool"]["hosts"][0]["software_version"]["xapi_build"] = "99.1.0".into();
    for (rule, pool, joiner) in [
        ("host-limit-licensed-pool", path("pool.json"), fixture_json("candidate-good")),
        ("xapi-not-newer", POOL.to_owned(), newer),
    ] {
        std::fs::write(path("waivers.toml"), waiver(rule, &[])).unwrap();
        let words = ["check", "--pool", &pool, "--host", "-", "--format", "json", "--today", "2026-06-01"];
        let run = poolgate(words).with(["--waivers", &path("waivers.toml")]).stdin(joiner.to_string());
        let report = run.status(1).json();
        assert_eq!(report["verdict"], "NO-GO", "{rule}");
        assert_eq!(wrong(&report), [("waiver-not-applied", "warning")], "{rule}");
        let why = report["waivers"]["findings"][0]["message"].as_str().unwrap();
        assert!(why.ends_with("the server itself fails on it after its checks, which nothing skips"), "{why}");
    }
}

#[test]
fn a_waiver_of_one_that_others_go_before_may_be_wanted_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("waivers.toml");
    std::fs::write(&file, waiver("software-homogeneous", &[("host", "\"xcp-twin\"")])).unwrap();
    let told = |hosts: &[&str]| {
        let mut words = vec!["check", "--pool", POOL, "--format", "json", "--today", "2026-06-01", "--waivers"];
        words.push(file.to_str().unwrap());
        hosts.iter().for_each(|host| words.extend(["--host", host]));
        let report = poolgate(words).status(0).json();
        let [(rule, severity)] = wrong(&report)[..] else { panic!("one finding") };
        (
            rule.to_owned(),
            severity.to_owned(),
            report["waivers"]["findings"][0]["message"].as_str().unwrap().to_owned(),
        )
    };
    let (good, twin) = ("fixtures/candidate-good.json", "fixtures/candidate-twin.json");
    let (rule, severity, message) = told(&[good, twin]);
    assert_eq!((rule.as_str(), severity.as_str()), ("waiver-unmatched", "note"));
    assert!(message.ends_with("has nothing to waive here, where others join first"), "{message}");
    for hosts in [&[twin][..], &[twin, good]] {
        let (rule, severity, message) = told(hosts);
        assert_eq!((rule.as_str(), severity.as_str()), ("waiver-unmatched", "warning"));
        assert!(message.ends_with("has nothing to waive: the rule does not fail there"), "{message}");
    }
}

#[test]
fn what_force_skips_can_be_waived_and_the_command_says_force() {
    assert_eq!(report(&other_build(), "", 1)["verdict"], "NO-GO");
    let waived = report(&other_build(), &waiver("software-homogeneous", &[]), 0);
    assert_eq!(waived["verdict"], "GO");
    assert_eq!(wrong(&waived), []);
    let joiner = &waived["joiners"][0];
    assert_eq!((&joiner["summary"]["blockers"], &joiner["summary"]["waived"]), (&0.into(), &1.into()));
    let finding = joiner["findings"].as_array().unwrap().iter().find(|it| it["rule"] == "software-homogeneous");
    let waiver_of = &finding.unwrap()["waived"];
    assert_eq!((&waiver_of["reason"], &waiver_of["owner"]), (&"It was tried".into(), &"ops".into()));
    assert_eq!(waiver_of["expires"], "2026-12-31");
    assert!(waiver_of["waiver"].as_str().unwrap().ends_with("waivers.toml:1"));
    // The server's answer is what it was.
    assert_eq!(joiner["server"]["first"]["code"], "HOSTS_NOT_HOMOGENEOUS");
}

#[test]
fn a_refusal_that_force_does_not_skip_stands() {
    let report = report(&running(), &waiver("joiner-vms-not-running", &[]), 1);
    assert_eq!(report["verdict"], "NO-GO");
    assert_eq!(wrong(&report), [("waiver-not-applied", "warning")]);
    let said = report["waivers"]["findings"][0]["message"].as_str().unwrap();
    assert!(said.contains("JOINING_HOST_CANNOT_HAVE_RUNNING_VMS") && said.contains("force does not skip"), "{said}");
}

#[test]
fn a_missing_fact_is_not_waived() {
    let mut json = fixture_json("candidate-good");
    json["pool"]["vms"] = serde_json::json!({"$unknown": "permission-denied"});
    let before = report(&json, "", 3);
    let waivers: String = before["joiners"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| waiver(finding["rule"].as_str().unwrap(), &[]))
        .collect();
    let after = report(&json, &waivers, 3);
    assert_eq!(after["verdict"], "UNDECIDED");
    assert!(wrong(&after).contains(&("waiver-not-applied", "warning")));
    assert!(after["joiners"][0]["summary"]["waived"].is_null());
}

#[test]
fn no_set_of_waivers_turns_a_refusal_into_a_go() {
    // Every finding of every fixture waived: what the server refuses with or without force is still refused.
    for stem in ["candidate-trouble", "candidate-amd", "candidate-hvm-off", "candidate-member", "candidate-unknown"] {
        let json = fixture_json(stem);
        let name = json["pool"]["hosts"][0]["name_label"].clone();
        let before = report(&json, "", if stem == "candidate-unknown" { 3 } else { 1 });
        let host = &before["joiners"][0];
        let waivers: String = host["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| waiver(finding["rule"].as_str().unwrap(), &[("host", &name.to_string())]))
            .collect();
        let (_folder, run) = check(&json, &waivers);
        let after = run.any_status(|status| [0, 1, 3].contains(status)).json();
        let go = after["verdict"].as_str().unwrap().starts_with("GO");
        let forced = host["server"].is_object() && host["server"]["first_with_force"].is_null();
        let unknown = host["summary"]["undecided"].as_u64().unwrap() > 0;
        assert!(!go || forced && !unknown, "{stem}: {after:#}");
    }
}

#[test]
fn expired_unmatched_and_broad_waivers_are_findings() {
    let cases: [(&str, Pairs<'_>, Pairs<'_>); 7] = [
        ("an expired one", &[("expires", "2026-05-31")], &[("waiver-expired", "warning")]),
        ("its last day", &[("expires", "2026-06-01")], &[]),
        ("another host", &[("host", "\"xcp-goood\"")], &[("waiver-unmatched", "note")]),
        ("a rule that passes", &[("rule", "\"host-limit-policy\"")], &[("waiver-unmatched", "warning")]),
        ("a whole pool", &[("host", ""), ("pool", "\"production\"")], &[("waiver-broad", "warning")]),
        ("for years", &[("expires", "2029-01-01")], &[("waiver-broad", "warning")]),
        ("a serial of another", &[("serial", "\"X\"")], &[("waiver-unmatched", "note")]),
    ];
    for (name, changes, expected) in cases {
        let text = waiver("software-homogeneous", changes);
        let (_folder, run) = check(&other_build(), &text);
        let report = run.any_status(|status| [0, 1].contains(status)).json();
        assert_eq!(wrong(&report), expected, "{name}");
        let verdict = match name {
            "its last day" => "GO",
            "a whole pool" | "for years" => "GO WITH WARNINGS",
            _ => "NO-GO",
        };
        assert_eq!(report["verdict"], verdict, "{name}");
    }
}

#[test]
fn a_scope_goes_by_uuid_and_serial_too() {
    let json = other_build();
    let host = &json["pool"]["hosts"][0];
    let uuid = host["uuid"].to_string();
    assert_eq!(report(&json, &waiver("software-homogeneous", &[("host", &uuid)]), 0)["verdict"], "GO");
    let mut json = json.clone();
    json["pool"]["hosts"][0]["hardware"]["serial"] = "S-1".into();
    let changes = [("host", ""), ("serial", "\"S-1\"")];
    assert_eq!(report(&json, &waiver("software-homogeneous", &changes), 0)["verdict"], "GO");
}

#[test]
fn a_waived_joiner_counts_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("w.toml"), waiver("software-homogeneous", &[])).unwrap();
    std::fs::write(path("a.json"), other_build().to_string()).unwrap();
    let words = ["check", "--pool", POOL, "--host", &path("a.json"), "--host", "fixtures/candidate-twin.json"];
    let more = ["--max-hosts", "6", "--format", "json"];
    let alone = poolgate(words).with(more).status(1).json();
    assert_eq!(alone["joiners"][1]["verdict"], "GO");
    let waived =
        poolgate(words).with(more).with(["--today", "2026-06-01", "--waivers", &path("w.toml")]).status(1).json();
    let verdicts: Vec<_> = (0..2).map(|index| waived["joiners"][index]["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["GO", "NO-GO"]);
}

#[test]
fn the_table_of_waived_findings() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let other = waiver("host-limit-policy", &[("expires", "2026-01-31")]);
    std::fs::write(path("w.toml"), waiver("software-homogeneous", &[]) + &other).unwrap();
    let words = ["check", "--pool", POOL, "--host", "-", "--today", "2026-06-01", "--waivers", &path("w.toml")];
    let text = poolgate(words).stdin(other_build().to_string()).status(0).quietly();
    insta::assert_snapshot!("table waived", text.replace(&path("w.toml"), "w.toml"));
}

#[test]
fn a_waiver_that_is_not_whole_stops_the_run() {
    let text =
        waiver("software-homogenous", &[("owner", ""), ("expires", "\"soon\"")]) + "[[waiver]]\nhots = \"a\"\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("waivers.toml").display().to_string();
    std::fs::write(&file, text).unwrap();
    let words = ["check", "--pool", POOL, "--host", "fixtures/candidate-good.json", "--waivers"];
    let complaint = poolgate(words).with([&file]).status(2).complaint();
    insta::assert_snapshot!("mistakes in waivers", complaint.replace(&file, "waivers.toml"));
    let complaint = poolgate(words).with(["no/such.toml"]).status(2).complaint();
    assert!(complaint.contains("no/such.toml: no such file or folder"), "{complaint}");
    let complaint = poolgate(words).with([&file, "--today", "tomorrow"]).status(2).complaint();
    assert!(complaint.contains("is no day"), "{complaint}");
    let words = ["check", "--pool", POOL, "--host", "fixtures/candidate-good.json", "--today", "2026-01-01"];
    poolgate(words).status(2).complaint();
}
