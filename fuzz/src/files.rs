//! Files that people and poolgate write: rules and what is in them, waivers, severities, quotes, weights, plans, journals
//! and reports.

use std::sync::OnceLock;

use poolgate::collect::quote_from;
use poolgate::diff::{Side, diff};
use poolgate::facts::{Fact, Type, Value};
use poolgate::gate::digest::sha256;
use poolgate::gate::journal::read as read_journal;
use poolgate::gate::left_open;
use poolgate::gate::plan::{Plan, PlanError, read_plan, to_markdown, to_table};
use poolgate::plan::Weights;
use poolgate::rules::expr::{Meter, Scope, Template, infer, render};
use poolgate::rules::{Phase, Registry, RuleSource, SeveritySource, Waivers, example_sides, run_examples};
use poolgate::snapshot::Pool;

use super::told;

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A rule is read, and its examples are run.
pub(crate) fn rule(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    for phase in [Phase::Join, Phase::Eject] {
        let source = RuleSource { path: "own.toml".to_owned(), stem: "own".to_owned(), phase, text: text.to_owned() };
        match Registry::read_one(&source) {
            Ok(rule) => run_examples(&rule).iter().for_each(|error| told(&error.to_string())),
            Err(errors) => errors.iter().for_each(|error| told(&error.to_string())),
        }
    }
}

/// The pools that expressions speak of here.
fn pools() -> &'static (Pool, Pool) {
    static POOLS: OnceLock<(Pool, Pool)> = OnceLock::new();
    POOLS.get_or_init(|| {
        let (pool, joiner) = example_sides().unwrap_or_else(|error| panic!("{error}"));
        (pool.snapshot.pool, joiner.snapshot.pool)
    })
}

fn scope() -> Scope {
    Scope::new([("pool", Pool::TYPE), ("joiner", Pool::TYPE), ("n", Type::Int)])
}

/// An expression is checked, and has a value over known and unknown facts.
pub(crate) fn expression(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let (pool, joiner) = pools();
    match infer(text, &scope()) {
        Ok(expression) => {
            let _ = expression.facts();
            let nothing = Pool::default();
            for joiner in [joiner, &nothing] {
                let variables = [pool.value(), joiner.value(), Value::Int(7)];
                let plain = expression.eval(&variables, &mut Meter::default());
                let traced = expression.trace(&variables, &mut Meter::default()).value;
                assert_eq!(format!("{plain:?}"), format!("{traced:?}"), "{text}");
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason: {text}");
            told(&render("own.toml", text, 0, &errors));
        }
    }
}

/// A message with holes.
pub(crate) fn template(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let (pool, joiner) = pools();
    match Template::compile(text, &scope()) {
        Ok(template) => {
            let _ = template.facts();
            let variables = [pool.value(), joiner.value(), Value::Int(7)];
            let _ = template.render(&variables, &mut Meter::default());
            let _ = template.render_lossy(&variables, &mut Meter::default());
        }
        Err(errors) => told(&render("own.toml", text, 0, &errors)),
    }
}

pub(crate) fn severity(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let source = SeveritySource { path: "severity.toml".to_owned(), text: text.to_owned() };
    // The built-in rules are read each time: a registry takes its severities once.
    let rules = Registry::load_for(Phase::Eject, &[]).unwrap_or_else(|errors| panic!("{errors:?}"));
    if let Err(errors) = rules.with_severities(&[source]) {
        errors.iter().for_each(|error| told(&error.to_string()));
    }
}

pub(crate) fn waivers(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let rules =
        ["software-homogeneous", "host-limit-policy", "cpu-pool-keeps-features", "cpu-vendor", "tried-hardware"];
    match Waivers::load("waivers.toml", text, &rules) {
        Ok(waivers) => waivers.list.iter().for_each(|waiver| {
            assert!(!waiver.owner.trim().is_empty() && !waiver.reason.trim().is_empty(), "{waiver:?}");
        }),
        Err(errors) => errors.iter().for_each(|error| told(&error.to_string())),
    }
}

pub(crate) fn quote(bytes: &[u8]) {
    match quote_from("offer.toml", bytes) {
        Ok(quote) => assert!((1..=1000).contains(&quote.servers.len()), "{} servers", quote.servers.len()),
        Err(error) => told(&error.to_string()),
    }
}

pub(crate) fn weights(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    match Weights::with(text) {
        Ok(weights) => assert!(weights.groups().all(|(_, weight)| (0..=1000).contains(&weight))),
        Err(error) => told(&error.to_string()),
    }
}

/// A journal's lines are told apart from what is none, whatever was changed; and one that holds ends with its head.
/// Nearly all lines fail by their hash, so the bytes are also taken for what lines tell, and signed here.
pub(crate) fn journal(bytes: &[u8]) {
    journal_of(bytes);
    let (mut signed, mut prev) = (Vec::new(), "0".repeat(64));
    for (place, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let mut body = format!("{{\"seq\":{},\"prev\":\"{prev}\",\"at\":\"", place + 1).into_bytes();
        body.extend_from_slice(line);
        prev = sha256(&body);
        signed.extend_from_slice(&body);
        signed.extend_from_slice(format!(",\"hash\":\"{prev}\"}}\n").as_bytes());
    }
    journal_of(&signed);
}

fn journal_of(bytes: &[u8]) {
    let reading = read_journal(bytes);
    assert_eq!(reading.entries.is_empty(), reading.head.is_empty());
    for (place, entry) in reading.entries.iter().enumerate() {
        assert_eq!(entry.seq, place as u64 + 1);
    }
    let _ = left_open(&reading.entries);
    if let Some(fault) = &reading.fault {
        told(&fault.what);
    } else {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        let torn = usize::from(reading.torn.is_some());
        assert!(reading.entries.len() + torn <= lines, "more lines than there are");
        assert!(bytes.is_empty() || reading.entries.len() + torn > 0, "lines that nobody accounts for");
    }
}

/// A plan is only read as it was written; one whose digest is right is read, shown and written the same.
pub(crate) fn plan_file(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Err(error) = read_plan(text) {
        told(&error.to_string());
    }
    let Ok(mut plan) = serde_json::from_str::<Plan>(text) else { return };
    plan.digest = plan.compute_digest().unwrap_or_else(|error| panic!("{error}"));
    let again = plan.to_json().unwrap_or_else(|error| panic!("{error}"));
    match read_plan(&again) {
        Ok(same) => {
            assert_eq!(same, plan);
            let _ = (to_table(&same, 80), to_markdown(&same));
        }
        Err(PlanError::Format { .. } | PlanError::Version { .. }) => {}
        Err(error) => panic!("a plan that cannot be read again: {error}"),
    }
}

/// A report that is compared with itself and with what is left of it.
pub(crate) fn report(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let side = || Side::of_report("-", &json);
    match (side(), side()) {
        (Ok(old), Ok(new)) => match diff(&old, &new, true) {
            Ok(found) => {
                assert!(found.differences.is_empty(), "a report differs from itself: {json}");
                let _ = found.to_table(80);
            }
            Err(error) => told(&error.to_string()),
        },
        (Err(error), _) | (_, Err(error)) => told(&error.to_string()),
    }
}
