//! Unknown never turns into GO: forgetting facts may turn an answer into "unknown" and never into another answer.

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::forget::{Path, Step, broken, facts_of, forget, in_threads, name, samples, value_at};
use common::judge::{PAIRS, fixture_json, judge, pools, rules, side};
use poolgate::eject::find_member;
use poolgate::rules::{Phase, Policy, Registry, Verdict, judge_eject};
use proptest::prelude::*;
use serde_json::Value as Json;

/// Forgets every `share`-th fact of one side alone, and says how many and what broke. Over the pairs all facts have
/// their turn.
fn forget_each(turn: usize, share: usize, of_pool: bool, rules: &Registry) -> (usize, Vec<String>) {
    let (pool, joiner) = PAIRS[turn];
    let (pool_json, joiner_json) = (fixture_json(pool), fixture_json(joiner));
    let (pool_side, joiner_side) = (side(pool, &pool_json), side(joiner, &joiner_json));
    let before = judge(&pool_side, &joiner_side, rules);
    let json = if of_pool { &pool_json } else { &joiner_json };
    let facts: Vec<_> = samples(json).into_iter().skip(turn % share).step_by(share).collect();
    let mut wrong = Vec::new();
    for path in &facts {
        let mut less = json.clone();
        forget(&mut less, path);
        let less = side("forgotten", &less);
        let after = if of_pool { judge(&less, &joiner_side, rules) } else { judge(&pool_side, &less, rules) };
        let whose = if of_pool { "pool" } else { "joiner" };
        wrong
            .extend(broken(&before, &after).iter().map(|what| format!("{joiner}, {whose}'s {}: {what}", name(path))));
    }
    (facts.len(), wrong)
}

/// Forgets facts of one side of every pair.
fn forget_in_all(share: usize, of_pool: bool) -> usize {
    let parts = in_threads(|start, step| {
        let rules = rules();
        let turns = (start..PAIRS.len()).step_by(step);
        turns.map(|turn| forget_each(turn, share, of_pool, &rules)).collect::<Vec<_>>()
    });
    let (mut facts, mut wrong) = (0, Vec::new());
    for (more, broken) in parts.into_iter().flatten() {
        facts += more;
        wrong.extend(broken);
    }
    assert!(wrong.is_empty(), "{} of {facts} facts:\n{}", wrong.len(), wrong.join("\n"));
    facts
}

#[test]
fn no_fact_of_a_joiner_is_better_forgotten() {
    let facts = forget_in_all(4, false);
    assert!(facts > 1_000, "only {facts} facts were forgotten");
}

#[test]
fn no_fact_of_a_pool_is_better_forgotten() {
    let facts = forget_in_all(8, true);
    assert!(facts > 500, "only {facts} facts were forgotten");
}

#[test]
fn no_fact_of_a_pool_is_better_forgotten_before_an_eject() {
    let pools: Vec<_> = pools().into_iter().collect();
    let parts = in_threads(|start, step| {
        let rules = Registry::load_for(Phase::Eject, &[]).unwrap();
        let policy = Policy { max_hosts: 16, as_release: None };
        let (mut facts, mut wrong) = (0, Vec::new());
        for (turn, stem) in pools.iter().enumerate().skip(start).step_by(step) {
            let json = fixture_json(stem);
            let of = |json: &Json, uuid: &str| {
                let side = side(stem, json);
                // Whoever may be meant must be there to be judged.
                find_member(&side.snapshot.pool, uuid).ok().map(|member| judge_eject(&side, member, &rules, &policy))
            };
            let hosts = json["pool"]["hosts"].as_array().unwrap();
            let uuid = hosts[turn % hosts.len()]["uuid"].as_str().unwrap();
            let before = of(&json, uuid).unwrap();
            for path in samples(&json).iter().skip(turn % 4).step_by(4) {
                let mut less = json.clone();
                forget(&mut less, path);
                let Some(after) = of(&less, uuid) else { continue };
                facts += 1;
                let broken = broken(&before, &after);
                wrong.extend(broken.iter().map(|what| format!("{stem}, {uuid} without {}: {what}", name(path))));
            }
        }
        (facts, wrong)
    });
    let facts: usize = parts.iter().map(|(facts, _)| facts).sum();
    let wrong: Vec<_> = parts.into_iter().flat_map(|(_, wrong)| wrong).collect();
    assert!(wrong.is_empty(), "{} of {facts} facts:\n{}", wrong.len(), wrong.join("\n"));
    assert!(facts > 500, "only {facts} facts were forgotten");
}

#[test]
fn a_joiner_of_whom_nothing_is_known_is_undecided() {
    let nothing = serde_json::json!({"format": "poolgate-snapshot", "version": "1.0", "pool": {}});
    let pool = side("pool", &fixture_json("xcp-ng-8.3-5-hosts"));
    let rules = rules();
    let verdict = |pool: &Json, joiner: &Json| judge(&side("pool", pool), &side("joiner", joiner), &rules).verdict;
    assert_eq!(judge(&pool, &side("nothing", &nothing), &rules).verdict, Verdict::Undecided);
    assert_eq!(verdict(&nothing, &nothing), Verdict::Undecided);
    assert_eq!(verdict(&nothing, &fixture_json("candidate-good")), Verdict::Undecided);
}

#[test]
fn the_facts_that_make_a_no_go_leave_it_undecided() {
    let rules = rules();
    let pool = side("pool", &fixture_json("xcp-ng-8.3-5-hosts"));
    let without = |candidate: &str, fact: &[&str]| {
        let mut json = fixture_json(candidate);
        let path: Path =
            fact.iter().map(|step| step.parse().map_or_else(|_| Step::Key((*step).to_owned()), Step::At)).collect();
        assert!(!value_at(&json, &path).is_null(), "{candidate} has {fact:?}");
        forget(&mut json, &path);
        judge(&pool, &side(candidate, &json), &rules).verdict
    };
    assert_eq!(without("candidate-good", &["name_label"]), Verdict::Go);
    assert_eq!(without("candidate-good", &["vms"]), Verdict::Undecided);
    assert_eq!(without("candidate-good", &["srs", "1", "shared"]), Verdict::Undecided);
    assert_eq!(without("candidate-amd", &["hosts", "0", "cpu"]), Verdict::Undecided);
    assert_eq!(without("candidate-trouble", &["bonds"]), Verdict::NoGo);
}

fn any_pair() -> impl Strategy<Value = (&'static str, &'static str)> {
    // Sixteen hosts take long to judge and show nothing that five do not.
    let small: Vec<_> = PAIRS.into_iter().filter(|(pool, _)| *pool != "xenserver-8-16-hosts").collect();
    prop::sample::select(small)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_set_of_facts_is_better_forgotten(
        (pool, joiner) in any_pair(),
        of_joiner in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
        of_pool in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
    ) {
        let rules = rules();
        let (mut pool_json, mut joiner_json) = (fixture_json(pool), fixture_json(joiner));
        let before = judge(&side(pool, &pool_json), &side(joiner, &joiner_json), &rules);
        let mut forgotten = Vec::new();
        for (json, chosen) in [(&mut joiner_json, of_joiner), (&mut pool_json, of_pool)] {
            let facts = facts_of(json);
            for index in chosen {
                let path = index.get(&facts);
                forget(json, path);
                forgotten.push(name(path));
            }
        }
        let after = judge(&side(pool, &pool_json), &side(joiner, &joiner_json), &rules);
        prop_assert_eq!(broken(&before, &after), Vec::<String>::new(), "{} without {:?}", joiner, forgotten);
    }
}
