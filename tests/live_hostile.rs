//! Servers that mean harm: whatever they send ends in time, in bounded memory, with a message that says what came, and
//! with nothing sent to anybody who is not trusted.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::io::Write;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use common::fake::{Answer, Asked, Fake, PASSWORD, SESSION, logging_in, on_socket, small};
use serde_json::json;

/// The most memory that a run may take, KiB of address space: an answer of 256 MiB fits, and not much beside it.
const MEMORY: u64 = 1 << 20;
/// How long a run may take at all: its own limit, and time for a busy machine.
const LIMIT: &str = "12s";
const PATIENCE: Duration = Duration::from_secs(60);

/// What a run said, and how it ended.
struct Said {
    status: Option<i32>,
    complaint: String,
    stdout: String,
}

/// Collects a target with so much memory and time.
fn collect(target: &str, more: &[&str], socket: &str) -> Said {
    let begun = Instant::now();
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_poolgate")])
        .args(["collect", target, "--timeout", LIMIT])
        .args(more)
        .env_clear()
        .env("PW", PASSWORD)
        .env("POOLGATE_XAPI_SOCKET", socket)
        .output()
        .unwrap();
    assert!(begun.elapsed() < PATIENCE, "{target} took {:?}", begun.elapsed());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let said = Said { status: output.status.code(), complaint: text(output.stderr), stdout: text(output.stdout) };
    for secret in [PASSWORD, SESSION] {
        assert!(!said.complaint.contains(secret), "{}", said.complaint);
    }
    said
}

fn from(fake: &Fake) -> Said {
    let pin = fake.fingerprint.plain();
    collect(&fake.url(), &["--password-env", "PW", "--tls-fingerprint", &pin], "")
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// Writes until the other side has enough.
fn without_end(to: &mut dyn Write, piece: &[u8]) {
    while to.write_all(piece).is_ok() {}
}

fn body(to: &mut dyn Write, headers: &str, bytes: &[u8]) {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", bytes.len());
    let _ = to.write_all(head.as_bytes()).and_then(|()| to.write_all(bytes));
}

/// What is wrong, what is sent for it, and what is said of it.
type Case = (&'static str, fn(&mut dyn Write), &'static str);

const CASES: [Case; 13] = [
    (
        "an endless body in chunks",
        |to| {
            let _ = to.write_all(&[HEAD, b"Transfer-Encoding: chunked\r\n\r\n"].concat());
            let piece = vec![b'a'; 1 << 20];
            without_end(to, &[b"100000\r\n", piece.as_slice(), b"\r\n"].concat());
        },
        "the answer is larger than 256 MiB, the most that is read; is this a XenServer or XCP-ng host?",
    ),
    (
        "an endless body until the end of the connection",
        |to| {
            let _ = to.write_all(&[HEAD, b"\r\n{\"result\":\""].concat());
            without_end(to, &vec![b'a'; 1 << 20]);
        },
        "the answer is larger than 256 MiB",
    ),
    (
        "a bomb that is compressed",
        |to| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            (0..64).for_each(|_| packed.write_all(&vec![b' '; 1 << 20]).unwrap());
            body(to, "Content-Encoding: gzip\r\n", &packed.finish().unwrap());
        },
        "no answer of XenAPI: the answer:1:1: expected value",
    ),
    (
        "an endless head",
        |to| {
            let _ = to.write_all(b"HTTP/1.1 200 OK\r\n");
            without_end(to, format!("X: {}\r\n", "y".repeat(1 << 10)).as_bytes());
        },
        "",
    ),
    ("promises of an answer without end", |to| without_end(to, &b"HTTP/1.1 100 Continue\r\n\r\n".repeat(100)), ""),
    (
        "letters that are none",
        |to| {
            body(to, "", b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"OpaqueRef:h\":{\"name_label\":\"\xff\xfe\"}}}")
        },
        "no answer of XenAPI: the answer:1:",
    ),
    ("nesting", |to| body(to, "", &b"[".repeat(1_000_000)), "no answer of XenAPI: the answer:1:128: recursion limit"),
    (
        "nesting that closes",
        |to| body(to, "", &[b"{\"a\":".repeat(500_000), b"0".to_vec(), b"}".repeat(500_000)].concat()),
        "recursion limit",
    ),
    (
        "a number beyond all",
        |to| body(to, "", b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"OpaqueRef:h\":{\"memory\":1e999}}}"),
        "number out of range",
    ),
    (
        "values without end",
        |to| body(to, "", &[&b"{\"result\":["[..], &b"[],".repeat(5_000_001), b"0]}"].concat()),
        "holds more than 5000000 values, the most that is read",
    ),
    (
        "hosts without end",
        |to| {
            let records: String = (0..=4096).map(|host| format!("\"{host}\":{{}},")).collect();
            body(to, "", format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{{records}\"x\":{{}}}}}}").as_bytes());
        },
        "holds more than 4096 hosts",
    ),
    (
        "a whole answer that may be the beginning of a longer one",
        |to| {
            let _ = to.write_all(&[HEAD, b"\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"].concat());
        },
        "the answer broke off",
    ),
    (
        "an end in the middle of the head",
        |to| {
            let _ = to.write_all(b"HTTP/1.1 200 O");
        },
        "",
    ),
];

