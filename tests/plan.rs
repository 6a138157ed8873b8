//! `poolgate plan` end to end: pools, losses, wishes, formats, and what it does with input that is no fleet.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::fs;

use common::run::{Poolgate, fixture, poolgate, too_wide};
use serde_json::Value as Json;

const FLEET: &str = "fixtures/fleet-19-hosts.ndjson";

fn plan(words: &[&str]) -> Poolgate {
    poolgate(["plan", FLEET, "--max-hosts", "4"]).with(words)
}

fn lines() -> Vec<String> {
    let path = format!("{}/{FLEET}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// The names in each pool.
fn pools(plan: &Json) -> Vec<Vec<String>> {
    let pools = plan["groups"].as_array().unwrap().iter().flat_map(|group| group["pools"].as_array().unwrap());
    let names = |pool: &Json| {
        pool["hosts"].as_array().unwrap().iter().map(|host| host["name"].as_str().unwrap().to_owned()).collect()
    };
    pools.map(names).collect()
}

fn pool_of<'p>(pools: &'p [Vec<String>], host: &str) -> &'p Vec<String> {
    pools.iter().find(|pool| pool.iter().any(|name| name == host)).unwrap()
}

#[test]
fn a_fleet_in_pools_of_four() {
    let table = plan(&[]).status(3).quietly();
    assert_eq!(too_wide(&table), Vec::<&str>::new());
    insta::assert_snapshot!("table", table);
}

#[test]
fn a_fleet_as_json() {
    let done = plan(&["--format", "json"]).status(3);
    insta::assert_snapshot!("json", done.quietly());
}

#[test]
fn only_what_it_comes_to() {
    insta::assert_snapshot!("quiet", plan(&["--quiet", "--spare", "1"]).status(3).quietly());
}

#[test]
fn every_host_is_in_one_pool_or_left_out() {
    let json = plan(&["--format", "json"]).status(3).json();
    let mut names: Vec<String> = pools(&json).into_iter().flatten().collect();
    names.extend(json["left_out"].as_array().unwrap().iter().map(|out| out["name"].as_str().unwrap().to_owned()));
    names.sort();
    let all: Vec<String> = (1..=19).map(|number| format!("rack-{number:02}")).collect();
    assert_eq!(names, all);
    assert!(pools(&json).iter().all(|pool| pool.len() <= 4));
    assert_eq!(json["left_out"][0]["name"], "rack-17");
    assert_eq!(json["left_out"][0]["source"], format!("{FLEET}:17"));
    assert!(pools(&json).contains(&vec!["rack-18".to_owned()]), "a host without release is alone");
}

#[test]
fn the_order_of_the_lines_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let expected = plan(&["--format", "json"]).status(3).json();
    for turn in [1, 5, 11] {
        let mut lines = lines();
        lines.rotate_left(turn);
        lines.reverse();
        let path = folder.path().join("fleet.ndjson");
        fs::write(&path, lines.join("\n")).unwrap();
        let path = path.display().to_string();
        let found = poolgate(["plan", &path, "--max-hosts", "4", "--format", "json"]).status(3).json();
        assert_eq!(pools(&found), pools(&expected));
        for part in ["loss", "bound", "optimal", "pools"] {
            assert_eq!(found[part], expected[part], "{part}");
        }
    }
}

#[test]
fn standard_input_is_a_fleet_too() {
    let text = lines().join("\n");
    let found = poolgate(["plan", "-", "--max-hosts", "4", "--format", "json"]).stdin(text).status(3).json();
    assert_eq!(pools(&found), pools(&plan(&["--format", "json"]).status(3).json()));
    assert_eq!(found["left_out"][0]["source"], "-:17");
}

#[test]
fn a_fleet_of_one_line() {
    let found = poolgate(["plan", "-", "--format", "json"]).stdin(lines()[0].as_str()).status(0).json();
    assert_eq!(pools(&found), [["rack-01"]]);
    assert_eq!((&found["loss"], &found["optimal"]), (&Json::from(0), &Json::from(true)));
}

#[test]
fn pools_and_hosts_of_snapshots() {
    let words = ["plan", &fixture("xcp-ng-8.3-5-hosts"), &fixture("candidate-older-intel"), "--format", "json"];
    let json = poolgate(words).status(0).json();
    assert_eq!((&json["hosts"], &json["pools"]), (&Json::from(6), &Json::from(1)));
    // The host with most running VMs founds the pool, so that they keep running.
    let hosts = json["groups"][0]["pools"][0]["hosts"].as_array().unwrap();
    let busy: Vec<u64> = hosts.iter().map(|host| host["restarts"].as_u64().unwrap()).collect();
    assert_eq!(hosts[0]["step"], "founds");
    assert!(busy[1..].iter().any(|vms| *vms > 0), "{busy:?}");
}

