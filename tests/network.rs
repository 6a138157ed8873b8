//! Where a joiner's network lands: bonds, VLANs, management and VM networks by the server's own rules, contradictions,
//! and the commands that mend it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::collections::BTreeSet;

use common::judge::{PAIRS, fixture_json, judge, rules, side};
use poolgate::facts::{Fact, Known, Value};
use poolgate::network::{BondFact, NetworkFacts, RepairStep, derive};
use poolgate::rules::Outcome;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// XCP-ng with a management bond (eth0 and eth1), a storage bond (eth2 and eth3) and three VLANs on the first.
fn pool() -> Json {
    fixture_json("xcp-ng-8.3-5-hosts")
}

fn joiner() -> Json {
    fixture_json("candidate-good")
}

fn facts(pool: &Json, joiner: &Json) -> NetworkFacts {
    derive(&side("pool", pool).snapshot.pool, &side("joiner", joiner).snapshot.pool)
}

fn list<'j>(json: &'j mut Json, name: &str) -> &'j mut Vec<Json> {
    json["pool"][name].as_array_mut().unwrap()
}

/// The first interface of a device: in a pool, its coordinator's.
fn pif<'j>(json: &'j mut Json, device: &str) -> &'j mut Json {
    let host = json["pool"]["coordinator"].clone();
    list(json, "pifs").iter_mut().find(|pif| pif["device"] == device && pif["host"] == host).unwrap()
}

fn network<'j>(json: &'j mut Json, bridge: &str) -> &'j mut Json {
    list(json, "networks").iter_mut().find(|network| network["bridge"] == bridge).unwrap()
}

fn without_nic(json: &mut Json, device: &str) {
    list(json, "pifs").retain(|pif| pif["device"] != device);
}

fn bond(facts: &NetworkFacts, device: &str) -> BondFact {
    facts.bonds.get().unwrap().iter().find(|bond| bond.device == device).unwrap().clone()
}

fn runs(steps: &[RepairStep]) -> Vec<&str> {
    steps.iter().map(|step| step.run.as_str()).filter(|run| !run.is_empty()).collect()
}

/// What each of these rules says of a case.
fn outcomes(pool: &Json, joiner: &Json) -> Vec<(String, Outcome)> {
    let judgement = judge(&side("pool", pool), &side("joiner", joiner), &rules());
    let own = judgement.findings.into_iter().filter(|finding| finding.rule.starts_with("network-"));
    own.filter(|finding| matches!(finding.outcome, Outcome::Fail | Outcome::Unknown))
        .map(|finding| (finding.rule, finding.outcome))
        .filter(|(rule, _)| rule != "network-backend-same")
        .collect()
}

fn fails(pool: &Json, joiner: &Json) -> Vec<String> {
    outcomes(pool, joiner)
        .into_iter()
        .filter(|(_, outcome)| *outcome == Outcome::Fail)
        .map(|(rule, _)| rule)
        .collect()
}

#[test]
fn a_fitting_host_lands_whole() {
    let facts = facts(&pool(), &joiner());
    let landing = facts.landing.get().unwrap();
    let devices: Vec<_> = landing.iter().map(|nic| (nic.device.as_str(), nic.bond.as_deref())).collect();
    assert_eq!(
        devices,
        [("eth0", Some("bond0")), ("eth1", Some("bond0")), ("eth2", Some("bond1")), ("eth3", Some("bond1"))]
    );
    assert!(landing.iter().all(|nic| !nic.new_network && nic.position.is_some()));
    let bond = bond(&facts, "bond0");
    assert_eq!(bond.outcome, Known::Yes("complete".to_owned()));
    assert_eq!(bond.primary, Known::Yes(Some("eth0".to_owned())));
    let vlans: Vec<_> = facts.vlans.get().unwrap().iter().map(|vlan| (vlan.tag, vlan.created.clone())).collect();
    assert_eq!(vlans, [10, 20, 30].map(|tag| (tag, Known::Yes(true))));
    let management = facts.management.get().unwrap();
    assert!(management.aligned);
    assert_eq!(management.network, "Bond 0+1");
    assert_eq!(facts.contradictions, Known::Yes(Vec::new()));
    assert_eq!(facts.order, Known::Yes(None));
    assert_eq!(runs(&facts.repair.before), Vec::<&str>::new());
    assert_eq!(fails(&pool(), &joiner()), Vec::<String>::new());
}

