//! Live servers are read in every encoding that they speak, in one call a class, and left logged out.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::fake::{Answer, Asked, Fake, Identity, PASSWORD, SESSION, logging_in, page, small};
use common::run::{Poolgate, poolgate};
use serde_json::{Value, json};

/// `collect` of a server that is trusted and logged in to.
fn collect(fake: &Fake) -> Poolgate {
    live(["collect", &fake.url()], fake)
}

fn live<const N: usize>(words: [&str; N], fake: &Fake) -> Poolgate {
    poolgate(words)
        .with(["--tls-fingerprint", &fake.fingerprint.plain(), "--password-env", "PW", "--timeout", "20s"])
        .env("PW", PASSWORD)
}

/// Answers with the recorded answers of a real server.
fn replay(folder: PathBuf) -> impl Fn(&Asked) -> Answer + Send + Sync {
    logging_in(move |asked| {
        let extension = if asked.encoding == "xml" { "xml" } else { "json" };
        match std::fs::read(folder.join(format!("{}.{extension}", asked.method))) {
            Ok(body) => Answer::Raw { status: 200, headers: String::new(), body },
            Err(_) => Answer::Error(vec!["MESSAGE_METHOD_UNKNOWN".to_owned(), asked.method.clone()]),
        }
    })
}

/// What a server does that speaks no more than this.
fn speaking(encoding: &'static str, rest: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Fake {
    Fake::start(move |asked| match (encoding, asked.encoding) {
        ("1.0", "2.0") => page(500),
        ("xml", "2.0" | "1.0") => page(404),
        _ => rest(asked),
    })
}

fn pool_of(text: &str) -> Value {
    let snapshot: Value = serde_json::from_str(text).unwrap();
    assert_eq!(snapshot["source"]["kind"], "xapi");
    assert!(snapshot["source"]["collected_at"].as_str().unwrap().ends_with('Z'));
    snapshot["pool"].clone()
}

#[test]
fn a_real_servers_answers_give_the_same_snapshot_in_every_encoding() {
    let Some(shared) = common::shared() else { return };
    for server in ["plain", "rich", "every-class", "standalone"] {
        let folder = shared.join("data/xapi-wire").join(server);
        let dump = poolgate(["collect", folder.join("jsonrpc2").to_str().unwrap()]).status(0).json();
        let mut dump = dump["pool"].clone();
        // Records of secrets are not asked for.
        dump.as_object_mut().unwrap().remove("secrets");
        for (encoding, name) in [("2.0", "jsonrpc2"), ("1.0", "jsonrpc1"), ("xml", "xmlrpc")] {
            let fake = speaking(encoding, replay(folder.join(name)));
            let done = collect(&fake).status(0);
            let mut pool = pool_of(&done.stdout);
            pool.as_object_mut().unwrap().remove("secrets");
            assert!(pool == dump, "{server} in {encoding}: another snapshot than from the files");
            let asked = fake.asked();
            let login = asked.iter().find(|asked| asked.method == "session.login_with_password").unwrap();
            assert_eq!((login.encoding, login.params[3].as_str()), (encoding, Some("poolgate")));
            assert_eq!(asked.last().unwrap().method, "session.logout");
        }
    }
}

#[test]
fn a_class_takes_one_call_and_all_calls_one_connection() {
    let fake = Fake::start(logging_in(small));
    let done = collect(&fake).status(0);
    assert!(done.stderr.contains("network backend") || done.stderr.is_empty(), "{done}");
    let methods = fake.methods();
    let records: Vec<_> = methods.iter().filter(|method| method.ends_with(".get_all_records")).collect();
    let classes: BTreeSet<_> = records.iter().collect();
    assert_eq!(classes.len(), records.len(), "a class was asked for twice: {records:?}");
    assert_eq!(methods.len(), records.len() + 3, "{methods:?}");
    assert!(!methods.iter().any(|method| method.starts_with("secret.")), "{methods:?}");
    assert_eq!(fake.connections(), 1);
    assert!(fake.asked().iter().all(|asked| asked.path == "/jsonrpc"));
}

#[test]
fn an_older_server_answers_in_its_own_words() {
    // Answers 2.0 with 1.0, takes no originator, has fewer classes, and sends integers as text.
    let fake = Fake::start(|asked| {
        let older = Asked { encoding: "1.0", ..asked.clone() };
        let answer = match asked.method.as_str() {
            "session.login_with_password" if asked.params.len() > 2 => {
                Answer::Error(vec!["MESSAGE_PARAMETER_COUNT_MISMATCH".to_owned(), "x".to_owned()])
            }
            "VMSS.get_all_records" => Answer::Error(vec!["METHOD_UNKNOWN".to_owned()]),
            "VLAN.get_all_records" => {
                Answer::Value(json!({"OpaqueRef:v": {"uuid": "v", "tag": "12", "strange": {"new": 1}}}))
            }
            _ => logging_in(small)(asked),
        };
        match answer {
            Answer::Value(value) => {
                let body = json!({"result": value, "error": null, "id": 1}).to_string().into_bytes();
                Answer::Raw { status: 200, headers: String::new(), body }
            }
            Answer::Error(error) => {
                let body = json!({"result": null, "error": error, "id": older.method}).to_string().into_bytes();
                Answer::Raw { status: 200, headers: String::new(), body }
            }
            other => other,
        }
    });
    let pool = pool_of(&collect(&fake).status(0).stdout);
    assert_eq!(pool["vlans"][0]["tag"], 12);
    assert_eq!(pool["snapshot_schedule_count"]["$unknown"], "absent-on-release");
    assert_eq!(fake.count("session.login_with_password"), 2);
}

