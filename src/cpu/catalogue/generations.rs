//! Generations: from CPUID or from a model number, and which features went away in which.

use std::sync::LazyLock;

use super::name::{fits, words};
use super::{Entry, entries};

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

/// The generation since which a line of CPUs has lacked a feature that an earlier one had, up to this one: none where the
/// catalogue does not show it.
pub fn gone_since(feature: usize, now: &Generation) -> Option<&'static Generation> {
    let mut line: Vec<_> = GENERATIONS
        .iter()
        .filter(|generation| generation.line == now.line && generation.order <= now.order)
        .filter(|generation| generation.entries().next().is_some())
        .collect();
    line.sort_by_key(|generation| std::cmp::Reverse(generation.order));
    let lacks = |generation: &&Generation| {
        generation
            .entries()
            .all(|entry| !entry.unknown_words().contains(&(feature / 32)) && !entry.words().has(feature))
    };
    let lacking = line.iter().take_while(|generation| lacks(generation)).count();
    // Nothing earlier that had it: never there in this line, or before the catalogue begins.
    let had = line.get(lacking)?.entries().any(|entry| entry.words().has(feature));
    (lacking > 0 && had).then(|| line[lacking - 1])
}
