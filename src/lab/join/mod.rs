//! `pool.join`: from the licence to the moment at which the host restarts as a member, in the server's steps. Checks
//! that refuse change nothing; what fails later is not rolled back, as at the server.

mod metadata;
mod start;
mod vms;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::answer::ApiError;
use super::calls::{self, Context, Halt};
use super::checks::{self, Sides};
use super::db::{Fields, entries, flag, text};
use super::faults::FaultKind;
use super::phase::Phase;
use super::random;
use super::world::{Role, Shared};

pub(super) use start::{certificate as own_certificate, spawn as restart_as_member};

/// How long things take at a server, in seconds.
pub(super) mod seconds {
    pub(in crate::lab) const CHECK: f64 = 1.5;
    pub(in crate::lab) const CERTIFICATES: f64 = 3.0;
    pub(in crate::lab) const METADATA: f64 = 5.0;
    pub(in crate::lab) const SWITCH: f64 = 1.0;
    pub(in crate::lab) const RESTART: f64 = 25.0;
    pub(in crate::lab) const START: f64 = 15.0;
    pub(in crate::lab) const SYNCHRONISE: f64 = 20.0;
    pub(in crate::lab) const RETRY: f64 = 5.0;
    /// How long a join waits for another operation of the pool.
    pub(in crate::lab) const PATIENCE: f64 = 30.0;
    /// The pool's own wait before an ejected host goes down.
    pub(in crate::lab) const EJECT: f64 = 10.0;
    pub(in crate::lab) const REBOOT: f64 = 150.0;
    pub(in crate::lab) const FIRST_BOOT: f64 = 60.0;
}

/// Joins the host that was called to the pool at an address.
pub(super) fn join(context: &Context<'_>, force: bool) -> Result<Value, Halt> {
    let (address, user, password) = (context.text(0)?, context.text(1)?, context.text(2)?);
    let Context { shared, host, .. } = *context;
    checks::pooling_licensed(shared.world().db(host))?;
    begin(shared, host)?;
    let mut remote = None;
    let done = steps(shared, host, &mut remote, (address, user, password), force);
    if let Some((pool_host, session)) = remote {
        note(shared, pool_host, "session.logout");
        shared.world().pool_of_mut(pool_host).sessions.remove(&session);
    }
    match done {
        Ok(()) => {
            start::spawn(shared, host);
            Ok(json!(""))
        }
        Err(Halt::Error(error)) => {
            shared.enter(host, Phase::Idle);
            Err(error.into())
        }
        Err(Halt::Gone) => Err(Halt::Gone),
    }
}

/// A host does one such thing at a time.
fn begin(shared: &Shared, host: usize) -> Result<(), ApiError> {
    let mut world = shared.world();
    let phase = world.hosts[host].phase;
    if phase != Phase::Idle {
        let pool = world.db(host).pool().0.to_owned();
        return Err(ApiError::new("OTHER_OPERATION_IN_PROGRESS", ["pool", &pool, phase.word(), super::db::NULL]));
    }
    world.hosts[host].phase = Phase::Checking;
    Ok(())
}

type Remote = Option<(usize, String)>;

fn steps(
    shared: &Arc<Shared>,
    host: usize,
    remote: &mut Remote,
    (address, user, password): (&str, &str, &str),
    force: bool,
) -> Result<(), Halt> {
    let pool_host = connect(shared, address)?;
    let session = log_in(shared, pool_host, user, password)?;
    *remote = Some((pool_host, session.clone()));
    step(shared, host, Phase::Checking)?;
    pass(shared, seconds::CHECK)?;
    check(shared, host, pool_host, force)?;
    step(shared, host, Phase::Certificates)?;
    exchange(shared, host, pool_host, &session)?;
    let faults = shared.enter(host, Phase::Metadata);
    let recorded = metadata::machine(shared, host, pool_host, faults.contains(&FaultKind::NotRecorded));
    crash(shared, host, &faults)?;
    if let Some(reference) = &recorded {
        metadata::interfaces(shared, host, pool_host, reference);
        vms::import(shared, host, pool_host, reference);
    }
    pass(shared, seconds::METADATA)?;
    let faults = shared.enter(host, Phase::Switching);
    metadata::switch(shared, host, pool_host, recorded);
    if faults.iter().any(|fault| matches!(fault, FaultKind::Crash | FaultKind::Die)) {
        // On disk it is a member already: that is what it comes back as.
        if faults.contains(&FaultKind::Die) {
            shared.enter(host, Phase::Dead);
        } else {
            start::spawn(shared, host);
        }
        return Err(Halt::Gone);
    }
    pass(shared, seconds::SWITCH)
}

/// Lets time pass; the end of the lab ends the call.
fn pass(shared: &Shared, seconds: f64) -> Result<(), Halt> {
    if shared.pass(seconds) { Ok(()) } else { Err(Halt::Gone) }
}

/// Enters a phase before the host has become a member: a crash there leaves it standalone.
fn step(shared: &Arc<Shared>, host: usize, phase: Phase) -> Result<(), Halt> {
    let faults = shared.enter(host, phase);
    crash(shared, host, &faults)
}

fn crash(shared: &Arc<Shared>, host: usize, faults: &[FaultKind]) -> Result<(), Halt> {
    if faults.contains(&FaultKind::Die) {
        shared.enter(host, Phase::Dead);
        return Err(Halt::Gone);
    }
    if faults.contains(&FaultKind::Crash) {
        start::spawn_alone(shared, host);
        return Err(Halt::Gone);
    }
    if faults.contains(&FaultKind::PoolForgets) {
        return Err(Halt::Error(ApiError::new("SESSION_INVALID", [random::reference()])));
    }
    Ok(())
}

