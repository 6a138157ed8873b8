//! What a lab is made of, and what can go wrong as it starts.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use zeroize::Zeroizing;

use super::answer::ApiError;
use super::checks;
use super::db::Fields;
use super::faults::Fault;
use super::records::{self, Site};
use super::world::{Role, User};
use crate::collect::Collected;

/// Which servers to run, and how.
pub struct LabConfig {
    pub(super) served: Vec<Served>,
    pub(super) port: Option<u16>,
    pub(super) speed: f64,
    pub(super) users: Vec<User>,
    pub(super) faults: Vec<Fault>,
    pub(super) session_life: Duration,
}

/// A pool or a standalone host, with what it is served from.
pub struct Served {
    pub(super) site: Site,
    pub(super) users: Option<Vec<User>>,
}

/// Why a lab did not start, or was asked for what is not in it.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A source holds no server.
    #[error("cannot serve {name}: {reason}")]
    Source {
        /// The file, or what it was given as.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A source could not be read.
    #[error("cannot read {name}: {reason}")]
    Read {
        /// The file.
        name: String,
        /// What the system or the reader said.
        reason: String,
    },
    /// There is nothing to serve.
    #[error("a lab needs a pool or a host; name at least one")]
    Empty,
    /// An address or port could not be taken.
    #[error("cannot listen on {address}: {source}; choose another port")]
    Socket {
        /// Address and port.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate for {name}: {reason}")]
    Certificate {
        /// The host.
        name: String,
        /// What the library said.
        reason: String,
    },
    /// There is no such host.
    #[error("there is no host {name:?} in the lab; there are {known}")]
    NoHost {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A host did not come to a phase in time.
    #[error("{name} was not {wanted} within {limit:?}")]
    Phase {
        /// The host.
        name: String,
        /// The phase.
        wanted: &'static str,
        /// How long was waited.
        limit: Duration,
    },
}

impl Served {
    /// From a snapshot or a record dump in a file; the format is recognised by content.
    pub fn file(path: &Path) -> Result<Self, LabError> {
        let name = path.display().to_string();
        let read = |source: std::io::Error| LabError::Read { name: name.clone(), reason: source.to_string() };
        let text = std::fs::read(path).map_err(read)?;
        Self::text(&name, &text)
    }

    /// From the text of such a file.
    pub fn text(name: &str, text: &[u8]) -> Result<Self, LabError> {
        let wrong = |reason: String| LabError::Read { name: name.to_owned(), reason };
        let value: Value = serde_json::from_slice(text).map_err(|error| wrong(error.to_string()))?;
        match value {
            Value::Object(fields) if fields.contains_key("format") => {
                let (snapshot, strangers) =
                    crate::snapshot::read_snapshot(text).map_err(|error| wrong(error.to_string()))?;
                Self::snapshot(name, &Collected { snapshot, strangers, notes: Vec::new() })
            }
            Value::Object(fields) => Self::records(name, &fields),
            _ => Err(wrong("it is neither a snapshot nor an object of class to records".to_owned())),
        }
    }

    /// From a snapshot.
    pub fn snapshot(name: &str, collected: &Collected) -> Result<Self, LabError> {
        Ok(Self { site: records::from_snapshot(name, collected)?, users: None })
    }

    /// From records as the server gives them: class → {reference: record}, and beside them `off_wire`.
    pub fn records(name: &str, records: &Fields) -> Result<Self, LabError> {
        Ok(Self { site: records::from_records(name, records)?, users: None })
    }

    /// The names of the checks that `pool.join` on this host runs, in their order.
    pub fn checks(&self) -> Vec<&'static str> {
        checks::names(self.site.line).collect()
    }

    /// What `pool.join` on this host would refuse with first, by the simulator's checks alone: nothing runs.
    pub fn refusal(&self, pool: &Self, force: bool) -> Option<ApiError> {
        let (joiner, pool) = (&self.site, &pool.site);
        let sides = checks::Sides { joiner: &joiner.db, pool: &pool.db, daemons: &joiner.daemons, line: joiner.line };
        checks::pooling_licensed(&joiner.db).and_then(|()| checks::pre_join(&sides, force)).err()
    }

    /// With a root password of its own.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.users = Some(vec![User::new("root", password, Role::PoolAdmin)]);
        self
    }
}

impl User {
    pub(super) fn new(name: &str, password: &str, role: Role) -> Self {
        Self { name: name.to_owned(), password: Zeroizing::new(password.to_owned()), role }
    }
}

impl LabConfig {
    /// A lab with nothing in it: fast, on a free port, with one root password everywhere.
    pub fn new(password: &str) -> Self {
        Self {
            served: Vec::new(),
            port: None,
            speed: 2000.0,
            users: vec![User::new("root", password, Role::PoolAdmin)],
            faults: Vec::new(),
            session_life: Duration::from_secs(24 * 3600),
        }
    }

    /// Adds a pool or a host.
    #[must_use]
    pub fn serve(mut self, served: Served) -> Self {
        self.served.push(served);
        self
    }

    /// Adds a user to all of them.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str, role: Role) -> Self {
        self.users.push(User::new(name, password, role));
        self
    }

    /// Listens on this port; a free one when none is set.
    #[must_use]
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// How many times faster than a server time passes: 1 is as slow as one.
    #[must_use]
    pub const fn speed(mut self, speed: f64) -> Self {
        self.speed = speed;
        self
    }

    /// How long a session lives that is not used: 24 hours when not set.
    #[must_use]
    pub const fn session_life(mut self, life: Duration) -> Self {
        self.session_life = life;
        self
    }

    /// Starts with a fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }
}
