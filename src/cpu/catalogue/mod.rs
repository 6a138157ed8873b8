//! Server CPUs by name: the feature words that were recorded of them, and the generations that model numbers tell.
//! The tables come from `rules/data/cpu-catalogue.toml` and `cpu-generations.toml` when the program is built.
//! For `collect` (targets and quotes that name a CPU), `derive` (since when a feature is gone) and `cli` (search).

mod find;
mod generations;
mod name;
mod show;

pub use find::{Choice, FindError, Hit, find, search};
pub use generations::{Generation, generation_of, generation_of_sku, gone_since};
pub use show::{Found, Listed, Variant, find_all};

use crate::facts::Featureset;

/// A server CPU as it was recorded once. Several of one name differ by stepping, microcode or firmware.
#[derive(Debug)]
pub struct Entry {
    /// The brand as CPUID has it, runs of blanks made one.
    pub brand: &'static str,
    /// The vendor string.
    pub vendor: &'static str,
    /// Family, extended family included.
    pub family: i64,
    /// Model, extended model included.
    pub model: i64,
    /// Stepping.
    pub stepping: i64,
    words: &'static [u32],
    unknown_words: &'static [usize],
    /// Which dump it was recorded from.
    pub source: &'static str,
}

impl Entry {
    /// The feature words, OSXSAVE and OSPKE cleared, Intel's SYSCALL as in 64-bit mode.
    pub fn words(&self) -> Featureset {
        Featureset::new(self.words.to_vec()).zero_extend(super::leaves::WORDS)
    }

    /// Indices of words that the dump did not hold.
    pub const fn unknown_words(&self) -> &'static [usize] {
        self.unknown_words
    }

    /// The generation, where the table has it.
    pub fn generation(&self) -> Option<&'static Generation> {
        generation_of(self.vendor, self.family, self.model, self.stepping)
    }
}

static ENTRIES: &[Entry] = include!(concat!(env!("OUT_DIR"), "/cpu_catalogue.rs"));

/// All entries, by vendor, family, model, stepping and brand.
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

/// What several records of CPUs have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// What all of them have.
    pub words: Featureset,
    /// Words that at least one of the dumps did not hold, ascending.
    pub unknown_words: Vec<usize>,
    /// What some have and others lack, in words that all hold.
    pub differing: Featureset,
}

/// What these have in common.
pub fn common<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Option<Common> {
    let mut entries = entries.into_iter();
    let first = entries.next()?;
    let mut all = first.words();
    let mut any = first.words();
    let mut unknown_words = first.unknown_words().to_vec();
    for entry in entries {
        all = all.intersect(&entry.words());
        any = any.union(&entry.words());
        unknown_words.extend(entry.unknown_words());
    }
    unknown_words.sort_unstable();
    unknown_words.dedup();
    let mut differing = any.diff(&all);
    let lost: Vec<_> = differing.features().filter(|feature| unknown_words.contains(&(feature / 32))).collect();
    lost.into_iter().for_each(|feature| differing.set(feature, false));
    Some(Common { words: all, unknown_words, differing })
}
