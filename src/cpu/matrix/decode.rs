//! One CPU by name.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text::{plain, wrap};
use super::{Labelled, SetKind};
use crate::cpu::names;
use crate::facts::Featureset;

/// A CPU: who it is, its words, and its sets by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decoded {
    /// What it is called.
    pub name: String,
    /// The vendor string.
    pub vendor: Option<String>,
    /// Family, extended family included.
    pub family: Option<i64>,
    /// Model, extended model included.
    pub model: Option<i64>,
    /// Stepping.
    pub stepping: Option<i64>,
    /// The brand text.
    pub brand: Option<String>,
    /// Where the guest sets come from: `observed`, `predicted`.
    pub provenance: Option<String>,
    /// The Xen that predicted sets are for.
    pub predicted_for: Option<String>,
    /// The CPU's own words, eight hex digits each; empty when only guest sets are known.
    pub words: Vec<String>,
    /// Indices of words that were not captured.
    pub unknown_words: Vec<i64>,
    /// The kernel's flags, where they are known; they are no feature words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// Each set that is known, by its key in `host.cpu_info`, or `raw`.
    pub sets: BTreeMap<&'static str, NamedSet>,
}

/// A set with its features by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedSet {
    /// As the server writes it, in the order of a featureset.
    pub value: String,
    /// Its features, in the order of the words.
    pub features: Vec<String>,
}

impl NamedSet {
    pub(super) fn new(set: &Featureset) -> Self {
        Self { value: set.to_string(), features: names::names(set) }
    }
}

/// Decodes a CPU.
pub fn decode(Labelled { name, cpu, .. }: &Labelled<'_>) -> Decoded {
    let text = |known: &crate::facts::Known<String>| known.text().map(plain);
    let raw = cpu.raw.get();
    Decoded {
        name: name.clone(),
        // Some vendors' strings end in a blank, and the server compares them with it.
        vendor: cpu.vendor.text().map(|vendor| crate::text::plain(vendor).into_owned()),
        family: cpu.family.get().copied(),
        model: cpu.model.get().copied(),
        stepping: cpu.stepping.get().copied(),
        brand: text(&cpu.model_name),
        provenance: text(&cpu.provenance),
        predicted_for: text(&cpu.predicted_for),
        words: raw.into_iter().flat_map(Featureset::words).map(|word| format!("{word:08x}")).collect(),
        unknown_words: cpu.raw_unknown_words.each().copied().collect(),
        flags: cpu.flags.text().into_iter().flat_map(str::split_whitespace).map(plain).collect(),
        sets: SetKind::ALL
            .into_iter()
            .filter_map(|kind| Some((kind.key(), NamedSet::new(kind.of(cpu).get()?))))
            .collect(),
    }
}

impl Decoded {
    /// For a terminal of this many columns: who it is, its words, and the features of each word by name.
    pub fn to_table(&self, width: usize) -> String {
        let number = |number: Option<i64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
        let mut out = format!("{}\n", plain(&self.name));
        if let Some(brand) = &self.brand {
            out.push_str(&format!("  {brand}\n"));
        }
        out.push_str(&format!(
            "  {}, family {} model {} stepping {}\n",
            self.vendor.as_deref().unwrap_or("vendor unknown"),
            number(self.family),
            number(self.model),
            number(self.stepping),
        ));
        if let Some(xen) = &self.predicted_for {
            out.push_str(&format!("  guest sets predicted for {xen}\n"));
        }
        for kind in SetKind::ALL {
            if let Some(set) = self.sets.get(kind.key()) {
                out.push_str(&format!("\n  {}: {}\n", kind.key(), kind.title()));
                out.push_str(&self.set_lines(kind, set, width));
            }
        }
        if self.sets.is_empty() {
            out.push_str("  no feature words are known\n");
        }
        out
    }

    fn set_lines(&self, kind: SetKind, set: &NamedSet, width: usize) -> String {
        const INDENT: usize = 19;
        let Ok(words) = set.value.parse::<Featureset>() else { return String::new() };
        let mut out = String::new();
        for (index, word) in words.words().iter().enumerate() {
            let short = names::words().get(index).map_or_else(|| format!("w{index}"), |word| word.short.to_owned());
            let lost = kind == SetKind::Raw
                && self.unknown_words.iter().any(|unknown| usize::try_from(*unknown) == Ok(index));
            if lost {
                out.push_str(&format!("  {short:<6} ????????  not captured\n"));
                continue;
            }
            let bits: Vec<_> =
                (0..32).filter(|bit| word >> bit & 1 == 1).map(|bit| names::name(index * 32 + bit)).collect();
            out.push_str(&wrap(&format!("  {short:<6} {word:08x}  "), &bits, " ", INDENT, width));
        }
        out
    }
}
