//! Whatever a server does wrong ends in time, with the right status, a true message, and the session closed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::fake::{Answer, Asked, Fake, PASSWORD, SESSION, logging_in, page, small};
use common::run::{Poolgate, poolgate};

fn collect(fake: &Fake, timeout: &str) -> Poolgate {
    poolgate(["collect", &fake.url(), "--password-env", "PW", "--timeout", timeout])
        .with(["--tls-fingerprint", &fake.fingerprint.plain()])
        .env("PW", PASSWORD)
}

/// A server that does this when it is asked for its hosts, and is well otherwise.
fn failing(fault: impl Fn() -> Answer + Send + Sync + 'static) -> Fake {
    Fake::start(logging_in(move |asked| if asked.method == "host.get_all_records" { fault() } else { small(asked) }))
}

#[test]
fn every_fault_has_its_message_and_leaves_no_session() {
    type Fault = fn() -> Answer;
    let faults: [(&str, Fault, &str); 9] = [
        ("reset", || Answer::Reset, "host.get_all_records"),
        ("truncated", || Answer::Truncated, "the answer broke off"),
        ("page", || page(500), "host.get_all_records: HTTP 500 instead of an answer (a web page)"),
        ("huge", || Answer::Huge, "the answer is larger than 256 MiB, the most that is read"),
        ("hang", || Answer::Hang, "host.get_all_records: no answer within"),
        ("drip", || Answer::Drip, "host.get_all_records: no answer within"),
        (
            "garbage",
            || raw("\u{1b}]0;x"),
            "host.get_all_records: no answer of XenAPI: the answer:1:1: expected value",
        ),
        (
            "booting",
            || Answer::Error(vec!["HOST_STILL_BOOTING".into()]),
            "host.get_all_records answered HOST_STILL_BOOTING",
        ),
        (
            "session lost",
            || Answer::Error(vec!["SESSION_INVALID".into(), SESSION.into()]),
            "host.get_all_records answered SESSION_INVALID\n",
        ),
    ];
    thread::scope(|scope| {
        for (name, fault, message) in faults {
            scope.spawn(move || {
                let fake = failing(fault);
                let begin = Instant::now();
                let complaint = collect(&fake, "4s").status(4).complaint();
                if name != "reset" {
                    assert!(complaint.contains(message), "{name}: {complaint}");
                }
                for secret in [PASSWORD, SESSION, "marker"] {
                    assert!(!complaint.contains(secret), "{name}: {complaint}");
                }
                let logouts = if name == "session lost" { 2 } else { 1 };
                assert_eq!(fake.count("session.logout"), logouts, "{name}: {:?}", fake.methods());
                // A session that is lost is renewed once.
                let logins = if name == "session lost" { 2 } else { 1 };
                assert_eq!(fake.count("session.login_with_password"), logins, "{name}");
                assert!(begin.elapsed() < Duration::from_secs(30), "{name}: {:?}", begin.elapsed());
            });
        }
    });
}

fn raw(text: &str) -> Answer {
    Answer::Raw { status: 200, headers: String::new(), body: text.as_bytes().to_vec() }
}

#[test]
fn reading_is_tried_again_and_logging_in_is_not() {
    let calls = AtomicUsize::new(0);
    let fake = failing_once(calls);
    collect(&fake, "20s").status(0);
    assert_eq!((fake.count("host.get_all_records"), fake.count("session.login_with_password")), (2, 1));
    let fake = Fake::start(|asked: &Asked| match asked.method.as_str() {
        "session.login_with_password" => Answer::Reset,
        _ => logging_in(small)(asked),
    });
    collect(&fake, "20s").status(4).complaint();
    assert_eq!(fake.count("session.login_with_password"), 1);
}

