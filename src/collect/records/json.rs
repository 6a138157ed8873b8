//! JSON into answers: the one-object form, and JSON-RPC 1.0 and 2.0 envelopes.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::answers::{Answers, Records, ServerError, is_class, is_unused};
use crate::collect::CollectError;
use crate::collect::files::without_mark;

/// The key of what the wire does not show, beside the classes.
const OFF_WIRE: &str = "off_wire";

/// Values in one text at most. A pool of ten thousand VMs has two million; a hundred million of `[]` would take
/// gigabytes to hold.
const MOST: usize = 5_000_000;

/// Refuses a text whose values would take more memory than its size lets expect. Counts what separates values, in texts
/// too: cheap, and never too few.
fn bounded<'t>(name: &str, text: &'t [u8]) -> Result<&'t [u8], CollectError> {
    let separators = text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if separators > MOST {
        return Err(CollectError::TooMany { name: name.to_owned(), limit: MOST });
    }
    Ok(without_mark(text))
}

/// Reads one object of class → {reference: record}. Classes without use are passed over and never kept.
pub(super) fn read_object(name: &str, text: &[u8]) -> Result<Answers, CollectError> {
    let mut json = serde_json::Deserializer::from_slice(bounded(name, text)?);
    let mut answers = Answers::default();
    let read = json.deserialize_map(Classes(&mut answers)).and_then(|()| json.end());
    read.map_err(|error| malformed(name, &error)).map(|()| answers)
}

struct Classes<'a>(&'a mut Answers);

impl<'de> Visitor<'de> for Classes<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object {class: {reference: record}}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if is_class(&key) {
                self.0.add(key, Ok(map.next_value()?));
            } else if key == OFF_WIRE {
                self.0.add_off_wire(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
                if !is_unused(&key) {
                    self.0.add_stranger(key);
                }
            }
        }
        Ok(())
    }
}

/// Reads any JSON text.
pub(super) fn read_value(name: &str, text: &[u8]) -> Result<Value, CollectError> {
    serde_json::from_slice(bounded(name, text)?).map_err(|error| malformed(name, &error))
}

/// Reads a JSON-RPC answer: its result, or the error that the server gave. The error is a list [code, …] in 1.0 and an
/// object in 2.0; a server in emergency mode sends the list in 2.0 too.
pub(super) fn read_answer(name: &str, text: &[u8]) -> Result<Result<Records, ServerError>, CollectError> {
    let mut answer = read_value(name, text)?;
    let error = match &answer["error"] {
        Value::Null => None,
        Value::Array(list) => Some(list.first().and_then(Value::as_str)),
        Value::Object(error) => Some(error.get("message").and_then(Value::as_str)),
        _ => Some(None),
    };
    if let Some(code) = error {
        return Ok(Err(ServerError::new(code.unwrap_or_default())));
    }
    match answer.get_mut("result").map(Value::take) {
        Some(records @ Value::Object(_)) => Ok(Ok(records)),
        found => {
            let found = found.as_ref().map_or("missing", super::record::kind);
            let message = format!("\"result\" is {found}, expected an object {{reference: record}}");
            Err(CollectError::Malformed { name: name.to_owned(), line: 1, column: 1, message })
        }
    }
}

fn malformed(name: &str, error: &serde_json::Error) -> CollectError {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let more = if error.is_eof() { "; the file breaks off, save it again" } else { "" };
    CollectError::Malformed {
        name: name.to_owned(),
        line: error.line(),
        column: error.column(),
        message: format!("{message}{more}"),
    }
}
