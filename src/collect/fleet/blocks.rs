//! A fleet in blocks that end where a pool ends, so that each can be judged by itself.

use std::io::Read;

use memchr::{memchr, memchr_iter, memrchr};

use super::key::Key;
use super::line::Parts;
use crate::collect::CollectError;

/// How much is read before a block is cut, bytes: enough that cutting costs little beside judging.
const BLOCK: usize = 1 << 20;
/// The most bytes that the lines of one pool may take.
const MOST: usize = 256 << 20;
/// So many lines in a row that cannot be read end a pool: what comes after them is not taken for more of it.
const BROKEN: u32 = 64;

/// Lines of whole pools.
#[derive(Debug)]
pub struct Block {
    /// Its place among the blocks, from 0.
    pub index: u64,
    /// The number of its first line, from 1.
    pub(super) line: usize,
    /// Whether the line before its first pool cannot be read, and may have been that pool's first.
    pub(super) doubtful: bool,
    pub(super) text: Vec<u8>,
}

impl Block {
    /// How many bytes it has.
    pub const fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether it has none, which no block of a fleet has.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// Where in a fleet one is: what the lines so far mean for the next one. The rule by which pools are told apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    last: Option<Key>,
    broken: u32,
}

/// What a line is in its fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It begins a pool; `doubtful` where lines before it cannot be read, of which one may have been the pool's first.
    Begins { doubtful: bool },
    /// It belongs to the pool of the line before it.
    Continues,
    /// It cannot be read as a host.
    Broken,
}

impl Place {
    /// Before the first line of a block.
    pub(super) const fn start(doubtful: bool) -> Self {
        Self { last: None, broken: if doubtful { 1 } else { 0 } }
    }

    /// Behind whole lines, and whether these alone decide: what stands before them does not matter.
    pub(super) fn after(text: &[u8]) -> (Self, bool) {
        let mut broken = 0;
        let mut end = text.len();
        while end > 0 {
            let start = memrchr(b'\n', &text[..end - 1]).map_or(0, |at| at + 1);
            let line = &text[start..end];
            if !line.trim_ascii().is_empty() {
                match key_of(line) {
                    Some(key) => return (Self { last: Some(key), broken }, true),
                    None => broken += 1,
                }
                if broken >= BROKEN {
                    return (Self { last: None, broken }, true);
                }
            }
            end = start;
        }
        (Self { last: None, broken }, false)
    }

    /// The last line's key, where it has one.
    pub(super) const fn last(&self) -> Option<&Key> {
        self.last.as_ref()
    }

    /// The next line that is not blank.
    pub(super) fn step(&mut self, key: Option<Key>) -> Step {
        let Some(key) = key else {
            self.broken = self.broken.saturating_add(1);
            return Step::Broken;
        };
        let continues = self.broken < BROKEN && self.last.as_ref().is_some_and(|last| key.continues(last));
        let step = if continues { Step::Continues } else { Step::Begins { doubtful: self.broken > 0 } };
        *self = Self { last: Some(key), broken: 0 };
        step
    }
}

/// The key of a line; none where it cannot be read as a host.
pub(super) fn key_of(line: &[u8]) -> Option<Key> {
    Parts::of(line).ok().and_then(|parts| Key::of(&parts))
}

/// The lines of a text, each with its end.
pub(super) fn lines(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = memchr(b'\n', text).map_or(text.len(), |at| at + 1);
        let line = text.split_off(..end)?;
        (!line.is_empty()).then_some(line)
    })
}

/// Reads a fleet block by block.
#[derive(Debug)]
pub struct Blocks<R> {
    reader: R,
    name: String,
    /// What was read and belongs to the next block.
    rest: Vec<u8>,
    line: usize,
    index: u64,
    doubtful: bool,
    ended: bool,
    /// Whether blocks end where pools end, and not just where lines do.
    pools: bool,
}

impl<R: Read> Blocks<R> {
    /// From a text whose first line has this number. `doubtful` where lines right before it cannot be read.
    pub const fn new(name: String, reader: R, line: usize, doubtful: bool) -> Self {
        Self { reader, name, rest: Vec::new(), line, index: 0, doubtful, ended: false, pools: true }
    }

    /// The same in blocks of whole lines, whatever their pools. `read` was read of the text already.
    pub const fn of_lines(name: String, reader: R, read: Vec<u8>) -> Self {
        Self { reader, name, rest: read, line: 1, index: 0, doubtful: false, ended: false, pools: false }
    }

    /// The next block; none at the end.
    pub fn take_next(&mut self) -> Result<Option<Block>, CollectError> {
        let mut text = std::mem::take(&mut self.rest);
        let mut wanted = BLOCK;
        let (end, doubtful) = loop {
            if !self.ended {
                self.fill(&mut text, wanted)?;
            }
            if self.ended {
                break (text.len(), false);
            }
            let end = if self.pools { last_end(&text) } else { memrchr(b'\n', &text).map(|at| (at + 1, false)) };
            if let Some(end) = end {
                break end;
            }
            if text.len() > MOST {
                let limit = MOST as u64;
                return Err(CollectError::TooLarge { name: format!("{}:{}: a pool", self.name, self.line), limit });
            }
            wanted *= 2;
        };
        if text.is_empty() {
            return Ok(None);
        }
        // The rest is seldom much: a pool that goes on in the next block.
        let mut rest = Vec::with_capacity(BLOCK + BLOCK / 4);
        rest.extend_from_slice(&text[end..]);
        text.truncate(end);
        self.rest = rest;
        let block = Block { index: self.index, line: self.line, doubtful: self.doubtful, text };
        self.index += 1;
        self.line += memchr_iter(b'\n', &block.text).count();
        self.doubtful = doubtful;
        Ok(Some(block))
    }

    fn fill(&mut self, text: &mut Vec<u8>, wanted: usize) -> Result<(), CollectError> {
        let more = wanted.saturating_sub(text.len()).max(BLOCK / 4);
        let read = self.reader.by_ref().take(more as u64).read_to_end(text);
        let read = read.map_err(|source| CollectError::Io { name: self.name.clone(), source })?;
        self.ended = read < more;
        Ok(())
    }
}

/// Where a text may be cut: behind the last line of the last pool that certainly ends in it, and whether lines that cannot
/// be read stand before that. None where no pool is sure to end.
fn last_end(text: &[u8]) -> Option<(usize, bool)> {
    // What stands behind the last line end is no whole line yet.
    let whole = memrchr(b'\n', text)? + 1;
    let mut end = whole;
    let mut later: Option<Key> = None;
    let mut broken = 0;
    while end > 0 {
        let start = memrchr(b'\n', &text[..end - 1]).map_or(0, |at| at + 1);
        let line = &text[start..end];
        if !line.trim_ascii().is_empty() {
            match key_of(line) {
                None => broken += 1,
                Some(_) if broken >= BROKEN => return Some((end, false)),
                Some(key) if later.as_ref().is_some_and(|later| !later.continues(&key)) => return Some((end, false)),
                Some(key) => {
                    later = Some(key);
                    broken = 0;
                }
            }
        }
        end = start;
    }
    (later.is_none() && broken >= BROKEN).then_some((whole, true))
}
