//! `pool.eject`: the server's checks in their order, then the end of the member's records, then a host that wipes itself
//! and comes back alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::ApiError;
use super::calls::{Context, Halt};
use super::checks::is_tools;
use super::db::{Db, Fields, NULL, entries, flag, int, is_null, key, list, text};
use super::faults::FaultKind;
use super::join::seconds;
use super::join::{claim, release};
use super::phase::Phase;
use super::release::Line;
use super::world::{Pool, Shared, World};
use super::{level, random, relations, storage};

/// Ejects a member from the pool whose coordinator was called.
pub(super) fn eject(context: &Context<'_>) -> Result<Value, Halt> {
    let Context { shared, host: coordinator, .. } = *context;
    let reference = context.text(0)?;
    let member = {
        let world = shared.world();
        let db = world.db(coordinator);
        if db.get("host", reference).is_none() {
            return Err(ApiError::handle_invalid("host", reference).into());
        }
        if flag(db.pool().1, "is_psr_pending") {
            return Err(ApiError::bare("POOL_SECRET_ROTATION_PENDING").into());
        }
        let pool = world.hosts[coordinator].pool;
        world.hosts.iter().position(|host| host.pool == pool && host.reference == reference)
    };
    // An update under way is this check's own code on the host, and so comes after another operation's.
    let operation = random::reference();
    let updating = entries(shared.world().db(coordinator).pool().1, "current_operations")
        .all(|(_, operation)| operation == "apply_updates");
    let claimed = if updating && has_operations(&shared.world(), coordinator) {
        None
    } else {
        claim(shared, coordinator, "eject", &operation)?;
        Some(())
    };
    let done = run(shared, coordinator, member, reference);
    if claimed.is_some() {
        release(shared, coordinator, &operation);
    }
    done
}

fn has_operations(world: &World, coordinator: usize) -> bool {
    entries(world.db(coordinator).pool().1, "current_operations").next().is_some()
}

fn run(shared: &Arc<Shared>, coordinator: usize, member: Option<usize>, reference: &str) -> Result<Value, Halt> {
    {
        let world = shared.world();
        let offline = || ApiError::new("HOST_OFFLINE", [reference]);
        let member = member.ok_or_else(offline)?;
        if world.hosts[member].phase.is_down() || world.hosts[member].emergency.is_some() {
            return Err(offline().into());
        }
        check(world.db(coordinator), world.hosts[member].line, reference)?;
    }
    let Some(member) = member else { return Err(Halt::Gone) };
    let before = shared.world().hosts[member].phase;
    let faults = shared.enter(member, Phase::Ejecting);
    if faults.contains(&FaultKind::Die) {
        shared.enter(member, Phase::Dead);
        return Err(ApiError::new("HOST_OFFLINE", [reference]).into());
    }
    if faults.contains(&FaultKind::Crash) {
        // The toolstack restarts; nothing was done yet, and it is a member still.
        super::join::restart_as_member(shared, member);
        return Err(ApiError::new("HOST_OFFLINE", [reference]).into());
    }
    {
        let mut world = shared.world();
        let db = world.db_mut(coordinator);
        if let Err(error) = unplug(db, reference) {
            drop(world);
            shared.enter(member, before);
            return Err(error.into());
        }
        let alone = alone(db, reference);
        forget(db, reference);
        leave(&mut world, member, alone);
    }
    shared.tell();
    let twin = Arc::clone(shared);
    let spawned = std::thread::Builder::new().name("lab-host".to_owned()).spawn(move || wipe(&twin, member));
    if spawned.is_err() {
        shared.enter(member, Phase::Dead);
    }
    Ok(json!(""))
}

/// What the host itself checks.
fn check(db: &Db, line: Line, host: &str) -> Result<(), ApiError> {
    let (_, pool) = db.pool();
    if flag(pool, "ha_enabled") {
        return Err(ApiError::bare("HA_IS_ENABLED"));
    }
    let updating = entries(pool, "current_operations").any(|(_, operation)| operation == "apply_updates");
    if updating && line.since(1, 301) {
        return Err(ApiError::bare("NOT_SUPPORTED_DURING_UPGRADE"));
    }
    if db.coordinator() == host {
        return Err(ApiError::internal("Xapi_pool.Cannot_eject_master"));
    }
    let own = db.get("host", host).map(|record| text(record, "control_domain")).unwrap_or("");
    let resident = |(reference, vm): (&str, &Fields)| {
        let control = reference == own || (own.is_empty() && flag(vm, "is_control_domain"));
        text(vm, "resident_on") == host && !control && text(vm, "power_state") != "Halted"
    };
    if db.each("VM").any(resident) {
        return Err(ApiError::not_allowed("VM resident on host"));
    }
    let management = |(_, pif): (&str, &Fields)| text(pif, "host") == host && flag(pif, "management");
    if db.each("PIF").any(management) { Ok(()) } else { Err(ApiError::internal("Not_found")) }
}

