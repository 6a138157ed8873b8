//! Derives CPU facts from snapshots: features by name, levelling, masking, prediction. Pure functions.
//! May be called by `collect` (leaves to words), `rules` (facts of a case), `report` and `cli` (names).

pub mod levelling;
pub mod mobility;
pub mod names;
