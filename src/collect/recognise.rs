//! Which format a document has, told from its first piece: cheap signs first, the structure of JSON and XML after.

use serde::Deserializer;

use super::archive::Packing;
use super::dumps::Dump;
use super::files::without_mark;
use super::look::{Look, look};
use super::peek::{Form, Kind, Peek, root_element};
use super::records::answers::is_class;
use crate::snapshot::FORMAT;

/// Recognises a document by its head. `whole` says that the head is all there is.
pub(crate) fn recognise(head: &[u8], whole: bool) -> Result<Form, Look> {
    if let Some(packing) = Packing::of(head) {
        return Ok(Form::Archive(packing));
    }
    let text = without_mark(head).trim_ascii_start();
    match text.first() {
        // A zero after the first sign is UTF-16.
        Some(b'{') if text.get(1) != Some(&0) => json(text, whole),
        Some(b'<') => xml(text).ok_or_else(|| look(head)),
        _ => Dump::of_text(head).map(Form::Dump).ok_or_else(|| look(head)),
    }
}

fn xml(text: &[u8]) -> Option<Form> {
    match root_element(text)? {
        "methodResponse" => Some(Form::XmlAnswer),
        "database" => Some(Form::Database),
        root => Dump::of_root(root).map(Form::Dump),
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
    if has("lscpu") {
        return Ok(Form::Dump(Dump::Lscpu));
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
