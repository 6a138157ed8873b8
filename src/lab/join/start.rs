//! A host that comes back: as a member, or, after a crash in time, alone.

use std::sync::Arc;

use serde_json::{Value, json};

use super::seconds;
use crate::lab::answer::ApiError;
use crate::lab::db::{Db, Fields, flag, key, list, text};
use crate::lab::faults::FaultKind;
use crate::lab::phase::Phase;
use crate::lab::release;
use crate::lab::world::{Shared, World};
use crate::lab::{level, network, random, relations, storage, tls};

/// Restarts a host that has become a member on disk.
pub(in crate::lab) fn spawn(shared: &Arc<Shared>, host: usize) {
    // Before the thread runs: whoever asks next finds nobody.
    let faults = down(shared, host);
    let twin = Arc::clone(shared);
    run(shared, host, move || come_up(&twin, host, faults));
}

/// Restarts a host that is still standalone.
pub(super) fn spawn_alone(shared: &Arc<Shared>, host: usize) {
    down(shared, host);
    let twin = Arc::clone(shared);
    run(shared, host, move || {
        if twin.pass(seconds::RESTART) {
            twin.enter(host, Phase::Idle);
        }
    });
}

/// Without a thread the host stays away, as one whose start hangs.
fn run(shared: &Shared, host: usize, work: impl FnOnce() + Send + 'static) {
    if std::thread::Builder::new().name("lab-host".to_owned()).spawn(work).is_err() {
        shared.enter(host, Phase::Dead);
    }
}

fn down(shared: &Shared, host: usize) -> Vec<FaultKind> {
    {
        let mut world = shared.world();
        world.hosts[host].lives += 1;
        // The sessions of a host alone are its own; those of a pool stay with the coordinator.
        if world.is_coordinator(host) {
            world.pool_of_mut(host).sessions.clear();
        }
    }
    shared.enter(host, Phase::Restarting)
}

/// Whether to begin again, or to stay away.
fn broken(shared: &Shared, host: usize, faults: &[FaultKind]) -> Option<bool> {
    if faults.contains(&FaultKind::Die) {
        shared.enter(host, Phase::Dead);
        return Some(false);
    }
    faults.contains(&FaultKind::Crash).then_some(true)
}

fn come_up(shared: &Shared, host: usize, mut faults: Vec<FaultKind>) {
    loop {
        let again = match once(shared, host, &faults) {
            Some(again) => again,
            None => return,
        };
        if !again || shared.is_stopped() {
            return;
        }
        faults = down(shared, host);
    }
}

/// One start; whether another follows.
fn once(shared: &Shared, host: usize, faults: &[FaultKind]) -> Option<bool> {
    if faults.contains(&FaultKind::Die) {
        return broken(shared, host, faults);
    }
    shared.pass(seconds::RESTART).then_some(())?;
    let mut faults = shared.enter(host, Phase::Starting);
    if let Some(again) = broken(shared, host, &faults) {
        return Some(again);
    }
    shared.pass(seconds::START).then_some(())?;
    while faults.contains(&FaultKind::CannotTalkBack) {
        let address = shared.world().hosts[host].address.to_string();
        emergency(shared, host, Some(ApiError::new("HOST_MASTER_CANNOT_TALK_BACK", [address])));
        shared.pass(seconds::RETRY).then_some(())?;
        faults = shared.enter(host, Phase::Starting);
    }
    let newer = faults.contains(&FaultKind::NewerThanCoordinator);
    // The lock ends with this line.
    let refused = permanent(&shared.world(), host, newer);
    if let Some(error) = refused {
        emergency(shared, host, Some(error));
        shared.enter(host, Phase::Emergency);
        return None;
    }
    emergency(shared, host, None);
    let faults = shared.enter(host, Phase::Synchronising);
    if let Some(again) = broken(shared, host, &faults) {
        return Some(again);
    }
    shared.pass(seconds::SYNCHRONISE).then_some(())?;
    synchronise(shared, host);
    shared.enter(host, Phase::Member);
    None
}

fn emergency(shared: &Shared, host: usize, error: Option<ApiError>) {
    shared.world().hosts[host].emergency = error;
    shared.tell();
}

/// What the coordinator says of a member that may not stay.
fn permanent(world: &World, host: usize, newer: bool) -> Option<ApiError> {
    let own = &world.hosts[host];
    let Some(record) = world.record(host) else {
        let uuid = own.reference.trim_start_matches("unrecorded ").to_owned();
        return Some(ApiError::new("HOST_UNKNOWN_TO_MASTER", [uuid]));
    };
    let coordinator = world.db(host).get("host", world.db(host).coordinator())?;
    let (mine, theirs) = (release::xapi_build(record), release::xapi_build(coordinator));
    if newer || (own.line.since(23, 30) && mine.is_some() && mine > theirs) {
        let version = key(record, "software_version", "xapi_build").unwrap_or("").to_owned();
        return Some(ApiError::new("HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR", [version]));
    }
    None
}

