//! What a document that is not read looks like, for an error that helps.

use std::fmt;

use super::files::without_mark;
use super::peek::{Form, Kind, root_element};

/// What a document looks like, and what would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    what: String,
    remedy: Option<&'static str>,
}

const UNPACK: &str = "unpack it first, and name the file inside";
const PLAIN: &str = "save it as UTF-8";

impl Look {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: None }
    }

    fn with(what: impl Into<String>, remedy: &'static str) -> Self {
        Self { what: what.into(), remedy: Some(remedy) }
    }

    /// What to do about it, where there is something to do.
    pub const fn remedy(&self) -> Option<&'static str> {
        self.remedy
    }

    /// A form that is read, but not in this place.
    pub(crate) fn form(form: Form) -> Self {
        match form {
            Form::Snapshot => Self::with("a poolgate snapshot", "name it alone, not its folder"),
            Form::Records => Self::with("records of several classes", "name it alone, not its folder"),
            Form::JsonAnswer | Form::XmlAnswer => Self::new("an answer of the server"),
            Form::Database => Self::with("a server's database", "name it alone, not its folder"),
            Form::Dump(dump) => Self::with(dump.title(), "name it alone, not its folder"),
            Form::Archive(packing) => Self::with(packing.title(), "name it alone, not its folder"),
        }
    }

    /// Records of a class that nothing is taken from.
    pub(crate) fn class(class: &str) -> Self {
        let class: String = class.chars().take(40).collect();
        Self::with(format!("records of the class {} alone", class.escape_debug()), "name the folder with all classes")
    }

    /// A JSON object that is none of the forms, by its keys.
    pub(crate) fn json_object(keys: &[(String, Kind)]) -> Self {
        let has = |name: &str| keys.iter().any(|(key, _)| key == name);
        if has("verdict") && (has("joiners") || has("findings")) {
            return Self::with("a poolgate report", "name the snapshots that it was made from");
        }
        if let Some((_, Kind::Text(format))) = keys.iter().find(|(key, _)| key == "format") {
            return Self::new(format!("JSON of the format \"{}\"", format.escape_debug()));
        }
        if keys.is_empty() {
            return Self::with("an empty JSON object", "`poolgate collect TARGET -o FILE` writes a snapshot");
        }
        Self::new(format!("JSON of another kind, with {}", named(keys)))
    }

    /// JSON that breaks off or is no JSON, with the place.
    pub(crate) fn broken_json(error: &serde_json::Error, keys: &[(String, Kind)]) -> Self {
        if error.line() > 1 && error.to_string().starts_with("trailing characters") {
            return Self::with("several JSON documents, one to a line", "name a file that holds one");
        }
        let message = error.to_string();
        let seen = if keys.is_empty() { String::new() } else { format!(", with {}", named(keys)) };
        Self::new(format!("broken JSON{seen} ({message})"))
    }
}

fn named(keys: &[(String, Kind)]) -> String {
    const SHOWN: usize = 6;
    let short = |key: &String| format!("\"{}\"", key.chars().take(40).collect::<String>().escape_debug());
    let mut names: Vec<_> = keys.iter().take(SHOWN).map(|(key, _)| short(key)).collect();
    if keys.len() > SHOWN {
        names.push(format!("{} more", keys.len() - SHOWN));
    }
    format!("the {} {}", if keys.len() == 1 { "key" } else { "keys" }, names.join(", "))
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// First bytes that name a format.
const MAGIC: &[(&[u8], &str, Option<&str>)] = &[
    (b"PK\x05\x06", "an empty zip archive", None),
    (b"BZh", "a bzip2 archive", Some(UNPACK)),
    (b"\xfd7zXZ\x00", "an xz archive", Some(UNPACK)),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", Some(UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", Some(UNPACK)),
    (b"\x89PNG", "a PNG picture", None),
    (b"\xff\xd8\xff", "a JPEG picture", None),
    (b"%PDF", "a PDF document", None),
    (b"\x7fELF", "an ELF program", None),
    (b"MZ", "a Windows program", None),
    (b"SQLite format 3\x00", "an SQLite database", None),
    (b"\xff\xfe", "text in UTF-16", Some(PLAIN)),
    (b"\xfe\xff", "text in UTF-16", Some(PLAIN)),
    (b"#!", "a script", Some("run it, and name what it prints")),
];

