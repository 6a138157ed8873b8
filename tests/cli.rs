//! The command line: help, formats, files, standard input, and one exit status for every class of end.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use common::run::{check, fixture, fixture_path, poolgate, too_wide};

const XCP_NG: &str = "xcp-ng-8.3-5-hosts";

#[test]
fn the_help_of_every_command() {
    let commands: [&[&str]; 18] = [
        &[],
        &["check"],
        &["collect"],
        &["cpu"],
        &["plan"],
        &["merge"],
        &["cpu", "level"],
        &["rules"],
        &["rules", "list"],
        &["rules", "explain"],
        &["rules", "test"],
        &["rules", "schema"],
        &["schema"],
        &["cpu", "decode"],
        &["lab"],
        &["cpu", "search"],
        &["quote"],
        &["quote", "init"],
    ];
    for command in commands {
        let help = poolgate(command).with(["--help"]).status(0).quietly();
        let name = format!("help {}", command.join(" "));
        insta::assert_snapshot!(name.trim_end(), help);
    }
}

#[test]
fn status_0_is_go_and_go_with_warnings() {
    check(XCP_NG, &["candidate-good"]).status(0);
    check(XCP_NG, &["candidate-older-intel"]).status(0);
    check(XCP_NG, &["candidate-good"]).with(["--fail-on", "warning"]).status(0);
}

