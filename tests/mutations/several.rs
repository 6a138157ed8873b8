//! Pairs and triples of changes: each rule says what it says of the single changes, and the server's answers come in
//! its order.

use std::collections::BTreeSet;
use std::thread;

use serde_json::Value as Json;

use poolgate::rules::{CHECKS, LICENCE_CHECK, Outcome, Registry, Verdict};

use crate::common::judge::rules;
use crate::edit::Pair;
use crate::suite::{Follows, Mutation, sort};
use crate::{Good, mutations, of_outcome};

/// Changes that say something else of a rule when they come together, and why.
const INTERACTIONS: &[(&str, &str, &str)] = &[];

/// How many combinations are judged.
const COMBINATIONS: usize = 3_000;

/// A small generator of its own: a failure is told by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below.max(1)).unwrap_or(1)).unwrap_or_default()
    }
}

/// The paths of facts that a change touched: two changes of one fact are no combination.
pub fn touched(before: &Json, after: &Json, path: &str, found: &mut BTreeSet<String>) {
    match (before, after) {
        (Json::Object(old), Json::Object(new)) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                let (old, new) = (old.get(key).unwrap_or(&Json::Null), new.get(key).unwrap_or(&Json::Null));
                touched(old, new, &format!("{path}.{key}"), found);
            }
        }
        // Records that came or went move the places of others.
        (Json::Array(old), Json::Array(new)) if new.len() < old.len() => {
            found.insert(path.to_owned());
        }
        (Json::Array(old), Json::Array(new)) => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                touched(old, new, &format!("{path}[{index}]"), found);
            }
            found.extend((old.len()..new.len()).map(|index| format!("{path}[{index}]")));
        }
        (old, new) if old != new => drop(found.insert(path.to_owned())),
        _ => {}
    }
}
