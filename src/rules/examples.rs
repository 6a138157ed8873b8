//! Runs the examples of rules: the example case of `rules/data/` with each example's changes, judged by its rule.

use serde_json::Value as Json;

use super::case::{Judged, Policy, Seen, Side, derive};
use super::eject;
use super::evidence::Sources;
use super::file::Example;
use super::judge::judge;
use super::outcome::{Finding, ServerAnswer};
use super::rule::{Phase, Rule};
use crate::snapshot::{ReadError, Snapshot, read_snapshot};

const POOL: &str = include_str!("../../rules/data/example-pool.json");
/// When both sides of the example case were seen: what their clocks showed.
const SEEN: &str = "2026-01-15T02:00:00Z";
const JOINER: &str = include_str!("../../rules/data/example-joiner.json");

/// The member of the example pool that leaves.
const MEMBER: &str = "beta";
/// What differs in the pool of eject examples: the VM that runs there has moved to the other host.
const EVACUATED: (&str, &str) = ("pool.vms[2].resident_on", "OpaqueRef:00000000-0000-4000-8000-000000000101");

/// What an example did not show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: example \"{example}\": {what}")]
pub struct ExampleError {
    /// The rule's id.
    pub rule: String,
    /// The example's name.
    pub example: String,
    /// What was expected and what came.
    pub what: String,
}

/// The example case: a pool and a joiner with which every rule passes.
pub fn example_sides() -> Result<(Side, Side), String> {
    Ok((side("example pool", &json(POOL)?)?, side("example joiner", &json(JOINER)?)?))
}

/// The example pool of rules of phase eject, and the name of the member that leaves it.
pub fn example_eject() -> Result<(Side, &'static str), String> {
    let mut root = serde_json::json!({"pool": json(POOL)?["pool"].take()});
    edit(&mut root, EVACUATED.0, Some(EVACUATED.1.into()))?;
    Ok((side_of("example pool", root["pool"].take())?, MEMBER))
}

/// Runs every example of a rule and returns what went wrong.
pub fn run_examples(rule: &Rule) -> Vec<ExampleError> {
    rule.examples.iter().filter_map(|example| run(rule, example).err()).collect()
}

fn run(rule: &Rule, example: &Example) -> Result<(), ExampleError> {
    let wrong = |what: String| ExampleError { rule: rule.id.clone(), example: example.name.clone(), what };
    let finding = judge_example(rule, example).map_err(wrong)?;
    if finding.outcome.word() != example.expect {
        let why = finding.unknown.map(|unknown| format!(" ({unknown})")).unwrap_or_default();
        return Err(wrong(format!(
            "expected {}, got {}{why}: {}",
            example.expect,
            finding.outcome.word(),
            finding.message
        )));
    }
    if let Some(message) = &example.message
        && *message != finding.message
    {
        return Err(wrong(format!("expected the message \"{message}\", got \"{}\"", finding.message)));
    }
    if let Some(expected) = &example.refusal {
        let got = match &finding.server {
            Some((_, _, ServerAnswer::Refuses(refusal))) => {
                let mut words = vec![refusal.code.clone()];
                words.extend(refusal.params.iter().cloned());
                words
            }
            _ => Vec::new(),
        };
        if got != *expected {
            return Err(wrong(format!("expected the server's answer {expected:?}, got {got:?}")));
        }
    }
    Ok(())
}

/// The example case with an example's changes.
pub(super) fn changed(rule: &Rule, example: &Example) -> Result<Json, String> {
    let mut root = serde_json::Map::new();
    for (name, text) in [("pool", POOL), ("joiner", JOINER)] {
        root.insert(name.to_owned(), json(text)?["pool"].take());
    }
    root.insert("policy".to_owned(), serde_json::json!({"max_hosts": 16, "as_release": null}));
    root.insert("seen".to_owned(), serde_json::json!({"pool": SEEN, "joiner": SEEN}));
    let mut root = Json::Object(root);
    if rule.phases.contains(&Phase::Eject) {
        edit(&mut root, EVACUATED.0, Some(EVACUATED.1.into()))?;
    }
    for (path, value) in &example.set {
        let value = serde_json::to_value(value).map_err(|error| format!("{path}: {error}"))?;
        edit(&mut root, path, Some(value))?;
    }
    for path in &example.forget {
        edit(&mut root, path, None)?;
    }
    Ok(root)
}

/// What a rule says of an example's case after further changes to it; `change` gets an object with `pool` and `joiner`.
pub fn show_example(rule: &Rule, example: &Example, change: &dyn Fn(&mut Json)) -> Result<Finding, String> {
    let mut root = changed(rule, example)?;
    change(&mut root);
    judge_root(rule, root)
}

fn judge_example(rule: &Rule, example: &Example) -> Result<Finding, String> {
    judge_root(rule, changed(rule, example)?)
}

fn judge_root(rule: &Rule, mut root: Json) -> Result<Finding, String> {
    let policy = Policy {
        max_hosts: root["policy"]["max_hosts"].as_i64().ok_or("policy.max_hosts is no integer")?,
        as_release: root["policy"]["as_release"].as_str().map(str::to_owned),
    };
    let seen = seen_in(&root);
    let pool = side_of("example pool", root["pool"].take())?;
    let joiner = side_of("example joiner", root["joiner"].take())?;
    judge_one(rule, &pool, &joiner, &policy, seen)
}

