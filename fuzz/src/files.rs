//! Files that people and poolgate write: rules and what is in them, waivers, severities, quotes, weights, plans, journals
//! and reports.

use std::sync::OnceLock;

use poolgate::collect::quote_from;
use poolgate::diff::{Side, diff};
use poolgate::facts::{Fact, Type, Value};
use poolgate::fleet::{FleetReport, LineCounts, Part, merge};
use poolgate::gate::digest::sha256;
use poolgate::gate::journal::read as read_journal;
use poolgate::gate::left_open;
use poolgate::gate::plan::{Plan, PlanError, read_plan, to_markdown, to_table};
use poolgate::plan::Weights;
use poolgate::report::{TableOptions, fleet_to_table};
use poolgate::rules::expr::{Meter, Scope, Template, infer, render};
use poolgate::rules::{
    Phase, Registry, RuleSource, Severity, SeveritySource, Verdict, Waivers, example_sides, run_examples,
};
use poolgate::snapshot::Pool;

use super::snapshots::sound;
use super::{quiet, told, told_of};

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
            Err(errors) => {
                assert!(!errors.is_empty(), "refused without a reason: {text}");
                errors.iter().for_each(|error| told_of("own.toml", &error.to_string()));
            }
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

/// An expression is checked, and has a value over known and unknown facts. What it says of a host of which nothing is
/// known, it says of every host: a missing fact is never a pass, nor anything else.
pub(crate) fn expression(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let (pool, joiner) = pools();
    match infer(text, &scope()) {
        Ok(expression) => {
            let _ = expression.facts();
            let nothing = Pool::default();
            let [known, unknown] = [joiner, &nothing].map(|joiner| {
                let variables = [pool.value(), joiner.value(), Value::Int(7)];
                let mut meter = Meter::default();
                let plain = expression.eval(&variables, &mut meter);
                let traced = expression.trace(&variables, &mut Meter::default()).value;
                assert_eq!(format!("{plain:?}"), format!("{traced:?}"), "{text}");
                // A record is one whatever is known of it.
                let says = !matches!(plain, Value::Unknown(_) | Value::Object(_) | Value::List(_) | Value::Made(_));
                (format!("{plain:?}"), says, meter.exhausted())
            });
            if unknown.1 && !known.2 {
                assert_eq!(known.0, unknown.0, "known although nothing is: {text}");
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason: {text}");
            told(&render("own.toml", text, 0, &errors));
        }
    }
}

/// A message with holes. Filled in, it is the same whichever way it is filled; what is not known is said to be.
pub(crate) fn template(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let (pool, joiner) = pools();
    match Template::compile(text, &scope()) {
        Ok(template) => {
            let _ = template.facts();
            let variables = [pool.value(), joiner.value(), Value::Int(7)];
            let lossy = template.render_lossy(&variables, &mut Meter::default());
            match template.render(&variables, &mut Meter::default()) {
                Ok(filled) => assert_eq!(filled, lossy, "{text}"),
                Err(unknown) => assert!(lossy.contains("(unknown: "), "{text}: {unknown}"),
            }
        }
        Err(errors) => told(&render("own.toml", text, 0, &errors)),
    }
}

pub(crate) fn severity(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let source = SeveritySource { path: "severity.toml".to_owned(), text: text.to_owned() };
    // The built-in rules are read each time: a registry takes its severities once.
    let rules = Registry::load_for(Phase::Eject, &[]).unwrap_or_else(|errors| panic!("{errors:?}"));
    match rules.with_severities(&[source]) {
        // What the server refuses anyway stays a blocker, whatever a file says.
        Ok(rules) => {
            let weak = rules.all().find(|rule| rule.server.is_some() && rule.severity != Severity::Blocker);
            assert!(weak.is_none(), "{text}: {:?}", weak.map(|rule| &rule.id));
        }
        Err(errors) => errors.iter().for_each(|error| told_of("severity.toml", &error.to_string())),
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
        Err(errors) => errors.iter().for_each(|error| told_of("waivers.toml", &error.to_string())),
    }
}

/// The servers of a quote are as many as it says, and what it does not say of them is unknown.
pub(crate) fn quote(bytes: &[u8]) {
    match quote_from("offer.toml", bytes) {
        Ok(quote) => {
            assert!((1..=1000).contains(&quote.servers.len()), "{} servers", quote.servers.len());
            sound(&quote.servers[0]);
            for server in &quote.servers {
                let [host] = server.snapshot.pool.hosts.get().map_or(&[][..], Vec::as_slice) else {
                    panic!("a server of a quote is no single host");
                };
                assert!(host.software_version.get().is_none(), "software of a server that nobody has installed");
            }
        }
        Err(error) => told_of("offer.toml", &error.to_string()),
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
            quiet(&to_table(&same, 80));
            quiet(&to_markdown(&same));
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
                quiet(&found.to_table(80));
            }
            Err(error) => told(&error.to_string()),
        },
        (Err(error), _) | (_, Err(error)) => told(&error.to_string()),
    }
}

/// Reports on parts of a fleet, one a line, as `merge` reads them. The whole is as good as its worst part and no better,
/// and counts what its parts do.
pub(crate) fn parts(bytes: &[u8]) {
    let mut counts = LineCounts::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Err(why) = counts.add(line) {
            told(&why);
        }
    }
    let read: Result<Vec<FleetReport>, _> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(serde_json::from_slice::<FleetReport>)
        .collect();
    let Ok(reports) = read else { return };
    let part = |(place, report): (usize, &FleetReport)| Part {
        file: format!("{place}.json"),
        report: report.clone(),
        lines: None,
    };
    match merge(reports.iter().enumerate().map(part).collect()) {
        Ok((whole, order)) => {
            let worst = reports.iter().filter_map(|report| report.verdict).reduce(Verdict::and);
            assert_eq!(whole.verdict, worst, "another verdict than that of the parts");
            let lines: u128 = reports.iter().map(|report| u128::from(report.read.lines)).sum();
            assert_eq!((u128::from(whole.read.lines), order.len()), (lines, reports.len()));
            let json = serde_json::to_string(&whole).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(serde_json::from_str::<FleetReport>(&json).ok(), Some(whole.clone()));
            quiet(&fleet_to_table(&whole, TableOptions { width: 80, color: false, all: false, quiet: false }));
        }
        Err(error) => told(&error.to_string()),
    }
}