#[test]
fn what_a_role_may_not_read_is_unknown_for_that_reason() {
    let fake = Fake::start(logging_in(|asked| match asked.method.as_str() {
        "subject.get_all_records" => Answer::Error(vec!["RBAC_PERMISSION_DENIED".to_owned(), "marker".to_owned()]),
        // The server stumbles, and a proxy answers something else.
        "VDI.get_all_records" => page(500),
        "SR.get_all_records" => Answer::Value(json!([1])),
        "Bond.get_all_records" => Answer::Raw { status: 200, headers: String::new(), body: b"{}".to_vec() },
        _ => small(asked),
    }));
    let done = collect(&fake).status(0);
    let pool = pool_of(&done.stdout);
    assert_eq!(pool["subject_count"]["$unknown"], "permission-denied");
    for list in ["vdis", "srs", "bonds"] {
        assert_eq!(pool[list]["$unknown"], "unreadable", "{list}");
    }
    assert!(pool["vdis"]["detail"].as_str().unwrap().contains("HTTP 500"), "{}", pool["vdis"]);
    assert!(!done.to_string().contains("marker"), "{done}");
}

#[test]
fn both_sides_are_read_at_once_and_both_failures_are_named() {
    // Each side answers only when the other was asked too.
    let barrier = std::sync::Arc::new(std::sync::Barrier::new(2));
    let [pool, host] = [0, 1].map(|_| {
        let barrier = std::sync::Arc::clone(&barrier);
        Fake::start(logging_in(move |asked| {
            if asked.method == "pool.get_all_records" {
                barrier.wait();
            }
            small(asked)
        }))
    });
    let both = |words: [&str; 5]| {
        poolgate(words)
            .with(["--tls-fingerprint", &format!("{}={}", pool.address, pool.fingerprint)])
            .with(["--tls-fingerprint", &format!("{}={}", host.address, host.fingerprint.plain().to_uppercase())])
            .with(["--password-stdin", "--timeout", "20s", "--format", "json"])
            .stdin(format!("{PASSWORD}\n{PASSWORD}\n"))
    };
    let report =
        both(["check", "--pool", &pool.url(), "--host", &host.url()]).any_status(|code| [1, 3].contains(code));
    assert_eq!(report.json()["pool"]["source"], pool.url());
    let unreached = poolgate(["check", "--pool", "https://127.0.0.1:1", "--host", "https://127.0.0.1:2"])
        .with(["--tls-fingerprint", &"ab".repeat(32), "--password-env", "PW", "--timeout", "3s"])
        .env("PW", PASSWORD)
        .status(4)
        .complaint();
    insta::assert_snapshot!(unreached, @r"
    poolgate: 127.0.0.1:1: nothing listens there (connection refused); is the address right, and the host up?
    poolgate: 127.0.0.1:2: nothing listens there (connection refused); is the address right, and the host up?
    ");
}

/// A member that names its coordinator, and the coordinator, on one port.
fn pool_of_two(header: bool) -> (Fake, Fake) {
    let identity = Identity::own();
    let named = identity.fingerprint();
    let member = Fake::with(Identity::own(), "127.0.0.3:0".parse().unwrap(), move |asked| {
        let slave = Answer::Error(vec!["HOST_IS_SLAVE".to_owned(), "127.0.0.2".to_owned()]);
        let asks = asked.head.to_lowercase().contains("x-xenapi-request-host-certificate-thumbprint: sha-256:master");
        match asked.method.as_str() {
            "session.login_with_password" if header && asks => Answer::With {
                header: format!("x-xenapi-response-host-certificate-thumbprint: {named}"),
                answer: Box::new(slave),
            },
            "session.login_with_password" => slave,
            _ => logging_in(small)(asked),
        }
    });
    let at = format!("127.0.0.2:{}", member.address.port()).parse().unwrap();
    (member, Fake::with(identity, at, logging_in(small)))
}

#[test]
fn a_member_is_followed_to_the_coordinator_that_it_names() {
    let (member, coordinator) = pool_of_two(true);
    let done = live(["collect", &member.url()], &member).status(0);
    assert_eq!(pool_of(&done.stdout)["name_label"], "small");
    let note = format!("{} is a member of a pool; read from its coordinator {}", member.address, coordinator.address);
    assert!(done.stderr.contains(&note), "{done}");
    assert_eq!((member.count("session.logout"), coordinator.count("session.logout")), (0, 1));
}

#[test]
fn a_joiner_that_is_a_member_elsewhere_is_judged_as_such() {
    let identity = Identity::own();
    let member = Fake::with(Identity::own(), "127.0.0.5:0".parse().unwrap(), |asked| match asked.method.as_str() {
        "session.login_with_password" => Answer::Error(vec!["HOST_IS_SLAVE".to_owned(), "127.0.0.4".to_owned()]),
        _ => logging_in(small)(asked),
    });
    let at = format!("127.0.0.4:{}", member.address.port()).parse().unwrap();
    let coordinator = Fake::with(
        identity,
        at,
        logging_in(|asked| match asked.method.as_str() {
            "host.get_all_records" => Answer::Value(json!({
                "OpaqueRef:h": {"uuid": "h", "name_label": "alpha"}, "OpaqueRef:i": {"uuid": "i", "name_label": "beta"},
            })),
            _ => small(asked),
        }),
    );
    let report = poolgate(["check", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--host", &member.url()])
        .with(["--tls-fingerprint", &format!("{}={}", member.address, member.fingerprint)])
        .with(["--tls-fingerprint", &format!("{}={}", coordinator.address, coordinator.fingerprint)])
        .with(["--password-env", "PW", "--format", "json"])
        .env("PW", PASSWORD)
        .status(1)
        .json();
    let text = report["joiners"][0].to_string();
    assert_eq!(report["verdict"], "NO-GO");
    assert!(text.contains("the joiner already belongs to a pool of 2 hosts: alpha, beta"), "{text}");
    let note = format!("{} is a member of a pool; read from its coordinator {}", member.address, coordinator.address);
    assert!(text.contains(&note), "{text}");
}

#[test]
fn a_coordinator_without_a_name_for_its_certificate_needs_its_own() {
    let (member, coordinator) = pool_of_two(false);
    let words = || {
        let pin = format!("{}={}", member.address, member.fingerprint);
        poolgate(["collect", &member.url(), "--tls-fingerprint", &pin, "--password-env", "PW"])
            .with(["--known-hosts", "/dev/null"])
            .env("PW", PASSWORD)
    };
    let complaint = words().status(4).complaint();
    let flag = format!("--tls-fingerprint {}={}", coordinator.address, coordinator.fingerprint.plain());
    assert!(complaint.contains(&flag), "{complaint}");
    assert_eq!(coordinator.methods(), Vec::<String>::new());
    let pin = format!("{}={}", coordinator.address, coordinator.fingerprint);
    words().with(["--tls-fingerprint", &pin]).status(0);
}

#[test]
fn a_password_goes_nowhere_else() {
    let fake = Fake::start(logging_in(small));
    let wrong = poolgate(["collect", &fake.url(), "--password-env", "PW"])
        .with(["--tls-fingerprint", &fake.fingerprint.plain()])
        .env("PW", "marker-of-a-wrong-one")
        .status(4)
        .complaint();
    let place = fake.address.to_string();
    insta::assert_snapshot!(wrong.replace(&place, "SERVER"), @"poolgate: SERVER: login as root refused (SESSION_AUTHENTICATION_FAILED); check the user and the password");
    assert_eq!((fake.count("session.login_with_password"), fake.count("session.logout")), (1, 0));
    let done = collect(&fake).status(0);
    for secret in [PASSWORD, SESSION] {
        assert!(!done.to_string().contains(secret), "{done}");
    }
}

#[test]
fn a_password_in_a_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let fake = Fake::start(logging_in(small));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, format!("{PASSWORD}\n")).unwrap();
    let run = |path: &Path| {
        let named = format!("{}={}", fake.url(), path.display());
        poolgate(["collect", &fake.url(), "--password-file", &named, "--tls-fingerprint", &fake.fingerprint.plain()])
    };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let complaint = run(&path).status(2).complaint();
    assert!(complaint.contains("others may read it (mode 644); chmod 600 it"), "{complaint}");
    assert!(!complaint.contains(PASSWORD));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    run(&path).status(0);
    let none =
        poolgate(["collect", &fake.url(), "--tls-fingerprint", &fake.fingerprint.plain()]).status(2).complaint();
    assert!(none.contains("--password-file FILE, --password-env VAR or --password-stdin"), "{none}");
    let short = live(["check", "--pool", &fake.url(), "--host", "https://127.0.0.9"], &fake);
    let short = short.with(["--password-stdin", "--password-env", "https://127.0.0.8=PW"]).status(2).complaint();
    assert!(short.contains("no target of this run"), "{short}");
}
