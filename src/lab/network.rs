//! What a member does with its interfaces when it starts: bonds rebuilt by position, VLANs copied, and how they end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::db::{Db, Fields, NULL, flag, int, is_null, list, text};
use super::random;

/// The number in a bridge's name, `xenbrN`.
fn position(db: &Db, pif: &Fields) -> Option<u32> {
    let network = db.get("network", text(pif, "network"))?;
    text(network, "bridge").strip_prefix("xenbr")?.parse().ok()
}

/// The references of a host's own interfaces that satisfy something.
fn pifs(db: &Db, host: &str, wanted: impl Fn(&Fields) -> bool) -> Vec<String> {
    let own = |(_, pif): &(&str, &Fields)| text(pif, "host") == host && wanted(pif);
    db.each("PIF").filter(own).map(|(reference, _)| reference.to_owned()).collect()
}

/// Rebuilds the coordinator's bonds on a member from the NICs at the same positions. What cannot be built is left out:
/// the server only logs it.
pub(super) fn copy_bonds(db: &mut Db, member: &str) {
    let coordinator = db.coordinator().to_owned();
    let bonds: Vec<Fields> = db
        .each("Bond")
        .filter(|(_, bond)| db.get("PIF", text(bond, "master")).is_some_and(|pif| text(pif, "host") == coordinator))
        .map(|(_, bond)| bond.clone())
        .collect();
    for bond in bonds {
        copy_bond(db, member, &bond);
    }
}

fn copy_bond(db: &mut Db, member: &str, bond: &Fields) -> Option<()> {
    let master = db.get("PIF", text(bond, "master"))?.clone();
    let network = text(&master, "network").to_owned();
    let slaves: Vec<_> = list(bond, "slaves").filter_map(|slave| db.get("PIF", slave)).collect();
    let positions: Vec<u32> = slaves.iter().filter_map(|slave| position(db, slave)).collect();
    let primary =
        slaves.iter().find(|slave| text(slave, "MAC") == text(&master, "MAC")).and_then(|slave| position(db, slave));
    let mut found: Vec<(u32, String)> = pifs(db, member, |pif| flag(pif, "physical"))
        .into_iter()
        .filter_map(|pif| Some((position(db, db.get("PIF", &pif)?)?, pif)))
        .filter(|(position, _)| positions.contains(position))
        .collect();
    found.sort();
    if found.is_empty() || !can_bond(db, member, &network, &found) {
        return None;
    }
    let members: Vec<String> = found.iter().map(|(_, pif)| pif.clone()).collect();
    let first = found.iter().find(|(position, _)| Some(*position) == primary).or_else(|| found.first())?.1.clone();
    let (pif, own) = (random::reference(), random::reference());
    add_bond_interface(db, member, &master, &pif, &own, &first, &members);
    let mut record = bond.clone();
    record.extend([
        ("uuid".to_owned(), json!(random::uuid())),
        ("master".to_owned(), json!(pif)),
        ("slaves".to_owned(), json!(members)),
        ("primary_slave".to_owned(), json!(first)),
        ("links_up".to_owned(), json!(members.len())),
    ]);
    db.insert("Bond", &own, record);
    Some(())
}

/// The rules of `Bond.create` that fail it without a word at a member's start.
fn can_bond(db: &Db, member: &str, network: &str, found: &[(u32, String)]) -> bool {
    // Something of this host is on the bond's network already.
    if !pifs(db, member, |pif| text(pif, "network") == network).is_empty() {
        return false;
    }
    let records: Vec<&Fields> = found.iter().filter_map(|(_, pif)| db.get("PIF", pif)).collect();
    let has_address = |pif: &&&Fields| {
        text(pif, "ip_configuration_mode") != "None" && !text(pif, "ip_configuration_mode").is_empty()
    };
    let same = |field: &str| records.windows(2).all(|pair| pair[0].get(field) == pair[1].get(field));
    records.iter().all(|pif| flag(pif, "managed") && is_null(text(pif, "bond_slave_of")))
        && records.iter().filter(has_address).count() <= 1
        && same("properties")
        && same("primary_address_type")
}

