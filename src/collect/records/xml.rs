//! XML-RPC into answers. Integers come untyped there, so every scalar that is not marked stays text.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Number, Value};

use super::answers::{Failure, Records, ServerError};
use crate::collect::CollectError;
use crate::collect::files::without_mark;
use crate::collect::limits::{XML_DEPTH, XML_NODES};

/// Reads an XML-RPC answer that holds records, or the error that the server gave.
pub(super) fn read_answer(name: &str, text: &[u8]) -> Result<Result<Records, ServerError>, CollectError> {
    match read_call(name, text)? {
        Err(failure) => Ok(Err(failure.without_params())),
        Ok(records @ Value::Object(_)) => Ok(Ok(records)),
        Ok(_) => Err(malformed(name, 1, 1, "\"Value\" is no struct; expected references and records")),
    }
}

/// Reads any XML-RPC answer: a struct with Status and Value, or Status and ErrorDescription.
pub(in crate::collect) fn read_call(name: &str, text: &[u8]) -> Result<Result<Value, Failure>, CollectError> {
    let text = without_mark(text);
    let text = std::str::from_utf8(text).map_err(|error| not_utf8(name, text, error.valid_up_to()))?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: XML_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start(), options).map_err(|error| {
        if matches!(error, roxmltree::Error::NodesLimitReached) {
            return CollectError::TooMany { name: name.to_owned(), limit: XML_NODES as usize };
        }
        let place = error.pos();
        let message = error.to_string();
        let message = message.rsplit_once(" at ").map_or(message.as_str(), |(message, _)| message);
        malformed(name, place.row as usize, place.col as usize, &format!("{message}; expected an answer of XenAPI"))
    })?;
    let at = |node: Node<'_, '_>, message: &str| {
        let place = document.text_pos_at(node.range().start);
        malformed(name, place.row as usize, place.col as usize, message)
    };
    let root = document.root_element();
    if let Some(fault) = child(root, "fault") {
        let fault = child(fault, "value").map(|value| read_value(value, 0)).transpose();
        let fault = fault.map_err(|Odd(node, message)| at(node, &message))?;
        let code = fault.as_ref().and_then(|fault| fault["faultString"].as_str());
        return Ok(Err(Failure::new(code.unwrap_or_default(), &[])));
    }
    let value =
        child(root, "params").and_then(|params| child(params, "param")).and_then(|param| child(param, "value"));
    let value = value.ok_or_else(|| at(root, "no value; expected methodResponse/params/param/value"))?;
    let mut answer = read_value(value, 0).map_err(|Odd(node, message)| at(node, &message))?;
    match answer["Status"].as_str() {
        Some("Success") => match answer.get_mut("Value").map(Value::take) {
            Some(found) => Ok(Ok(found)),
            None => Err(at(value, "\"Success\" without \"Value\"; expected an answer of XenAPI")),
        },
        Some("Failure") => {
            let list = answer["ErrorDescription"].as_array().map(Vec::as_slice).unwrap_or_default();
            Ok(Err(Failure::of(list)))
        }
        _ => Err(at(value, "no \"Status\" of Success or Failure; expected an answer of XenAPI")),
    }
}

/// What cannot be read, and why.
struct Odd<'a, 'input>(Node<'a, 'input>, String);

fn read_value<'a, 'input>(value: Node<'a, 'input>, depth: usize) -> Result<Value, Odd<'a, 'input>> {
    if depth > XML_DEPTH {
        return Err(Odd(value, format!("values nest more than {XML_DEPTH} deep")));
    }
    let Some(typed) = value.children().find(Node::is_element) else {
        return Ok(Value::String(text(value)));
    };
    match typed.tag_name().name() {
        "struct" => {
            let mut map = Map::new();
            for member in typed.children().filter(Node::is_element) {
                let (Some(name), Some(value)) = (child(member, "name"), child(member, "value")) else {
                    return Err(Odd(member, "a member without name or value".to_owned()));
                };
                map.insert(text(name), read_value(value, depth + 1)?);
            }
            Ok(Value::Object(map))
        }
        "array" => {
            let data = child(typed, "data").ok_or_else(|| Odd(typed, "an array without data".to_owned()))?;
            let values = data.children().filter(Node::is_element);
            values.map(|value| read_value(value, depth + 1)).collect::<Result<_, _>>().map(Value::Array)
        }
        "boolean" => match text(typed).trim() {
            "1" | "true" => Ok(Value::Bool(true)),
            "0" | "false" => Ok(Value::Bool(false)),
            _ => Err(Odd(typed, "a boolean that is neither 0 nor 1".to_owned())),
        },
        "double" => {
            let number = text(typed).trim().parse().ok().and_then(Number::from_f64);
            Ok(number.map_or_else(|| Value::String(text(typed)), Value::Number))
        }
        "nil" => Ok(Value::Null),
        "string" | "int" | "i4" | "i8" | "dateTime.iso8601" | "base64" => Ok(Value::String(text(typed))),
        other => Err(Odd(typed, format!("<{}> is no XML-RPC value", other.chars().take(40).collect::<String>()))),
    }
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

/// All text of a node; comments may split it.
fn text(node: Node<'_, '_>) -> String {
    node.children().filter_map(|child| if child.is_text() { child.text() } else { None }).collect()
}

fn not_utf8(name: &str, text: &[u8], at: usize) -> CollectError {
    let line = text[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = text[..at].iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    malformed(name, line, column, "not UTF-8; save it as UTF-8")
}

fn malformed(name: &str, line: usize, column: usize, message: &str) -> CollectError {
    CollectError::Malformed { name: name.to_owned(), line, column, message: message.to_owned() }
}
