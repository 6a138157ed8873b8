//! What README.md and the pages of docs/ show is what poolgate does.
//!
//! - A `console` block is run: `$ poolgate WORDS` (or `$ cargo run --release -- WORDS`), then the output, then, where the status is shown,
//!   `$ echo $?` and the status. A line `…` stands for any number of lines. It runs in the repository's root, or in a folder with the
//!   rules of docs/rules.md.
//! - A block that needs servers has the word `live` in its fence. Its commands, and every command in text, are held against the command
//!   line's grammar.
//! - Quotes are judged; other TOML is the tutorial's, which `tests/own_rules.rs` runs. YAML is run by `tests/ci_docs.rs`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::run::{fixture, poolgate};

const LEFT_OUT: &str = "…";
const CALLS: [&str; 2] = ["cargo run --release -- ", "poolgate "];

/// Every page: its path from the repository's root, and its text.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    paths.sort();
    paths.insert(0, root.join("README.md"));
    let name = |path: &PathBuf| path.strip_prefix(root).unwrap().display().to_string();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// A fenced block: the words behind its fence, and its lines.
struct Block<'p> {
    fence: Vec<&'p str>,
    lines: Vec<&'p str>,
}

/// The blocks of a page, and the lines outside of them.
fn blocks(page: &str) -> (Vec<Block<'_>>, Vec<&str>) {
    let (mut blocks, mut outside): (Vec<Block<'_>>, _) = (Vec::new(), Vec::new());
    let mut inside = false;
    for line in page.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            inside = !inside;
            if inside {
                blocks.push(Block { fence: fence.split_whitespace().collect(), lines: Vec::new() });
            }
        } else if inside {
            blocks.last_mut().unwrap().lines.push(line);
        } else {
            outside.push(line);
        }
    }
    (blocks, outside)
}

/// A command that a page shows.
#[derive(Debug)]
struct Shown {
    words: Vec<String>,
    output: Vec<String>,
    status: Option<i32>,
}

