//! What poolgate writes is what its published schemas say: every fixture, and the report of every candidate.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use common::judge::{PAIRS, fixture_json, pools};
use common::run::{check, poolgate};
use serde_json::{Value as Json, json};

/// Faults of a value against a schema, each with its path. Knows the keywords that poolgate's schemas use, and fails on
/// any other, so that a keyword is never passed over in silence.
struct Schema {
    root: Json,
}

impl Schema {
    fn printed(of: &str) -> Self {
        Self { root: poolgate(["schema", of]).status(0).json() }
    }

    fn faults(&self, value: &Json) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(&self.root, value, "$", &mut faults);
        faults
    }

    fn check(&self, schema: &Json, value: &Json, at: &str, faults: &mut Vec<String>) {
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" | "x-volatile" => {}
                "$ref" => {
                    let target = rule.as_str().unwrap().strip_prefix('#').unwrap();
                    let target = self.root.pointer(target).unwrap_or_else(|| panic!("{rule} leads nowhere"));
                    self.check(target, value, at, faults);
                }
                "anyOf" => {
                    let fits = |option: &Json| {
                        let mut inner = Vec::new();
                        self.check(option, value, at, &mut inner);
                        inner.is_empty()
                    };
                    if !rule.as_array().unwrap().iter().any(fits) {
                        faults.push(format!("{at}: none of the shapes fits {}", short(value)));
                    }
                }
                "type" => {
                    let types = rule.as_array().map_or_else(|| std::slice::from_ref(rule), Vec::as_slice);
                    if !types.iter().any(|ty| is_of(ty.as_str().unwrap(), value)) {
                        faults.push(format!("{at}: {} is no {rule}", short(value)));
                    }
                }
                "const" if rule != value => faults.push(format!("{at}: {} is not {rule}", short(value))),
                "enum" if !rule.as_array().unwrap().contains(value) => {
                    faults.push(format!("{at}: {} is none of {rule}", short(value)));
                }
                "minimum" if value.as_i64().is_some_and(|number| number < rule.as_i64().unwrap()) => {
                    faults.push(format!("{at}: {value} is less than {rule}"));
                }
                "pattern" if value.as_str().is_some_and(|text| !matches(rule.as_str().unwrap(), text)) => {
                    faults.push(format!("{at}: {} does not match {rule}", short(value)));
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{at}[{index}]"), faults);
                    }
                }
                "required" => {
                    for key in rule.as_array().unwrap() {
                        if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
                            faults.push(format!("{at}: no {key}"));
                        }
                    }
                }
                "properties" => {
                    for (key, rule) in rule.as_object().unwrap() {
                        if let Some(inner) = value.get(key) {
                            self.check(rule, inner, &format!("{at}.{key}"), faults);
                        }
                    }
                }
                "additionalProperties" => {
                    for (key, inner) in value.as_object().into_iter().flatten() {
                        let named = schema["properties"].get(key).is_some();
                        match rule {
                            _ if named => {}
                            Json::Bool(true) => {}
                            Json::Bool(false) => faults.push(format!("{at}: {key} has no place here")),
                            rule => self.check(rule, inner, &format!("{at}.{key}"), faults),
                        }
                    }
                }
                "const" | "enum" | "minimum" | "pattern" => {}
                other => panic!("{at}: this test does not know the keyword {other}"),
            }
        }
    }
}

fn is_of(ty: &str, value: &Json) -> bool {
    match ty {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    }
}

/// The patterns that the schemas use: versions and CPU words.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let word = |word: &str| word.len() == 8 && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match pattern {
        "^1\\.[0-9]+$" => text.strip_prefix("1.").is_some_and(digits),
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => {
            text.len() == 10 && text.split('-').map(str::len).eq([4, 2, 2]) && text.split('-').all(digits)
        }
        "^([0-9a-f]{8}(-[0-9a-f]{8})*)?$" => text.is_empty() || text.split('-').all(word),
        other => panic!("this test does not know the pattern {other}"),
    }
}

fn short(value: &Json) -> String {
    value.to_string().chars().take(60).collect()
}

