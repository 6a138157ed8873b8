//! The servers as they are: the gate's world over live sessions.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::signals::Interrupt;
use crate::cli::live::Live;
use crate::cli::output::complain;
use crate::collect::Target;
use crate::collect::xapi::{
    Address, Fingerprint, Knock, Limits, Param, Password, Server, Session, XapiError, read_session,
};
use crate::gate::journal::{Act, Sent};
use crate::gate::plan::{Call, Sought};
use crate::gate::{Collected, HostLook, Member, Renewed, Trouble, World};
use crate::rules::Side;

/// How often a waiting run looks whether it is interrupted.
const BLINK: Duration = Duration::from_millis(50);
/// How long one small question may take while a host is watched.
const GLANCE: Duration = Duration::from_secs(10);

/// The servers of a run.
pub(super) struct LiveWorld<'a> {
    pub(super) live: &'a Live<'a>,
    pub(super) act: Act,
    pub(super) pool: Target,
    /// The hosts that join; none at an eject.
    pub(super) hosts: Vec<Target>,
    /// The targets as the operator named them, as words for a shell.
    pub(super) words: String,
    /// The script that gives an ejected host its network back.
    pub(super) restore: Option<PathBuf>,
    /// The member that leaves: where it answers, and the certificate that its pool vouches for.
    pub(super) member: Option<(Address, Option<Fingerprint>)>,
    pub(super) interrupt: Interrupt,
    /// How long the call may take.
    pub(super) wait: Duration,
    pub(super) began: Instant,
    /// The session by which the pool is watched.
    pub(super) watch: Option<Session>,
    pub(super) renewals: Renewals,
}

/// How many hosts are collected at once.
const AT_ONCE: usize = 8;

