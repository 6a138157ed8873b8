//! The toolstack's own socket: no encryption, no password, the same records.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::path::Path;

use common::fake::{Answer, Asked, SESSION, on_socket, page, small};
use common::run::{Poolgate, poolgate};
use serde_json::{Value, json};

fn collect(socket: &Path) -> Poolgate {
    poolgate(["collect", "xapi-local", "--timeout", "5s"]).env("POOLGATE_XAPI_SOCKET", socket.to_str().unwrap())
}

/// Lets everybody in who has neither name nor password, as the server does there.
fn open_door(asked: &Asked) -> Answer {
    match asked.method.as_str() {
        "session.login_with_password" if asked.params[..2] == [json!(""), json!("")] => Answer::Value(json!(SESSION)),
        "session.login_with_password" => Answer::Error(vec!["SESSION_AUTHENTICATION_FAILED".to_owned()]),
        "session.logout" => Answer::Value(json!("")),
        // In chunks, as for answers of unknown length.
        "host.get_all_records" => {
            let Answer::Value(hosts) = small(asked) else { return page(500) };
            let body = json!({"jsonrpc": "2.0", "result": hosts, "id": 1}).to_string();
            let (one, two) = body.split_at(10);
            let body = format!("{:x}\r\n{one}\r\n{:X};x=y\r\n{two}\r\n0\r\n\r\n", one.len(), two.len());
            Answer::Raw { status: 200, headers: "Transfer-Encoding: chunked\r\n".into(), body: body.into_bytes() }
        }
        // Until the end of the connection.
        "pool.get_all_records" => {
            let Answer::Value(pools) = small(asked) else { return page(500) };
            let body = json!({"jsonrpc": "2.0", "result": pools, "id": 1}).to_string().into_bytes();
            Answer::Raw { status: 200, headers: String::new(), body }
        }
        _ => small(asked),
    }
}

#[test]
fn the_socket_gives_the_same_records_without_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("xapi");
    let asked = on_socket(&socket, open_door);
    let snapshot: Value = serde_json::from_str(&collect(&socket).status(0).stdout).unwrap();
    assert_eq!(
        (&snapshot["source"]["target"], &snapshot["pool"]["hosts"][0]["name_label"]),
        (&json!("xapi-local"), &json!("alpha"))
    );
    let asked = asked.lock().unwrap();
    assert_eq!(asked.last().unwrap().method, "session.logout");
    assert_eq!(asked.last().unwrap().params, [json!(SESSION)]);
}

#[test]
fn a_socket_that_speaks_xml_alone_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("xapi");
    let asked = on_socket(&socket, |asked| match asked.path.as_str() {
        "/jsonrpc" => Answer::Raw { status: 404, headers: "content-length: 0\r\n".into(), body: Vec::new() },
        _ if asked.method.ends_with("records") => Answer::Value(json!({})),
        _ => open_door(asked),
    });
    collect(&socket).status(0);
    assert!(asked.lock().unwrap().iter().any(|asked| asked.encoding == "xml" && asked.method == "session.logout"));
}

#[test]
fn a_socket_that_is_not_there_or_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("xapi");
    let complaint = collect(&socket).status(4).complaint();
    let complaint = complaint.replace(socket.to_str().unwrap(), "SOCKET");
    insta::assert_snapshot!(complaint, @"poolgate: xapi-local: SOCKET: No such file or directory (os error 2); xapi-local works in a host's control domain only, while the toolstack runs");
    let asked =
        on_socket(
            &socket,
            |asked| if asked.method == "VM.get_all_records" { Answer::Hang } else { open_door(asked) },
        );
    let complaint = collect(&socket).status(4).complaint();
    assert!(complaint.contains("VM.get_all_records: no answer within"), "{complaint}");
    // The socket's server is busy with the call that hangs until its connection is closed; then it hears the logout.
    assert_eq!(asked.lock().unwrap().last().unwrap().method, "session.logout");
}
