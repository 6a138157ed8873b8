//! Derives CPU facts from snapshots: features by name, levelling, masking, prediction. Pure functions.
//! May be called by `collect` (leaves to words), `rules` (facts of a case), `report` and `cli` (names).

pub mod catalogue;
mod derive;
mod facts;
mod groups;
pub mod leaves;
pub mod levelling;
pub mod masking;
pub mod matrix;
pub mod mobility;
pub mod names;
pub mod predict;
pub mod releases;

pub use derive::{WORDS, derive, derive_some, eject, sole_host};
pub use facts::{CpuFacts, EjectCpuFacts, FeatureFact, FeatureName, VmFact};
pub use masking::{MaskingFacts, MemberMask};