#[test]
fn a_missing_nic_makes_a_bond_of_one() {
    let mut joiner = joiner();
    without_nic(&mut joiner, "eth1");
    let found = facts(&pool(), &joiner);
    let bond = bond(&found, "bond0");
    assert_eq!(bond.outcome, Known::Yes("partial".to_owned()));
    assert_eq!((bond.joiner_members, bond.missing), (vec!["eth0".to_owned()], vec![1]));
    assert_eq!(found.vlans.get().unwrap()[0].created, Known::Yes(true), "the bond of one carries VLANs");
    assert_eq!(found.missing.get().unwrap()[0].device, "eth1");
    assert_eq!(fails(&pool(), &joiner), ["network-bonds-whole"]);
}

#[test]
fn a_bond_without_any_nic_takes_its_vlans_with_it() {
    let mut joiner = joiner();
    for (device, bridge) in [("eth0", "xenbr6"), ("eth1", "xenbr7")] {
        pif(&mut joiner, device)["device"] = format!("eth{}", &bridge[5..]).into();
        network(&mut joiner, &format!("xenbr{}", &device[3..]))["bridge"] = bridge.into();
    }
    let found = facts(&pool(), &joiner);
    let bond = bond(&found, "bond0");
    assert_eq!((bond.outcome.text(), bond.codes.as_slice()), (Some("impossible"), &["no-nic".to_owned()][..]));
    assert!(found.vlans.get().unwrap().iter().all(|vlan| vlan.created == Known::Yes(false)));
    assert!(!found.management.get().unwrap().aligned);
    assert_eq!(
        fails(&pool(), &joiner),
        ["network-bonds-possible", "network-management-aligned", "network-new-networks", "network-vlans-created"]
    );
    // NICs of the same kind stand by: the bond is made of them by hand.
    let after = runs(&found.repair.after);
    assert!(after.iter().any(|run| run.starts_with("xe bond-create ") && run.contains("device=eth7 ")), "{after:#?}");
}

#[test]
fn each_obstacle_to_a_bond_is_named() {
    let cases: [(&str, Json, &str); 4] = [
        ("ip_configuration_mode", json!("DHCP"), "several-addresses"),
        ("managed", json!(false), "not-managed"),
        ("properties", json!({"gro": "off"}), "properties"),
        ("primary_address_type", json!("IPv6"), "address-type"),
    ];
    for (field, value, code) in cases {
        let mut joiner = joiner();
        let own = pif(&mut joiner, "eth1");
        own[field] = value;
        let uuid = own["uuid"].as_str().unwrap().to_owned();
        let found = facts(&pool(), &joiner);
        let bond = bond(&found, "bond0");
        assert_eq!((bond.outcome.text(), bond.codes), (Some("impossible"), vec![code.to_owned()]));
        assert!(runs(&found.repair.before).iter().any(|run| run.contains(&uuid)), "{code}: {:#?}", found.repair);
        assert!(fails(&pool(), &joiner).contains(&"network-bonds-possible".to_owned()), "{code}");
    }
}

#[test]
fn a_nic_on_the_bonds_own_network_keeps_the_bond_away() {
    let (mut pool, mut joiner) = (pool(), joiner());
    network(&mut pool, "xapi0")["bridge"] = "xenbr3".into();
    network(&mut pool, "xenbr3")["bridge"] = "xapi9".into();
    network(&mut joiner, "xenbr3")["tags"] = json!([]);
    let bond = bond(&facts(&pool, &joiner), "bond0");
    assert_eq!(bond.codes, ["network-taken"]);
    assert!(bond.reasons[0].contains("NETWORK_ALREADY_CONNECTED"), "{:?}", bond.reasons);
}

