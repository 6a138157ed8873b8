//! Every open session of this process, so that all are logged out on the way out, also after a signal.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Instant;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::transport::{Post, Transport};
use super::wire::{Encoding, Lead};
use super::{Password, XapiError};
use crate::collect::limits::LOGOUT;

/// A session that is open on a server.
pub(super) struct Open {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) encoding: Encoding,
    /// The session's reference.
    pub(super) reference: Password,
}

impl Open {
    fn log_out(&self) {
        let method = "session.logout";
        let deadline = Instant::now() + LOGOUT;
        let post = || Post {
            path: self.encoding.path(),
            content_type: self.encoding.content_type(),
            body: self.encoding.encode(method, &Lead::Session(&self.reference), &[]),
            secret: true,
            deadline,
            doing: method,
        };
        // Best effort: a server that is gone has no session to close. Where only the connection is gone, another is made.
        if let Err(XapiError::Unreachable { .. }) = self.transport.post(post()) {
            let _ = self.transport.post(post());
        }
    }
}

#[derive(Default)]
struct State {
    open: BTreeMap<u64, Arc<Open>>,
    /// Open too, in the middle of a call that must not lose its session.
    aside: BTreeMap<u64, Arc<Open>>,
    next: u64,
    logging_in: usize,
    ending: bool,
}

static STATE: Mutex<State> =
    Mutex::new(State { open: BTreeMap::new(), aside: BTreeMap::new(), next: 0, logging_in: 0, ending: false });
static CHANGED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// That a login is under way: a signal waits for its session, to log it out.
pub(super) struct LoggingIn(());

impl LoggingIn {
    /// Refused while the process ends.
    pub(super) fn begin() -> Result<Self, XapiError> {
        let mut state = state();
        if state.ending {
            drop(state);
            return Err(wait_for_the_end());
        }
        state.logging_in += 1;
        Ok(Self(()))
    }

    /// Remembers the session that came of it.
    pub(super) fn done(self, open: Open) -> Ticket {
        let open = Arc::new(open);
        let mut state = state();
        state.next += 1;
        let number = state.next;
        state.open.insert(number, Arc::clone(&open));
        Ticket { number, open }
    }
}

impl Drop for LoggingIn {
    fn drop(&mut self) {
        state().logging_in -= 1;
        CHANGED.notify_all();
    }
}

impl Ticket {
    /// [`log_out_now`] leaves it alone from now on.
    pub(super) fn set_aside(&self) {
        let mut state = state();
        if let Some(open) = state.open.remove(&self.number) {
            state.aside.insert(self.number, open);
        }
    }
}

/// An open session; logs out when it is dropped.
pub(super) struct Ticket {
    number: u64,
    pub(super) open: Arc<Open>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let (mine, ending) = {
            let mut state = state();
            let mine = state.open.remove(&self.number).or_else(|| state.aside.remove(&self.number));
            (mine.is_some(), state.ending)
        };
        if mine {
            self.open.log_out();
        } else if ending {
            wait_for_the_end();
        }
    }
}

/// Whether a signal is ending the process; its sessions are gone then.
pub(super) fn check() -> Result<(), XapiError> {
    if state().ending { Err(wait_for_the_end()) } else { Ok(()) }
}

/// Holds a thread still while the signal's own thread logs out and ends the process: what this thread would say of its
/// closed session is noise.
fn wait_for_the_end() -> XapiError {
    thread::sleep(2 * LOGOUT);
    XapiError::Interrupted
}

/// From now on SIGINT, SIGTERM and SIGHUP log out all sessions first, do what is last, and then end the process as they always do.
/// Those that the process was started to ignore are ignored.
pub fn log_out_on_signals(last: fn()) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Ok(mut signals) = Signals::new(ending_signals()) {
            thread::spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    log_out_all();
                    last();
                    // Only fails for a signal that does not exist.
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
            });
        }
    });
}

/// The signals that end a process, but for those that it was started to ignore, as by `nohup`.
pub(crate) fn ending_signals() -> Vec<i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    let heeded = |signal: &i32| ignored.is_none_or(|ignored| ignored >> (signal - 1) & 1 == 0);
    [SIGINT, SIGTERM, SIGHUP].into_iter().filter(heeded).collect()
}

/// Logs out all sessions now, but for those that were set aside.
pub fn log_out_now() {
    let open = std::mem::take(&mut state().open);
    thread::scope(|scope| {
        for session in open.values() {
            scope.spawn(|| session.log_out());
        }
    });
}

fn log_out_all() {
    let until = Instant::now() + LOGOUT;
    let mut state = state();
    state.ending = true;
    while state.logging_in > 0 {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        state = CHANGED.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    let open = std::mem::take(&mut state.open);
    let aside = std::mem::take(&mut state.aside);
    drop(state);
    thread::scope(|scope| {
        for session in open.values().chain(aside.values()) {
            scope.spawn(|| session.log_out());
        }
    });
}
