//! What a joiner writes into the pool's database, each record on its own: what fails is only logged at the server, and
//! the join goes on.

use serde_json::{Value, json};

use crate::lab::checks::{RESTRICTED_SIZE, is_tools, restricted};
use crate::lab::db::{Db, Fields, NULL, flag, int, key, list, text};
use crate::lab::world::Shared;
use crate::lab::{network, random, relations};

/// The host, its repositories, plugs and disks. The host's new reference; none where the pool did not take it.
pub(super) fn machine(shared: &Shared, host: usize, pool_host: usize, refuse: bool) -> Option<String> {
    let mut world = shared.world();
    let joiner = world.db(host).clone();
    let line = world.hosts[host].line;
    let db = world.db_mut(pool_host);
    // The pool's own guard of its size.
    let full = line.since(1, 54) && restricted(db, "restrict_pool_size") && db.count("host") >= RESTRICTED_SIZE;
    if refuse || full {
        return None;
    }
    let old = joiner.coordinator();
    let reference = random::reference();
    let record = host_record(db, &joiner, joiner.get("host", old)?, line.since(25, 0));
    db.insert("host", &reference, record);
    storage(db, &joiner, &reference);
    relations::refresh(db);
    drop(world);
    shared.tell();
    Some(reference)
}

/// What starts anew at a member, whatever it was at the joiner.
fn fresh() -> Value {
    json!({
        "name_description": "Default install", "enabled": false, "logging": {}, "tags": [], "power_on_mode": "",
        "power_on_config": {}, "guest_VCPUs_params": {}, "display": "enabled", "iscsi_iqn": "", "multipathing": false,
        "current_operations": {}, "crashdumps": [], "resident_VMs": [], "PIFs": [], "PBDs": [], "host_CPUs": [],
        "control_domain": NULL, "local_cache_sr": NULL, "suspend_image_sr": NULL, "crash_dump_sr": NULL,
    })
}

fn host_record(db: &mut Db, joiner: &Db, own: &Fields, keeps_sync: bool) -> Fields {
    let mut record = own.clone();
    for (field, value) in fresh().as_object().into_iter().flatten() {
        if record.contains_key(field) {
            record.insert(field.clone(), value.clone());
        }
    }
    // What the free map still knows comes back.
    if let Some(iqn) = key(own, "other_config", "iscsi_iqn").filter(|_| own.contains_key("iscsi_iqn")) {
        record.insert("iscsi_iqn".to_owned(), json!(iqn));
    }
    if own.contains_key("multipathing") && key(own, "other_config", "multipathing") == Some("true") {
        record.insert("multipathing".to_owned(), json!(true));
    }
    if !keeps_sync && own.contains_key("latest_synced_updates_applied") {
        record.insert("latest_synced_updates_applied".to_owned(), json!("unknown"));
    }
    let updates = list(own, "updates")
        .filter_map(|update| db.by_uuid("pool_update", text(joiner.get("pool_update", update)?, "uuid")));
    let updates = json!(updates.collect::<Vec<_>>());
    if own.contains_key("updates") {
        record.insert("updates".to_owned(), updates);
    }
    if let Some(metrics) = joiner.get("host_metrics", text(own, "metrics")) {
        let reference = random::reference();
        let mut metrics = metrics.clone();
        metrics.insert("live".to_owned(), json!(false));
        db.insert("host_metrics", &reference, metrics);
        record.insert("metrics".to_owned(), json!(reference));
    }
    record
}

fn storage(db: &mut Db, joiner: &Db, host: &str) {
    let tools = db.each("SR").find(|(_, sr)| is_tools(sr)).map(|(reference, _)| reference.to_owned());
    for (old, sr) in joiner.each("SR") {
        let reference = match (is_tools(sr), &tools, db.by_uuid("SR", text(sr, "uuid"))) {
            (true, Some(tools), _) => tools.clone(),
            // A repository that the pool knows is taken for the same.
            (_, _, Some(known)) => known,
            _ => {
                let mut record = sr.clone();
                record.insert("shared".to_owned(), json!(false));
                let reference = random::reference();
                db.insert("SR", &reference, record);
                reference
            }
        };
        for (_, pbd) in joiner.each("PBD").filter(|(_, pbd)| text(pbd, "SR") == old && !is_tools(sr)) {
            let mut record = pbd.clone();
            record.extend([
                ("host".to_owned(), json!(host)),
                ("SR".to_owned(), json!(reference)),
                ("currently_attached".to_owned(), json!(false)),
            ]);
            db.insert("PBD", &random::reference(), record);
        }
        for (_, vdi) in joiner.each("VDI").filter(|(_, vdi)| text(vdi, "SR") == old && !is_tools(sr)) {
            if db.by_uuid("VDI", text(vdi, "uuid")).is_none() {
                let mut record = vdi.clone();
                record.insert("SR".to_owned(), json!(reference));
                db.insert("VDI", &random::reference(), record);
            }
        }
    }
}