#[test]
fn fcoe_in_use_keeps_a_bond_away() {
    let mut joiner = joiner();
    pif(&mut joiner, "eth1")["capabilities"] = json!(["fcoe"]);
    assert_eq!(bond(&facts(&pool(), &joiner), "bond0").outcome.text(), Some("complete"));
    let mut sr = list(&mut joiner, "srs")[0].clone();
    sr["kind"] = "lvmofcoe".into();
    list(&mut joiner, "srs").push(sr);
    assert_eq!(bond(&facts(&pool(), &joiner), "bond0").codes, ["fcoe"]);
}

#[test]
fn the_member_whose_mac_the_bond_has_is_primary() {
    let mut pool = pool();
    let mac = pif(&mut pool, "eth1")["mac"].clone();
    pif(&mut pool, "bond0")["mac"] = mac;
    assert_eq!(bond(&facts(&pool, &joiner()), "bond0").primary, Known::Yes(Some("eth1".to_owned())));
}

#[test]
fn management_elsewhere_is_moved_by_exact_commands() {
    let mut joiner = joiner();
    let old = pif(&mut joiner, "eth0")["uuid"].as_str().unwrap().to_owned();
    let fields = ["management", "ip", "netmask", "gateway", "dns", "ip_configuration_mode"];
    for field in fields {
        let value = pif(&mut joiner, "eth0")[field].clone();
        let other = pif(&mut joiner, "eth2")[field].clone();
        pif(&mut joiner, "eth2")[field] = value;
        pif(&mut joiner, "eth0")[field] = other;
    }
    let new = pif(&mut joiner, "eth2")["uuid"].as_str().unwrap().to_owned();
    let found = facts(&pool(), &joiner);
    assert_eq!(found.management.get().unwrap().network, "Storage", "the storage bond takes it along");
    assert_eq!(
        runs(&found.repair.before),
        [
            format!(
                "xe pif-reconfigure-ip uuid={old} mode=static IP=192.0.2.51 netmask=255.255.255.0 gateway=192.0.2.1 DNS=192.0.2.53"
            ),
            format!("xe host-management-reconfigure pif-uuid={old}"),
            format!("xe pif-reconfigure-ip uuid={new} mode=none"),
        ]
    );
    assert_eq!(fails(&pool(), &joiner), ["network-management-aligned"]);
}

/// Commands that would lose management's tag or its IPv6 address are not printed.
#[test]
fn management_that_no_two_commands_move_is_left_to_the_operator() {
    let moved = |change: &dyn Fn(&mut Json)| {
        let mut joiner = joiner();
        for field in ["management", "ip", "netmask", "gateway", "dns", "ip_configuration_mode"] {
            let value = pif(&mut joiner, "eth0")[field].clone();
            pif(&mut joiner, "eth3")[field] = value;
        }
        pif(&mut joiner, "eth0")["management"] = false.into();
        pif(&mut joiner, "eth0")["ip_configuration_mode"] = "None".into();
        change(&mut joiner);
        facts(&pool(), &joiner).repair.before
    };
    assert_eq!(runs(&moved(&|_| ())).len(), 3);
    let steps = moved(&|joiner| pif(joiner, "eth3")["primary_address_type"] = "IPv6".into());
    assert!(steps[0].run.is_empty() && steps[0].note.contains("move management there from eth3"), "{steps:?}");
    // What it leaves behind becomes like the other member of its bond.
    let own = pif(&mut joiner(), "eth3")["uuid"].as_str().unwrap().to_owned();
    assert_eq!(runs(&steps), [format!("xe pif-set-primary-address-type uuid={own} primary_address_type=ipv4")]);
    let steps = moved(&|joiner| {
        pif(joiner, "eth3").as_object_mut().unwrap().remove("ip_configuration_mode");
    });
    assert_eq!(runs(&steps), [""; 0]);
    // Once management has left a bond's member, another one's address is in nobody's way.
    let steps = moved(&|joiner| {
        pif(joiner, "eth2")["ip_configuration_mode"] = "Static".into();
        pif(joiner, "eth2")["ip"] = "198.51.100.51".into();
    });
    assert_eq!(runs(&steps).len(), 3, "{steps:?}");
}

