//! What several end-to-end tests need.

#![allow(dead_code, missing_docs, reason = "each test binary uses its own part, and names say what it is")]

use std::path::PathBuf;

pub mod commands;
pub mod fake;
pub mod forget;
pub mod judge;
pub mod pty;
pub mod rehearsal;
pub mod run;
pub mod world;
pub mod xapi;

/// The folder of reference data beside the checkout, where there is one.
pub fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("POOLGATE_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")), PathBuf::from);
    path.is_dir().then_some(path)
}
