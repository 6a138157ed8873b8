//! What the README shows is what poolgate prints: every console block that begins with a poolgate command is run.
//!
//! A block reads `$ cargo run --release -- ARGUMENTS` (or `$ poolgate ARGUMENTS`), then the output, then, where the
//! status is shown, `$ echo $?` and the status. A line `…` stands for any number of lines that are left out.

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::run::poolgate;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const LEFT_OUT: &str = "…";

/// A command that the README shows.
#[derive(Debug)]
struct Shown {
    words: Vec<String>,
    output: Vec<String>,
    status: Option<i32>,
}

fn shown(readme: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut inside = false;
    let mut open = false;
    let mut asks_status = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = !inside;
            open = false;
        } else if !inside {
        } else if let Some(command) = line.strip_prefix("$ ") {
            if command == "echo $?" {
                asks_status = open;
                continue;
            }
            let arguments =
                ["cargo run --release -- ", "poolgate "].into_iter().find_map(|it| command.strip_prefix(it));
            open = arguments.is_some();
            if let Some(arguments) = arguments {
                let words = arguments.split_whitespace().map(str::to_owned).collect();
                shown.push(Shown { words, output: Vec::new(), status: None });
            }
        } else if let Some(last) = shown.last_mut().filter(|_| open) {
            if asks_status {
                last.status = line.trim().parse().ok();
                asks_status = false;
            } else {
                last.output.push(line.to_owned());
            }
        }
    }
    shown
}

/// Whether the lines are those shown, with anything where lines are left out.
fn fits(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.iter().all(|line| line.trim().is_empty()),
        Some((line, rest)) if line.trim() == LEFT_OUT => (0..=printed.len()).any(|skip| fits(rest, &printed[skip..])),
        Some((line, rest)) => match printed.split_first() {
            Some((first, printed)) => line.trim_end() == first.trim_end() && fits(rest, printed),
            None => line.trim().is_empty() && fits(rest, printed),
        },
    }
}

#[test]
fn every_command_prints_what_the_readme_shows() {
    let Ok(readme) = std::fs::read_to_string(README) else { panic!("there is no README.md") };
    let mut reproducible = 0;
    for shown in shown(&readme) {
        // What this machine is, no README knows.
        if shown.words.iter().any(|word| word == "local") || shown.output.is_empty() {
            continue;
        }
        let done = poolgate(&shown.words).any_status(|status| shown.status.is_none_or(|wanted| wanted == *status));
        let printed: Vec<_> = done.stdout.lines().collect();
        let command = shown.words.join(" ");
        assert!(fits(&shown.output, &printed), "poolgate {command}: the README shows other output than:\n{done}");
        reproducible += 1;
    }
    assert!(reproducible > 0, "the README shows no command with its output");
}

#[test]
fn the_rule_that_the_readme_shows_is_sound() {
    let readme = std::fs::read_to_string(README).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (rule, _) = rest.split_once("```").unwrap();
    let id = rule.split('"').nth(1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(format!("{id}.toml")), rule).unwrap();
    let path = folder.path().display().to_string();
    let page = poolgate(["rules", "explain", id, "--rules", &path]).status(0).quietly();
    assert!(page.contains(id), "{page}");
}

#[test]
fn a_readme_that_shows_something_else_is_found_out() {
    let readme = "```console\n$ poolgate --version\npoolgate 1\n…\nend\n$ echo $?\n1\n$ other\nignored\n```\n";
    let shown = shown(readme);
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].words.join(" ").as_str(), shown[0].status), ("--version", Some(1)));
    assert!(fits(&shown[0].output, &["poolgate 1", "end"]));
    assert!(fits(&shown[0].output, &["poolgate 1", "more", "and more", "end"]));
    assert!(!fits(&shown[0].output, &["poolgate 1", "more"]));
    assert!(!fits(&shown[0].output, &["poolgate 2", "end"]));
    assert!(!fits(&shown[0].output, &["poolgate 1", "end", "more"]));
}