/// Text at the start of a line, within the first few, that names a format.
const LINES: &[(&str, &str, Option<&str>)] = &[
    ("uuid ( RO)", "the output of an `xe` list", Some(XE)),
    ("Copyright (C) 1995-", BENCHMARK, Some(CPUID)),
    ("Copyright (C) 2003, ", BENCHMARK, Some(CPUID)),
    ("------[ Versions ]", "a report of AIDA64 without CPUID registers", Some(CPUID)),
    ("------[ CPU Info ]", "a report of AIDA64 without CPUID registers", Some(CPUID)),
    ("HTTP/1.", "an HTTP answer with its head", Some("keep what follows the first empty line")),
    ("--- ", "YAML", None),
    ("From ", "a mail", None),
];
const BENCHMARK: &str = "a benchmark report of AIDA64 or Everest, which holds no CPUID";
const CPUID: &str = "save the CPUID dump of the same tool";
const XE: &str = "save the records instead: XenAPI's get_all_records of each class as JSON";

/// What a text or binary looks like that is no JSON object and no XML-RPC answer.
pub(crate) fn look(head: &[u8]) -> Look {
    if head.is_empty() {
        return Look::with("an empty file", "`poolgate collect TARGET -o FILE` writes a snapshot");
    }
    if let Some((_, what, remedy)) = MAGIC.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Look { what: (*what).to_owned(), remedy: *remedy };
    }
    let text = without_mark(head);
    // UTF-16 without its mark: every other byte of ASCII is zero.
    if let [b'{' | b'<' | b'[', 0, ..] | [0, b'{' | b'<' | b'[', ..] = text {
        return Look::with("text in UTF-16", PLAIN);
    }
    if text.contains(&0) {
        return Look::new("binary data");
    }
    let Some(start) = text.iter().position(|byte| !byte.is_ascii_whitespace()) else {
        return Look::new("nothing but blanks");
    };
    match text[start] {
        b'[' => return Look::with("a JSON list", "expected one object; records are kept by class and reference"),
        b'<' => return xml(&text[start..]),
        _ => {}
    }
    let readable = String::from_utf8_lossy(text);
    for line in readable.lines().take(12) {
        if let Some((_, what, remedy)) = LINES.iter().find(|(start, ..)| line.starts_with(start)) {
            return Look { what: (*what).to_owned(), remedy: *remedy };
        }
    }
    // The head may end within a letter; anything else that is not UTF-8 is no text that is read.
    match std::str::from_utf8(text) {
        Err(error) if error.error_len().is_some() => Look::new("binary data, or text that is not UTF-8"),
        _ => Look::new("plain text"),
    }
}

fn xml(text: &[u8]) -> Look {
    match root_element(text) {
        Some("html" | "HTML") => Look::with("an HTML page", "a server that answers with a page has refused the call"),
        Some("methodCall") => Look::with("an XML-RPC call", "name the answer instead"),
        Some(root) => {
            let root: String = root.chars().take(40).collect();
            Look::new(format!("XML with the root element <{}>", root.escape_debug()))
        }
        None => Look::new("XML without a root element"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_look() {
        let of = |head: &[u8]| look(head).to_string();
        assert_eq!(of(b""), "an empty file");
        assert_eq!(of(b" \n\t"), "nothing but blanks");
        assert_eq!(of(b"\x7fELF\x02"), "an ELF program");
        assert_eq!(of(b"\xff\xfe{\0"), "text in UTF-16");
        assert_eq!(of(b"{\0\"\0"), "text in UTF-16");
        assert_eq!(of(&[0; 100]), "binary data");
        assert_eq!(of(b"caf\xe9 au lait"), "binary data, or text that is not UTF-8");
        assert_eq!(of("café".as_bytes()), "plain text");
        assert_eq!(of(b"[1,2]"), "a JSON list");
        assert_eq!(of(b"<!DOCTYPE html>\n<html><body>"), "an HTML page");
        assert_eq!(of(b"<note/>"), "XML with the root element <note>");
    }
}