#[test]
fn together_and_apart() {
    let json = plan(&["--together", "rack-01,rack-10", "--apart", "rack-02,rack-03,rack-04", "--format", "json"]);
    let json = json.status(3).json();
    let pools = pools(&json);
    assert!(pool_of(&pools, "rack-01").contains(&"rack-10".to_owned()));
    for (a, b) in [("rack-02", "rack-03"), ("rack-02", "rack-04"), ("rack-03", "rack-04")] {
        assert!(!pool_of(&pools, a).contains(&b.to_owned()), "{a} and {b}");
    }
    let free = plan(&["--format", "json"]).status(3).json();
    assert!(json["loss"].as_i64() > free["loss"].as_i64());
}

#[test]
fn a_kept_pool_only_grows() {
    let pool = fixture("xcp-ng-8.3-5-hosts");
    let json = poolgate(["plan", FLEET, "--keep", &pool, "--max-hosts", "7", "--format", "json"]).status(3).json();
    let groups = json["groups"].as_array().unwrap();
    let kept: Vec<&Json> = groups
        .iter()
        .flat_map(|group| group["pools"].as_array().unwrap())
        .filter(|pool| pool["kept"] == true)
        .collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["name"], "production");
    let hosts = kept[0]["hosts"].as_array().unwrap();
    assert_eq!(hosts.iter().filter(|host| host["step"] == "stays").count(), 5);
    assert!(hosts.iter().all(|host| host["step"] != "founds") && hosts.len() <= 7);
    // A pool that is full stays as it is.
    let full = poolgate(["plan", FLEET, "--keep", &pool, "--max-hosts", "5"]).status(3).quietly();
    assert!(full.contains("production stays as it is: it has 5 hosts already"), "{full}");
}

#[test]
fn spare_pools_are_used_where_they_save() {
    let loss = |spare: &str| plan(&["--spare", spare, "--format", "json"]).status(3).json()["loss"].as_i64().unwrap();
    let one_more: i64 = plan(&["--format", "json"]).status(3).json()["groups"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|group| group["one_more_pool"]["saves"].as_i64())
        .max()
        .unwrap();
    assert!(one_more > 0);
    assert_eq!(loss("1"), loss("0") - one_more);
    assert_eq!(loss("20"), 0);
}

#[test]
fn weights_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.toml");
    let none: String = plan(&["--format", "json"]).status(3).json()["weights"]
        .as_object()
        .unwrap()
        .keys()
        .map(|group| format!("\"{group}\" = 0\n"))
        .collect();
    fs::write(&path, format!("[weights]\n{none}")).unwrap();
    let path = path.display().to_string();
    let json = plan(&["--weights", &path, "--format", "json"]).status(3).json();
    assert_eq!((&json["loss"], &json["optimal"]), (&Json::from(0), &Json::from(true)));
}

#[test]
fn a_search_by_the_clock_says_so_only_when_it_was_cut() {
    let json = plan(&["--time", "60s", "--format", "json"]).status(3).json();
    assert_eq!(json["by_clock"], false);
    assert_eq!(json["loss"], plan(&["--format", "json"]).status(3).json()["loss"]);
}

#[test]
fn mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.ndjson");
    let mut lines = lines();
    lines[2] = "{\"host\": {\"uuid\": 1".to_owned();
    lines[4] = "[1, 2]".to_owned();
    lines[6] = "{\"verdict\": \"GO\"}".to_owned();
    fs::write(&bad, lines.join("\n")).unwrap();
    let weights = folder.path().join("weights.toml");
    fs::write(&weights, "[weights]\nAVX512 = 3\n").unwrap();
    let (bad, weights) = (bad.display().to_string(), weights.display().to_string());
    let mistakes: [&[&str]; 13] = [
        &["plan"],
        &["plan", "nowhere.ndjson"],
        &["plan", &bad],
        &["plan", FLEET, "--max-hosts", "0"],
        &["plan", FLEET, "--together", "rack-01"],
        &["plan", FLEET, "--together", "rack-01,rock-02"],
        &["plan", FLEET, "--together", "rack-01,rack-13"],
        &["plan", FLEET, "--together", "rack-01,rack-02", "--apart", "rack-02,rack-01"],
        &["plan", FLEET, "--apart", "rack-01,rack-17"],
        &["plan", FLEET, "--max-hosts", "2", "--together", "rack-01,rack-02,rack-03"],
        &["plan", FLEET, "--weights", &weights],
        &["plan", "-", "--keep", "-"],
        &["plan", "README.md"],
    ];
    let mut told = String::new();
    for words in mistakes {
        let complaint = poolgate(words).status(2).complaint();
        told.push_str(&format!("$ poolgate {}\n{complaint}\n", words.join(" ")));
    }
    let folder = folder.path().display().to_string();
    insta::assert_snapshot!("mistakes", told.replace(&folder, "FOLDER"));
}

#[test]
fn input_of_any_shape_ends_with_a_word() {
    for text in [
        "",
        "\n\n",
        "{}",
        "{}\n{}",
        "null\n",
        "{\"host\":{\"uuid\":\"x\"}}",
        "{\"host\":{\"uuid\":\"x\"}}\n{",
        "\u{0}\n",
    ] {
        poolgate(["plan", "-"]).stdin(text).any_status(|status| [2, 3].contains(status));
    }
}
