//! The gate: plan, confirm, collect again and compare, act, verify. The only code that changes anything anywhere.
//! Called by `cli`; knows every layer before it. What it does to servers goes through [`World`], so that tests can stand
//! in for them.

mod act;
pub mod digest;
pub mod drift;
mod end;
pub mod journal;
pub mod lock;
pub mod look;
pub mod plan;
mod restore;
mod resume;
mod run;
pub mod verify;
mod world;

pub use end::{End, Turn, Waits};
pub use restore::{is_restore_script, restore_script};
pub use resume::{Call, Left, Resumed, left_open, resume};
pub use run::{Replan, Run, named};
pub use world::{Collected, HostLook, Member, Renewed, Trouble, World};

/// What the journal of a pool is called by default.
pub fn journal_name(pool: &str) -> String {
    format!("journal-{}.jsonl", lock::file_name(pool))
}
