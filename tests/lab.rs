//! Joins, ejects and logins through real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::path::Path;
use std::time::Duration;

use common::xapi::Client;
use poolgate::lab::db::{flag, key, text};
use poolgate::lab::{Endpoint, Fault, FaultKind, Lab, LabConfig, Phase, Role, Served};
use serde_json::{Value, json};

const PASSWORD: &str = "made up";
const LONG: Duration = Duration::from_secs(30);
const POOL: &str = "xcp-ng-8.3-5-hosts";

fn fixture(name: &str) -> Served {
    Served::file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{name}.json"))).unwrap()
}

fn config(names: &[&str]) -> LabConfig {
    names.iter().fold(LabConfig::new(PASSWORD), |config, name| config.serve(fixture(name)))
}

fn lab(names: &[&str]) -> Lab {
    Lab::start(config(names)).unwrap()
}

/// Joins a standalone host to a pool, as a client asks for it.
fn join(lab: &Lab, host: &str, pool: &str, method: &str) -> Result<Value, Vec<String>> {
    let mut client = Client::connect(&lab.endpoint(host).unwrap());
    let session = client.login("root", PASSWORD);
    let address = lab.endpoint(pool).unwrap().address.to_string();
    let done = client
        .try_call(method, json!([session, address, "root", PASSWORD]))
        .unwrap_or_else(|_| Err(vec!["cut".to_owned()]));
    if done.is_err() && lab.phase(host).unwrap() == Phase::Idle {
        client.call("session.logout", json!([session])).unwrap();
    }
    done
}

fn code(result: Result<Value, Vec<String>>) -> String {
    result.unwrap_err().remove(0)
}

#[test]
fn a_clean_host_becomes_a_member_as_the_pool_is() {
    let lab = lab(&[POOL, "candidate-twin"]);
    let joiner = lab.endpoint("xcp-twin").unwrap();
    assert_eq!(join(&lab, "xcp-twin", "xcp-01", "pool.join"), Ok(json!("")));
    lab.wait_for_phase("xcp-twin", Phase::Member, LONG).unwrap();
    let refused = Client::connect(&joiner).call("session.login_with_password", json!(["root", PASSWORD]));
    assert_eq!(refused, Err(vec!["HOST_IS_SLAVE".to_owned(), "127.0.0.1".to_owned()]));
    lab.with_db("xcp-01", |db| {
        assert_eq!(db.count("host"), 6);
        let (reference, host) = db.each("host").find(|(_, host)| text(host, "name_label") == "xcp-twin").unwrap();
        assert!(flag(host, "enabled"));
        assert_eq!(text(host, "name_description"), "Default install");
        assert_eq!(text(host, "address"), joiner.address.to_string());
        let own =
            |class: &str, field: &str| db.each(class).filter(|(_, record)| text(record, field) == reference).count();
        // Every shared repository is plugged; the coordinator's bonds and VLANs are there.
        let shared = db.each("SR").filter(|(_, sr)| flag(sr, "shared")).count();
        let plugged = |(_, pbd): &(&str, &poolgate::lab::db::Fields)| {
            text(pbd, "host") == reference
                && flag(pbd, "currently_attached")
                && flag(db.get("SR", text(pbd, "SR")).unwrap(), "shared")
        };
        assert_eq!(db.each("PBD").filter(plugged).count(), shared);
        let of = |class: &str, field: &str, host: &str| {
            db.each(class)
                .filter(|(_, record)| text(db.get("PIF", text(record, field)).unwrap(), "host") == host)
                .count()
        };
        for (class, field) in [("Bond", "master"), ("VLAN", "untagged_PIF")] {
            assert_eq!(of(class, field, reference), of(class, field, db.coordinator()), "{class}");
            assert!(of(class, field, reference) > 0, "{class}");
        }
        assert_eq!(own("Certificate", "host"), 1);
        let management: Vec<_> =
            db.each("PIF").filter(|(_, pif)| text(pif, "host") == reference && flag(pif, "management")).collect();
        assert_eq!(management.len(), 1);
        assert_eq!(text(management[0].1, "IP"), joiner.address.to_string());
    })
    .unwrap();
    let calls = lab.calls();
    assert_eq!(calls.iter().filter(|call| call.method == "pool.join" && !call.by_host).count(), 1);
    assert_eq!(calls.iter().filter(|call| call.by_host).count(), 2, "{calls:?}");
    assert_eq!(lab.open_sessions(), 0);
}

