//! `pool.eject`: the server's checks in their order, then the end of the member's records, then a host that wipes itself
//! and comes back alone.

mod alone;

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::ApiError;
use super::calls::{Context, Halt};
use super::db::{Db, Fields, NULL, entries, flag, key, text};
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
        let alone = alone::alone(db, reference);
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
    if shared.enter(member, Phase::FirstBoot).contains(&FaultKind::Die) {
        shared.enter(member, Phase::Dead);
        return;
    }
    if shared.pass(seconds::FIRST_BOOT) {
        shared.enter(member, Phase::Idle);
    }
}
