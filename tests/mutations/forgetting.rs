//! What a change made wrong is not made good by forgetting it.

use std::collections::BTreeSet;

use crate::common::forget::{broken, facts_of, forget, in_threads, name};
use crate::common::judge::rules;
use crate::edit::Pair;
use crate::several::{overlap, touched};
use crate::{Good, mutations};

/// Of the facts that no change touched, how many are forgotten too.
const OTHERS: usize = 4;

/// Changes of one of two witnesses of a fact, or of a fact that few sources hold: the last words of what may be
/// forgotten without a word, and why.
const STAND_INS: &[(&str, &[&str], &str)] = &[
    ("no-execute is off at the joiner", &["hardware", "nx_enabled"], "the features for guests tell it too"),
    ("a NIC of the joiner is wired to another switch", &["pifs", "switch_neighbour"], "switches are seldom asked"),
    ("the joiner's description is its own", &["name_description"], "few sources hold it"),
    ("the pool does not tell its vendor", &["cpu_info"], "the coordinator's own CPU tells it too"),
    ("the joiner's features were seen through a filter", &["provenance"], "a server's features need no such word"),
];

/// Whether what broke is meant to be so. NICs of the machine stand in for PIFs: a rule over them passes, and the
/// verdict gets no better.
fn stands_in(mutation: &str, fact: &str, what: &str) -> bool {
    let last = fact.rsplit('.').next().unwrap_or_default();
    let listed = STAND_INS.iter().any(|(name, facts, _)| *name == mutation && facts.contains(&last));
    let of_verdict = ["GO ", "NO-GO ", "UNDECIDED ", "the server"].iter().any(|word| what.starts_with(word));
    listed || fact == "pool.pifs" && what.starts_with("network-") && !of_verdict
}

/// The facts of the changed pair that were touched, and some others: whether of the pool, and where.
fn chosen(good: &Pair, changed: &Pair, turn: usize) -> Vec<(bool, crate::common::forget::Path)> {
    let mut chosen = Vec::new();
    for (of_pool, before, after) in [(true, &good.pool, &changed.pool), (false, &good.joiner, &changed.joiner)] {
        let mut paths = BTreeSet::new();
        touched(&before.0["pool"], &after.0["pool"], "pool", &mut paths);
        let lists: BTreeSet<_> =
            paths.iter().map(|path| path.split("[+]").next().unwrap_or_default().to_owned()).collect();
        let facts = facts_of(&after.0);
        let of = |path: &crate::common::forget::Path| overlap(&BTreeSet::from([name(path)]), &lists);
        // Of a long list that grew only itself and its last records.
        let mut touched: Vec<_> = facts.iter().filter(|path| of(path)).cloned().collect();
        if touched.len() > 24 {
            touched = [&touched[..4], &touched[touched.len() - 20..]].concat();
        }
        let others = facts.iter().skip(turn * 7 % 31).step_by((facts.len() / OTHERS).max(1)).take(OTHERS).cloned();
        chosen.extend(touched.into_iter().chain(others).map(|path| (of_pool, path)));
    }
    chosen
}

#[test]
fn no_fact_of_a_changed_pair_is_better_forgotten() {
    let goods = Good::all(&rules());
    let parts = in_threads(|start, step| {
        let rules = rules();
        let (mut facts, mut found) = (0, Vec::new());
        for (turn, mutation) in mutations().iter().enumerate().skip(start).step_by(step) {
            // One pair each, another for every change.
            let mut pairs = (0..goods.len()).map(|next| &goods[(turn + next) % goods.len()]);
            let Some((good, changed)) = pairs.find_map(|good| Some((good, mutation.apply(&good.pair)?))) else {
                continue;
            };
            let before = good.judge(&changed, &rules);
            for (of_pool, path) in chosen(&good.pair, &changed, turn) {
                let mut less = changed.clone();
                forget(if of_pool { &mut less.pool.0 } else { &mut less.joiner.0 }, &path);
                facts += 1;
                let whose = if of_pool { "pool" } else { "joiner" };
                let fact = name(&path);
                let broken = broken(&before, &good.judge(&less, &rules));
                let broken = broken.iter().filter(|what| !stands_in(mutation.name, &fact, what));
                found.extend(
                    broken.map(|what| format!("{} ({}), {whose}'s {fact}: {what}", mutation.name, good.name)),
                );
            }
        }
        (facts, found)
    });
    let facts: usize = parts.iter().map(|(facts, _)| facts).sum();
    let found: Vec<_> = parts.into_iter().flat_map(|(_, found)| found).collect();
    assert!(found.is_empty(), "{} wrong:\n{}", found.len(), found.join("\n"));
    assert!(facts > 1_000, "only {facts} facts were forgotten");
}
