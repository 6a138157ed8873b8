//! Plans of joins and ejects, and what stops one that no longer fits.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

pub mod common;

use common::judge::{fixture_json, rules, side};
use poolgate::gate::drift::{Basis, Drift, compare};
use poolgate::gate::plan::{
    self, EjectPlan, JoinPlan, Plan, PlanError, Sought, Step, eject_plan, join_plan, read_plan, to_markdown, to_table,
};
use poolgate::rules::{Phase, Policy, Registry, Side, judge_eject, read_eject, read_sequence};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn policy() -> Policy {
    Policy { max_hosts: 16, as_release: None }
}

fn sought(name: &str) -> Sought {
    Sought { fingerprint: format!("SHA-OF-{name}") }
}

fn plan_of(pool: &Side, joiners: &[Side], address: Option<&str>, rules: &Registry) -> Plan {
    let pins: Vec<_> = joiners.iter().map(|joiner| sought(&joiner.target)).collect();
    join_plan(&JoinPlan {
        pool,
        pool_sought: &sought("pool"),
        joiners,
        sought: &pins,
        judged: &read_sequence(pool, joiners, rules, Phase::Join, &policy()),
        policy: &policy(),
        rules: &rules.digest(),
        waivers: &[],
        coordinator_address: address,
        user: "root",
        made_at: "2026-05-20T10:00:00Z",
    })
    .unwrap()
}

fn planned(pool: &str, joiners: &[&str], address: Option<&str>) -> Plan {
    let joiners: Vec<_> = joiners.iter().map(|stem| side(stem, &fixture_json(stem))).collect();
    plan_of(&side(pool, &fixture_json(pool)), &joiners, address, &rules())
}

fn planned_eject(pool: &str, member: &str) -> Plan {
    let rules = rules();
    let pool = side(pool, &fixture_json(pool));
    let member = poolgate::eject::find_member(&pool.snapshot.pool, member).unwrap();
    eject_plan(&EjectPlan {
        pool: &pool,
        sought: &sought("pool"),
        member,
        judged: &judge_eject(&pool, member, &rules, &policy()),
        facts: &read_eject(&pool, member, &rules, &policy()),
        policy: &policy(),
        rules: &rules.digest(),
        waivers: &[],
        made_at: "2026-05-20T10:00:00Z",
    })
    .unwrap()
}

/// Digests change with every rule; what they are is not what a snapshot is about.
fn without_digests(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_hexdigit() && !character.is_ascii_uppercase() {
            digits.push(character);
            continue;
        }
        out.push_str(if digits.len() == 64 || digits.len() == 12 && out.ends_with("digest ") {
            "DIGEST"
        } else {
            &digits
        });
        digits.clear();
        out.push(character);
    }
    out
}

const POOL: &str = "xcp-ng-8.3-5-hosts";

#[test]
fn a_plan_of_a_join_says_all_of_it() {
    insta::assert_snapshot!(without_digests(&to_table(&planned(POOL, &["candidate-older-intel"], None), 80)));
}

#[test]
fn a_plan_of_an_eject_says_all_of_it() {
    insta::assert_snapshot!(without_digests(&to_table(&planned_eject(POOL, "xcp-03"), 80)));
}

#[test]
fn a_plan_as_markdown_for_a_review() {
    insta::assert_snapshot!(without_digests(&to_markdown(&planned(POOL, &["candidate-good"], Some("192.0.2.99")))));
}

#[test]
fn names_from_servers_are_only_text_in_a_plan() {
    let rules = rules();
    let mut json = fixture_json("candidate-good");
    json["pool"]["hosts"][0]["name_label"] = "a\u{1b}[2J`|*<b>$(reboot)".into();
    let (pool, joiner) = (side("p", &fixture_json(POOL)), [side("j", &json)]);
    let plan = plan_of(&pool, &joiner, None, &rules);
    let (table, markdown) = (to_table(&plan, 80), to_markdown(&plan));
    assert!(!table.contains('\u{1b}') && !markdown.contains('\u{1b}'));
    assert!(markdown.contains(r"a\\u{1b}\[2J\`&#124;\*&lt;b&gt;\$(reboot)"), "{markdown}");
    assert!(table.contains("file-name=/root/pool-0f2af4c2"), "{table}");
    assert!(table.contains("-before-a2Jbreboot.db\n"), "no name in a command: {table}");
}

