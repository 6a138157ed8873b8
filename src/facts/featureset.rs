//! Feature words with the server's own algebra (xapi `ocaml/libs/cpuid/cpuid.ml`): parse, print, extend, compare.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A set of CPU features as 32-bit words, word 0 first. Any number of words; a missing word counts as zero, and the
/// set of no words is the identity of [`Featureset::intersect`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Featureset(Vec<u32>);

/// A text that is no featureset. Names the whole text, as the server does (`InvalidFeatureString`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a CPU feature string: expected words of 1 to 8 hex digits joined by '-'", .0.escape_debug())]
pub struct ParseFeaturesetError(pub String);

impl Featureset {
    /// From words, word 0 first.
    pub const fn new(words: Vec<u32>) -> Self {
        Self(words)
    }

    /// The words, word 0 first.
    pub fn words(&self) -> &[u32] {
        &self.0
    }

    /// Whether it has no words at all: the identity, not the set without features.
    pub const fn is_identity(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether no feature is in it, whatever its length.
    pub fn has_none(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// A word; one beyond the end is zero.
    pub fn word(&self, index: usize) -> u32 {
        self.0.get(index).copied().unwrap_or(0)
    }

    /// Whether a feature (word × 32 + bit) is in it.
    pub fn has(&self, feature: usize) -> bool {
        self.word(feature / 32) >> (feature % 32) & 1 == 1
    }

    /// Adds or removes a feature (word × 32 + bit), growing as needed.
    pub fn set(&mut self, feature: usize, on: bool) {
        if feature / 32 >= self.0.len() {
            if !on {
                return;
            }
            self.0.resize(feature / 32 + 1, 0);
        }
        let bit = 1 << (feature % 32);
        if on {
            self.0[feature / 32] |= bit;
        } else {
            self.0[feature / 32] &= !bit;
        }
    }

    /// The features in it, as word × 32 + bit, ascending.
    pub fn features(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = usize::try_from(left.trailing_zeros()).ok().filter(|bit| *bit < 32)?;
                left &= left - 1;
                Some(index * 32 + bit)
            })
        })
    }

    /// How many features are in it.
    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Pads with zero words, or truncates, to a length (`zero_extend`).
    pub fn zero_extend(&self, len: usize) -> Self {
        let mut words = self.0.clone();
        words.resize(len, 0);
        Self(words)
    }

    /// Its own words first, then the tail of `other`, in `other`'s length (`extend`).
    pub fn extend(&self, other: &Self) -> Self {
        let own = self.0.iter().copied().take(other.0.len());
        let tail = other.0.iter().copied().skip(self.0.len());
        Self(own.chain(tail).collect())
    }

    /// What both have; the identity on one side gives the other; the longer length (`intersect`).
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.narrow(other);
        both
    }

    /// The same in place.
    pub fn narrow(&mut self, other: &Self) {
        if self.is_identity() {
            self.0.clone_from(&other.0);
        } else if !other.is_identity() {
            self.0.resize(self.0.len().max(other.0.len()), 0);
            self.0.iter_mut().enumerate().for_each(|(index, word)| *word &= other.word(index));
        }
    }

    /// What this has and `other` lacks, in the longer length (`diff`).
    pub fn diff(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    /// What this has but for the features of which this says true.
    #[must_use]
    pub fn without(mut self, drop: impl Fn(usize) -> bool) -> Self {
        let dropped: Vec<_> = self.features().filter(|feature| drop(*feature)).collect();
        dropped.into_iter().for_each(|feature| self.set(feature, false));
        self
    }

    /// What either has, in the longer length.
    pub fn union(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    /// Equal when padded to the same length (`is_equal`).
    pub fn is_equal(&self, other: &Self) -> bool {
        (0..self.0.len().max(other.0.len())).all(|index| self.word(index) == other.word(index))
    }

    /// Whether intersecting with `other` leaves this unchanged (`is_subset`). With the identity on either side that
    /// is not set inclusion: everything is a subset of the identity, and the identity only of sets without features.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.intersect(other).is_equal(self)
    }

    /// Subset and not equal (`is_strict_subset`).
    pub fn is_strict_subset(&self, other: &Self) -> bool {
        self.is_subset(other) && !self.is_equal(other)
    }

    /// Whether a VM that was started with these features may run on `host`: words beyond the host's length are
    /// dropped first (`is_compatible`, the fallback of `xenops_server_xen.ml`).
    pub fn is_compatible_with(&self, host: &Self) -> bool {
        self.zero_extend(host.0.len()).is_subset(host)
    }

    /// One step of the pool's fold over its hosts, on text as the server keeps it: the empty text on one side gives
    /// the other unparsed (`create_misc.ml`, `combine`).
    pub fn pool_combine(pool: &str, host: &str) -> Result<String, ParseFeaturesetError> {
        if pool.is_empty() {
            return Ok(host.to_owned());
        }
        if host.is_empty() {
            return Ok(pool.to_owned());
        }
        let pool: Self = pool.parse()?;
        Ok(pool.intersect(&host.parse()?).to_string())
    }

    fn zip(&self, other: &Self, join: impl Fn(u32, u32) -> u32) -> Self {
        let len = self.0.len().max(other.0.len());
        Self((0..len).map(|index| join(self.word(index), other.word(index))).collect())
    }
}

impl FromStr for Featureset {
    type Err = ParseFeaturesetError;

    /// Each word: 1 to 8 characters, a hex digit in either case, then hex digits or `_` (which the server's scanner
    /// skips). The empty text is the identity.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        parse_words(text).map(Self).ok_or_else(|| ParseFeaturesetError(text.to_owned()))
    }
}

/// The value of each hex digit; 16 for what is none.
const DIGITS_OF: [u8; 256] = {
    let mut digits = [16; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// All words in one pass: a large pool's records hold tens of thousands of digits.
fn parse_words(text: &str) -> Option<Vec<u32>> {
    const DIGITS: usize = 8;
    let mut words = Vec::with_capacity(text.len() / (DIGITS + 1) + 1);
    let (mut word, mut length) = (0_u32, 0);
    for byte in text.bytes() {
        let digit = match DIGITS_OF[usize::from(byte)] {
            digit @ 0..16 if length < DIGITS => digit,
            _ if byte == b'-' && length > 0 => {
                words.push(word);
                (word, length) = (0, 0);
                continue;
            }
            _ if byte == b'_' && length > 0 && length < DIGITS => {
                length += 1;
                continue;
            }
            _ => return None,
        };
        word = word << 4 | u32::from(digit);
        length += 1;
    }
    words.push(word);
    (length > 0).then_some(words)
}

impl fmt::Display for Featureset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("-")?;
            }
            write!(f, "{word:08x}")?;
        }
        Ok(())
    }
}

impl Serialize for Featureset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Featureset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Words)
    }
}

/// Parses where the text stands, without a copy of it.
struct Words;

impl de::Visitor<'_> for Words {
    type Value = Featureset;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Featureset, E> {
        text.parse().map_err(E::custom)
    }
}
