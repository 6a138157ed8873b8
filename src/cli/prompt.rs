//! Questions to the operator on a terminal. While one is open, an interruption ends the run at once and leaves the terminal
//! as it was: whoever minds signals asks [`is_asking`] and calls [`let_go`] first.

use std::fs::File;
use std::io::{self, BufRead as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rpassword::ConfigBuilder;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::text::lines;

/// How long a run that was interrupted waits for its end, which another thread brings.
const END: Duration = Duration::from_secs(5);

/// The terminal as it was before the question that is open.
static ASKING: Mutex<Option<Before>> = Mutex::new(None);

enum Before {
    Seen(File, Box<Termios>),
    Unknown,
}

fn asking() -> MutexGuard<'static, Option<Before>> {
    ASKING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// That a question is open.
struct Open;

impl Open {
    fn question() -> Self {
        let before = File::open("/dev/tty").ok().and_then(|file| {
            let seen = tcgetattr(&file).ok()?;
            Some(Before::Seen(file, Box::new(seen)))
        });
        *asking() = Some(before.unwrap_or(Before::Unknown));
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        restore();
    }
}

/// The terminal as it was before the question; whether one was open.
fn restore() -> bool {
    let Some(before) = asking().take() else { return false };
    if let Before::Seen(file, before) = before {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(&file, OptionalActions::Now, &before);
    }
    true
}

/// Whether a question is open.
pub(super) fn is_asking() -> bool {
    asking().is_some()
}

/// The last that an interrupted run does to the terminal: hidden letters show again, and the shell's next line is its own.
pub(super) fn let_go() {
    if restore() {
        let _ = writeln!(io::stderr());
    }
}

/// Asks for a line; none at the end of the input.
pub(super) fn line(question: &str) -> io::Result<Option<String>> {
    let open = Open::question();
    let mut err = io::stderr().lock();
    write!(err, "{}", lines(question, false)).and_then(|()| err.flush())?;
    drop(err);
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    drop(open);
    if !line.ends_with('\n') {
        let _ = writeln!(io::stderr());
    }
    Ok(if read? == 0 { None } else { Some(line) })
}

/// Asks for what nobody may read over the operator's shoulder.
pub(super) fn hidden(question: &str) -> io::Result<Zeroizing<String>> {
    let open = Open::question();
    // The terminal's modes are ours alone: two that set them back could end with the wrong ones.
    let keys = ConfigBuilder::new().input_reader(hide(question)?).output_discard().build();
    let answer = rpassword::read_password_with_config(keys).map(Zeroizing::new);
    if answer.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
        // Ctrl-C was raised as a signal: its thread ends the process.
        thread::sleep(END);
    }
    drop(open);
    let _ = writeln!(io::stderr());
    answer
}

/// Letters are hidden before the question shows: who types at once is not read either.
fn hide(question: &str) -> io::Result<File> {
    let mut terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let mut modes = tcgetattr(&terminal)?;
    modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
    tcsetattr(&terminal, OptionalActions::Now, &modes)?;
    terminal.write_all(lines(question, false).as_bytes())?;
    Ok(terminal)
}
