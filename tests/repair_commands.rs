//! Every command of the network's scripts exists, with its parameters, on the release of the host where it is to be
//! run.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::collections::BTreeSet;

use common::commands::{Commands, calls, calls_in_text};
use common::judge::{GOOD, fixture_json, side};
use poolgate::network::{RepairStep, derive};
use poolgate::rules::release_of;
use serde_json::{Value as Json, json};

fn list<'j>(json: &'j mut Json, name: &str) -> &'j mut Vec<Json> {
    json["pool"][name].as_array_mut().unwrap()
}

fn pif<'j>(json: &'j mut Json, device: &str) -> &'j mut Json {
    list(json, "pifs").iter_mut().find(|pif| pif["device"] == device && pif["vlan"] == -1).unwrap()
}

/// Gives the joiner a VM on a network of its own.
fn with_vm_on(joiner: &Json, name: &str, bridge: &str) -> Json {
    let mut json = joiner.clone();
    let mut own = list(&mut json, "networks")[0].clone();
    for (field, value) in [("reference", "OpaqueRef:own"), ("name_label", name), ("bridge", bridge)] {
        own[field] = value.into();
    }
    own["uuid"] = "00000000-0000-4000-8000-00000000aaaa".into();
    list(&mut json, "networks").push(own);
    let mut vm = list(&mut json, "vms")[0].clone();
    vm["reference"] = "OpaqueRef:vm".into();
    vm["is_a_template"] = false.into();
    vm["vifs"] = json!([{"reference": "OpaqueRef:vif", "network": "OpaqueRef:own"}]);
    list(&mut json, "vms").push(vm);
    json
}

/// A joiner with one thing after another that the scripts mend.
fn spoilt(pool: &Json, joiner: &Json) -> Vec<Json> {
    let name = pool["pool"]["networks"].as_array().unwrap().iter().rev().nth(1).unwrap()["name_label"].clone();
    let mut cases = vec![
        with_vm_on(joiner, name.as_str().unwrap(), "xapi7"),
        with_vm_on(joiner, "Lab", "xapi0"),
        with_vm_on(joiner, "Lab", "xapi1"),
    ];
    for (field, value) in [
        ("ip_configuration_mode", json!("DHCP")),
        ("managed", json!(false)),
        ("properties", json!({"gro": "off"})),
        ("primary_address_type", json!("IPv6")),
        ("management", json!(true)),
    ] {
        for device in ["eth1", "eth2", "eth3"] {
            let mut case = joiner.clone();
            if field == "management" {
                let old = list(&mut case, "pifs").iter_mut().find(|pif| pif["management"] == true).unwrap();
                old["management"] = false.into();
            }
            pif(&mut case, device)[field] = value.clone();
            case["pool"]["hosts"][0]["other_config"]["sync_vlans"] = "nosync".into();
            cases.push(case);
        }
    }
    // Another position, and one NIC less.
    let mut spare = joiner.clone();
    pif(&mut spare, "eth3")["device"] = "eth4".into();
    let network = list(&mut spare, "networks").iter_mut().find(|network| network["bridge"] == "xenbr3").unwrap();
    network["bridge"] = "xenbr4".into();
    cases.push(spare);
    let mut fewer = joiner.clone();
    list(&mut fewer, "pifs").retain(|pif| pif["device"] != "eth1");
    cases.push(fewer);
    cases
}

#[test]
fn repair_commands_exist_with_their_parameters() {
    let Some(commands) = Commands::load() else { return };
    let version = |json: &Json| {
        let side = side("a side", json);
        let release = release_of(side.snapshot.pool.coordinator_host().get().unwrap());
        release.xapi.get().unwrap().clone()
    };
    let mut seen = BTreeSet::new();
    let mut faults = BTreeSet::new();
    let mut pairs = GOOD.map(|(pool, joiner)| (fixture_json(pool), fixture_json(joiner))).to_vec();
    // Bonds that a joiner of 6.2 would be put into.
    let mut old = fixture_json("candidate-good");
    let host = &mut old["pool"]["hosts"][0];
    host["api_version_minor"] = 0.into();
    host["software_version"] = json!({"product_version": "6.2.0", "xapi": "1.3"});
    pairs.push((fixture_json("xcp-ng-8.3-5-hosts"), old));
    for (pool, joiner) in pairs {
        let (of_pool, of_joiner) = (version(&pool), version(&joiner));
        for joiner in spoilt(&pool, &joiner) {
            let facts = derive(&side("pool", &pool).snapshot.pool, &side("joiner", &joiner).snapshot.pool);
            for RepairStep { place, run, note, .. } in facts.repair.before.iter().chain(&facts.repair.after) {
                // The new member is the joiner.
                let xapi = if place == "coordinator" { &of_pool } else { &of_joiner };
                for call in calls(run).into_iter().chain(calls_in_text(note)) {
                    faults.extend(commands.fault(&call, xapi).map(|fault| format!("{fault}: {run} {note}")));
                    seen.insert(call.verb);
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    for command in [
        "bond-create",
        "bond-destroy",
        "host-management-reconfigure",
        "host-param-remove",
        "network-create",
        "network-param-set",
        "pif-forget",
        "pif-introduce",
        "pif-param-set",
        "pif-reconfigure-ip",
        "pif-set-primary-address-type",
        "vlan-create",
    ] {
        assert!(seen.contains(command), "{command} was never printed: {seen:?}");
    }
}
