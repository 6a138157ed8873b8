//! The certificates that the operator has confirmed: a text file, one line a server, replaced whole or not at all.
//!
//! `ADDRESS sha256:HEX`, with `:PORT` where it is not 443; empty lines and lines that begin with `#` are kept as they are.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::{Address, Fingerprint};
use crate::collect::limits::KNOWN_HOSTS;

const HEADER: &str = "# Certificates that poolgate trusts: ADDRESS[:PORT] sha256:HEX\n";

/// The file, read.
#[derive(Debug)]
pub struct KnownHosts {
    path: PathBuf,
    entries: Vec<(Address, Fingerprint)>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnownHostsError {
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("{}: cannot be written: {source}; what was there is untouched", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Everybody may write it.
    #[error("{}: everybody may write it (mode {mode:03o}), and so name a server that gets your password; look through it, and chmod 600 it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A line is none.
    #[error("{}:{line}: {why}; expected ADDRESS[:PORT] sha256:HEX", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl KnownHosts {
    /// Reads the file; one that does not exist yet is empty.
    pub fn read(path: PathBuf) -> Result<Self, KnownHostsError> {
        let text = match read_text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(KnownHostsError::Read { path, source }),
        };
        let mode =
            fs::metadata(&path).map_or(0, |found| if found.is_file() { found.permissions().mode() } else { 0 });
        if mode & 0o002 != 0 {
            return Err(KnownHostsError::Open { path, mode: mode & 0o777 });
        }
        Self::from_text(path, &text)
    }

    /// The same from a text that was read; `path` is where it is from.
    pub fn from_text(path: PathBuf, text: &str) -> Result<Self, KnownHostsError> {
        let entries = parse(text).map_err(|(line, why)| KnownHostsError::Line { path: path.clone(), line, why })?;
        Ok(Self { path, entries })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The certificate of an address.
    pub fn at(&self, address: &Address) -> Option<Fingerprint> {
        self.entries.iter().find(|(at, _)| at == address).map(|(_, found)| *found)
    }

    /// Adds a certificate. Never replaces one: a changed certificate is the operator's to sort out.
    pub fn add(&mut self, address: &Address, found: Fingerprint) -> Result<(), KnownHostsError> {
        if self.at(address).is_none() {
            // Another run may have written since.
            let now = Self::read(self.path.clone())?;
            if now.at(address).is_none() {
                append(&self.path, address, found)
                    .map_err(|source| KnownHostsError::Write { path: self.path.clone(), source })?;
            }
            *self = Self::read(self.path.clone())?;
        }
        Ok(())
    }
}

/// The file, up to the limit: what it names may be no file at all.
fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(KNOWN_HOSTS + 1).read_to_string(&mut text)?;
    if text.len() as u64 > KNOWN_HOSTS {
        let why = format!(
            "larger than {} MiB, the most that is read of known hosts; is it the right file?",
            KNOWN_HOSTS >> 20
        );
        return Err(io::Error::other(why));
    }
    Ok(text)
}

fn parse(text: &str) -> Result<Vec<(Address, Fingerprint)>, (usize, String)> {
    let mut entries: Vec<(Address, Fingerprint)> = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let wrong = |why: String| (place + 1, why);
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            [address, fingerprint] => {
                let address: Address =
                    address.parse().map_err(|error: super::AddressError| wrong(error.to_string()))?;
                let found = fingerprint.parse().map_err(|error: super::FingerprintError| wrong(error.to_string()))?;
                if entries.iter().any(|(other, _)| *other == address) {
                    return Err(wrong(format!("{address} stands here a second time")));
                }
                entries.push((address, found));
            }
            words => return Err(wrong(format!("{} words", words.len()))),
        }
    }
    Ok(entries)
}

/// Writes the file anew with one line more, readable by its owner alone.
fn append(path: &Path, address: &Address, found: Fingerprint) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    let (path, mut text) = match read_text(path) {
        // A symbolic link stays one.
        Ok(text) => (fs::canonicalize(path)?, text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), HEADER.to_owned()),
        Err(error) => return Err(error),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&format!("{address} sha256:{}\n", found.plain()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o600)).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_added_is_known_and_comments_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/known_hosts");
        let mut known = KnownHosts::read(path.clone()).unwrap();
        let (one, two) = (Fingerprint::of(b"1"), Fingerprint::of(b"2"));
        assert_eq!(known.at(&address("xen-1")), None);
        known.add(&address("xen-1"), one).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, fs::read_to_string(&path).unwrap() + "\n# mine").unwrap();
        known.add(&address("xen-1:8443"), two).unwrap();
        known.add(&address("XEN-1"), two).unwrap();
        let again = KnownHosts::read(path.clone()).unwrap();
        assert_eq!((again.at(&address("Xen-1")), again.at(&address("xen-1:8443"))), (Some(one), Some(two)));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            format!("{HEADER}xen-1 sha256:{}\n\n# mine\nxen-1:8443 sha256:{}\n", one.plain(), two.plain())
        );
    }

    #[test]
    fn what_is_no_file_is_left_alone_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (one, found) = (address("xen-1"), Fingerprint::of(b"1"));
        let mut nothing = KnownHosts::read("/dev/null".into()).unwrap();
        assert!(nothing.add(&one, found).unwrap_err().to_string().contains("not a regular file"));
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        KnownHosts::read(link.clone()).unwrap().add(&one, found).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(KnownHosts::read(file).unwrap().at(&one), Some(found));
    }

    #[test]
    fn what_everybody_may_write_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = KnownHosts::read(path.clone()).unwrap_err().to_string();
        assert!(error.contains("everybody may write it (mode 666)"), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(KnownHosts::read(path).is_ok());
    }

    #[test]
    fn a_mistake_has_its_line_and_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        let hex = Fingerprint::of(b"1").plain();
        for (text, why) in [
            ("# x\nxen-1\n", ":2: 1 words"),
            (&*format!("xen-1 {hex}\nXEN-1 {hex}\n"), ":2: xen-1 stands here a second time"),
            ("xen-1 sha256:abc", ":1: \"sha256:abc\" is no SHA-256 fingerprint"),
            (&*format!("a/b {hex}"), ":1: \"a/b\" is no address"),
        ] {
            fs::write(&path, text).unwrap();
            let error = KnownHosts::read(path.clone()).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