/// What a member takes over from the pool at its start.
fn synchronise(shared: &Shared, host: usize) {
    let mut world = shared.world();
    let users = world.pool_of(host).users.clone();
    let own = &mut world.hosts[host];
    // The root password is the pool's from here on.
    own.users = users;
    let (reference, line, print) = (own.reference.clone(), own.line, own.identity.fingerprint.clone());
    let db = world.db_mut(host);
    attach(db, &reference);
    network::copy_bonds(db, &reference);
    network::copy_vlans(db, &reference);
    relations::refresh(db);
    storage::plug_shared(db, &reference, &[]);
    if line.since(1, 249) {
        certificate(db, &reference, &print, line.since(1, 294));
    }
    follow_coordinator(db, &reference);
    join_cluster(db, &reference);
    if !line.masks() {
        level::recompute(db);
    }
    level::restrict(db);
    let metrics = db.get("host", &reference).map(|record| text(record, "metrics").to_owned()).unwrap_or_default();
    db.set("host_metrics", &metrics, "live", true);
    db.set("host", &reference, "enabled", true);
    drop(world);
    shared.tell();
}

fn attach(db: &mut Db, host: &str) {
    let own: Vec<_> = db
        .each("PIF")
        .filter(|(_, pif)| text(pif, "host") == host && flag(pif, "managed"))
        .map(|(reference, _)| reference.to_owned())
        .collect();
    for pif in own {
        db.set("PIF", &pif, "currently_attached", true);
    }
}

/// The record of a host's own certificate.
pub(in crate::lab) fn certificate(db: &mut Db, host: &str, print: &str, typed: bool) {
    let old = db
        .each("Certificate")
        .find(|(_, record)| text(record, "host") == host && matches!(text(record, "type"), "host" | ""));
    let (reference, mut record) = match old {
        Some((reference, record)) => (reference.to_owned(), record.clone()),
        None => {
            let mut record = json!({"uuid": random::uuid(), "host": host});
            if typed {
                record["type"] = json!("host");
                record["name"] = json!("");
            }
            (random::reference(), record.as_object().cloned().unwrap_or_default())
        }
    };
    let model = db.each("Certificate").next().map(|(_, record)| record.clone()).unwrap_or_default();
    for field in ["fingerprint", "fingerprint_sha256"] {
        if record.contains_key(field) || model.contains_key(field) || field == "fingerprint" {
            record.insert(field.to_owned(), json!(print));
        }
    }
    record.insert("not_before".to_owned(), json!(tls::NOT_BEFORE));
    record.insert("not_after".to_owned(), json!(tls::NOT_AFTER));
    if model.contains_key("purpose") {
        record.insert("purpose".to_owned(), json!([]));
    }
    db.insert("Certificate", &reference, record);
}

/// Settings that a member copies from the coordinator.
fn follow_coordinator(db: &mut Db, host: &str) {
    let coordinator = db.get("host", db.coordinator()).cloned().unwrap_or_default();
    for field in ["ssh_enabled", "ssh_enabled_timeout", "console_idle_timeout", "ssh_auto_mode"] {
        if let Some(value) = coordinator.get(field) {
            db.set("host", host, field, value.clone());
        }
    }
}

/// Where the cluster takes hosts in on its own, the member joins it with its address on the cluster's network.
fn join_cluster(db: &mut Db, host: &str) -> Option<()> {
    let (_, member) = db.each("Cluster_host").next()?;
    let cluster = text(member, "cluster").to_owned();
    flag(db.get("Cluster", &cluster)?, "pool_auto_join").then_some(())?;
    let network = text(db.get("PIF", text(member, "PIF"))?, "network").to_owned();
    let on_it = |(_, pif): &(&str, &Fields)| {
        text(pif, "host") == host && text(pif, "network") == network && !text(pif, "IP").is_empty()
    };
    let pif = db.each("PIF").find(on_it)?.0.to_owned();
    let mut record = member.clone();
    record.extend([
        ("uuid".to_owned(), json!(random::uuid())),
        ("host".to_owned(), json!(host)),
        ("PIF".to_owned(), json!(pif)),
        ("enabled".to_owned(), json!(true)),
        ("joined".to_owned(), json!(true)),
    ]);
    let reference = random::reference();
    db.insert("Cluster_host", &reference, record);
    db.set("PIF", &pif, "disallow_unplug", true);
    db.change("Cluster", &cluster, |record| {
        let mut all: Vec<Value> = list(record, "cluster_hosts").map(|it| json!(it)).collect();
        all.push(json!(reference));
        record.insert("cluster_hosts".to_owned(), json!(all));
    });
    Some(())
}
