//! Threads that work on one text together: each takes the next block when it is free, and what they make is handed over in
//! the order of the blocks.

use std::collections::BTreeMap;
use std::io::Read;
use std::panic::resume_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::collect::{Block, Blocks, CollectError};

/// Blocks that may be done before the one whose turn it is, for each thread.
const AHEAD: usize = 4;

/// What a thread does with blocks.
pub(super) trait Work {
    /// Does a block, and gives what is to be handed over in order.
    fn block(&mut self, block: &Block) -> String;
}

/// What is done with what was made of the blocks, in their order; the size is that of the block, bytes. False stops the work.
pub(super) type HandOver<'h> = dyn FnMut(String, usize) -> bool + Send + 'h;

struct Line<'h> {
    next: u64,
    waiting: BTreeMap<u64, (String, usize)>,
    hand_over: &'h mut HandOver<'h>,
    stopped: bool,
}

/// Does all blocks with these workers, a thread each, and gives the workers back.
pub(super) fn run<R: Read + Send, W: Work + Send>(
    blocks: Blocks<R>,
    workers: Vec<W>,
    hand_over: &mut HandOver<'_>,
) -> Result<Vec<W>, CollectError> {
    let ahead = AHEAD * workers.len();
    let blocks = Mutex::new(blocks);
    let line = Mutex::new(Line { next: 0, waiting: BTreeMap::new(), hand_over, stopped: false });
    let turn = Condvar::new();
    let one = |mut worker: W| -> Result<W, CollectError> {
        loop {
            let block = match lock(&blocks).take_next() {
                Ok(Some(block)) => block,
                Ok(None) => return Ok(worker),
                Err(error) => {
                    lock(&line).stopped = true;
                    turn.notify_all();
                    return Err(error);
                }
            };
            let made = worker.block(&block);
            let mut line = lock(&line);
            line.waiting.insert(block.index, (made, block.len()));
            line.advance();
            turn.notify_all();
            while line.waiting.len() > ahead && !line.stopped {
                line = turn.wait(line).unwrap_or_else(PoisonError::into_inner);
            }
            if line.stopped {
                return Ok(worker);
            }
        }
    };
    let done = thread::scope(|scope| {
        let mut workers = workers.into_iter();
        let own = workers.next();
        let others: Vec<_> = workers.map(|worker| scope.spawn(|| one(worker))).collect();
        let own = own.map(&one);
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        own.into_iter().chain(others).collect::<Vec<_>>()
    });
    done.into_iter().collect()
}

impl Line<'_> {
    /// Hands over what is next, as far as it is done.
    fn advance(&mut self) {
        while let Some((made, size)) = self.waiting.remove(&self.next) {
            self.next += 1;
            if !self.stopped && !(self.hand_over)(made, size) {
                self.stopped = true;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked ends the process once all are joined.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
