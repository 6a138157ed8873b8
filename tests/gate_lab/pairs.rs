//! Pairs of every release line: what poolgate foretells is what the simulator answers, and a GO ends in the state that
//! was predicted. The two were written apart from each other; neither is right by itself.

use std::collections::BTreeSet;
use std::sync::Mutex;

use poolgate::lab::{LabConfig, Served};
use poolgate::rules::{Outcome, Registry, Severity};
use serde_json::Value as Json;

use crate::bases::{Sides, base};
use crate::changes::CHANGES;
use crate::common::judge::{GOOD, judge, rules, side};
use crate::common::rehearsal::{PASSWORD, Rehearsal, served};
use crate::each;
use crate::table::{FORCE_SKIPS, LINES, checks_of};

type Answer = Option<(String, Vec<String>)>;

/// The first refusal with and without force: foretold, and the simulator's.
fn answers(sides: &Sides, rules: &Registry) -> [(Answer, Answer); 2] {
    let judgement = judge(&side("pool", &sides.pool), &side("joiner", &sides.joiner), rules);
    let server = judgement.server.unwrap();
    let serve = |json: &Json| Served::text("side", json.to_string().as_bytes()).unwrap();
    let (pool, joiner) = (serve(&sides.pool), serve(&sides.joiner));
    let simulated = |force| joiner.refusal(&pool, force).map(|error| (error.code, error.params));
    let foretold = |refusal: Option<poolgate::rules::Refusal>| refusal.map(|it| (it.code, it.params));
    [(foretold(server.first), simulated(false)), (foretold(server.first_with_force), simulated(true))]
}

/// Numbers that look drawn and are the same in every run.
fn draw(seed: &mut u64, below: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap() % below
}

#[test]
fn the_simulator_runs_the_checks_of_each_line() {
    for (line, name) in LINES.iter().enumerate() {
        let joiner = Served::text(name, base(line).joiner.to_string().as_bytes()).unwrap();
        assert_eq!(joiner.checks(), checks_of(line), "{name}");
        assert!(joiner.checks().contains(&FORCE_SKIPS), "{name}");
    }
}

#[test]
fn the_first_refusal_is_the_simulators() {
    const DRAWN: usize = 60;
    let rules = rules();
    let mut seed = 20_260_520;
    let mut drawn = || -> Vec<Vec<usize>> {
        (0..DRAWN)
            .map(|number| {
                // One change twice would make two records of one reference, which no server has.
                let drawn: BTreeSet<_> = (0..2 + number % 2).map(|_| draw(&mut seed, CHANGES.len())).collect();
                drawn.into_iter().collect()
            })
            .collect()
    };
    let lines: Vec<_> = LINES.iter().enumerate().map(|(line, name)| (line, name, drawn())).collect();
    let all = Mutex::new((Vec::new(), 0, BTreeSet::new()));
    each(&lines, |(line, name, drawn)| {
        let (mut wrong, mut compared, mut codes) = (Vec::new(), 0, BTreeSet::new());
        let good = base(*line);
        let singles = (0..CHANGES.len()).map(|change| vec![change]);
        for changes in std::iter::once(vec![]).chain(singles).chain(drawn.iter().cloned()) {
            let mut sides = good.clone();
            for change in &changes {
                let _ = CHANGES[*change].1(&mut sides);
            }
            let names: Vec<_> = changes.iter().map(|change| CHANGES[*change].0).collect();
            for (foretold, simulated) in answers(&sides, &rules) {
                compared += 1;
                codes.extend(simulated.iter().map(|(code, _)| code.clone()));
                if foretold != simulated {
                    wrong.push(format!(
                        "{name}, {}: foretold {foretold:?}, answered {simulated:?}",
                        names.join(" + ")
                    ));
                }
            }
        }
        let mut all = all.lock().unwrap();
        all.0.extend(wrong);
        all.1 += compared;
        all.2.extend(codes);
    });
    let (mut wrong, compared, codes) = all.into_inner().unwrap();
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 4_000 && codes.len() > 20, "{compared} answers, {} codes", codes.len());
}

