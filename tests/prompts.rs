//! Every question to the operator, on a real terminal: answered, declined, interrupted (Ctrl-C) and left (Ctrl-D). Who is
//! interrupted has a terminal that works, and nothing was sent or written.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::pty::{CTRL_C, CTRL_D, Ended, Terminal};
use common::rehearsal::{PASSWORD, Rehearsal};
use common::run::poolgate;

const SIGINT: i32 = 2;
/// What an interrupted question may take; a run that waits for the server to come round takes longer.
const AT_ONCE: Duration = Duration::from_secs(2);

fn small() -> Rehearsal {
    Rehearsal::new("xenserver-8-1-host", &["candidate-xs8-twin"])
}

/// Ends by Ctrl-C, at once, and leaves the terminal as it was.
fn interrupted(mut terminal: Terminal) -> Ended {
    let began = Instant::now();
    terminal.keys(CTRL_C);
    let ended = terminal.end();
    assert!(began.elapsed() < AT_ONCE, "{ended:?}");
    assert_eq!(ended.signal(), SIGINT, "{ended:?}");
    assert!(ended.usable, "the terminal is left without echo: {ended:?}");
    assert!(ended.seen.ends_with('\n'), "the shell's line does not begin on its own: {ended:?}");
    ended
}

/// `collect` of a server whose certificate nobody has confirmed yet.
struct Meeting {
    lab: Rehearsal,
    known: PathBuf,
}

impl Meeting {
    fn new() -> Self {
        let lab = small();
        let known = lab.path("config/poolgate/known_hosts");
        Self { lab, known }
    }

    fn asked(&self) -> Terminal {
        let config = self.lab.path("config");
        let mut terminal = poolgate(["collect", &self.lab.pool().url(), "--password-env", "PASSWORD"])
            .with(["-o", self.lab.path("seen.json").to_str().unwrap()])
            .env("PASSWORD", PASSWORD)
            .env("XDG_CONFIG_HOME", config.to_str().unwrap())
            .on_a_terminal(80);
        terminal.wait_for("Trust it from now on (yes/no)? ");
        terminal
    }

    fn nothing_happened(&self) {
        assert_eq!(self.lab.lab.calls(), [], "a word was said to a server that is not trusted");
        assert!(!self.known.exists() && !self.lab.path("seen.json").exists());
    }
}

#[test]
fn a_new_certificate_is_shown_and_confirmed_once() {
    let meeting = Meeting::new();
    let mut terminal = meeting.asked();
    terminal.keys("yes\n");
    let ended = terminal.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.seen.contains(&meeting.lab.pool().fingerprint.to_string()), "{ended:?}");
    assert!(ended.seen.contains("openssl x509"), "{ended:?}");
    let known = fs::read_to_string(&meeting.known).unwrap();
    assert_eq!(known.lines().filter(|line| !line.starts_with('#')).count(), 1, "{known}");
    // It is not asked for again.
    let again = poolgate(["collect", &meeting.lab.pool().url(), "--password-env", "PASSWORD"])
        .env("PASSWORD", PASSWORD)
        .env("XDG_CONFIG_HOME", meeting.lab.path("config").to_str().unwrap());
    assert!(again.status(0).stdout.contains("poolgate-snapshot"));
}

#[test]
fn a_certificate_that_is_not_confirmed_stops() {
    for keys in ["no\n", "y\n", "\n", CTRL_D] {
        let meeting = Meeting::new();
        let mut terminal = meeting.asked();
        terminal.keys(keys);
        let ended = terminal.end();
        assert_eq!(ended.code(), 4, "{ended:?}");
        assert!(ended.seen.contains("--tls-fingerprint "), "{ended:?}");
        assert!(ended.usable);
        meeting.nothing_happened();
    }
    let meeting = Meeting::new();
    interrupted(meeting.asked());
    meeting.nothing_happened();
}

fn password_asked(lab: &Rehearsal, words: &[&str]) -> Terminal {
    let pool = lab.pool();
    let mut run = poolgate(words.iter().copied())
        .env("XDG_STATE_HOME", lab.folder.path().to_str().unwrap())
        .env("XDG_CONFIG_HOME", lab.folder.path().to_str().unwrap());
    for endpoint in lab.lab.endpoints() {
        let pin = format!("{}:{}={}", endpoint.address, endpoint.port, endpoint.fingerprint);
        run = run.with(["--tls-fingerprint", &pin]);
    }
    let mut terminal = run.on_a_terminal(80);
    terminal.wait_for(&format!("Password of root at {}:{}: ", pool.address, pool.port));
    terminal
}

