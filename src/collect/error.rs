//! Why a target gave no snapshot.

use std::io;

use super::Look;
use crate::cpu::catalogue::FindError;
use crate::snapshot::ReadError;
use crate::text::shell_word;

/// Why a target gave no snapshot. Names the target and, inside a text, the place; never repeats credentials.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Nothing that is read as a file: a live server is read in a session (`collect::xapi`), this machine by `collect::local`.
    #[error(
        "{target}: is no file, folder or standard input; a server is read in a session, and this machine as itself"
    )]
    Unsupported {
        /// The target, without credentials.
        target: String,
    },
    /// No such file.
    #[error("{name}: no such file or folder{}", instead(name, nearest.as_deref(), *target))]
    NotFound {
        /// The path.
        name: String,
        /// A file beside it with nearly the same name.
        nearest: Option<String>,
        /// Whether it was named as a target, which a server may be too.
        target: bool,
    },
    /// The user may not read it.
    #[error("{name}: permission denied; run as a user who may read it")]
    Permission {
        /// The path.
        name: String,
    },
    /// A device, a socket or a named pipe.
    #[error("{name}: is {kind}, not a file; use `-` to read standard input")]
    NotAFile {
        /// The path.
        name: String,
        /// What it is instead.
        kind: &'static str,
    },
    /// More than this program is willing to hold.
    #[error("{name}: larger than {} MiB, the most that is read of one target", limit >> 20)]
    TooLarge {
        /// The file or folder.
        name: String,
        /// The limit, bytes.
        limit: u64,
    },
    /// So many values that the records of no pool can be meant.
    #[error(
        "{name}: holds more than {limit} values, the most that is read of one target; leave out classes that a join does not need"
    )]
    TooMany {
        /// The file.
        name: String,
        /// The limit.
        limit: usize,
    },
    /// More of something than there can be.
    #[error("{name}: holds more than {limit} {what}, the most that is read of one target")]
    Crowded {
        /// The file.
        name: String,
        /// The limit.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// Reading failed halfway.
    #[error("{name}: cannot be read: {source}")]
    Io {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// No format that is read.
    #[error(
        "{name}: looks like {look}; expected a poolgate snapshot, XenAPI records, a server's database or status report, \
         or a CPU dump (docs/offline.md lists the formats){}",
        look.remedy().map(|remedy| format!("; {remedy}")).unwrap_or_default()
    )]
    Unrecognised {
        /// The file.
        name: String,
        /// What it looks like.
        look: Look,
    },
    /// A format that is read, without anything to judge by.
    #[error("{name}: {what}, but {why}")]
    Nothing {
        /// The file.
        name: String,
        /// The format.
        what: &'static str,
        /// What is missing.
        why: String,
    },
    /// A name that stands for no CPU of the catalogue.
    #[error("cpu: {0}; `poolgate cpu search WORDS` lists what there is")]
    Cpu(FindError),
    /// An archive that cannot be read, or holds nothing that is.
    #[error("{name}: {message}")]
    Archive {
        /// The file.
        name: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The right kind of text, but broken.
    #[error("{name}:{line}:{column}: {message}")]
    Malformed {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// Many hosts in a packed file.
    #[error("{name}: a packed fleet, which is not read in pieces; name standard input in its place: `zcat {} | poolgate … -`", shell_word(.name))]
    Packed {
        /// The file.
        name: String,
    },
    /// A snapshot that this version cannot read.
    #[error("{name}: {source}")]
    Snapshot {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: Box<ReadError>,
    },
    /// The only answer in the file is an error of the server.
    #[error("{name}: holds no records: the server answered {code}; ask it again, as a user who may read them")]
    Answer {
        /// The file.
        name: String,
        /// The server's error code; its parameters may be secret and are left out.
        code: String,
    },
    /// An answer that does not say of which class its records are.
    #[error(
        "{name}: an answer of the server that does not say of which class its records are; \
         name the file <class>.get_all_records.json, or put it in a folder with the other classes"
    )]
    NoClass {
        /// The file.
        name: String,
    },
    /// A folder without answers.
    #[error(
        "{name}: a folder without XenAPI records; expected files named <class>.get_all_records.json (or .xml){}",
        if inside.is_empty() { String::new() } else { format!("; did you mean one inside: {}?", inside.join(", ")) }
    )]
    EmptyFolder {
        /// The folder.
        name: String,
        /// Folders inside that do hold answers.
        inside: Vec<String>,
    },
    /// Two files of a folder that answer for one class.
    #[error("{name}: both {first} and {second} hold the class {class}; keep one of them")]
    TwoAnswers {
        /// The folder.
        name: String,
        /// The class.
        class: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
}

/// What may have been meant by a path where nothing is.
fn instead(name: &str, nearest: Option<&str>, target: bool) -> String {
    if let Some(nearest) = nearest {
        return format!("; did you mean {nearest}?");
    }
    // Files that are targets have an extension, and addresses have none of these.
    const EXTENSIONS: [&str; 11] = ["json", "ndjson", "xml", "txt", "log", "db", "gz", "tar", "zip", "toml", "csv"];
    let has_extension = name.rsplit_once('.').is_some_and(|(_, last)| EXTENSIONS.contains(&last));
    let address = name.rsplit_once('@').map_or(name, |(_, address)| address);
    if !target || name.contains('/') || has_extension || address.parse::<super::xapi::Address>().is_err() {
        return String::new();
    }
    format!("; a live server is written https://{name}")
}
