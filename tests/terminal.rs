//! Colour, width, pipes and interruptions: how reports fit where they are read.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::judge::fixture_json;
use common::pty::{CTRL_C, Ended};
use common::rehearsal::{PASSWORD, Rehearsal, served};
use common::run::{Poolgate, check, fixture, poolgate};
use poolgate::lab::{Fault, LabConfig};
use rustix::process::{Pid, Signal, kill_process};
use unicode_width::UnicodeWidthStr as _;

const POOL: &str = "xcp-ng-8.3-5-hosts";

/// Whether a run has colour on a terminal and in a pipe.
fn colour(variables: &[(&str, &str)], words: &[&str]) -> (bool, bool) {
    let run = || {
        let run = check(POOL, &["candidate-good"]).with(words.iter().copied());
        variables.iter().fold(run, |run, (name, value)| run.env(name, value))
    };
    let escapes = |text: &str| text.contains("\u{1b}[");
    let ended = run().on_a_terminal(80).end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    (escapes(&ended.seen), escapes(&run().raw()))
}

/// Variables, words, and whether there is colour on a terminal and in a pipe.
type Colours = (&'static [(&'static str, &'static str)], &'static [&'static str], (bool, bool));

#[test]
fn colour_is_for_terminals_and_as_the_operator_says() {
    let cases: [Colours; 12] = [
        (&[], &[], (true, false)),
        (&[], &["--no-color"], (false, false)),
        (&[("NO_COLOR", "1")], &[], (false, false)),
        (&[("NO_COLOR", "")], &[], (true, false)),
        (&[("CLICOLOR", "0")], &[], (false, false)),
        (&[("CLICOLOR", "1")], &[], (true, false)),
        (&[("CLICOLOR_FORCE", "1")], &[], (true, true)),
        (&[("CLICOLOR_FORCE", "0")], &[], (true, false)),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[], (false, false)),
        (&[("CLICOLOR_FORCE", "1")], &["--no-color"], (false, false)),
        (&[("TERM", "dumb")], &[], (false, false)),
        (&[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")], &[], (true, true)),
    ];
    for (variables, words, expected) in cases {
        assert_eq!(colour(variables, words), expected, "{variables:?} {words:?}");
    }
}

#[test]
fn a_file_has_no_colour() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.txt");
    let words = ["-o", path.to_str().unwrap()];
    check(POOL, &["candidate-good"]).env("CLICOLOR_FORCE", "1").env("COLUMNS", "40").with(words).status(0).quietly();
    let plain = check(POOL, &["candidate-good"]).status(0).quietly();
    assert_eq!(std::fs::read_to_string(path).unwrap(), plain);
}

/// Lines that are wider than a terminal although they could have been broken: between two words there is room. Commands are
/// copied, and never wrapped; the last line of a list of words that no blank parts has no room either.
fn too_wide(text: &str, columns: usize) -> Vec<&str> {
    let is_command = |line: &str| {
        ["xe ", "for ", "poolgate ", "openssl ", "systemctl "].iter().any(|word| {
            let line = line.trim_start();
            line.starts_with(word) || line.starts_with("mend ") && line.contains(&format!(": {word}"))
        })
    };
    let wide = |line: &&str| {
        let text = line.trim_start_matches([' ', '•']).trim_end();
        line.trim_end().width() > columns && text.contains(' ') && !is_command(line)
    };
    text.lines().filter(wide).collect()
}

fn reports() -> Vec<Poolgate> {
    let mut reports: Vec<_> =
        ["candidate-trouble", "candidate-good", "candidate-unknown", "candidate-amd", "candidate-bare"]
            .iter()
            .map(|joiner| check(POOL, &[joiner]).with(["--all"]))
            .collect();
    reports.push(check(POOL, &["candidate-good", "candidate-older-intel"]));
    let pool = fixture("xenserver-8-16-hosts");
    reports.push(poolgate(["check", "--phase", "eject", "--pool", &pool, "--member", "xs8-16"]));
    reports.push(poolgate(["plan", "fixtures/fleet-19-hosts.ndjson"]));
    reports.push(poolgate(["rules", "list"]));
    reports.push(poolgate(["rules", "explain", "cpu-pool-keeps-features"]));
    reports
}

#[test]
fn reports_fit_narrow_and_wide_terminals() {
    for columns in [40, 60, 80, 200] {
        for report in reports() {
            let text = shown(report, columns);
            assert_eq!(too_wide(&text, usize::from(columns)), Vec::<&str>::new(), "{columns} columns");
            // Ids are copied: never broken.
            assert!(!text.contains("\n joiner-vms-no\n") && text.len() > 200);
        }
    }
    let lines =
        |columns: &str| shown(check(POOL, &["candidate-trouble"]).env("COLUMNS", columns), 80).lines().count();
    assert!(lines("200") < lines("80") && lines("80") < lines("40"));
    // What is no width, or one that no text fits, is not taken.
    for odd in ["0", "", "wide", "-1", "99999"] {
        assert_eq!(lines(odd), if odd == "99999" { lines("200") } else { lines("80") }, "{odd}");
    }
    assert_eq!(lines("3"), lines("40"));
}

/// What a report shows on a terminal.
fn shown(report: Poolgate, columns: u16) -> String {
    let ended = report.env("NO_COLOR", "1").on_a_terminal(columns).end();
    assert!([0, 1, 3].contains(&ended.code()), "{ended:?}");
    ended.seen.replace("\r\n", "\n")
}

#[test]
fn the_terminal_says_how_wide_it_is() {
    let joiner = || check(POOL, &["candidate-trouble"]);
    // The operator's word goes before the terminal's own.
    assert!(shown(joiner().env("COLUMNS", "120"), 40) == shown(joiner(), 120));
    assert!(shown(joiner(), 80) == joiner().raw(), "a pipe is 80 columns wide");
    assert!(shown(joiner(), 40) != joiner().env("COLUMNS", "40").raw(), "nothing of the terminal shows in a pipe");
}

#[test]
fn help_fits_narrow_terminals_and_is_never_wider_than_it_reads_well() {
    let help = |command: &[&str], columns| {
        let mut words = command.to_vec();
        words.push("--help");
        let ended = poolgate(words).env("NO_COLOR", "1").on_a_terminal(columns).end();
        assert_eq!(ended.code(), 0, "{ended:?}");
        ended.seen.replace("\r\n", "\n")
    };
    for command in [&[][..], &["check"], &["join"], &["plan"], &["cpu", "level"], &["lab"]] {
        for columns in [40, 60, 80, 100, 200] {
            let text = help(command, columns);
            // What is typed, and an option with its value, is one line; a word that no blank parts has no room.
            let typed = |line: &str| line.starts_with("Usage: ") || line.trim_start().starts_with('-');
            let breakable = |line: &&str| line.trim().contains(' ') && !typed(line);
            let most = usize::from(columns.min(100));
            let wide: Vec<_> = text.lines().filter(|line| line.width() > most && breakable(line)).collect();
            assert_eq!(wide, Vec::<&str>::new(), "{command:?}, {columns} columns");
        }
        assert!(help(command, 40).lines().count() > help(command, 80).lines().count(), "{command:?}");
        assert_eq!(help(command, 100), help(command, 200), "{command:?}");
        let piped = poolgate(command.iter().copied().chain(["--help"])).status(0).quietly();
        assert_eq!(help(command, 80), piped, "{command:?}: a pipe is 80 columns wide");
    }
}

#[test]
fn wide_letters_fit_too() {
    let mut pool = fixture_json(POOL);
    pool["pool"]["name_label"] = "東京データセンター第一仮想化基盤リソースプール".into();
    let mut joiner = fixture_json("candidate-trouble");
    joiner["pool"]["hosts"][0]["name_label"] = "仮想化ホスト第十二号機（予備）電算室二階".into();
    for vm in joiner["pool"]["vms"].as_array_mut().unwrap() {
        vm["name_label"] = "会計システム用仮想マシン本番環境データベース".into();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("p"), pool.to_string()).unwrap();
    std::fs::write(path("j"), joiner.to_string()).unwrap();
    for columns in [40, 60, 80, 200] {
        let text = shown(poolgate(["check", "--pool", &path("p"), "--host", &path("j"), "--all"]), columns);
        assert!(text.contains("東京"), "{text}");
        let wide: Vec<_> =
            text.lines().filter(|line| line.width() > usize::from(columns) && line.contains('仮')).collect();
        assert_eq!(wide, Vec::<&str>::new(), "{columns} columns");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure_of_any_command() {
    let good = fixture("candidate-good");
    let pool = fixture(POOL);
    for words in [
        format!("check --pool {pool} --host {good} --all"),
        format!("check --pool {pool} --host {good} --format json"),
        format!("check --pool {pool} --host {good} --format html"),
        format!("collect {pool}"),
        "rules list".to_owned(),
        "rules schema".to_owned(),
        "schema report".to_owned(),
        "completions bash".to_owned(),
        "man".to_owned(),
        "--help".to_owned(),
        "plan fixtures/fleet-19-hosts.ndjson".to_owned(),
        format!("cpu decode {pool}"),
        format!("cpu diff {pool}"),
    ] {
        // The reader is gone before the first word comes.
        let line = format!("'{}' {words} | true; echo ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_poolgate"));
        let done = Command::new("bash").args(["-c", &line]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        let status = String::from_utf8(done.stdout).unwrap();
        assert!(["0\n", "1\n", "3\n"].contains(&status.as_str()), "{words}: {status}");
        assert_eq!(String::from_utf8(done.stderr).unwrap(), "", "{words}");
    }
    // A disk that is full is one.
    let line = format!("'{}' collect {pool} > /dev/full", env!("CARGO_BIN_EXE_poolgate"));
    let done = Command::new("sh").args(["-c", &line]).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8(done.stderr).unwrap().contains("cannot write to standard output"));
}

/// Presses Ctrl-C once something is seen to be under way.
fn interrupted(run: Poolgate, under_way: impl FnOnce()) -> Ended {
    let mut terminal = run.on_a_terminal(80);
    terminal.wait_for_the_program();
    under_way();
    let began = Instant::now();
    terminal.keys(CTRL_C);
    let ended = terminal.end();
    assert!(began.elapsed() < Duration::from_secs(10), "{ended:?}");
    assert!(ended.usable, "{ended:?}");
    assert!(!ended.seen.contains("panicked"), "{ended:?}");
    ended
}

#[test]
fn an_interrupted_reading_of_servers_writes_nothing_and_logs_out() {
    for command in ["collect", "check"] {
        let slow: Fault = "slow=60s,method=VM.get_all_records".parse().unwrap();
        let lab = Rehearsal::of(LabConfig::new(PASSWORD).serve(served("xenserver-8-1-host", |_| {})).fault(slow));
        let (pool, kept) = (lab.pool().url(), lab.path("kept"));
        std::fs::write(&kept, "kept").unwrap();
        let kept_path = kept.to_str().unwrap().to_owned();
        let good = fixture("candidate-xs8-twin");
        let words: Vec<&str> = match command {
            "collect" => vec!["collect", &pool, "-o", &kept_path],
            _ => vec!["check", "--pool", &pool, "--host", &good, "--format", "json", "-o", &kept_path],
        };
        let ended = interrupted(lab.act(words), || lab.wait_for_calls("VM.get_all_records", 1));
        assert_eq!(ended.signal(), 2, "{ended:?}");
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
        assert_eq!(std::fs::read_dir(lab.folder.path()).unwrap().count(), 1, "something half-written is left");
        assert_eq!(lab.lab.open_sessions(), 0);
    }
}

#[test]
fn an_interrupted_plan_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("plan.json");
    std::fs::write(&kept, "kept").unwrap();
    // Standard input that does not end: the plan waits for more of it.
    let words = ["plan", "fixtures/fleet-19-hosts.ndjson", "-", "-o", kept.to_str().unwrap()];
    let ended = interrupted(poolgate(words), || {});
    assert_eq!(ended.signal(), 2, "{ended:?}");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_lab_is_closed_by_ctrl_c() {
    let words = ["lab", "--pool", &fixture("xenserver-8-1-host")];
    let mut terminal = poolgate(words).on_a_terminal(80);
    terminal.wait_for("Stop the lab with Ctrl-C.").keys(CTRL_C);
    let ended = terminal.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.usable && ended.seen.ends_with("the lab is closed\r\n"), "{ended:?}");
}

/// What a process was started with says whether it is of a run.
fn processes_with(word: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path().join("environ"));
    let holds = |path: &std::path::PathBuf| {
        std::fs::read(path).is_ok_and(|variables| String::from_utf8_lossy(&variables).contains(word))
    };
    entries.filter(holds).count()
}

#[test]
fn an_interrupted_demonstration_leaves_nothing() {
    for (signal, seen) in
        [(None, "$ poolgate check"), (Some(Signal::TERM), "And the join"), (Some(Signal::HUP), "$ ")]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let mut terminal = poolgate(["lab", "--demo"]).env("TMPDIR", path).on_a_terminal(80);
        terminal.wait_for(seen);
        assert!(processes_with(path) > 0 && std::fs::read_dir(path).unwrap().count() == 1);
        match signal {
            None => terminal.keys(CTRL_C),
            Some(signal) => terminal.signal(signal),
        };
        let ended = terminal.end();
        assert_eq!(ended.signal(), signal.unwrap_or(Signal::INT).as_raw(), "{ended:?}");
        assert!(ended.usable && !ended.seen.contains("broke off"), "{ended:?}");
        assert_eq!(std::fs::read_dir(path).unwrap().count(), 0, "{signal:?}: a folder is left");
        assert_eq!(processes_with(path), 0, "{signal:?}: a process is left");
    }
}

