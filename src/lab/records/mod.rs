//! A snapshot as the records of the server that it was taken from, so that fixtures can be served. What the release
//! lacks stays absent; what was not collected gets the server's default, since a server always has its fields.

mod tables;

use serde_json::{Map, Value, json};

use super::checks::Daemons;
use super::db::{Db, Fields, NULL, text};
use super::release::{self, Line};
use super::{LabError, random, relations};
use crate::collect::Collected;
use crate::snapshot::Snapshot;
use tables::{CLASSES, Field, Kind, MORE};

/// The records of a pool, what its coordinator runs, and what its daemons say.
pub(super) struct Site {
    pub(super) db: Db,
    pub(super) line: Line,
    pub(super) daemons: Daemons,
}

/// From a snapshot. `name` is the file, for messages.
pub(super) fn from_snapshot(name: &str, collected: &Collected) -> Result<Site, LabError> {
    let unusable = |reason: &str| LabError::Source { name: name.to_owned(), reason: reason.to_owned() };
    let pool = pool_json(&collected.snapshot).ok_or_else(|| unusable("it cannot be written as JSON"))?;
    let mut db = Db::default();
    let hosts = pool.get("hosts").and_then(Value::as_array).map_or(0, Vec::len);
    if hosts == 0 || pool.get("coordinator").and_then(Value::as_str).is_none() {
        return Err(unusable("it has no pool record with a coordinator; only a host with the product can be served"));
    }
    add_pool(&mut db, &pool);
    for (class, list, fields) in CLASSES {
        if is_absent(pool.get(*list)) {
            continue;
        }
        db.add_class(class);
        for item in pool.get(*list).and_then(Value::as_array).into_iter().flatten() {
            add(&mut db, class, fields, item);
        }
    }
    let coordinator =
        db.get("host", db.coordinator()).ok_or_else(|| unusable("the coordinator is not among its hosts"))?;
    let line = Line::of_host(coordinator);
    for (class, defaults) in MORE {
        if release::has_class(line, class) {
            db.add_class(class);
            add_defaults(&mut db, class, defaults);
        } else {
            db.remove_class(class);
        }
    }
    count_classes(&mut db, &pool);
    orient_vlans(&mut db);
    let daemons = daemons(&db, pool.get("hosts"));
    relations::refresh(&mut db);
    Ok(Site { db, line, daemons })
}

/// From records as they are. What stands beside the records (`off_wire`) is what the daemons say.
pub(super) fn from_records(name: &str, records: &Fields) -> Result<Site, LabError> {
    let unusable = |reason: &str| LabError::Source { name: name.to_owned(), reason: reason.to_owned() };
    let off_wire = records.get("off_wire");
    let mut records = records.clone();
    records.shift_remove("off_wire");
    let mut db = Db::from_records(&records);
    let Some(coordinator) = db.get("host", db.coordinator()) else {
        return Err(unusable("it has no pool record with a coordinator among its hosts"));
    };
    let line = Line::of_host(coordinator);
    for class in ["task", "session", "event", "message"] {
        db.add_class(class);
    }
    let mut daemons = daemons(&db, None);
    if let Some(backend) = off_wire.and_then(|beside| beside.get("backend")).and_then(Value::as_str) {
        daemons.backend = backend.to_owned();
    }
    match off_wire.and_then(|beside| beside.get("editions")) {
        Some(Value::Null) => daemons.editions = None,
        Some(Value::Array(list)) => {
            let edition = |entry: &Value| Some((entry.get(0)?.as_str()?.to_owned(), entry.get(1)?.as_i64()?));
            daemons.editions = Some(list.iter().filter_map(edition).collect());
        }
        _ => {}
    }
    Ok(Site { db, line, daemons })
}

