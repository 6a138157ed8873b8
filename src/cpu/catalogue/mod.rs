//! Server CPUs by name: the feature words that were recorded of them, and the generations that model numbers tell.
//! The texts come from `rules/data/cpu-catalogue.toml` and `cpu-generations.toml` when the program is built, and are taken
//! apart when they are first needed.
//! For `collect` (targets and quotes that name a CPU), `derive` (since when a feature is gone) and `cli` (search).

mod find;
mod generations;
mod name;
mod show;

pub use find::{Choice, FindError, Hit, find, search};
pub use generations::{Generation, generation_of, generation_of_sku, gone_since};
pub use show::{Found, Listed, Variant, find_all};

use std::sync::LazyLock;

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
    words: Featureset,
    unknown_words: Vec<usize>,
    /// Which dump it was recorded from.
    pub source: &'static str,
}

impl Entry {
    /// The feature words, OSXSAVE and OSPKE cleared, Intel's SYSCALL as in 64-bit mode.
    pub fn words(&self) -> Featureset {
        self.words.clone()
    }

    /// Indices of words that the dump did not hold.
    pub fn unknown_words(&self) -> &[usize] {
        &self.unknown_words
    }

    /// From a line that `build/catalogue.rs` wrote.
    fn of_line(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        Some(Self {
            brand: fields.next()?,
            vendor: fields.next()?,
            family: fields.next()?.parse().ok()?,
            model: fields.next()?.parse().ok()?,
            stepping: fields.next()?.parse().ok()?,
            words: fields.next()?.parse::<Featureset>().ok()?.zero_extend(super::leaves::WORDS),
            unknown_words: fields.next()?.split(',').filter_map(|word| word.parse().ok()).collect(),
            source: fields.next()?,
        })
    }

    /// The generation, where the table has it.
    pub fn generation(&self) -> Option<&'static Generation> {
        generation_of(self.vendor, self.family, self.model, self.stepping)
    }
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    include_str!(concat!(env!("OUT_DIR"), "/cpu_catalogue.txt")).lines().filter_map(Entry::of_line).collect()
});

/// All entries, by vendor, family, model, stepping and brand.
pub fn entries() -> &'static [Entry] {
    &ENTRIES
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
