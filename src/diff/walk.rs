//! Walks two trees together.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value as Json;

use super::tree::Node;

/// What happened to a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It has another value.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where: `pool.hosts[xcp-01].enabled`.
    pub path: String,
    /// What happened.
    pub change: Change,
    /// The value before; left out when it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Json>,
    /// The value after; left out when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Json>,
    /// Whether it changes by its nature.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub volatile: bool,
}

/// What elements of a list may be told apart by, the surest first.
const KEYS: [&str; 10] =
    ["uuid", "rule", "fact", "reference", "name_label", "name", "device", "check", "fingerprint", "code"];
/// What people call them.
const NAMES: [&str; 5] = ["name_label", "name", "device", "rule", "fact"];

/// Everything that differs.
pub(super) fn walk(root: &str, old: &Node, new: &Node) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(root, false, old, new, &mut found);
    found
}

fn compare(path: &str, volatile: bool, old: &Node, new: &Node, found: &mut Vec<Difference>) {
    match (old, new) {
        (Node::Fields(before), Node::Fields(after)) => fields(path, volatile, before, after, found),
        (Node::List(before), Node::List(after)) => lists(path, volatile, before, after, found),
        _ if old == new => {}
        _ => found.push(difference(path, volatile, Some(old), Some(new))),
    }
}

fn difference(path: &str, volatile: bool, old: Option<&Node>, new: Option<&Node>) -> Difference {
    let change = match (old, new) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ => Change::Changed,
    };
    Difference { path: path.to_owned(), change, old: old.map(Node::json), new: new.map(Node::json), volatile }
}

type Fields = [(String, bool, Node)];

fn fields(path: &str, volatile: bool, old: &Fields, new: &Fields, found: &mut Vec<Difference>) {
    let before: BTreeMap<_, _> = old.iter().map(|(name, _, node)| (name, node)).collect();
    let after: BTreeSet<_> = new.iter().map(|(name, _, _)| name).collect();
    let below = |name: &str| {
        let simple = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if simple { format!("{path}.{name}") } else { format!("{path}[{name}]") }
    };
    for (name, changes, node) in new {
        let volatile = volatile || *changes;
        match before.get(name) {
            Some(other) => compare(&below(name), volatile, other, node, found),
            None => found.push(difference(&below(name), volatile, None, Some(node))),
        }
    }
    for (name, changes, node) in old.iter().filter(|(name, _, _)| !after.contains(name)) {
        found.push(difference(&below(name), volatile || *changes, Some(node), None));
    }
}

fn lists(path: &str, volatile: bool, old: &[Node], new: &[Node], found: &mut Vec<Difference>) {
    let records = |list: &[Node]| list.iter().all(|node| matches!(node, Node::Fields(_)));
    if !records(old) || !records(new) {
        return members(path, volatile, old, new, found);
    }
    let Some(key) = KEYS.into_iter().find(|key| tells(old, key) && tells(new, key)) else {
        return places(path, volatile, old, new, found);
    };
    let before: BTreeMap<_, _> = old.iter().filter_map(|node| Some((node.text(key)?, node))).collect();
    let after: BTreeSet<_> = new.iter().filter_map(|node| node.text(key)).collect();
    let (names_before, names_after) = (names(old), names(new));
    let below = |node: &Node, names: &Names<'_>| format!("{path}[{}]", label(node, key, names));
    for node in new {
        match node.text(key).and_then(|value| before.get(value)) {
            Some(other) => compare(&below(node, &names_after), volatile, other, node, found),
            None => found.push(difference(&below(node, &names_after), volatile, None, Some(node))),
        }
    }
    for node in old.iter().filter(|node| node.text(key).is_some_and(|value| !after.contains(value))) {
        found.push(difference(&below(node, &names_before), volatile, Some(node), None));
    }
}

/// Whether every element has this field, and no two the same.
fn tells(list: &[Node], key: &str) -> bool {
    let mut seen = BTreeSet::new();
    list.iter().all(|node| node.text(key).is_some_and(|value| seen.insert(value)))
}

/// (field, name) of elements, and how many have it.
type Names<'n> = BTreeMap<(&'static str, &'n str), usize>;

fn names(list: &[Node]) -> Names<'_> {
    let mut names = Names::new();
    list.iter().filter_map(name).for_each(|name| *names.entry(name).or_default() += 1);
    names
}

fn name(node: &Node) -> Option<(&'static str, &str)> {
    NAMES.into_iter().find_map(|field| Some((field, node.text(field)?)))
}

/// An element's name; with what tells it apart where another has the same.
fn label(node: &Node, key: &str, names: &Names<'_>) -> String {
    let value = node.text(key).unwrap_or_default();
    match name(node) {
        Some((field, text)) if field == key || names.get(&(field, text)) == Some(&1) => text.to_owned(),
        Some((_, text)) => format!("{text} {value}"),
        None => value.to_owned(),
    }
}