#[test]
fn status_1_is_no_go() {
    check(XCP_NG, &["candidate-trouble"]).status(1);
    check(XCP_NG, &["candidate-older-intel"]).with(["--fail-on", "warning"]).status(1);
    check(XCP_NG, &["candidate-good"]).with(["--max-hosts", "5"]).status(1);
    // And what decided the status is no skipped test.
    let junit = |more: &[&str], status| {
        check(XCP_NG, &["candidate-older-intel"]).with(["--format", "junit"]).with(more).status(status).quietly()
    };
    assert!(junit(&[], 0).contains(r#"failures="0" errors="0""#));
    let failing = junit(&["--fail-on", "warning"], 1);
    let failures: Vec<_> = failing.lines().filter(|line| line.contains("<failure ")).collect();
    assert!(!failures.is_empty() && failures.iter().all(|line| line.contains(r#"type="WARNING""#)), "{failing}");
    // A blocker outweighs what is undecided.
    check(XCP_NG, &["candidate-unknown", "candidate-trouble"]).status(1);
}

#[test]
fn status_3_is_undecided() {
    check(XCP_NG, &["candidate-unknown"]).status(3);
    check(XCP_NG, &["candidate-good", "candidate-unknown"]).with(["--fail-on", "warning"]).status(3);
}

#[test]
fn status_2_is_bad_usage() {
    let good = fixture("candidate-good");
    let pool = fixture(XCP_NG);
    let mistakes: [&[&str]; 10] = [
        &[],
        &["chekc"],
        &["check"],
        &["check", "--pool", &pool],
        &["check", "--pool", &pool, "--host", &good, "--max-hosts", "0"],
        &["check", "--pool", &pool, "--host", &good, "--max-hosts", "many"],
        &["check", "--pool", &pool, "--host", &good, "--format", "yaml"],
        &["check", "--pool", &pool, "--host", &good, "--fail-on", "anything"],
        &["check", "--pool", "-", "--host", "-"],
        &["rules", "explain", "joiner-vms-not-runing"],
    ];
    let mut told = String::new();
    for words in mistakes {
        let complaint = poolgate(words).status(2).complaint();
        told.push_str(&format!("$ poolgate {}\n{complaint}\n", words.join(" ")));
    }
    insta::assert_snapshot!("bad usage", told);
}

#[test]
fn status_2_is_a_target_that_cannot_be_read() {
    for target in ["nowhere.json", "", "ssh://xen-1", "https://root:secret@xen-1", "https://xen-1", "cpu:"] {
        let complaint = poolgate(["collect", target]).status(2).complaint();
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}

#[test]
fn rules_list() {
    let table = poolgate(["rules", "list"]).status(0).quietly();
    assert_eq!(too_wide(&table), Vec::<&str>::new());
    let json = poolgate(["rules", "list", "--format", "json"]).status(0).json();
    let rules = json["rules"].as_array().unwrap();
    assert!(rules.len() >= 20);
    for rule in rules {
        assert!(table.contains(rule["id"].as_str().unwrap()), "{}", rule["id"]);
    }
    assert!(table.ends_with(&format!("{} rules\n", rules.len())));
}

#[test]
fn rules_explain() {
    for id in ["joiner-vms-not-running", "cpu-pool-keeps-features", "host-limit-policy"] {
        let page = poolgate(["rules", "explain", id]).status(0).quietly();
        insta::assert_snapshot!(format!("explain {id}"), page);
    }
}

#[test]
fn a_refusal_of_the_server_leads_to_its_rules() {
    let one = poolgate(["rules", "explain", "POOL_JOINING_HOST_HAS_BONDS"]).status(0).quietly();
    assert_eq!(one, poolgate(["rules", "explain", "joiner-without-bonds"]).status(0).quietly());
    let several = poolgate(["rules", "explain", "HOSTS_NOT_HOMOGENEOUS", "--format", "json"]).status(0).json();
    let ids: Vec<_> = several["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"cpu-vendor") && ids.contains(&"software-homogeneous"), "{ids:?}");
    poolgate(["rules", "explain", "HOSTS_NOT_HOMOGENOUS"]).status(2).complaint();
}

#[test]
fn every_rule_explains_itself() {
    let json = poolgate(["rules", "list", "--format", "json"]).status(0).json();
    for rule in json["rules"].as_array().unwrap() {
        let page = poolgate(["rules", "explain", rule["id"].as_str().unwrap()]).status(0).quietly();
        let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(rule["title"].as_str().unwrap()), "{page}");
    }
}

#[test]
fn rules_test() {
    let text = poolgate(["rules", "test"]).status(0).quietly();
    assert!(text.ends_with(", 0 failures\n"), "{text}");
}

#[test]
fn rules_schema_in_both_forms() {
    let words = poolgate(["rules", "schema"]).status(0).quietly();
    assert!(words.contains("joiner"), "{words}");
    let json = poolgate(["rules", "schema", "--format", "json"]).status(0).json();
    assert!(json.is_object());
}

#[test]
fn collect_gives_back_what_a_snapshot_holds() {
    for stem in [XCP_NG, "candidate-unknown", "candidate-bare", "xenserver-6.5-masking"] {
        let text = fs::read_to_string(fixture_path(stem)).unwrap();
        assert_eq!(poolgate(["collect", &fixture(stem)]).status(0).quietly(), text, "{stem}");
        assert_eq!(poolgate(["collect", "-"]).stdin(text.as_str()).status(0).quietly(), text, "{stem}");
    }
}

#[test]
fn standard_input_is_a_target() {
    let joiner = fs::read(fixture_path("candidate-trouble")).unwrap();
    let run = |format: &str| {
        let words = ["check", "--pool", &fixture(XCP_NG), "--host", "-", "--format", format];
        poolgate(words).stdin(joiner.clone()).status(1)
    };
    let json = run("json").json();
    assert_eq!(json["verdict"], "NO-GO");
    assert_eq!(json["joiners"][0]["source"], "-");
    assert!(run("table").quietly().starts_with("NO-GO\n"));
}

#[test]
fn files_get_the_format_of_their_extension() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = || check(XCP_NG, &["candidate-trouble"]);
    let words = ["-o", &path("report.json"), "-o", &path("report.txt")];
    assert_eq!(run().with(words).status(1).quietly(), "");
    assert_eq!(fs::read_to_string(path("report.txt")).unwrap(), run().status(1).stdout);
    let json = run().with(["--format", "json"]).status(1).stdout;
    assert_eq!(fs::read_to_string(path("report.json")).unwrap(), json);
    // A named format is the format of every file.
    run().with(["--format", "json", "-o", &path("report.log")]).status(1);
    assert_eq!(fs::read_to_string(path("report.log")).unwrap(), json);
    assert_eq!(entries(folder.path()), ["report.json", "report.log", "report.txt"]);
}

#[test]
fn a_file_keeps_its_content_when_the_run_fails() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.json");
    fs::write(&kept, "kept").unwrap();
    let path = kept.display().to_string();
    poolgate(["check", "--pool", &fixture(XCP_NG), "--host", "nowhere.json", "-o", &path]).status(2);
    check(XCP_NG, &["candidate-good"]).with(["--rules", "nowhere", "-o", &path]).status(2);
    poolgate(["collect", "nowhere.json", "-o", &path]).status(2);
    // A format that nobody knows is found out before anything is written.
    let odd = folder.path().join("report.pdf").display().to_string();
    check(XCP_NG, &["candidate-good"]).with(["-o", &path, "-o", &odd]).status(2);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
    assert_eq!(entries(folder.path()), ["kept.json"]);
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.txt");
    fs::write(&path, "x".repeat(1 << 20)).unwrap();
    let words = ["-o".to_owned(), path.display().to_string()];
    check(XCP_NG, &["candidate-good"]).with(words).status(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), check(XCP_NG, &["candidate-good"]).status(0).stdout);
    assert_eq!(entries(folder.path()), ["report.txt"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/report.json").display().to_string();
    let complaint = check(XCP_NG, &["candidate-good"]).with(["-o", &missing]).status(2).complaint();
    assert!(complaint.contains(&missing) && complaint.contains("untouched"), "{complaint}");
    let inside = folder.path().join("report.json");
    fs::write(&inside, "kept").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    // Root writes everywhere; then there is nothing to see here.
    if tempfile::NamedTempFile::new_in(folder.path()).is_err() {
        let inside = inside.display().to_string();
        let complaint = check(XCP_NG, &["candidate-good"]).with(["-o", &inside]).status(2).complaint();
        assert!(complaint.contains(&inside), "{complaint}");
        assert_eq!(fs::read_to_string(&inside).unwrap(), "kept");
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn collect_writes_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json").display().to_string();
    assert_eq!(poolgate(["collect", &fixture("candidate-good"), "-o", &path]).status(0).quietly(), "");
    assert_eq!(fs::read(&path).unwrap(), fs::read(fixture_path("candidate-good")).unwrap());
}

fn entries(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    entries
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let command = format!(
        "'{}' check --pool {} --host {} --all | head -n 1",
        env!("CARGO_BIN_EXE_poolgate"),
        fixture(XCP_NG),
        fixture("candidate-good"),
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &command])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "GO\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_rule_of_ones_own_counts() {
    let folder = tempfile::tempdir().unwrap();
    let rule = r#"
id = "name-of-our-own"
title = "The host's name follows our scheme"
why = "Our inventory finds hosts by name."
severity = "blocker"
require = "host.name_label.startsWith('rack-')"
message = "{host.name_label} is no rack name"

[[example]]
name = "baseline"
expect = "fail"

[[example]]
name = "ours"
expect = "pass"
set = { "joiner.hosts[0].name_label" = "rack-7" }

[[example]]
name = "not known"
expect = "unknown"
forget = ["joiner.hosts[0].name_label"]
"#;
    fs::write(folder.path().join("name-of-our-own.toml"), rule).unwrap();
    let path = folder.path().display().to_string();
    let json = check(XCP_NG, &["candidate-good"]).with(["--rules", &path, "--format", "json"]).status(1).json();
    let finding = &json["joiners"][0]["findings"][0];
    assert_eq!(finding["rule"], "name-of-our-own");
    assert_eq!(finding["evidence"][0]["fact"], "host.name_label");
    let told = poolgate(["rules", "test", &path]).status(0).quietly();
    assert_eq!(told, "1 rule, 3 examples, 0 failures\n");
    // An example that shows something else is a difference, not a wrong usage.
    let wrong = rule.replace("expect = \"fail\"", "expect = \"pass\"");
    fs::write(folder.path().join("name-of-our-own.toml"), wrong).unwrap();
    let told = poolgate(["rules", "test", &path]).status(1).quietly();
    assert!(told.contains("name-of-our-own") && told.contains("baseline"), "{told}");
}
