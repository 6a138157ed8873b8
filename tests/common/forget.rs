//! Forgets facts of snapshots, for what must hold whatever is missing.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use poolgate::facts::{Fact, Type};
use poolgate::rules::{EjectJudgement, Finding, Judgement, Outcome, Prediction, Verdict};
use poolgate::snapshot::Pool;
use serde_json::Value as Json;

/// Where a fact stands: keys and indices from `pool` down.
pub type Path = Vec<Step>;

/// A step on the way to a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a record.
    Key(String),
    /// Into a list.
    At(usize),
}

/// The facts of a pool that can be forgotten: the knowable fields of the model that a document holds, inner ones too.
/// Entries of maps and elements of lists are no such facts: a map without a key says that there is none.
pub fn facts_of(json: &Json) -> Vec<Path> {
    let mut found = Vec::new();
    walk(Pool::TYPE, &json["pool"], &mut Vec::new(), &mut found);
    found
}

fn walk(ty: Type, json: &Json, at: &mut Path, found: &mut Vec<Path>) {
    if json.is_null() || json.get("$unknown").is_some() {
        return;
    }
    match ty {
        Type::Object(def) => {
            for field in def.fields {
                let Some(value) = json.get(field.name) else { continue };
                at.push(Step::Key(field.name.to_owned()));
                if field.knowable && value.get("$unknown").is_none() {
                    found.push(at.clone());
                }
                walk(field.ty, value, at, found);
                at.pop();
            }
        }
        Type::List(of) => {
            for (index, value) in json.as_array().unwrap().iter().enumerate() {
                at.push(Step::At(index));
                walk(*of, value, at, found);
                at.pop();
            }
        }
        Type::Nullable(of) => walk(*of, json, at, found),
        Type::Map(_) | Type::Bool | Type::Int | Type::Text | Type::Features => {}
    }
}

/// Of facts that differ in list indices only, one for each of a few distinct values: 200 VMs have few stories to tell.
pub fn samples(json: &Json) -> Vec<Path> {
    const VALUES: usize = 3;
    let mut seen: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    let facts = facts_of(json).into_iter();
    let told = facts.filter(|path| {
        let shape = path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::At(_) => "[]".to_owned(),
        });
        let values = seen.entry(shape.collect()).or_default();
        values.len() < VALUES && values.insert(value_at(json, path).to_string())
    });
    told.collect()
}

/// The value of a fact.
pub fn value_at<'a>(json: &'a Json, path: &[Step]) -> &'a Json {
    path.iter().fold(&json["pool"], |json, step| match step {
        Step::Key(key) => &json[key],
        Step::At(index) => &json[index],
    })
}

/// The document without one fact: a key that is left out was not collected. What is no longer there stays gone.
pub fn forget(json: &mut Json, path: &[Step]) {
    let Some((Step::Key(last), above)) = path.split_last() else { return };
    let mut at = Some(&mut json["pool"]);
    for step in above {
        at = at.and_then(|json| match step {
            Step::Key(key) => json.get_mut(key),
            Step::At(index) => json.get_mut(index),
        });
    }
    if let Some(Json::Object(object)) = at {
        object.remove(last);
    }
}

/// A fact in words: `pool.vms[3].power_state`.
pub fn name(path: &[Step]) -> String {
    path.iter().fold("pool".to_owned(), |name, step| match step {
        Step::Key(key) => format!("{name}.{key}"),
        Step::At(index) => format!("{name}[{index}]"),
    })
}

/// What was said, whichever the phase.
pub trait Said {
    /// The findings, the verdict, and what the server would answer.
    fn said(&self) -> (&[Finding], Verdict, Option<&Prediction>);
}

impl Said for Judgement {
    fn said(&self) -> (&[Finding], Verdict, Option<&Prediction>) {
        (&self.findings, self.verdict, self.server.as_ref())
    }
}

impl Said for EjectJudgement {
    fn said(&self) -> (&[Finding], Verdict, Option<&Prediction>) {
        (&self.findings, self.verdict, self.server.as_ref())
    }
}

/// What forgetting must not do, in words: each rule keeps its answer or no longer knows it, and the verdict gets no
/// better.
pub fn broken(before: &impl Said, after: &impl Said) -> Vec<String> {
    let ((before, verdict, server), (after, verdict_after, server_after)) = (before.said(), after.said());
    let mut broken = Vec::new();
    let answers: BTreeMap<_, _> = after.iter().map(|finding| (&finding.rule, finding.outcome)).collect();
    for finding in before {
        let now = answers[&finding.rule];
        // Where it is unknown whether a rule has a say and it would pass anyway, it passes.
        let content = |outcome| matches!(outcome, Outcome::Pass | Outcome::NotApplicable);
        if now != finding.outcome && now != Outcome::Unknown && !(content(now) && content(finding.outcome)) {
            broken.push(format!("{}: {:?} became {now:?}", finding.rule, finding.outcome));
        }
    }
    let decided = |verdict| matches!(verdict, Verdict::Go | Verdict::GoWithWarnings);
    if decided(verdict_after) && !decided(verdict) || verdict_after == Verdict::Go && verdict != Verdict::Go {
        broken.push(format!("{} became {}", verdict.words(), verdict_after.words()));
    }
    if let (Some(before), Some(after)) = (server, server_after) {
        for check in &before.failing {
            let still =
                after.failing.iter().any(|now| now.check == check.check) || after.undecided.contains(&check.check);
            if !still {
                broken.push(format!("the server's {} passes now", check.check));
            }
        }
    }
    broken
}

/// Does a share of the work on every core: which to start with, and how many to step over.
pub fn in_threads<T: Send>(work: impl Fn(usize, usize) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let work = &work;
        let all: Vec<_> = (0..threads).map(|start| scope.spawn(move || work(start, threads))).collect();
        all.into_iter().map(|part| part.join().unwrap()).collect()
    })
}
