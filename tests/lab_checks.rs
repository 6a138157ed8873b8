//! The lab's own checks against every join that was put to the real server: the first refusal, and each check alone.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use poolgate::lab::checks::{Daemons, Sides, failing, names, pooling_licensed, pre_join};
use poolgate::lab::{ApiError, Db, Line};
use serde_json::{Map, Value, json};

/// The base with a case's records; null removes one.
fn merged(base: &Value, changes: &Value) -> Db {
    let mut records = base.as_object().unwrap().clone();
    for (class, changed) in changes.as_object().unwrap() {
        let class = records.entry(class).or_insert_with(|| json!({}));
        if !class.is_object() {
            *class = json!({});
        }
        for (reference, record) in changed.as_object().unwrap() {
            if record.is_null() {
                class.as_object_mut().unwrap().remove(reference);
            } else {
                class.as_object_mut().unwrap().insert(reference.clone(), record.clone());
            }
        }
    }
    Db::from_records(&records)
}

fn daemons(off_wire: &Map<String, Value>) -> Daemons {
    let edition = |entry: &Value| (entry[0].as_str().unwrap().to_owned(), entry[1].as_i64().unwrap());
    Daemons {
        backend: off_wire["backend"].as_str().unwrap().to_owned(),
        editions: off_wire["editions"].as_array().map(|list| list.iter().map(edition).collect()),
    }
}

/// A refusal as the runs note it: names of certificates come in no order.
fn answer(code: &str, mut params: Vec<String>) -> (String, Vec<String>) {
    if code == "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT" {
        params.sort();
    }
    (code.to_owned(), params)
}

fn theirs(refusal: &Value) -> Option<(String, Vec<String>)> {
    let params = refusal.get("params")?.as_array().unwrap();
    Some(answer(refusal["code"].as_str().unwrap(), params.iter().map(|it| it.as_str().unwrap().to_owned()).collect()))
}

fn ours(error: ApiError) -> (String, Vec<String>) {
    answer(&error.code, error.params)
}

#[test]
fn every_recorded_join_is_answered_as_the_server_did() {
    let Some(shared) = common::shared() else { return };
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut total = 0;
    for entry in fs::read_dir(shared.join("data")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !file.starts_with("join-verdicts") {
            continue;
        }
        let run: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let base = merged(&run["base_joiner"], &json!({}));
        let line = Line::of_host(base.get("host", base.coordinator()).unwrap());
        let order: Vec<_> = run["check_order"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        assert_eq!(names(line).collect::<Vec<_>>(), order, "{file}");
        for case in run["cases"].as_array().unwrap() {
            total += 1;
            let joiner = merged(&run["base_joiner"], &case["joiner"]);
            let pool = merged(&run["base_pool"], &case["pool"]);
            let daemons = daemons(case["joiner_off_wire"].as_object().unwrap());
            let sides = Sides { joiner: &joiner, pool: &pool, daemons: &daemons, line };
            let mut note = |what: &str, said: String, was: String| {
                if said != was {
                    let text = format!("{file} {}: said {said}, was {was}", case["name"]);
                    wrong.entry(what.to_owned()).or_default().push(text);
                }
            };
            let licensed = pooling_licensed(&joiner).err().map(ours);
            note("licence", format!("{licensed:?}"), format!("{:?}", theirs(&case["pooling_licensed"])));
            let force = case["force"].as_bool().unwrap();
            let first = pre_join(&sides, force).err().map(ours);
            note("first", format!("{first:?}"), format!("{:?}", theirs(&case["first"])));
            let said: Vec<_> =
                failing(&sides, force).into_iter().map(|(name, error)| (name.to_owned(), ours(error))).collect();
            let was: Vec<_> = case["failing"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| (entry[0].as_str().unwrap().to_owned(), theirs(&entry[1]).unwrap()))
                .collect();
            note("each alone", format!("{said:?}"), format!("{was:?}"));
        }
    }
    let mut summary = String::new();
    for (what, cases) in wrong {
        let _ = writeln!(
            summary,
            "{what}: {} of {total}\n    {}",
            cases.len(),
            cases[..cases.len().min(12)].join("\n    ")
        );
    }
    assert!(summary.is_empty(), "{summary}");
    assert!(total >= 5089, "{total} cases");
}
