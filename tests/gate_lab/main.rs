//! Joins and ejects end to end: the real binary against the simulator, in good order, with every fault, killed and
//! interrupted at every step.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "../common/mod.rs"]
pub mod common;

#[path = "../older_lines/bases.rs"]
mod bases;
#[path = "../older_lines/changes.rs"]
mod changes;
#[path = "../older_lines/table.rs"]
mod table;

mod act;
mod crash;
mod demo;
mod faults;
mod pairs;
mod secrets;
mod stops;
mod waivers;