#[test]
fn words_from_a_snapshot_are_quoted_for_the_shell() {
    let mut pool = pool();
    list(&mut pool, "bonds").iter_mut().for_each(|bond| bond["mode"] = "lacp$(reboot)".into());
    let mut joiner = joiner();
    pif(&mut joiner, "eth3")["device"] = "eth3;reboot".into();
    pif(&mut joiner, "eth2")["managed"] = false.into();
    pif(&mut joiner, "eth2")["mac"] = "02:00`reboot`".into();
    let repair = facts(&pool, &joiner).repair;
    let all = [runs(&repair.before), runs(&repair.after)].concat();
    assert!(all.iter().any(|run| run.contains("'lacp$(reboot)'")), "{all:#?}");
    assert!(all.iter().any(|run| run.contains("'02:00`reboot`'")), "{all:#?}");
    assert!(all.iter().any(|run| run.contains("device='eth3;reboot'")), "{all:#?}");
    for run in all {
        let bare: String = run.split('\'').step_by(2).collect();
        assert!(!bare.contains("reboot"), "{run}");
    }
}

#[test]
fn lacp_on_the_pools_management_is_a_trap() {
    assert_eq!(facts(&pool(), &joiner()).management.get().unwrap().lacp, Known::Yes(false));
    let mut pool = pool();
    for bond in list(&mut pool, "bonds") {
        bond["mode"] = "lacp".into();
    }
    assert_eq!(facts(&pool, &joiner()).management.get().unwrap().lacp, Known::Yes(true));
    assert_eq!(fails(&pool, &joiner()), ["network-management-lacp"]);
}

#[test]
fn a_joiner_that_wants_no_vlans_gets_none() {
    let mut joiner = joiner();
    joiner["pool"]["hosts"][0]["other_config"]["sync_vlans"] = "nosync".into();
    let found = facts(&pool(), &joiner);
    assert!(found.vlans.get().unwrap().iter().all(|vlan| vlan.reason.contains("nosync")));
    let uuid = joiner["pool"]["hosts"][0]["uuid"].as_str().unwrap();
    let mend = format!("xe host-param-remove uuid={uuid} param-name=other-config param-key=sync_vlans");
    assert_eq!(runs(&found.repair.before), [mend]);
    assert_eq!(runs(&found.repair.after).iter().filter(|run| run.starts_with("xe vlan-create ")).count(), 3);
    assert_eq!(fails(&pool(), &joiner), ["network-vlans-created"]);
}

#[test]
fn contradictions_are_told_position_by_position() {
    let cases = [
        ("speed", json!(1000), "speed", "network-speed-same"),
        ("mtu", json!(9000), "mtu", "network-mtu-same"),
        ("carrier", json!(false), "carrier", "network-links-up"),
        ("device_id", json!("1521"), "kind", "network-nic-kinds"),
    ];
    for (field, value, kind, rule) in cases {
        let mut joiner = joiner();
        pif(&mut joiner, "eth3")[field] = value;
        let found = facts(&pool(), &joiner);
        let told: Vec<_> =
            found.contradictions.get().unwrap().iter().map(|it| (it.device.as_str(), it.kind.as_str())).collect();
        assert_eq!(told, [("eth3", kind)]);
        assert_eq!(fails(&pool(), &joiner), [rule]);
    }
}

