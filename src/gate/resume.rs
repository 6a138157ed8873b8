//! After a crash: what the journal tells of a run that broke off, and what the servers show of it. Never sends anything.

use std::time::{Duration, SystemTime};

use super::act::Turning;
use super::end::{Turn, Waits};
use super::journal::{Act, Entry, Event, Journal, Named, Outcome, Sent};
use super::plan::Predicted;
use super::world::World;

/// A run of which the journal does not tell the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// What was to be done.
    pub act: Act,
    /// The pool.
    pub pool: Named,
    /// The hosts, in order.
    pub hosts: Vec<Named>,
    /// When the run began.
    pub began: String,
    /// The call whose end is not known.
    pub call: Option<Call>,
    /// Hosts whose turn is over, and how it ended.
    pub over: Vec<(String, Outcome)>,
    /// Whether the run came to its end, with a call unconfirmed.
    closed: bool,
}

/// A call that was sent, or was about to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The host.
    pub host: Named,
    /// When, `YYYY-MM-DDThh:mm:ssZ`.
    pub at: String,
    /// What was predicted.
    pub predicted: Predicted,
    /// The answer, where one was written down.
    pub sent: Option<Sent>,
}

/// The last run, unless the journal tells its end.
pub fn left_open(entries: &[Entry]) -> Option<Left> {
    let mut left: Option<Left> = None;
    for entry in entries {
        match (&entry.event, &mut left) {
            (Event::Begun { act, pool, hosts, .. }, _) => {
                left = Some(Left {
                    act: *act,
                    pool: pool.clone(),
                    hosts: hosts.clone(),
                    began: entry.at.clone(),
                    call: None,
                    over: Vec::new(),
                    closed: false,
                });
            }
            (Event::Sending { host, predicted, .. }, Some(left)) => {
                left.call = Some(Call {
                    host: host.clone(),
                    at: entry.at.clone(),
                    predicted: (**predicted).clone(),
                    sent: None,
                });
            }
            (Event::Answered { sent, .. }, Some(Left { call: Some(call), .. })) => call.sent = Some(sent.clone()),
            (Event::Ended { host, outcome, .. }, Some(left)) => {
                left.over.retain(|(over, _)| over != host);
                left.over.push((host.clone(), *outcome));
                if outcome.is_settled() && left.call.as_ref().is_some_and(|call| call.host.uuid == *host) {
                    left.call = None;
                }
            }
            (Event::Closed { .. }, Some(left)) => left.closed = true,
            _ => {}
        }
    }
    left.filter(|left| left.call.is_some() || !left.closed)
}

impl Left {
    /// Hosts whose turn came to a call and is over, and how it ended.
    pub fn settled(&self) -> Vec<(&Named, Outcome)> {
        let of = |uuid: &str| self.hosts.iter().find(|host| host.uuid == uuid);
        let came = self.over.iter().filter(|(_, outcome)| *outcome != Outcome::NotStarted && outcome.is_settled());
        came.filter_map(|(uuid, outcome)| Some((of(uuid)?, *outcome))).collect()
    }
}

impl Left {
    /// What the journal tells of it, in words, where no call is open.
    pub fn broke_off(&self) -> String {
        let head = format!("the {} that began at {} broke off", self.act.word(), self.began);
        let settled = self.settled();
        if settled.is_empty() {
            return format!("{head} before anything was sent: nothing has changed");
        }
        let turns: Vec<_> =
            settled.iter().map(|(host, outcome)| format!("{}: {}", host.name, outcome.words())).collect();
        format!("{head} after its hosts' turns had ended: {}", turns.join("; "))
    }
}

/// What a resumed run found.
#[derive(Clone, Debug, PartialEq)]
pub struct Resumed {
    /// The host whose call was open, and how it ended; nothing when nothing had been sent.
    pub turn: Option<Turn>,
    /// Hosts that have not had their turn.
    pub not_started: Vec<Named>,
}

/// Looks at the servers and says what became of the run. `place` is the host's place in `World`.
pub fn resume(world: &mut dyn World, journal: &mut Journal, left: &Left, place: usize, waits: Waits) -> Resumed {
    let turn = left.call.as_ref().map(|call| {
        let mut turning = Turning { world, journal, act: left.act, place, host: call.host.clone(), waits };
        let end = turning.conclude(call.sent.as_ref(), &call.predicted, ago(&call.at));
        Turn { host: call.host.clone(), end }
    });
    let had = |host: &Named| {
        let over = left.over.iter().any(|(uuid, outcome)| *uuid == host.uuid && *outcome != Outcome::NotStarted);
        over || turn.as_ref().is_some_and(|turn| turn.host.uuid == host.uuid)
    };
    let not_started = left.hosts.iter().filter(|host| !had(host)).cloned().collect();
    Resumed { turn, not_started }
}

/// How long ago a time was; no time at all where it cannot be told.
fn ago(at: &str) -> Duration {
    humantime::parse_rfc3339(at).ok().and_then(|at| SystemTime::now().duration_since(at).ok()).unwrap_or_default()
}
