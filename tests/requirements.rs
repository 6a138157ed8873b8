//! `docs/requirements.md`: every row is there, everything that a row names exists, and what the report says in a row's
//! words it really says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::judge::{GOOD, PAIRS, fixture_json, judge, rules, side};
use common::run::check;
use poolgate::facts::{Fact, Type};
use poolgate::rules::{Case, Outcome, Verdict};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A row of the tables.
struct Row {
    id: String,
    /// What it names: the kind and the name.
    names: Vec<(String, String)>,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(Path::new(ROOT).join("docs/requirements.md")).unwrap();
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{line}");
        if cells[0] == "row" {
            continue;
        }
        let names = cells[2..].iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(|name| {
            let (kind, name) = name.split_once(':').unwrap_or_else(|| panic!("{}: `{name}` has no kind", cells[0]));
            (kind.to_owned(), name.to_owned())
        });
        rows.push(Row { id: cells[0].to_owned(), names: names.collect() });
    }
    rows
}

#[test]
fn every_row_is_there_once_and_answered() {
    let rows = rows();
    let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "a row is there twice");
    let of_page: Vec<_> = ids.iter().copied().filter(|id| id.starts_with('D')).collect();
    assert_eq!(of_page, (1..=25).map(|number| format!("D{number}")).collect::<Vec<_>>());
    for number in 1..=6 {
        let id = format!("B{number}");
        assert!(ids.iter().any(|it| *it == id || it.starts_with(&format!("{id}-"))), "{id} is missing");
    }
    for row in &rows {
        let has = |kind: &str| row.names.iter().any(|(it, _)| it == kind);
        let answered = has("rule") || has("fact") || has("report");
        assert!(answered, "{}: nothing answers it", row.id);
        assert!(!answered || has("test"), "{}: no test shows it", row.id);
    }
}

#[test]
fn everything_that_a_row_names_exists() {
    let root = Path::new(ROOT);
    let mut wrong = Vec::new();
    for row in rows() {
        for (kind, name) in &row.names {
            let exists = match kind.as_str() {
                "rule" => is_rule(name),
                "fact" => is_fact(name),
                "report" => is_printed(name),
                "test" => name.split_once("::").is_some_and(|(file, test)| {
                    let text = fs::read_to_string(root.join(format!("tests/{file}.rs"))).unwrap_or_default();
                    text.contains(&format!("#[test]\nfn {test}()"))
                }),
                _ => false,
            };
            if !exists {
                wrong.push(format!("{}: `{kind}:{name}`", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn is_rule(id: &str) -> bool {
    ["join", "eject", "procurement"]
        .iter()
        .any(|phase| Path::new(ROOT).join(format!("rules/{phase}/{id}.toml")).is_file())
}

/// Whether a path of facts can be read by rules.
fn is_fact(path: &str) -> bool {
    let mut steps = path.split('.');
    let first = steps.next().unwrap_or_default();
    let Type::Object(case) = <Case<'static> as Fact>::TYPE else { return false };
    let mut at = case.field(first).map(|(_, field)| field.ty);
    for step in steps {
        at = at.and_then(|ty| fields(ty, step));
    }
    at.is_some()
}

fn fields(ty: Type, step: &str) -> Option<Type> {
    match ty {
        Type::Object(def) => def.field(step).map(|(_, field)| field.ty),
        Type::List(of) | Type::Nullable(of) => fields(*of, step),
        _ => None,
    }
}

/// Whether some report that a test keeps says so.
fn is_printed(words: &str) -> bool {
    let folder = fs::read_dir(Path::new(ROOT).join("tests/snapshots")).unwrap();
    folder.map(|entry| entry.unwrap().path()).any(|path| fs::read_to_string(path).unwrap().contains(words))
}

#[test]
fn what_does_not_exist_is_found_out() {
    assert!(is_rule("cpu-vendor") && !is_rule("cpu-vendors"));
    assert!(is_fact("pool.hosts.cpu.vendor") && is_fact("silent.shared_srs.admit"));
    assert!(!is_fact("pool.hosts.cpu.vendors") && !is_fact("pools"));
    assert!(is_printed("The server's answer") && !is_printed("The server's silence"));
}

#[test]
fn a_go_says_how_to_join_and_what_follows() {
    let done = check("xcp-ng-8.3-5-hosts", &["candidate-good"]).status(0);
    for words in [
        "Storage that must admit the joiner",
        "NFS VM store (nfs at 198.51.100.200:/export/nfs-vm): address 192.0.2.51 (eth0)",
        "initiator\n    iqn.2026-05.com.example:xcp-good",
        "xe pool-join master-address=192.0.2.11 master-username=root",
        "root's password on the joiner is the pool's from then on",
    ] {
        assert!(done.stdout.contains(words), "{words}\n{done}");
    }
}

#[test]
fn a_clean_pair_has_nothing_to_say() {
    let rules = rules();
    for (pool, joiner) in GOOD {
        assert!(PAIRS.contains(&(pool, joiner)), "{joiner} is among all pairs too");
        let judgement = judge(&side(pool, &fixture_json(pool)), &side(joiner, &fixture_json(joiner)), &rules);
        assert_eq!(judgement.verdict, Verdict::Go, "{joiner}");
        let said: Vec<_> = judgement
            .findings
            .iter()
            .filter(|finding| matches!(finding.outcome, Outcome::Fail | Outcome::Unknown))
            .map(|finding| format!("{}: {}", finding.rule, finding.message))
            .collect();
        assert_eq!(said, Vec::<String>::new(), "{joiner}");
    }
}

/// The note on force repeats the conditions of the rules behind the check that force skips; it must say the same.
#[test]
fn force_is_told_apart_wherever_it_would_skip() {
    let rules = rules();
    let mut skipped = 0;
    for (pool, joiner) in PAIRS {
        let judgement = judge(&side(pool, &fixture_json(pool)), &side(joiner, &fixture_json(joiner)), &rules);
        let Some(server) = &judgement.server else { continue };
        let refuses = server.failing.iter().any(|check| check.check == "assert_hosts_homogeneous");
        let note = judgement.findings.iter().find(|finding| finding.rule == "force-removes-nothing").unwrap();
        if note.outcome != Outcome::Unknown {
            assert_eq!(note.outcome == Outcome::Fail, refuses, "{joiner}: {}", note.message);
            skipped += usize::from(refuses);
        }
    }
    assert!(skipped > 1, "only {skipped} pairs are refused by the check");
}
