//! A stateful simulator of the servers that poolgate talks to, on loopback TLS: to rehearse on, and for tests.
//! Written from what is known of the real server, and not from `rules`: the two check each other. Used by `cli` and tests.

mod answer;
pub mod checks;
pub mod db;
mod release;

pub use answer::{Answer, ApiError};
pub use db::Db;
pub use release::Line;
