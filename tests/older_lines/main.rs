//! What the server of every release line would answer, XenServer 6.1 to 9: from a good pair of the line, each change
//! that a check sees, alone, in pairs and in threes.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../common/mod.rs"]
pub mod common;

mod bases;
mod changes;
mod table;

use std::collections::BTreeMap;

use poolgate::rules::{Judgement, Outcome, Registry, Verdict};
use serde_json::Value as Json;

use bases::{Sides, base};
use changes::{CHANGES, Refusal, patches_differ};
use common::judge::{judge, rules, side};
use table::{FORCE_SKIPS, LINES, checks_of};

fn judged(sides: &Sides, rules: &Registry) -> Judgement {
    judge(&side("pool", &sides.pool), &side("joiner", &sides.joiner), rules)
}

/// What the server answers to several changes: of each check that the line runs its first part, in the line's order.
fn expected(line: usize, refusals: Vec<Refusal>) -> Vec<Refusal> {
    let mut by_check: BTreeMap<&str, Refusal> = BTreeMap::new();
    for refusal in refusals {
        match by_check.get(refusal.check) {
            Some(other) if other.part <= refusal.part => {}
            _ => drop(by_check.insert(refusal.check, refusal)),
        }
    }
    checks_of(line).into_iter().filter_map(|check| by_check.remove(check)).collect()
}

fn code(refusal: &Refusal) -> (String, Vec<String>) {
    (refusal.code.to_owned(), refusal.params.clone())
}

/// How a judgement differs from what the server answers.
fn faults(judgement: &Judgement, expected: &[Refusal]) -> Vec<String> {
    let mut faults = Vec::new();
    let server = judgement.server.as_ref().unwrap();
    let mut compare = |what: &str, ours: String, theirs: String| {
        if ours != theirs {
            faults.push(format!("{what}:\n    ours   {ours}\n    theirs {theirs}"));
        }
    };
    let ours: Vec<_> = server.failing.iter().map(|it| (it.check, (it.code.clone(), it.params.clone()))).collect();
    let theirs: Vec<_> = expected.iter().map(|it| (it.check, code(it))).collect();
    compare("failing", format!("{ours:?}"), format!("{theirs:?}"));
    let first = server.first.as_ref().map(|it| (it.code.clone(), it.params.clone()));
    compare("first", format!("{first:?}"), format!("{:?}", expected.first().map(code)));
    let forced = server.first_with_force.as_ref().map(|it| (it.code.clone(), it.params.clone()));
    let skipped = expected.iter().find(|it| it.check != FORCE_SKIPS).map(code);
    compare("with force", format!("{forced:?}"), format!("{skipped:?}"));
    compare("undecided", format!("{:?}", server.undecided), "[]".to_owned());
    if !expected.is_empty() {
        compare("verdict", format!("{:?}", judgement.verdict), format!("{:?}", Verdict::NoGo));
    }
    faults
}

/// Applies changes in order; what they break together.
fn apply(sides: &mut Sides, changes: &[usize]) -> Vec<Refusal> {
    let broken: Vec<_> = changes.iter().flat_map(|change| CHANGES[*change].1(sides)).collect();
    let second = changes.iter().any(|change| CHANGES[*change].0 == "a second host");
    broken
        .into_iter()
        .map(|mut refusal| {
            // The coordinator of others says so in other words; patches are named as they are in the end.
            match refusal.check {
                "assert_not_joining_myself" if second => {
                    refusal.params = vec!["Host is already part of a pool".to_owned()];
                }
                "assert_applied_patches_match" => refusal = patches_differ(sides),
                _ => {}
            }
            refusal
        })
        .collect()
}

fn try_changes(line: usize, good: &Sides, changes: &[usize], rules: &Registry) -> Vec<String> {
    let mut sides = good.clone();
    let broken = apply(&mut sides, changes);
    let names: Vec<_> = changes.iter().map(|change| CHANGES[*change].0).collect();
    faults(&judged(&sides, rules), &expected(line, broken))
        .into_iter()
        .map(|fault| format!("{}, {}: {fault}", LINES[line], names.join(" + ")))
        .collect()
}