#[test]
fn a_session_that_the_server_forgot_is_renewed_once() {
    let calls = AtomicUsize::new(0);
    let fake = Fake::start(logging_in(move |asked| {
        if asked.method == "host.get_all_records" && calls.fetch_add(1, Ordering::SeqCst) == 0 {
            return Answer::Error(vec!["SESSION_INVALID".to_owned(), SESSION.to_owned()]);
        }
        small(asked)
    }));
    let done = collect(&fake, "20s").status(0);
    assert!(done.stdout.contains("\"alpha\""), "{done}");
    // All of it is of one session: what was read before the restart may be of another time.
    assert_eq!((fake.count("session.login_with_password"), fake.count("Bond.get_all_records")), (2, 2));
}

fn failing_once(calls: AtomicUsize) -> Fake {
    Fake::start(logging_in(move |asked| {
        if asked.method == "host.get_all_records" && calls.fetch_add(1, Ordering::SeqCst) == 0 {
            return Answer::Reset;
        }
        small(asked)
    }))
}

#[test]
fn all_targets_together_have_a_limit() {
    let slow = failing(|| Answer::Hang);
    let begin = Instant::now();
    let words = ["collect", &slow.url(), "--password-env", "PW", "--total-timeout", "1s"];
    let complaint = poolgate(words).with(["--tls-fingerprint", &slow.fingerprint.plain()]).env("PW", PASSWORD);
    let complaint = complaint.status(4).complaint();
    assert!(complaint.contains("no answer within"), "{complaint}");
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    let none = poolgate(["collect", "https://xen", "--timeout", "0s"]).status(2).complaint();
    assert!(none.contains("write for example 90s or 2min"), "{none}");
}

/// A server that answers the first bytes of a handshake with these.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(bytes);
        }
    });
    address
}

#[test]
fn a_server_that_speaks_only_old_tls_is_named_as_such() {
    // Alerts: protocol_version and handshake_failure, as servers without TLS 1.2 or without ECDHE send them.
    for alert in [&[0x15, 3, 1, 0, 2, 2, 70][..], &[0x15, 3, 3, 0, 2, 2, 40]] {
        let address = answering(alert);
        let complaint = poolgate(["collect", &format!("https://{address}"), "--password-env", "PW"])
            .with(["--known-hosts", "/dev/null"])
            .env("PW", PASSWORD)
            .status(4)
            .complaint();
        for words in ["TLS 1.0 or 1.1", "xapi-local", "docs/records.md"] {
            assert!(complaint.contains(words), "{complaint}");
        }
    }
    let address = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let complaint = poolgate(["collect", &format!("https://{address}"), "--password-env", "PW"])
        .with(["--known-hosts", "/dev/null"])
        .env("PW", PASSWORD)
        .status(4)
        .complaint();
    assert!(complaint.contains("answers, but not with TLS; is the port right?"), "{complaint}");
}

/// A server that takes a logout and says nothing: what was read is printed all the same, soon.
#[test]
fn a_logout_that_hangs_is_not_waited_for() {
    let well = logging_in(small);
    let fake = Fake::start(move |asked| if asked.method == "session.logout" { Answer::Hang } else { well(asked) });
    let begun = Instant::now();
    let done = collect(&fake, "50s").status(0);
    assert!(done.json()["pool"]["hosts"].is_array());
    assert!((3..30).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(fake.count("session.logout"), 1);
}

#[test]
fn a_signal_ends_the_run_and_its_sessions() {
    for signal in [rustix::process::Signal::INT, rustix::process::Signal::TERM] {
        let fake = failing(|| Answer::Hang);
        let mut run = Command::new(env!("CARGO_BIN_EXE_poolgate"))
            .args(["collect", &fake.url(), "--password-env", "PW", "--tls-fingerprint", &fake.fingerprint.plain()])
            .env("PW", PASSWORD)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        fake.wait_for("host.get_all_records", 1);
        rustix::process::kill_process(rustix::process::Pid::from_child(&run), signal).unwrap();
        fake.wait_for("session.logout", 1);
        let status = run.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status:?}");
        let mut said = String::new();
        run.stderr.take().unwrap_or_else(|| panic!("piped")).read_to_string(&mut said).unwrap();
        assert_eq!(said, "");
        assert_eq!(fake.asked().last().unwrap().params[0], SESSION);
    }
}