/// The fields of an interface that its address lies in, as they are on one that has none.
pub(super) fn without_address() -> [(&'static str, Value); 10] {
    [
        ("ip_configuration_mode", json!("None")),
        ("IP", json!("")),
        ("netmask", json!("")),
        ("gateway", json!("")),
        ("DNS", json!("")),
        ("ipv6_configuration_mode", json!("None")),
        ("IPv6", json!([])),
        ("ipv6_gateway", json!("")),
        ("management", json!(false)),
        ("disallow_unplug", json!(false)),
    ]
}

/// The bond's own interface takes over the address of the member that has one, and management with it.
fn add_bond_interface(
    db: &mut Db,
    host: &str,
    model: &Fields,
    pif: &str,
    bond: &str,
    primary: &str,
    members: &[String],
) {
    let mut record = model.clone();
    let with_address = members
        .iter()
        .filter_map(|member| Some((member, db.get("PIF", member)?)))
        .find(|(_, record)| flag(record, "management") || !text(record, "IP").is_empty())
        .map(|(_, record)| record.clone());
    for (field, none) in without_address() {
        if model.contains_key(field) {
            let value = with_address.as_ref().and_then(|from| from.get(field)).cloned();
            record.insert(field.to_owned(), value.unwrap_or(none));
        }
    }
    let mac = db.get("PIF", primary).map(|pif| text(pif, "MAC").to_owned()).unwrap_or_default();
    record.extend([
        ("uuid".to_owned(), json!(random::uuid())),
        ("host".to_owned(), json!(host)),
        ("MAC".to_owned(), json!(mac)),
        ("bond_master_of".to_owned(), json!([bond])),
        ("VLAN_slave_of".to_owned(), json!([])),
        ("currently_attached".to_owned(), json!(true)),
        ("metrics".to_owned(), json!(NULL)),
    ]);
    db.insert("PIF", pif, record);
    for member in members {
        db.change("PIF", member, |record| {
            for (field, none) in without_address() {
                if record.contains_key(field) {
                    record.insert(field.to_owned(), none);
                }
            }
            record.insert("bond_slave_of".to_owned(), json!(bond));
        });
        move_vlans(db, member, pif);
    }
}

/// VLANs on a NIC go to the bond that takes it in.
fn move_vlans(db: &mut Db, from: &str, to: &str) {
    let moved: Vec<_> = db
        .each("VLAN")
        .filter(|(_, vlan)| text(vlan, "tagged_PIF") == from)
        .map(|(reference, _)| reference.to_owned())
        .collect();
    for vlan in &moved {
        db.set("VLAN", vlan, "tagged_PIF", to);
    }
    if !moved.is_empty() {
        db.set("PIF", from, "VLAN_slave_of", json!([]));
        db.set("PIF", to, "VLAN_slave_of", json!(moved));
    }
}

/// Copies the coordinator's VLANs to a member that has an interface on the network below.
pub(super) fn copy_vlans(db: &mut Db, member: &str) {
    let nosync = |record: Option<&Fields>| {
        record.is_some_and(|it| super::db::key(it, "other_config", "sync_vlans") == Some("nosync"))
    };
    if nosync(db.get("host", member)) {
        return;
    }
    let coordinator = db.coordinator().to_owned();
    let mut wanted: BTreeMap<String, (String, i64, Fields)> = BTreeMap::new();
    for (reference, vlan) in db.each("VLAN") {
        let (Some(top), Some(below)) =
            (db.get("PIF", text(vlan, "untagged_PIF")), db.get("PIF", text(vlan, "tagged_PIF")))
        else {
            continue;
        };
        if text(top, "host") == coordinator {
            let below = text(below, "network").to_owned();
            wanted.insert(reference.to_owned(), (below, int(vlan, "tag").unwrap_or(-1), top.clone()));
        }
    }
    for (below, tag, model) in wanted.into_values() {
        let network = text(&model, "network").to_owned();
        let own = |db: &Db, network: &str| pifs(db, member, |pif| text(pif, "network") == network).into_iter().next();
        let (Some(tagged), None) = (own(db, &below), own(db, &network)) else { continue };
        add_vlan(db, member, &tagged, tag, &model, false);
    }
}

/// Adds a VLAN and its interface; `keep` leaves the address in the model.
pub(super) fn add_vlan(db: &mut Db, host: &str, tagged: &str, tag: i64, model: &Fields, keep: bool) {
    let (pif, vlan) = (random::reference(), random::reference());
    let mut record = model.clone();
    if !keep {
        for (field, value) in
            [("ip_configuration_mode", "None"), ("IP", ""), ("netmask", ""), ("gateway", ""), ("DNS", "")]
        {
            record.insert(field.to_owned(), json!(value));
        }
        record.insert("management".to_owned(), json!(false));
        record.insert("disallow_unplug".to_owned(), json!(false));
    }
    let below = db.get("PIF", tagged).cloned().unwrap_or_default();
    record.extend([
        ("uuid".to_owned(), json!(random::uuid())),
        ("host".to_owned(), json!(host)),
        ("device".to_owned(), json!(text(&below, "device"))),
        ("MAC".to_owned(), json!(text(&below, "MAC"))),
        ("VLAN_master_of".to_owned(), json!(vlan)),
        ("currently_attached".to_owned(), json!(true)),
        ("metrics".to_owned(), json!(NULL)),
    ]);
    db.insert("PIF", &pif, record);
    let other =
        json!({"uuid": random::uuid(), "tagged_PIF": tagged, "untagged_PIF": pif, "tag": tag, "other_config": {}});
    db.insert("VLAN", &vlan, other.as_object().cloned().unwrap_or_default());
    db.change("PIF", tagged, |record| {
        let mut all: Vec<Value> = list(record, "VLAN_slave_of").map(|it| json!(it)).collect();
        all.push(json!(vlan));
        record.insert("VLAN_slave_of".to_owned(), json!(all));
    });
}

/// Ends a bond: its members stand alone again, and the first takes the address back.
pub(super) fn destroy_bond(db: &mut Db, reference: &str) -> bool {
    let Some(bond) = db.remove("Bond", reference) else { return false };
    let interface = text(&bond, "master").to_owned();
    let top = db.remove("PIF", &interface).unwrap_or_default();
    for slave in list(&bond, "slaves") {
        let primary = slave == text(&bond, "primary_slave");
        db.change("PIF", slave, |record| {
            record.insert("bond_slave_of".to_owned(), json!(NULL));
            for (field, _) in without_address().into_iter().filter(|_| primary) {
                record.extend(top.get(field).map(|value| (field.to_owned(), value.clone())));
            }
        });
        if primary {
            move_vlans(db, &interface, slave);
        }
    }
    true
}

/// Ends a VLAN with its interface.
pub(super) fn destroy_vlan(db: &mut Db, reference: &str) -> bool {
    let Some(vlan) = db.remove("VLAN", reference) else { return false };
    db.remove("PIF", text(&vlan, "untagged_PIF"));
    db.change("PIF", text(&vlan, "tagged_PIF"), |record| {
        let left: Vec<_> = list(record, "VLAN_slave_of").filter(|it| *it != reference).map(str::to_owned).collect();
        record.insert("VLAN_slave_of".to_owned(), json!(left));
    });
    true
}
