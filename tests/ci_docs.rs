//! `docs/ci.md`: the very steps of the page, run as a runner would run them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PAGE: &str = include_str!("../docs/ci.md");

/// The scripts of the page's nth YAML block: what stands below `run: |` or `- |`.
fn scripts(block: usize) -> Vec<String> {
    let text = PAGE.split("```yaml\n").nth(block + 1).unwrap().split("\n```").next().unwrap();
    let lines: Vec<_> = text.lines().collect();
    let mut scripts = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.trim() != "run: |" && line.trim() != "- |" {
            continue;
        }
        let indent = lines[at + 1].len() - lines[at + 1].trim_start().len();
        let inside = lines[at + 1..].iter().take_while(|line| line.len() - line.trim_start().len() >= indent);
        scripts.push(inside.map(|line| &line[indent..]).collect::<Vec<_>>().join("\n") + "\n");
    }
    scripts
}

/// A checkout as the page describes it, with these candidates.
fn checkout(candidates: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let fixture = |stem: &str| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/{stem}.json"));
    for folder in ["pools", "servers"] {
        std::fs::create_dir(root.path().join(folder)).unwrap();
    }
    std::fs::copy(fixture("xcp-ng-8.3-5-hosts"), root.path().join("pools/production.json")).unwrap();
    for (index, candidate) in candidates.iter().enumerate() {
        // Names with spaces are names too.
        std::fs::copy(fixture(candidate), root.path().join(format!("servers/{index} {candidate}.json"))).unwrap();
    }
    std::fs::write(root.path().join("waivers.toml"), "# nothing is waived\n").unwrap();
    root
}

/// Runs a script as GitHub and GitLab run theirs.
fn bash(root: &Path, script: &str) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_poolgate")).parent().unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(root).env_clear();
    command
        .env("PATH", path)
        .env("GITHUB_OUTPUT", root.join("output"))
        .env("GITHUB_STEP_SUMMARY", root.join("summary"));
    command.output().unwrap()
}

fn text(root: &Path, name: &str) -> String {
    std::fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const CASES: [(&[&str], i32); 4] = [
    (&["candidate-good"], 0),
    (&["candidate-good", "candidate-trouble"], 1),
    (&["candidate-unknown"], 3),
    (&["candidate-older-intel"], 0),
];

#[test]
fn the_steps_for_github_end_with_the_verdict() {
    let steps = scripts(0);
    assert_eq!(steps.len(), 3);
    for (candidates, status) in CASES {
        let root = checkout(candidates);
        let root = root.path();
        let check = bash(root, &steps[0]);
        assert_eq!(check.status.code(), Some(0), "{check:?}");
        let annotate = bash(root, &steps[1]);
        assert_eq!(annotate.status.code(), Some(0), "{annotate:?}");
        let log = String::from_utf8(annotate.stdout).unwrap();
        assert_eq!(log.contains("::error "), status != 0, "{log}");
        // What the upload steps take.
        let sarif: serde_json::Value = serde_json::from_str(&text(root, "poolgate.sarif")).unwrap();
        assert_eq!(sarif["version"], "2.1.0");
        for name in ["poolgate.xml", "poolgate.html", "poolgate.json"] {
            assert!(!text(root, name).is_empty(), "{name}");
        }
        assert!(text(root, "summary").starts_with("## "));
        let output = text(root, "output");
        let output = output.trim().strip_prefix("status=").unwrap();
        let decide = steps[2].replace("${{ steps.check.outputs.status }}", output);
        assert_eq!(bash(root, &decide).status.code(), Some(status), "{candidates:?}");
    }
}

#[test]
fn bad_input_stops_the_first_step() {
    let root = checkout(&["candidate-good"]);
    std::fs::write(root.path().join("waivers.toml"), "[[waiver]]\n").unwrap();
    let check = bash(root.path(), &scripts(0)[0]);
    assert_eq!(check.status.code(), Some(2), "{check:?}");
    assert!(!root.path().join("poolgate.sarif").exists());
}

#[test]
fn the_job_for_gitlab_ends_with_the_verdict() {
    let steps = scripts(1);
    assert_eq!(steps.len(), 1);
    for (candidates, status) in CASES {
        let root = checkout(candidates);
        let run = bash(root.path(), &steps[0]);
        assert_eq!(run.status.code(), Some(status), "{run:?}");
        let issues: serde_json::Value =
            serde_json::from_str(&text(root.path(), "gl-code-quality-report.json")).unwrap();
        assert_eq!(issues.as_array().unwrap().is_empty(), candidates == ["candidate-good"], "{candidates:?}");
        assert!(text(root.path(), "poolgate.xml").contains("<testsuite "));
    }
}

#[test]
fn the_job_for_drift_tells_drift() {
    let steps = scripts(2);
    let root = checkout(&[]);
    // A snapshot is a target too: here it stands for the records.
    let step = steps[0].replace("pool-records.json", "seen.json");
    std::fs::copy(root.path().join("pools/production.json"), root.path().join("seen.json")).unwrap();
    let same = bash(root.path(), &step);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    let drifted = text(root.path(), "seen.json").replacen("\"enabled\": true", "\"enabled\": false", 1);
    std::fs::write(root.path().join("seen.json"), drifted).unwrap();
    let drift = bash(root.path(), &step);
    assert_eq!(drift.status.code(), Some(1), "{drift:?}");
}