fn pool_json(snapshot: &Snapshot) -> Option<Fields> {
    match serde_json::to_value(&snapshot.pool).ok()? {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// What is unknown, with its reason; an absent key is one without.
fn unknown(value: Option<&Value>) -> Option<&str> {
    match value {
        None => Some("not-collected"),
        Some(value) => value.get("$unknown").and_then(Value::as_str),
    }
}

fn is_absent(value: Option<&Value>) -> bool {
    unknown(value) == Some("absent-on-release")
}

fn known<'a>(item: &'a Value, field: &str) -> Option<&'a Value> {
    item.get(field).filter(|value| unknown(Some(value)).is_none())
}

/// A field's value as the server has it; none where its release lacks it.
fn convert(item: &Value, field: &Field) -> Option<Value> {
    let found = item.get(field.snapshot);
    if is_absent(found) {
        return None;
    }
    let Some(found) = found.filter(|value| unknown(Some(value)).is_none()) else { return Some(field.kind.default()) };
    Some(match (field.kind, found) {
        (Kind::Reference, Value::Null) => json!(NULL),
        (Kind::Time, Value::String(time)) => json!(time.replace('-', "")),
        (_, value) => value.clone(),
    })
}

fn add(db: &mut Db, class: &str, fields: &[Field], item: &Value) {
    let reference = known(item, "reference").and_then(Value::as_str).map_or_else(random::reference, str::to_owned);
    let mut record = Map::new();
    for field in fields {
        if let Some(value) = convert(item, field) {
            record.insert(field.server.to_owned(), value);
        }
    }
    match class {
        "host" => host(db, &reference, item, &mut record),
        "PIF" => pif_metrics(db, item, &mut record),
        "VM" => vm(db, &reference, item, &mut record),
        "Certificate" => {
            let print = record.get("fingerprint_sha256").cloned();
            record.extend(print.map(|print| ("fingerprint".to_owned(), print)));
        }
        _ => {}
    }
    db.insert(class, &reference, record);
}

fn add_pool(db: &mut Db, pool: &Fields) {
    let item = Value::Object(pool.clone());
    let reference = known(&item, "reference").and_then(Value::as_str).map_or_else(random::reference, str::to_owned);
    let mut record = Map::new();
    for field in tables::POOL {
        record.extend(convert(&item, field).map(|value| (field.server.to_owned(), value)));
    }
    for (flag, field) in
        [("has_uefi_certificates", "uefi_certificates"), ("has_custom_uefi_certificates", "custom_uefi_certificates")]
    {
        if !is_absent(pool.get(flag)) {
            let there = pool.get(flag).and_then(Value::as_bool) == Some(true);
            record.insert(field.to_owned(), json!(if there { "bWFkZSB1cA==" } else { "" }));
        }
    }
    if let Some(cpu) = pool.get("cpu_info").filter(|cpu| unknown(Some(cpu)).is_none()) {
        record.insert("cpu_info".to_owned(), texts(cpu, &[]));
    }
    db.insert("pool", &reference, record);
}

/// A map of texts from a record of the snapshot: unknown keys are left out, numbers become texts.
fn texts(item: &Value, renamed: &[(&str, &str)]) -> Value {
    let mut map = Map::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => continue,
        };
        let name = renamed.iter().find(|(from, _)| from == name).map_or(name.as_str(), |(_, to)| to);
        if !name.is_empty() {
            map.insert(name.to_owned(), json!(text));
        }
    }
    Value::Object(map)
}