fn connect(shared: &Shared, address: &str) -> Result<usize, ApiError> {
    let world = shared.world();
    let failed = || ApiError::bare("JOINING_HOST_CONNECTION_FAILED");
    let found = world.host_at(address).filter(|host| !world.hosts[*host].phase.is_down()).ok_or_else(failed)?;
    if world.hosts[found].emergency.is_some()
        || matches!(world.hosts[found].phase, Phase::Starting | Phase::FirstBoot)
    {
        return Err(ApiError::bare("JOINING_HOST_SERVICE_FAILED"));
    }
    Ok(found)
}

/// Writes down a call of one host to another.
fn note(shared: &Shared, host: usize, method: &str) {
    let name = shared.world().hosts[host].name.clone();
    calls::note(shared, &name, method, true);
}

/// What the joiner does at the pool goes the way of every call, and is written down as a host's.
fn log_in(shared: &Arc<Shared>, pool_host: usize, user: &str, password: &str) -> Result<String, Halt> {
    let method = "session.login_with_password";
    note(shared, pool_host, method);
    let params = [json!(user), json!(password), json!("1.1"), json!("xapi")];
    match calls::dispatch(shared, pool_host, method, &params) {
        calls::Outcome::Answer(Ok(session)) => Ok(session.as_str().unwrap_or("").to_owned()),
        calls::Outcome::Answer(Err(error)) | calls::Outcome::Outside(error) => Err(error.into()),
        calls::Outcome::Drop => Err(ApiError::bare("JOINING_HOST_CONNECTION_FAILED").into()),
    }
}

fn check(shared: &Shared, host: usize, pool_host: usize, force: bool) -> Result<(), ApiError> {
    let (joiner, pool, daemons, line) = {
        let world = shared.world();
        let own = &world.hosts[host];
        (world.db(host).clone(), world.db(pool_host).clone(), own.daemons.clone(), own.line)
    };
    // 8.2 and older look for the management interface before they check for it.
    let has_management = joiner.each("PIF").any(|(_, pif)| flag(pif, "management"));
    if !line.since(22, 0) && line.since(1, 249) && !has_management {
        return Err(ApiError::internal("Not_found"));
    }
    checks::pre_join(&Sides { joiner: &joiner, pool: &pool, daemons: &daemons, line }, force)
}

/// The pool's secret and both sides' certificates, as an operation of the pool that waits for others.
fn exchange(shared: &Shared, host: usize, pool_host: usize, session: &str) -> Result<(), Halt> {
    let line = {
        let world = shared.world();
        let role = world.pool_of(pool_host).sessions.get(session).map_or(Role::ReadOnly, |session| session.role);
        if role < Role::PoolOperator {
            let params = ["pool.initial_auth", "No permission in user session"];
            return Err(ApiError::new("RBAC_PERMISSION_DENIED", params).into());
        }
        if flag(world.db(pool_host).pool().1, "is_psr_pending") {
            return Err(ApiError::bare("POOL_SECRET_ROTATION_PENDING").into());
        }
        world.hosts[host].line
    };
    if !line.since(1, 298) {
        return pass(shared, seconds::CERTIFICATES);
    }
    let operation = random::reference();
    claim(shared, pool_host, "exchange_certificates_on_join", &operation)?;
    let passed = pass(shared, seconds::CERTIFICATES);
    let mut world = shared.world();
    let ours: Vec<Fields> = world.db(host).each("Certificate").map(|(_, record)| record.clone()).collect();
    let db = world.db_mut(pool_host);
    for record in ours.into_iter().filter(|record| matches!(text(record, "type"), "ca" | "pinned")) {
        let print = |record: &Fields| text(record, "fingerprint").to_owned() + text(record, "fingerprint_sha256");
        if !db.each("Certificate").any(|(_, theirs)| print(theirs) == print(&record)) {
            db.insert("Certificate", &random::reference(), record);
        }
    }
    drop(world);
    release(shared, pool_host, &operation);
    passed
}

/// Begins an operation of a pool, when no other is under way within the server's patience.
pub(super) fn claim(shared: &Shared, pool_host: usize, name: &str, operation: &str) -> Result<(), Halt> {
    let deadline = Instant::now() + Duration::from_secs_f64((seconds::PATIENCE / shared.speed).clamp(0.001, 3600.0));
    loop {
        let mut world = shared.world();
        let db = world.db_mut(pool_host);
        let (pool, record) = db.pool();
        let busy = entries(record, "current_operations").next().map(|(task, other)| (task.clone(), other.clone()));
        let pool = pool.to_owned();
        let Some((task, other)) = busy else {
            db.set_pool("current_operations", json!({operation: name}));
            drop(world);
            shared.tell();
            return Ok(());
        };
        drop(world);
        let idle = shared.wait_until(deadline, |world| {
            entries(world.db(pool_host).pool().1, "current_operations").next().is_none().then_some(())
        });
        if shared.is_stopped() {
            return Err(Halt::Gone);
        }
        if idle.is_none() {
            let other = other.as_str().unwrap_or("").to_owned();
            return Err(ApiError::new("OTHER_OPERATION_IN_PROGRESS", ["pool".to_owned(), pool, other, task]).into());
        }
    }
}

/// Ends an operation of a pool.
pub(super) fn release(shared: &Shared, pool_host: usize, operation: &str) {
    let mut world = shared.world();
    let db = world.db_mut(pool_host);
    let mut left = db.pool().1.get("current_operations").cloned().unwrap_or_else(|| json!({}));
    if let Some(left) = left.as_object_mut() {
        left.shift_remove(operation);
    }
    db.set_pool("current_operations", left);
    drop(world);
    shared.tell();
}
