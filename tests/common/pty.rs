//! Runs the real binary on a pseudo-terminal of its own, as an operator sits at it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// How long a run may take to whatever is waited for.
const LONG: Duration = Duration::from_secs(60);
/// Ctrl-C and Ctrl-D as a keyboard sends them.
pub const CTRL_C: &str = "\u{3}";
pub const CTRL_D: &str = "\u{4}";

/// A terminal, and a run on it.
pub struct Terminal {
    keyboard: File,
    /// Held open, so that the terminal outlives the run and can be looked at.
    screen: File,
    child: Child,
    seen: Vec<u8>,
}

/// What became of a run.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// All that was on the screen.
    pub seen: String,
    /// Whether letters show, lines are edited and Ctrl-C works, as before the run.
    pub usable: bool,
}

impl Ended {
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("{self:?}"))
    }

    pub fn signal(&self) -> i32 {
        self.status.signal().unwrap_or_else(|| panic!("{self:?}"))
    }
}

impl Terminal {
    /// Starts `poolgate` with these words and variables, on a terminal of so many columns.
    pub fn start(words: &[String], variables: &[(String, String)], columns: u16) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let path = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let screen = open(path.as_str(), flags, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&screen, size).unwrap();
        // The first terminal that the leader of a new session opens is its own.
        let mut command = Command::new("setsid");
        command.args(["sh", "-c", "exec <>\"$0\" >&0 2>&0 && exec \"$@\"", &path, env!("CARGO_BIN_EXE_poolgate")]);
        command.args(words).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("TERM", "xterm");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().unwrap();
        Self { keyboard: File::from(keyboard), screen: File::from(screen), child, seen: Vec::new() }
    }

    /// Waits until the run is `poolgate` itself, and no longer the shell that gave it the terminal.
    pub fn wait_for_the_program(&mut self) {
        let until = Instant::now() + LONG;
        let program = std::fs::canonicalize(env!("CARGO_BIN_EXE_poolgate")).unwrap();
        let link = format!("/proc/{}/exe", self.child.id());
        while std::fs::read_link(&link).ok().as_ref() != Some(&program) {
            assert!(Instant::now() < until && self.child.try_wait().unwrap().is_none(), "it does not start");
            self.read();
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Waits until a text is on the screen behind all that was waited for before.
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        let until = Instant::now() + LONG;
        let from = self.seen.len();
        let came = |terminal: &Self| String::from_utf8_lossy(&terminal.seen[from..]).contains(text);
        while !came(self) {
            assert!(Instant::now() < until, "{text:?} did not come: {}", self.text());
            if !self.read() && self.child.try_wait().unwrap().is_some() && !self.read() {
                assert!(came(self), "{text:?} did not come before the end: {}", self.text());
            }
        }
        self
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        rustix::io::write(&self.keyboard, keys.as_bytes()).unwrap();
        self
    }

    /// Sends a signal to the run itself, and to nothing that it has started.
    pub fn signal(&mut self, signal: Signal) -> &mut Self {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self
    }

    /// Waits for the run's end.
    pub fn end(mut self) -> Ended {
        let until = Instant::now() + LONG;
        let status = loop {
            self.read();
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > until {
                self.child.kill().unwrap();
                panic!("the run does not end: {}", self.text());
            }
        };
        while self.read() {}
        let modes = tcgetattr(&self.screen).unwrap().local_modes;
        let usable = modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        Ended { status, seen: self.text(), usable }
    }

    /// Takes what is on the screen; whether there was anything within a moment.
    fn read(&mut self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut ready = [PollFd::new(&self.keyboard, PollFlags::IN)];
        let moment = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        if poll(&mut ready, Some(&moment)).unwrap() == 0 {
            return false;
        }
        let mut bytes = [0; 4096];
        let count = rustix::io::read(&self.keyboard, &mut bytes).unwrap();
        self.seen.extend_from_slice(&bytes[..count]);
        count > 0
    }
}

/// Whether this machine can give a run a terminal of its own.
pub fn has_terminals() -> bool {
    Path::new("/dev/ptmx").exists()
        && Command::new("setsid").arg("true").status().is_ok_and(|status| status.success())
}
