//! Test: a missing fact never clears a blocker. Every example that fails is judged again without one field or another.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::case::Policy;
use super::examples::{changed, judge_one, seen_in, side_of};
use super::{Outcome, Registry, Rule, Severity};

/// Blockers that pass without a fact because another one tells the same: the words for guests, what the host wrote down
/// at its start.
const STAND_INS: [(&str, &str); 3] = [
    ("cpu-no-execute-on", "joiner.hosts[*].hardware"),
    ("cpu-virtualisation-on", "joiner.hosts[*].capabilities"),
    ("network-backend-same", "joiner.hosts[*].network_backend"),
];

/// Each example takes one field in so many, and those that its rule names.
const SHARES: usize = 6;

#[test]
fn a_missing_fact_never_clears_a_blocker() {
    let rules = Registry::load_whole(&[]).unwrap();
    let policy = Policy { max_hosts: 2, as_release: None };
    let (mut cleared, mut seen) = (Vec::new(), BTreeSet::new());
    let blockers = rules.all().filter(|rule| rule.severity == Severity::Blocker);
    let failing = blockers.flat_map(|rule| {
        rule.examples.iter().filter(|example| example.expect == "fail").map(move |example| (rule, example))
    });
    for (turn, (rule, example)) in failing.enumerate() {
        let root = changed(rule, example).unwrap();
        let names = named(rule);
        let whole = ["pool", "joiner"].map(|name| side_of(name, root[name].clone()).unwrap());
        for (slot, name) in ["pool", "joiner"].into_iter().enumerate() {
            for (at, path) in fields(&root[name], name).into_iter().enumerate() {
                let last = path.rsplit('.').next().unwrap_or_default();
                if at % SHARES != turn % SHARES && !names.contains(last) {
                    continue;
                }
                let mut sides = whole.clone();
                sides[slot] = side_of(name, without(&root[name], &path)).unwrap();
                let [pool, joiner] = &sides;
                // Without its hosts a pool has no member to leave it.
                let Ok(finding) = judge_one(rule, pool, joiner, &policy, seen_in(&root)) else { continue };
                let fine = matches!(finding.outcome, Outcome::Fail | Outcome::Unknown);
                if !fine && !STAND_INS.contains(&(rule.id.as_str(), path.as_str())) {
                    cleared.push(format!("{}, {:?} without {path}: {:?}", rule.id, example.name, finding.outcome));
                }
                seen.insert(path);
            }
        }
    }
    assert!(seen.len() > 300, "only {} fields were left out", seen.len());
    assert!(cleared.is_empty(), "{cleared:#?}");
}

/// The last words of the facts that a rule names.
fn named(rule: &Rule) -> BTreeSet<String> {
    rule.facts().iter().filter_map(|fact| fact.rsplit('.').next()).map(str::to_owned).collect()
}

/// The fields of a pool and of the records below it, elements of lists as `[*]`. What is inside a map is no field.
fn fields(at: &Json, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (key, value) in at.as_object().into_iter().flatten().filter(|(key, _)| !key.starts_with('$')) {
        let path = format!("{path}.{key}");
        for item in value.as_array().into_iter().flatten().filter(|item| item.is_object()) {
            found.extend(fields(item, &format!("{path}[*]")));
        }
        if matches!(key.as_str(), "cpu" | "cpu_info") {
            found.extend(fields(value, &path));
        }
        found.insert(path);
    }
    found
}

/// The pool without a field.
fn without(pool: &Json, path: &str) -> Json {
    let mut less = pool.clone();
    let steps: Vec<&str> = path.split(['.', '[']).map(|step| step.trim_end_matches(']')).skip(1).collect();
    forget(&mut less, &steps);
    less
}

fn forget(at: &mut Json, steps: &[&str]) {
    match (at, steps) {
        (Json::Object(map), [last]) => drop(map.remove(*last)),
        (Json::Object(map), [step, rest @ ..]) => {
            if let Some(next) = map.get_mut(*step) {
                forget(next, rest);
            }
        }
        (Json::Array(list), ["*", rest @ ..]) => list.iter_mut().for_each(|item| forget(item, rest)),
        _ => {}
    }
}
