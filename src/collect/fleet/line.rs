//! One line of a fleet, taken apart once: the members of its object and of its host's record, in one pass.

use std::fmt;
use std::path::Path;

use serde::de::{Deserializer, MapAccess, Visitor};

use crate::collect::files::{Budget, without_mark};
use crate::collect::node::{Likely, Member, Node, find};
use crate::collect::{CollectError, Collected, Document, read_document, records};
use crate::facts::Key;
use crate::snapshot::ReadError;

/// So many fields has a host's record, about.
const FIELDS: usize = 96;

/// A line's members.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    /// Those of the line itself, but `host`.
    line: Vec<Member<'a>>,
    /// Those of `host`, where it is an object: a record's fields, or records by reference.
    pub(super) host: Vec<Member<'a>>,
}

impl<'a> Parts<'a> {
    /// Takes a line apart. Fails only where it is no JSON object.
    pub(super) fn of(line: &'a [u8]) -> Result<Self, serde_json::Error> {
        let line = without_mark(line).trim_ascii();
        // Letters are checked once for the whole line; where they are wrong, reading bytes says at which column.
        let parts = match std::str::from_utf8(line) {
            Ok(line) => {
                let mut json = serde_json::Deserializer::from_str(line);
                let parts = json.deserialize_map(PartsVisitor)?;
                json.end()?;
                parts
            }
            Err(_) => {
                let mut json = serde_json::Deserializer::from_slice(line);
                let parts = json.deserialize_map(PartsVisitor)?;
                json.end()?;
                parts
            }
        };
        Ok(parts)
    }

    /// A member of the line; of several with one key the last, as everywhere.
    pub(super) fn get(&self, key: &str) -> Option<&Node<'a>> {
        find(&self.line, key)
    }

    /// The keys of the line.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.line.iter().map(|(key, _)| key.as_ref())
    }

    /// Whether `host` is one host's record and not records by reference.
    pub(super) fn is_host(&self) -> bool {
        find(&self.host, "uuid").is_some_and(|uuid| uuid.text().is_some())
            || find(&self.host, "cpu_info").is_some_and(|cpu| cpu.members().is_some())
    }

    /// The name of the only host.
    pub(super) fn host_name(&self) -> Option<&str> {
        let name = if self.is_host() {
            find(&self.host, "name_label")
        } else {
            let [(_, record)] = self.host.as_slice() else { return None };
            record.get("name_label")
        };
        name.and_then(Node::text)
    }
}

struct PartsVisitor;

impl<'de> Visitor<'de> for PartsVisitor {
    type Value = Parts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts<'de>, A::Error> {
        let mut parts = Parts::default();
        while let Some(Key(key)) = map.next_key()? {
            if key == "host" {
                parts.host = match map.next_value_seed(Likely(FIELDS))? {
                    Node::Object(members) => members,
                    _ => Vec::new(),
                };
            } else {
                parts.line.push((key, map.next_value()?));
            }
        }
        Ok(parts)
    }
}

/// Reads one line by itself; errors name it.
pub(super) fn read(name: &str, number: usize, line: &[u8]) -> Result<Box<Collected>, CollectError> {
    match Parts::of(line) {
        Ok(parts) => read_parts(name, number, line, parts),
        // JSON, and no object: it is said what it looks like.
        Err(error) if error.is_data() => read_whole(name, number, line),
        Err(error) => Err(malformed(name, number, &error)),
    }
}

/// The same of a line that was taken apart.
pub(super) fn read_parts(
    name: &str,
    number: usize,
    line: &[u8],
    parts: Parts<'_>,
) -> Result<Box<Collected>, CollectError> {
    if parts.is_host() {
        let place = format!("{name}:{number}");
        return records::read_host_line(&place, parts.line, parts.host).map(Box::new);
    }
    read_whole(name, number, line)
}

/// Reads a line as a document of its own.
fn read_whole(name: &str, number: usize, line: &[u8]) -> Result<Box<Collected>, CollectError> {
    let text = without_mark(line).trim_ascii();
    let document = Document::from_reader(format!("{name}:{number}"), text, &mut Budget::new())?;
    let read = read_document(document, None::<&Path>);
    let mut collected = read.map_err(|error| match error {
        CollectError::Malformed { column, message, .. } => {
            CollectError::Malformed { name: name.to_owned(), line: number, column, message }
        }
        CollectError::Snapshot { source, .. } if matches!(*source, ReadError::Shape { .. }) => match *source {
            ReadError::Shape { column, field, message, .. } => CollectError::Malformed {
                name: name.to_owned(),
                line: number,
                column,
                message: format!("{field}{message}"),
            },
            other => CollectError::Snapshot { name: format!("{name}:{number}"), source: Box::new(other) },
        },
        other => other,
    })?;
    // What a line says its pool by is no part of what was seen, and no stranger.
    collected.strangers.retain(|key| !matches!(key.as_str(), "group" | "snapshot.group" | "snapshot"));
    Ok(Box::new(collected))
}

/// What is wrong with an object that holds no host.
pub(super) fn no_host(name: &str, number: usize) -> CollectError {
    CollectError::Nothing {
        name: format!("{name}:{number}"),
        what: "JSON",
        why: "it holds no host; a line of a fleet is a snapshot, XenAPI records, or a host's record".to_owned(),
    }
}

/// What is wrong with a line whose pool has no name.
pub(super) fn odd_group(name: &str, number: usize) -> CollectError {
    CollectError::Malformed {
        name: name.to_owned(),
        line: number,
        column: 1,
        message: "group: expected a text or a whole number, the name of the line's pool".to_owned(),
    }
}

/// What is wrong with a line that is no JSON object.
pub(super) fn malformed(name: &str, number: usize, error: &serde_json::Error) -> CollectError {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let more = if error.is_eof() { "; the line breaks off, save it again" } else { "" };
    CollectError::Malformed {
        name: name.to_owned(),
        line: number,
        column: error.column().max(1),
        message: format!("{message}{more}"),
    }
}
