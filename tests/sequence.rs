//! Several joiners as a sequence: what an earlier one changes counts for the later ones.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::judge::{fixture_json, rules, side};
use poolgate::rules::{Judgement, Phase, Policy, Verdict, judge_sequence};
use serde_json::{Value as Json, json};

fn judge_all(pool: &Json, joiners: &[Json], max_hosts: i64) -> Vec<Judgement> {
    let joiners: Vec<_> = joiners.iter().map(|joiner| side("joiner", joiner)).collect();
    let policy = Policy { max_hosts, as_release: None };
    judge_sequence(&side("pool", pool), &joiners, &rules(), Phase::Join, &policy)
}

fn failed(judgement: &Judgement, rule: &str) -> bool {
    judgement.findings.iter().any(|finding| finding.rule == rule && finding.outcome.word() == "fail")
}

/// Another host like this one, so that the two do not clash.
fn renamed(joiner: &Json) -> Json {
    let text = joiner.to_string();
    let uuid = joiner["pool"]["hosts"][0]["uuid"].as_str().unwrap();
    serde_json::from_str(&text.replace(uuid, "99999999-9999-4999-8999-999999999999")).unwrap()
}

#[test]
fn the_limit_counts_earlier_joiners() {
    let (pool, good) = (fixture_json("xcp-ng-8.3-5-hosts"), fixture_json("candidate-good"));
    let joiners = [good.clone(), renamed(&good)];
    let judged = judge_all(&pool, &joiners, 6);
    assert!(!failed(&judged[0], "host-limit-policy"));
    assert!(failed(&judged[1], "host-limit-policy"), "five hosts and one joiner fill six places");
    // One that must not join takes no place.
    let trouble = fixture_json("candidate-trouble");
    let judged = judge_all(&pool, &[trouble, good], 6);
    assert_eq!(judged[0].verdict, Verdict::NoGo);
    assert!(!failed(&judged[1], "host-limit-policy"));
}

#[test]
fn a_masked_pool_stays_masked() {
    let pool = fixture_json("xenserver-6.5-masking");
    let mut equal = fixture_json("candidate-6.5-maskable");
    let coordinator = pool["pool"]["coordinator"].as_str().unwrap();
    let hosts = pool["pool"]["hosts"].as_array().unwrap();
    let cpu = &hosts.iter().find(|host| host["reference"] == coordinator).unwrap()["cpu"];
    equal["pool"]["hosts"][0]["cpu"] = cpu.clone();
    let judged = judge_all(&pool, &[equal, fixture_json("candidate-6.5-unmaskable")], 16);
    assert_ne!(judged[0].verdict, Verdict::NoGo, "{:?}", judged[0].findings);
    assert!(failed(&judged[1], "cpu-mask-equal"), "the second is still compared under the mask");
    assert_eq!(judged[1].verdict, Verdict::NoGo);
}

#[test]
fn a_lower_licence_restricts_the_pool_for_the_next() {
    let mut pool = fixture_json("xcp-ng-8.3-5-hosts");
    pool["pool"]["hosts"].as_array_mut().unwrap().truncate(2);
    let mut limited = fixture_json("candidate-good");
    limited["pool"]["restrictions"]["restrict_pool_size"] = json!("true");
    let next = renamed(&fixture_json("candidate-good"));
    assert!(!failed(&judge_all(&pool, std::slice::from_ref(&next), 16)[0], "host-limit-licensed-pool"));
    let judged = judge_all(&pool, &[limited, next], 16);
    assert_ne!(judged[0].verdict, Verdict::NoGo, "two hosts and a third need no licence");
    assert!(failed(&judged[1], "host-limit-licensed-pool"), "the third's licence holds for the pool");
}

#[test]
fn the_level_that_an_earlier_joiner_left_is_what_the_next_can_lose() {
    let (pool, older) = (fixture_json("xcp-ng-8.3-5-hosts"), fixture_json("candidate-older-intel"));
    let judged = judge_all(&pool, &[older.clone(), renamed(&older)], 16);
    let lost = |judgement: &Judgement| judgement.cpu.lost_by_pool.get().map(Vec::len);
    assert!(lost(&judged[0]) > Some(0));
    assert_eq!(lost(&judged[1]), Some(0), "the second finds the level where the first left it");
}

#[test]
fn a_quoted_server_keeps_nothing_of_the_coordinator_from_the_next() {
    let (pool, bare) = (fixture_json("xcp-ng-8.3-5-hosts"), fixture_json("candidate-bare"));
    let rules = rules();
    let mut sides = [side("joiner", &bare), side("joiner", &bare)];
    for side in &mut sides {
        let product = poolgate::cpu::releases::product("xcp-ng-8.3").unwrap();
        side.assumed = poolgate::rules::assume::assume(&mut side.snapshot, product).paths;
    }
    let policy = Policy { max_hosts: 16, as_release: Some("xcp-ng-8.3".to_owned()) };
    let judged = judge_sequence(&side("pool", &pool), &sides, &rules, Phase::Join, &policy);
    let landing = |judgement: &Judgement| {
        let nics = judgement.network.landing.each();
        nics.map(|nic| (nic.device.clone(), nic.network.clone(), nic.what.clone())).collect::<Vec<_>>()
    };
    assert!(landing(&judged[0]).iter().any(|(.., what)| what.contains("bond0")), "{:?}", landing(&judged[0]));
    assert_eq!(landing(&judged[0]), landing(&judged[1]));
    assert!(judged[1].network.bonds.get().is_some());
}
