//! A folder of answers, one file a class.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::answers::{Answers, is_class, is_unused};
use super::{json, snapshot, xml};
use crate::collect::files::{self, Budget};
use crate::collect::limits::HEAD;
use crate::collect::peek::Form;
use crate::collect::recognise::recognise;
use crate::collect::{CollectError, Collected, Look};

/// What stands between a class and the extension in a file's name.
const CALL: &str = "get_all_records";
/// The file of what the wire does not show.
const OFF_WIRE: &str = "off_wire.json";

/// The class that a file's name gives: `host.get_all_records.json`.
pub(super) fn class_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let mut parts = name.split('.');
    let (class, call, extension) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = call == CALL && matches!(extension, "json" | "xml" | "txt") && parts.next().is_none();
    (fits && !class.is_empty()).then(|| class.to_owned())
}

/// Whether a file is read where the folder that it lies in is a target: by its name.
pub fn is_answer(path: &Path) -> bool {
    class_of(path).is_some() || path.file_name().is_some_and(|name| name == OFF_WIRE)
}

/// Reads all answers in a folder. Files of other names are left alone.
pub(in crate::collect) fn read_folder(folder: &Path) -> Result<Collected, CollectError> {
    let name = folder.display().to_string();
    let names = list(folder)?;
    let mut files = BTreeMap::new();
    for file in &names {
        let Some(class) = class_of(Path::new(file)) else { continue };
        if let Some(first) = files.insert(class.clone(), file.clone()) {
            return Err(CollectError::TwoAnswers { name, class, first, second: file.clone() });
        }
    }
    if files.is_empty() {
        let inside = names.iter().filter(|inside| holds_answers(&folder.join(inside)));
        let inside = inside.take(3).map(|inside| folder.join(inside).display().to_string()).collect();
        return Err(CollectError::EmptyFolder { name, inside });
    }
    let mut answers = Answers::default();
    let mut budget = Budget::new();
    for (class, file) in files {
        if is_class(&class) {
            let answer = read_file(&folder.join(file), &mut budget)?;
            answers.add(class, answer);
        } else if !is_unused(&class) {
            answers.add_stranger(class);
        }
    }
    if names.iter().any(|file| file == OFF_WIRE) {
        let path = folder.join(OFF_WIRE);
        let text = files::load(&path, &mut budget)?;
        answers.add_off_wire(json::read_value(&path.display().to_string(), &text)?);
    }
    snapshot(&name, answers)
}

type Answer = Result<super::answers::Records, super::answers::ServerError>;

fn read_file(path: &Path, budget: &mut Budget) -> Result<Answer, CollectError> {
    let name = path.display().to_string();
    let text = files::load(path, budget)?;
    let head = &text[..text.len().min(HEAD)];
    match recognise(head, head.len() == text.len()) {
        Ok(Form::JsonAnswer) => json::read_answer(&name, &text),
        Ok(Form::XmlAnswer) => xml::read_answer(&name, &text),
        // Records without an envelope are taken for what the name says.
        Ok(Form::Records) | Err(_) if is_bare(&text) => json::read_value(&name, &text).map(Ok),
        Ok(form) => Err(CollectError::Unrecognised { name, look: Look::form(form) }),
        Err(look) => Err(CollectError::Unrecognised { name, look }),
    }
}

/// Whether a text is {reference: record} without an envelope.
fn is_bare(text: &[u8]) -> bool {
    let text = files::without_mark(text).trim_ascii_start();
    let Some(inside) = text.strip_prefix(b"{") else { return false };
    let inside = inside.trim_ascii_start();
    inside.starts_with(b"\"OpaqueRef:") || inside.trim_ascii_end() == b"}"
}

/// The names in a folder, in order.
fn list(folder: &Path) -> Result<Vec<String>, CollectError> {
    let name = || folder.display().to_string();
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::PermissionDenied => CollectError::Permission { name: name() },
        _ => CollectError::Io { name: name(), source },
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

fn holds_answers(folder: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else { return false };
    entries.any(|entry| entry.is_ok_and(|entry| class_of(Path::new(OsStr::new(&entry.file_name()))).is_some()))
}
