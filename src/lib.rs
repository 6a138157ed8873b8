//! poolgate: may this server join that XenServer / XCP-ng pool, and what would it cost?
//!
//! Data flows one way: [`collect`] → [`snapshot`] → [`cpu`], [`network`], [`eject`] (derive) → [`rules`] → [`report`];
//! [`fleet`] does so for many pools; [`diff`] compares two of them; [`gate`] acts on what they say; [`cli`] ties them together. Only `collect`, `gate` and `cli` do I/O.

pub mod cli;
pub mod collect;
pub mod cpu;
pub mod diff;
pub mod eject;
pub mod facts;
pub mod fleet;
pub mod gate;
pub mod lab;
pub mod network;
pub mod plan;
pub mod report;
pub mod rules;
pub mod snapshot;
pub mod text;
