//! The database with which an ejected host comes back: a pool of one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::lab::checks::is_tools;
use crate::lab::db::{Db, Fields, NULL, flag, int, is_null, list, text};
use crate::lab::network::without_address;
use crate::lab::{level, random, relations};

/// The database with which an ejected host comes back: its own NICs and management, fresh local storage, drivers and
/// templates; nothing else of the pool, and TLS verification off.
pub(super) fn alone(pool: &Db, host: &str) -> Db {
    let mut db = Db::default();
    for class in pool.classes() {
        db.add_class(class);
    }
    let own = pool.get("host", host).cloned().unwrap_or_default();
    let reference = random::reference();
    host_record(&mut db, pool, &own, &reference);
    pool_record(&mut db, pool, &reference);
    interfaces(&mut db, pool, host, &reference);
    local_storage(&mut db, pool, host, &reference);
    for class in ["SM", "role"] {
        for (_, record) in pool.each(class) {
            insert(&mut db, class, record.clone());
        }
    }
    for (_, vm) in pool.each("VM").filter(|(_, vm)| flag(vm, "is_default_template")) {
        insert(&mut db, "VM", vm.clone());
    }
    for (_, certificate) in
        pool.each("Certificate").filter(|(_, it)| text(it, "host") == host && text(it, "type") != "host_internal")
    {
        let mut record = certificate.clone();
        record.insert("host".to_owned(), json!(reference));
        insert(&mut db, "Certificate", record);
    }
    level::recompute(&mut db);
    relations::refresh(&mut db);
    db
}

fn insert(db: &mut Db, class: &str, mut record: Fields) -> String {
    let reference = random::reference();
    if class != "Certificate" {
        record.insert("uuid".to_owned(), json!(random::uuid()));
    }
    db.insert(class, &reference, record);
    reference
}

/// Overwrites fields that a record has.
fn reset(record: &mut Fields, values: &Value) {
    for (field, value) in values.as_object().into_iter().flatten() {
        if record.contains_key(field) {
            record.insert(field.clone(), value.clone());
        }
    }
}

fn host_record(db: &mut Db, pool: &Db, own: &Fields, reference: &str) {
    let mut record = own.clone();
    reset(
        &mut record,
        &json!({
            "name_description": "Default install", "enabled": true, "edition": "", "tags": [], "other_config": {}, "logging": {},
            "external_auth_type": "", "external_auth_service_name": "", "external_auth_configuration": {}, "updates": [], "patches": [],
            "ssh_enabled": true, "ssh_enabled_timeout": 0, "console_idle_timeout": 0, "ssh_auto_mode": false, "suspend_image_sr": NULL,
            "crash_dump_sr": NULL, "local_cache_sr": NULL, "tls_verification_enabled": false, "current_operations": {},
        }),
    );
    if let Some(metrics) = pool.get("host_metrics", text(own, "metrics")) {
        record.insert("metrics".to_owned(), json!(insert(db, "host_metrics", metrics.clone())));
    }
    if let Some(domain) = pool.get("VM", text(own, "control_domain")) {
        let mut vm = domain.clone();
        vm.insert("resident_on".to_owned(), json!(reference));
        vm.insert("affinity".to_owned(), json!(reference));
        let domain = random::reference();
        db.insert("VM", &domain, vm);
        record.insert("control_domain".to_owned(), json!(domain));
    }
    db.insert("host", reference, record);
}

fn pool_record(db: &mut Db, pool: &Db, host: &str) {
    let mut record = pool.pool().1.clone();
    reset(
        &mut record,
        &json!({
            "name_label": "", "name_description": "", "default_SR": NULL, "suspend_image_SR": NULL, "crash_dump_SR": NULL,
            "other_config": {}, "ha_enabled": false, "ha_configuration": {}, "ha_statefiles": [], "ha_host_failures_to_tolerate": 0,
            "tags": [], "gui_config": {}, "wlb_enabled": false, "wlb_url": "", "wlb_username": "", "vswitch_controller": "",
            "current_operations": {}, "guest_agent_config": {}, "is_psr_pending": false, "tls_verification_enabled": false,
            "repositories": [], "igmp_snooping_enabled": false, "live_patching_disabled": false, "policy_no_vendor_device": false,
            "uefi_certificates": "", "custom_uefi_certificates": "", "update_sync_enabled": false, "redo_log_enabled": false,
        }),
    );
    record.insert("master".to_owned(), json!(host));
    insert(db, "pool", record);
}

