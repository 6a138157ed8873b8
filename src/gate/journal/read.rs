//! Reads a journal and checks its chain. A last line that was cut off is what a crash leaves; anything else is told.

use super::event::Event;
use super::line::{Bad, Entry, NONE, read_line};
use crate::gate::digest::sha256;

/// What a journal says, as far as its chain holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The lines, up to the first fault.
    pub entries: Vec<Entry>,
    /// The hash of the last of them; empty when there is none.
    pub head: String,
    /// What is left of a last line that was being written when the writer was stopped.
    pub torn: Option<Torn>,
    /// How many earlier crashes left such a piece, each followed by a line that says so.
    pub recovered: usize,
    /// Where the chain breaks.
    pub fault: Option<Fault>,
    /// Whether a newline must be written before the next line.
    pub(super) unended: bool,
}

/// A piece of a line that a crash left, or several where crash followed on crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The line's number in the file, from 1.
    pub line: usize,
    /// How long it is.
    pub bytes: usize,
    /// Its digest.
    pub sha256: String,
}

/// A line that does not follow on the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line's number in the file, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Reads a journal from its bytes.
pub fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading { unended: !bytes.is_empty() && bytes.last() != Some(&b'\n'), ..Reading::default() };
    // Where the pieces since the last whole line begin: byte and line.
    let mut pieces: Option<(usize, usize)> = None;
    let mut at = 0;
    for (index, raw) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let begin = at;
        at += raw.len();
        let line = raw.strip_suffix(b"\n").unwrap_or(raw);
        let seq = reading.entries.last().map_or(1, |entry| entry.seq + 1);
        let prev = if reading.head.is_empty() { NONE } else { &reading.head };
        let bad = match read_line(line, seq, prev) {
            Ok((entry, hash)) => {
                let torn = pieces.take().map(|(from, line)| torn(&bytes[from..begin], line));
                if torn.is_some() {
                    reading.recovered += 1;
                }
                match accounts_for(&entry.event, torn) {
                    Err(fault) => Some(fault.map_or((index, TAKEN), |line| (line - 1, UNACCOUNTED))),
                    Ok(()) => {
                        reading.head = hash;
                        reading.entries.push(entry);
                        None
                    }
                }
                .map(|(index, what)| Fault { line: index + 1, what: what.to_owned() })
            }
            Err(Bad::Short) if !line.is_empty() => {
                pieces.get_or_insert((begin, index + 1));
                None
            }
            Err(Bad::Short) => Some(Fault { line: index + 1, what: "it is empty: a line was taken out".to_owned() }),
            Err(Bad::Wrong(what)) => Some(Fault { line: index + 1, what }),
        };
        if bad.is_some() {
            reading.fault = bad;
            return reading;
        }
    }
    reading.torn = pieces.map(|(from, line)| torn(&bytes[from..], line));
    reading
}

const TAKEN: &str = "it speaks of a piece of a line that is not there: something was taken out before it";
const UNACCOUNTED: &str = "it is a piece of a line, and the next whole line does not account for it";

/// The pieces, without the newline that ends the last of them.
fn torn(pieces: &[u8], line: usize) -> Torn {
    let pieces = pieces.strip_suffix(b"\n").unwrap_or(pieces);
    Torn { line, bytes: pieces.len(), sha256: sha256(pieces) }
}

/// Whether a line says of the pieces before it that they are there, and of none that are not; else the line of the
/// pieces.
fn accounts_for(event: &Event, torn: Option<Torn>) -> Result<(), Option<usize>> {
    match (event, torn) {
        (Event::Recovered { bytes, sha256 }, Some(torn)) if *bytes == torn.bytes && *sha256 == torn.sha256 => Ok(()),
        (Event::Recovered { .. }, None) => Err(None),
        (_, Some(torn)) => Err(Some(torn.line)),
        (_, None) => Ok(()),
    }
}
