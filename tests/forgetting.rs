//! Unknown never turns into GO: forgetting facts may turn an answer into "unknown" and never into another answer.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::judge::{PAIRS, fixture_json, judge, rules, side};
use poolgate::facts::{Fact, Type};
use poolgate::rules::{Judgement, Outcome, Registry, Verdict};
use poolgate::snapshot::Pool;
use proptest::prelude::*;
use serde_json::Value as Json;

/// Where a fact stands: keys and indices from `pool` down.
type Path = Vec<Step>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    At(usize),
}

/// The facts of a pool that can be forgotten: the knowable fields of the model that a document holds, inner ones too.
/// Entries of maps and elements of lists are no such facts: a map without a key says that there is none.
fn facts_of(json: &Json) -> Vec<Path> {
    let mut found = Vec::new();
    walk(Pool::TYPE, &json["pool"], &mut Vec::new(), &mut found);
    found
}

fn walk(ty: Type, json: &Json, at: &mut Path, found: &mut Vec<Path>) {
    if json.is_null() || json.get("$unknown").is_some() {
        return;
    }
    match ty {
        Type::Object(def) => {
            for field in def.fields {
                let Some(value) = json.get(field.name) else { continue };
                at.push(Step::Key(field.name.to_owned()));
                if field.knowable && value.get("$unknown").is_none() {
                    found.push(at.clone());
                }
                walk(field.ty, value, at, found);
                at.pop();
            }
        }
        Type::List(of) => {
            for (index, value) in json.as_array().unwrap().iter().enumerate() {
                at.push(Step::At(index));
                walk(*of, value, at, found);
                at.pop();
            }
        }
        Type::Nullable(of) => walk(*of, json, at, found),
        Type::Map(_) | Type::Bool | Type::Int | Type::Text | Type::Features => {}
    }
}

/// Of facts that differ in list indices only, one for each of a few distinct values: 200 VMs have few stories to tell.
fn samples(json: &Json) -> Vec<Path> {
    const VALUES: usize = 3;
    let mut seen: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    let facts = facts_of(json).into_iter();
    let told = facts.filter(|path| {
        let shape = path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::At(_) => "[]".to_owned(),
        });
        let values = seen.entry(shape.collect()).or_default();
        values.len() < VALUES && values.insert(value_at(json, path).to_string())
    });
    told.collect()
}

fn value_at<'a>(json: &'a Json, path: &[Step]) -> &'a Json {
    path.iter().fold(&json["pool"], |json, step| match step {
        Step::Key(key) => &json[key],
        Step::At(index) => &json[index],
    })
}

/// The document without one fact: a key that is left out was not collected. What is no longer there stays gone.
fn forget(json: &mut Json, path: &[Step]) {
    let Some((Step::Key(last), above)) = path.split_last() else { return };
    let mut at = Some(&mut json["pool"]);
    for step in above {
        at = at.and_then(|json| match step {
            Step::Key(key) => json.get_mut(key),
            Step::At(index) => json.get_mut(index),
        });
    }
    if let Some(Json::Object(object)) = at {
        object.remove(last);
    }
}

fn name(path: &[Step]) -> String {
    path.iter().fold("pool".to_owned(), |name, step| match step {
        Step::Key(key) => format!("{name}.{key}"),
        Step::At(index) => format!("{name}[{index}]"),
    })
}

/// What forgetting must not do, in words: each rule keeps its answer or no longer knows it, and the verdict gets no
/// better.
fn broken(before: &Judgement, after: &Judgement) -> Vec<String> {
    let mut broken = Vec::new();
    let answers: BTreeMap<_, _> = after.findings.iter().map(|finding| (&finding.rule, finding.outcome)).collect();
    for finding in &before.findings {
        let now = answers[&finding.rule];
        // Where it is unknown whether a rule has a say and it would pass anyway, it passes.
        let content = |outcome| matches!(outcome, Outcome::Pass | Outcome::NotApplicable);
        if now != finding.outcome && now != Outcome::Unknown && !(content(now) && content(finding.outcome)) {
            broken.push(format!("{}: {:?} became {now:?}", finding.rule, finding.outcome));
        }
    }
    let decided = |verdict| matches!(verdict, Verdict::Go | Verdict::GoWithWarnings);
    if decided(after.verdict) && !decided(before.verdict)
        || after.verdict == Verdict::Go && before.verdict != Verdict::Go
    {
        broken.push(format!("{} became {}", before.verdict.words(), after.verdict.words()));
    }
    if let (Some(before), Some(after)) = (&before.server, &after.server) {
        for check in &before.failing {
            let still =
                after.failing.iter().any(|now| now.check == check.check) || after.undecided.contains(&check.check);
            if !still {
                broken.push(format!("the server's {} passes now", check.check));
            }
        }
    }
    broken
}

/// Forgets each fact of one side alone, and says what broke.
fn forget_each(pool: &str, joiner: &str, of_pool: bool, rules: &Registry) -> (usize, Vec<String>) {
    let (pool_json, joiner_json) = (fixture_json(pool), fixture_json(joiner));
    let (pool_side, joiner_side) = (side(pool, &pool_json), side(joiner, &joiner_json));
    let before = judge(&pool_side, &joiner_side, rules);
    let json = if of_pool { &pool_json } else { &joiner_json };
    let facts = samples(json);
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

#[test]
fn no_fact_of_a_joiner_is_better_forgotten() {
    let rules = rules();
    let (mut facts, mut wrong) = (0, Vec::new());
    for (pool, joiner) in PAIRS {
        let (more, broken) = forget_each(pool, joiner, false, &rules);
        facts += more;
        wrong.extend(broken);
    }
    assert!(wrong.is_empty(), "{} of {facts} facts:\n{}", wrong.len(), wrong.join("\n"));
    assert!(facts > 2_000, "only {facts} facts were forgotten");
}

#[test]
fn no_fact_of_a_pool_is_better_forgotten() {
    let rules = rules();
    let (mut facts, mut wrong) = (0, Vec::new());
    let pairs = [
        ("xcp-ng-8.3-5-hosts", "candidate-trouble"),
        ("xcp-ng-8.3-5-hosts", "candidate-good"),
        ("xenserver-6.5-masking", "candidate-6.5-maskable"),
        ("xenserver-7.1-3-hosts", "candidate-7.1"),
    ];
    for (pool, joiner) in pairs {
        let (more, broken) = forget_each(pool, joiner, true, &rules);
        facts += more;
        wrong.extend(broken);
    }
    assert!(wrong.is_empty(), "{} of {facts} facts:\n{}", wrong.len(), wrong.join("\n"));
    assert!(facts > 1_000, "only {facts} facts were forgotten");
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