#[test]
fn the_majority_of_members_decides_what_is_usual() {
    let mut pool = pool();
    pif(&mut pool, "eth3")["speed"] = json!(1000);
    assert_eq!(fails(&pool, &joiner()), Vec::<String>::new(), "four of five members have 10 Gbit/s");
    for pif in list(&mut pool, "pifs").iter_mut().filter(|pif| pif["device"] == "eth3") {
        pif["speed"] = json!(1000);
    }
    assert_eq!(fails(&pool, &joiner()), ["network-speed-same"]);
}

#[test]
fn exchanged_nics_are_recognised_by_kind_speed_or_switch() {
    let fields: [(&str, Json, Json); 3] = [
        ("device_id", json!("1521"), json!("1572")),
        ("speed", json!(1000), json!(10000)),
        ("switch_neighbour", json!("leaf-2 Eth1/7"), json!("leaf-1 Eth1/7")),
    ];
    for (field, odd, usual) in fields {
        let (mut pool, mut joiner) = (pool(), joiner());
        for pif in list(&mut pool, "pifs").iter_mut().chain(list(&mut joiner, "pifs")) {
            pif[field] = usual.clone();
        }
        for pif in list(&mut pool, "pifs").iter_mut().filter(|pif| pif["device"] == "eth1") {
            pif[field] = odd.clone();
        }
        pif(&mut joiner, "eth2")[field] = odd.clone();
        let found = facts(&pool, &joiner);
        let order = found.order.get().unwrap().as_ref().unwrap_or_else(|| panic!("{field}"));
        let swaps: Vec<_> = order.swaps.iter().map(|swap| (swap.device.as_str(), swap.like.as_str())).collect();
        assert_eq!(swaps, [("eth1", "eth2"), ("eth2", "eth1")], "{field}");
        let mac = |device: &str| {
            let nic = found.landing.get().unwrap().iter().find(|nic| nic.device == device).unwrap();
            nic.mac.text().unwrap().to_owned()
        };
        let rename = format!("interface-rename --update eth2={} eth1={}", mac("eth1"), mac("eth2"));
        assert_eq!(runs(&found.repair.before), [rename]);
        assert!(fails(&pool, &joiner).contains(&"network-order-same".to_owned()), "{field}");
    }
}

/// The candidate with a halted VM on a network of its own.
fn with_vm_on(name: &str, bridge: &str) -> Json {
    let mut json = joiner();
    let mut own = list(&mut json, "networks")[0].clone();
    for (field, value) in [("reference", "OpaqueRef:own"), ("name_label", name), ("bridge", bridge)] {
        own[field] = value.into();
    }
    own["uuid"] = "00000000-0000-4000-8000-00000000aaaa".into();
    list(&mut json, "networks").push(own);
    let mut vm = list(&mut json, "vms")[0].clone();
    vm["reference"] = "OpaqueRef:vm".into();
    vm["name_label"] = "app".into();
    vm["vifs"] = json!([{"reference": "OpaqueRef:vif", "network": "OpaqueRef:own"}]);
    list(&mut json, "vms").push(vm);
    json
}

#[test]
fn networks_of_vms_go_by_name_then_by_bridge() {
    let outcome = |joiner: &Json| {
        let found = facts(&pool(), joiner);
        let network = found.vm_networks.get().unwrap()[0].clone();
        (network.outcome, network.target, found.repair.before)
    };
    let (how, target, before) = outcome(&with_vm_on("VLAN 10 web", "xapi7"));
    assert_eq!((how.as_str(), target.as_str()), ("by-name", "VLAN 10 web"));
    assert_eq!(
        runs(&before),
        ["xe network-param-set uuid=00000000-0000-4000-8000-00000000aaaa name-label='VLAN 10 web (xcp-good)'"]
    );
    let (how, target, before) = outcome(&with_vm_on("Lab", "xapi3"));
    assert_eq!((how.as_str(), target.as_str()), ("by-bridge", "VLAN 20 database"));
    assert_eq!(runs(&before), ["xe network-create name-label=Lab"]);
    let (how, target, _) = outcome(&with_vm_on("Lab", "xapi7"));
    assert_eq!((how.as_str(), target.as_str()), ("new", ""));
    let cases = [("VLAN 10 web", "network-vms-by-name"), ("Lab", "network-vms-by-bridge")];
    for (name, rule) in cases {
        let bridge = if name == "Lab" { "xapi3" } else { "xapi7" };
        assert_eq!(fails(&pool(), &with_vm_on(name, bridge)), [rule]);
    }
}