#[test]
fn an_older_cpu_lowers_the_level_and_nobody_is_asked() {
    let lab = lab(&[POOL, "candidate-older-intel"]);
    let level = |lab: &Lab| {
        lab.with_db("xcp-01", |db| key(db.pool().1, "cpu_info", "features_hvm_host").unwrap().to_owned()).unwrap()
    };
    let before = level(&lab);
    join(&lab, "xcp-older-intel", "xcp-01", "pool.join").unwrap();
    lab.wait_for_phase("xcp-older-intel", Phase::Member, LONG).unwrap();
    assert_ne!(level(&lab), before);
}

#[test]
fn refusals_change_nothing() {
    let lab = lab(&[POOL, "candidate-amd", "candidate-trouble", "candidate-member"]);
    let before = lab.with_db("xcp-01", |db| (db.count("host"), db.count("PIF"), db.count("Certificate"))).unwrap();
    assert_eq!(
        join(&lab, "xcp-amd", "xcp-01", "pool.join"),
        Err(vec!["HOSTS_NOT_HOMOGENEOUS".to_owned(), "CPUs differ".to_owned()])
    );
    assert_eq!(code(join(&lab, "branch-01", "xcp-01", "pool.join")), "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS");
    assert_eq!(code(join(&lab, "staging-01", "xcp-01", "pool.join")), "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS");
    assert_eq!(code(join(&lab, "xcp-amd", "xcp-02", "pool.join")), "HOST_IS_SLAVE");
    assert_eq!(
        lab.with_db("xcp-01", |db| (db.count("host"), db.count("PIF"), db.count("Certificate"))).unwrap(),
        before
    );
    assert_eq!(lab.open_sessions(), 0);
    // The server lets a forced mix of vendors in.
    join(&lab, "xcp-amd", "xcp-01", "pool.join_force").unwrap();
    lab.wait_for_phase("xcp-amd", Phase::Member, LONG).unwrap();
}

#[test]
fn passwords_and_roles_are_held_to() {
    let config = config(&[POOL, "candidate-twin"])
        .user("auditor", "reads", Role::ReadOnly)
        .session_life(Duration::from_secs(60));
    let lab = Lab::start(config).unwrap();
    let mut client = Client::connect(&lab.endpoint("xcp-twin").unwrap());
    assert_eq!(
        code(client.call("session.login_with_password", json!(["root", "wrong"]))),
        "SESSION_AUTHENTICATION_FAILED"
    );
    let session = client.login("auditor", "reads");
    assert!(client.call("host.get_all_records", json!([session])).is_ok());
    let refused = client.call("secret.get_all_records", json!([session])).unwrap_err();
    assert_eq!(refused[..2], ["RBAC_PERMISSION_DENIED", "secret.get_all_records"]);
    assert_eq!(
        code(client.call("pool.join", json!([session, "127.0.0.1", "root", PASSWORD]))),
        "RBAC_PERMISSION_DENIED"
    );
    client.call("session.logout", json!([session])).unwrap();
    let lost = client.call("pool.get_all", json!([session])).unwrap_err();
    assert_eq!(lost, ["SESSION_INVALID", session.as_str()]);
    // A reader of the pool can be checked with, and not joined with.
    let root = client.login("root", PASSWORD);
    let refused = client.call("pool.join", json!([root, "127.0.0.1", "auditor", "reads"])).unwrap_err();
    assert_eq!(refused[..2], ["RBAC_PERMISSION_DENIED", "pool.initial_auth"]);
    assert_eq!(lab.phase("xcp-twin").unwrap(), Phase::Idle);
}