/// What a thread found.
fn joined<T>(running: thread::ScopedJoinHandle<'_, T>) -> T {
    running.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Sessions that servers forgot, and that were renewed.
#[derive(Debug, Default)]
pub(super) struct Renewals(Mutex<Vec<Renewed>>);

impl Renewals {
    /// Tells the operator, and keeps it for the journal.
    fn add(&self, error: &XapiError) {
        let XapiError::Api { place, method, .. } = error else { return };
        complain(&format!("{place}: {method}: the server no longer knew the session; logging in again, once"));
        self.list().push(Renewed { server: place.clone(), during: method.clone() });
    }

    fn list(&self) -> MutexGuard<'_, Vec<Renewed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects one side of a run.
fn collect(live: &Live<'_>, target: &Target, renewals: &Renewals) -> Result<Collected, Trouble> {
    let read = |session: &mut Session| {
        let fingerprint = session.fingerprint().map(|print| print.to_string()).unwrap_or_default();
        Ok((Sought { fingerprint }, read_session(session, &target.to_string())?))
    };
    let (sought, collected) = live
        .in_session(target, || live.limits(), read, |error| renewals.add(error))
        .map_err(|error| Trouble { what: error.to_string() })?;
    let side = Side {
        target: target.to_string(),
        snapshot: collected.snapshot,
        assumed: Vec::new(),
        notes: collected.notes,
    };
    Ok((side, sought))
}

impl LiveWorld<'_> {
    /// Limits for one glance at a server.
    fn glance(&self) -> Limits {
        let limits = self.live.limits();
        Limits {
            connect: limits.connect.min(GLANCE),
            call: limits.call.min(GLANCE),
            until: Some(Instant::now() + GLANCE),
        }
    }

    /// A session for the call itself, which may take long.
    fn session_for_call(&self, target: &Target) -> Result<Session, XapiError> {
        let limits = self.live.limits();
        self.live.enter(target, Limits { until: None, ..limits })
    }

    fn knock(&self, place: usize) -> Result<Knock, XapiError> {
        let (address, user, password, named) = match (&self.member, self.hosts.get(place)) {
            (Some((address, named)), _) => {
                (address, self.live.user(&self.pool), self.live.password(&self.pool), *named)
            }
            (None, Some(host)) => match self.live.address(host) {
                Some(address) => (address, self.live.user(host), self.live.password(host), None),
                // The local socket tells the same by whom it lets in.
                None => return self.live.enter(host, self.glance()).map(|session| Knock::Alone(Box::new(session))),
            },
            (None, None) => return Err(XapiError::Interrupted),
        };
        let empty = Password::new(String::new().into());
        self.live.client(address, self.glance()).knock(user, password.unwrap_or(&empty), named)
    }

    /// The answer in the session that watches the pool; in a new one where there is none or it failed.
    fn watched(&mut self, method: &str) -> Result<Value, XapiError> {
        let mut session = match self.watch.take() {
            Some(session) => session,
            None => self.live.enter(&self.pool, Limits { until: None, ..self.glance() })?,
        };
        let answer = session.call(method, &[])?;
        self.watch = Some(session);
        Ok(answer)
    }

    fn seen_host(&self, place: usize) -> Result<HostLook, XapiError> {
        Ok(match self.knock(place)? {
            Knock::Member { coordinator } => HostLook::Member { coordinator },
            Knock::Alone(mut session) => {
                HostLook::Alone { busy: is_busy(&session.call("pool.get_all_records", &[])?) }
            }
        })
    }

    /// Lets a call run beside this thread, so that an operator who interrupts is heard.
    fn call(&self, mut session: Session, method: String, params: Vec<Value>, secret: Option<Password>) -> Sent {
        let (answer, answered) = mpsc::channel();
        session.set_limit(self.wait);
        self.interrupt.act();
        // From here on the operator is told that a call is under way; until here, that none is.
        if self.interrupt.is_set() {
            self.interrupt.rest();
            return Sent::NotSent { why: "interrupted before it was sent".to_owned() };
        }
        thread::spawn(move || {
            let secret = secret.as_ref().map(Param::Secret);
            let params: Vec<_> = params.iter().map(Param::Value).chain(secret).collect();
            let _ = answer.send(session.call_with(&method, &params));
        });
        loop {
            match answered.recv_timeout(BLINK) {
                Ok(result) => return sent(result),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Sent::Lost { why: "the call ended without a word".to_owned() };
                }
                Err(mpsc::RecvTimeoutError::Timeout) if self.interrupt.is_set() => {
                    return Sent::Lost { why: "interrupted before the answer came".to_owned() };
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn send_join(&self, place: usize, call: &Call) -> Result<Sent, XapiError> {
        let (Some(host), Some(password)) = (self.hosts.get(place), self.live.password(&self.pool)) else {
            return Ok(Sent::NotSent { why: "the host or the pool's password is missing".to_owned() });
        };
        // A plan that lacks the address is never sent as one to nowhere.
        let param = |name: &str| call.params.get(name).filter(|value| !value.is_empty()).map(|value| json!(value));
        let (Some(address), Some(user)) = (param("master_address"), param("master_username")) else {
            return Ok(Sent::NotSent { why: "the plan names no address of the coordinator, or no user".to_owned() });
        };
        let session = self.session_for_call(host)?;
        // Logged out under its call the join would fail; a host that joins forgets its sessions by itself.
        session.set_aside();
        Ok(self.call(session, call.method.clone(), vec![address, user], Some(password.clone())))
    }

    fn send_eject(&self, call: &Call) -> Result<Sent, XapiError> {
        let Some(uuid) = call.params.get("host").filter(|uuid| !uuid.is_empty()).map(|uuid| json!(uuid)) else {
            return Ok(Sent::NotSent { why: "the plan names no host".to_owned() });
        };
        let mut session = self.session_for_call(&self.pool)?;
        let reference = match session.call("host.get_by_uuid", std::slice::from_ref(&uuid)) {
            // Nothing was sent yet that changes anything.
            Err(error) if error.is_forgotten_session() => {
                self.renewals.add(&error);
                session = self.session_for_call(&self.pool)?;
                session.call("host.get_by_uuid", &[uuid])?
            }
            done => done?,
        };
        Ok(self.call(session, call.method.clone(), vec![reference], None))
    }
}

/// What an answer means for a call that was sent.
fn sent(result: Result<Value, XapiError>) -> Sent {
    match result {
        Ok(_) => Sent::Done,
        Err(XapiError::Api { code, params, .. }) => Sent::Refused { code, params },
        Err(error) if error.may_have_acted() => Sent::Lost { why: error.to_string() },
        Err(error) => Sent::NotSent { why: error.to_string() },
    }
}

impl World for LiveWorld<'_> {
    fn collect_pool(&mut self) -> Result<Collected, Trouble> {
        collect(self.live, &self.pool, &self.renewals)
    }

    fn collect_host(&mut self, place: usize) -> Result<Collected, Trouble> {
        // A new turn: the one before is over.
        self.interrupt.rest();
        let host = self.hosts.get(place).ok_or_else(|| Trouble { what: "no such host in this run".to_owned() })?;
        collect(self.live, host, &self.renewals)
    }

    fn collect_all(&mut self, places: Range<usize>) -> (Result<Collected, Trouble>, Vec<Result<Collected, Trouble>>) {
        // A new turn: the one before is over.
        self.interrupt.rest();
        let (live, pool, renewals) = (self.live, &self.pool, &self.renewals);
        let hosts = self.hosts.get(places).unwrap_or_default();
        thread::scope(|scope| {
            let pool = scope.spawn(|| collect(live, pool, renewals));
            let mut found = Vec::new();
            for some in hosts.chunks(AT_ONCE) {
                let running: Vec<_> = some.iter().map(|host| scope.spawn(|| collect(live, host, renewals))).collect();
                found.extend(running.into_iter().map(joined));
            }
            (joined(pool), found)
        })
    }

    fn send(&mut self, place: usize, call: &Call) -> Sent {
        self.watch = None;
        let sent = match self.act {
            Act::Join => self.send_join(place, call),
            Act::Eject => self.send_eject(call),
        };
        // What fails before the call itself, fails before anything was sent.
        sent.unwrap_or_else(|error| Sent::NotSent { why: error.to_string() })
    }

    fn look_pool(&mut self) -> Result<Vec<Member>, Trouble> {
        let hosts = match self.watched("host.get_all_records") {
            Err(error) if error.is_forgotten_session() => {
                self.renewals.add(&error);
                self.watched("host.get_all_records")
            }
            done => done,
        };
        members(&hosts.map_err(|error| Trouble { what: error.to_string() })?)
    }

    fn is_pool_busy(&mut self) -> bool {
        self.watched("pool.get_all_records").map_or(true, |pools| is_busy(&pools))
    }

    fn look_host(&mut self, place: usize) -> HostLook {
        let look = match self.seen_host(place) {
            Err(error) if error.is_forgotten_session() => {
                self.renewals.add(&error);
                self.seen_host(place)
            }
            done => done,
        };
        look.unwrap_or_else(failed_look)
    }

    fn renewed(&mut self) -> Vec<Renewed> {
        std::mem::take(&mut *self.renewals.list())
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn pause(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while !self.interrupt.is_set() && Instant::now() < until {
            thread::sleep(BLINK.min(time));
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_set()
    }

    fn tell(&mut self, text: &str) {
        complain(text);
    }
}

/// A server that answers with an error is another thing than one that does not answer.
fn failed_look(error: XapiError) -> HostLook {
    match error {
        XapiError::Api { code, params, .. } => HostLook::Emergency { code, params },
        error @ (XapiError::Login { .. } | XapiError::Trust { .. } | XapiError::Legacy { .. }) => {
            HostLook::Closed { why: error.to_string() }
        }
        error => HostLook::Silent { why: error.to_string() },
    }
}

fn members(hosts: &Value) -> Result<Vec<Member>, Trouble> {
    let records: BTreeMap<&String, &Value> = match hosts {
        Value::Object(records) => records.iter().collect(),
        _ => return Err(Trouble { what: "the pool answered something else than a list of hosts".to_owned() }),
    };
    let text = |record: &Value, key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(records
        .values()
        .map(|record| Member {
            uuid: text(record, "uuid"),
            enabled: record.get("enabled").and_then(Value::as_bool).unwrap_or(false),
        })
        .collect())
}

/// Whether something is in progress on the pool record; what cannot be read may hide something. Old releases have no such
/// field.
fn is_busy(pools: &Value) -> bool {
    let Value::Object(pools) = pools else { return true };
    pools.values().any(|pool| match pool.get("current_operations") {
        Some(Value::Object(operations)) => !operations.is_empty(),
        None => false,
        Some(_) => true,
    })
}