/// Lists of plain values, whose order means nothing: what joined and what left, each as often as it did.
fn members(path: &str, volatile: bool, old: &[Node], new: &[Node], found: &mut Vec<Difference>) {
    let written = |list: &[Node]| list.iter().map(|node| node.json().to_string()).collect::<Vec<_>>();
    let (before, after) = (written(old), written(new));
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    before.iter().for_each(|text| *counts.entry(text).or_default() += 1);
    for (node, text) in new.iter().zip(&after) {
        let left = counts.entry(text).or_default();
        *left -= 1;
        if *left < 0 {
            found.push(difference(path, volatile, None, Some(node)));
        }
    }
    for (node, text) in old.iter().zip(&before) {
        let left = counts.entry(text).or_default();
        if *left > 0 {
            *left -= 1;
            found.push(difference(path, volatile, Some(node), None));
        }
    }
}

/// Lists of records without names: by their places.
fn places(path: &str, volatile: bool, old: &[Node], new: &[Node], found: &mut Vec<Difference>) {
    for index in 0..old.len().max(new.len()) {
        let below = format!("{path}[{index}]");
        match (old.get(index), new.get(index)) {
            (Some(old), Some(new)) => compare(&below, volatile, old, new, found),
            (old, new) => found.push(difference(&below, volatile, old, new)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::of_json;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf =
            prop_oneof![Just(Json::Null), any::<bool>().prop_map(Json::from), "[a-c]{0,2}".prop_map(Json::from)];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let key = prop_oneof![Just("uuid"), Just("name"), Just("rule"), Just("x"), Just("seen")];
            let key = key.prop_map(str::to_owned);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::btree_map(key, inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn nothing_differs_from_itself_and_both_ways_differ_alike(a in any_json(), b in any_json()) {
            let (a, b) = (of_json(&a), of_json(&b));
            prop_assert_eq!(walk("r", &a, &a), vec![]);
            let (there, back) = (walk("r", &a, &b), walk("r", &b, &a));
            prop_assert_eq!(there.len(), back.len());
            let count = |list: &[Difference], change| list.iter().filter(|it| it.change == change).count();
            prop_assert_eq!(count(&there, Change::Added), count(&back, Change::Removed));
        }
    }

    #[test]
    fn long_lists_take_no_long_time() {
        let list = |end: i64| Json::from((0..end).rev().map(Json::from).collect::<Vec<_>>());
        let named = |from: i64| {
            (from..from + 20_000).map(|n| json!({"uuid": n.to_string(), "name": "n", "x": from})).collect::<Json>()
        };
        assert_eq!(differ(list(100_000), list(100_001)).len(), 1);
        assert_eq!(differ(named(0), named(1)).len(), 20_001);
    }

    fn differ(old: Json, new: Json) -> Vec<(String, Change)> {
        let found = walk("r", &of_json(&old), &of_json(&new));
        found.into_iter().map(|difference| (difference.path, difference.change)).collect()
    }

    fn one(path: &str, change: Change) -> Vec<(String, Change)> {
        vec![(path.to_owned(), change)]
    }

    #[test]
    fn order_is_no_difference_and_names_tell_elements() {
        let a = json!({"hosts": [{"uuid": "1", "name": "a", "x": 1}, {"uuid": "2", "name": "b", "x": 2}]});
        let b = json!({"hosts": [{"uuid": "2", "name": "b", "x": 3}, {"uuid": "1", "name": "a", "x": 1}]});
        assert_eq!(differ(a.clone(), a.clone()), []);
        assert_eq!(differ(a.clone(), b), one("r.hosts[b].x", Change::Changed));
        let c = json!({"hosts": [{"uuid": "2", "name": "b", "x": 2}]});
        assert_eq!(differ(a.clone(), c.clone()), one("r.hosts[a]", Change::Removed));
        assert_eq!(differ(c, a), one("r.hosts[a]", Change::Added));
    }

    #[test]
    fn plain_lists_are_sets_with_counts() {
        assert_eq!(differ(json!([1, 2, 2]), json!([2, 1, 2])), []);
        assert_eq!(differ(json!([1, 2, 2]), json!([2, 1])), one("r", Change::Removed));
        assert_eq!(differ(json!([]), json!(["x"])), one("r", Change::Added));
        assert_eq!(differ(json!([{"a": 1}, {"a": 1}]), json!([{"a": 1}, {"a": 2}])), one("r[1].a", Change::Changed));
    }

    #[test]
    fn a_name_that_two_have_is_no_name() {
        let list = |x: i64| json!([{"uuid": "1", "name": "n", "x": 1}, {"uuid": "2", "name": "n", "x": x}]);
        assert_eq!(differ(list(1), list(2)), one("r[n 2].x", Change::Changed));
    }
}
