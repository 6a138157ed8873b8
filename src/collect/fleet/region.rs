//! A part of a fleet's file: pools are never split, and every pool is in exactly one part.
//!
//! Part I of N has the pools whose first lines begin in the I-th N-th of the file's bytes, and the lines that cannot be read
//! between them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use memchr::{memchr, memchr_iter};
use sha2::{Digest as _, Sha256};

use super::blocks::{Place, Step, key_of};
use crate::collect::CollectError;
use crate::collect::files::open_stream;

/// How much is looked at to find a line's neighbours, bytes; doubled until they are found.
const WINDOW: u64 = 1 << 20;
/// The most bytes of one line.
const MOST: u64 = 64 << 20;
/// How much of the beginning of a fleet tells it from another, bytes.
const HEAD: u64 = 64 << 10;

/// Where a part of a fleet lies in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first byte.
    pub from: u64,
    /// Behind the last byte.
    pub to: u64,
    /// The number of its first line, from 1.
    pub line: usize,
    /// Whether lines right before it cannot be read.
    pub doubtful: bool,
    /// The size of the whole file, bytes.
    pub bytes: u64,
    /// SHA-256 over the beginning of the file.
    pub head: String,
}

/// Opens part `index` (from 1) of `of` parts of a file, and says where it lies.
pub fn open_region(path: &Path, index: u32, of: u32) -> Result<(io::Take<File>, Region), CollectError> {
    let (mut file, bytes) = open_stream(path)?;
    if !path.is_file() {
        // Its size is not known, and so neither is where its parts begin.
        return Err(CollectError::NotAFile { name: path.display().to_string(), kind: "a pipe, which has no parts" });
    }
    let mut find = || {
        let nth = |index: u32| u64::try_from(u128::from(bytes) * u128::from(index) / u128::from(of)).unwrap_or(bytes);
        let (from, doubtful) = first_pool(&mut file, nth(index - 1), bytes)?;
        let (to, _) = if index == of { (bytes, false) } else { first_pool(&mut file, nth(index), bytes)? };
        file.rewind()?;
        let mut head = Vec::new();
        (&mut file).take(HEAD).read_to_end(&mut head)?;
        let head = Sha256::digest(&head).iter().map(|byte| format!("{byte:02x}")).collect();
        let line = 1 + line_ends(&mut file, from)?;
        Ok(Region { from, to, line, doubtful, bytes, head })
    };
    let name = || path.display().to_string();
    let region = find().map_err(|source: io::Error| CollectError::Io { name: name(), source })?;
    let seek = file.seek(SeekFrom::Start(region.from));
    seek.map_err(|source| CollectError::Io { name: name(), source })?;
    Ok((file.take(region.to - region.from), region))
}

/// Opens a whole fleet.
pub fn open_fleet(path: &Path) -> Result<(File, u64), CollectError> {
    open_stream(path)
}

/// Where the first pool begins whose first line begins at a place or after it, and whether lines before it are broken.
fn first_pool(file: &mut File, at: u64, bytes: u64) -> io::Result<(u64, bool)> {
    if at == 0 {
        return Ok((0, false));
    }
    // A line begins here where the byte before it ends one.
    file.seek(SeekFrom::Start(at - 1))?;
    let mut reader = BufReader::new(&mut *file);
    let mut start = at - 1 + skip_line(&mut reader)?;
    drop(reader);
    let mut place = place_before(file, start)?;
    file.seek(SeekFrom::Start(start))?;
    let mut reader = BufReader::with_capacity(64 << 10, file);
    let mut line = Vec::new();
    while start < bytes {
        line.clear();
        let read = (&mut reader).take(MOST).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        if !line.trim_ascii().is_empty()
            && let Step::Begins { doubtful } = place.step(key_of(&line))
        {
            return Ok((start, doubtful));
        }
        start += read as u64;
    }
    Ok((bytes, false))
}

/// Passes over the rest of a line, and says how many bytes it had with its end.
fn skip_line(reader: &mut impl BufRead) -> io::Result<u64> {
    let mut passed = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let (used, done) = match memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        passed += used as u64;
        if done {
            return Ok(passed);
        }
    }
}

/// What the lines before a line's beginning mean for it.
fn place_before(file: &mut File, end: u64) -> io::Result<Place> {
    let mut window = WINDOW;
    loop {
        let start = end.saturating_sub(window);
        file.seek(SeekFrom::Start(start))?;
        let mut text = Vec::new();
        (&mut *file).take(end - start).read_to_end(&mut text)?;
        // The first line of a window may be the rest of one.
        let whole = match start {
            0 => 0,
            _ => memchr(b'\n', &text).map_or(text.len(), |at| at + 1),
        };
        let (place, decided) = Place::after(&text[whole..]);
        if decided || start == 0 || window >= 4 * MOST {
            return Ok(place);
        }
        window *= 2;
    }
}

/// How many line ends there are before a place.
fn line_ends(file: &mut File, at: u64) -> io::Result<usize> {
    file.rewind()?;
    let mut reader = BufReader::with_capacity(1 << 20, file.take(at));
    let mut count = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(count);
        }
        count += memchr_iter(b'\n', buffer).count();
        let used = buffer.len();
        reader.consume(used);
    }
}
