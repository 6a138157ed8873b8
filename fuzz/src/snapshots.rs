//! What becomes a snapshot: documents of every form, folders and fleets of them.

use std::fs;
use std::io;
use std::sync::OnceLock;

use poolgate::collect::{Blocks, Collected, Found, Piece, Target, read_block, read_cpus, read_fleet, read_target};
use poolgate::diff::{Side as DiffSide, diff};
use poolgate::fleet::{FleetJudge, Wanted};
use poolgate::plan::PlanHost;
use poolgate::report::{TableOptions, fleet_to_table};
use poolgate::rules::{Phase, Policy, Registry, Verdict};
use poolgate::snapshot::{Snapshot, read_snapshot};

use super::{quiet, told, told_of};

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

/// A fleet as `plan` reads it: as many pieces as lines, in their order, and each of them sound.
pub(crate) fn fleet(bytes: &[u8]) {
    let (mut last, mut lines, mut whole) = (0, 0, false);
    let read = read_fleet(&Target::Stdin, &mut &*bytes, |piece| match piece {
        Piece::One(collected) => {
            whole = true;
            sound(&collected);
        }
        Piece::Line(number, read) => {
            assert!(number > last, "line {number} after {last}");
            (last, lines) = (number, lines + 1);
            match read {
                Ok(collected) => sound(&collected),
                Err(error) => told_of(&format!(":{number}"), &error.to_string()),
            }
        }
    });
    match read {
        Ok(()) => assert!(whole && lines == 0 || !whole && lines == written(bytes), "{lines} lines"),
        Err(error) => told(&error.to_string()),
    }
}

/// How many lines hold something.
fn written(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count()
}

/// A fleet as `check --fleet` and `cpu level` read it: every line once and in order, in its pool or as unreadable.
pub(crate) fn fleet_pools(bytes: &[u8]) {
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
    fleet_judged(bytes);
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), written(bytes), "lines {lines:?}");
}

/// The same judged: a row for every line, and no GO for a fleet of which something cannot be read.
fn fleet_judged(bytes: &[u8]) {
    static RULES: OnceLock<Registry> = OnceLock::new();
    let rules =
        RULES.get_or_init(|| Registry::load_for(Phase::Join, &[]).unwrap_or_else(|errors| panic!("{errors:?}")));
    let policy = Policy { max_hosts: 16, as_release: None };
    let judge = FleetJudge::new("fleet".to_owned(), rules, policy, None, Wanted { worst: 3, rows: true });
    let (mut worker, mut rows) = (judge.worker(), String::new());
    let mut blocks = Blocks::new("fleet".to_owned(), bytes, 1, false);
    while let Ok(Some(block)) = blocks.take_next() {
        rows.push_str(&worker.judge(&block));
    }
    let report = worker.finish().report("fleet".to_owned(), judge.policy());
    assert_eq!(rows.lines().count(), written(bytes), "{rows}");
    assert_eq!(report.read.lines + report.read.unreadable, written(bytes) as u64);
    let gaps = report.read.unreadable + report.read.not_judged + report.joiners.no_go + report.joiners.undecided;
    let lets_in = matches!(report.verdict, Some(Verdict::Go | Verdict::GoWithWarnings));
    assert!(!(lets_in && gaps > 0), "{:?} of {:?} and {:?}", report.verdict, report.read, report.joiners);
    quiet(&fleet_to_table(&report, TableOptions { width: 80, color: false, all: true, quiet: false }));
}

pub(crate) fn snapshot(bytes: &[u8]) {
    match read_snapshot(bytes) {
        Ok((snapshot, _)) => same_again(&snapshot),
        Err(error) => told(&error.to_string()),
    }
}

/// What was read is written and read again without a change, and can be planned and compared.
pub(crate) fn sound(collected: &Collected) {
    same_again(&collected.snapshot);
    collected.notes.iter().for_each(|note| told(note));
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
