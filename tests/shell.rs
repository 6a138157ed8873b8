//! What a shell and a reader get: completions that a real bash loads, manual pages that `man` can render, and the version.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use common::run::poolgate;
use poolgate::rules::Registry;
use poolgate::snapshot::{MAJOR, MINOR};

#[test]
fn the_version_names_the_rules_and_the_format() {
    let short = poolgate(["-V"]).status(0).quietly();
    assert_eq!(short, concat!("poolgate ", env!("CARGO_PKG_VERSION"), "\n"));
    let long = poolgate(["--version"]).status(0).quietly();
    let rules = Registry::load(&[]).unwrap();
    let expected = format!(
        "{short}rules: {}, SHA-256 {}\nsnapshot format: {MAJOR}.{MINOR}\n",
        rules.all().count(),
        rules.digest()
    );
    assert_eq!(long, expected);
}

/// What a bash completes behind these words, of which the last is begun.
fn bash_completes(script: &Path, words: &[&str]) -> Vec<String> {
    let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let last = words.len() - 1;
    let source = format!(
        "source '{}'; COMP_WORDS=({line}); COMP_CWORD={last}; COMPREPLY=(); \
         _poolgate poolgate '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words[last],
        words[last - 1],
    );
    let done = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", &source])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_values_and_files() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("poolgate.bash");
    fs::write(&script, poolgate(["completions", "bash"]).status(0).quietly()).unwrap();
    let completes = |words: &[&str]| bash_completes(&script, words);
    assert_eq!(completes(&["poolgate", "ch"]), ["check"]);
    assert_eq!(completes(&["poolgate", "cpu", "s"]), ["search"]);
    assert_eq!(completes(&["poolgate", "check", "--as"]), ["--as-release"]);
    assert_eq!(completes(&["poolgate", "check", "--format", "ma"]), ["markdown"]);
    assert_eq!(completes(&["poolgate", "check", "--phase", ""]), ["join", "eject"]);
    assert_eq!(completes(&["poolgate", "schema", "report"]), ["report", "report-line"]);
    let releases = completes(&["poolgate", "check", "--as-release", "xcp-ng-8"]);
    assert!(releases.contains(&"xcp-ng-8.3".to_owned()) && releases.len() >= 3, "{releases:?}");
    let rules = completes(&["poolgate", "rules", "explain", "cpu-v"]);
    assert!(rules.contains(&"cpu-vendor".to_owned()), "{rules:?}");
    let files = completes(&["poolgate", "check", "--pool", "fixtures/xcp-ng-8.3"]);
    assert_eq!(files, ["fixtures/xcp-ng-8.3-5-hosts.json"]);
}

#[test]
fn every_shell_gets_a_script_with_every_command() {
    for (shell, sign) in [
        ("bash", "complete -F _poolgate"),
        ("zsh", "#compdef poolgate"),
        ("fish", "complete -c poolgate"),
        ("elvish", "edit:completion:arg-completer[poolgate]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = poolgate(["completions", shell]).status(0).quietly();
        assert!(script.contains(sign), "{shell}");
        for word in ["journal", "search", "coordinator-address", "xcp-ng-8.3"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
        // Where the shell is at hand, it reads its script.
        let Ok(mut child) = Command::new(shell).arg("-n").stdin(Stdio::piped()).spawn() else { continue };
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{shell}");
    }
    poolgate(["completions", "tcsh"]).status(2).complaint();
}

/// All pages: name and text.
fn pages() -> Vec<(String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("share/man/man1");
    assert_eq!(poolgate(["man", "-o", inside.to_str().unwrap()]).status(0).quietly(), "");
    let mut pages: Vec<_> = fs::read_dir(&inside)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    pages.sort();
    pages
}

#[test]
fn every_command_has_a_page_with_what_all_share() {
    let pages = pages();
    let names: Vec<_> = pages.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["poolgate.1", "poolgate-check.1", "poolgate-rules-explain.1", "poolgate-journal-verify.1"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for (name, page) in &pages {
        let words = name.trim_end_matches(".1").split('-').count();
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES"] {
            assert!(page.contains(&format!("\n.SH {section}\n")), "{name}: no {section}");
        }
        assert!(page.contains("UNDECIDED: a fact that a blocker needs is missing"), "{name}");
        for part in ["NO_COLOR", "COLUMNS", "known_hosts"] {
            assert!(page.contains(part), "{name}: no {part}");
        }
        assert!(page.contains("\n.SH \"SEE ALSO\"\n") || words == 1, "{name}");
        let printed = poolgate(["man"]).with(name.trim_end_matches(".1").split('-').skip(1).map(str::to_owned));
        if words <= 3 && !name.contains("report") {
            assert_eq!(&printed.status(0).quietly(), page, "{name}");
        }
    }
    let targets = |name: &str| pages.iter().find(|(page, _)| page == name).unwrap().1.contains("\n.SH TARGETS\n");
    for name in ["poolgate.1", "poolgate-check.1", "poolgate-collect.1", "poolgate-diff.1", "poolgate-cpu-level.1"] {
        assert!(targets(name), "{name}");
    }
    assert!(!targets("poolgate-quote-init.1") && !targets("poolgate-schema.1"));
    let wrong = poolgate(["man", "cpu", "dekode"]).status(2).complaint();
    assert!(wrong.contains("has no command \"dekode\": decode, diff, level, search"), "{wrong}");
}

#[test]
fn pages_render_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    for (name, page) in pages() {
        let path = folder.path().join(&name);
        fs::write(&path, page).unwrap();
        let Ok(done) =
            Command::new("groff").args(["-man", "-Tutf8", "-ww", "-Wbreak", "-rLL=72n"]).arg(&path).output()
        else {
            // Their structure is checked above.
            return;
        };
        assert!(done.status.success() && done.stderr.is_empty(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(text.contains("poolgate") && text.lines().count() > 20, "{name}: {text}");
    }
}