/// What one rule says of the sides of an example.
pub(super) fn judge_one(
    rule: &Rule,
    pool: &Side,
    joiner: &Side,
    policy: &Policy,
    seen: Seen,
) -> Result<Finding, String> {
    let said = |case: &dyn Judged| judge(case, Sources { pool, joiner }, std::iter::once(rule)).into_iter().next();
    let snapshot = &pool.snapshot.pool;
    let finding = if rule.phases.contains(&Phase::Eject) {
        let hosts = snapshot.hosts.get().ok_or("the example pool has no hosts")?;
        // By its place, so that an example can leave its name out.
        said(&eject::derive(snapshot, hosts.last().ok_or("the example pool has no hosts")?, policy))
    } else {
        said(&derive(snapshot, &joiner.snapshot.pool, policy, 1, seen))
    };
    finding.ok_or_else(|| "the rule said nothing".to_owned())
}

/// When the sides of an example were seen.
pub(super) fn seen_in(root: &Json) -> Seen {
    let at = |name: &str| root["seen"][name].as_str().map(str::to_owned);
    Seen { pool: at("pool"), joiner: at("joiner") }
}

fn json(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// A side from the pool of a snapshot file.
pub(super) fn side_of(target: &str, pool: Json) -> Result<Side, String> {
    let file = serde_json::json!({
        "format": crate::snapshot::FORMAT,
        "version": format!("{}.{}", crate::snapshot::MAJOR, crate::snapshot::MINOR),
        "source": {"kind": "fixture"},
        "pool": pool,
    });
    side(target, &file)
}

fn side(target: &str, file: &Json) -> Result<Side, String> {
    let (snapshot, strangers): (Snapshot, _) =
        read_snapshot(file.to_string().as_bytes()).map_err(|error| match error {
            // The place in a text that nobody wrote says nothing.
            ReadError::Shape { field, message, .. } => format!("the changed {target}: {field}{message}"),
            error => format!("the changed {target}: {error}"),
        })?;
    match strangers.first() {
        Some(stranger) => Err(format!("the changed {target} has no field {stranger}")),
        None => Ok(Side { target: target.to_owned(), snapshot, assumed: Vec::new(), notes: Vec::new() }),
    }
}

/// Sets (or, without a value, removes) what a path names: `joiner.vms[0].power_state`; `[+]` appends, `[*]` is each.
fn edit(root: &mut Json, path: &str, value: Option<Json>) -> Result<(), String> {
    let steps: Vec<&str> = path.split(['.', '[']).map(|step| step.trim_end_matches(']')).collect();
    match steps.first() {
        Some(&("pool" | "joiner" | "policy" | "seen")) => {}
        _ => return Err(format!("{path}: a path begins with pool, joiner, policy or seen")),
    }
    walk(root, &steps, value.as_ref()).map_err(|why| format!("{path}: {why}"))
}

fn walk(at: &mut Json, steps: &[&str], value: Option<&Json>) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *at = value.cloned().unwrap_or(Json::Null);
        return Ok(());
    };
    match at {
        Json::Object(map) if rest.is_empty() && value.is_none() => {
            if map.remove(*step).is_some() {
                return Ok(());
            }
            let like = |key: &&String| strsim::jaro_winkler(key, step);
            let nearest = map.keys().filter(|key| like(key) > 0.85).max_by(|a, b| like(a).total_cmp(&like(b)));
            let nearest = nearest.map(|key| format!(" (did you mean \"{key}\"?)")).unwrap_or_default();
            Err(format!("there is no \"{step}\"{nearest}"))
        }
        Json::Object(map) => {
            let next = map.entry((*step).to_owned()).or_insert_with(|| Json::Object(serde_json::Map::new()));
            walk(next, rest, value)
        }
        Json::Array(list) if *step == "*" => list.iter_mut().try_for_each(|item| walk(item, rest, value)),
        Json::Array(list) if *step == "+" => {
            let mut item = Json::Object(serde_json::Map::new());
            walk(&mut item, rest, value)?;
            list.push(item);
            Ok(())
        }
        Json::Array(list) => {
            let index: usize = step.parse().map_err(|_| format!("\"{step}\" is no index"))?;
            if index >= list.len() {
                return Err(format!("there is no [{index}]"));
            }
            if rest.is_empty() && value.is_none() {
                list.remove(index);
                return Ok(());
            }
            walk(&mut list[index], rest, value)
        }
        _ => Err(format!("\"{step}\" is below a plain value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_set_append_and_forget() {
        let mut root = serde_json::json!({"pool": {"b": [{"c": 1}, {"c": 2}]}});
        edit(&mut root, "pool.b[1].c", Some(9.into())).unwrap();
        edit(&mut root, "pool.b[+]", Some(serde_json::json!({"c": 3}))).unwrap();
        edit(&mut root, "pool.b[0].c", None).unwrap();
        edit(&mut root, "pool.n", Some(true.into())).unwrap();
        assert_eq!(root, serde_json::json!({"pool": {"b": [{}, {"c": 9}, {"c": 3}], "n": true}}));
        edit(&mut root, "pool.b[*].c", Some(0.into())).unwrap();
        assert_eq!(root["pool"]["b"][2]["c"], 0);
        assert!(edit(&mut root, "pool.b[7].c", Some(0.into())).unwrap_err().contains("there is no [7]"));
        assert!(edit(&mut root, "pool.zz", None).unwrap_err().ends_with("there is no \"zz\""));
        root["pool"]["name_label"] = "lab".into();
        assert!(edit(&mut root, "pool.name_labl", None).unwrap_err().ends_with("(did you mean \"name_label\"?)"));
        assert!(edit(&mut root, "poll.n", None).unwrap_err().contains("begins with"));
    }
}
