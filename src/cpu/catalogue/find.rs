//! A CPU by the name that an operator or a quote gives it.

use super::generations::{Generation, generation_of_sku};
use super::name::{is_line, words};
use super::{Entry, entries};

/// How many names an error or a search without a hit offers.
const OFFERED: usize = 5;

/// What a name stands for.
#[derive(Debug)]
pub enum Choice {
    /// A model that is listed, with everything that was recorded of it.
    Listed {
        /// Its brand.
        brand: &'static str,
        /// The records; several where stepping or microcode differ.
        entries: Vec<&'static Entry>,
    },
    /// A model that is not listed, of a generation that is.
    Generation(&'static Generation),
}

/// Why a name stands for no CPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Several models have all its words.
    #[error("\"{name}\" is not one CPU: {} have that in their names ({}); write the whole model number", .names.len(), shown(.names))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The brands, in the order of the catalogue.
        names: Vec<&'static str>,
    },
    /// A generation of which nothing was recorded.
    #[error(
        "\"{name}\" is of the generation {generation}, of which no CPU is listed, so that its features are not known; \
         give a CPUID dump of such a machine instead (docs/offline.md)"
    )]
    Bare {
        /// What was asked for.
        name: String,
        /// The generation.
        generation: &'static str,
    },
    /// Neither listed nor of a known scheme.
    #[error("no CPU \"{name}\" is listed, and its model number tells no generation; the nearest are {}", shown(.nearest))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Names that are like it.
        nearest: Vec<&'static str>,
    },
}

fn shown(names: &[&str]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// Finds the one CPU that a name stands for.
///
/// # Errors
/// Where the name fits several or none.
pub fn find(name: &str) -> Result<Choice, FindError> {
    let asked = words(name);
    let mut brands: Vec<&'static str> = Vec::new();
    for entry in entries() {
        if same_model(&words(entry.brand), &asked) && !brands.contains(&entry.brand) {
            brands.push(entry.brand);
        }
    }
    // A name that is complete stands for itself, also where longer names have all its words.
    if let Some(whole) = brands.iter().find(|brand| words(brand) == asked) {
        brands = vec![whole];
    }
    match brands.as_slice() {
        [brand] => {
            let entries = entries().iter().filter(|entry| entry.brand == *brand).collect();
            return Ok(Choice::Listed { brand, entries });
        }
        [] => {}
        several => return Err(FindError::Ambiguous { name: name.to_owned(), names: several.to_vec() }),
    }
    if let Some(generation) = generation_of_sku(name) {
        return match generation.entries().next() {
            Some(_) => Ok(Choice::Generation(generation)),
            None => Err(FindError::Bare { name: name.to_owned(), generation: generation.name }),
        };
    }
    let hits = search(name);
    match hits.as_slice() {
        [_, _, ..] if hits.iter().all(|hit| hit.exact) => {
            Err(FindError::Ambiguous { name: name.to_owned(), names: hits.iter().map(|hit| hit.brand).collect() })
        }
        _ => Err(FindError::Unknown {
            name: name.to_owned(),
            nearest: hits.iter().take(OFFERED).map(|hit| hit.brand).collect(),
        }),
    }
}

/// Whether a name is of this model: every word of it, and no word of the brand missing but names of lines. A number
/// without its `v3` is another model.
fn same_model(brand: &[String], asked: &[String]) -> bool {
    let named = asked.iter().any(|word| !is_line(word));
    named
        && asked.iter().all(|word| brand.contains(word))
        && brand.iter().all(|word| asked.contains(word) || is_line(word))
}

/// A CPU that fits a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its brand.
    pub brand: &'static str,
    /// Whether every word of the search begins a word of it; else it is only like it.
    pub exact: bool,
}

/// Searches the catalogue: brands of which each word of the search begins a word, else the few that are most like it.
pub fn search(text: &str) -> Vec<Hit> {
    let asked = words(text);
    let mut hits: Vec<Hit> = Vec::new();
    let mut add = |brand: &'static str, exact| {
        if !hits.iter().any(|hit| hit.brand == brand) {
            hits.push(Hit { brand, exact });
        }
    };
    for entry in entries() {
        let brand = words(entry.brand);
        if !asked.is_empty() && asked.iter().all(|word| brand.iter().any(|part| part.starts_with(word.as_str()))) {
            add(entry.brand, true);
        }
    }
    if hits.is_empty() {
        let joined = asked.join(" ");
        let mut like: Vec<_> = entries()
            .iter()
            .map(|entry| (strsim::damerau_levenshtein(&words(entry.brand).join(" "), &joined), entry.brand))
            .collect();
        like.sort_unstable();
        like.dedup_by_key(|(_, brand)| *brand);
        hits.extend(like.into_iter().take(OFFERED).map(|(_, brand)| Hit { brand, exact: false }));
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_operators_write_them() {
        for (name, expected) in [
            ("Intel Xeon Gold 6330", "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"),
            ("gold 6330", "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"),
            ("EPYC 7713", "AMD EPYC 7713 64-Core Processor"),
            ("AMD EPYC 7713 64-Core Processor", "AMD EPYC 7713 64-Core Processor"),
            ("E5-2650", "Intel(R) Xeon(R) CPU E5-2650 0 @ 2.00GHz"),
            ("E5-2650 v4", "Intel(R) Xeon(R) CPU E5-2650 v4 @ 2.20GHz"),
        ] {
            match find(name) {
                Ok(Choice::Listed { brand, entries }) => assert!(brand == expected && !entries.is_empty(), "{name}"),
                other => unreachable!("{name}: {other:?}"),
            }
        }
        for (name, expected) in [
            ("Xeon Gold 6338N", "Ice Lake-SP"),
            ("EPYC 7302P", "Rome (Zen 2)"),
            ("EPYC 73F3", "Milan (Zen 3)"),
            ("Xeon E5-2609", "Sandy Bridge-EP"),
            ("Xeon Platinum 8592+", "Emerald Rapids"),
            ("Opteron 6338", "Piledriver"),
        ] {
            match find(name) {
                Ok(Choice::Generation(generation)) => assert_eq!(generation.name, expected, "{name}"),
                other => unreachable!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn names_that_are_none_say_what_is_near() {
        let error = |name: &str| find(name).map(|_| ()).unwrap_err();
        assert!(matches!(error("gold 63"), FindError::Ambiguous { .. }));
        assert!(matches!(error("EPYC"), FindError::Ambiguous { .. }));
        assert!(matches!(error("Xeon Gold 6348H"), FindError::Bare { generation: "Cooper Lake", .. }));
        let FindError::Unknown { nearest, .. } = error("Xeon Godl 6330") else { unreachable!() };
        assert!(nearest[0].contains("Gold 6330"), "{nearest:?}");
        assert!(matches!(error("toaster"), FindError::Unknown { .. }));
        assert!(matches!(error("@"), FindError::Unknown { .. }));
    }
}