fn host(db: &mut Db, reference: &str, item: &Value, record: &mut Fields) {
    if let Some(cpu) = known(item, "cpu") {
        let renamed = [("model_name", "modelname"), ("provenance", ""), ("predicted_for", ""), ("raw", "")];
        record.insert("cpu_info".to_owned(), texts(cpu, &renamed));
    }
    let mut licence = known(item, "restrictions").cloned().unwrap_or_else(|| json!({}));
    if let (Some(licence), Some(expiry)) = (licence.as_object_mut(), known(item, "licence_expiry")) {
        licence.insert("expiry".to_owned(), expiry.clone());
    }
    record.insert("license_params".to_owned(), licence);
    let hardware = known(item, "hardware").cloned().unwrap_or_else(|| json!({}));
    let mut bios = Map::new();
    for (field, key) in tables::BIOS {
        bios.extend(known(&hardware, field).map(|value| (key.to_owned(), value.clone())));
    }
    record.insert("bios_strings".to_owned(), Value::Object(bios));
    if let Some(clock) = known(item, "clock") {
        for (field, name) in
            [("ntp_mode", "ntp_mode"), ("timezone", "timezone"), ("ntp_servers", "ntp_custom_servers")]
        {
            record.extend(known(clock, field).map(|value| (name.to_owned(), value.clone())));
        }
    }
    let metrics = random::reference();
    let number = |field| known(item, field).cloned().unwrap_or(json!(0));
    let fields = json!({
        "uuid": random::uuid(),
        "memory_total": number("memory_total"),
        "memory_free": number("memory_free"),
        "live": known(item, "live").cloned().unwrap_or(json!(true)),
        "last_updated": "20260101T00:00:00Z",
        "other_config": {},
    });
    db.insert("host_metrics", &metrics, fields.as_object().cloned().unwrap_or_default());
    record.insert("metrics".to_owned(), json!(metrics));
    record.insert("API_version_vendor".to_owned(), json!("XenSource"));
    if let Some(groups) =
        known(item, "cpu").and_then(|cpu| known(cpu, "groups")).filter(|groups| groups[1].is_object())
    {
        cores(db, reference, groups);
    }
}

/// A record a core, where sockets differ: the records of a host whose cores are alike say nothing more.
fn cores(db: &mut Db, host: &str, groups: &Value) {
    let mut number = 0_i64;
    for group in groups.as_array().into_iter().flatten() {
        let field = |name| known(group, name).cloned().unwrap_or(json!(0));
        for _ in 0..field("count").as_i64().unwrap_or(0).clamp(0, 4096) {
            let core = json!({
                "uuid": random::uuid(), "host": host, "number": number, "family": field("family"),
                "model": field("model"), "stepping": field("stepping"), "features": "",
            });
            db.insert("host_cpu", &random::reference(), core.as_object().cloned().unwrap_or_default());
            number += 1;
        }
    }
}

fn pif_metrics(db: &mut Db, item: &Value, record: &mut Fields) {
    let metrics = random::reference();
    let mut fields = Map::new();
    fields.insert("uuid".to_owned(), json!(random::uuid()));
    for field in tables::PIF_METRICS {
        fields.extend(convert(item, field).map(|value| (field.server.to_owned(), value)));
    }
    db.insert("PIF_metrics", &metrics, fields);
    record.insert("metrics".to_owned(), json!(metrics));
}

fn vm(db: &mut Db, reference: &str, item: &Value, record: &mut Fields) {
    let mut flags = Map::new();
    for (field, key) in [("last_boot_vendor", "vendor"), ("last_boot_features", "features")] {
        let value = known(item, field).filter(|value| !value.is_null());
        flags.extend(value.map(|value| (key.to_owned(), value.clone())));
    }
    record.insert("last_boot_CPU_flags".to_owned(), Value::Object(flags));
    let seed = known(item, "mac_seed").filter(|seed| !seed.is_null());
    record.insert("other_config".to_owned(), seed.map_or_else(|| json!({}), |seed| json!({"mac_seed": seed})));
    for (count, list) in [("vtpm_count", "VTPMs"), ("vgpu_count", "VGPUs")] {
        if !is_absent(item.get(count)) {
            let some = known(item, count).and_then(Value::as_u64).unwrap_or(0).min(64);
            record.insert(list.to_owned(), json!((0..some).map(|_| random::reference()).collect::<Vec<_>>()));
        }
    }
    let metrics = random::reference();
    let mut fields = Map::from_iter([("uuid".to_owned(), json!(random::uuid()))]);
    if let Some(kind) = known(item, "current_domain_type") {
        fields.insert("current_domain_type".to_owned(), kind.clone());
    }
    db.insert("VM_metrics", &metrics, fields);
    record.insert("metrics".to_owned(), json!(metrics));
    for (list, class, table) in [("vifs", "VIF", tables::VIF), ("disks", "VBD", tables::VBD)] {
        for part in known(item, list).and_then(Value::as_array).into_iter().flatten() {
            add(db, class, table, part);
            let own = known(part, "reference").and_then(Value::as_str).unwrap_or("").to_owned();
            db.set(class, &own, "VM", reference);
        }
    }
}

