//! Which format a document has, told from its first piece: cheap signs first, the structure of JSON and XML after.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::files::without_mark;
use super::look::{Look, look};
use super::records::is_class;
use crate::snapshot::FORMAT;

/// The formats of a single document that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A poolgate snapshot.
    Snapshot,
    /// XenAPI records as one object {class: {reference: record}}.
    Records,
    /// A JSON-RPC answer.
    JsonAnswer,
    /// An XML-RPC answer.
    XmlAnswer,
}

/// Recognises a document by its head. `whole` says that the head is all there is.
pub(crate) fn recognise(head: &[u8], whole: bool) -> Result<Form, Look> {
    let text = without_mark(head).trim_ascii_start();
    match text.first() {
        // A zero after the first sign is UTF-16.
        Some(b'{') if text.get(1) != Some(&0) => json(text, whole),
        Some(b'<') if root_element(text) == Some("methodResponse") => Ok(Form::XmlAnswer),
        _ => Err(look(head)),
    }
}

/// The name of an XML document's root element, past declarations and comments.
pub(crate) fn root_element(text: &[u8]) -> Option<&str> {
    let mut rest = text;
    loop {
        let start = rest.iter().position(|byte| *byte == b'<')?;
        rest = &rest[start + 1..];
        if rest.starts_with(b"!--") {
            let end = rest.windows(3).position(|three| three == b"-->")?;
            rest = &rest[end + 3..];
        } else if !rest.starts_with(b"?") && !rest.starts_with(b"!") {
            let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))?;
            return std::str::from_utf8(&rest[..end]).ok().filter(|name| !name.is_empty());
        }
    }
}

fn json(text: &[u8], whole: bool) -> Result<Form, Look> {
    let mut keys = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let error = match reader.deserialize_map(Peek(&mut keys)) {
        Ok(()) => reader.end().err(),
        Err(error) => Some(error),
    };
    let has = |name: &str| keys.iter().any(|(key, _)| key == name);
    let is_snapshot = keys.iter().any(|(key, kind)| key == "format" && *kind == Kind::Text(FORMAT.to_owned()));
    if is_snapshot {
        return Ok(Form::Snapshot);
    }
    if (has("result") || has("error")) && keys.iter().all(|(key, _)| is_envelope(key)) {
        return Ok(Form::JsonAnswer);
    }
    if !has("format") && keys.iter().any(|(key, kind)| *kind == Kind::Object && is_class(key)) {
        return Ok(Form::Records);
    }
    match error {
        // A head that ends in the middle of a longer document is no mistake.
        Some(error) if whole || !error.is_eof() => Err(Look::broken_json(&error, &keys)),
        _ => Err(Look::json_object(&keys)),
    }
}

fn is_envelope(key: &str) -> bool {
    matches!(key, "result" | "error" | "id" | "jsonrpc")
}

/// What stands behind a key of the outermost object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not seen: the head ended before it.
    Unseen,
    /// An object.
    Object,
    /// A text.
    Text(String),
    /// Anything else.
    Other,
}

/// Collects the keys of the outermost object as far as the text goes; what was seen stays when the text breaks off.
struct Peek<'a>(&'a mut Vec<(String, Kind)>);

/// No honest document has more keys than this at its top.
const KEYS: usize = 1000;

impl<'de> Visitor<'de> for Peek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.0.len() == KEYS {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.0.push((key, Kind::Unseen));
            let kind = self.0.last_mut().map(|(_, kind)| kind);
            map.next_value_seed(PeekValue(kind.unwrap_or(&mut Kind::Unseen)))?;
        }
        Ok(())
    }
}

struct PeekValue<'a>(&'a mut Kind);

impl<'de> DeserializeSeed<'de> for PeekValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PeekValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        *self.0 = Kind::Object;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        *self.0 = Kind::Other;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        *self.0 = Kind::Text(text.chars().take(40).collect());
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Form, Look> {
        recognise(text.as_bytes(), true)
    }

    #[test]
    fn the_four_forms() {
        assert_eq!(of("\u{feff} {\"format\":\"poolgate-snapshot\",\"version\":\"9.0\"}"), Ok(Form::Snapshot));
        assert_eq!(of("{\"off_wire\":{},\"host\":{\"OpaqueRef:1\":{}}}"), Ok(Form::Records));
        assert_eq!(of("{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":1}"), Ok(Form::JsonAnswer));
        assert_eq!(of("{\"id\":1,\"result\":null,\"error\":[\"X\"]}"), Ok(Form::JsonAnswer));
        assert_eq!(of("<?xml version=\"1.0\"?><!-- <a> --><methodResponse><params/>"), Ok(Form::XmlAnswer));
    }

    #[test]
    fn a_head_that_breaks_off_is_enough() {
        let text = "{\"pool\":{\"OpaqueRef:1\":{\"uuid\":\"6116fe";
        assert_eq!(recognise(text.as_bytes(), false), Ok(Form::Records));
        assert_eq!(
            recognise(b"{\"verdict\":\"GO\",\"joiners\":[{\"na", false).unwrap_err().to_string(),
            "a poolgate report"
        );
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = "{\"a\":".to_owned() + &"[".repeat(100_000);
        assert!(of(&deep).is_err());
        assert!(of(&"[".repeat(100_000)).is_err());
        assert!(of(&"<a>".repeat(100_000)).is_err());
    }
}
