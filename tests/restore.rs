//! The script that gives an ejected host its network back, run by a shell against a stand-in for `xe` that notes what it is
//! asked for.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use common::judge::fixture_json;
use poolgate::gate::restore_script;
use poolgate::snapshot::{Snapshot, read_snapshot};
use serde_json::{Value as Json, json};

/// Answers every call with a uuid, but for a search for management's VLAN, which `FOUND` answers.
const XE: &str = r#"#!/bin/sh
echo "xe $*" >> "$CALLS"
case "$*" in
  *management=true*) echo "$FOUND" ;;
  *) echo 11111111-2222-4333-8444-555555555555 ;;
esac
"#;

/// The script of the last member, and the calls that it makes.
fn run(pool: &Json, found: &str) -> (String, String) {
    let Snapshot { pool, .. } = read_snapshot(pool.to_string().as_bytes()).unwrap().0;
    let script = restore_script(&pool, pool.hosts.each().next_back().unwrap(), "2026-05-20T10:00:00Z");
    let folder = tempfile::tempdir().unwrap();
    let (xe, calls) = (folder.path().join("xe"), folder.path().join("calls"));
    fs::write(&xe, XE).unwrap();
    fs::set_permissions(&xe, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let done = Command::new("sh")
        .args(["-c", &script])
        .envs([("PATH", path.as_str()), ("CALLS", calls.to_str().unwrap()), ("FOUND", found)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && said.is_empty(), "{said}\n{script}");
    (script, fs::read_to_string(calls).unwrap())
}

#[test]
fn every_fixtures_script_runs_to_its_end() {
    for pool in [
        "xcp-ng-8.3-5-hosts",
        "xenserver-8-16-hosts",
        "xenserver-7.1-3-hosts",
        "xenserver-7.6-3-hosts",
        "citrix-hypervisor-8.2-3-hosts",
        "xenserver-9-5-hosts",
        "xenserver-6.5-masking",
    ] {
        let (_, calls) = run(&fixture_json(pool), "");
        assert!(calls.ends_with("xe pif-list params=device,MAC,VLAN,network-name-label,IP,management\n"), "{pool}");
    }
}

#[test]
fn managements_vlan_is_found_and_made_only_where_it_is_gone() {
    let pool = fixture_json("citrix-hypervisor-8.2-3-hosts");
    let (script, there) = run(&pool, "99999999-2222-4333-8444-555555555555");
    assert!(script.contains("VLAN=50 management=true"), "{script}");
    assert!(!there.contains("vlan=50"), "it came back with the host: {there}");
    assert!(
        there.contains("xe host-management-reconfigure pif-uuid=99999999-2222-4333-8444-555555555555"),
        "{there}"
    );
    let (_, gone) = run(&pool, "");
    assert!(gone.contains("vlan=50"), "{gone}");
}

#[test]
fn packet_sizes_and_ipv6_addresses_come_back() {
    let mut pool = fixture_json("xcp-ng-8.3-5-hosts");
    let host = pool["pool"]["hosts"].as_array().unwrap().last().unwrap()["reference"].clone();
    for network in pool["pool"]["networks"].as_array_mut().unwrap() {
        network["mtu"] = 9000.into();
    }
    let is = |pif: &&mut Json, device: &str| pif["host"] == host && pif["device"] == device;
    let pifs = pool["pool"]["pifs"].as_array_mut().unwrap();
    let storage = pifs.iter_mut().find(|pif| is(pif, "bond1")).unwrap();
    storage["ipv6_configuration_mode"] = "Static".into();
    storage["ipv6"] = json!(["fe80::1/64", "2001:db8::5/64"]);
    let (_, calls) = run(&pool, "");
    assert!(calls.contains("MTU=9000"), "{calls}");
    assert!(
        calls.contains(
            "xe pif-reconfigure-ipv6 uuid=11111111-2222-4333-8444-555555555555 mode=static IPv6=2001:db8::5/64"
        ),
        "{calls}"
    );
}

#[test]
fn what_lies_on_sriov_is_left_to_the_operator() {
    let mut pool = fixture_json("xcp-ng-8.3-5-hosts");
    let host = pool["pool"]["hosts"].as_array().unwrap().last().unwrap()["reference"].clone();
    let network = pool["pool"]["networks"][0]["reference"].clone();
    let pif = |reference: &str, more: Json| {
        let mut pif = json!({"reference": reference, "uuid": reference, "device": "eth3", "host": host, "network": network,
            "physical": false, "management": false, "vlan": -1, "ip": "", "ip_configuration_mode": "None",
            "bond_master_of": [], "vlan_master_of": null, "mac": "02:00:00:00:00:99"});
        pif.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        pif
    };
    let pifs = pool["pool"]["pifs"].as_array_mut().unwrap();
    pifs.push(pif("OpaqueRef:logical", json!({})));
    pifs.push(pif(
        "OpaqueRef:tagged",
        json!({"vlan": 9, "vlan_master_of": "OpaqueRef:v9", "ip": "198.51.100.9",
        "ip_configuration_mode": "Static", "netmask": "255.255.255.0"}),
    ));
    pool["pool"]["vlans"].as_array_mut().unwrap().push(json!({"reference": "OpaqueRef:v9", "uuid": "v9", "tag": 9,
        "tagged_pif": "OpaqueRef:logical", "untagged_pif": "OpaqueRef:tagged"}));
    let (script, calls) = run(&pool, "");
    assert!(script.contains("# Not made again here: VLAN 9") && script.contains("# Not set again here"), "{script}");
    assert!(!calls.contains("vlan=9"), "{calls}");
}

/// What is not known is left out and said: nobody can tell once the host has left.
#[test]
fn what_was_not_known_is_said_and_stops_nothing() {
    let whole = fixture_json("xcp-ng-8.3-5-hosts");
    let host = whole["pool"]["hosts"].as_array().unwrap().last().unwrap()["reference"].clone();
    let without = |of: &str, field: &str| {
        let mut pool = whole.clone();
        for pif in pool["pool"]["pifs"].as_array_mut().unwrap() {
            if pif["host"] == host && pif["device"] == of {
                pif.as_object_mut().unwrap().remove(field);
            }
        }
        run(&pool, "").0
    };
    let says =
        |script: &str, said: &str| assert!(script.contains(&format!("# Not made again here: {said}")), "{script}");
    let script = without("eth2", "mac");
    says(&script, "eth2; its MAC address was not known.");
    says(&script, "bond1; one of its members was not known.");
    assert!(!script.contains("$NIC_eth2"), "{script}");
    says(&without("bond1", "bond_master_of"), "bond1; its bond was not known.");
    says(&without("bond1", "ip_configuration_mode"), "bond1; how it has its address was not known.");
    says(&without("bond1", "ipv6_configuration_mode"), "bond1; how it has its IPv6 address was not known.");
    let mut pool = whole.clone();
    pool["pool"]["bonds"].as_array_mut().unwrap().iter_mut().for_each(|bond| {
        bond.as_object_mut().unwrap().remove("mode");
    });
    says(&run(&pool, "").0, "bond0; its mode was not known.");
    let mut pool = whole.clone();
    pool["pool"]["vlans"] = json!({"$unknown": "permission-denied"});
    let script = run(&pool, "").0;
    says(&script, "bond0; its VLAN was not known.");
    assert!(!script.contains("vlan-create"), "{script}");
}
