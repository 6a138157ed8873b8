//! The journal: append-only lines of JSON, each with the digest of the one before, on disk before the step that it
//! announces is taken. Written by `gate` only; `poolgate journal verify` reads it too.

mod event;
mod line;
mod others;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use event::{Act, Event, Named, Outcome, Sent};
pub use line::Entry;
pub use others::{forget, list, noted, others, remember};
pub use read::{Fault, Reading, Torn, read};
pub(in crate::gate) use write::make_folder;
pub use write::{Journal, JournalError, MOST, default_folder};
