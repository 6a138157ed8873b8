//! Secrets that a server shows, planted in every field that may hold one: no plan, journal, script or message has them.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::common::rehearsal::{PASSWORD, Rehearsal};

const MARKER: &str = "marker-of-a-secret";

/// Whole fields that are secrets, by class.
const FIELDS: &[(&str, &str)] = &[
    ("Cluster", "cluster_token"),
    ("host", "external_auth_configuration"),
    ("host", "power_on_config"),
    ("pool", "wlb_url"),
    ("pool", "wlb_username"),
    ("secret", "value"),
    ("VM", "xenstore_data"),
];

/// Maps that hold secrets beside what a join depends on, by class.
const MAPS: &[(&str, &str)] = &[
    ("host", "license_params"),
    ("host", "other_config"),
    ("PBD", "device_config"),
    ("pool", "guest_agent_config"),
    ("pool", "other_config"),
    ("SR", "other_config"),
    ("SR", "sm_config"),
    ("VDI", "sm_config"),
    ("VM", "other_config"),
];

/// Keys under which maps hold them.
const KEYS: &[&str] = &["password", "chappassword", "cifspassword", "token"];

fn spoil(class: &str, record: &mut Map<String, Value>) {
    for (_, field) in FIELDS.iter().filter(|(of, _)| *of == class) {
        let secret = match record.get(*field) {
            Some(Value::Object(_)) => json!({ "password": MARKER }),
            _ => json!(MARKER),
        };
        record.insert((*field).to_owned(), secret);
    }
    for (_, field) in MAPS.iter().filter(|(of, _)| *of == class) {
        let map = record.entry(*field).or_insert_with(|| json!({}));
        for key in KEYS.iter().chain((*field == "license_params").then_some(&"key")) {
            map[*key] = json!(MARKER);
        }
    }
}

/// Plants the marker in all records of an endpoint; says how many.
fn plant(lab: &Rehearsal, endpoint: &str) -> usize {
    let mut planted = 0;
    lab.lab
        .with_db(endpoint, |db| {
            let classes: Vec<_> = db.classes().map(str::to_owned).collect();
            for class in classes {
                let references: Vec<_> = db.each(&class).map(|(reference, _)| reference.to_owned()).collect();
                for reference in references {
                    db.change(&class, &reference, |record| spoil(&class, record));
                    planted += 1;
                }
            }
        })
        .unwrap();
    planted
}

/// Every text below a folder, with its path.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    found
}

#[test]
fn no_secret_of_a_server_is_written_or_said() {
    let lab = Rehearsal::new("xenserver-8-1-host", &["candidate-xs8-twin"]);
    let mut planted = 0;
    for endpoint in lab.lab.endpoints() {
        planted += plant(&lab, &endpoint.name);
    }
    assert!(planted > 20, "{planted} records");
    let mut said = Vec::new();
    for name in ["plan.json", "plan.md", "plan.txt"] {
        let path = lab.path(name);
        said.push(lab.join().with(["--plan-out", path.to_str().unwrap()]).status(0).to_string());
    }
    let plan = lab.path("plan.json");
    let joiner = lab.joiner(0).name;
    said.push(
        lab.join()
            .with(["--plan", plan.to_str().unwrap(), "--yes", "--wait", "20s"])
            .any_status(|_| true)
            .to_string(),
    );
    assert_eq!(lab.count("pool.join"), 1, "{said:?}");
    let restore = lab.path("restore.sh");
    let leave = lab.path("leave.json");
    let eject = || lab.eject(&joiner).with(["--restore-out", restore.to_str().unwrap()]);
    said.push(eject().with(["--plan-out", leave.to_str().unwrap()]).any_status(|_| true).to_string());
    said.push(
        eject().with(["--plan", leave.to_str().unwrap(), "--yes", "--wait", "20s"]).any_status(|_| true).to_string(),
    );
    assert_eq!(lab.count("pool.eject"), 1, "{said:?}");
    let written = texts(lab.folder.path());
    assert!(written.len() >= 5, "{:?}", written.iter().map(|(path, _)| path).collect::<Vec<_>>());
    let all = written.into_iter().chain(said.into_iter().map(|text| ("what was said".to_owned(), text)));
    for (place, text) in all {
        for secret in [MARKER, PASSWORD] {
            assert!(!text.contains(secret), "{place}: {text}");
        }
    }
}
