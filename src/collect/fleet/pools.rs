//! The pools of a block: consecutive lines of one pool together, the first of them its coordinator.

use super::blocks::{Block, Place, Step, lines};
use super::key::{Key, Said};
use super::line::{self, Parts};
use crate::collect::{CollectError, Collected};

/// A host of a fleet.
#[derive(Debug)]
pub struct FleetHost {
    /// Its line, from 1.
    pub line: usize,
    /// What the line held.
    pub collected: Box<Collected>,
}

/// Lines of one pool.
#[derive(Debug)]
pub struct FleetPool {
    /// The line that it begins with, from 1.
    pub line: usize,
    /// By what it is told from others.
    pub said: Said,
    /// Whether a line right before it cannot be read, and may have been its first.
    pub doubtful: bool,
    /// What its first line held; none where that cannot be read, though it says the pool.
    pub first: Option<FleetHost>,
    /// The others, in their order.
    pub others: Vec<FleetHost>,
}

/// What a block holds.
#[derive(Debug)]
pub enum Found {
    /// A pool.
    Pool(FleetPool),
    /// A line that cannot be read, by its number.
    Unreadable(usize, CollectError),
}

/// Reads the pools of a block in their order; what cannot be read is handed over before the pool that it stands in.
pub fn read_block(name: &str, block: &Block, mut each: impl FnMut(Found)) {
    let mut place = Place::start(block.doubtful);
    let mut pool: Option<FleetPool> = None;
    for (number, text) in (block.line..).zip(lines(&block.text)) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let parts = Parts::of(text);
        let step = place.step(parts.as_ref().ok().and_then(Key::of));
        if matches!(step, Step::Begins { .. })
            && let Some(pool) = pool.take()
        {
            each(Found::Pool(pool));
        }
        let read = match parts {
            Ok(parts) if step == Step::Broken && Key::odd_group(&parts) => Err(line::odd_group(name, number)),
            Ok(_) if step == Step::Broken => Err(line::no_host(name, number)),
            Ok(parts) => line::read_parts(name, number, text, parts),
            Err(error) => Err(line::malformed(name, number, &error)),
        };
        let host = match read {
            Ok(collected) => Some(FleetHost { line: number, collected }),
            Err(error) => {
                each(Found::Unreadable(number, error));
                None
            }
        };
        match (step, &mut pool, host) {
            (Step::Begins { doubtful }, _, first) => {
                let said = place.last().map(Key::said).unwrap_or_default();
                pool = Some(FleetPool { line: number, said, doubtful, first, others: Vec::new() });
            }
            (Step::Continues, Some(pool), Some(host)) => pool.others.push(host),
            _ => {}
        }
    }
    if let Some(pool) = pool {
        each(Found::Pool(pool));
    }
}
