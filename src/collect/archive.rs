//! Compressed files, and archives that hold a server's status report: only the server's database is taken out of them.
//! Nothing is unpacked to disk, and what is unpacked in memory is bounded.

use std::borrow::Cow;
use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::files::{Budget, Document};
use super::limits::{ENTRIES, HEAD, TARGET, UNPACKED};
use super::{CollectError, Collected};

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// gzip.
    Gzip,
    /// tar, not compressed.
    Tar,
    /// zip.
    Zip,
}

/// The names of the database: in a status report, and on the server itself.
const NAMES: [&str; 2] = ["xapi-db.xml", "state.db"];

impl Packing {
    /// Told by the first bytes.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x1f\x8b") {
            Some(Self::Gzip)
        } else if head.starts_with(b"PK\x03\x04") {
            Some(Self::Zip)
        } else {
            (head.get(257..262) == Some(b"ustar")).then_some(Self::Tar)
        }
    }

    /// What it is, for errors.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Gzip => "a gzip archive",
            Self::Tar => "a tar archive",
            Self::Zip => "a zip archive",
        }
    }
}

/// Reads what is packed: one document, or the database of the one server in a status report.
pub(super) fn read(name: &str, packing: Packing, bytes: Vec<u8>) -> Result<Collected, CollectError> {
    match packing {
        Packing::Tar => from_tar(name, bytes.as_slice()),
        Packing::Zip => from_zip(name, bytes),
        Packing::Gzip => {
            let mut inner = MultiGzDecoder::new(bytes.as_slice());
            let mut head = Vec::with_capacity(512);
            (&mut inner).take(512).read_to_end(&mut head).map_err(|error| broken(name, &error))?;
            let whole = Cursor::new(head.clone()).chain(inner);
            match Packing::of(&head) {
                Some(Packing::Tar) => from_tar(name, whole),
                Some(_) => Err(refused(name, "an archive inside another; unpack it first, and name the one inside")),
                None => one(name, whole),
            }
        }
    }
}

/// A single document that is compressed.
fn one(name: &str, reader: impl Read) -> Result<Collected, CollectError> {
    super::read_document(Document::from_reader(name.to_owned(), reader, &mut Budget::new())?, None)
}

fn from_tar(name: &str, reader: impl Read) -> Result<Collected, CollectError> {
    let mut archive = tar::Archive::new(reader.take(UNPACKED));
    let found = databases(name, &mut archive);
    if found.is_err() && archive.into_inner().limit() == 0 {
        let message = format!(
            "more than {} GiB when it is unpacked, the most that is looked at; unpack it, and name the one inside",
            UNPACKED >> 30
        );
        return Err(refused(name, &message));
    }
    found?.collect()
}

fn databases<'n>(name: &'n str, archive: &mut tar::Archive<impl Read>) -> Result<Found<'n>, CollectError> {
    let mut found = Found::new(name);
    let entries = archive.entries().map_err(|error| broken(name, &error))?;
    for (count, entry) in entries.enumerate() {
        let mut entry = entry.map_err(|error| broken(name, &error))?;
        if count == ENTRIES {
            return Err(crowded(name));
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.header().entry_type().is_file() && is_database(&path) {
            let size = entry.size();
            found.add(path, size, &mut entry)?;
        }
    }
    Ok(found)
}

fn from_zip(name: &str, bytes: Vec<u8>) -> Result<Collected, CollectError> {
    let broken =
        |error: &zip::result::ZipError| refused(name, &format!("a zip archive that cannot be read: {error}"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    if archive.len() > ENTRIES {
        return Err(crowded(name));
    }
    let names = archive.file_names().flatten().map(Cow::into_owned);
    let wanted: Vec<String> = names.filter(|path| is_database(path)).collect();
    let mut found = Found::new(name);
    for path in wanted {
        let mut entry = archive.by_name(&path).map_err(|error| broken(&error))?;
        let size = entry.size();
        found.add(path, size, &mut entry)?;
    }
    found.collect()
}

fn is_database(path: &str) -> bool {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    NAMES.contains(&file)
}

/// The databases of a report.
struct Found<'n> {
    name: &'n str,
    each: Vec<(String, Vec<u8>)>,
    left: u64,
}

impl<'n> Found<'n> {
    const fn new(name: &'n str) -> Self {
        Self { name, each: Vec::new(), left: TARGET }
    }

    fn add(&mut self, path: String, size: u64, entry: &mut dyn Read) -> Result<(), CollectError> {
        let too_large = || CollectError::TooLarge { name: format!("{}: {path}", self.name), limit: TARGET };
        if size > self.left {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        entry.take(self.left + 1).read_to_end(&mut bytes).map_err(|error| broken(self.name, &error))?;
        if bytes.len() as u64 > self.left {
            return Err(too_large());
        }
        self.left -= bytes.len() as u64;
        self.each.push((path, bytes));
        Ok(())
    }

    /// The one database; the same one twice is one.
    fn collect(mut self) -> Result<Collected, CollectError> {
        self.each.dedup_by(|a, b| a.1 == b.1);
        match self.each.as_slice() {
            [(path, bytes)] => {
                let inside = format!("{}: {path}", self.name);
                let head = &bytes[..bytes.len().min(HEAD)];
                if super::recognise(head, bytes.len() == head.len()) != Ok(super::Form::Database) {
                    return Err(refused(&inside, "is no server's database"));
                }
                let mut collected = super::records::read_database(&inside, bytes)?;
                collected.notes.insert(0, format!("from {path} in the archive"));
                Ok(collected)
            }
            [] => Err(refused(
                self.name,
                "an archive without a server's database (xapi-db.xml, state.db); name the file inside that you mean",
            )),
            several => {
                let paths: Vec<_> = several.iter().take(5).map(|(path, _)| path.escape_debug().to_string()).collect();
                Err(refused(
                    self.name,
                    &format!("holds several servers' databases ({}); unpack it, and name one", paths.join(", ")),
                ))
            }
        }
    }
}

fn crowded(name: &str) -> CollectError {
    let message =
        format!("more than {ENTRIES} files, the most that are looked at; unpack it, and name the one inside");
    refused(name, &message)
}

fn broken(name: &str, error: &io::Error) -> CollectError {
    refused(name, &format!("an archive that cannot be read: {error}; copy it again"))
}

fn refused(name: &str, message: &str) -> CollectError {
    CollectError::Archive { name: name.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_unpacked_than_is_allowed() {
        let mut header = tar::Header::new_gnu();
        header.set_path("var/log/big.log").unwrap();
        header.set_size(UNPACKED);
        header.set_cksum();
        let endless = Cursor::new(header.as_bytes().to_vec()).chain(io::repeat(0));
        let error = from_tar("report.tar", endless).unwrap_err().to_string();
        insta::assert_snapshot!(error, @"report.tar: more than 4 GiB when it is unpacked, the most that is looked at; unpack it, and name the one inside");
    }
}
