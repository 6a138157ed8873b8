//! Every rule is hit by some change, and every fact that a rule reads is changed by some.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use poolgate::rules::{Phase, Registry};

use crate::common::judge::rules;
use crate::several::touched;
use crate::{Good, mutations};

/// Facts that no change touches, and why none can.
const UNTOUCHED: &[(&str, &str)] =
    &[("pool.srs[].reference", "tells records apart; the default SR that refers to it is changed instead")];

/// Facts that are derived from others and are no fields of a snapshot: their rules are hit by changes of what they are
/// derived from.
const DERIVED: [&str; 9] =
    ["assumed", "cpu", "join", "network", "place", "policy", "pool_release", "release", "silent"];

#[test]
fn every_rule_is_hit_and_every_fact_is_changed() {
    let rules = rules();
    let goods = Good::all(&rules);
    let (mut hit, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for mutation in mutations() {
        for good in &goods {
            let Some(changed) = mutation.apply(&good.pair) else { continue };
            hit.extend(mutation.follows(&changed, &rules).fails);
            touched(&good.pair.pool.0["pool"], &changed.pool.0["pool"], "pool", &mut paths);
            touched(&good.pair.joiner.0["pool"], &changed.joiner.0["pool"], "joiner", &mut paths);
        }
    }
    let all: BTreeSet<_> = rules.of(Phase::Join).map(|rule| rule.id.as_str()).collect();
    let never: Vec<_> = all.difference(&hit).collect();
    assert!(never.is_empty(), "no change hits {never:?}");
    let unknown: Vec<_> = hit.difference(&all).collect();
    assert!(unknown.is_empty(), "no such rules: {unknown:?}");

    let paths: BTreeSet<_> = paths.iter().map(|path| without_places(path)).collect();
    let facts = facts(&rules);
    assert!(facts.len() > 60, "only {} facts are read", facts.len());
    let changed = |fact: &str| paths.iter().any(|path| within(path, fact) || within(fact, path));
    let excused: BTreeSet<_> = UNTOUCHED.iter().map(|(fact, _)| *fact).collect();
    let missing: Vec<_> = facts.iter().filter(|fact| !changed(fact) && !excused.contains(fact.as_str())).collect();
    assert!(missing.is_empty(), "no change touches {missing:#?}");
    let needless: Vec<_> = excused.iter().filter(|fact| !facts.contains(**fact) || changed(fact)).collect();
    assert!(needless.is_empty(), "excused without need: {needless:?}");
}

/// Whether a path is another one or below it.
fn within(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// `joiner.vms[3].power_state` without the place.
fn without_places(path: &str) -> String {
    let mut parts = path.split('[');
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        short.push_str("[]");
        short.push_str(part.split_once(']').map_or("", |(_, rest)| rest));
    }
    short
}

/// The fields of snapshots that rules read, by their paths from `pool` or `joiner`.
fn facts(rules: &Registry) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for rule in rules.of(Phase::Join) {
        let element = element(&rule.id);
        for fact in rule.facts() {
            let fact = fact.split("['").next().unwrap_or_default().trim_end_matches("[]");
            let (root, rest) = fact.split_at(fact.find(['.', '[']).unwrap_or(fact.len()));
            let roots = BTreeMap::from([
                ("pool", "pool"),
                ("joiner", "joiner"),
                ("host", "joiner.hosts[]"),
                ("coordinator", "pool.hosts[]"),
                ("management", "joiner.pifs[]"),
                ("pool_management", "pool.pifs[]"),
                ("software", "joiner.hosts[].software_version"),
                ("pool_software", "pool.hosts[].software_version"),
            ]);
            match (roots.get(root), &element) {
                (Some(root), _) if root.ends_with("software_version") => drop(facts.insert((*root).to_owned())),
                (Some(root), _) => drop(facts.insert(format!("{root}{rest}"))),
                (None, Some((name, list))) if root == name => {
                    let derived = DERIVED.iter().any(|root| within(list, root));
                    if !derived {
                        facts.insert(format!("{list}[]{rest}"));
                    }
                }
                (None, _) => assert!(DERIVED.contains(&root), "{}: what is {fact}?", rule.id),
            }
        }
    }
    facts
}

/// The name that a rule gives the elements of its list, and the list.
fn element(id: &str) -> Option<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("rules/join/{id}.toml"));
    let rule: toml::Table = fs::read_to_string(path).ok()?.parse().ok()?;
    let each = rule.get("each")?;
    Some((each.get("name")?.as_str()?.to_owned(), each.get("in")?.as_str()?.to_owned()))
}
