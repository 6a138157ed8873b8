//! `docs/fleet.md`: what the page shows is what is printed, and its Job and its matrix, run with processes, come to the whole.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::common::run::poolgate;
use crate::made::{Random, of_records};

const PAGE: &str = include_str!("../../docs/fleet.md");

/// The scripts of the page's nth YAML block: what stands below `run: |` or `- |`.
fn scripts(block: usize) -> Vec<String> {
    let text = PAGE.split("```yaml\n").nth(block + 1).unwrap().split("\n```").next().unwrap();
    let lines: Vec<_> = text.lines().collect();
    let mut scripts = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if line.trim() == "run: |" || line.trim() == "- |" {
            let indent = lines[at + 1].len() - lines[at + 1].trim_start().len();
            let inside = lines[at + 1..].iter().take_while(|line| line.len() - line.trim_start().len() >= indent);
            scripts.push(inside.map(|line| &line[indent..]).collect::<Vec<_>>().join("\n") + "\n");
        }
    }
    scripts
}

/// Starts a script as a runner would.
fn bash(root: &Path, script: &str, variables: &[(&str, &str)]) -> Child {
    let bin = Path::new(env!("CARGO_BIN_EXE_poolgate")).parent().unwrap();
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-euo", "pipefail", "-c", script]).current_dir(root).env_clear();
    command.env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display()));
    command.env("GITHUB_STEP_SUMMARY", root.join("summary")).envs(variables.iter().copied());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ends_well(child: Child) {
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn checkout() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut lines = of_records(&mut Random::new(7), 12, true);
    lines.insert(9, "broken".to_owned());
    fs::write(root.path().join("fleet.ndjson"), lines.join("\n")).unwrap();
    fs::create_dir(root.path().join("parts")).unwrap();
    root
}

/// The report on the whole fleet, in the same folder and by the same name.
fn whole(root: &Path, fleet: &str) -> (i32, String) {
    let script = format!("poolgate check --fleet {fleet} -o whole.json || echo $? > status");
    ends_well(bash(root, &script, &[]));
    let status = fs::read_to_string(root.join("status")).unwrap_or_default();
    (status.trim().parse().unwrap_or(0), fs::read_to_string(root.join("whole.json")).unwrap())
}

#[test]
fn the_job_comes_to_the_whole() {
    let root = checkout();
    let root = root.path();
    let [script] = scripts(0).try_into().unwrap();
    let pods: Vec<_> = (0..7)
        .map(|index| {
            let index = index.to_string();
            let variables =
                [("SHARDS", "7"), ("FLEET", "fleet.ndjson"), ("PARTS", "parts"), ("JOB_COMPLETION_INDEX", &index)];
            bash(root, &script, &variables)
        })
        .collect();
    pods.into_iter().for_each(ends_well);
    let merge = PAGE.lines().find(|line| line.starts_with("    poolgate merge ")).unwrap().trim();
    let done = bash(root, merge, &[("PARTS", "parts")]).wait_with_output().unwrap();
    let (status, report) = whole(root, "fleet.ndjson");
    assert_eq!((done.status.code(), fs::read_to_string(root.join("fleet.json")).unwrap()), (Some(status), report));
}

#[test]
fn the_matrix_comes_to_the_whole() {
    let root = checkout();
    let root = root.path();
    let [check, merge] = scripts(1).try_into().unwrap();
    let jobs: Vec<_> = ["1", "2", "3", "4"].map(|shard| bash(root, &check, &[("SHARD", shard)])).into();
    jobs.into_iter().for_each(ends_well);
    let done = bash(root, &merge, &[]).wait_with_output().unwrap();
    let (status, report) = whole(root, "fleet.ndjson");
    assert_eq!((done.status.code(), fs::read_to_string(root.join("fleet.json")).unwrap()), (Some(status), report));
    assert!(fs::read_to_string(root.join("summary")).unwrap().starts_with("## "));
}

#[test]
fn the_page_shows_what_is_printed() {
    let shown = PAGE.split("```console\n").nth(1).unwrap().split("\n```").next().unwrap();
    let lines: Vec<_> = shown.lines().collect();
    let words = lines[0].strip_prefix("$ poolgate ").unwrap().split(' ');
    let [.., "$ echo $?", status] = lines.as_slice() else { panic!("no status: {shown}") };
    let done = poolgate(words).status(status.parse().unwrap());
    assert_eq!(done.quietly().lines().collect::<Vec<_>>(), lines[1..lines.len() - 2]);
}
