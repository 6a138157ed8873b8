//! What becomes a snapshot: documents of every form, folders and fleets of them.

use std::fs;
use std::io;
use std::sync::OnceLock;

use poolgate::collect::{Blocks, Collected, Found, Piece, Target, read_block, read_cpus, read_fleet, read_target};
use poolgate::diff::{Side as DiffSide, diff};
use poolgate::plan::PlanHost;
use poolgate::rules::{
    EjectJudgement, Judgement, Phase, Policy, Registry, Side, Verdict, example_sides, judge_eject, judge_sequence,
};
use poolgate::snapshot::{Snapshot, read_snapshot};

use super::told;

/// Any document, its form told by its content.
pub(crate) fn any(bytes: &[u8]) {
    match read_target(&Target::Stdin, &mut &*bytes) {
        Ok(collected) => sound(&collected),
        Err(error) => told(&error.to_string()),
    }
}

/// The same behind what makes it a document of one form, so that no effort goes into guessing that.
fn begun(begin: &[u8], bytes: &[u8]) {
    any(&[begin, bytes].concat());
}

pub(crate) fn archive(bytes: &[u8]) {
    match bytes.split_first() {
        Some((0, rest)) => begun(b"\x1f\x8b\x08", rest),
        Some((1, rest)) => begun(b"PK\x03\x04", rest),
        _ => any(bytes),
    }
}

pub(crate) fn database(bytes: &[u8]) {
    begun(b"<database>", bytes);
}

/// Any text that is no JSON and no XML.
pub(crate) fn dump(bytes: &[u8]) {
    any(bytes);
}

pub(crate) fn records(bytes: &[u8]) {
    any(bytes);
}

pub(crate) fn xml_answer(bytes: &[u8]) {
    begun(b"<methodResponse>", bytes);
}

/// A folder with up to four files, parted by zeros: two answers, what is off the wire, and a stranger.
pub(crate) fn folder(bytes: &[u8]) {
    const NAMES: [&str; 4] =
        ["host.get_all_records.json", "pool.get_all_records.xml", "off_wire.json", "VM.get_all_records.txt"];
    let Ok(folder) = tempfile::tempdir() else { return };
    for (name, content) in NAMES.iter().zip(bytes.split(|byte| *byte == 0)) {
        if fs::write(folder.path().join(name), content).is_err() {
            return;
        }
    }
    match read_target(&Target::File(folder.path().to_owned()), &mut io::empty()) {
        Ok(collected) => sound(&collected),
        Err(error) => told(&error.to_string()),
    }
}

/// A fleet as `plan` reads it: as many pieces as lines, and each of them sound.
pub(crate) fn fleet(bytes: &[u8]) {
    let mut last = 0;
    let read = read_fleet(&Target::Stdin, &mut &*bytes, |piece| match piece {
        Piece::One(collected) => sound(&collected),
        Piece::Line(number, read) => {
            assert!(number > last, "line {number} after {last}");
            last = number;
            match read {
                Ok(collected) => sound(&collected),
                Err(error) => told(&error.to_string()),
            }
        }
    });
    if let Err(error) = read {
        told(&error.to_string());
    }
}

/// A fleet as `check --fleet` and `cpu level` read it: every line once and in order, in its pool or as unreadable.
pub(crate) fn fleet_pools(bytes: &[u8]) {
    let written = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
    let mut blocks = Blocks::new("fleet".to_owned(), bytes, 1, false);
    let mut lines = Vec::new();
    loop {
        let block = match blocks.take_next() {
            Ok(Some(block)) => block,
            Ok(None) => break,
            Err(error) => return told(&error.to_string()),
        };
        read_cpus("fleet", &block, false, |_, _| true);
        read_block("fleet", &block, |found| match found {
            Found::Pool(pool) => {
                for host in pool.first.iter().chain(&pool.others) {
                    lines.push(host.line);
                    sound(&host.collected);
                }
            }
            Found::Unreadable(line, error) => {
                lines.push(line);
                told(&error.to_string());
            }
        });
    }
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), written, "lines {lines:?}");
}

pub(crate) fn snapshot(bytes: &[u8]) {
    match read_snapshot(bytes) {
        Ok((snapshot, _)) => same_again(&snapshot),
        Err(error) => told(&error.to_string()),
    }
}

/// What was read is written and read again without a change, and can be planned and compared.
fn sound(collected: &Collected) {
    same_again(&collected.snapshot);
    for host in collected.snapshot.pool.hosts.each() {
        // A host that cannot be planned says why.
        if let Err(out) = PlanHost::read(&collected.snapshot.pool, host, "-") {
            told(&out.reason);
        }
    }
    let side = || DiffSide::of_snapshot("-", &collected.snapshot);
    match diff(&side(), &side(), true) {
        Ok(found) => assert!(found.differences.is_empty(), "a snapshot differs from itself"),
        Err(error) => panic!("{error}"),
    }
}

fn same_again(snapshot: &Snapshot) {
    let json = snapshot.to_json();
    match read_snapshot(json.as_bytes()) {
        Ok((again, strangers)) => {
            assert!(strangers.is_empty(), "keys of its own that it does not know: {strangers:?}");
            assert!(again == *snapshot, "another snapshot when it was written and read: {json}");
        }
        Err(error) => panic!("a snapshot that cannot be read again: {error}: {json}"),
    }
}

/// Everything that is derived and judged of a snapshot: as a joiner, as a pool, and a member of it that leaves.
pub(crate) fn judged(bytes: &[u8]) {
    static RULES: OnceLock<(Registry, Side, Side)> = OnceLock::new();
    let Ok((snapshot, _)) = read_snapshot(bytes) else { return };
    let (rules, pool, joiner) = RULES.get_or_init(|| {
        let rules = Registry::load(&[]).unwrap_or_else(|errors| panic!("{errors:?}"));
        let (pool, joiner) = example_sides().unwrap_or_else(|error| panic!("{error}"));
        (rules, pool, joiner)
    });
    let policy = Policy { max_hosts: 16, as_release: None };
    let side = Side { target: "-".to_owned(), snapshot, assumed: Vec::new(), notes: Vec::new() };
    for (pool, joiner) in [(pool, &side), (&side, joiner), (&side, &side)] {
        for phase in [Phase::Join, Phase::Procurement] {
            let judgements = judge_sequence(pool, std::slice::from_ref(joiner), rules, phase, &policy);
            judgements.iter().for_each(honest);
        }
    }
    for member in side.snapshot.pool.hosts.each().take(2) {
        let EjectJudgement { verdict, findings, .. } = judge_eject(&side, member, rules, &policy);
        assert_eq!(verdict, Verdict::over(&findings));
    }
}

/// The verdict is that of the findings, and what the server refuses is never let in.
fn honest(judgement: &Judgement) {
    assert_eq!(judgement.verdict, Verdict::over(&judgement.findings));
    let refused = judgement.server.as_ref().is_some_and(|server| server.first.is_some());
    let lets_in = matches!(judgement.verdict, Verdict::Go | Verdict::GoWithWarnings);
    assert!(!(refused && lets_in), "GO where the server refuses: {:?}", judgement.server);
}
