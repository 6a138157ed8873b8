//! What the loss of a feature counts, by its group: `rules/data/plan-weights.toml`, and a user's own numbers over it.

use std::collections::BTreeMap;

use crate::cpu::names;
use crate::facts::Featureset;

const BUILT_IN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/data/plan-weights.toml"));

/// The largest weight; so that sums over any fleet stay exact.
const MOST: i64 = 1000;

/// A weight for each group of features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights(BTreeMap<String, i64>);

/// Why a text holds no weights.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// Not TOML, or not of the shape.
    #[error("{0}")]
    Toml(String),
    /// A group that no feature has.
    #[error("there is no group {group:?} of features{}", nearest.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default())]
    Group {
        /// What the text says.
        group: String,
        /// The group that is most like it.
        nearest: Option<String>,
    },
    /// A number out of range.
    #[error("the weight of {group:?} is {weight}; expected a whole number from 0 to {MOST}")]
    Range {
        /// Of which group.
        group: String,
        /// The number.
        weight: i64,
    },
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    weights: BTreeMap<String, i64>,
}

impl Default for Weights {
    fn default() -> Self {
        // A test holds the built-in file to its shape.
        Self(toml::from_str::<File>(BUILT_IN).map(|file| file.weights).unwrap_or_default())
    }
}

impl Weights {
    /// The built-in weights with those of a text over them.
    pub fn with(text: &str) -> Result<Self, WeightsError> {
        let file: File =
            toml::from_str(text).map_err(|error| WeightsError::Toml(error.to_string().trim().to_owned()))?;
        let mut weights = Self::default();
        for (group, weight) in file.weights {
            if !weights.0.contains_key(&group) {
                let like = |known: &&String| strsim::jaro_winkler(&known.to_lowercase(), &group.to_lowercase());
                let nearest = weights.0.keys().max_by(|a, b| like(a).total_cmp(&like(b))).cloned();
                return Err(WeightsError::Group { nearest: nearest.filter(|near| like(&near) > 0.7), group });
            }
            if !(0..=MOST).contains(&weight) {
                return Err(WeightsError::Range { group, weight });
            }
            weights.0.insert(group, weight);
        }
        Ok(weights)
    }

    /// What the loss of a feature counts.
    pub fn of(&self, feature: usize) -> i64 {
        self.0.get(names::group(feature)).copied().unwrap_or(1)
    }

    /// What the loss of all features of a set counts.
    pub fn sum(&self, set: &Featureset) -> i64 {
        set.features().map(|feature| self.of(feature)).sum()
    }

    /// The groups with their weights.
    pub fn groups(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(group, weight)| (group.as_str(), *weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_a_weight_and_no_other_has() {
        let file: File = toml::from_str(BUILT_IN).unwrap();
        let groups: std::collections::BTreeSet<_> =
            (0..20 * 32).map(|feature| names::group(feature).to_owned()).collect();
        assert_eq!(file.weights.keys().cloned().collect::<std::collections::BTreeSet<_>>(), groups);
        assert!(file.weights.values().all(|weight| (0..=MOST).contains(weight)));
    }

    #[test]
    fn own_numbers_replace_single_ones() {
        let own = Weights::with("[weights]\nTSX = 0\n\"AVX-512\" = 50\n").unwrap();
        let avx512f = names::find("avx512f").unwrap();
        assert_eq!((own.of(avx512f), own.of(names::find("rtm").unwrap())), (50, 0));
        assert_eq!(own.of(names::find("avx2").unwrap()), Weights::default().of(names::find("avx2").unwrap()));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let told = |text: &str| Weights::with(text).unwrap_err().to_string();
        assert_eq!(
            told("[weights]\nAVX512 = 1"),
            "there is no group \"AVX512\" of features; did you mean \"AVX-512\"?"
        );
        assert_eq!(
            told("[weights]\nAVX = -1"),
            "the weight of \"AVX\" is -1; expected a whole number from 0 to 1000"
        );
        assert!(told("AVX = 1").contains("unknown field"), "{}", told("AVX = 1"));
    }
}