#[test]
fn every_fixture_is_a_snapshot() {
    let schema = Schema::printed("snapshot");
    for stem in PAIRS.iter().map(|(_, joiner)| *joiner).chain(pools()) {
        assert_eq!(schema.faults(&fixture_json(stem)), Vec::<String>::new(), "{stem}");
    }
}

#[test]
fn this_machine_is_a_snapshot() {
    let local = poolgate(["collect", "local"]).status(0).json();
    assert_eq!(Schema::printed("snapshot").faults(&local), Vec::<String>::new());
}

#[test]
fn every_report_is_a_report() {
    let schema = Schema::printed("report");
    for (pool, joiner) in PAIRS {
        for words in [&["--format", "json"][..], &["--format", "json", "--all", "--as-release", "xcp-ng-8.3"]] {
            let status = |status: &i32| [0, 1, 3].contains(status);
            let report = check(pool, &[joiner]).with(words).any_status(status).json();
            assert_eq!(schema.faults(&report), Vec::<String>::new(), "{joiner}");
            assert!(!report["joiners"][0]["findings"].is_null());
        }
    }
    for (pool, member) in [("xcp-ng-8.3-5-hosts", "xcp-02"), ("xenserver-8-16-hosts", "xs8-01")] {
        let pool = format!("fixtures/{pool}.json");
        let words = ["check", "--phase", "eject", "--pool", &pool, "--member", member, "--format", "json", "--all"];
        let report = poolgate(words).status(1).json();
        assert_eq!(schema.faults(&report), Vec::<String>::new(), "{member}");
    }
    let nothing = r#"{"format": "poolgate-snapshot", "version": "1.0", "pool": {}}"#;
    let words = ["check", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--host", "-", "--format", "json"];
    let report = poolgate(words).stdin(nothing).status(3).json();
    assert_eq!(schema.faults(&report), Vec::<String>::new());
}

#[test]
fn every_line_of_ndjson_and_every_waiver_is_as_published() {
    let (line, report) = (Schema::printed("report-line"), Schema::printed("report"));
    let waivers = ["--waivers", "tests/formats/waivers.toml", "--today", "2026-06-01"];
    let run = || check("xcp-ng-8.3-5-hosts", &["candidate-good", "candidate-trouble"]).with(waivers);
    let text = run().with(["--format", "ndjson", "--all"]).status(1).quietly();
    assert_eq!(text.lines().count(), 5);
    for text in text.lines() {
        assert_eq!(line.faults(&serde_json::from_str(text).unwrap()), Vec::<String>::new());
    }
    let words = ["check", "--phase", "eject", "--pool", "fixtures/xcp-ng-8.3-5-hosts.json", "--member", "xcp-05"];
    let text = poolgate(words).with(["--format", "ndjson"]).status(1).quietly();
    for text in text.lines() {
        assert_eq!(line.faults(&serde_json::from_str(text).unwrap()), Vec::<String>::new());
    }
    assert!(!line.faults(&json!({"type": "verdict"})).is_empty());
    let json = run().with(["--format", "json"]).status(1).json();
    assert_eq!(report.faults(&json), Vec::<String>::new());
    assert!(json["waivers"]["findings"].as_array().is_some_and(|findings| !findings.is_empty()));
}

#[test]
fn a_diff_is_what_its_schema_says() {
    let schema = Schema::printed("diff");
    let folder = tempfile::tempdir().unwrap();
    let report = |joiner: &str| {
        let path = folder.path().join(joiner).with_extension("json").display().to_string();
        let run = check("xcp-ng-8.3-5-hosts", &[joiner]).with(["--format", "json", "-o", &path]);
        run.any_status(|status| matches!(status, 0 | 1 | 3));
        path
    };
    let fixture = common::run::fixture;
    let pairs = [
        (fixture("candidate-good"), fixture("candidate-trouble")),
        (fixture("xcp-ng-8.3-5-hosts"), fixture("xenserver-8-16-hosts")),
        (fixture("candidate-unknown"), fixture("candidate-good")),
        (fixture("candidate-good"), fixture("candidate-good")),
        (report("candidate-good"), report("candidate-trouble")),
        (report("candidate-unknown"), report("candidate-amd")),
    ];
    let mut changes = std::collections::BTreeSet::new();
    for (old, new) in pairs {
        for words in [&[][..], &["--volatile"]] {
            let run = poolgate(["diff", &old, &new, "--format", "json"]).with(words.iter().copied());
            let found = run.any_status(|status| matches!(status, 0 | 1)).json();
            assert_eq!(schema.faults(&found), Vec::<String>::new(), "{old} {new}");
            let differences = found["differences"].as_array().unwrap();
            changes.extend(differences.iter().map(|one| one["change"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(changes.len(), 3, "{changes:?}");
    let whole = || poolgate(["diff", &fixture("candidate-good"), &fixture("candidate-trouble"), "--format", "json"]);
    let good = whole().status(1).json();
    let spoilt = |pointer: &str, value: Json| {
        let mut json = good.clone();
        *json.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        schema.faults(&json).len()
    };
    assert_eq!(spoilt("/of", json!("plan")), 1);
    assert_eq!(spoilt("/differences/0", json!({"path": "x", "change": "added", "old": 1})), 1);
    assert_eq!(spoilt("/differences/0/change", json!("moved")), 1);
    assert_eq!(spoilt("/volatile_left_out", json!(-1)), 1);
}

#[test]
fn a_spoilt_document_has_faults() {
    let schema = Schema::printed("snapshot");
    let good = fixture_json("candidate-good");
    let spoilt = |pointer: &str, value: Json| {
        let mut json = good.clone();
        *json.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        schema.faults(&json)
    };
    assert_eq!(spoilt("/pool/ha_enabled", json!("off")), ["$.pool.ha_enabled: none of the shapes fits \"off\""]);
    assert_eq!(spoilt("/version", json!("2.0")), ["$.version: \"2.0\" does not match \"^1\\\\.[0-9]+$\""]);
    assert_eq!(spoilt("/format", json!("xml")), ["$.format: \"xml\" is not \"poolgate-snapshot\""]);
    assert_eq!(spoilt("/pool/hosts", json!([{"uuid": 7}])).len(), 1);
    assert_eq!(spoilt("/pool/ha_enabled", json!({"$unknown": "because"})).len(), 1);
    assert_eq!(spoilt("/pool/hosts/0/cpu/features_hvm", json!("1fc9cbf5-1")).len(), 1);
    assert_eq!(spoilt("/pool", json!([])).len(), 1);
    let mut json = good.clone();
    json.as_object_mut().unwrap().remove("pool");
    assert_eq!(schema.faults(&json), ["$: no \"pool\""]);
}

#[test]
fn a_spoilt_report_has_faults() {
    let schema = Schema::printed("report");
    let good = check("xcp-ng-8.3-5-hosts", &["candidate-trouble"]).with(["--format", "json"]).status(1).json();
    let spoilt = |pointer: &str, value: Json| {
        let mut json = good.clone();
        *json.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = value;
        schema.faults(&json).len()
    };
    assert_eq!(schema.faults(&good), Vec::<String>::new());
    assert_eq!(spoilt("/verdict", json!("MAYBE")), 1);
    assert_eq!(spoilt("/joiners/0/findings/0/severity", json!("fatal")), 1);
    assert_eq!(spoilt("/joiners/0/findings/0/evidence/0", json!({"fact": "x"})), 3);
    assert_eq!(spoilt("/joiners/0/summary/blockers", json!(-1)), 1);
    assert_eq!(spoilt("/joiners/0/server", json!({"first": null})), 1);
    assert_eq!(spoilt("/pool/hosts", json!("five")), 1);
}

#[test]
fn a_plan_is_what_its_schema_says() {
    let schema = Schema::printed("plan");
    let words =
        ["plan", "fixtures/fleet-19-hosts.ndjson", &common::run::fixture("xcp-ng-8.3-5-hosts"), "--format", "json"];
    for limit in ["2", "4", "16"] {
        let plan = poolgate(words).with(["--max-hosts", limit]).status(3).json();
        assert_eq!(schema.faults(&plan), Vec::<String>::new());
    }
    let mut odd = poolgate(words).status(3).json();
    odd["groups"][0]["surprise"] = json!(1);
    assert_ne!(schema.faults(&odd), Vec::<String>::new());
}