#[test]
fn a_plan_is_read_as_it_was_written_and_not_when_it_was_edited() {
    let plan = planned(POOL, &["candidate-good", "candidate-twin"], None);
    let text = plan.to_json().unwrap();
    assert_eq!(read_plan(&text).unwrap(), plan);
    assert_eq!(plan.steps[1].predicted.hosts, plan.steps[0].predicted.hosts.map(|hosts| hosts + 1));
    let edited = text.replace("\"master_username\": \"root\"", "\"master_username\": \"mallory\"");
    assert!(matches!(read_plan(&edited), Err(PlanError::Changed { .. })));
    let newer = text.replace("\"version\": \"1.1\"", "\"version\": \"2.0\"");
    insta::assert_snapshot!(read_plan(&newer).unwrap_err(), @r#"plan version "2.0" cannot be read; this version reads 1.x. Make the plan anew"#);
    insta::assert_snapshot!(read_plan("{}").unwrap_err(), @r#""format" is "", expected "poolgate-plan"; a plan is written with --plan-out FILE"#);
    insta::assert_snapshot!(read_plan("{\"format\":").unwrap_err(), @"line 1, column 10: EOF while parsing a value; a plan is written with --plan-out FILE");
    for end in (0..text.len() - 2).step_by(997) {
        assert!(read_plan(text.get(..end).unwrap_or("")).is_err(), "cut at {end}");
    }
}

#[test]
fn the_schema_names_every_key_of_a_plan() {
    let schema = plan::json_schema();
    for plan in [planned(POOL, &["candidate-trouble"], None), planned_eject(POOL, "xcp-03")] {
        let mut json = serde_json::to_value(&plan).unwrap();
        fits(&schema, &schema, &json, "plan");
        json["steps"][0]["findings"][0]["waived"] =
            json!({"reason": "r", "owner": "o", "expires": "2026-06-01", "waiver": "waivers.toml:1"});
        json["waivers"] = json!([json["steps"][0]["findings"][0]]);
        fits(&schema, &schema, &json, "plan");
    }
}

/// As much of JSON Schema as the schema uses.
fn fits(root: &Json, schema: &Json, value: &Json, at: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(root, &root["$defs"][reference.trim_start_matches("#/$defs/")], value, at);
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let option = options.iter().find(|option| value.is_null() == (option["type"] == "null"));
        return fits(root, option.unwrap_or_else(|| panic!("{at}: {value}")), value, at);
    }
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value}");
    }
    if let Some(map) = value.as_object() {
        for key in schema["required"].as_array().into_iter().flatten() {
            assert!(map.contains_key(key.as_str().unwrap()), "{at} lacks {key}");
        }
        for (key, inner) in map {
            let of = schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
            assert!(of.is_object(), "{at}.{key} is not in the schema");
            fits(root, of, inner, &format!("{at}.{key}"));
        }
    }
    for inner in value.as_array().into_iter().flatten() {
        fits(root, &schema["items"], inner, &format!("{at}[]"));
    }
}

/// What stops the plan of `candidate-good` after both sides were changed.
fn drift_after(change: impl Fn(&mut Json, &mut Json)) -> Vec<Drift> {
    let rules = rules();
    let plan = planned(POOL, &["candidate-good"], None);
    let (mut pool, mut joiner) = (fixture_json(POOL), fixture_json("candidate-good"));
    change(&mut pool, &mut joiner);
    let now = plan_of(&side(POOL, &pool), &[side("candidate-good", &joiner)], None, &rules);
    compare((&plan, &plan.steps[0]), (&now, &now.steps[0]), Basis::Same)
}

