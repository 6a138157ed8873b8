//! An operator who interrupts: before the call the run stops, after it the run says what was started.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::iterator::Signals;

use crate::cli::error::CliError;
use crate::cli::output::{complain, sweep};
use crate::cli::prompt::{is_asking, let_go};
use crate::collect::xapi::{ending_signals, log_out_now};

/// How long the run has to stop by itself, before it is ended.
const GRACE: Duration = Duration::from_secs(3);

/// Whether the operator has interrupted.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt {
    flag: Arc<AtomicBool>,
    /// Whether a call was sent whose end is being watched: then the run must say so itself.
    acting: Arc<AtomicBool>,
    /// Whether the run only looks at what an earlier one sent.
    looking: Arc<AtomicBool>,
}

impl Interrupt {
    /// Minds the signals that end a process from now on; a run that cannot does not act.
    pub(super) fn watch() -> Result<Self, CliError> {
        let blind = |error| CliError::Usage(format!("cannot mind interrupts, and does not act without: {error}"));
        let mut signals = Signals::new(ending_signals()).map_err(blind)?;
        let interrupt = Self::default();
        let mine = interrupt.clone();
        thread::spawn(move || mine.mind(&mut signals));
        Ok(interrupt)
    }

    fn mind(&self, signals: &mut Signals) {
        for (count, signal) in signals.forever().enumerate() {
            self.flag.store(true, Ordering::SeqCst);
            if is_asking() {
                // Nobody acts while the operator is asked.
                end(signal);
            } else if count == 0 && !self.is_acting() {
                complain(match self.looking.load(Ordering::SeqCst) {
                    false => "poolgate: interrupted: stopping before anything is sent",
                    true => "poolgate: interrupted: this run sends nothing; what was sent before goes on",
                });
                let again = self.clone();
                thread::spawn(move || {
                    // A run that waits for a server or for the operator does not see the flag.
                    thread::sleep(GRACE);
                    if !again.is_acting() {
                        end(signal);
                    }
                });
            } else if count > 0 && !self.is_acting() {
                end(signal);
            } else {
                complain("poolgate: interrupted: a call is under way, and the server carries it on");
            }
        }
    }

    /// Whether to stop.
    pub(super) fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst)
    }

    fn is_acting(&self) -> bool {
        self.acting.load(Ordering::SeqCst)
    }

    /// This run sends nothing: it looks at what an earlier one sent.
    pub(super) fn look_on(&self) {
        self.looking.store(true, Ordering::SeqCst);
    }

    /// From now on a call is under way.
    pub(super) fn act(&self) {
        self.acting.store(true, Ordering::SeqCst);
    }

    /// The host's turn is over.
    pub(super) fn rest(&self) {
        self.acting.store(false, Ordering::SeqCst);
    }
}

fn end(signal: i32) {
    log_out_now();
    let_go();
    sweep();
    // Only fails for a signal that does not exist.
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}