/// A fleet is written while it is judged, into a file beside the one that it is to replace.
#[test]
fn an_interrupted_fleet_leaves_the_old_file_and_no_other() {
    for (command, signal) in [("check", None), ("check", Some(Signal::TERM)), ("merge", Some(Signal::HUP))] {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept.ndjson");
        std::fs::write(&kept, "kept").unwrap();
        let output = kept.to_str().unwrap();
        // Standard input that does not end: the run waits for more of it.
        let words: &[&str] = match command {
            "check" => &["check", "--fleet", "-", "-o", output],
            _ => &["merge", "/dev/stdin", "-o", output],
        };
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        let mut terminal = poolgate(words).on_a_terminal(80);
        terminal.wait_for_the_program();
        let until = Instant::now() + Duration::from_secs(30);
        while files() == 1 {
            assert!(Instant::now() < until, "nothing is begun");
            std::thread::yield_now();
        }
        match signal {
            None => terminal.keys(CTRL_C),
            Some(signal) => terminal.signal(signal),
        };
        let ended = terminal.end();
        assert_eq!(ended.signal(), signal.unwrap_or(Signal::INT).as_raw(), "{ended:?}");
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
        assert_eq!(files(), 1, "something half-written is left");
    }
}

/// `nohup` starts a program that ignores the terminal's end.
#[test]
fn what_a_run_was_started_to_ignore_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.ndjson");
    let line = "trap '' HUP; exec \"$0\" check --fleet - -o \"$1\"";
    let mut child = Command::new("sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_poolgate"), kept.to_str().unwrap()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while std::fs::read_dir(folder.path()).unwrap().count() == 0 {
        assert!(Instant::now() < until, "nothing is begun");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    let fleet = std::fs::read("fixtures/fleet-19-hosts.ndjson").unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), &fleet).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
    assert!(std::fs::read_to_string(&kept).unwrap().ends_with("\n"));
}