/// The fields that point from an interface to what is built on it: not carried over.
const BUILT: [&str; 8] = [
    "bond_master_of",
    "bond_slave_of",
    "VLAN_slave_of",
    "VLAN_master_of",
    "tunnel_access_PIF_of",
    "tunnel_transport_PIF_of",
    "sriov_physical_PIF_of",
    "sriov_logical_PIF_of",
];

/// Networks and physical interfaces by the name of the bridge, then the management VLAN.
pub(super) fn interfaces(shared: &Shared, host: usize, pool_host: usize, reference: &str) {
    let mut world = shared.world();
    let joiner = world.db(host).clone();
    let db = world.db_mut(pool_host);
    for (_, pif) in joiner.each("PIF").filter(|(_, pif)| flag(pif, "physical")) {
        let Some(network) = joiner.get("network", text(pif, "network")) else { continue };
        let on = network_for(db, network);
        let metrics = random::reference();
        if let Some(record) = joiner.get("PIF_metrics", text(pif, "metrics")) {
            db.insert("PIF_metrics", &metrics, record.clone());
        }
        let mut record = pif.clone();
        for field in BUILT.iter().filter(|field| pif.contains_key(**field)) {
            let none = if pif[*field].is_array() { json!([]) } else { json!(NULL) };
            record.insert((*field).to_owned(), none);
        }
        record.extend([
            ("uuid".to_owned(), json!(random::uuid())),
            ("host".to_owned(), json!(reference)),
            ("network".to_owned(), json!(on)),
            ("currently_attached".to_owned(), json!(false)),
            ("metrics".to_owned(), json!(metrics)),
        ]);
        db.insert("PIF", &random::reference(), record);
    }
    let vlan =
        joiner.each("PIF").find(|(_, pif)| flag(pif, "management") && int(pif, "VLAN").is_some_and(|tag| tag >= 0));
    if let Some((_, pif)) = vlan {
        management_vlan(db, &joiner, pif, reference);
    }
    relations::refresh(db);
    drop(world);
    shared.tell();
}

/// The first of the pool's networks with this bridge, or a new one.
fn network_for(db: &mut Db, network: &Fields) -> String {
    let bridge = text(network, "bridge");
    if let Some((found, _)) = db.each("network").find(|(_, theirs)| text(theirs, "bridge") == bridge) {
        return found.to_owned();
    }
    let reference = random::reference();
    let mut record = network.clone();
    record.insert("uuid".to_owned(), json!(random::uuid()));
    db.insert("network", &reference, record);
    reference
}

/// The management VLAN goes to the network of the coordinator's management, and only beside it do secrets come along.
fn management_vlan(db: &mut Db, joiner: &Db, pif: &Fields, host: &str) -> Option<()> {
    let coordinator = db.coordinator();
    let theirs = db.each("PIF").find(|(_, pif)| text(pif, "host") == coordinator && flag(pif, "management"))?.1;
    let on = text(theirs, "network").to_owned();
    let vlan = joiner.get("VLAN", text(pif, "VLAN_master_of"))?;
    let below = joiner.get("PIF", text(vlan, "tagged_PIF"))?;
    let same = |(_, own): &(&str, &Fields)| {
        text(own, "host") == host && text(own, "device") == text(below, "device") && flag(own, "physical")
    };
    let tagged = db.each("PIF").find(same)?.0.to_owned();
    let mut model = pif.clone();
    model.insert("network".to_owned(), json!(on));
    network::add_vlan(db, host, &tagged, int(vlan, "tag")?, &model, true);
    for class in ["secret", "PVS_site", "PVS_cache_storage"] {
        for (_, record) in joiner.each(class) {
            db.insert(class, &random::reference(), record.clone());
        }
    }
    Some(())
}

/// From now on the host belongs to the pool; its own database is gone.
pub(super) fn switch(shared: &Shared, host: usize, pool_host: usize, recorded: Option<String>) {
    let mut world = shared.world();
    let uuid = world.record(host).map(|record| text(record, "uuid").to_owned());
    let users = world.users_of(host).to_vec();
    let pool = world.hosts[pool_host].pool;
    let old = world.pool_of_mut(host);
    old.db = Db::default();
    old.sessions.clear();
    let own = &mut world.hosts[host];
    own.pool = pool;
    own.users = users;
    own.lives += 1;
    // A host that the pool does not know still has its uuid.
    own.reference = recorded.unwrap_or_else(|| format!("unrecorded {}", uuid.unwrap_or_default()));
    drop(world);
    shared.tell();
}
