//! Journals elsewhere: a run that writes its journal to a place of its own leaves a note of it in the usual folder, so that the next
//! run finds what is open there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::gate::lock::file_name;

fn list(folder: &Path, pool: &str) -> PathBuf {
    folder.join(format!("journals-{}.txt", file_name(pool)))
}

/// The journals of a pool outside the usual folder that are still there.
///
/// # Errors
/// Where the list is there and cannot be read.
pub fn others(folder: &Path, pool: &str) -> io::Result<Vec<PathBuf>> {
    let text = match fs::read_to_string(list(folder, pool)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    Ok(text.lines().filter(|line| !line.is_empty()).map(PathBuf::from).filter(|path| path.exists()).collect())
}

/// Notes a journal that was just opened. Called under the pool's lock.
///
/// # Errors
/// Where the list cannot be written.
pub fn remember(folder: &Path, pool: &str, journal: &Path) -> io::Result<()> {
    let journal = fs::canonicalize(journal)?;
    // A path with a line's end in it would be two.
    let Some(line) = journal.to_str().filter(|path| !path.contains('\n')) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the journal's path is no plain text"));
    };
    if others(folder, pool)?.contains(&journal) {
        return Ok(());
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(list(folder, pool))?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_elsewhere_is_found_once_and_as_long_as_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("elsewhere.jsonl");
        assert_eq!(others(folder.path(), "4711").unwrap(), Vec::<PathBuf>::new());
        assert!(remember(folder.path(), "4711", &journal).is_err(), "it is not there");
        fs::write(&journal, "").unwrap();
        remember(folder.path(), "4711", &journal).unwrap();
        remember(folder.path(), "4711", &journal).unwrap();
        assert_eq!(others(folder.path(), "4711").unwrap(), [fs::canonicalize(&journal).unwrap()]);
        assert_eq!(others(folder.path(), "4712").unwrap(), Vec::<PathBuf>::new());
        fs::remove_file(&journal).unwrap();
        assert_eq!(others(folder.path(), "4711").unwrap(), Vec::<PathBuf>::new());
    }
}
