//! One act per pool from one machine: a lock that dies with its process, and says who holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::journal::Act;

/// Why the lock is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run holds it.
    #[error("another run acts on this pool now: {holder}. Wait until it is done; the lock {} goes with its process", path.display())]
    Held {
        /// Who.
        holder: String,
        /// The file.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot lock {}: {source}; nothing is done without it", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A held lock. It goes when this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Whether another run holds the lock now. Writes nothing, and keeps nobody out.
    pub fn look(folder: &Path, pool: &str) -> Result<(), LockError> {
        let path = folder.join(format!("pool-{}.lock", file_name(pool)));
        let mut file = match File::open(&path) {
            // Nobody has ever acted on the pool, or it is for somebody else to say.
            Err(_) => return Ok(()),
            Ok(file) => file,
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Err(LockError::Held { holder: holder_in(&mut file), path }),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        }
    }

    /// Takes the lock of a pool in this folder, without waiting.
    pub fn take(folder: &Path, pool: &str, act: Act, what: &str) -> Result<Self, LockError> {
        let path = folder.join(format!("pool-{}.lock", file_name(pool)));
        let wrong = |source| LockError::Io { path: path.clone(), source };
        super::journal::make_folder(folder).map_err(wrong)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(wrong)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held { holder: holder_in(&mut file), path }),
            Err(TryLockError::Error(source)) => return Err(wrong(source)),
        }
        let since = humantime::format_rfc3339_seconds(SystemTime::now());
        let holder = format!("poolgate {} of {what}, process {}, since {since}\n", act.word(), std::process::id());
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(wrong)?;
        Ok(Self { _file: file })
    }
}

/// Who holds a lock, as its file says.
fn holder_in(file: &mut File) -> String {
    let mut holder = String::new();
    // The holder may be writing it just now: then its name is not known yet.
    let _ = file.read_to_string(&mut holder);
    let holder = holder.lines().next().filter(|line| !line.is_empty()).unwrap_or("who, it does not say yet");
    crate::text::plain(holder).into_owned()
}

/// A uuid as part of a file's name, whatever a server calls its uuid.
pub fn file_name(uuid: &str) -> String {
    let name: String = uuid.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_acts_on_one_pool_exclude_each_other_and_the_second_learns_who() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), "4711", Act::Join, "node-01").unwrap();
        let error = Lock::take(folder.path(), "4711", Act::Eject, "node-02").unwrap_err().to_string();
        assert!(error.contains("poolgate join of node-01, process "), "{error}");
        assert!(Lock::look(folder.path(), "4711").unwrap_err().to_string().contains("poolgate join of node-01"));
        assert!(Lock::look(folder.path(), "4712").is_ok() && !folder.path().join("pool-4712.lock").exists());
        let other = Lock::take(folder.path(), "4712", Act::Join, "node-03");
        assert!(other.is_ok(), "another pool is not locked");
        drop(first);
        assert!(Lock::take(folder.path(), "4711", Act::Eject, "node-02").is_ok());
    }

    #[test]
    fn a_uuid_cannot_leave_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "etcpasswd");
        assert_eq!(file_name("../"), "unknown");
    }
}
