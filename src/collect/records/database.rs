//! The server's own database (`xapi-db.xml`, `state.db`) into answers: tables of rows, each row's fields as attributes,
//! sets and maps as S-expressions. It holds secrets; only classes that are mapped are kept, and of secrets only that
//! they exist.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Map, Value};

use super::answers::{Answers, is_class, is_unused};
use crate::collect::CollectError;
use crate::collect::files::without_mark;
use crate::collect::limits::XML_NODES;

/// Texts that people write, which may look like anything.
const TEXTS: [&str; 3] = ["name_label", "name_description", "hostname"];

/// Reads a database.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Answers<'static>, CollectError> {
    let malformed = |line: usize, column: usize, message: &str| CollectError::Malformed {
        name: name.to_owned(),
        line,
        column,
        message: message.to_owned(),
    };
    let text = std::str::from_utf8(without_mark(bytes)).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        malformed(line, 1, "not UTF-8; copy the database again")
    })?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: XML_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start(), options).map_err(|error| {
        if matches!(error, roxmltree::Error::NodesLimitReached) {
            return CollectError::TooMany { name: name.to_owned(), limit: XML_NODES as usize };
        }
        let place = error.pos();
        let message = error.to_string();
        let message = message.rsplit_once(" at ").map_or(message.as_str(), |(message, _)| message);
        malformed(
            place.row as usize,
            place.col as usize,
            &format!("{message}; expected a whole database, copy it again"),
        )
    })?;
    let mut answers = Answers::of_database();
    for table in document.root_element().children().filter(|node| node.has_tag_name("table")) {
        let Some(class) = table.attribute("name") else { continue };
        if is_class(class) {
            answers.add(class.to_owned(), Ok(Value::Object(rows(class, table))));
        } else if !is_unused(class) {
            answers.add_stranger(class.to_owned());
        }
    }
    Ok(answers)
}

fn rows(class: &str, table: Node<'_, '_>) -> Map<String, Value> {
    let rows = table.children().filter(|node| node.has_tag_name("row"));
    rows.filter_map(|row| Some((row.attribute("ref")?.to_owned(), Value::Object(record(class, row))))).collect()
}

/// A row as the wire shows a record: namespaces are joined by one underscore there, by two here.
fn record(class: &str, row: Node<'_, '_>) -> Map<String, Value> {
    let is_open = |field: &str| class != "secret" || field == "uuid";
    let fields = row.attributes().filter(|field| !matches!(field.name(), "ref" | "_ref" | "__ctime" | "__mtime"));
    fields
        .map(|field| (field.name().replace("__", "_"), field.value()))
        .filter(|(field, _)| is_open(field))
        .map(|(field, text)| {
            let value = value(&field, &plain(text));
            (field, value)
        })
        .collect()
}

/// Blanks and line ends, which XML would not keep, are written `%.`, `%n`, `%t`, `%r`; `%` itself `%%`.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('.') => out.push(' '),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// The database does not say what a value is; a set or a map is one that reads as such to its end.
fn value(field: &str, text: &str) -> Value {
    if text.starts_with('(') && !TEXTS.contains(&field) {
        let mut letters = Letters { rest: text };
        if let Some(list) = letters.list().filter(|_| letters.rest.is_empty()) {
            return list;
        }
    }
    Value::String(text.to_owned())
}

struct Letters<'t> {
    rest: &'t str,
}

impl Letters<'_> {
    /// `('a' 'b')`, `(('k' 'v') ('l' 'w'))`, or `()`, which is either; a list that is empty.
    fn list(&mut self) -> Option<Value> {
        self.take('(')?;
        let (mut set, mut map) = (Vec::new(), Map::new());
        loop {
            self.rest = self.rest.trim_start_matches(' ');
            match self.rest.chars().next()? {
                ')' => {
                    self.take(')')?;
                    let mixed = !set.is_empty() && !map.is_empty();
                    let value = if map.is_empty() { Value::Array(set) } else { Value::Object(map) };
                    return (!mixed).then_some(value);
                }
                '(' => {
                    self.take('(')?;
                    let key = self.string()?;
                    self.rest = self.rest.trim_start_matches(' ');
                    let value = self.string()?;
                    self.take(')')?;
                    map.insert(key, Value::String(value));
                }
                _ => set.push(Value::String(self.string()?)),
            }
        }
    }

    fn take(&mut self, letter: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(letter)?;
        Some(())
    }

    /// A text in quotes, where a backslash keeps the next letter from ending it.
    fn string(&mut self) -> Option<String> {
        self.take('\'')?;
        let mut out = String::new();
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    return Some(out);
                }
                '\\' => out.push(letters.next()?.1),
                _ => out.push(letter),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_every_kind() {
        let of = |text: &str| value("tags", &plain(text));
        assert_eq!(of("()"), json!([]));
        assert_eq!(of("('a,b'%.'(c)'%.'d\\'e')"), json!(["a,b", "(c)", "d'e"]));
        assert_eq!(of("(('k'%.'100%%%.of%nit')%.('l'%.''))"), json!({"k": "100% of\nit", "l": ""}));
        assert_eq!(of("10.0.0.1"), json!("10.0.0.1"));
        for odd in ["(", "('a'", "('a') more", "(('a' 'b') 'c')", "(a)", "('a\\"] {
            assert_eq!(of(odd), json!(odd), "{odd}");
        }
        assert_eq!(value("name_label", "('a')"), json!("('a')"), "people may call a host that");
    }

    #[test]
    fn secrets_are_left_behind() {
        let text = "<database><table name='secret'><row ref='OpaqueRef:1' uuid='u' value='hunter2'/></table>\
                    <table name='user'><row ref='OpaqueRef:2' password='hunter2'/></table></database>";
        let answers = read("x", text.as_bytes()).unwrap();
        assert!(!format!("{answers:?}").contains("hunter2"));
    }
}
