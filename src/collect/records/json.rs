//! JSON into answers: the one-object form, and JSON-RPC 1.0 and 2.0 envelopes.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::answers::{Answers, Failure, Records, ServerError, is_class, is_unused};
use crate::collect::CollectError;
use crate::collect::files::without_mark;
use crate::collect::limits::VALUES;

/// The key of what the wire does not show, beside the classes.
const OFF_WIRE: &str = "off_wire";

/// Where a dump says when it was taken.
pub(super) const TAKEN: (&str, &str) = ("snapshot", "taken");

/// Refuses a text whose values would take more memory than its size lets expect. Counts what separates values, in texts
/// too: cheap, and never too few.
fn bounded<'t>(name: &str, text: &'t [u8]) -> Result<&'t [u8], CollectError> {
    let separators = text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if separators > VALUES {
        return Err(CollectError::TooMany { name: name.to_owned(), limit: VALUES });
    }
    Ok(without_mark(text))
}

/// Reads one object of class → {reference: record}. Classes without use are passed over and never kept.
pub(super) fn read_object(name: &str, text: &[u8]) -> Result<Answers<'static>, CollectError> {
    let mut json = serde_json::Deserializer::from_slice(bounded(name, text)?);
    let mut answers = Answers::default();
    let read = json.deserialize_map(Classes(&mut answers)).and_then(|()| json.end());
    read.map_err(|error| malformed(name, &error)).map(|()| answers)
}

struct Classes<'a>(&'a mut Answers<'static>);

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
            } else if key == TAKEN.0 {
                let said: Value = map.next_value()?;
                self.0.add_taken(said.get(TAKEN.1).and_then(Value::as_str));
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

/// Reads a JSON-RPC answer that holds records, or the error that the server gave.
pub(super) fn read_answer(name: &str, text: &[u8]) -> Result<Result<Records, ServerError>, CollectError> {
    match take_answer(read_value(name, text)?) {
        Ok(Err(failure)) => Ok(Err(failure.without_params())),
        Ok(Ok(records @ Value::Object(_))) => Ok(Ok(records)),
        found => {
            let found = found.ok().and_then(Result::ok);
            let found = found.as_ref().map_or("missing", super::record::kind);
            let message = format!("\"result\" is {found}, expected an object {{reference: record}}");
            Err(CollectError::Malformed { name: name.to_owned(), line: 1, column: 1, message })
        }
    }
}

/// Reads any JSON-RPC answer: its result, or the error that the server gave.
pub(in crate::collect) fn read_call(name: &str, text: &[u8]) -> Result<Result<Value, Failure>, CollectError> {
    take_answer(read_value(name, text)?).map_err(|NoAnswer| {
        let message = "an object without \"result\" and \"error\", expected an answer of XenAPI".to_owned();
        CollectError::Malformed { name: name.to_owned(), line: 1, column: 1, message }
    })
}

/// JSON that is no answer.
struct NoAnswer;

/// The error is a list [code, …] in 1.0 and an object in 2.0; a server in emergency mode sends the list in 2.0 too.
fn take_answer(mut answer: Value) -> Result<Result<Value, Failure>, NoAnswer> {
    let Some(answer) = answer.as_object_mut() else { return Err(NoAnswer) };
    match answer.get("error") {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) => return Ok(Err(Failure::of(list))),
        Some(Value::Object(error)) => {
            let code = error.get("message").and_then(Value::as_str).unwrap_or_default();
            let params = error.get("data").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            return Ok(Err(Failure::new(code, params)));
        }
        Some(_) => return Ok(Err(Failure::new("", &[]))),
    }
    answer.get_mut("result").map(Value::take).map(Ok).ok_or(NoAnswer)
}

fn malformed(name: &str, error: &serde_json::Error) -> CollectError {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    let more = match message {
        _ if error.is_eof() => "; the file breaks off, save it again",
        // A fleet where one pool or host is wanted.
        "trailing characters" if error.line() > 1 && error.column() == 1 => crate::snapshot::MORE_DOCUMENTS,
        _ => "",
    };
    CollectError::Malformed {
        name: name.to_owned(),
        line: error.line(),
        column: error.column(),
        message: format!("{message}{more}"),
    }
}