#[test]
fn namesakes_in_the_pool_leave_it_to_chance() {
    let mut pool = pool();
    network(&mut pool, "xapi3")["name_label"] = "VLAN 10 web".into();
    let joiner = with_vm_on("VLAN 10 web", "xapi3");
    let found = facts(&pool, &joiner);
    let network = &found.vm_networks.get().unwrap()[0];
    assert_eq!((network.outcome.as_str(), network.candidates.len()), ("ambiguous", 2));
    assert_eq!(fails(&pool, &joiner), ["network-names-unique"]);
}

#[test]
fn a_network_that_vms_need_and_the_joiner_lacks() {
    let mut pool = fixture_json("xenserver-7.1-3-hosts");
    let mut joiner = fixture_json("candidate-7.1");
    without_nic(&mut joiner, "eth1");
    let reference = network(&mut pool, "xenbr1")["reference"].clone();
    let vm = list(&mut pool, "vms").iter_mut().find(|vm| vm["name_label"] == "dc-01").unwrap();
    vm["vifs"][0]["network"] = reference;
    let found = facts(&pool, &joiner);
    let missing = &found.missing.get().unwrap()[0];
    assert_eq!((missing.device.as_str(), missing.bonded), ("eth1", false));
    assert!(missing.vms.get().unwrap() > &0);
    assert_eq!(fails(&pool, &joiner), ["network-nics-for-vms", "network-vlans-created"]);
}

#[test]
fn a_machine_without_the_product_is_predicted_from_its_pci_order() {
    let mut bare = fixture_json("candidate-bare");
    let found = facts(&pool(), &bare);
    assert!(found.predicted);
    assert_eq!(bond(&found, "bond1").joiner_members, ["eth2", "eth3"]);
    assert!(found.management.get().is_none(), "nobody chose it yet");
    bare["pool"]["hosts"][0]["hardware"]["nics"].as_array_mut().unwrap().reverse();
    assert_eq!(facts(&pool(), &bare).landing, found.landing);
    bare["pool"]["hosts"][0]["hardware"].as_object_mut().unwrap().remove("nics");
    let found = facts(&pool(), &bare);
    assert!(!found.predicted && found.landing.get().is_none() && found.bonds.get().is_none());
}

#[test]
fn the_clusters_network_needs_one_plugged_address() {
    let mut pool = pool();
    let reference = pif(&mut pool, "bond1")["reference"].clone();
    let host = pool["pool"]["coordinator"].clone();
    pool["pool"]["clusters"] = json!([{"reference": "OpaqueRef:k", "pool_auto_join": true}]);
    pool["pool"]["cluster_hosts"] =
        json!([{"reference": "OpaqueRef:c", "cluster": "OpaqueRef:k", "host": host, "pif": reference}]);
    let mut joiner = joiner();
    pif(&mut joiner, "eth2")["ip"] = "".into();
    let cluster = |joiner: &Json| facts(&pool, joiner).cluster.get().unwrap().clone().unwrap();
    assert_eq!(cluster(&joiner).nics, ["eth2", "eth3"]);
    assert_eq!(cluster(&joiner).addressed, Known::Yes(Vec::new()));
    pif(&mut joiner, "eth3")["ip"] = "198.51.100.51".into();
    assert_eq!(cluster(&joiner).addressed, Known::Yes(vec!["eth3".to_owned()]));
    assert_eq!(cluster(&joiner).plugged, Known::Yes(true));
    pif(&mut joiner, "eth3")["currently_attached"] = false.into();
    assert_eq!(cluster(&joiner).plugged, Known::Yes(false));
}

