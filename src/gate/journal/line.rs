//! A line: `{"seq":N,"prev":"…","at":"…",…,"hash":"…"}`. The hash is over the very bytes before it, so that no spelling
//! of the same content passes for another.

use serde::{Deserialize, Serialize};

use super::event::Event;
use crate::gate::digest::sha256;
use crate::text::json_text;

/// What the first line names as the one before it.
pub(super) const NONE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const HASH_KEY: &str = ",\"hash\":\"";
const HASH_END: &str = "\"}";
/// `,"hash":"` + 64 digits + `"}`
const TAIL: usize = HASH_KEY.len() + 64 + HASH_END.len();

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub seq: u64,
    /// The hash of the line before.
    pub prev: String,
    /// When it was written, `YYYY-MM-DDThh:mm:ssZ`.
    pub at: String,
    /// What it tells.
    #[serde(flatten)]
    pub event: Event,
}

impl Entry {
    /// The line without its newline, and its hash.
    pub(super) fn write(&self) -> Result<(String, String), serde_json::Error> {
        let mut body = json_text(&serde_json::to_string(self)?).into_owned();
        body.pop();
        let hash = sha256(body.as_bytes());
        body.push_str(HASH_KEY);
        body.push_str(&hash);
        body.push_str(HASH_END);
        Ok((body, hash))
    }
}

/// Why some bytes are no line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// It ends too early, as a write does that was cut off.
    Short,
    /// Anything else.
    Wrong(String),
}

/// Reads a line that should have this number and follow on this hash. Returns it with its own hash.
pub(super) fn read_line(bytes: &[u8], seq: u64, prev: &str) -> Result<(Entry, String), Bad> {
    let Some(at) = bytes.len().checked_sub(TAIL) else { return Err(short_or_wrong(bytes, seq, prev)) };
    let (body, tail) = bytes.split_at(at);
    let hash = tail
        .strip_prefix(HASH_KEY.as_bytes())
        .and_then(|tail| tail.strip_suffix(HASH_END.as_bytes()))
        .filter(|hash| hash.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte)));
    let Some(hash) = hash.and_then(|hash| std::str::from_utf8(hash).ok()) else {
        return Err(short_or_wrong(bytes, seq, prev));
    };
    if sha256(body) != hash {
        return Err(Bad::Wrong("its hash is not that of its content: it was changed".to_owned()));
    }
    if !body.starts_with(opening(seq, prev).as_bytes()) {
        return Err(Bad::Wrong(format!(
            "it does not follow on the line before it (expected number {seq} after {}): lines were taken out, added or moved",
            short(prev)
        )));
    }
    let text = std::str::from_utf8(body).map_err(|error| Bad::Wrong(error.to_string()))?;
    let entry = serde_json::from_str(&format!("{text}}}"));
    entry.map(|entry| (entry, hash.to_owned())).map_err(|error| {
        Bad::Wrong(format!("this version cannot read it ({error}); a newer poolgate may have written it"))
    })
}

/// How every line begins that has this number and follows on this hash.
fn opening(seq: u64, prev: &str) -> String {
    format!("{{\"seq\":{seq},\"prev\":\"{prev}\",\"at\":\"")
}

/// A piece of a line that was being written is a beginning of it, and nothing else is.
fn short_or_wrong(bytes: &[u8], seq: u64, prev: &str) -> Bad {
    let opening = opening(seq, prev);
    let common = bytes.len().min(opening.len());
    let is_text = match std::str::from_utf8(bytes) {
        Ok(text) => !text.chars().any(char::is_control),
        // A character may be cut in two at the end, and nowhere else.
        Err(error) => error.error_len().is_none(),
    };
    let closed = bytes.windows(HASH_KEY.len()).rposition(|window| window == HASH_KEY.as_bytes());
    let whole = closed.is_some_and(|at| bytes.len() - at >= TAIL) || looks_closed(bytes);
    if is_text && !whole && bytes[..common] == opening.as_bytes()[..common] {
        Bad::Short
    } else {
        Bad::Wrong("it is no line of a journal".to_owned())
    }
}

/// Whether it ends as a line does, but for the key of the hash.
fn looks_closed(bytes: &[u8]) -> bool {
    let Some(digits) =
        bytes.strip_suffix(HASH_END.as_bytes()).and_then(|rest| rest.len().checked_sub(64).map(|at| &rest[at..]))
    else {
        return false;
    };
    digits.iter().all(u8::is_ascii_hexdigit)
}

/// The beginning of a hash, for people.
pub(super) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
