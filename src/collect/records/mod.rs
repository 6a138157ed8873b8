//! XenAPI records, as the server encodes them, to a snapshot: three encodings are read into one intermediate
//! (`answers`), and one mapper a class fills the model. Called by `collect` alone.

pub(super) mod answers;
mod cluster;
mod cpu;
mod database;
mod folder;
mod host;
pub(super) mod json;
mod network;
mod off_wire;
mod pool;
mod raw;
mod record;
mod redact;
mod security;
mod since;
mod software;
mod storage;
mod vm;
mod whole;
pub(super) mod xml;

use std::borrow::Cow;
use std::path::Path;

use serde_json::{Map, Value};

use super::node::{Member, Node, find};
use super::peek::Form;
use super::{CollectError, Collected, Look};
use crate::facts::Known;
use crate::snapshot::{Snapshot, Source, SourceKind};
use answers::is_class;

pub use folder::is_answer;
pub(super) use folder::read_folder;

use answers::Answers;
use json::TAKEN;

/// Reads records that are one object of class → {reference: record}.
pub(super) fn read_object(name: &str, text: Vec<u8>) -> Result<Collected, CollectError> {
    let answers = json::read_object(name, &text)?;
    if answers.holds_one_host() {
        // A line of a fleet in a file of its own.
        return read_host(name, json::read_value(name, &text)?);
    }
    drop(text);
    snapshot(name, answers)
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
    let mut collected = snapshot(name, answers)?;
    collected.notes.insert(0, note);
    Ok(collected)
}

/// Reads the server's own database.
pub(super) fn read_database(name: &str, text: &[u8]) -> Result<Collected, CollectError> {
    let mut collected = snapshot(name, database::read(name, text)?)?;
    collected
        .notes
        .push("the server's database: what it wrote down last, which its members may have changed since".to_owned());
    Ok(collected)
}

/// Hosts of which only some fields were printed: the others were not collected, whatever the release.
pub(super) fn read_hosts(
    name: &str,
    hosts: Vec<Map<String, Value>>,
    note: String,
) -> Result<Collected, CollectError> {
    let mut metrics = Map::new();
    let mut records = Map::new();
    for (index, mut host) in hosts.into_iter().enumerate() {
        let reference = format!("xe:{name}:{}", index + 1);
        let moved = [("memory_total", "memory_total"), ("memory_free", "memory_free"), ("host_metrics_live", "live")];
        let measured: Map<_, _> =
            moved.into_iter().filter_map(|(from, to)| Some((to.to_owned(), host.remove(from)?))).collect();
        host.insert("metrics".to_owned(), Value::String(reference.clone()));
        metrics.insert(reference.clone(), Value::Object(measured));
        records.insert(reference, Value::Object(host));
    }
    let mut answers = Answers::partial();
    answers.add("host".to_owned(), Ok(Value::Object(records)));
    answers.add("host_metrics".to_owned(), Ok(Value::Object(metrics)));
    let mut collected = snapshot(name, answers)?;
    collected.notes.insert(0, note);
    Ok(collected)
}

/// Reads one host's record with what belongs to it, as a line of a fleet holds it: `host` is the record, `ref` its
/// reference, classes are {reference: record}.
pub(super) fn read_host(name: &str, line: Value) -> Result<Collected, CollectError> {
    let Value::Object(mut fields) = line else { return snapshot(name, Answers::default()) };
    let host = fields.remove("host").unwrap_or_default();
    let own = |key: &str| host.get(key).and_then(Value::as_str).map(str::to_owned);
    let reference = match fields.remove("ref") {
        Some(Value::String(reference)) => reference,
        _ => own("uuid").map_or_else(|| "OpaqueRef:host".to_owned(), |uuid| format!("OpaqueRef:{uuid}")),
    };
    let mut answers = Answers::default();
    if let Some(said) = fields.remove(TAKEN.0) {
        answers.add_taken(said.get(TAKEN.1).and_then(Value::as_str));
    }
    answers.add("host".to_owned(), Ok(Map::from_iter([(reference, host)]).into()));
    for (key, value) in fields {
        if key == "group" || key == "pool" && value.is_string() {
            // Which pool of a fleet the line belongs to; no record.
        } else if is_class(&key) {
            answers.add(key, Ok(value));
        } else if !answers::is_unused(&key) {
            answers.add_stranger(key);
        }
    }
    snapshot(name, answers)
}

/// The same off the members of a line and of its host.
pub(super) fn read_host_line<'t>(
    name: &str,
    line: Vec<Member<'t>>,
    host: Vec<Member<'t>>,
) -> Result<Collected, CollectError> {
    let text = |members: &[Member<'_>], key: &str| find(members, key).and_then(Node::text).map(str::to_owned);
    let reference = text(&line, "ref").unwrap_or_else(|| {
        text(&host, "uuid").map_or_else(|| "OpaqueRef:host".to_owned(), |uuid| format!("OpaqueRef:{uuid}"))
    });
    let mut answers = Answers::default();
    for (key, value) in line {
        match key.as_ref() {
            "ref" | "group" => {}
            key if key == TAKEN.0 => answers.add_taken(value.get(TAKEN.1).and_then(Node::text)),
            "pool" if value.text().is_some() => {}
            _ if is_class(&key) => answers.add_node(key, value),
            key if answers::is_unused(key) => {}
            key => answers.add_stranger(key.to_owned()),
        }
    }
    answers.add_one("host", Cow::Owned(reference), host);
    snapshot(name, answers)
}

/// Maps all classes of a dump, and says what was odd about them.
fn snapshot(name: &str, answers: Answers<'_>) -> Result<Collected, CollectError> {
    let taken = answers.taken();
    map(name, SourceKind::Records, taken, answers)
}

/// Maps all classes, and says what was odd about them. Refuses more records than any pool has.
pub(super) fn map(
    name: &str,
    kind: SourceKind,
    collected_at: Known<String>,
    answers: Answers<'_>,
) -> Result<Collected, CollectError> {
    answers.bounded(name)?;
    let source = Source {
        kind: kind.word().to_owned().into(),
        collected_at,
        target: name.to_owned().into(),
        tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")).to_owned().into(),
    };
    let answers = answers.asked_now(kind == SourceKind::Xapi);
    let mut notes = answers.notes();
    let mut pool = pool::pool(&answers);
    off_wire::apply(answers.off_wire(), &mut pool, &mut notes);
    Ok(Collected { snapshot: Snapshot { source, pool }, strangers: answers.into_strangers(), notes })
}
