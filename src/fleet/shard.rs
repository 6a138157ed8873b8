//! Parts of a fleet: which one a run judges, and how parts that belong together are told from others.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::returns::Heard;

/// Part I of N, as the operator writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardOf {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

/// Why a word names no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected I/N with 1 ≤ I ≤ N ≤ 100000, as in 2/7")]
pub struct ShardError;

impl ShardOf {
    /// The most parts that a fleet is split into.
    pub(super) const MOST: u32 = 100_000;
}

impl FromStr for ShardOf {
    type Err = ShardError;

    fn from_str(word: &str) -> Result<Self, ShardError> {
        let (index, of) = word.split_once('/').ok_or(ShardError)?;
        let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse::<u32>().map_err(|_| ShardError),
            false => Err(ShardError),
        };
        let (index, of) = (number(index)?, number(of)?);
        if index == 0 || index > of || of > Self::MOST { Err(ShardError) } else { Ok(Self { index, of }) }
    }
}

impl fmt::Display for ShardOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// Which part of a fleet a report is about, with what tells whether another part is of the same run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which, from 1.
    pub index: u32,
    /// Of how many.
    pub of: u32,
    /// The size of the whole fleet, bytes.
    pub bytes: u64,
    /// Where this part begins in it, bytes.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// SHA-256 over the beginning of the fleet.
    pub head: String,
    /// SHA-256 over the rules that judged.
    pub rules: String,
    /// What its pools are recognised by, so that one that comes again in another part is found.
    #[serde(default)]
    pub heard: Vec<Heard>,
}
