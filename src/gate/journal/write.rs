//! Writes a journal: one line at a time, on disk before the caller goes on. One process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::event::Event;
use super::line::{Entry, NONE};
use super::read::{Fault, Reading, read};

/// Bytes of a journal at most: some ten thousand runs.
pub const MOST: u64 = 256 << 20;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused.
    #[error("cannot {doing} the journal {}: {source}; nothing is done without it. Say --journal FILE for another place", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Its chain is broken.
    #[error("{}: line {}: {}; nothing is done on a journal that was changed, for a call in it may not have come to its end. Look at the servers (`xe host-list`, `xe task-list`), find out who changed it, and then move it to another place: the next run begins a new one", path.display(), fault.line, fault.what)]
    Changed {
        /// The file.
        path: PathBuf,
        /// Where.
        fault: Fault,
    },
    /// Another run writes it.
    #[error("another poolgate writes the journal {} now; wait until it is done", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// An event could not be written as JSON.
    #[error("cannot put an event into words for the journal {}: {what}", path.display())]
    Words {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// It is larger than any.
    #[error("{}: larger than {} MiB, the most that is read of a journal; keep it, and say --journal FILE for a new one", path.display(), MOST >> 20)]
    Large {
        /// The file.
        path: PathBuf,
    },
    /// There is no home.
    #[error(
        "neither XDG_STATE_HOME nor HOME is set, so there is no place for the lock and the journal; set one of them"
    )]
    NoHome,
}

impl JournalError {
    /// What went wrong, for a moment at which it is too late to do nothing.
    pub fn what(&self) -> String {
        match self {
            Self::Io { doing, path, source } => format!("cannot {doing} the journal {}: {source}", path.display()),
            other => other.to_string(),
        }
    }
}

/// The folder of journals and locks: `$XDG_STATE_HOME/poolgate`, else `~/.local/state/poolgate`.
pub fn default_folder() -> Result<PathBuf, JournalError> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // A relative path in the variable is to be ignored, as its specification says.
    let state = set("XDG_STATE_HOME").filter(|path| path.is_absolute());
    let home = || set("HOME").map(|home| home.join(".local/state"));
    Ok(state.or_else(home).ok_or(JournalError::NoHome)?.join("poolgate"))
}

/// Makes a folder that only its owner may look into, and those above it.
pub(in crate::gate) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A journal that is open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    next: u64,
    head: String,
    /// Whether a newline must go before the next line.
    unended: bool,
    before: Reading,
}

impl Journal {
    /// Opens a journal, and makes it where there is none. Its chain must hold; a piece of a line that a crash left is
    /// accounted for.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let wrong = |doing| move |source| JournalError::Io { doing, path: path.to_owned(), source };
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        make_folder(folder).map_err(wrong("make a folder for"))?;
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path).map_err(wrong("open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(wrong("lock")(source)),
        }
        let mut bytes = Vec::new();
        (&mut file).take(MOST + 1).read_to_end(&mut bytes).map_err(wrong("read"))?;
        if bytes.len() as u64 > MOST {
            return Err(JournalError::Large { path: path.to_owned() });
        }
        let before = read(&bytes);
        if let Some(fault) = before.fault {
            return Err(JournalError::Changed { path: path.to_owned(), fault });
        }
        // A file whose name is not on disk is lost with it.
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong("make a folder for"))?;
        let next = before.entries.last().map_or(1, |entry| entry.seq + 1);
        let head = if before.head.is_empty() { NONE.to_owned() } else { before.head.clone() };
        let mut journal = Self { path: path.to_owned(), file, next, head, unended: before.unended, before };
        if let Some(torn) = journal.before.torn.clone() {
            journal.write(Event::Recovered { bytes: torn.bytes, sha256: torn.sha256 })?;
        }
        Ok(journal)
    }

    /// What was in it when it was opened.
    pub fn before(&self) -> &[Entry] {
        &self.before.entries
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The hash of its last line: whoever keeps it can tell later whether lines were taken off the end.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Writes an event. When this returns, the line is on disk.
    pub fn write(&mut self, event: Event) -> Result<(), JournalError> {
        let at = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let entry = Entry { seq: self.next, prev: self.head.clone(), at, event };
        let (line, hash) = entry
            .write()
            .map_err(|error| JournalError::Words { path: self.path.clone(), what: error.to_string() })?;
        let newline = if self.unended { "\n" } else { "" };
        // In one write, so that a crash leaves a beginning of it and nothing else.
        let text = format!("{newline}{line}\n");
        let wrong = |source| JournalError::Io { doing: "write", path: self.path.clone(), source };
        self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all()).map_err(wrong)?;
        self.unended = false;
        self.next += 1;
        self.head = hash;
        Ok(())
    }
}
