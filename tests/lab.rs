//! The simulator through real sockets, with a client of its own that trusts by fingerprint.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::path::Path;
use std::time::Duration;

use common::xapi::Client;
use poolgate::lab::{Lab, LabConfig, Phase, Served};
use serde_json::{Value, json};

const PASSWORD: &str = "made up";
const LONG: Duration = Duration::from_secs(20);

fn fixture(name: &str) -> Served {
    Served::file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{name}.json"))).unwrap()
}

fn lab(names: &[&str]) -> Lab {
    let config = names.iter().fold(LabConfig::new(PASSWORD), |config, name| config.serve(fixture(name)));
    Lab::start(config).unwrap()
}

#[test]
fn a_clean_host_joins_and_becomes_a_member() {
    let lab = lab(&["xcp-ng-8.3-5-hosts", "candidate-twin"]);
    let joiner = lab
        .endpoints()
        .into_iter()
        .find(|endpoint| {
            endpoint.coordinator == endpoint.name && endpoint.phase == Phase::Idle && endpoint.name != "xcp-01"
        })
        .unwrap();
    let pool = lab.endpoint("xcp-01").unwrap();
    let mut there = Client::connect(&joiner);
    let session = there.login("root", PASSWORD);
    let before = there.call("host.get_all_records", json!([session])).unwrap();
    assert_eq!(before.as_object().unwrap().len(), 1);
    there.call("pool.join", json!([session, pool.address.to_string(), "root", PASSWORD])).unwrap();
    lab.wait_for_phase(&joiner.name, Phase::Member, LONG).unwrap();
    let error = Client::connect(&joiner).call("session.login_with_password", json!(["root", PASSWORD])).unwrap_err();
    assert_eq!(error, ["HOST_IS_SLAVE", "127.0.0.1"]);
    let mut coordinator = Client::connect(&pool);
    let session = coordinator.login("root", PASSWORD);
    let hosts = coordinator.call("host.get_all_records", json!([session])).unwrap();
    let hosts = hosts.as_object().unwrap();
    assert_eq!(hosts.len(), 6);
    let new = hosts.values().find(|host| host["name_label"] == json!(joiner.name)).unwrap();
    assert_eq!(new["enabled"], json!(true));
    assert_eq!(new["name_description"], json!("Default install"));
    assert_eq!(new["address"], json!(joiner.address.to_string()));
    coordinator.call("session.logout", json!([session])).unwrap();
    assert_eq!(lab.open_sessions(), 0);
    let joins = lab.calls().into_iter().filter(|call| call.method == "pool.join").count();
    assert_eq!(joins, 1);
    let _: Value = new.clone();
}