/// Unplugs one after another; what was unplugged before a failure stays so. A plug whose `other_config` holds
/// `lab-unplug-error` refuses with that code.
fn unplug(db: &mut Db, host: &str) -> Result<(), ApiError> {
    let own: Vec<_> = db
        .each("PBD")
        .filter(|(_, pbd)| text(pbd, "host") == host)
        .map(|(reference, pbd)| {
            (reference.to_owned(), key(pbd, "other_config", "lab-unplug-error").map(str::to_owned))
        })
        .collect();
    for (pbd, refusal) in own {
        if let Some(code) = refusal {
            return Err(ApiError::new(&code, [pbd]));
        }
        db.set("PBD", &pbd, "currently_attached", false);
    }
    Ok(())
}

fn references(db: &Db, class: &str, wanted: impl Fn(&Fields) -> bool) -> Vec<String> {
    db.each(class).filter(|(_, record)| wanted(record)).map(|(reference, _)| reference.to_owned()).collect()
}

/// Takes all that is the host's out of the pool's database, and levels anew.
fn forget(db: &mut Db, host: &str) {
    let elsewhere =
        |db: &Db, sr: &str| db.each("PBD").any(|(_, pbd)| text(pbd, "SR") == sr && text(pbd, "host") != host);
    let plugged: Vec<_> = db
        .each("PBD")
        .filter(|(_, pbd)| text(pbd, "host") == host)
        .map(|(_, pbd)| text(pbd, "SR").to_owned())
        .collect();
    for sr in plugged {
        if !elsewhere(db, &sr) {
            storage::forget(db, &sr);
        }
    }
    let interfaces = references(db, "PIF", |pif| text(pif, "host") == host);
    for (class, field) in
        [("Bond", "master"), ("VLAN", "untagged_PIF"), ("tunnel", "access_PIF"), ("network_sriov", "physical_PIF")]
    {
        for reference in references(db, class, |record| interfaces.iter().any(|pif| pif == text(record, field))) {
            db.remove(class, &reference);
        }
    }
    for class in ["PBD", "PIF", "Certificate", "host_cpu", "host_patch", "Cluster_host"] {
        for reference in references(db, class, |record| text(record, "host") == host) {
            db.remove(class, &reference);
        }
    }
    for reference in references(db, "VM", |vm| flag(vm, "is_control_domain") && text(vm, "resident_on") == host) {
        db.remove("VM", &reference);
    }
    for reference in references(db, "VM", |vm| text(vm, "affinity") == host) {
        db.set("VM", &reference, "affinity", NULL);
    }
    if let Some(record) = db.remove("host", host) {
        db.remove("host_metrics", text(&record, "metrics"));
    }
    level::recompute(db);
    level::restrict(db);
    relations::refresh(db);
}

/// The host becomes a pool of its own with the pool's passwords, though it does not answer yet.
fn leave(world: &mut World, member: usize, alone: Db) {
    let users = world.hosts[member].users.clone();
    let users = if users.is_empty() { world.pool_of(member).users.clone() } else { users };
    let reference = alone.coordinator().to_owned();
    world.pools.push(Pool { db: alone, users, sessions: std::collections::HashMap::new() });
    let pool = world.pools.len() - 1;
    let host = &mut world.hosts[member];
    host.pool = pool;
    host.reference = reference;
    host.lives += 1;
    host.phase = Phase::Rebooting;
}

fn wipe(shared: &Shared, member: usize) {
    if shared.enter(member, Phase::Rebooting).contains(&FaultKind::Die) {
        shared.enter(member, Phase::Dead);
        return;
    }
    if !shared.pass(seconds::EJECT + seconds::REBOOT) {
        return;
    }
    shared.enter(member, Phase::FirstBoot);
    if shared.pass(seconds::FIRST_BOOT) {
        shared.enter(member, Phase::Idle);
    }
}

/// The database with which an ejected host comes back: its own NICs and management, fresh local storage, drivers and
/// templates; nothing else of the pool, and TLS verification off.
fn alone(pool: &Db, host: &str) -> Db {
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
        for field in [
            "ip_configuration_mode",
            "IP",
            "netmask",
            "gateway",
            "DNS",
            "ipv6_configuration_mode",
            "IPv6",
            "ipv6_gateway",
            "primary_address_type",
        ] {
            let none = match field {
                "ip_configuration_mode" | "ipv6_configuration_mode" => json!("None"),
                "primary_address_type" => json!("IPv4"),
                "IPv6" => json!([]),
                _ => json!(""),
            };
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
