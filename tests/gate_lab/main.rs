//! Joins and ejects end to end: the real binary against the simulator, in good order, with every fault, killed and
//! interrupted at every step.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "../common/mod.rs"]
mod common;

mod act;
mod crash;
mod faults;
mod pairs;
mod stops;