#[test]
fn whatever_comes_is_survived_and_said() {
    // Two at once: each may fill the memory that it is allowed.
    let cases = Mutex::new(CASES.iter());
    let work = || {
        loop {
            let Some((name, speak, message)) = cases.lock().unwrap().next() else { return };
            let fake = Fake::start(logging_in(|asked| match asked.method.as_str() {
                "host.get_all_records" => Answer::Wild(*speak),
                _ => small(asked),
            }));
            let said = from(&fake);
            assert_eq!(said.status, Some(4), "{name}: {}", said.complaint);
            assert!(said.complaint.contains(message), "{name}: {}", said.complaint);
            assert!(said.complaint.len() < 1000 && said.stdout.is_empty(), "{name}: {}", said.complaint);
            assert!(fake.count("session.logout") >= 1, "{name}: {:?}", fake.methods());
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
}

/// The same before anybody is logged in: no password goes to who answers so.
#[test]
fn no_password_goes_to_who_speaks_so() {
    let cases = Mutex::new(CASES.iter().filter(|(name, ..)| !name.contains("hosts") && !name.contains("number")));
    let work = || {
        loop {
            let Some((name, speak, _)) = cases.lock().unwrap().next() else { return };
            // What breaks is asked for again; two pieces of a gigabyte each are enough for one test.
            if name.contains("endless body") {
                continue;
            }
            let fake = Fake::start(|_: &Asked| Answer::Wild(*speak));
            let said = from(&fake);
            assert_eq!(said.status, Some(4), "{name}: {}", said.complaint);
            assert!(fake.asked().iter().all(|asked| asked.method == "pool.get_all"), "{name}: {:?}", fake.methods());
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
}

#[test]
fn a_redirect_is_no_answer_and_is_not_followed() {
    let other = Fake::start(logging_in(small));
    for (status, from_login) in [(301, false), (302, true), (307, false), (308, true)] {
        let location = format!("Location: {}/jsonrpc\r\n", other.url());
        let redirect = move || Answer::Raw { status, headers: location.clone(), body: Vec::new() };
        let fake = if from_login {
            Fake::start(move |asked| match asked.method.as_str() {
                "session.login_with_password" => redirect(),
                _ => logging_in(small)(asked),
            })
        } else {
            Fake::start(move |_| redirect())
        };
        let said = from(&fake);
        assert_eq!(said.status, Some(4), "{}", said.complaint);
        assert!(said.complaint.contains(&format!("HTTP {status} instead of an answer")), "{}", said.complaint);
    }
    assert_eq!(other.connections(), 0);
}

/// What is odd and harmless is read for what it is.
#[test]
fn what_is_only_odd_is_read() {
    let fake = Fake::start(logging_in(|asked| match asked.method.as_str() {
        "host.get_all_records" => {
            let host = r#"{"uuid":"first","uuid":"h","name_label":"alpha","enabled":true,"address":"10.0.0.1",
                "API_version_major":99999999999999999999999999,"API_version_minor":-0.5e3,"memory_overhead":"9223372036854775808"}"#;
            let text = format!(
                "{{\"jsonrpc\":\"2.0\",\"result\":{{\"OpaqueRef:x\":{{}}}},\"id\":1,\"result\":{{\"OpaqueRef:h\":{host},\"OpaqueRef:h\":{host}}}}}"
            );
            let headers = "Content-Type: text/html; charset=utf-16\r\n".to_owned();
            Answer::Raw { status: 200, headers, body: text.into_bytes() }
        }
        _ => small(asked),
    }));
    let said = from(&fake);
    assert_eq!(said.status, Some(0), "{}", said.complaint);
    let snapshot: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let hosts = snapshot["pool"]["hosts"].as_array().unwrap();
    assert_eq!((hosts.len(), &hosts[0]["uuid"], &hosts[0]["name_label"]), (1, &json!("h"), &json!("alpha")));
    // A number that is none of the model's is unknown, and no other number.
    for field in ["api_version_major", "api_version_minor"] {
        assert!(
            hosts[0][field]["$unknown"].as_str().is_some_and(|why| why.starts_with("unreadable")),
            "{}",
            hosts[0][field]
        );
    }
}

/// An answer that holds both an error and a result is an error.
#[test]
fn an_error_counts_whatever_else_is_there() {
    let fake = Fake::start(logging_in(|asked| match asked.method.as_str() {
        "host.get_all_records" => Answer::Raw {
            status: 200,
            headers: String::new(),
            body: br#"{"result":{"OpaqueRef:h":{}},"error":["HOST_STILL_BOOTING"],"id":1}"#.to_vec(),
        },
        _ => small(asked),
    }));
    let said = from(&fake);
    assert_eq!(said.status, Some(4), "{}", said.complaint);
    assert!(said.complaint.contains("answered HOST_STILL_BOOTING"), "{}", said.complaint);
}

#[test]
fn an_error_of_many_words_is_cut() {
    let fake = Fake::start(logging_in(|asked| match asked.method.as_str() {
        "host.get_all_records" => {
            let words = (0..10_000).map(|index| format!("{index} {}", "x".repeat(2_000)));
            Answer::Error(std::iter::once("HOST_STILL_BOOTING".to_owned()).chain(words).collect())
        }
        _ => small(asked),
    }));
    let said = from(&fake);
    assert_eq!(said.status, Some(4));
    assert!(said.complaint.len() < 10_000, "{} bytes", said.complaint.len());
}

/// Members that send one another round: one step, and no more.
#[test]
fn a_member_sends_on_once() {
    let fake = Fake::start(|asked: &Asked| match asked.method.as_str() {
        "pool.get_all" => Answer::Error(vec!["X".to_owned()]),
        _ => Answer::Error(vec!["HOST_IS_SLAVE".to_owned(), "localhost".to_owned()]),
    });
    let said = from(&fake);
    assert_eq!(said.status, Some(4), "{}", said.complaint);
    assert!(said.complaint.contains("HOST_IS_SLAVE"), "{}", said.complaint);
    assert_eq!(fake.count("session.login_with_password"), 2);
}

/// XML-RPC, which old servers speak alone.
#[test]
fn xml_that_means_harm() {
    let entities = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]>\
                    <methodResponse><params><param><value>&c;</value></param></params></methodResponse>";
    let nested = "<value><array><data>".repeat(100_000);
    let nested = format!("<methodResponse><params><param>{nested}");
    for (text, message) in [(entities, "XML with DTD detected"), (&nested, "no answer of XenAPI")] {
        let text = text.to_owned();
        let fake = Fake::start(move |asked| match asked.path.as_str() {
            "/jsonrpc" => Answer::Raw { status: 404, headers: String::new(), body: Vec::new() },
            _ => Answer::Raw { status: 200, headers: String::new(), body: text.clone().into_bytes() },
        });
        let said = from(&fake);
        assert_eq!(said.status, Some(4), "{}", said.complaint);
        assert!(said.complaint.contains(message), "{}", said.complaint);
    }
}

/// The toolstack's socket has HTTP of its own: the same there.
#[test]
fn the_local_socket_is_no_more_trusting() {
    let long = format!("X: {}\r\n", "y".repeat(64 << 10));
    let chunked = "Transfer-Encoding: chunked\r\n";
    let cases: [(&str, &str, &[u8], &str); 5] = [
        ("a head without end", &long, b"", "the head of the answer"),
        ("a chunk larger than any", chunked, b"ffffffffffffffff\r\nabc", "the answer broke off"),
        ("a chunk without a size", chunked, b"xyz\r\nabc", "a chunk without a size"),
        ("more than is read", "Content-Length: 99999999999\r\n", b"{", "larger than 256 MiB"),
        ("less than was said", "Content-Length: 100\r\n", b"{}", "the answer broke off"),
    ];
    for (name, headers, body, message) in cases {
        let (headers, body) = (headers.to_owned(), body.to_vec());
        let answer = move || Answer::Raw { status: 200, headers: headers.clone(), body: body.clone() };
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("xapi");
        on_socket(&socket, move |_| answer());
        let said = collect("xapi-local", &[], socket.to_str().unwrap());
        assert_eq!(said.status, Some(4), "{name}: {}", said.complaint);
        assert!(said.complaint.contains(message), "{name}: {}", said.complaint);
    }
}
