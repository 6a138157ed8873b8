//! The oracle: `check --pool FIRST --host SECOND --host …` over the same lines in files of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::common::run::poolgate;
use crate::common::shared;
use crate::made::{Random, fixture_line, of_fixtures, of_records};

/// What is said of a joiner, by its line.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    verdict: String,
    /// Rule and message.
    failed: BTreeSet<(String, String)>,
    undecided: BTreeSet<String>,
    first: Json,
    undecided_checks: Json,
}

/// What a fleet says of each joiner, and the lines of each pool.
fn fleet(folder: &Path, lines: &[String], more: &[&str]) -> (BTreeMap<u64, Said>, Vec<Vec<u64>>) {
    let file = folder.join("fleet.ndjson");
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    let words = ["check", "--fleet", file.to_str().unwrap(), "--format", "ndjson"];
    let done = poolgate(words).with(more).any_status(|status| [0, 1, 3].contains(status));
    let (mut said, mut pools) = (BTreeMap::new(), Vec::<Vec<u64>>::new());
    for line in done.stdout.lines() {
        let row: Json = serde_json::from_str(line).unwrap();
        let number = row["line"].as_u64();
        match row["type"].as_str().unwrap() {
            "first" => pools.push(vec![number.unwrap()]),
            "joiner" => {
                pools.last_mut().unwrap().push(number.unwrap());
                let text = |value: &Json| value.as_str().unwrap().to_owned();
                let list = |name: &str| row[name].as_array().unwrap().iter();
                said.insert(
                    number.unwrap(),
                    Said {
                        verdict: text(&row["verdict"]),
                        failed: list("failed").map(|rule| (text(&rule["rule"]), text(&rule["message"]))).collect(),
                        undecided: list("undecided").map(|rule| text(&rule["rule"])).collect(),
                        first: row["server"]["first"].clone(),
                        undecided_checks: row["server"]["undecided"].clone(),
                    },
                );
            }
            "summary" => {}
            other => panic!("unexpected {other}: {line}"),
        }
    }
    (said, pools)
}

/// What `check` says of the joiners of one pool.
fn check(folder: &Path, lines: &[String], pool: &[u64], more: &[&str]) -> Vec<Said> {
    let mut words = vec!["check".to_owned(), "--format".to_owned(), "json".to_owned()];
    for (at, number) in pool.iter().enumerate() {
        let file = folder.join(format!("{number}.json"));
        fs::write(&file, &lines[usize::try_from(*number).unwrap() - 1]).unwrap();
        words.extend([if at == 0 { "--pool" } else { "--host" }.to_owned(), file.to_str().unwrap().to_owned()]);
    }
    let json = poolgate(&words).with(more).any_status(|status| [0, 1, 3].contains(status)).json();
    let joiners = json["joiners"].as_array().unwrap().iter();
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let said = |joiner: &Json| {
        let findings = joiner["findings"].as_array().unwrap();
        let of = |outcome: &'static str| findings.iter().filter(move |finding| finding["outcome"] == outcome);
        Said {
            verdict: text(&joiner["verdict"]),
            failed: of("fail").map(|finding| (text(&finding["rule"]), text(&finding["message"]))).collect(),
            undecided: of("unknown").map(|finding| text(&finding["rule"])).collect(),
            first: joiner["server"]["first"].clone(),
            undecided_checks: joiner["server"]["undecided"].clone(),
        }
    };
    joiners.map(said).collect()
}

/// Compares all pools of a fleet, and gives how often each verdict was said.
fn compare(lines: &[String]) -> BTreeMap<String, usize> {
    compare_with(lines, &[])
}

