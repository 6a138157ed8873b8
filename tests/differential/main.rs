//! The lab's checks against the rules: two judges written apart from each other, over records changed at random. Where
//! the server would break off in the middle of a check (a reference that leads nowhere), the rules may leave it
//! undecided, but never let the joiner in.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../common/mod.rs"]
pub mod common;

mod changes;
mod random;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use poolgate::collect::{Target, read_target};
use poolgate::lab::checks::{Daemons, Sides, failing, pooling_licensed, pre_join};
use poolgate::lab::{ApiError, Db, Line};
use poolgate::rules::{Judgement, Phase, Policy, Refusal, Registry, Side, Verdict, judge_sequence};
use serde_json::{Map, Value};

use random::Random;

type Records = Map<String, Value>;
/// A check, the code and the parameters.
type Answer = (String, String, Vec<String>);

/// How many pairs a release line is put to: few enough for every run; `POOLGATE_PAIRS` asks for more.
fn pairs() -> u64 {
    std::env::var("POOLGATE_PAIRS").ok().and_then(|word| word.parse().ok()).unwrap_or(150)
}

fn files() -> Vec<PathBuf> {
    let Some(shared) = common::shared() else { return Vec::new() };
    let mut files: Vec<_> = fs::read_dir(shared.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("join-verdicts"))
        .collect();
    files.sort();
    files
}

fn answer(check: &str, code: &str, params: &[String]) -> Answer {
    let mut params = params.to_vec();
    if code == "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT" {
        params.sort();
    }
    (check.to_owned(), code.to_owned(), params)
}

fn of_lab(check: &str, error: &ApiError) -> Answer {
    answer(check, &error.code, &error.params)
}

fn of_rules(refusal: Option<&Refusal>) -> Option<Answer> {
    refusal.map(|refusal| answer("", &refusal.code, &refusal.params))
}

fn side(records: &Records, off_wire: Option<&Value>) -> Side {
    let mut records = records.clone();
    records.extend(off_wire.map(|off_wire| ("off_wire".to_owned(), off_wire.clone())));
    let text = Value::Object(records).to_string();
    let mut collected = read_target(&Target::Stdin, &mut text.as_bytes()).unwrap();
    // Whether a certificate has ended depends on when it was seen, which dumps do not say.
    collected.snapshot.source.collected_at = "2026-06-01T00:00:00Z".to_owned().into();
    Side { target: "records".to_owned(), snapshot: collected.snapshot, assumed: Vec::new(), notes: collected.notes }
}

/// What the lab answers.
struct Lab {
    first: Option<Answer>,
    forced: Option<Answer>,
    failing: Vec<Answer>,
    /// Whether a check broke off for want of a record or of a key.
    broken: bool,
}

fn ask_lab(pool: &Records, joiner: &Records, off_wire: &Value) -> Lab {
    let (pool, joiner) = (Db::from_records(pool), Db::from_records(joiner));
    let edition = |entry: &Value| (entry[0].as_str().unwrap().to_owned(), entry[1].as_i64().unwrap());
    let daemons = Daemons {
        backend: off_wire["backend"].as_str().unwrap().to_owned(),
        editions: off_wire["editions"].as_array().map(|list| list.iter().map(edition).collect()),
    };
    let me = joiner.get("host", joiner.coordinator()).unwrap();
    let sides = Sides { joiner: &joiner, pool: &pool, daemons: &daemons, line: Line::of_host(me) };
    let licence = pooling_licensed(&joiner).err();
    let first = |force| licence.clone().or_else(|| pre_join(&sides, force).err());
    let failing = failing(&sides, false);
    Lab {
        first: first(false).map(|error| of_lab("", &error)),
        forced: first(true).map(|error| of_lab("", &error)),
        broken: failing.iter().any(|(_, error)| error.code == "HANDLE_INVALID" || error.code == "INTERNAL_ERROR"),
        failing: failing.iter().map(|(check, error)| of_lab(check, error)).collect(),
    }
}

fn judge(rules: &Registry, pool: &Side, joiner: &Side) -> Judgement {
    let policy = Policy { max_hosts: 64, as_release: None };
    judge_sequence(pool, std::slice::from_ref(joiner), rules, Phase::Join, &policy).remove(0)
}

fn disagreement(lab: &Lab, judgement: &Judgement) -> Option<String> {
    let server = judgement.server.as_ref()?;
    if lab.first.is_some() && matches!(judgement.verdict, Verdict::Go | Verdict::GoWithWarnings) {
        return Some(format!("WRONG GO, the lab refuses with {:?}", lab.first));
    }
    if lab.broken && !server.undecided.is_empty() {
        return None;
    }
    if lab.first.is_none() && judgement.verdict == Verdict::Undecided {
        return Some(format!("UNDECIDED where the lab lets in: {:?}", server.undecided));
    }
    let (first, forced) = (of_rules(server.first.as_ref()), of_rules(server.first_with_force.as_ref()));
    if first != lab.first {
        return Some(format!("first: rules {first:?}, lab {:?}", lab.first));
    }
    if forced != lab.forced {
        return Some(format!("with force: rules {forced:?}, lab {:?}", lab.forced));
    }
    let said: Vec<_> = server.failing.iter().map(|check| answer(check.check, &check.code, &check.params)).collect();
    (said != lab.failing).then(|| format!("each alone: rules {said:?}, lab {:?}", lab.failing))
}

#[test]
fn lab_and_rules_agree_on_changed_records() {
    let rules = Registry::load(&[]).unwrap_or_else(|errors| panic!("{errors:?}"));
    let wrong: Mutex<BTreeMap<String, Vec<String>>> = Mutex::default();
    for file in files() {
        let run: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let (base_pool, base_joiner) =
            (run["base_pool"].as_object().unwrap(), run["base_joiner"].as_object().unwrap());
        let off_wires: Vec<&Value> =
            run["cases"].as_array().unwrap().iter().map(|it| &it["joiner_off_wire"]).collect();
        let next = AtomicU64::new(0);
        let work = || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= pairs() {
                    break;
                }
                let mut random = Random::new(seed ^ name.len() as u64);
                let (mut pool, mut joiner) = (base_pool.clone(), base_joiner.clone());
                let mut what = Vec::new();
                for _ in 0..=random.below(3) {
                    let (own, other) = if random.one_in(2) { (&mut pool, &joiner) } else { (&mut joiner, &pool) };
                    let other = other.clone();
                    what.push(changes::change(own, &other, &mut random));
                }
                let off_wire = if random.one_in(8) { *random.pick(&off_wires) } else { off_wires[0] };
                let lab = ask_lab(&pool, &joiner, off_wire);
                let judgement = judge(&rules, &side(&pool, None), &side(&joiner, Some(off_wire)));
                if let Some(problem) = disagreement(&lab, &judgement) {
                    let key = what.join(" + ");
                    let line = format!("{name} seed {seed}: {key}: {problem}");
                    wrong.lock().unwrap().entry(problem.chars().take(60).collect()).or_default().push(line);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
    }
    let mut summary = String::new();
    for (_, mut cases) in wrong.into_inner().unwrap() {
        cases.sort();
        let _ = writeln!(summary, "{} times:", cases.len());
        for case in cases.iter().take(3) {
            let _ = writeln!(summary, "    {}", case.chars().take(1200).collect::<String>());
        }
    }
    assert!(summary.is_empty(), "{summary}");
}
