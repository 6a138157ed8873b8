//! `docs/rules.md`: every rule, message and command of the tutorial does what the page says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::path::Path;

use common::run::{Poolgate, check, poolgate};

const PAGE: &str = include_str!("../docs/rules.md");

/// The fenced blocks of a language, without their fences.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    PAGE.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned() + "\n").collect()
}

/// (file name, text) of the page's files.
fn files() -> Vec<(String, String)> {
    let named = |text: String| {
        let name = text.lines().next().unwrap().strip_prefix("# ").unwrap_or_else(|| panic!("no name: {text}"));
        (name.to_owned(), text.clone())
    };
    blocks("toml").into_iter().map(named).collect()
}

/// Writes the page's rules and severities as the folder `my-rules`, with a change to one file.
fn folder(change: impl Fn(&str, String) -> String) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let rules = root.path().join("my-rules");
    std::fs::create_dir(&rules).unwrap();
    for (name, text) in files() {
        let place = if name == "waivers.toml" { root.path().join(&name) } else { rules.join(&name) };
        std::fs::write(place, change(&name, text)).unwrap();
    }
    root
}

fn rules_of(root: &Path) -> String {
    root.join("my-rules").display().to_string()
}

fn judged(root: &Path, joiner: &str) -> Poolgate {
    check("xcp-ng-8.3-5-hosts", &[joiner]).with(["--rules", &rules_of(root), "--format", "json", "--all"])
}

fn severity<'j>(report: &'j serde_json::Value, rule: &str) -> (&'j str, &'j str, Option<&'j str>) {
    let findings = report["joiners"][0]["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["rule"] == rule).unwrap_or_else(|| panic!("no {rule}"));
    let text = |key: &str| finding[key].as_str();
    (text("outcome").unwrap(), text("severity").unwrap(), text("severity_was"))
}

#[test]
fn every_rule_of_the_page_passes_its_examples() {
    let root = folder(|_, text| text);
    let said = poolgate(["rules", "test", &rules_of(root.path())]).status(0).quietly();
    let shown = blocks("console").into_iter().find(|block| block.contains("rules test")).unwrap();
    assert_eq!(Some(said.trim()), shown.lines().nth(1));
    assert_eq!(files().len(), 7, "five rules, severities and a waiver");
    for (name, _) in files().iter().filter(|(name, _)| name != "waivers.toml") {
        assert!(PAGE.contains(&format!("\n        {name}\n")), "the folder on the page has no {name}");
    }
}

#[test]
fn the_rules_of_the_page_judge_a_joiner() {
    let root = folder(|_, text| text);
    let report = judged(root.path(), "candidate-older-intel").status(1).json();
    for (name, _) in files().iter().filter(|(name, _)| name != "severity.toml" && name != "waivers.toml") {
        severity(&report, name.trim_end_matches(".toml"));
    }
    assert_eq!(severity(&report, "cpu-pool-keeps-features"), ("fail", "blocker", Some("warning")));
    assert_eq!(severity(&report, "network-speed-same").1, "note");
    let table = check("xcp-ng-8.3-5-hosts", &["candidate-older-intel"]).with(["--rules", &rules_of(root.path())]);
    assert!(table.status(1).stdout.contains("blocker by your rules; the rule itself says warning"));
}

#[test]
fn a_misspelt_fact_gives_the_message_of_the_page() {
    let root = folder(|name, text| {
        if name == "firmware-2.10.toml" { text.replace("bios_version, '2.10'", "bios_vresion, '2.10'") } else { text }
    });
    let said = judged(root.path(), "candidate-good").status(2).complaint();
    let shown = blocks("console").into_iter().find(|block| block.contains("bios_vresion")).unwrap();
    let shown = shown.split_once('\n').unwrap().1;
    let said = said.replace(&root.path().display().to_string(), "").replace("/my-rules", "my-rules");
    assert!(said.starts_with(shown.trim_end()), "{said}\n---\n{shown}");
}

#[test]
fn a_severity_that_hides_a_refusal_is_a_mistake() {
    let root = folder(|name, text| {
        if name == "severity.toml" {
            text + "joiner-vms-not-running = \"note\"\ncpu-vendr = \"note\"\n"
        } else {
            text
        }
    });
    for said in [
        judged(root.path(), "candidate-trouble").status(2).complaint(),
        poolgate(["rules", "test", &rules_of(root.path())]).status(2).complaint(),
    ] {
        assert!(said.contains("severity.toml:4:") && said.contains("the server itself refuses"), "{said}");
        assert!(said.contains("did you mean \"cpu-vendor\"?") && said.contains("2 mistakes"), "{said}");
    }
}

#[test]
fn the_waiver_of_the_page_waives() {
    let root = folder(|name, text| if name == "severity.toml" { String::new() } else { text });
    let waivers = root.path().join("waivers.toml").display().to_string();
    let words = ["--waivers", &waivers, "--today", "2026-06-01", "--format", "json"];
    let report = check("xcp-ng-8.3-5-hosts", &["candidate-trouble"]).with(words).status(1).json();
    assert_eq!(report["joiners"][0]["summary"]["waived"], 1);
    assert_eq!(report["waivers"]["findings"].as_array().unwrap().len(), 0);
}

#[test]
fn pages_tell_of_own_and_built_in_rules() {
    let root = folder(|_, text| text);
    let words = ["rules", "explain", "firmware-2.10", "--format", "markdown", "--rules", &rules_of(root.path())];
    let page = poolgate(words).status(0).quietly().replace(&root.path().display().to_string(), "");
    insta::assert_snapshot!("page of firmware-2.10", page);
    let page = poolgate(["rules", "explain", "software-homogeneous", "--format", "markdown"]).status(0).quietly();
    insta::assert_snapshot!("page of software-homogeneous", page);
    let rules = poolgate(["rules", "list", "--format", "json"]).status(0).json();
    let list = poolgate(["rules", "list", "--format", "markdown"]).status(0).quietly();
    for rule in rules["rules"].as_array().unwrap() {
        let id = rule["id"].as_str().unwrap();
        assert!(list.contains(&format!("| `{id}` |")), "{id}");
    }
    let mine = poolgate(["rules", "list", "--format", "markdown", "--rules", &rules_of(root.path())]).status(0);
    assert!(mine.stdout.contains("| `cpu-pool-keeps-features` | **blocker** |"));
}