fn compare_with(lines: &[String], more: &[&str]) -> BTreeMap<String, usize> {
    let folder = tempfile::tempdir().unwrap();
    let (mut of_fleet, pools) = fleet(folder.path(), lines, more);
    let mut verdicts = BTreeMap::new();
    for pool in pools.iter().filter(|pool| pool.len() > 1) {
        let alone = check(folder.path(), lines, pool, more);
        assert_eq!(alone.len(), pool.len() - 1);
        for (number, alone) in pool[1..].iter().zip(alone) {
            let together = of_fleet.remove(number).unwrap();
            assert_eq!(together, alone, "line {number} of the pool of line {}", pool[0]);
            *verdicts.entry(alone.verdict).or_default() += 1;
        }
    }
    assert!(of_fleet.is_empty());
    verdicts
}

#[test]
fn pools_of_the_fixtures_are_judged_as_check_judges_them() {
    let verdicts = compare(&of_fixtures(&mut Random::new(1), false));
    assert_eq!(verdicts.len(), 4, "every verdict is said somewhere: {verdicts:?}");
}

#[test]
fn faults_change_nothing_about_that() {
    for seed in 2..6 {
        compare(&of_fixtures(&mut Random::new(seed), true));
    }
}

#[test]
fn records_are_judged_as_check_judges_them() {
    for seed in 1..4 {
        let mut random = Random::new(seed);
        let mut lines = of_records(&mut random, 6, true);
        lines.extend(of_records(&mut random, 4, false));
        let verdicts = compare(&lines);
        assert!(verdicts.len() > 1, "{verdicts:?}");
    }
}

#[test]
fn so_are_generated_fleets_where_there_are_any() {
    let Some(generator) = shared().map(|shared| shared.join("data/gen_fleet.py")) else { return };
    for profile in ["slim", "real", "pool"] {
        let made = std::process::Command::new("python3").arg(&generator).args(["50", "3", profile]).output();
        let Ok(made) = made else { return };
        let lines: Vec<_> = String::from_utf8(made.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 50);
        compare(&lines);
    }
}

#[test]
fn a_fleet_of_hosts_in_every_form() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/fleet-19-hosts.ndjson");
    let lines: Vec<_> = fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    compare(&lines);
}

/// Rules that decide by what the built-in ones only speak of, by names, places and lists.
const OWN: &[(&str, &str)] = &[
    ("gone", "require = \"size(cpu.gone_features) == 0\"\nmessage = \"{size(cpu.gone_features)} gone\""),
    ("named", "require = \"!host.name_label.endsWith('2')\"\nmessage = \"{host.name_label} ends in 2\""),
    ("second", "require = \"place != 2\"\nmessage = \"the second of them\""),
    ("limit", "require = \"size(pool.hosts) + place < 5\"\nmessage = \"{size(pool.hosts)} hosts\""),
    ("first", "require = \"coordinator.name_label != host.name_label\"\nmessage = \"of one name\""),
    (
        "hidden",
        "applies = \"host.multipathing\"\neach = {name = \"member\", in = \"pool.hosts\"}\n\
         require = \"member.enabled\"\nmessage = \"{count}: {names}\"",
    ),
];

#[test]
fn rules_of_ones_own_are_asked_alike() {
    let folder = tempfile::tempdir().unwrap();
    for (name, body) in OWN {
        let head = format!("id = \"{name}\"\ntitle = \"Rule {name}\"\nwhy = \"A test.\"\nseverity = \"blocker\"\n");
        fs::write(folder.path().join(format!("{name}.toml")), format!("{head}{body}\n")).unwrap();
    }
    let words = ["--rules", folder.path().to_str().unwrap(), "--max-hosts", "4"];
    let mut random = Random::new(11);
    let mut lines = of_fixtures(&mut random, false);
    lines.extend(of_records(&mut random, 8, true));
    assert!(compare_with(&lines, &words).contains_key("NO-GO"));
}

#[test]
fn so_are_candidates_without_the_product() {
    let mut lines = Vec::new();
    for stem in ["xcp-ng-8.3-5-hosts", "candidate-bare", "candidate-good", "candidate-bare"] {
        let mut line = fixture_line(stem);
        line["group"] = "a".into();
        lines.push(line.to_string());
    }
    compare_with(&lines, &["--as-release", "xcp-ng-8.3"]);
}
