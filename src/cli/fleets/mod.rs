//! Fleets on the command line: `check --fleet`, `merge`, and the threads that read one together.

mod check;
mod level;
mod merge;
mod pump;
mod write;

pub(super) use check::run as check;
pub(super) use level::{Levels, level};
pub(super) use merge::run as merge;
