//! Where the demonstration plays: a folder and one command at a time, both gone when it ends, also by a signal.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use signal_hook::iterator::Signals;
use tempfile::TempDir;

use crate::cli::error::CliError;
use crate::collect::xapi::ending_signals;

/// How long this process may take to be told of a signal that ended the command.
const TOLD: Duration = Duration::from_secs(2);
/// How long a command that was killed may take to be gone.
const GONE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// The folder, and what runs in it.
pub(super) struct Stage {
    path: PathBuf,
    /// Removed when the demonstration is over.
    _folder: TempDir,
    playing: Arc<Mutex<Playing>>,
}

#[derive(Default)]
struct Playing {
    /// Whether a signal has ended it all.
    ended: bool,
    /// The command that runs; none where the kernel is older than 5.3. It ends by itself then, without its servers.
    command: Option<OwnedFd>,
}

impl Stage {
    /// Sets it up; signals are minded first, so that nothing is left of it from the start.
    pub(super) fn set() -> Result<Self, CliError> {
        let wrong = |error| CliError::Usage(format!("cannot make a folder for the demonstration: {error}"));
        let mut signals = Signals::new(ending_signals()).map_err(wrong)?;
        let folder = tempfile::tempdir().map_err(wrong)?;
        let (path, playing) = (folder.path().to_owned(), Arc::default());
        let (theirs, mine) = (path.clone(), Arc::clone(&playing));
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                clear(&mine, &theirs);
                // Only fails for a signal that does not exist.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
        Ok(Self { path, _folder: folder, playing })
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        &self.path
    }

    /// Runs a command to its end.
    pub(super) fn output(&self, mut command: Command) -> io::Result<Output> {
        let mut playing = lock(&self.playing);
        hold_if_ended(&playing);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        playing.command = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).ok();
        drop(playing);
        let output = child.wait_with_output();
        let signal = output.as_ref().ok().and_then(|output| output.status.signal());
        if signal.is_some_and(|signal| ending_signals().contains(&signal)) {
            // A terminal sends it to both, and the command may be gone before this process is told.
            thread::sleep(TOLD);
        }
        let mut playing = lock(&self.playing);
        hold_if_ended(&playing);
        playing.command = None;
        output
    }
}

fn lock(playing: &Mutex<Playing>) -> MutexGuard<'_, Playing> {
    playing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the story still while the signal's own thread ends the process: what it would say of a command that was killed is
/// noise.
fn hold_if_ended(playing: &Playing) {
    if playing.ended {
        thread::sleep(Duration::from_secs(60));
    }
}

/// Kills the command that runs, and removes the folder once it is gone.
fn clear(playing: &Mutex<Playing>, folder: &Path) {
    let mut playing = lock(playing);
    playing.ended = true;
    if let Some(command) = &playing.command {
        // It may have ended by itself.
        let _ = pidfd_send_signal(command, Signal::KILL);
        let _ = poll(&mut [PollFd::new(command, PollFlags::IN)], Some(&GONE));
    }
    // There is nobody left to tell.
    let _ = std::fs::remove_dir_all(folder);
}
