//! What a fleet's report looks like in each format, and that it is what its schema says; `cpu level` of fleets.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value as Json;

use crate::broken::in_group;
use crate::common::run::{poolgate, too_wide};
use crate::made::{Random, of_records};

const FLEET: &str = "fixtures/fleet-19-hosts.ndjson";

#[test]
fn a_fleet_as_a_table() {
    let table = poolgate(["check", "--fleet", FLEET, "--worst", "3"]).status(1).quietly();
    assert_eq!(too_wide(&table), Vec::<&str>::new());
    insta::assert_snapshot!("table", table);
    let quiet = poolgate(["check", "--fleet", FLEET, "--quiet"]).status(1).quietly();
    insta::assert_snapshot!(quiet, @r"
    NO-GO
    fleet fixtures/fleet-19-hosts.ndjson: 19 lines in 1 pool, 18 joiners
    ");
}

#[test]
fn warnings_that_stop_a_fleet_fail_in_junit_too() {
    let fleet = ["xcp-ng-8.3-5-hosts", "candidate-older-intel"].map(|stem| in_group(stem, "a")).join("\n");
    let junit = |more: &[&str], status| {
        let run = poolgate(["check", "--fleet", "-", "--format", "junit"]).with(more).stdin(fleet.clone());
        run.status(status).quietly()
    };
    assert_eq!(junit(&[], 0).matches("<failure").count(), 0);
    let failing = junit(&["--fail-on", "warning"], 1);
    for word in ["warning", "GO WITH WARNINGS"] {
        let fails = |line: &str| line.contains("<failure ") && line.contains(&format!(r#"type="{word}""#));
        assert!(failing.lines().any(fails), "{word}: {failing}");
    }
}

#[test]
fn a_fleet_for_a_pull_request_and_for_ci() {
    for format in ["markdown", "github", "junit"] {
        let text = poolgate(["check", "--fleet", FLEET, "--worst", "2", "--format", format]).status(1).quietly();
        insta::assert_snapshot!(format, text);
    }
}

/// All keys of objects in a value, with the path to each.
fn keys(value: &Json, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Json::Object(map) => {
            for (key, inner) in map {
                let path = format!("{path}.{key}");
                keys(inner, &path, found);
                found.insert(path);
            }
        }
        Json::Array(list) => list.iter().for_each(|inner| keys(inner, path, found)),
        _ => {}
    }
}

#[test]
fn names_cannot_do_anything() {
    let mut line: Json = serde_json::from_str(&of_records(&mut Random::new(1), 1, false)[0]).unwrap();
    let evil = "a\u{1b}[2J\u{202e}|<b>`::error::##[x]\n-1";
    line["host"]["name_label"] = evil.into();
    line["pool"] = "p\u{1b}[31m<script>".into();
    let mut other = line.clone();
    other["host"]["uuid"] = "other".into();
    let text = format!("{line}\n{other}\n{{\"host\":\u{1b}[31m}}\n");
    for format in ["table", "json", "ndjson", "markdown", "github", "junit"] {
        let done = poolgate(["check", "--fleet", "-", "--format", format]).stdin(text.clone()).status(2);
        let all = format!("{}{}", done.stdout, done.stderr);
        assert!(!all.contains(['\u{1b}', '\u{202e}']), "{format}: {all:?}");
        assert!(!all.lines().any(|line| line.starts_with("##[")), "{format}: {all}");
        assert!(format != "markdown" || !all.contains("<b>"), "{all}");
    }
}

#[test]
fn the_schema_names_every_key() {
    let schema = poolgate(["schema", "fleet"]).status(0).json();
    let lines = poolgate(["schema", "fleet-line"]).status(0).json();
    let report = poolgate(["check", "--fleet", FLEET, "--format", "json"]).status(1).json();
    let properties = |name: &str| -> BTreeSet<String> {
        schema["$defs"][name]["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let of = |value: &Json| -> BTreeSet<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert!(of(&report).is_subset(&properties("fleet")));
    assert!(of(&report["worst_joiners"][0]).is_subset(&properties("joiner")));
    assert_eq!(of(&report["worst_pools"][0]), properties("pool"));
    assert_eq!(of(&report["joiners"]), properties("counts"));
    assert_eq!(lines["anyOf"].as_array().unwrap().len(), 5);
    let mut found = BTreeSet::new();
    keys(&report, "", &mut found);
    assert!(found.contains(".worst_joiners.failed.message"));
}

#[test]
fn the_level_of_a_fleet_is_that_of_its_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let lines = of_records(&mut Random::new(5), 8, false);
    let fleet = folder.path().join("fleet.ndjson");
    fs::write(&fleet, lines.join("\n")).unwrap();
    let mut words = vec!["cpu".to_owned(), "level".to_owned(), "--format".to_owned(), "json".to_owned()];
    for (index, line) in lines.iter().enumerate() {
        let file = folder.path().join(format!("{index}.json"));
        fs::write(&file, line).unwrap();
        words.push(file.to_str().unwrap().to_owned());
    }
    let apart = poolgate(&words).status(0).json();
    let level = ["cpu", "level", fleet.to_str().unwrap(), "--format", "json"];
    let together = poolgate(level).status(0).json();
    assert_eq!(together["hosts"], lines.len());
    assert_eq!(together["one_vendor"], apart["one_vendor"]);
    let sets = |json: &Json| -> Vec<(Json, Json)> {
        let levels = json["levels"].as_array().unwrap().iter();
        levels.map(|level| (level["set"].clone(), level["level"].clone())).collect()
    };
    assert_eq!(sets(&together), sets(&apart));
    let piped = poolgate(["cpu", "level", "-", "--format", "json"]).stdin(lines.join("\n")).status(0).json();
    assert_eq!(without_places(piped), without_places(together.clone()));
    // Half of the fleet, and the other half.
    let halves = [folder.path().join("a.ndjson"), folder.path().join("b.ndjson")];
    let (a, b) = lines.split_at(lines.len() / 2);
    fs::write(&halves[0], a.join("\n")).unwrap();
    fs::write(&halves[1], b.join("\n")).unwrap();
    let words = ["cpu", "level", halves[0].to_str().unwrap(), halves[1].to_str().unwrap(), "--format", "json"];
    assert_eq!(without_places(poolgate(words).status(0).json()), without_places(together));
}

/// A level without the places of hosts, which differ with the names of files.
fn without_places(mut level: Json) -> Json {
    fn strip(value: &mut Json) {
        match value {
            Json::Object(object) => {
                object.remove("first");
                object.values_mut().for_each(strip);
            }
            Json::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut level);
    level
}

#[test]
fn who_lacks_what_others_have_is_told_of_each_vendor() {
    let intel = |file: &str| fs::read_to_string(file).unwrap();
    let lines: Vec<_> =
        intel(FLEET).lines().filter(|line| line.contains("AuthenticAMD")).map(str::to_owned).collect();
    assert_eq!(lines.len(), 4);
    let level = |threads: &str| {
        poolgate(["cpu", "level", "-", "--format", "json", "--threads", threads])
            .stdin(lines.join("\n"))
            .status(0)
            .json()
    };
    let one = level("1");
    assert_eq!(one, level("2"));
    let lack = &one["vendors"][0]["levels"][0]["lacks"][0];
    assert_eq!((&lack["cpus"], &lack["first"]), (&Json::from(1), &Json::from("-:4")), "{lack}");
    assert!(lack["features"].as_array().unwrap().contains(&"vaes".into()), "{lack}");
    let table = poolgate(["cpu", "level", "-"]).stdin(lines.join("\n")).status(0).quietly();
    assert!(table.contains("  1 CPU lacks what others have (-:4):\n    paging and protection"), "{table}");
}

#[test]
fn sets_that_some_hosts_lack_leave_a_gap_and_status_three() {
    let mut lines = of_records(&mut Random::new(7), 12, false);
    for line in &mut lines[3..10] {
        *line = line.replacen("\"features_hvm_host\":\"", "\"features_hvm_host\":\"x", 1);
    }
    let level = ["cpu", "level", "-", "--format", "json", "--threads"];
    let one = poolgate(level.iter().chain(&["1"])).stdin(lines.join("\n")).status(3);
    let gap = &one.json()["gaps"][0];
    assert_eq!((&gap["set"], &gap["without"]), (&Json::from("features_hvm_host"), &Json::from(7)));
    assert_eq!(gap["first"].as_array().unwrap().len(), 5);
    assert!(gap["first"][0].as_str().unwrap().starts_with("-:4: "), "{gap}");
    let two = poolgate(level.iter().chain(&["2"])).stdin(lines.join("\n")).status(3);
    assert_eq!(one.json(), two.json());
    let table = poolgate(["cpu", "level", "-"]).stdin(lines.join("\n")).status(3);
    assert!(table.stdout.contains("and 2 more"), "{table}");
    // Who cannot run HVM guests is not asked for it; one host does not say.
    for line in &mut lines {
        *line = line.replacen("hvm-3.0-x86_64", "other", 1);
    }
    let done = poolgate(["cpu", "level", "-", "--format", "json"]).stdin(lines.join("\n")).status(0).json();
    assert_eq!(done["gaps"], serde_json::json!([]));
    let said = lines.iter().filter(|line| line.contains("\"other\"")).count();
    assert_eq!((said, done["levels"][0]["left_out"].as_u64()), (lines.len() - 1, Some(said as u64)));
}

#[test]
fn hosts_without_sets_are_told_and_the_others_levelled() {
    let mut lines = of_records(&mut Random::new(6), 6, false);
    lines[1] = lines[1].replacen("\"features_hvm\":\"", "\"features_hvm\":\"x", 1);
    lines.insert(2, "{\"host\":{\"uuid\":\"u\"}}".to_owned());
    lines.insert(3, "nonsense".to_owned());
    let done = poolgate(["cpu", "level", "-", "--format", "json"]).stdin(lines.join("\n")).status(2);
    assert!(done.stderr.contains("-:3: the CPU of its host is not known"), "{done}");
    assert!(done.stderr.contains("-:4:2:"), "{done}");
    let sets: Vec<_> = done.json()["levels"].as_array().unwrap().iter().map(|level| level["set"].clone()).collect();
    assert_eq!(sets, ["features_hvm_host", "features_pv_host", "features_pv"], "what all show");
}