fn lines(drift: &[Drift]) -> String {
    drift.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_changed_is_no_drift_in_whatever_order_the_servers_list_it() {
    let reversed = |json: &mut Json| {
        for (key, list) in json["pool"].as_object_mut().unwrap() {
            if let Some(list) = list.as_array_mut().filter(|_| key != "hosts") {
                list.reverse();
            }
        }
    };
    let drift = drift_after(|pool, joiner| {
        reversed(pool);
        reversed(joiner);
    });
    assert_eq!(lines(&drift), "");
}

#[test]
fn what_changes_by_its_nature_is_no_drift() {
    let drift = drift_after(|pool, joiner| {
        for side in [pool, joiner] {
            side["source"]["collected_at"] = "2026-05-20T11:30:00Z".into();
            for host in side["pool"]["hosts"].as_array_mut().unwrap() {
                host["memory_free"] = 1.into();
                host["cpu"]["speed"] = "800".into();
            }
        }
    });
    assert_eq!(lines(&drift), "");
}

#[test]
fn a_changed_rule_and_a_changed_fact_are_named_with_old_and_new_value() {
    let drift = drift_after(|pool, joiner| {
        pool["pool"]["ha_enabled"] = true.into();
        joiner["pool"]["hosts"][0]["software_version"]["db_schema"] = "5.999".into();
    });
    insta::assert_snapshot!(lines(&drift), @r#"
    rule db-schema: pass → fail: database schema 5.999 on the joiner, 5.786 on the coordinator: the update levels differ
    rule ha-off-on-pool: pass → fail: high availability is on in pool production; hosts can only join while it is off
    pool.ha_enabled: "false" → "true"
    software.db_schema: "5.786" → "5.999"
    "#);
}

#[test]
fn a_fact_without_a_rule_s_verdict_stops_too() {
    let drift =
        drift_after(|_, joiner| joiner["pool"]["hosts"][0]["iscsi_iqn"] = "iqn.2026-05.com.example:moved".into());
    insta::assert_snapshot!(lines(&drift), @r#"host.iscsi_iqn: "iqn.2026-05.com.example:xcp-good" → "iqn.2026-05.com.example:moved""#);
}

#[test]
fn what_would_come_out_otherwise_stops_though_no_rule_speaks_of_it() {
    let macs = drift_after(|_, joiner| {
        let pifs = joiner["pool"]["pifs"].as_array_mut().unwrap();
        let nics: Vec<_> = (0..pifs.len()).filter(|at| pifs[*at]["physical"] == true).take(2).collect();
        let [one, other] = [0, 1].map(|at| pifs[nics[at]]["mac"].clone());
        (pifs[nics[0]]["mac"], pifs[nics[1]]["mac"]) = (other, one);
    });
    let told = lines(&macs);
    assert!(told.contains("predicted NIC eth0: ") && told.contains("predicted NIC eth1: "), "{told}");
    let storage = drift_after(|pool, _| {
        for pbd in pool["pool"]["pbds"].as_array_mut().unwrap() {
            if pbd["device_config"]["server"] != Json::Null {
                pbd["device_config"]["server"] = "203.0.113.9".into();
            }
        }
    });
    let told = lines(&storage);
    assert!(told.contains("on the pool, shared storage: ") && told.contains("203.0.113.9"), "{told}");
}

#[test]
fn after_a_join_of_the_same_run_only_what_is_worse_or_the_joiner_s_own_stops() {
    let rules = rules();
    let plan = planned(POOL, &["candidate-good", "candidate-twin"], None);
    let (mut pool, joiner) = (fixture_json(POOL), side("candidate-twin", &fixture_json("candidate-twin")));
    let again = |pool: &Json| {
        let now = plan_of(&side(POOL, pool), std::slice::from_ref(&joiner), None, &rules);
        compare((&plan, &plan.steps[1]), (&now, &now.steps[0]), Basis::AfterJoins)
    };
    assert_eq!(lines(&again(&pool)), "");
    pool["pool"]["hosts"][0]["name_label"] = "renamed".into();
    assert_eq!(lines(&again(&pool)), "", "the pool's own facts are not the plan's any more");
    pool["pool"]["ha_enabled"] = true.into();
    assert!(lines(&again(&pool)).starts_with("rule ha-off-on-pool: pass → fail"), "{}", lines(&again(&pool)));
}

/// Every leaf of a side with its path.
fn leaves(json: &Json, at: String, out: &mut Vec<String>) {
    match json {
        Json::Object(map) => map.iter().for_each(|(key, inner)| leaves(inner, format!("{at}/{key}"), out)),
        Json::Array(list) => {
            list.iter().enumerate().for_each(|(index, inner)| leaves(inner, format!("{at}/{index}"), out))
        }
        _ => out.push(at),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever leaf changes: where an outcome changes, there is drift; where a fact that was read changes, it is named
    /// with its new value; and where neither does, nothing stops.
    #[test]
    fn drift_is_what_rules_read_and_nothing_else(pick in any::<prop::sample::Index>(), of_pool in any::<bool>()) {
        let rules = rules();
        let (mut pool, mut joiner) = (fixture_json(POOL), fixture_json("candidate-good"));
        let plan = planned(POOL, &["candidate-good"], None);
        let changed = if of_pool { &mut pool } else { &mut joiner };
        let mut all = Vec::new();
        leaves(&changed["pool"], "/pool".to_owned(), &mut all);
        let at = &all[pick.index(all.len())];
        let leaf = changed.pointer_mut(at).unwrap();
        *leaf = match &*leaf {
            _ if at.ends_with("$unknown") || at.ends_with("detail") => return Ok(()),
            Json::Bool(value) => (!value).into(),
            Json::Number(value) => (value.as_i64().unwrap() + 1).into(),
            Json::String(text) if text.len() > 8 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') => "00000001".into(),
            Json::String(text) => format!("{text}x").into(),
            _ => return Ok(()),
        };
        let now = plan_of(&side(POOL, &pool), &[side("candidate-good", &joiner)], None, &rules);
        let (step, now_step) = (&plan.steps[0], &now.steps[0]);
        let drift = compare((&plan, step), (&now, now_step), Basis::Same);
        let count = |kind: fn(&Drift) -> bool| drift.iter().filter(|drift| kind(drift)).count();
        let differing = now_step.outcomes.iter().filter(|(rule, outcome)| step.outcomes[*rule] != **outcome).count();
        prop_assert_eq!(count(|drift| matches!(drift, Drift::Rule { .. })), differing);
        // What a thing is called is for people: it is known by its uuid.
        let facts = |step: &Step| {
            step.facts.iter().map(|read| (read.fact.clone(), read.key.clone(), read.value.clone())).collect::<Vec<_>>()
        };
        let named = count(|drift| matches!(drift, Drift::Fact { .. })) > 0;
        prop_assert_eq!(named, facts(step) != facts(now_step), "{}", at);
    }
}
