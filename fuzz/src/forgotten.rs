//! Everything that is derived and judged of a snapshot, and of the same with one fact less.

use std::sync::OnceLock;

use poolgate::facts::{Fact, Type};
use poolgate::rules::{
    EjectJudgement, Finding, Judgement, Outcome, Phase, Policy, Registry, Severity, Side, Verdict, example_sides,
    judge_eject, judge_sequence,
};
use poolgate::snapshot::{Pool, Snapshot, read_snapshot};
use serde_json::Value as Json;

/// Blockers that pass without a fact because another one tells the same; a test of the rules lists them too.
const STAND_INS: [&str; 3] = ["cpu-no-execute-on", "cpu-virtualisation-on", "network-backend-same"];

const POLICY: Policy = Policy { max_hosts: 16, as_release: None };

/// A snapshot as a joiner, as a pool, and a member of it that leaves. Without one of its facts no blocker is cleared.
pub(crate) fn judged(bytes: &[u8]) {
    static RULES: OnceLock<(Registry, Side, Side)> = OnceLock::new();
    let Ok((snapshot, _)) = read_snapshot(bytes) else { return };
    let (rules, pool, joiner) = RULES.get_or_init(|| {
        let rules = Registry::load(&[]).unwrap_or_else(|errors| panic!("{errors:?}"));
        let (pool, joiner) = example_sides().unwrap_or_else(|error| panic!("{error}"));
        (rules, pool, joiner)
    });
    let less = without_a_fact(bytes).map(side);
    let side = side(snapshot);
    for (with, own) in [(Some(pool), None), (None, Some(joiner)), (None, None)] {
        let sides = |side| (with.unwrap_or(side), own.unwrap_or(side));
        let judge = |(pool, joiner): (&Side, &Side), phase| {
            let mut judged = judge_sequence(pool, std::slice::from_ref(joiner), rules, phase, &POLICY);
            assert_eq!(judged.len(), 1);
            judged.remove(0)
        };
        for phase in [Phase::Join, Phase::Procurement] {
            let judgement = judge(sides(&side), phase);
            honest(&judgement);
            // A host that joins itself is another one without a fact.
            if let Some(less) = less.as_ref().filter(|_| phase == Phase::Join && with.is_some() != own.is_some()) {
                let then = judge(sides(less), phase);
                honest(&then);
                no_better(&judgement.findings, &then.findings, then.verdict);
            }
        }
    }
    for member in side.snapshot.pool.hosts.each().take(2) {
        let EjectJudgement { verdict, findings, .. } = judge_eject(&side, member, rules, &POLICY);
        weighed(verdict, &findings);
    }
}

fn side(snapshot: Snapshot) -> Side {
    Side { target: "-".to_owned(), snapshot, assumed: Vec::new(), notes: Vec::new() }
}

/// The verdict is that of the findings, and what the server refuses is never let in.
fn honest(judgement: &Judgement) {
    weighed(judgement.verdict, &judgement.findings);
    let refused = judgement.server.as_ref().is_some_and(|server| server.first.is_some());
    assert!(!(refused && lets_in(judgement.verdict)), "GO where the server refuses: {:?}", judgement.server);
}

/// A blocker that fails or lacks a fact lets nobody in.
fn weighed(verdict: Verdict, findings: &[Finding]) {
    assert_eq!(verdict, Verdict::over(findings));
    let stops = |finding: &&Finding| {
        finding.severity == Severity::Blocker && matches!(finding.outcome, Outcome::Fail | Outcome::Unknown)
    };
    let stopped = findings.iter().find(stops);
    assert_eq!(lets_in(verdict), stopped.is_none(), "{verdict:?} with {:?}", stopped.map(|finding| &finding.rule));
}

const fn lets_in(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Go | Verdict::GoWithWarnings)
}

/// What a blocker refuses does not come in because less is known.
fn no_better(before: &[Finding], after: &[Finding], verdict: Verdict) {
    let failed = before.iter().find(|finding| {
        let blocks = finding.severity == Severity::Blocker && finding.outcome == Outcome::Fail;
        blocks && !STAND_INS.contains(&finding.rule.as_str())
    });
    if let Some(failed) = failed
        && lets_in(verdict)
    {
        let now = after.iter().find(|finding| finding.rule == failed.rule).map(|finding| finding.outcome);
        panic!("{verdict:?} without a fact: {} was {} and is {now:?}", failed.rule, failed.message);
    }
}

/// The snapshot without one of the fields that may be unknown; which one, its bytes say.
fn without_a_fact(bytes: &[u8]) -> Option<Snapshot> {
    let mut json: Json = serde_json::from_slice(bytes).ok()?;
    let turn = bytes.iter().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    let mut count = 0;
    fields(Pool::TYPE, json.get_mut("pool")?, &mut |_, _| count += 1);
    let (chosen, mut at) = (turn.checked_rem(count)?, 0);
    fields(Pool::TYPE, json.get_mut("pool")?, &mut |object, name| {
        if at == chosen {
            object.remove(name);
        }
        at += 1;
    });
    read_snapshot(json.to_string().as_bytes()).ok().map(|(snapshot, _)| snapshot)
}

/// Visits the known fields of the model in a document, the inner ones first. An entry of a map is no such field: a map
/// without a key says that there is none.
fn fields(ty: Type, json: &mut Json, visit: &mut impl FnMut(&mut serde_json::Map<String, Json>, &str)) {
    match (ty, json) {
        (Type::Object(def), Json::Object(object)) if !object.contains_key("$unknown") => {
            for field in def.fields {
                let Some(value) = object.get_mut(field.name) else { continue };
                if value.get("$unknown").is_some() {
                    continue;
                }
                fields(field.ty, value, visit);
                if field.knowable {
                    visit(object, field.name);
                }
            }
        }
        (Type::List(of), Json::Array(list)) => list.iter_mut().for_each(|json| fields(*of, json, visit)),
        (Type::Nullable(of), json) => fields(*of, json, visit),
        _ => {}
    }
}
