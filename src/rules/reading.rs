//! The facts that rules read, with their values: what a plan keeps, so that the next look can be compared with it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::case::Judged;
use super::rule::Rule;
use crate::facts::{Object, Value};

/// The longest value that is kept whole, characters; a longer one is told apart by its digest.
const WHOLE: usize = 400;

/// A fact that some rule reads, and what it was. Volatile ones are never among them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactRead {
    /// Which, as rules write it: `joiner.vms[].power_state`.
    pub fact: String,
    /// Of which elements of lists, by what stays the same between two looks (uuids where there are any); empty for
    /// facts outside lists.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The same for people: `web01`; empty for facts outside lists.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// Its value, or why there is none.
    pub value: String,
}

/// What rules read of a case, each fact once, sorted.
pub(super) fn read<'r>(case: &dyn Judged, rules: impl Iterator<Item = &'r Rule>) -> Vec<FactRead> {
    let paths: BTreeSet<_> = rules.flat_map(paths).collect();
    let mut reader = Reader { found: BTreeMap::new(), fact: "" };
    for path in &paths {
        reader.fact = path.as_str();
        let steps = steps(path);
        if let Some((Step::Field(root), rest)) = steps.split_first()
            && let Some((index, def)) = case.def().field(root)
            && !def.volatile
        {
            reader.walk(&case.field(index), rest, &[]);
        }
    }
    reader.found.into_values().collect()
}

/// The paths of a rule's facts; what it says of an element is said of the list that it judges.
fn paths(rule: &Rule) -> Vec<String> {
    let facts = rule.facts();
    let Some(each) = &rule.each else { return facts };
    let lists = each.path.clone().map_or_else(|| each.list.facts(), |path| vec![path]);
    let mut paths = Vec::new();
    for fact in facts {
        match fact.strip_prefix(each.name.as_str()).filter(|rest| rest.is_empty() || rest.starts_with(['.', '['])) {
            Some(rest) => paths.extend(lists.iter().map(|list| format!("{list}[]{rest}"))),
            None => paths.push(fact),
        }
    }
    paths
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Item(usize),
    Key(String),
    Every,
}

/// `joiner.vms[].other_config["k"]` in steps; keys are quoted as evidence quotes them.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[]") {
            steps.push(Step::Every);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("['") {
            let (key, after) = after.split_once("']").unwrap_or((after, ""));
            steps.push(Step::Key(key.replace("\\'", "'")));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (index, after) = after.split_once(']').unwrap_or((after, ""));
            steps.push(index.parse().map_or_else(|_| Step::Key(index.to_owned()), Step::Item));
            rest = after;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(Step::Field(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
    steps
}

struct Reader<'p> {
    found: BTreeMap<(String, String), FactRead>,
    fact: &'p str,
}

/// An element on the way: what it is told apart by, and its name.
#[derive(Clone)]
struct Element {
    key: String,
    of: String,
}

impl Reader<'_> {
    fn walk(&mut self, value: &Value<'_>, steps: &[Step], way: &[Element]) {
        let Some((step, rest)) = steps.split_first() else { return self.keep(value, way) };
        match (value, step) {
            // What leads there is missing: so is the fact, for the same reason.
            (Value::Unknown(_) | Value::Null, _) => self.keep(value, way),
            (Value::Object(object), Step::Field(name)) => {
                if let Some((index, def)) = object.def().field(name)
                    && !def.volatile
                {
                    self.walk(&object.field(index), rest, way);
                }
            }
            (Value::Map(map), Step::Key(key)) => match map.get(key) {
                Some(value) => self.walk(&value, rest, way),
                None => self.keep_text("absent".to_owned(), way),
            },
            (Value::Map(_), Step::Every) => self.keep(value, way),
            (Value::List(list), Step::Item(index)) => {
                if *index < list.len() {
                    self.walk(&list.get(*index), rest, way);
                } else {
                    self.keep_text("absent".to_owned(), way);
                }
            }
            (Value::List(list), Step::Every) => {
                for (index, element) in elements((0..list.len()).map(|index| list.get(index))).into_iter().enumerate()
                {
                    let way: Vec<_> = way.iter().cloned().chain([element]).collect();
                    self.walk(&list.get(index), rest, &way);
                }
            }
            _ => {}
        }
    }

    fn keep(&mut self, value: &Value<'_>, way: &[Element]) {
        self.keep_text(shown(value), way);
    }

    fn keep_text(&mut self, value: String, way: &[Element]) {
        let join = |part: fn(&Element) -> &str| way.iter().map(part).collect::<Vec<_>>().join(" / ");
        let read = FactRead {
            fact: self.fact.to_owned(),
            key: join(|element| &element.key),
            of: join(|element| &element.of),
            value: whole(value),
        };
        self.found.insert((read.fact.clone(), read.key.clone()), read);
    }
}

/// What tells the elements of a list apart, whatever their order; several of one key are numbered.
fn elements<'v>(list: impl Iterator<Item = Value<'v>>) -> Vec<Element> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    list.map(|value| {
        let (mut key, of) = match &value {
            Value::Object(object) => (key_of(*object), Object::label(*object)),
            other => (shown(other), shown(other)),
        };
        let count = seen.entry(key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            key = format!("{key}#{count}");
        }
        Element { key, of }
    })
    .collect()
}

fn key_of(object: &dyn Object) -> String {
    let text = |name: &&str| match object.def().field(name).map(|(index, _)| object.field(index)) {
        Some(Value::Text(text)) if !text.is_empty() => Some(text.into_owned()),
        _ => None,
    };
    // A fact about a pair of things, such as a key of a PBD, has more than its first name.
    let first = ["uuid", "reference", "name_label", "name", "device", "pbd", "fingerprint"].iter().find_map(text);
    let second = ["key", "kind", "side", "task"].iter().find_map(text);
    match (first, second) {
        (Some(first), Some(second)) if object.def().field("uuid").is_none() => format!("{first} {second}"),
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => String::new(),
    }
}

/// A value in one line that two looks can be compared by. Lists of records are told by their elements; those of plain
/// values regardless of order, which no server promises.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Unknown(unknown) => format!("unknown ({unknown})"),
        Value::Null => "none".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(text) => text.clone().into_owned(),
        Value::Features(set) => set.to_string(),
        Value::List(list) => several((0..list.len()).map(|index| list.get(index))),
        Value::Made(list) => several(list.iter().cloned()),
        Value::Map(map) => {
            let entry = |key: &str| format!("{key}: {}", map.get(key).as_ref().map_or_else(String::new, shown));
            format!("[{}]", map.keys().into_iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Object(object) => match key_of(*object) {
            key if key.is_empty() => "present".to_owned(),
            key => key,
        },
    }
}

fn several<'v>(list: impl Iterator<Item = Value<'v>>) -> String {
    let mut items: Vec<_> = list.map(|value| shown(&value)).collect();
    items.sort();
    format!("[{}]", items.join(", "))
}

fn whole(value: String) -> String {
    match value.char_indices().nth(WHOLE) {
        None => value,
        Some((cut, _)) => {
            let digest: String = Sha256::digest(value.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}… ({} characters, SHA-256 {digest})", &value[..cut], value.chars().count())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(
            steps("joiner.vms[].power_state"),
            [field("joiner"), field("vms"), Step::Every, field("power_state")]
        );
        assert_eq!(steps("host.m['a.b']"), [field("host"), field("m"), Step::Key("a.b".to_owned())]);
        assert_eq!(steps("joiner.hosts[0].uuid"), [field("joiner"), field("hosts"), Step::Item(0), field("uuid")]);
    }
}
