//! The gate over the toolstack's own socket: a join from inside the joiner's control domain, an eject from inside the
//! coordinator's. The socket stands before a host of the lab, and lets in whoever comes, as it does for root.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::fake::{Answer, Asked, on_socket};
use common::rehearsal::{PASSWORD, Rehearsal, served};
use poolgate::collect::xapi::{
    Client, Knock, KnownHosts, Limits, Password, Server as _, Session, TrustStore, XapiError,
};
use poolgate::lab::{Endpoint, LabConfig};
use serde_json::json;

/// A socket before a host of the lab.
fn before(endpoint: &Endpoint, path: &Path) -> Arc<Mutex<Vec<Asked>>> {
    let mut trust = TrustStore::new(KnownHosts::from_text("/dev/null".into(), "").unwrap());
    trust.pin(None, endpoint.fingerprint.parse().unwrap());
    let address = format!("{}:{}", endpoint.address, endpoint.port).parse().unwrap();
    let limits = Limits { connect: Duration::from_secs(2), call: Duration::from_secs(30), until: None };
    let client = Client::new(address, Arc::new(trust), limits);
    let sessions: Mutex<BTreeMap<String, Session>> = Mutex::default();
    on_socket(path, move |asked| {
        let password = Password::new(PASSWORD.to_owned().into());
        let mut sessions = sessions.lock().unwrap();
        let reference = asked.params.first().and_then(|text| text.as_str()).unwrap_or_default().to_owned();
        match asked.method.as_str() {
            "pool.get_all" => Answer::Error(vec!["MESSAGE_PARAMETER_COUNT_MISMATCH".to_owned()]),
            "session.login_with_password" => {
                assert_eq!(asked.params[..2], [json!(""), json!("")], "a password where none is needed");
                match client.knock("root", &password, None) {
                    Ok(Knock::Alone(session)) => {
                        let reference = format!("OpaqueRef:local-{}", sessions.len());
                        sessions.insert(reference.clone(), *session);
                        Answer::Value(json!(reference))
                    }
                    Ok(Knock::Member { coordinator }) => Answer::Error(vec!["HOST_IS_SLAVE".to_owned(), coordinator]),
                    Err(XapiError::Api { code, params, .. }) => Answer::Error([vec![code], params].concat()),
                    Err(_) => Answer::Reset,
                }
            }
            "session.logout" => {
                sessions.remove(&reference);
                Answer::Value(json!(""))
            }
            method => {
                let Some(session) = sessions.get_mut(&reference) else {
                    return Answer::Error(vec!["SESSION_INVALID".to_owned()]);
                };
                match session.call(method, &asked.params[1..]) {
                    Ok(value) => Answer::Value(value),
                    Err(XapiError::Api { code, params, .. }) => Answer::Error([vec![code], params].concat()),
                    Err(_) => Answer::Reset,
                }
            }
        }
    })
}

#[test]
fn a_join_from_the_joiners_control_domain() {
    let lab = Rehearsal::new("xenserver-8-1-host", &["candidate-xs8-twin"]);
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("xapi");
    let asked = before(&lab.joiner(0), &socket);
    let join = || {
        let words = ["join", "--pool", &lab.pool().url(), "--host", "xapi-local"].map(str::to_owned);
        lab.act(words).env("POOLGATE_XAPI_SOCKET", socket.to_str().unwrap())
    };
    let plan = lab.plan(join());
    let done = join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "30s"]).status(0);
    assert!(done.stdout.contains("DONE"), "{done}");
    let joins: Vec<_> = asked.lock().unwrap().iter().filter(|asked| asked.method == "pool.join").cloned().collect();
    assert_eq!(joins.len(), 1);
    // The pool's password is handed over there and nowhere else.
    assert_eq!(joins[0].params[3], json!(PASSWORD));
    assert!(!format!("{done}").contains(PASSWORD));
    assert!(lab.events().contains(&"closed".to_owned()));
}

#[test]
fn an_eject_from_the_coordinators_control_domain() {
    let lab = Rehearsal::of(LabConfig::new(PASSWORD).serve(served("xcp-ng-8.3-5-hosts", |json| {
        for vm in json["pool"]["vms"].as_array_mut().unwrap() {
            vm["resident_on"] = serde_json::Value::Null;
            if vm["is_control_domain"] != true {
                vm["power_state"] = "Halted".into();
            }
        }
    })));
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("xapi");
    let asked = before(&lab.pool(), &socket);
    let eject = || {
        let words = ["eject", "--pool", "xapi-local", "--member", "xcp-03"];
        lab.act(words).env("POOLGATE_XAPI_SOCKET", socket.to_str().unwrap())
    };
    let plan = lab.plan(eject());
    // The member itself would answer at port 443, which the lab's hosts do not: its return is not waited for long.
    let done = eject().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "3s"]).status(1);
    assert!(done.stdout.contains("DONE  xcp-03 has left production, and 1 thing is not as predicted"), "{done}");
    assert!(done.stdout.contains("the host does not answer yet"), "{done}");
    let asked = asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|asked| asked.method == "pool.eject").count(), 1);
    assert!(!asked.iter().any(|asked| format!("{:?}", asked.params).contains(PASSWORD)), "a password on the socket");
    assert_eq!(asked.last().unwrap().method, "session.logout");
}

/// The pool's password is what a joiner needs, and the socket of its coordinator has none.
#[test]
fn a_join_cannot_be_made_from_the_coordinators_socket() {
    let lab = Rehearsal::new("xenserver-8-1-host", &["candidate-xs8-twin"]);
    let joiner = lab.joiner(0).url();
    let complaint = lab.act(["join", "--pool", "xapi-local", "--host", &joiner]).status(2).complaint();
    assert!(complaint.contains("which xapi-local has not"), "{complaint}");
}
