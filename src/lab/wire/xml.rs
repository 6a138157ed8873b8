//! XML-RPC: calls in, Status structs out; never a fault.

use std::fmt::Write as _;

use roxmltree::{Document, Node};
use serde_json::{Map, Value, json};

use super::{Form, Malformed, Request};
use crate::lab::answer::Answer;

/// The fields that are dates. Only the type of a field tells a date from a text that looks like one.
const DATES: [&str; 22] = [
    "created",
    "finished",
    "install_time",
    "last_active",
    "last_run_time",
    "last_software_update",
    "last_update_live",
    "last_update_sync",
    "last_updated",
    "not_after",
    "not_before",
    "server_localtime",
    "servertime",
    "snapshot_time",
    "ssh_expiry",
    "start_time",
    "telemetry_next_collection",
    "timestamp",
    "timestamp_applied",
    "validation_time",
    "expiry",
    "installed_at",
];

/// How deep values may nest: a call needs four levels.
const DEPTH: usize = 16;

pub(super) fn decode(body: &[u8]) -> Result<Request, Malformed> {
    let odd = |what: &str| format!("Xmlm.Error(1:1, \"{what}\")");
    let text = std::str::from_utf8(body).map_err(|_| odd("character sequence illegal here"))?;
    let document = Document::parse(text).map_err(|error| {
        let at = error.pos();
        format!("Xmlm.Error({}:{}, \"{error}\")", at.row, at.col)
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "methodCall" {
        return Err(odd("expected a methodCall"));
    }
    let method =
        child(root, "methodName").and_then(|node| node.text()).ok_or_else(|| odd("expected a methodName"))?;
    let params = child(root, "params")
        .into_iter()
        .flat_map(elements)
        .map(|param| child(param, "value").and_then(|value| read(value, 0)).ok_or_else(|| odd("expected a value")));
    Ok(Request { form: Form::Xml, method: method.trim().to_owned(), params: params.collect::<Result<_, _>>()? })
}

fn elements<'a, 'i: 'a>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn child<'a, 'i: 'a>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    elements(node).find(|child| child.tag_name().name() == name)
}

fn read(value: Node<'_, '_>, depth: usize) -> Option<Value> {
    if depth > DEPTH {
        return None;
    }
    let Some(typed) = elements(value).next() else { return Some(json!(value.text().unwrap_or(""))) };
    let text = typed.text().unwrap_or("");
    Some(match typed.tag_name().name() {
        "string" | "dateTime.iso8601" => json!(text),
        "int" | "i4" | "i8" => json!(text.trim().parse::<i64>().ok()?),
        "boolean" => json!(text.trim() == "1"),
        "double" => json!(text.trim().parse::<f64>().ok()?),
        "nil" => Value::Null,
        "array" => {
            let items = child(typed, "data")?;
            Value::Array(elements(items).map(|item| read(item, depth + 1)).collect::<Option<_>>()?)
        }
        "struct" => {
            let member =
                |member| Some((child(member, "name")?.text()?.to_owned(), read(child(member, "value")?, depth + 1)?));
            Value::Object(elements(typed).map(member).collect::<Option<Map<_, _>>>()?)
        }
        _ => return None,
    })
}

pub(super) fn answer(method: &str, answer: &Answer) -> String {
    let mut body = String::from("<?xml version=\"1.0\"?><methodResponse><params><param><value>");
    // The methods of the introspection are answered without the struct.
    if let (true, Ok(value)) = (method.starts_with("system."), answer) {
        write(&mut body, "", value);
    } else {
        let (status, name, value) = match answer {
            Ok(value) => ("Success", "Value", value.clone()),
            Err(error) => ("Failure", "ErrorDescription", Value::Array(error.list())),
        };
        let _ = write!(
            body,
            "<struct><member><name>Status</name><value>{status}</value></member><member><name>{name}</name><value>"
        );
        let field = method.rsplit_once(".get_").map_or("", |(_, field)| field);
        write(&mut body, field, &value);
        body.push_str("</value></member></struct>");
    }
    body.push_str("</value></param></params></methodResponse>");
    body
}

/// A value alone, as the result of a task holds it.
pub(in crate::lab) fn value(value: &Value) -> String {
    let mut text = String::from("<value>");
    write(&mut text, "", value);
    text.push_str("</value>");
    text
}

/// What stands between `<value>` and `</value>`. Texts and integers carry no type.
fn write(out: &mut String, field: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => {
            let _ = write!(out, "<boolean>{}</boolean>", u8::from(*flag));
        }
        Value::Number(number) if number.is_f64() => {
            let _ = write!(out, "<double>{}</double>", number.as_f64().unwrap_or_default());
        }
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) if DATES.contains(&field) && is_date(text) => {
            let _ = write!(out, "<dateTime.iso8601>{text}</dateTime.iso8601>");
        }
        Value::String(text) => escape(out, text),
        Value::Array(items) => {
            out.push_str("<array><data>");
            for item in items {
                out.push_str("<value>");
                write(out, "", item);
                out.push_str("</value>");
            }
            out.push_str("</data></array>");
        }
        Value::Object(fields) => {
            out.push_str("<struct>");
            for (name, value) in fields {
                out.push_str("<member><name>");
                escape(out, name);
                out.push_str("</name><value>");
                write(out, name, value);
                out.push_str("</value></member>");
            }
            out.push_str("</struct>");
        }
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 18 && text.as_bytes()[8] == b'T' && text.ends_with('Z')
}

fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            letter => out.push(letter),
        }
    }
}
