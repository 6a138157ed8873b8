//! Fleets: many hosts in one text, a line each (NDJSON), read as a stream in bounded memory and on all cores.
//!
//! A line is a poolgate snapshot, XenAPI records as one object of classes, or one host's record with what belongs to it:
//! `{"host": {…}, "ref": "OpaqueRef:…", "VM": {reference: record}, …}`. Each line's format is recognised for itself.

mod blocks;
mod cpus;
mod key;
mod line;
mod pools;
mod region;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::thread;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::files::without_mark;
use super::records::answers::is_host_record;
use super::{CollectError, Collected, Target, read_target};
use crate::snapshot::MORE_DOCUMENTS;

pub use blocks::{Block, Blocks};
pub use cpus::{FleetCpus, read_cpus};
pub use key::Said;
pub use pools::{FleetHost, FleetPool, Found, read_block};
pub use region::{Region, open_fleet, open_region};

/// The most bytes of one line: a host with its pool's records takes some tens of thousands.
const MOST: u64 = 64 << 20;
/// Lines that are read before they are parsed side by side.
const BATCH: usize = 256;

/// A line's number and what it held.
type Numbered = (usize, Result<Box<Collected>, CollectError>);

/// What a target held that may be a fleet.
#[derive(Debug)]
pub enum Piece {
    /// One snapshot: the target is no fleet.
    One(Box<Collected>),
    /// A line of a fleet, from 1.
    Line(usize, Result<Box<Collected>, CollectError>),
}

/// Reads a target that may be a fleet, and hands over what it holds piece by piece, in the order of the lines.
pub fn read_fleet(target: &Target, stdin: &mut dyn Read, mut each: impl FnMut(Piece)) -> Result<(), CollectError> {
    match target {
        Target::File(path) if path.is_file() => {
            let io = |source| CollectError::Io { name: target.to_string(), source };
            let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(io)?);
            let first = next_line(&mut reader, &target.to_string())?;
            if is_fleet(&first, &mut reader).map_err(io)? {
                return read_lines(&target.to_string(), first, reader, &mut each);
            }
            each(Piece::One(Box::new(read_one(target, path)?)));
        }
        Target::Stdin => {
            let name = target.to_string();
            let mut reader = BufReader::with_capacity(1 << 20, stdin);
            let first = next_line(&mut reader, &name)?;
            if is_fleet(&first, &mut reader).map_err(|source| CollectError::Io { name: name.clone(), source })? {
                return read_lines(&name, first, reader, &mut each);
            }
            let mut whole = first.as_slice().chain(reader);
            each(Piece::One(Box::new(read_target(target, &mut whole)?)));
        }
        _ => each(Piece::One(Box::new(read_target(target, stdin)?))),
    }
    Ok(())
}

/// A target that was looked into.
pub enum Peeked<'r> {
    /// A fleet: what was read of it, and the rest.
    Fleet(Vec<u8>, Box<dyn Read + Send + 'r>),
    /// No fleet: what the target holds.
    One(Box<Collected>),
}

/// Tells whether a file or standard input is a fleet; reads it where it is none.
pub fn peek_fleet<'r>(target: &Target, stdin: impl Read + Send + 'r) -> Result<Peeked<'r>, CollectError> {
    let name = target.to_string();
    let io = |source| CollectError::Io { name: name.clone(), source };
    let reader: Box<dyn Read + Send + 'r> = match target {
        Target::File(path) if path.is_file() => Box::new(File::open(path).map_err(io)?),
        Target::Stdin => Box::new(stdin),
        _ => return read_target(target, &mut std::io::empty()).map(Box::new).map(Peeked::One),
    };
    let mut reader = BufReader::with_capacity(1 << 20, reader);
    let mut read = next_line(&mut reader, &name)?;
    if is_fleet(&read, &mut reader).map_err(io)? {
        read.extend_from_slice(reader.buffer());
        return Ok(Peeked::Fleet(read, reader.into_inner()));
    }
    let one = match target {
        Target::Stdin => read_target(target, &mut read.as_slice().chain(reader)),
        Target::File(path) => read_one(target, path),
        _ => read_target(target, &mut std::io::empty()),
    };
    one.map(Box::new).map(Peeked::One)
}

/// Reads a file that is no fleet, and tells one that is packed.
fn read_one(target: &Target, path: &Path) -> Result<Collected, CollectError> {
    read_target(target, &mut std::io::empty()).map_err(|error| {
        let goes_on = match &error {
            CollectError::Malformed { line: 2.., .. } => true,
            CollectError::Snapshot { source, .. } => source.to_string().ends_with(MORE_DOCUMENTS),
            _ => false,
        };
        if goes_on && is_packed(path) { CollectError::Packed { name: target.to_string() } } else { error }
    })
}

/// Whether a file is packed with gzip.
pub fn is_packed(path: &Path) -> bool {
    let mut start = [0; 2];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok_and(|()| start == [0x1f, 0x8b])
}

/// A fleet's first line is an object by itself, and either more lines follow or it holds one host's record.
fn is_fleet(first: &[u8], rest: &mut impl BufRead) -> std::io::Result<bool> {
    let line = without_mark(first).trim_ascii();
    if !line.starts_with(b"{") || serde_json::from_slice::<IgnoredAny>(line).is_err() {
        return Ok(false);
    }
    let more = rest.fill_buf()?.trim_ascii().starts_with(b"{");
    Ok(more || serde_json::from_slice::<Value>(line).is_ok_and(|value| is_host_line(&value)))
}

fn is_host_line(value: &Value) -> bool {
    value.get("host").is_some_and(is_host_record)
}

/// The next line with its end; empty at the end of the text.
fn next_line(reader: &mut impl BufRead, name: &str) -> Result<Vec<u8>, CollectError> {
    let mut line = Vec::new();
    let read = reader.by_ref().take(MOST).read_until(b'\n', &mut line);
    read.map_err(|source| CollectError::Io { name: name.to_owned(), source })?;
    if line.len() as u64 == MOST {
        return Err(CollectError::TooLarge { name: name.to_owned(), limit: MOST });
    }
    Ok(line)
}

fn read_lines(
    name: &str,
    first: Vec<u8>,
    mut reader: impl BufRead,
    each: &mut impl FnMut(Piece),
) -> Result<(), CollectError> {
    let mut number = 1;
    let mut line = first;
    let mut batch: Vec<(usize, Vec<u8>)> = Vec::new();
    while !line.is_empty() {
        if !line.trim_ascii().is_empty() {
            batch.push((number, line));
        }
        if batch.len() == BATCH {
            parse(name, std::mem::take(&mut batch), each);
        }
        number += 1;
        line = next_line(&mut reader, &format!("{name}:{number}"))?;
    }
    parse(name, batch, each);
    Ok(())
}

/// Parses lines side by side, and hands them over in their order.
fn parse(name: &str, batch: Vec<(usize, Vec<u8>)>, each: &mut impl FnMut(Piece)) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let part = batch.len().div_ceil(cores).max(1);
    let parsed: Vec<Vec<Numbered>> = thread::scope(|scope| {
        let parts: Vec<_> = batch
            .chunks(part)
            .map(|lines| {
                scope.spawn(move || {
                    lines.iter().map(|(number, line)| (*number, line::read(name, *number, line))).collect()
                })
            })
            .collect();
        parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    for (number, read) in parsed.into_iter().flatten() {
        each(Piece::Line(number, read));
    }
}