#[test]
fn the_password_becomes_the_pools_and_stays_so_after_an_eject() {
    let config = LabConfig::new(PASSWORD).serve(fixture(POOL)).serve(fixture("candidate-twin").password("its own"));
    let lab = Lab::start(config).unwrap();
    let joiner = lab.endpoint("xcp-twin").unwrap();
    let mut client = Client::connect(&joiner);
    let session = client.login("root", "its own");
    client.call("pool.join", json!([session, "127.0.0.1", "root", PASSWORD])).unwrap();
    lab.wait_for_phase("xcp-twin", Phase::Member, LONG).unwrap();
    let local = |password: &str| {
        Client::connect(&joiner).call("session.slave_local_login_with_password", json!(["root", password]))
    };
    assert_eq!(code(local("its own")), "SESSION_AUTHENTICATION_FAILED");
    local(PASSWORD).unwrap();
    eject(&lab, "xcp-01", "xcp-twin").unwrap();
    lab.wait_for_phase("xcp-twin", Phase::Idle, LONG).unwrap();
    Client::connect(&joiner).login("root", PASSWORD);
}

fn eject(lab: &Lab, coordinator: &str, member: &str) -> Result<Value, Vec<String>> {
    let mut client = Client::connect(&lab.endpoint(coordinator).unwrap());
    let session = client.login("root", PASSWORD);
    let named = client.call("host.get_by_name_label", json!([session, member])).unwrap();
    let done = client.call("pool.eject", json!([session, named[0]]));
    client.call("session.logout", json!([session])).unwrap();
    done
}

#[test]
fn ejects_are_refused_in_the_servers_order() {
    let lab = lab(&[POOL]);
    let busy = lab.with_db("xcp-01", |db| {
        let busy: Vec<_> = db
            .each("VM")
            .filter(|(_, vm)| text(vm, "power_state") == "Running" && !flag(vm, "is_control_domain"))
            .map(|(_, vm)| text(vm, "resident_on").to_owned())
            .collect();
        text(db.get("host", &busy[0]).unwrap(), "name_label").to_owned()
    });
    let busy = busy.unwrap();
    let set = |field: &str, value: Value| lab.with_db("xcp-01", |db| db.set_pool(field, value)).unwrap();
    if busy != "xcp-01" {
        assert_eq!(
            eject(&lab, "xcp-01", &busy),
            Err(vec!["OPERATION_NOT_ALLOWED".to_owned(), "VM resident on host".to_owned()])
        );
    }
    assert_eq!(
        eject(&lab, "xcp-01", "xcp-01"),
        Err(vec!["INTERNAL_ERROR".to_owned(), "Xapi_pool.Cannot_eject_master".to_owned()])
    );
    set("current_operations", json!({"OpaqueRef:task": "apply_updates"}));
    assert_eq!(code(eject(&lab, "xcp-01", "xcp-01")), "NOT_SUPPORTED_DURING_UPGRADE");
    set("ha_enabled", json!(true));
    assert_eq!(code(eject(&lab, "xcp-01", "xcp-01")), "HA_IS_ENABLED");
    set("current_operations", json!({"OpaqueRef:task": "ha_enable"}));
    assert_eq!(code(eject(&lab, "xcp-01", "xcp-01")), "OTHER_OPERATION_IN_PROGRESS");
    set("is_psr_pending", json!(true));
    assert_eq!(code(eject(&lab, "xcp-01", "xcp-01")), "POOL_SECRET_ROTATION_PENDING");
}

