//! What the gate sees of the servers and does to them. A trait, so that tests can stand in for servers and clock.

use std::ops::Range;
use std::time::Duration;

use super::journal::{Event, Sent};
use super::plan::{Call, Sought};
use crate::rules::Side;

/// A side as it was just collected, and how it was reached.
pub type Collected = (Side, Sought);

/// The servers, the clock and the operator.
pub trait World {
    /// Collects the pool anew.
    fn collect_pool(&mut self) -> Result<Collected, Trouble>;
    /// Collects a host of the plan anew, by its place.
    fn collect_host(&mut self, place: usize) -> Result<Collected, Trouble>;
    /// Collects the pool and hosts of the plan anew; all at once where the world can.
    fn collect_all(&mut self, places: Range<usize>) -> (Result<Collected, Trouble>, Vec<Result<Collected, Trouble>>) {
        let pool = self.collect_pool();
        (pool, places.map(|place| self.collect_host(place)).collect())
    }
    /// Sends the one call that changes something. Never sends twice.
    fn send(&mut self, place: usize, call: &Call) -> Sent;
    /// The members as the pool's coordinator knows them: a small question that may be asked often.
    fn look_pool(&mut self) -> Result<Vec<Member>, Trouble>;
    /// Whether something is in progress on the pool's record; what cannot be seen may be.
    fn is_pool_busy(&mut self) -> bool;
    /// What a host itself answers at its own address.
    fn look_host(&mut self, place: usize) -> HostLook;
    /// Sessions that servers forgot since this was last asked, where it was logged in again and went on.
    fn renewed(&mut self) -> Vec<Renewed> {
        Vec::new()
    }
    /// Time since the run began.
    fn elapsed(&self) -> Duration;
    /// Lets time pass; returns early when the operator interrupts.
    fn pause(&mut self, time: Duration);
    /// Whether the operator has interrupted.
    fn interrupted(&self) -> bool;
    /// Tells the operator something.
    fn tell(&mut self, text: &str);
}

/// A server forgot a session in the middle of something that changes nothing; the same was asked again in a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// The server.
    pub server: String,
    /// What was being asked.
    pub during: String,
}

impl From<Renewed> for Event {
    fn from(Renewed { server, during }: Renewed) -> Self {
        Self::LoggedInAgain { server, during }
    }
}

/// A server could not be reached, trusted, logged in to or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Trouble {
    /// What, where, and what to do.
    pub what: String,
}

/// A member of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its uuid.
    pub uuid: String,
    /// Whether it takes VMs.
    pub enabled: bool,
}

/// What a host answers at its own address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostLook {
    /// It is the coordinator of its own pool: it stands alone, or at least has its own database.
    Alone {
        /// Whether something is in progress on its own pool.
        busy: bool,
    },
    /// It is a member of a pool.
    Member {
        /// The address of its coordinator.
        coordinator: String,
    },
    /// Its toolstack runs and answers with an error: it is starting, or in emergency mode.
    Emergency {
        /// The error's code.
        code: String,
        /// The code's parameters.
        params: Vec<String>,
    },
    /// It answers, and its certificate or its login does not fit.
    Closed {
        /// What does not fit.
        why: String,
    },
    /// It does not answer.
    Silent {
        /// What the system says.
        why: String,
    },
}
