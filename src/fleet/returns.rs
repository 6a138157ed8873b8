//! Pools that come again: lines of one pool belong together, and those that stand apart are judged against the wrong host, or
//! against none.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::collect::Said;

/// What a pool is recognised by, shortened to what tells a million of them apart. In JSON a text: `0123456789abcdef:17`, with a `+` at
/// the end for a pool's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heard {
    /// The beginning of a SHA-256 over it.
    pub name: u64,
    /// The line that the pool begins with.
    pub line: usize,
    /// Whether the pool goes by it; else lines further down may.
    pub own: bool,
}

impl Serialize for Heard {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let own = if self.own { "+" } else { "" };
        serializer.collect_str(&format_args!("{:016x}:{}{own}", self.name, self.line))
    }
}

impl<'de> Deserialize<'de> for Heard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = || {
            let (name, line) = text.split_once(':')?;
            let (line, own) = line.strip_suffix('+').map_or((line, false), |line| (line, true));
            Some(Self { name: u64::from_str_radix(name, 16).ok()?, line: line.parse().ok()?, own })
        };
        read().ok_or_else(|| D::Error::custom("expected HEX:LINE or HEX:LINE+"))
    }
}

/// A pool that was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// The line that it begins with again.
    pub line: usize,
    /// The line that it began with first.
    pub first: usize,
}

/// What a pool that begins on a line is recognised by.
pub(super) fn heard(said: &Said, line: usize) -> impl Iterator<Item = Heard> {
    let one = move |name: &String, own| {
        let digest = Sha256::digest(name.as_bytes());
        Heard { name: digest.iter().take(8).fold(0, |name, byte| name << 8 | u64::from(*byte)), line, own }
    };
    [said.own.as_ref().map(|name| one(name, true)), said.also.as_ref().map(|name| one(name, false))]
        .into_iter()
        .flatten()
}

/// The pools that come again, in the order of their lines.
pub(super) fn returned(heard: &[Heard]) -> Vec<Returned> {
    let mut sorted: Vec<_> = heard.iter().collect();
    sorted.sort_unstable();
    let mut returned = Vec::new();
    for group in sorted.chunk_by(|a, b| a.name == b.name) {
        let again = group.iter().skip(1).filter(|heard| heard.own);
        returned.extend(again.map(|heard| Returned { line: heard.line, first: group[0].line }));
    }
    returned.sort_unstable_by_key(|returned| returned.line);
    returned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pools: &[(usize, &str, &str)]) -> Vec<(usize, usize)> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let one = |(line, own, also): &(usize, &str, &str)| {
            heard(&Said { own: text(own), also: text(also) }, *line).collect::<Vec<_>>()
        };
        let all: Vec<_> = pools.iter().flat_map(one).collect();
        returned(&all).into_iter().map(|it| (it.line, it.first)).collect()
    }

    #[test]
    fn pools_that_stand_apart_are_found() {
        assert_eq!(lines(&[(1, "pool a", "stem x"), (3, "pool b", "stem x"), (5, "pool c", "stem y")]), []);
        assert_eq!(
            lines(&[(5, "pool a", ""), (3, "pool b", ""), (1, "pool a", ""), (9, "pool a", "")]),
            [(5, 1), (9, 1)]
        );
        // A line without a pool goes by its host's name.
        assert_eq!(lines(&[(1, "pool a", "stem x"), (3, "pool b", "stem y"), (5, "stem x", "")]), [(5, 1)]);
        assert_eq!(lines(&[(1, "stem x", ""), (2, "stem y", ""), (3, "pool a", "stem x")]), []);
        assert_eq!(lines(&[(1, "", ""), (2, "", "")]), []);
    }
}
