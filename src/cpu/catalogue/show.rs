//! What a search of the catalogue found, as text and JSON.

use serde::Serialize;

use super::{Entry, common, entries, generation_of_sku, search};

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Whether the CPUs have all the words; else they are the nearest.
    pub exact: bool,
    /// The CPUs, in the order of the catalogue.
    pub cpus: Vec<Listed>,
    /// The generation that the words are a model number of, where no CPU of that name is listed.
    pub generation: Option<&'static str>,
}

/// A listed CPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its brand, as a `cpu:` target names it.
    pub brand: &'static str,
    /// The vendor string.
    pub vendor: &'static str,
    /// Its generation, where the table has it.
    pub generation: Option<&'static str>,
    /// How many features all records of it have.
    pub features: usize,
    /// What was recorded of it; several where stepping, microcode or firmware differed.
    pub variants: Vec<Variant>,
}

/// One record of a CPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variant {
    /// Family, extended family included.
    pub family: i64,
    /// Model, extended model included.
    pub model: i64,
    /// Stepping.
    pub stepping: i64,
    /// Its feature words.
    pub words: String,
    /// Indices of words that are not known.
    pub unknown_words: Vec<usize>,
    /// Which dump it was recorded from.
    pub source: &'static str,
}

/// Searches the catalogue.
pub fn find_all(text: &str) -> Found {
    let hits = search(text);
    let exact = hits.iter().any(|hit| hit.exact);
    Found {
        exact,
        cpus: hits.iter().map(|hit| listed(hit.brand)).collect(),
        generation: generation_of_sku(text).filter(|_| !exact).map(|generation| generation.name),
    }
}

fn listed(brand: &'static str) -> Listed {
    let own: Vec<&Entry> = entries().iter().filter(|entry| entry.brand == brand).collect();
    let first = own.first();
    Listed {
        brand,
        vendor: first.map_or("", |entry| entry.vendor),
        generation: first.and_then(|entry| entry.generation()).map(|generation| generation.name),
        features: common(own.iter().copied()).map_or(0, |all| all.words.features().count()),
        variants: own.iter().map(|entry| variant(entry)).collect(),
    }
}

fn variant(entry: &Entry) -> Variant {
    Variant {
        family: entry.family,
        model: entry.model,
        stepping: entry.stepping,
        words: entry.words().to_string(),
        unknown_words: entry.unknown_words().to_vec(),
        source: entry.source,
    }
}

impl Found {
    /// For a terminal of this many columns.
    pub fn to_table(&self, width: usize) -> String {
        let mut out = String::new();
        if !self.exact {
            out.push_str("No listed CPU has all these words.\n");
            if let Some(generation) = self.generation {
                out.push_str(&format!(
                    "The number is one of {generation}; as a target it gives what those have in common.\n"
                ));
            }
            out.push_str("The nearest:\n\n");
        }
        let room = width.saturating_sub(36).max(20);
        let longest = self.cpus.iter().map(|cpu| crate::text::columns(cpu.brand)).max().unwrap_or_default().min(room);
        for cpu in &self.cpus {
            let brand = crate::text::cut(cpu.brand, room);
            let signature = cpu.variants.first().map_or_else(String::new, |variant| {
                let steppings: Vec<i64> = cpu.variants.iter().map(|variant| variant.stepping).collect();
                let several = steppings.iter().any(|stepping| *stepping != variant.stepping);
                let stepping = if several { "*".to_owned() } else { variant.stepping.to_string() };
                format!("{}/{}/{stepping}", variant.family, variant.model)
            });
            let records =
                if cpu.variants.len() > 1 { format!(", {} records", cpu.variants.len()) } else { String::new() };
            let line = format!("{brand:<longest$}  {signature:<8}  {}{records}", cpu.generation.unwrap_or("-"));
            out.push_str(crate::text::cut(&line, width).trim_end());
            out.push('\n');
        }
        if self.exact {
            out.push_str(&format!("\n{} CPUs; family/model/stepping. As a target: cpu:\"NAME\"\n", self.cpus.len()));
        }
        out
    }
}