#[test]
fn a_typed_password_is_not_shown() {
    let lab = small();
    let file = lab.path("seen.json");
    let words = ["collect", &lab.pool().url(), "-o", file.to_str().unwrap()];
    let mut terminal = password_asked(&lab, &words);
    terminal.keys(&format!("{PASSWORD}\n"));
    let ended = terminal.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(!ended.seen.contains(PASSWORD) && !ended.seen.contains(&PASSWORD[..6]), "{ended:?}");
    assert!(ended.usable && file.exists(), "{ended:?}");
}

#[test]
fn no_password_is_no_login() {
    for keys in ["\n", CTRL_D] {
        let lab = small();
        let mut terminal = password_asked(&lab, &["collect", &lab.pool().url()]);
        terminal.keys(keys);
        let ended = terminal.end();
        assert_eq!(ended.code(), 2, "{ended:?}");
        assert!(ended.seen.contains("was typed; nothing was sent"), "{ended:?}");
        assert!(ended.usable, "{ended:?}");
        assert_eq!(lab.lab.calls(), []);
    }
    for command in ["collect", "join", "eject"] {
        let lab = small();
        let (pool, host) = (lab.pool().url(), lab.joiner(0).url());
        let words: Vec<&str> = match command {
            "collect" => vec!["collect", &pool],
            "join" => vec!["join", "--pool", &pool, "--host", &host],
            _ => vec!["eject", "--pool", &pool, "--member", "anybody"],
        };
        let mut terminal = password_asked(&lab, &words);
        terminal.keys("half of it");
        let ended = interrupted(terminal);
        assert!(!ended.seen.contains("half"), "{ended:?}");
        assert_eq!(lab.lab.calls(), []);
    }
}

/// `join` up to the question for the host's name.
fn join_asked(lab: &Rehearsal) -> Terminal {
    let mut terminal = lab.join().with(["--wait", "20s"]).on_a_terminal(80);
    terminal.wait_for("Type the host's name (");
    terminal
}

#[test]
fn a_join_is_agreed_to_by_name() {
    let lab = small();
    let name = lab.joiner(0).name;
    let mut terminal = join_asked(&lab);
    terminal.keys(&format!("{name}\n"));
    let ended = terminal.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert!(ended.seen.contains("as predicted"), "{ended:?}");
    assert_eq!(lab.count("pool.join"), 1);
}

#[test]
fn a_join_that_is_not_agreed_to_is_not_begun() {
    for keys in ["yes\n", "\n", CTRL_D] {
        let lab = small();
        let mut terminal = join_asked(&lab);
        terminal.keys(keys);
        let ended = terminal.end();
        assert_eq!(ended.code(), 2, "{ended:?}");
        assert!(ended.seen.contains("was not typed; nothing was done"), "{ended:?}");
        nothing_sent(&lab, "pool.join");
    }
    let lab = small();
    interrupted(join_asked(&lab));
    nothing_sent(&lab, "pool.join");
    // The lock and the journal are free again.
    let mut terminal = join_asked(&lab);
    terminal.keys(&format!("{}\n", lab.joiner(0).name));
    assert_eq!(terminal.end().code(), 0);
}

/// Nothing was sent, every session is closed, and no journal has a line.
fn nothing_sent(lab: &Rehearsal, method: &str) {
    assert_eq!((lab.count(method), lab.lab.open_sessions()), (0, 0));
    let journal = fs::read_dir(lab.path("poolgate")).into_iter().flatten();
    for file in journal.map(|entry| entry.unwrap().path()) {
        let is_journal = file.extension().is_some_and(|extension| extension == "jsonl");
        assert!(!is_journal || fs::read(&file).unwrap().is_empty(), "{}", file.display());
    }
}

#[test]
fn an_eject_is_agreed_to_by_name() {
    let lab = Rehearsal::new("xcp-ng-8.3-5-hosts", &["candidate-good"]);
    lab.joined(0);
    let asked = || {
        let mut terminal = lab.eject("xcp-good").with(["--wait", "20s"]).on_a_terminal(80);
        terminal.wait_for("Type the host's name (xcp-good) to eject it from production");
        terminal
    };
    for keys in ["production\n", CTRL_D] {
        let mut terminal = asked();
        terminal.keys(keys);
        let ended = terminal.end();
        assert_eq!(ended.code(), 2, "{ended:?}");
    }
    interrupted(asked());
    assert_eq!((lab.count("pool.eject"), lab.lab.open_sessions()), (0, 0));
    let mut terminal = asked();
    terminal.keys("xcp-good\n");
    let ended = terminal.end();
    assert_eq!(ended.code(), 0, "{ended:?}");
    assert_eq!(lab.count("pool.eject"), 1);
}
