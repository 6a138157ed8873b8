//! Targets to snapshots: the machine underneath, files, record dumps, live servers. The only room before `rules` that does I/O.
//! Called by `cli`; knows `snapshot`, `facts` and `cpu` (leaves to words, prediction).

pub mod local;
pub mod xapi;

mod archive;
mod catalogue;
mod dumps;
mod error;
mod files;
mod fleet;
pub(crate) mod limits;
mod look;
mod node;
mod peek;
mod quote;
mod recognise;
mod records;
mod target;

use std::io::Read;
use std::path::Path;

use crate::snapshot::{Snapshot, read_snapshot};

pub use error::CollectError;
pub(crate) use files::is_handed_over;
pub use files::refused;
pub use fleet::{
    Block, Blocks, FleetCpus, FleetHost, FleetPool, Found, Peeked, Piece, Region, Said, is_packed, open_fleet,
    open_region, peek_fleet, read_block, read_cpus, read_fleet,
};
pub use look::Look;
pub use quote::{Quote, QuoteError, TEMPLATE, quote_from, read_quote};
pub use records::is_answer;
pub use target::{Target, TargetError};

use files::{Budget, Document, Opened};
use peek::Form;
use recognise::recognise;

/// What a target held.
#[derive(Clone, Debug, PartialEq)]
pub struct Collected {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Keys of the input that this version does not know, each with its path.
    pub strangers: Vec<String>,
    /// What the operator should know about how the input was read.
    pub notes: Vec<String>,
}

/// Reads a target that is a file, a folder or standard input: a snapshot, XenAPI records in any of their forms, the
/// server's database (also inside a status report), or a foreign dump; or one that names a CPU of the catalogue.
/// The format is recognised by content. Other targets are refused with what to do instead.
///
/// ```
/// use poolgate::collect::{Target, read_target};
///
/// let target: Target = "cpu:Intel Xeon Gold 6330".parse()?;
/// let found = read_target(&target, &mut std::io::empty())?;
/// let host = &found.snapshot.pool.hosts.each().next().unwrap();
/// assert_eq!(host.cpu.get().unwrap().vendor.text(), Some("GenuineIntel"));
/// // The catalogue knows nothing of its memory, and says so.
/// assert!(host.memory_total.get().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_target(target: &Target, stdin: &mut dyn Read) -> Result<Collected, CollectError> {
    let name = target.to_string();
    match target {
        Target::File(path) => match files::open(path)? {
            Opened::File(document) => read_document(document, Some(path)),
            Opened::Folder => records::read_folder(path),
        },
        Target::Stdin => read_document(Document::from_reader(name, stdin, &mut Budget::new())?, None),
        Target::Cpu(name) => catalogue::read(name),
        Target::Local | Target::Url { .. } | Target::XapiLocal => Err(CollectError::Unsupported { target: name }),
    }
}

/// Reads a single document. `path` helps only where the content leaves the class of the records open.
fn read_document(document: Document<'_>, path: Option<&Path>) -> Result<Collected, CollectError> {
    let name = document.name().to_owned();
    let form = recognise(document.head(), document.is_whole())
        .map_err(|look| CollectError::Unrecognised { name: name.clone(), look })?;
    let text = document.read_all()?;
    match form {
        Form::Archive(packing) => archive::read(&name, packing, text),
        Form::Database => records::read_database(&name, &text),
        Form::Dump(dump) => dumps::read(&name, dump, &text),
        Form::Snapshot => {
            let (snapshot, strangers) = read_snapshot(files::without_mark(&text))
                .map_err(|source| CollectError::Snapshot { name, source: Box::new(source) })?;
            Ok(Collected { snapshot, strangers, notes: Vec::new() })
        }
        Form::Records => records::read_object(&name, text),
        Form::JsonAnswer | Form::XmlAnswer => records::read_answer(&name, form, text, path),
    }
}