/// Every leaf of the facts as text, to compare two cases whole.
fn whole(facts: &NetworkFacts) -> String {
    fn write(value: &Value<'_>, out: &mut String) {
        match value {
            Value::List(list) => (0..list.len()).for_each(|index| write(&list.get(index), out)),
            Value::Object(object) => {
                for (index, field) in object.def().fields.iter().enumerate() {
                    out.push_str(field.name);
                    write(&object.field(index), out);
                }
            }
            other => out.push_str(&format!("={other:?};")),
        }
    }
    let mut out = String::new();
    write(&facts.value(), &mut out);
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_records_does_not_matter(pair in 0..PAIRS.len(), seed in any::<u64>()) {
        let (pool, joiner) = PAIRS[pair];
        let (pool, joiner) = (fixture_json(pool), fixture_json(joiner));
        let expected = whole(&facts(&pool, &joiner));
        let mut state = seed | 1;
        let mut shuffled = |json: &Json| {
            let mut json = json.clone();
            for name in ["networks", "pifs", "bonds", "vlans", "vms", "hosts"] {
                let Some(list) = json["pool"].get_mut(name).and_then(Json::as_array_mut) else { continue };
                for left in (1..list.len()).rev() {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    list.swap(left, usize::try_from(state >> 33).unwrap() % (left + 1));
                }
            }
            json
        };
        prop_assert_eq!(whole(&facts(&shuffled(&pool), &shuffled(&joiner))), expected);
    }
}

/// Forgetting a fact of an interface or network never makes a rule of this room pass that failed, and what the rules
/// read of it becomes unknown.
#[test]
fn a_fact_forgotten_is_never_a_pass() {
    let mut broken = joiner();
    without_nic(&mut broken, "eth1");
    pif(&mut broken, "eth3")["speed"] = json!(1000);
    pif(&mut broken, "eth3")["ip_configuration_mode"] = json!("DHCP");
    pif(&mut broken, "eth2")["ip_configuration_mode"] = json!("DHCP");
    let failed: BTreeSet<_> = fails(&pool(), &broken).into_iter().collect();
    assert_eq!(failed.len(), 3, "{failed:?}");
    let fields: Vec<_> = broken["pool"]["pifs"][0].as_object().unwrap().keys().cloned().collect();
    for field in fields {
        let mut poorer = broken.clone();
        for pif in list(&mut poorer, "pifs") {
            pif.as_object_mut().unwrap().remove(&field);
        }
        let told: BTreeSet<_> = outcomes(&pool(), &poorer).into_iter().map(|(rule, _)| rule).collect();
        assert!(failed.is_subset(&told), "without {field}: {:?}", failed.difference(&told));
    }
}

#[test]
fn each_needed_fact_leaves_its_rule_undecided() {
    let cases = [
        ("speed", "network-speed-same"),
        ("carrier", "network-links-up"),
        ("mtu", "network-mtu-same"),
        ("vendor_id", "network-order-same"),
        ("managed", "network-bonds-possible"),
        ("management", "network-management-aligned"),
        ("physical", "network-bonds-whole"),
        ("network", "network-vlans-created"),
    ];
    for (field, rule) in cases {
        let mut joiner = joiner();
        for pif in list(&mut joiner, "pifs") {
            pif.as_object_mut().unwrap().remove(field);
        }
        let told = outcomes(&pool(), &joiner);
        assert!(told.contains(&(rule.to_owned(), Outcome::Unknown)), "{field}: {told:?}");
    }
}

#[test]
fn reasons_name_host_and_field() {
    let mut joiner = joiner();
    pif(&mut joiner, "eth1").as_object_mut().unwrap().remove("managed");
    let bond = bond(&facts(&pool(), &joiner), "bond0");
    assert_eq!(bond.outcome.unknown().unwrap().detail(), "host xcp-good, PIF eth1, managed");
}
