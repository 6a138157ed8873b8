//! What rules said of the joiner before, for the next one of the same pool: a rule is asked again only where a fact that it
//! mentions has another value. Nothing is remembered beyond one pool.

use super::case::{Case, variables};
use super::judge::Decided;
use super::rule::Rule;
use crate::facts::{Type, Unknown, Value};

/// Names that texts about elements of a list may use beside the case's.
const OF_ELEMENTS: [&str; 3] = ["count", "names", "first"];

/// A fact as far as it is told apart: a variable of the case, and where that is a record, one of its fields.
type Place = (usize, Option<usize>);

/// Which facts each rule mentions.
#[derive(Debug)]
pub(super) struct Mentions {
    places: Vec<Place>,
    /// By rule: indices of its facts; none where one of them could not be told.
    rules: Vec<Option<Vec<usize>>>,
}

/// What was said of the joiner before.
#[derive(Debug)]
pub(super) struct Recall<'m> {
    mentions: &'m Mentions,
    stamps: Vec<Stamp>,
    decided: Vec<Decided>,
}

/// A fact's value, as far as values are compared; lists, maps and records never are the same.
#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    /// Not compared: never the same.
    Other,
    Unknown(Unknown),
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
}

impl Mentions {
    /// Of rules over a case of joining.
    pub(super) fn of(rules: &[&Rule]) -> Self {
        let roots: Vec<_> = variables::<Case<'static>>().collect();
        let mut mentions = Self { places: Vec::new(), rules: Vec::new() };
        for rule in rules {
            let mut found = Some(Vec::new());
            // Whether the server's check behind a rule exists depends on the release.
            for fact in rule.deciding_facts().into_iter().chain(["release.xapi".to_owned()]) {
                let (root, rest) = fact.split_once(['.', '[']).unwrap_or((&fact, ""));
                match place(&roots, root, rest) {
                    Some(place) => {
                        let known = mentions.places.iter().position(|known| *known == place);
                        let index = known.unwrap_or_else(|| {
                            mentions.places.push(place);
                            mentions.places.len() - 1
                        });
                        found.iter_mut().for_each(|found| found.push(index));
                    }
                    // What is said of an element is said of its list, which is mentioned too.
                    None if rule
                        .each
                        .as_ref()
                        .is_some_and(|each| each.name == root || OF_ELEMENTS.contains(&root)) => {}
                    None => found = None,
                }
            }
            mentions.rules.push(found);
        }
        mentions
    }

    /// An empty memory for one pool.
    pub(super) const fn recall(&self) -> Recall<'_> {
        Recall { mentions: self, stamps: Vec::new(), decided: Vec::new() }
    }
}

fn place(roots: &[(&'static str, Type)], root: &str, rest: &str) -> Option<Place> {
    let index = roots.iter().position(|(name, _)| *name == root)?;
    let record = match roots[index].1 {
        Type::Object(def) => def,
        Type::Nullable(Type::Object(def)) => *def,
        _ => return Some((index, None)),
    };
    let field = rest.split(['.', '[']).next().filter(|field| !field.is_empty());
    match field {
        Some(field) => Some((index, Some(record.field(field)?.0))),
        None => Some((index, None)),
    }
}

impl Recall<'_> {
    /// What rules say of a case with these values: those that may say something else are asked.
    pub(super) fn decide(&mut self, values: &[Value<'_>], ask: impl Fn(usize) -> Decided) -> &[Decided] {
        let same = self.compare(values);
        if self.decided.is_empty() {
            self.decided = (0..self.mentions.rules.len()).map(ask).collect();
            return &self.decided;
        }
        for (rule, mentions) in self.mentions.rules.iter().enumerate() {
            let holds = mentions.as_ref().is_some_and(|facts| facts.iter().all(|fact| same[*fact]));
            if !holds {
                self.decided[rule] = ask(rule);
            }
        }
        &self.decided
    }

    /// Which facts are as they were, taking down what they are now.
    fn compare(&mut self, values: &[Value<'_>]) -> Vec<bool> {
        let first = self.stamps.is_empty();
        let mut same = Vec::with_capacity(self.mentions.places.len());
        for (index, (root, field)) in self.mentions.places.iter().enumerate() {
            let inner;
            let value = match (&values[*root], field) {
                (Value::Object(record), Some(field)) => {
                    inner = record.field(*field);
                    &inner
                }
                (value, _) => value,
            };
            if first {
                self.stamps.push(Stamp::of(value));
                same.push(false);
            } else if self.stamps[index].is(value) {
                same.push(true);
            } else {
                self.stamps[index] = Stamp::of(value);
                same.push(false);
            }
        }
        same
    }
}

impl Stamp {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Unknown(unknown) => Self::Unknown(unknown.clone().into_owned()),
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Text(text) => Self::Text(text.clone().into_owned()),
            Value::Null => Self::Null,
            Value::Features(_) | Value::List(_) | Value::Made(_) | Value::Map(_) | Value::Object(_) => Self::Other,
        }
    }

    /// Whether a value is the one that was taken down; never for what is not compared.
    fn is(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Unknown(before), Value::Unknown(now)) => *before == **now,
            (Self::Null, Value::Null) => true,
            (Self::Bool(before), Value::Bool(now)) => before == now,
            (Self::Int(before), Value::Int(now)) => before == now,
            (Self::Text(before), Value::Text(now)) => *before == **now,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Phase, Registry};

    #[test]
    fn every_built_in_rule_is_told_by_its_facts() {
        let registry = Registry::load(&[]).unwrap();
        let rules: Vec<_> = registry.of(Phase::Join).collect();
        let mentions = Mentions::of(&rules);
        let untold: Vec<_> = rules
            .iter()
            .zip(&mentions.rules)
            .filter(|(_, facts)| facts.is_none())
            .map(|(rule, _)| &rule.id)
            .collect();
        assert!(untold.is_empty(), "{untold:?}");
        // Each depends on the release at least.
        assert!(mentions.rules.iter().flatten().all(|facts| !facts.is_empty()));
    }

    #[test]
    fn what_cannot_be_compared_is_never_the_same() {
        let list: Vec<String> = Vec::new();
        let value = Value::List(&list);
        assert!(!Stamp::of(&value).is(&value));
        assert!(!Stamp::of(&value).is(&Value::Null));
        assert!(Stamp::of(&Value::Null).is(&Value::Null));
        assert!(Stamp::of(&Value::Text("a".into())).is(&Value::Text("a".into())));
        assert!(!Stamp::of(&Value::Bool(true)).is(&Value::Bool(false)));
    }
}