/// A join of what the rules let through, which must end as predicted.
fn ends_as_predicted(pool: &str, joiner: &str, change: impl Fn(&mut Json, &mut Json)) -> Option<String> {
    let (mut pool_json, mut joiner_json) =
        (crate::common::judge::fixture_json(pool), crate::common::judge::fixture_json(joiner));
    change(&mut pool_json, &mut joiner_json);
    let config = LabConfig::new(PASSWORD)
        .serve(served(pool, |json| *json = pool_json.clone()))
        .serve(served(joiner, |json| *json = joiner_json.clone()));
    let lab = Rehearsal::of(config);
    let plan = lab.path("plan.json");
    let planned = lab.join().with(["--plan-out", plan.to_str().unwrap()]).any_status(|_| true);
    if planned.status != 0 {
        return Some(format!("{joiner} to {pool}: no GO: {planned}"));
    }
    let done = lab.join().with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"]).any_status(|_| true);
    assert_eq!((lab.count("pool.join"), lab.lab.open_sessions()), (1, 0));
    let from = done.stdout.find("\nDONE").unwrap_or(0);
    (done.status != 0).then(|| format!("{joiner} to {pool}: {} {}{}", done.status, &done.stdout[from..], done.stderr))
}

#[test]
fn a_go_ends_as_predicted_on_every_line() {
    let wrong = Mutex::new(Vec::new());
    each(&GOOD, |(pool, joiner)| {
        let said = ends_as_predicted(pool, joiner, |_, _| {});
        wrong.lock().unwrap().extend(said);
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), GOOD.len(), wrong.join("\n"));
}

#[test]
fn a_go_with_warnings_ends_as_predicted() {
    const POOL: &str = "xcp-ng-8.3-5-hosts";
    let mut wrong: Vec<_> = ["candidate-older-intel", "candidate-mixed-cores"]
        .into_iter()
        .filter_map(|joiner| ends_as_predicted(POOL, joiner, |_, _| {}))
        .collect();
    type Change = fn(&mut Json, &mut Json);
    let changes: [Change; 4] = [
        // A NIC fewer: a bond of one.
        |_, joiner| joiner["pool"]["pifs"].as_array_mut().unwrap().retain(|pif| pif["device"] != "eth3"),
        // No NIC of the storage bond at all.
        |_, joiner| {
            joiner["pool"]["pifs"]
                .as_array_mut()
                .unwrap()
                .retain(|pif| pif["device"] != "eth3" && pif["device"] != "eth2");
        },
        // Management beside the coordinator's.
        |_, joiner| {
            for pif in joiner["pool"]["pifs"].as_array_mut().unwrap() {
                if pif["device"] == "eth0" || pif["device"] == "eth2" {
                    pif["management"] = (pif["device"] == "eth2").into();
                }
            }
        },
        // Nothing of the VLANs.
        |_, joiner| {
            let host = &mut joiner["pool"]["hosts"][0];
            host["other_config"]["sync_vlans"] = "nosync".into();
        },
    ];
    wrong.extend(changes.into_iter().filter_map(|change| ends_as_predicted(POOL, "candidate-good", change)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The changes of this file are seen at all: a warning each.
#[test]
fn the_warnings_are_warnings() {
    let rules = rules();
    let mut joiner = crate::common::judge::fixture_json("candidate-good");
    joiner["pool"]["pifs"].as_array_mut().unwrap().retain(|pif| pif["device"] != "eth3");
    let pool = crate::common::judge::fixture_json("xcp-ng-8.3-5-hosts");
    let judgement = judge(&side("pool", &pool), &side("joiner", &joiner), &rules);
    let warned = |it: &&poolgate::rules::Finding| it.severity == Severity::Warning && it.outcome == Outcome::Fail;
    assert!(judgement.findings.iter().any(|it| warned(&it) && it.rule == "network-bonds-whole"));
}
