//! The same facts give the same judgement, in whatever order a server listed them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::judge::{PAIRS, fixture_json, judge, rules, side};
use common::run::{fixture, poolgate};
use poolgate::facts::{Fact, Type};
use poolgate::rules::Judgement;
use poolgate::snapshot::Pool;
use proptest::prelude::*;
use serde_json::Value as Json;

/// Shuffles every list of records, by the model's own shape. Lists of plain values keep their order: some mean
/// something by it.
fn shuffle(ty: Type, json: &mut Json, random: &mut impl FnMut(usize) -> usize) {
    match (ty, json) {
        (Type::Object(def), Json::Object(object)) => {
            // CPU groups are no records of a server: poolgate lists them itself, by their first CPU.
            for field in def.fields.iter().filter(|field| field.name != "groups") {
                if let Some(value) = object.get_mut(field.name) {
                    shuffle(field.ty, value, random);
                }
            }
        }
        (Type::Nullable(of), json) => shuffle(*of, json, random),
        (Type::List(of @ Type::Object(_)), Json::Array(records)) => {
            for left in (1..records.len()).rev() {
                records.swap(left, random(left + 1));
            }
            for record in records {
                shuffle(*of, record, random);
            }
        }
        _ => {}
    }
}

/// A small generator of its own: a failure is told by its seed.
fn shuffled(json: &Json, seed: u64) -> Json {
    let mut state = seed | 1;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut json = json.clone();
    shuffle(Pool::TYPE, &mut json["pool"], &mut random);
    json
}

/// The words of a sentence in order of the alphabet: some rules name a list's elements as the server listed them.
fn words(sentence: &str) -> Vec<&str> {
    let mut words: Vec<_> = sentence.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words
}

/// A judgement in words, without the paths of evidence, which hold places in lists.
fn told(judgement: &Judgement) -> String {
    let findings = judgement.findings.iter().map(|finding| {
        let fix =
            finding.fix.iter().map(|fix| (&fix.place, &fix.run, words(&fix.note), &fix.loses)).collect::<Vec<_>>();
        let message = words(&finding.message);
        format!(
            "{} {:?} {message:?} {:#?} {fix:#?} {:#?}\n",
            finding.rule, finding.outcome, finding.items, finding.server
        )
    });
    format!(
        "{} {}\n{:#?}\n{:#?}\n{}",
        judgement.verdict.words(),
        judgement.release,
        judgement.server,
        judgement.cpu,
        findings.collect::<String>()
    )
}

#[test]
fn a_shuffled_document_is_another_document_with_the_same_facts() {
    let json = fixture_json("xcp-ng-8.3-5-hosts");
    let other = shuffled(&json, 7);
    assert_ne!(json["pool"]["vms"], other["pool"]["vms"]);
    assert_ne!(json["pool"]["hosts"], other["pool"]["hosts"]);
    assert_eq!(json.to_string().len(), other.to_string().len());
}

#[test]
fn judging_twice_gives_the_same_bytes() {
    let rules = rules();
    for (pool, joiner) in PAIRS {
        let (pool, joiner) = (side("pool", &fixture_json(pool)), side("joiner", &fixture_json(joiner)));
        let once = format!("{:#?}", judge(&pool, &joiner, &rules));
        assert_eq!(once, format!("{:#?}", judge(&pool, &joiner, &rules)));
    }
}

/// Runs on one CPU alone: how many threads there are follows from that.
fn on_one_cpu<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let run = || {
        let mut one = rustix::thread::CpuSet::new();
        let may = rustix::thread::sched_getaffinity(None).unwrap();
        one.set((0..rustix::thread::CpuSet::MAX_CPU).find(|cpu| may.is_set(*cpu)).unwrap());
        rustix::thread::sched_setaffinity(None, &one).unwrap();
        assert_eq!(std::thread::available_parallelism().unwrap().get(), 1);
        run()
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

#[test]
fn one_cpu_and_all_of_them_print_the_same_bytes() {
    let mut runs: Vec<Vec<String>> = Vec::new();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    for format in ["table", "json", "ndjson", "sarif", "junit", "markdown", "html", "github", "gitlab"] {
        let mut check = words(&["check", "--all", "--format", format, "--pool", &fixture("xcp-ng-8.3-5-hosts")]);
        for joiner in ["candidate-good", "candidate-twin", "candidate-trouble"] {
            check.extend(["--host".to_owned(), fixture(joiner)]);
        }
        runs.push(check);
    }
    for format in ["table", "json"] {
        runs.push(words(&["plan", "fixtures/fleet-19-hosts.ndjson", "--format", format]));
        let pools = [fixture("xcp-ng-8.3-5-hosts"), fixture("xenserver-8-16-hosts")];
        runs.push(words(&["cpu", "level", &pools[0], &pools[1], "--format", format]));
    }
    for run in runs {
        let print = || poolgate(&run).any_status(|status| [0, 1, 3].contains(status));
        let (all, one) = (print(), on_one_cpu(print));
        assert_eq!((all.status, all.stdout, all.stderr), (one.status, one.stdout, one.stderr), "{run:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_lists_decides_nothing(
        (pool, joiner) in prop::sample::select(PAIRS.to_vec()),
        of_pool in any::<u64>(),
        of_joiner in any::<u64>(),
    ) {
        let rules = rules();
        let (pool, joiner) = (fixture_json(pool), fixture_json(joiner));
        let before = judge(&side("pool", &pool), &side("joiner", &joiner), &rules);
        let (pool, joiner) = (shuffled(&pool, of_pool), shuffled(&joiner, of_joiner));
        let after = judge(&side("pool", &pool), &side("joiner", &joiner), &rules);
        similar(&told(&before), &told(&after))?;
    }
}

/// Equal texts; else the first lines that differ, for pages are long.
fn similar(before: &str, after: &str) -> Result<(), TestCaseError> {
    let differ: Vec<_> =
        before.lines().zip(after.lines()).filter(|(before, after)| before != after).take(6).collect();
    prop_assert!(before == after, "{:#?}", differ);
    Ok(())
}
