//! From a good pair, every single change that a rule knows is caught, by the rules that should catch it and by no
//! other; pairs and triples of changes keep the server's order.

#![expect(clippy::panic, reason = "helpers of tests fail as tests do")]
#![expect(unreachable_pub, reason = "the parts of one test see one another")]

#[path = "../common/mod.rs"]
mod common;

mod certificates;
mod cluster;
mod coverage;
mod cpu;
mod edit;
mod forgetting;
mod landing;
mod licence;
mod membership;
mod network;
mod several;
mod software;
mod storage;
mod suite;
mod vms;

use std::collections::BTreeSet;

use common::forget::in_threads;
use common::judge::{GOOD, fixture_json, rules, side};
use edit::{Doc, Pair};
use poolgate::rules::{
    Judgement, LICENCE_CHECK, Outcome, Phase, Policy, Registry, Side, Verdict, judge_sequence, release_of,
};
use suite::{Follows, Mutation};

/// All mutations.
fn mutations() -> Vec<Mutation> {
    [
        membership::list(),
        software::list(),
        licence::list(),
        network::list(),
        landing::list(),
        storage::list(),
        vms::list(),
        cpu::list(),
        certificates::list(),
        cluster::list(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A good pair with what the rules say of it as it is.
struct Good {
    name: String,
    pair: Pair,
    pool: Side,
    joiner: Side,
    judgement: Judgement,
}

impl Good {
    fn all(rules: &Registry) -> Vec<Self> {
        GOOD.iter().map(|(pool, joiner)| Self::of(pool, joiner, rules)).collect()
    }

    fn of(pool: &str, joiner: &str, rules: &Registry) -> Self {
        let name = format!("{joiner} into {pool}");
        let (pool_json, joiner_json) = (fixture_json(pool), fixture_json(joiner));
        let (pool, joiner) = (side(pool, &pool_json), side(joiner, &joiner_json));
        let judgement = judge(&pool, &joiner, 16, rules);
        let host = joiner.snapshot.pool.coordinator_host();
        let xapi = host.get().and_then(|host| release_of(host).xapi.get().cloned());
        let pair = Pair {
            pool: Doc(pool_json),
            joiner: Doc(joiner_json),
            max_hosts: 16,
            xapi: xapi.unwrap_or_else(|| panic!("{name}: no release")),
        };
        Self { name, pair, pool, joiner, judgement }
    }

    /// What the rules say of the changed pair.
    fn judge(&self, changed: &Pair, rules: &Registry) -> Judgement {
        let read = |was: &Doc, is: &Doc, side_was: &Side, name| {
            if was == is { side_was.clone() } else { side(name, &is.0) }
        };
        let pool = read(&self.pair.pool, &changed.pool, &self.pool, "pool");
        let joiner = read(&self.pair.joiner, &changed.joiner, &self.joiner, "joiner");
        judge(&pool, &joiner, changed.max_hosts, rules)
    }
}

fn judge(pool: &Side, joiner: &Side, max_hosts: i64, rules: &Registry) -> Judgement {
    let policy = Policy { max_hosts, as_release: None };
    let mut judgements = judge_sequence(pool, std::slice::from_ref(joiner), rules, Phase::Join, &policy);
    judgements.pop().unwrap_or_else(|| panic!("one joiner has one judgement"))
}

fn of_outcome(judgement: &Judgement, outcome: Outcome) -> BTreeSet<&str> {
    judgement.findings.iter().filter(|it| it.outcome == outcome).map(|it| it.rule.as_str()).collect()
}

/// What is wrong with a judgement of a changed pair, in words.
fn wrong(good: &Good, judgement: &Judgement, follows: &Follows) -> Vec<String> {
    let mut wrong = Vec::new();
    for (outcome, follow) in [(Outcome::Fail, &follows.fails), (Outcome::Unknown, &follows.unknown)] {
        let mut expected = of_outcome(&good.judgement, outcome);
        expected.extend(follow.iter());
        let said = of_outcome(judgement, outcome);
        let outcome = outcome.word();
        wrong.extend(said.difference(&expected).map(|rule| format!("{rule} says {outcome} and should not")));
        wrong.extend(expected.difference(&said).map(|rule| format!("{rule} does not say {outcome} and should")));
    }
    let Some(server) = &judgement.server else { return wrong };
    let failing: Vec<_> = server.failing.iter().map(|it| (it.check, it.code.as_str(), it.params.clone())).collect();
    let numbered: Vec<_> = follows.failing.iter().filter(|it| it.0 != LICENCE_CHECK).cloned().collect();
    if failing != numbered {
        wrong.push(format!("the server fails {failing:?}, expected {numbered:?}"));
    }
    let first = server.first.as_ref().map(|it| (it.code.as_str(), it.params.clone()));
    let expected = follows.failing.first().map(|it| (it.1, it.2.clone()));
    if first != expected && (server.undecided.is_empty() || expected.is_some()) {
        wrong.push(format!("the server answers {first:?} first, expected {expected:?}"));
    }
    wrong
}

#[test]
fn good_pairs_are_good() {
    let rules = rules();
    for good in Good::all(&rules) {
        let verdict = good.judgement.verdict;
        assert!(matches!(verdict, Verdict::Go | Verdict::GoWithWarnings), "{}: {}", good.name, verdict.words());
        assert_eq!(of_outcome(&good.judgement, Outcome::Unknown), BTreeSet::new(), "{}", good.name);
        let server = good.judgement.server.unwrap_or_else(|| panic!("{}: no server", good.name));
        assert_eq!((server.first, server.failing.len()), (None, 0), "{}", good.name);
    }
}

#[test]
fn every_single_change_is_caught_by_its_rules_and_by_no_other() {
    let goods = Good::all(&rules());
    let parts = in_threads(|start, step| {
        let rules = rules();
        let mut found = Vec::new();
        for mutation in mutations().iter().skip(start).step_by(step) {
            let mut applied = 0;
            for good in &goods {
                let Some(changed) = mutation.apply(&good.pair) else { continue };
                applied += 1;
                let judgement = good.judge(&changed, &rules);
                let wrong = wrong(good, &judgement, &mutation.follows(&changed, &rules));
                found.extend(wrong.iter().map(|what| format!("{} ({}): {what}", mutation.name, good.name)));
            }
            if applied == 0 {
                found.push(format!("{}: changes no pair", mutation.name));
            }
        }
        found
    });
    let found = parts.concat();
    assert!(found.is_empty(), "{} wrong:\n{}", found.len(), found.join("\n"));
}

#[test]
fn names_are_told_apart() {
    let mut seen = BTreeSet::new();
    let rules = rules();
    for mutation in mutations() {
        assert!(seen.insert(mutation.name), "{} is there twice", mutation.name);
        for rule in mutation.rules() {
            assert!(rules.get(rule).is_some(), "{}: no rule {rule}", mutation.name);
        }
    }
}
