//! `poolgate check --fleet` and `poolgate merge` end to end: what is said of a fleet is what `check` says of its pools one by
//! one, whatever stands in its lines, with any number of threads and in any parts.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
#[path = "../common/mod.rs"]
mod common;

mod apart;
mod broken;
mod docs;
mod formats;
mod made;
mod oracle;
mod shards;
