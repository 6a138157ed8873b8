//! The gate: plan, confirm, collect again and compare, act, verify. The only code that changes anything anywhere.
//! Called by `cli`; knows every layer before it. What it does to servers goes through [`World`], so that tests can stand
//! in for them.

pub mod digest;
pub mod drift;
pub mod journal;
pub mod lock;
pub mod plan;