/// Fields that no snapshot holds and every server has.
fn add_defaults(db: &mut Db, class: &str, defaults: &str) {
    let Ok(Value::Object(defaults)) = serde_json::from_str::<Value>(defaults) else { return };
    let references: Vec<_> = db.each(class).map(|(reference, _)| reference.to_owned()).collect();
    for reference in references {
        db.change(class, &reference, |record| {
            for (field, value) in &defaults {
                if !record.contains_key(field) {
                    record.insert(field.clone(), value.clone());
                }
            }
        });
    }
}

/// The server's `untagged_PIF` is the VLAN's own interface, and `tagged_PIF` the one below it. Which is which shows the
/// interface that names the VLAN as its own.
fn orient_vlans(db: &mut Db) {
    let own =
        |db: &Db, pif: &str, vlan: &str| db.get("PIF", pif).is_some_and(|pif| text(pif, "VLAN_master_of") == vlan);
    let turned: Vec<_> = db
        .each("VLAN")
        .filter(|(reference, vlan)| own(db, text(vlan, "tagged_PIF"), reference))
        .map(|(reference, vlan)| (reference.to_owned(), vlan.clone()))
        .collect();
    for (reference, vlan) in turned {
        db.set("VLAN", &reference, "tagged_PIF", text(&vlan, "untagged_PIF"));
        db.set("VLAN", &reference, "untagged_PIF", text(&vlan, "tagged_PIF"));
    }
}

/// Records of which a snapshot holds the number alone.
fn count_classes(db: &mut Db, pool: &Fields) {
    for (count, class) in [
        ("subject_count", "subject"),
        ("snapshot_schedule_count", "VMSS"),
        ("appliance_count", "VM_appliance"),
        ("vm_group_count", "VM_group"),
    ] {
        if is_absent(pool.get(count)) {
            db.remove_class(class);
            continue;
        }
        for number in 0..pool.get(count).and_then(Value::as_u64).unwrap_or(0).min(1000) {
            let record =
                json!({"uuid": random::uuid(), "name_label": format!("{class} {number}"), "other_config": {}});
            db.insert(class, &random::reference(), record.as_object().cloned().unwrap_or_default());
        }
    }
}

/// What the coordinator's daemons say: what the snapshot knows, or what the records make likely.
fn daemons(db: &Db, hosts: Option<&Value>) -> Daemons {
    let coordinator = db.coordinator();
    let none = Fields::new();
    let record = db.get("host", coordinator).unwrap_or(&none);
    let host = hosts.and_then(Value::as_array).and_then(|hosts| {
        hosts.iter().find(|host| known(host, "reference").and_then(Value::as_str) == Some(coordinator))
    });
    let backend = host.and_then(|host| known(host, "network_backend")).and_then(Value::as_str).map(str::to_owned);
    let said = super::db::key(record, "software_version", "network_backend").unwrap_or("bridge").to_owned();
    let listed = host.and_then(|host| known(host, "licence_daemon"));
    let editions = match listed {
        Some(Value::Null) => None,
        Some(Value::Array(list)) => {
            let edition =
                |entry: &Value| Some((entry.get("name")?.as_str()?.to_owned(), entry.get("order")?.as_i64()?));
            Some(list.iter().filter_map(edition).collect())
        }
        _ => {
            let mut names: Vec<_> = super::db::list(record, "editions").map(str::to_owned).collect();
            let own = text(record, "edition").to_owned();
            if !names.contains(&own) {
                names.push(own);
            }
            Some(names.into_iter().zip((0..).step_by(10)).collect())
        }
    };
    Daemons { backend: backend.unwrap_or(said), editions }
}
