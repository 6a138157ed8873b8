//! The import of a joiner's VMs: all, or none when one of the rules fails, and nobody is told.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lab::db::{Db, Fields, NULL, flag, int, is_null, key, text};
use crate::lab::world::Shared;
use crate::lab::{random, relations};

/// Imports what can be imported.
pub(super) fn import(shared: &Shared, host: usize, pool_host: usize, reference: &str) {
    let mut world = shared.world();
    let joiner = world.db(host).clone();
    let db = world.db_mut(pool_host);
    control_domain(db, &joiner, reference);
    if refused(db, &joiner).is_none() {
        guests(db, &joiner, reference);
    }
    relations::refresh(db);
    drop(world);
    shared.tell();
}

/// VMs that are imported as VMs: default templates are only looked up by name.
fn movable(joiner: &Db) -> impl Iterator<Item = (&str, &Fields)> {
    let default =
        |vm: &Fields| flag(vm, "is_default_template") || key(vm, "other_config", "default_template") == Some("true");
    joiner.each("VM").filter(move |(_, vm)| !flag(vm, "is_control_domain") && !default(vm))
}

/// Why the whole archive is refused.
fn refused(db: &Db, joiner: &Db) -> Option<&'static str> {
    for (_, vm) in movable(joiner) {
        let uuid = text(vm, "uuid");
        if let Some(seed) = key(vm, "other_config", "mac_seed") {
            let clash = |(_, theirs): (&str, &Fields)| {
                key(theirs, "other_config", "mac_seed") == Some(seed) && text(theirs, "uuid") != uuid
            };
            if db.each("VM").any(clash) {
                return Some("DUPLICATE_MAC_SEED");
            }
        }
        if let Some((_, theirs)) = db.each("VM").find(|(_, theirs)| text(theirs, "uuid") == uuid) {
            if text(theirs, "power_state") != "Halted" {
                return Some("VM_BAD_POWER_STATE");
            }
            if int(theirs, "version").unwrap_or(0) >= int(vm, "version").unwrap_or(0) {
                return Some("VM_TO_IMPORT_IS_NOT_NEWER_VERSION");
            }
        }
    }
    None
}

fn control_domain(db: &mut Db, joiner: &Db, host: &str) {
    let own = joiner.get("host", joiner.coordinator()).cloned().unwrap_or_default();
    let named = text(&own, "control_domain").to_owned();
    let domain = joiner
        .each("VM")
        .find(|(reference, vm)| *reference == named || (named.is_empty() && flag(vm, "is_control_domain")));
    let Some((old, vm)) = domain else { return };
    let mut record = vm.clone();
    record.insert("resident_on".to_owned(), json!(host));
    record.insert("affinity".to_owned(), json!(host));
    copy_metrics(db, joiner, &mut record);
    let reference = random::reference();
    db.insert("VM", &reference, record);
    if old == named {
        db.set("host", host, "control_domain", reference);
    }
}

fn copy_metrics(db: &mut Db, joiner: &Db, record: &mut Fields) {
    if let Some(metrics) = joiner.get("VM_metrics", text(record, "metrics")) {
        let reference = random::reference();
        db.insert("VM_metrics", &reference, metrics.clone());
        record.insert("metrics".to_owned(), json!(reference));
    }
}

fn guests(db: &mut Db, joiner: &Db, host: &str) {
    let mut moved: BTreeMap<String, String> = BTreeMap::new();
    for (old, vm) in movable(joiner) {
        let replaced = db.by_uuid("VM", text(vm, "uuid"));
        let reference = replaced.unwrap_or_else(random::reference);
        moved.insert(old.to_owned(), reference.clone());
        let mut record = vm.clone();
        record.insert("resident_on".to_owned(), json!(NULL));
        if !is_null(text(vm, "affinity")) {
            record.insert("affinity".to_owned(), json!(host));
        }
        if vm.contains_key("generation_id") && !flag(vm, "is_a_template") {
            record.insert("generation_id".to_owned(), json!(random::uuid()));
        }
        copy_metrics(db, joiner, &mut record);
        db.insert("VM", &reference, record);
    }
    for reference in moved.values() {
        let origin = db.get("VM", reference).map(|vm| text(vm, "snapshot_of").to_owned()).unwrap_or_default();
        if let Some(new) = moved.get(&origin) {
            db.set("VM", reference, "snapshot_of", new.clone());
        }
    }
    for (_, vif) in joiner.each("VIF") {
        let Some(vm) = moved.get(text(vif, "VM")) else { continue };
        let network =
            joiner.get("network", text(vif, "network")).map_or_else(|| NULL.to_owned(), |it| network_of(db, it));
        add(db, "VIF", vif, [("VM", json!(vm)), ("network", json!(network))]);
    }
    for (_, vbd) in joiner.each("VBD") {
        let Some(vm) = moved.get(text(vbd, "VM")) else { continue };
        let disk = joiner.get("VDI", text(vbd, "VDI")).and_then(|vdi| db.by_uuid("VDI", text(vdi, "uuid")));
        add(db, "VBD", vbd, [("VM", json!(vm)), ("VDI", json!(disk.unwrap_or_else(|| NULL.to_owned())))]);
    }
}

fn add<const N: usize>(db: &mut Db, class: &str, record: &Fields, changed: [(&str, Value); N]) {
    let mut record = record.clone();
    record.extend(changed.map(|(field, value)| (field.to_owned(), value)));
    db.insert(class, &random::reference(), record);
}

/// A VIF's network: first by its name, then by its bridge, else a new one.
fn network_of(db: &mut Db, network: &Fields) -> String {
    for field in ["name_label", "bridge"] {
        let same = |(_, theirs): &(&str, &Fields)| {
            text(theirs, field) == text(network, field) && !text(network, field).is_empty()
        };
        if let Some((found, _)) = db.each("network").find(same) {
            return found.to_owned();
        }
    }
    let reference = random::reference();
    let mut record = network.clone();
    record.insert("uuid".to_owned(), json!(random::uuid()));
    db.insert("network", &reference, record);
    reference
}