/// The commands of a console block.
fn shown(block: &Block<'_>) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut open = false;
    let mut asks_status = false;
    for line in &block.lines {
        if let Some(command) = line.strip_prefix("$ ") {
            if command == "echo $?" {
                asks_status = open;
                continue;
            }
            let arguments = CALLS.into_iter().find_map(|it| command.strip_prefix(it));
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
                last.output.push((*line).to_owned());
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
fn every_console_block_prints_what_its_page_shows() {
    let mut run = 0;
    for (page, text) in pages() {
        for block in blocks(&text).0.iter().filter(|block| block.fence == ["console"]) {
            for shown in shown(block) {
                // What this machine is, no page knows; the tutorial's own folder is made by its own test.
                if shown.words.iter().any(|word| word == "local" || word.starts_with("my-rules")) {
                    continue;
                }
                let fits_status = |status: &i32| shown.status.is_none_or(|wanted| wanted == *status);
                let done = poolgate(&shown.words).any_status(fits_status);
                let printed: Vec<_> = done.stdout.lines().collect();
                let command = shown.words.join(" ");
                assert!(fits(&shown.output, &printed), "{page}: poolgate {command} shows other output than:\n{done}");
                run += 1;
            }
        }
    }
    assert!(run >= 6, "only {run} commands were run");
}

/// The words of a command in text: without what stands for words of the reader's choice, and the first of alternatives.
fn words(command: &str) -> Vec<String> {
    let command = command.split(" # ").next().unwrap();
    // In lists of commands the description stands behind a gap.
    let command = command.split("  ").next().unwrap();
    let mut words = Vec::new();
    let mut quoted: Option<String> = None;
    for word in command.split_whitespace() {
        if let Some(open) = &mut quoted {
            open.push_str(&format!(" {word}"));
        } else if word.matches('"').count() == 1 {
            quoted = Some(word.to_owned());
        } else {
            words.push(word.to_owned());
        }
        if quoted.as_ref().is_some_and(|open| open.matches('"').count() == 2) {
            words.extend(quoted.take());
        }
    }
    let plain = |word: String| word.trim_matches(['[', ']', ',', ';', '.']).replace(['"', '\''], "");
    let first = |word: String| match word.split_once('|') {
        Some((first, _)) if !first.starts_with('-') => first.to_owned(),
        _ => word,
    };
    let end = |word: &String| !["|", ">", ">>", "||", "&&", "\\"].contains(&word.as_str());
    let words: Vec<_> =
        words.into_iter().take_while(end).map(plain).map(first).filter(|word| !word.is_empty()).collect();
    // Behind an option it stands for a value, elsewhere for more of the same.
    let is_value = |at: usize| at > 0 && words[at - 1].starts_with("--");
    (0..words.len()).filter(|at| words[*at] != LEFT_OUT || is_value(*at)).map(|at| words[at].clone()).collect()
}

/// Every command that a page names without showing what it prints.
fn named(text: &str) -> Vec<String> {
    let (blocks, outside) = blocks(text);
    let mut commands = Vec::new();
    let mut take = |line: &str| {
        let line = line.trim_start_matches("$ ").trim();
        commands.extend(CALLS.into_iter().find_map(|call| line.strip_prefix(call)).map(str::to_owned));
    };
    for block in blocks.iter().filter(|block| ["console", "sh"].contains(block.fence.first().unwrap_or(&""))) {
        // In a console block other lines are output.
        let lines = block.lines.iter().filter(|line| block.fence[0] != "console" || line.starts_with("$ "));
        lines.for_each(|line| take(line));
    }
    let mut prose = String::new();
    for line in outside {
        if line.starts_with("    ") { take(line) } else { prose.push_str(&format!("{line}\n")) }
    }
    prose.split('`').skip(1).step_by(2).for_each(|span| take(&span.replace('\n', " ")));
    commands
}

#[test]
fn every_command_that_a_page_names_exists_with_its_options() {
    let mut checked = BTreeSet::new();
    let mut wrong = String::new();
    for (page, text) in pages() {
        for command in named(&text) {
            let words = words(&command);
            if words.is_empty() || !checked.insert(words.clone()) {
                continue;
            }
            // With --help the grammar is checked, and nothing is done.
            let status =
                if words.iter().any(|word| word.starts_with("-V") || word == "--version") { "" } else { "--help" };
            let run = poolgate(&words).with(Some(status).filter(|word| !word.is_empty()));
            let done = run.any_status(|_| true);
            if done.status != 0 {
                wrong.push_str(&format!(
                    "{page}: `poolgate {command}`: {}\n",
                    done.stderr.lines().next().unwrap_or_default()
                ));
            }
        }
    }
    assert_eq!(wrong, "");
    assert!(checked.len() >= 50, "only {} commands were found", checked.len());
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (page, text) in pages() {
        let folder = root.join(&page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let path = link.split('#').next().unwrap();
            assert!(link.starts_with("https://") || folder.join(path).exists(), "{page}: {link} leads nowhere");
        }
    }
    let index = std::fs::read_to_string(root.join("docs/README.md")).unwrap();
    for (page, _) in pages() {
        let name = page.trim_start_matches("docs/");
        assert!(name == "README.md" || index.contains(&format!("({name})")), "docs/README.md does not name {name}");
    }
}

#[test]
fn every_quote_that_a_page_shows_is_judged() {
    let mut judged = 0;
    for (page, text) in pages() {
        for block in blocks(&text).0.iter().filter(|block| block.lines.contains(&"[[server]]")) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("offer.toml");
            std::fs::write(&path, block.lines.join("\n")).unwrap();
            let words = ["check", "--pool", &fixture("xcp-ng-8.3-5-hosts"), "--quote", path.to_str().unwrap()];
            let done = poolgate(words).any_status(|status| [0, 1, 3].contains(status));
            assert!(done.stdout.contains("on condition") || done.status != 0, "{page}: {done}");
            judged += 1;
        }
    }
    assert!(judged > 0);
}

#[test]
fn the_rule_that_the_readme_shows_is_sound() {
    let readme = pages().remove(0).1;
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
fn a_page_that_shows_something_else_is_found_out() {
    let page = "```console\n$ poolgate --version\npoolgate 1\n…\nend\n$ echo $?\n1\n$ other\nignored\n```\nSee `poolgate chek`.\n";
    let (blocks, outside) = blocks(page);
    assert_eq!((blocks.len(), outside), (1, vec!["See `poolgate chek`."]));
    let shown = shown(&blocks[0]);
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].words.join(" ").as_str(), shown[0].status), ("--version", Some(1)));
    assert!(fits(&shown[0].output, &["poolgate 1", "end"]));
    assert!(fits(&shown[0].output, &["poolgate 1", "more", "and more", "end"]));
    assert!(!fits(&shown[0].output, &["poolgate 1", "more"]));
    assert!(!fits(&shown[0].output, &["poolgate 2", "end"]));
    assert!(!fits(&shown[0].output, &["poolgate 1", "end", "more"]));
    assert_eq!(named(page), ["--version", "chek"]);
    assert_eq!(
        words("check --pool POOL [--host HOST …]   may these join?"),
        ["check", "--pool", "POOL", "--host", "HOST"]
    );
    assert_eq!(words("cpu decode|diff TARGET…"), ["cpu", "decode", "TARGET…"]);
    assert_eq!(
        words("cpu decode cpu:\"Intel Xeon Gold 6330\" # on paper"),
        ["cpu", "decode", "cpu:Intel Xeon Gold 6330"]
    );
}
