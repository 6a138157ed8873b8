//! poolgate: may this server join that XenServer / XCP-ng pool, and what would it cost?
//!
//! Data flows one way: [`collect`] → [`snapshot`] → [`cpu`], [`network`], [`eject`] (derive) → [`rules`] → [`report`];
//! [`cli`] ties them together. Only `collect` and `cli` do I/O.

pub mod cli;
pub mod collect;
pub mod cpu;
pub mod eject;
pub mod facts;
pub mod network;
pub mod plan;
pub mod report;
pub mod rules;
pub mod snapshot;
pub mod text;
