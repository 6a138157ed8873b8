//! A stateful simulator of the servers that poolgate talks to, on loopback TLS: to rehearse on, and for tests.
//! Written from what is known of the real server, and not from `rules`: the two check each other. Used by `cli` and tests.

mod answer;
mod calls;
pub mod checks;
mod config;
pub mod db;
mod eject;
mod faults;
mod http;
mod join;
mod level;
mod network;
mod phase;
mod random;
mod records;
mod relations;
mod release;
mod server;
mod setup;
mod storage;
mod tls;
mod wire;
mod world;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use answer::{Answer, ApiError};
pub use config::{LabConfig, LabError, Served};
pub use db::Db;
pub use faults::{Fault, FaultError, FaultKind};
pub use phase::Phase;
pub use release::Line;
pub use world::{Call, Role};

use server::Server;
use world::Shared;

/// Servers that run until this is dropped.
pub struct Lab {
    shared: Arc<Shared>,
    _server: Server,
}

/// Where a host is reached, and by what it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The host's name.
    pub name: String,
    /// Its address, on loopback.
    pub address: IpAddr,
    /// The port that all hosts of the lab share.
    pub port: u16,
    /// SHA-256 of its certificate, as the server prints it.
    pub fingerprint: String,
    /// Its certificate.
    pub pem: String,
    /// The name of the pool's coordinator; its own when it stands alone.
    pub coordinator: String,
    /// Product, version and xapi, for people.
    pub release: String,
    /// What it is doing.
    pub phase: Phase,
}

impl Endpoint {
    /// The address to type.
    pub fn url(&self) -> String {
        format!("https://{}:{}", self.address, self.port)
    }
}

impl Lab {
    /// Starts servers for all that the configuration names.
    pub fn start(config: LabConfig) -> Result<Self, LabError> {
        let (shared, listeners) = setup::set_up(config)?;
        let server = server::start(&shared, listeners)?;
        Ok(Self { shared, _server: server })
    }

    /// A password for a lab whose operator names none.
    pub fn made_up_password() -> String {
        random::uuid()
    }

    /// All hosts, in the order in which they were named: of a pool its coordinator first.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let world = self.shared.world();
        (0..world.hosts.len()).map(|host| setup::endpoint(&world, host, self.shared.port)).collect()
    }

    /// A host by its name.
    pub fn endpoint(&self, name: &str) -> Result<Endpoint, LabError> {
        let host = self.host(name)?;
        Ok(setup::endpoint(&self.shared.world(), host, self.shared.port))
    }

    /// The address of a host.
    pub fn url(&self, name: &str) -> Result<String, LabError> {
        self.endpoint(name).map(|endpoint| endpoint.url())
    }

    /// Every call that was received, oldest first; methods alone, never parameters.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.world().calls.clone()
    }

    /// How many sessions are open, in all pools and of all clients.
    pub fn open_sessions(&self) -> usize {
        self.shared.world().pools.iter().map(|pool| pool.sessions.len()).sum()
    }

    /// Sets a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.world().faults.add(fault);
    }

    /// Takes all faults back.
    pub fn clear_faults(&self) {
        self.shared.world().faults.clear();
    }

    /// Reads or changes the database that a host belongs to.
    pub fn with_db<T>(&self, name: &str, change: impl FnOnce(&mut Db) -> T) -> Result<T, LabError> {
        let host = self.host(name)?;
        let done = change(self.shared.world().db_mut(host));
        self.shared.tell();
        Ok(done)
    }

    /// What a host is doing.
    pub fn phase(&self, name: &str) -> Result<Phase, LabError> {
        let host = self.host(name)?;
        Ok(self.shared.world().hosts[host].phase)
    }

    /// Waits until a host is in a phase.
    pub fn wait_for_phase(&self, name: &str, phase: Phase, limit: Duration) -> Result<(), LabError> {
        let host = self.host(name)?;
        let found =
            self.shared.wait_until(Instant::now() + limit, |world| (world.hosts[host].phase == phase).then_some(()));
        found.ok_or_else(|| LabError::Phase { name: name.to_owned(), wanted: phase.word(), limit })
    }

    fn host(&self, name: &str) -> Result<usize, LabError> {
        let world = self.shared.world();
        world.host_named(name).ok_or_else(|| LabError::NoHost {
            name: name.to_owned(),
            known: world.hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.shared.stop();
    }
}