#[test]
fn an_ejected_host_comes_back_alone_and_empty() {
    let lab = lab(&[POOL, "candidate-twin"]);
    join(&lab, "xcp-twin", "xcp-01", "pool.join").unwrap();
    lab.wait_for_phase("xcp-twin", Phase::Member, LONG).unwrap();
    eject(&lab, "xcp-01", "xcp-twin").unwrap();
    lab.wait_for_phase("xcp-twin", Phase::Idle, LONG).unwrap();
    assert_eq!(lab.with_db("xcp-01", |db| db.count("host")).unwrap(), 5);
    let endpoint = lab.endpoint("xcp-twin").unwrap();
    assert_eq!(endpoint.coordinator, "xcp-twin");
    lab.with_db("xcp-twin", |db| {
        assert_eq!((db.count("host"), db.count("Bond"), db.count("VLAN")), (1, 0, 0));
        let (_, pool) = db.pool();
        assert!(!flag(pool, "tls_verification_enabled"));
        assert_eq!(text(pool, "name_label"), "");
        assert!(db.each("SR").all(|(_, sr)| !flag(sr, "shared") || flag(sr, "is_tools_sr")));
        let management: Vec<_> = db.each("PIF").filter(|(_, pif)| flag(pif, "management")).collect();
        assert_eq!(management.len(), 1);
        assert_eq!(text(management[0].1, "IP"), endpoint.address.to_string());
        assert!(
            db.each("PIF").filter(|(_, pif)| !flag(pif, "management")).all(|(_, pif)| text(pif, "IP").is_empty())
        );
    })
    .unwrap();
    // TLS verification is off now: the pool does not take it back as it is.
    let again = join(&lab, "xcp-twin", "xcp-01", "pool.join").unwrap_err();
    assert!(
        ["POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH", "LICENSE_HOST_POOL_MISMATCH"].contains(&again[0].as_str()),
        "{again:?}"
    );
}

#[test]
fn old_servers_speak_xml_alone() {
    let lab = lab(&["xenserver-6.5-masking", "candidate-6.5-maskable", "candidate-6.5-unmaskable"]);
    let endpoint = &lab.endpoints()[0];
    let answer = Client::connect(endpoint).send("POST", "/jsonrpc", &[], "{}").unwrap();
    assert_eq!(answer.status, "HTTP/1.1 403 Forbidden");
    let call = |endpoint: &Endpoint, method: &str, params: &[&str]| {
        let params: String = params.iter().map(|it| format!("<param><value>{it}</value></param>")).collect();
        let body = format!("<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>");
        Client::connect(endpoint).send("POST", "/", &[], &body).unwrap().body
    };
    let joiner = lab.endpoint("xs65-unmaskable").unwrap();
    let session = call(&joiner, "session.login_with_password", &["root", PASSWORD]);
    let at = session.find("OpaqueRef:").unwrap();
    let session = &session[at..at + 46];
    let refused = call(&joiner, "pool.join", &[session, "127.0.0.1", "root", PASSWORD]);
    assert!(refused.contains("HOSTS_NOT_HOMOGENEOUS</value><value>CPUs differ"), "{refused}");
    let absent = call(&joiner, "Certificate.get_all_records", &[session]);
    assert!(absent.contains("MESSAGE_METHOD_UNKNOWN"), "{absent}");
}

#[test]
fn two_hundred_hosts_are_cheap() {
    let twin = |_| fixture("candidate-twin");
    let config = (0..200).map(twin).fold(LabConfig::new(PASSWORD), LabConfig::serve);
    let lab = Lab::start(config).unwrap();
    let endpoints = lab.endpoints();
    assert_eq!(endpoints.len(), 200);
    let threads = std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    assert!(threads < 100, "{threads} threads");
    for endpoint in endpoints.iter().step_by(40) {
        Client::connect(endpoint).login("root", PASSWORD);
    }
}

#[test]
fn a_session_ends_when_nobody_uses_it() {
    let lab = Lab::start(config(&["candidate-twin"]).session_life(Duration::ZERO)).unwrap();
    let mut client = Client::connect(&lab.endpoint("xcp-twin").unwrap());
    let session = client.login("root", PASSWORD);
    assert_eq!(code(client.call("pool.get_all", json!([session]))), "SESSION_INVALID");
    lab.fault(Fault::new(FaultKind::Reset).on("pool.get_all"));
    assert!(client.try_call("pool.get_all", json!([session])).is_err());
}