/// Every NIC on its own network `xenbrN`; the management address on the NIC that carried it, or on the bond's first.
fn interfaces(db: &mut Db, pool: &Db, host: &str, reference: &str) {
    let own: Vec<_> = pool.each("PIF").filter(|(_, pif)| text(pif, "host") == host).collect();
    let management =
        own.iter().find(|(_, pif)| flag(pif, "management")).map(|(_, pif)| (*pif).clone()).unwrap_or_default();
    let carrier = carrier(pool, &management);
    for (old, pif) in own.iter().filter(|(_, pif)| flag(pif, "physical")) {
        let manages = carrier.as_deref() == Some(*old) || (carrier.is_none() && flag(pif, "management"));
        let device = text(pif, "device");
        let network = json!({
            "uuid": "", "name_label": format!("Pool-wide network associated with {device}"), "name_description": "", "MTU": 1500,
            "bridge": device.replacen("eth", "xenbr", 1), "purpose": [], "managed": true, "tags": [], "other_config": {}, "VIFs": [], "PIFs": [],
        });
        let network = insert(db, "network", network.as_object().cloned().unwrap_or_default());
        let metrics = pool.get("PIF_metrics", text(pif, "metrics")).cloned();
        let metrics = metrics.map_or_else(|| NULL.to_owned(), |metrics| insert(db, "PIF_metrics", metrics));
        let mut record = (*pif).clone();
        reset(
            &mut record,
            &json!({
                "bond_slave_of": NULL, "bond_master_of": [], "VLAN_slave_of": [], "VLAN_master_of": NULL, "tunnel_access_PIF_of": [],
                "tunnel_transport_PIF_of": [], "sriov_physical_PIF_of": [], "sriov_logical_PIF_of": [], "other_config": {},
            }),
        );
        for (field, none) in without_address().into_iter().chain([("primary_address_type", json!("IPv4"))]) {
            let value = if manages { management.get(field).cloned().unwrap_or(none) } else { none };
            reset(&mut record, &json!({field: value}));
        }
        record.extend([
            ("host".to_owned(), json!(reference)),
            ("network".to_owned(), json!(network)),
            ("management".to_owned(), json!(manages)),
            ("disallow_unplug".to_owned(), json!(manages)),
            ("metrics".to_owned(), json!(metrics)),
        ]);
        insert(db, "PIF", record);
    }
}

/// The NIC under the management interface: of a bond, or of a VLAN on one, its primary member.
fn carrier(pool: &Db, management: &Fields) -> Option<String> {
    let below = match pool.get("VLAN", text(management, "VLAN_master_of")) {
        Some(vlan) => text(vlan, "tagged_PIF").to_owned(),
        None => String::new(),
    };
    let interface = pool.get("PIF", &below).unwrap_or(management);
    let bond = list(interface, "bond_master_of").find_map(|bond| pool.get("Bond", bond));
    match bond {
        Some(bond) if !is_null(text(bond, "primary_slave")) => Some(text(bond, "primary_slave").to_owned()),
        Some(bond) => list(bond, "slaves").next().map(str::to_owned),
        None => (!below.is_empty()).then_some(below),
    }
}

/// The host's own repositories made anew and empty, and the tools.
fn local_storage(db: &mut Db, pool: &Db, host: &str, reference: &str) {
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for (_, pbd) in pool.each("PBD").filter(|(_, pbd)| text(pbd, "host") == host) {
        let Some(sr) = pool.get("SR", text(pbd, "SR")) else { continue };
        let only = pool.each("PBD").filter(|(_, other)| text(other, "SR") == text(pbd, "SR")).count() == 1;
        if !(is_tools(sr) || (only && !flag(sr, "shared"))) {
            continue;
        }
        let mut record = sr.clone();
        reset(&mut record, &json!({"current_operations": {}, "physical_utilisation": 0, "virtual_allocation": 0}));
        let new = insert(db, "SR", record);
        made.insert(text(pbd, "SR").to_owned(), new.clone());
        let mut record = pbd.clone();
        record.insert("host".to_owned(), json!(reference));
        record.insert("SR".to_owned(), json!(new));
        record.insert("currently_attached".to_owned(), json!(true));
        insert(db, "PBD", record);
    }
    let local = made
        .into_iter()
        .find(|(old, _)| pool.get("SR", old).is_some_and(|sr| int(sr, "physical_size").unwrap_or(0) > 0));
    if let Some((_, local)) = local {
        for field in ["default_SR", "suspend_image_SR", "crash_dump_SR"] {
            db.set_pool(field, local.clone());
        }
    }
}