#[test]
fn every_line_has_a_good_pair() {
    let rules = rules();
    for (line, name) in LINES.iter().enumerate() {
        let judgement = judged(&base(line), &rules);
        assert_eq!(faults(&judgement, &[]), Vec::<String>::new(), "{name}");
        let said = judgement.findings.iter().filter(|it| matches!(it.outcome, Outcome::Fail | Outcome::Unknown));
        let said: Vec<_> = said.map(|it| format!("{}: {}", it.rule, it.message)).collect();
        assert_eq!((judgement.verdict, said), (Verdict::Go, Vec::new()), "{name}");
    }
}

#[test]
fn each_change_breaks_its_checks_where_the_line_has_them() {
    let rules = rules();
    let mut wrong = Vec::new();
    for line in 0..LINES.len() {
        let good = base(line);
        for change in 0..CHANGES.len() {
            wrong.extend(try_changes(line, &good, &[change], &rules));
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every check of every line is broken by some change, so that the order below covers them all.
#[test]
fn every_check_of_every_line_is_broken_by_a_change() {
    for (line, name) in LINES.iter().enumerate() {
        let mut missing = checks_of(line);
        for change in 0..CHANGES.len() {
            let broken = apply(&mut base(line), &[change]);
            missing.retain(|check| broken.iter().all(|it| it.check != *check));
        }
        // Without a management interface nothing of management can be compared: a test of its own.
        assert_eq!(missing, ["assert_management_interface_exists"], "{name}");
    }
}

#[test]
fn pairs_and_triples_keep_the_servers_order() {
    let rules = rules();
    let mut wrong = Vec::new();
    for line in 0..LINES.len() {
        let good = base(line);
        // A small generator with a seed of its own: the same cases on every machine.
        let mut state = 0x9e37_79b9_u64 + line as u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % CHANGES.len() as u64).unwrap()
        };
        for round in 0..40 {
            let mut changes = vec![random(), random()];
            if round % 2 == 1 {
                changes.push(random());
            }
            changes.sort_unstable();
            changes.dedup();
            wrong.extend(try_changes(line, &good, &changes, &rules));
        }
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn without_a_management_interface_the_joiner_is_still_booting() {
    let rules = rules();
    for (line, name) in LINES.iter().enumerate() {
        let mut sides = base(line);
        for pif in sides.joiner["pool"]["pifs"].as_array_mut().unwrap() {
            pif["management"] = false.into();
        }
        let server = judged(&sides, &rules).server.unwrap();
        let first = server.first.unwrap();
        assert_eq!((first.code.as_str(), first.params), ("HOST_STILL_BOOTING", Vec::new()), "{name}");
        assert_eq!(server.failing[0].check, "assert_management_interface_exists", "{name}");
    }
}

/// The facts in `table` are those of the reference data.
#[test]
fn the_table_is_the_servers() {
    let Some(shared) = common::shared() else { return };
    let text = std::fs::read(shared.join("data/join-checks-by-release.json")).unwrap();
    let data: Json = serde_json::from_slice(&text).unwrap();
    let releases = data["releases"].as_array().unwrap();
    assert_eq!(releases.len(), LINES.len());
    for (line, release) in releases.iter().enumerate() {
        let theirs = release["checks"].as_array().unwrap();
        let names: Vec<_> = theirs.iter().map(|check| check["check"].as_str().unwrap()).collect();
        assert_eq!(checks_of(line), names, "{}", LINES[line]);
        for check in theirs {
            let skipped = check["check"] == FORCE_SKIPS;
            assert_eq!(check["skipped_by_force"], skipped, "{}: {}", LINES[line], check["check"]);
        }
        let name = release["release"].as_str().unwrap();
        assert!(LINES[line].starts_with(name), "{} is {name}", LINES[line]);
    }
}
