//! Journals elsewhere: a run that writes its journal to a place of its own leaves a note of it in the usual folder, so that the next
//! run finds what is open there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::gate::lock::file_name;

/// The journals of a pool outside the usual folder in which a run is noted, whether they are there or not.
///
/// # Errors
/// Where the list is there and cannot be read.
pub fn others(folder: &Path, pool: &str) -> io::Result<Vec<PathBuf>> {
    noted(&list(folder, pool))
}

/// The journals that a list holds; none where there is no list.
///
/// # Errors
/// Where the list is there and cannot be read.
pub fn noted(list: &Path) -> io::Result<Vec<PathBuf>> {
    let text = match fs::read_to_string(list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    Ok(text.lines().filter(|line| !line.is_empty()).map(PathBuf::from).collect())
}

/// Notes a journal that was just opened, before a call. Under the pool's lock.
///
/// # Errors
/// Where the list cannot be written.
pub fn remember(folder: &Path, pool: &str, journal: &Path) -> io::Result<()> {
    let journal = plain(journal)?;
    let mut all = others(folder, pool)?;
    if all.contains(&journal) {
        return Ok(());
    }
    all.push(journal);
    write(folder, pool, &all)
}

/// Takes the note away, when nothing is open in the journal any more. Under the pool's lock.
///
/// # Errors
/// Where the list cannot be written.
pub fn forget(folder: &Path, pool: &str, journal: &Path) -> io::Result<()> {
    let journal = plain(journal)?;
    let mut all = others(folder, pool)?;
    let before = all.len();
    all.retain(|path| *path != journal);
    if all.len() == before { Ok(()) } else { write(folder, pool, &all) }
}

/// Where the notes of a pool stand.
pub fn list(folder: &Path, pool: &str) -> PathBuf {
    folder.join(format!("journals-{}.txt", file_name(pool)))
}

/// The whole path, which as a line of its own is one.
fn plain(journal: &Path) -> io::Result<PathBuf> {
    let journal = fs::canonicalize(journal)?;
    match journal.to_str() {
        Some(path) if !path.contains('\n') => Ok(journal),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "the journal's path is no plain text")),
    }
}

/// Puts the whole list in the place of the old one.
fn write(folder: &Path, pool: &str, all: &[PathBuf]) -> io::Result<()> {
    let text: String = all.iter().map(|path| format!("{}\n", path.display())).collect();
    let (path, part) = (list(folder, pool), folder.join(format!("journals-{}.part", file_name(pool))));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_elsewhere_is_noted_once_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("elsewhere.jsonl");
        assert_eq!(others(folder.path(), "4711").unwrap(), Vec::<PathBuf>::new());
        assert!(remember(folder.path(), "4711", &journal).is_err(), "it is not there");
        fs::write(&journal, "").unwrap();
        let whole = fs::canonicalize(&journal).unwrap();
        remember(folder.path(), "4711", &journal).unwrap();
        remember(folder.path(), "4711", &journal).unwrap();
        assert_eq!(others(folder.path(), "4711").unwrap(), [whole]);
        assert_eq!(others(folder.path(), "4712").unwrap(), Vec::<PathBuf>::new());
        forget(folder.path(), "4711", &journal).unwrap();
        assert_eq!(others(folder.path(), "4711").unwrap(), Vec::<PathBuf>::new());
    }
}
