//! Generations: from CPUID or from a model number, and which features went away in which.

use std::sync::LazyLock;

use super::name::{fits, words};
use super::{Entry, entries};
use crate::facts::Featureset;

/// A generation of server CPUs.
#[derive(Debug)]
pub struct Generation {
    /// What its maker calls it.
    pub name: &'static str,
    /// The vendor string.
    pub vendor: &'static str,
    /// The line of products that it belongs to.
    pub line: &'static str,
    /// Its place in the line; a higher one is later.
    pub order: u32,
    /// Family, model, first and last stepping.
    signatures: Vec<(i64, i64, i64, i64)>,
    sku: Vec<&'static str>,
}

static GENERATIONS: LazyLock<Vec<Generation>> = LazyLock::new(|| {
    include_str!(concat!(env!("OUT_DIR"), "/cpu_generations.txt")).lines().filter_map(Generation::of_line).collect()
});

impl Generation {
    /// From a line that `build/catalogue.rs` wrote.
    fn of_line(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let signature = |text: &str| {
            let mut numbers = text.split('/').map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?))
        };
        Some(Self {
            name: fields.next()?,
            vendor: fields.next()?,
            line: fields.next()?,
            order: fields.next()?.parse().ok()?,
            signatures: fields.next()?.split(',').filter_map(signature).collect(),
            sku: fields.next()?.split(',').filter(|pattern| !pattern.is_empty()).collect(),
        })
    }

    /// Its CPUs in the catalogue.
    pub fn entries(&self) -> impl Iterator<Item = &'static Entry> {
        entries().iter().filter(move |entry| entry.generation().is_some_and(|own| own.name == self.name))
    }

    /// Family and model, where all of its CPUs have the same.
    pub fn signature(&self) -> Option<(i64, i64)> {
        let (family, model, ..) = *self.signatures.first()?;
        self.signatures.iter().all(|other| (other.0, other.1) == (family, model)).then_some((family, model))
    }
}

/// The generation of a CPU by what CPUID says.
pub fn generation_of(vendor: &str, family: i64, model: i64, stepping: i64) -> Option<&'static Generation> {
    GENERATIONS.iter().filter(|generation| generation.vendor == vendor).find(|generation| {
        generation.signatures.iter().any(|(own_family, own_model, first, last)| {
            (*own_family, *own_model) == (family, model) && (*first..=*last).contains(&stepping)
        })
    })
}

/// The generation that a model number belongs to by its maker's scheme.
pub fn generation_of_sku(name: &str) -> Option<&'static Generation> {
    let words = words(name);
    GENERATIONS.iter().find(|generation| generation.sku.iter().any(|pattern| fits(&words, pattern)))
}

/// A generation with what the catalogue shows of its CPUs together.
#[derive(Debug)]
struct Shown {
    generation: &'static Generation,
    /// Features that one of them has.
    has: Featureset,
    /// Words that are not known of one of them.
    unknown: Vec<usize>,
}

/// The generations of which the catalogue shows CPUs, the latest of a line first.
static SHOWN: LazyLock<Vec<Shown>> = LazyLock::new(|| {
    let shown = |generation: &'static Generation| {
        let mut shown = Shown { generation, has: Featureset::default(), unknown: Vec::new() };
        let mut any = false;
        for entry in generation.entries() {
            any = true;
            shown.has = shown.has.union(&entry.words());
            shown.unknown.extend_from_slice(entry.unknown_words());
        }
        any.then_some(shown)
    };
    let mut all: Vec<_> = GENERATIONS.iter().filter_map(shown).collect();
    all.sort_by_key(|shown| std::cmp::Reverse(shown.generation.order));
    all
});

/// The generation since which a line of CPUs has lacked a feature that an earlier one had, up to this one: none where the
/// catalogue does not show it.
pub fn gone_since(feature: usize, now: &Generation) -> Option<&'static Generation> {
    let in_line = |shown: &&Shown| shown.generation.line == now.line && shown.generation.order <= now.order;
    let mut since = None;
    for shown in SHOWN.iter().filter(in_line) {
        if shown.has.has(feature) {
            return since;
        }
        if shown.unknown.contains(&(feature / 32)) {
            return None;
        }
        since = Some(shown.generation);
    }
    // Nothing earlier that had it: never there in this line, or before the catalogue begins.
    None
}
