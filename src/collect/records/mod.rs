//! XenAPI records, as the server encodes them, to a snapshot: three encodings are read into one intermediate
//! (`answers`), and one mapper a class fills the model. Called by `collect` alone.

pub(super) mod answers;
mod cluster;
mod cpu;
mod folder;
mod host;
pub(super) mod json;
mod network;
mod off_wire;
mod pool;
mod record;
mod redact;
mod security;
mod software;
mod storage;
mod vm;
pub(super) mod xml;

use std::path::Path;

use super::peek::Form;
use super::{CollectError, Collected, Look};
use crate::facts::Known;
use crate::snapshot::{Snapshot, Source, SourceKind};
use answers::is_class;

pub(super) use folder::read_folder;

use answers::Answers;

/// Reads records that are one object of class → {reference: record}.
pub(super) fn read_object(name: &str, text: Vec<u8>) -> Result<Collected, CollectError> {
    let answers = json::read_object(name, &text)?;
    drop(text);
    Ok(snapshot(name, answers))
}

/// Reads a single answer of the server: the records of one class.
pub(super) fn read_answer(
    name: &str,
    form: Form,
    text: Vec<u8>,
    path: Option<&Path>,
) -> Result<Collected, CollectError> {
    let answer = match form {
        Form::XmlAnswer => xml::read_answer(name, &text)?,
        _ => json::read_answer(name, &text)?,
    };
    drop(text);
    let records =
        answer.map_err(|error| CollectError::Answer { name: name.to_owned(), code: error.code().to_owned() })?;
    let class = path
        .and_then(folder::class_of)
        .or_else(|| answers::guess_class(&records).map(str::to_owned))
        .ok_or_else(|| CollectError::NoClass { name: name.to_owned() })?;
    if !is_class(&class) {
        return Err(CollectError::Unrecognised { name: name.to_owned(), look: Look::class(&class) });
    }
    let mut answers = Answers::default();
    let note = format!("only the class {class} was read; name the folder with all classes to read the others");
    answers.add(class, Ok(records));
    let mut collected = snapshot(name, answers);
    collected.notes.insert(0, note);
    Ok(collected)
}

/// Maps all classes of a dump, and says what was odd about them.
fn snapshot(name: &str, answers: Answers) -> Collected {
    map(name, SourceKind::Records, Known::default(), answers)
}

/// Maps all classes, and says what was odd about them.
pub(super) fn map(name: &str, kind: SourceKind, collected_at: Known<String>, answers: Answers) -> Collected {
    let source = Source {
        kind: kind.word().to_owned().into(),
        collected_at,
        target: name.to_owned().into(),
        tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")).to_owned().into(),
    };
    let mut notes = answers.notes();
    let mut pool = pool::pool(&answers);
    off_wire::apply(answers.off_wire(), &mut pool, &mut notes);
    Collected { snapshot: Snapshot { source, pool }, strangers: answers.into_strangers(), notes }
}
