//! All that the lab knows: pools with their databases and sessions, hosts with their phases, what was called.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::answer::ApiError;
use super::checks::Daemons;
use super::db::{Db, Fields, text};
use super::faults::{FaultKind, Faults};
use super::phase::Phase;
use super::release::Line;
use super::tls::Identity;

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Looks, changes nothing.
    ReadOnly,
    /// May join and eject hosts.
    PoolOperator,
    /// May do all.
    PoolAdmin,
}

/// A user and its password.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: Zeroizing<String>,
    pub(super) role: Role,
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) uuid: String,
    pub(super) user: String,
    pub(super) role: Role,
    pub(super) originator: String,
    pub(super) used: Instant,
    /// Good at the host itself alone, also where it is a member or in emergency mode.
    pub(super) local: Option<usize>,
}

/// A pool, or a standalone host as a pool of its own.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) db: Db,
    pub(super) users: Vec<User>,
    pub(super) sessions: HashMap<String, Session>,
}

/// A host that has an address.
pub(super) struct Host {
    pub(super) name: String,
    /// The reference of its record in the database that it belongs to.
    pub(super) reference: String,
    pub(super) address: IpAddr,
    pub(super) identity: Arc<Identity>,
    pub(super) pool: usize,
    pub(super) phase: Phase,
    pub(super) daemons: Daemons,
    pub(super) line: Line,
    /// What it answers to nearly everything.
    pub(super) emergency: Option<ApiError>,
    /// Its own root password: the pool's from its first start as a member on, and after that.
    pub(super) users: Vec<User>,
    /// How often it restarted, so that what waited for an earlier life gives up.
    pub(super) lives: u64,
}

/// A call that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The host that received it.
    pub endpoint: String,
    /// The method alone: parameters hold secrets.
    pub method: String,
    /// Whether another host of the lab called, and not a client.
    pub by_host: bool,
}

/// Everything that changes.
#[derive(Default)]
pub(super) struct World {
    pub(super) pools: Vec<Pool>,
    pub(super) hosts: Vec<Host>,
    pub(super) calls: Vec<Call>,
    pub(super) faults: Faults,
}

/// What threads share.
pub(super) struct Shared {
    world: Mutex<World>,
    changed: Condvar,
    stopped: AtomicBool,
    pub(super) speed: f64,
    pub(super) session_life: Duration,
    pub(super) port: u16,
}

impl World {
    /// The index of the host of this name.
    pub(super) fn host_named(&self, name: &str) -> Option<usize> {
        self.hosts.iter().position(|host| host.name == name)
    }

    /// The index of the host at this address.
    pub(super) fn host_at(&self, address: &str) -> Option<usize> {
        let address = address.trim();
        self.hosts.iter().position(|host| host.address.to_string() == address)
    }

    pub(super) fn pool_of(&self, host: usize) -> &Pool {
        &self.pools[self.hosts[host].pool]
    }

    pub(super) fn pool_of_mut(&mut self, host: usize) -> &mut Pool {
        &mut self.pools[self.hosts[host].pool]
    }

    pub(super) fn db(&self, host: usize) -> &Db {
        &self.pool_of(host).db
    }

    pub(super) fn db_mut(&mut self, host: usize) -> &mut Db {
        &mut self.pool_of_mut(host).db
    }

    /// The record of a host, where its database has one.
    pub(super) fn record(&self, host: usize) -> Option<&Fields> {
        self.db(host).get("host", &self.hosts[host].reference)
    }

    pub(super) fn is_coordinator(&self, host: usize) -> bool {
        self.db(host).coordinator() == self.hosts[host].reference
    }

    /// The index of a host's coordinator, where it has an address.
    pub(super) fn coordinator_of(&self, host: usize) -> Option<usize> {
        let pool = self.hosts[host].pool;
        let reference = self.pools[pool].db.coordinator();
        self.hosts.iter().position(|other| other.pool == pool && other.reference == reference)
    }

    /// The address of a host's coordinator, as members tell it.
    pub(super) fn coordinator_address(&self, host: usize) -> String {
        let db = self.db(host);
        db.get("host", db.coordinator()).map(|host| text(host, "address").to_owned()).unwrap_or_default()
    }

    /// The users that a host knows.
    pub(super) fn users_of(&self, host: usize) -> &[User] {
        if self.is_coordinator(host) { &self.pool_of(host).users } else { &self.hosts[host].users }
    }
}

impl Shared {
    pub(super) fn new(world: World, speed: f64, session_life: Duration, port: u16) -> Self {
        let stopped = AtomicBool::new(false);
        Self { world: Mutex::new(world), changed: Condvar::new(), stopped, speed, session_life, port }
    }

    /// The world, to read and to change. Held for no longer than that.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        // A panic in one connection leaves the world as it was: every change is one insert.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells all who wait that something changed.
    pub(super) fn tell(&self) {
        self.changed.notify_all();
    }

    /// Waits until `ready` gives something, or until a moment, or the end of the lab.
    pub(super) fn wait_until<T>(&self, deadline: Instant, mut ready: impl FnMut(&World) -> Option<T>) -> Option<T> {
        let mut world = self.world();
        loop {
            if let Some(found) = ready(&world) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            if self.is_stopped() {
                return None;
            }
            world = self.changed.wait_timeout(world, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets real time pass that a server would take, by the lab's clock. False when the lab ends meanwhile.
    pub(super) fn pass(&self, seconds: f64) -> bool {
        self.sleep(Duration::from_secs_f64((seconds / self.speed).clamp(0.0, 3600.0)))
    }

    /// Sleeps, but not beyond the end of the lab.
    pub(super) fn sleep(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        self.wait_until::<()>(deadline, |_| None);
        !self.is_stopped()
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Taken, so that nobody is between its look at the flag and its wait.
        drop(self.world());
        self.tell();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Moves a host to a phase; what goes wrong there is returned.
    pub(super) fn enter(&self, host: usize, phase: Phase) -> Vec<FaultKind> {
        let mut world = self.world();
        world.hosts[host].phase = phase;
        let name = world.hosts[host].name.clone();
        let faults = world.faults.at_phase(&name, phase);
        drop(world);
        self.tell();
        faults
    }
}
