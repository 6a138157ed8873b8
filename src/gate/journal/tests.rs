use std::fs;
use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::gate::plan::Predicted;

fn events() -> Vec<Event> {
    let host = Named { name: "node-03 „ü“".to_owned(), uuid: "h".to_owned(), ..Named::default() };
    vec![
        Event::Begun {
            act: Act::Join,
            tool: "poolgate 0".to_owned(),
            process: 1,
            machine: "desk".to_owned(),
            pool: Named { name: "production".to_owned(), uuid: "p".to_owned(), ..Named::default() },
            hosts: vec![host.clone()],
            plan: "aa".repeat(32),
            rules: "bb".repeat(32),
        },
        Event::Confirmed { by: "typed".to_owned() },
        Event::Compared { host: host.clone(), pool: "cc".repeat(32), joiner: "dd".repeat(32), changes: vec![] },
        Event::Sending {
            host,
            method: "pool.join".to_owned(),
            server: "192.0.2.13".to_owned(),
            params: [("master_address".to_owned(), "192.0.2.11".to_owned())].into(),
            predicted: Box::new(Predicted::default()),
        },
        Event::Answered { host: "h".to_owned(), sent: Sent::Lost { why: "reset\n\"quoted\"".to_owned() } },
        Event::Ended { host: "h".to_owned(), outcome: Outcome::Done, about: vec![] },
        Event::Closed { exit: 0 },
    ]
}

/// A journal of one run, one with a crash in it, as bytes.
fn journal(crash: Option<usize>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/journal.jsonl");
    let mut journal = Journal::open(&path).unwrap();
    for event in events() {
        journal.write(event).unwrap();
    }
    drop(journal);
    if let Some(bytes) = crash {
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - bytes]).unwrap();
        Journal::open(&path).unwrap().write(Event::Closed { exit: 5 }).unwrap();
    }
    fs::read(&path).unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    let reading = read(&journal(None));
    let read: Vec<_> = reading.entries.into_iter().map(|entry| entry.event).collect();
    assert_eq!(read, events());
    assert_eq!((reading.fault, reading.torn, reading.recovered), (None, None, 0));
    assert_eq!(reading.head.len(), 64);
}

#[test]
fn every_flipped_bit_is_found() {
    for bytes in [journal(None), journal(Some(40))] {
        for at in 0..bytes.len() {
            for bit in [at % 8, (at + 3) % 8] {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << bit;
                assert!(read(&bad).fault.is_some(), "byte {at}, bit {bit}: {:?}", read(&bad));
            }
        }
    }
}

#[test]
fn every_prefix_is_a_crash_and_no_tampering() {
    for bytes in [journal(None), journal(Some(40))] {
        for end in 0..=bytes.len() {
            let reading = read(&bytes[..end]);
            assert_eq!(reading.fault, None, "cut at {end}: {:?}", String::from_utf8_lossy(&bytes[..end]));
        }
    }
}

#[test]
fn after_a_crash_at_any_byte_the_journal_goes_on_and_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let bytes = journal(Some(40));
    // Each cut is four waits for the disk: a prime step meets every place in a line, and the first line whole.
    for end in (0..=bytes.len()).filter(|end| end % 13 == 0 || *end > bytes.len() - 90) {
        fs::write(&path, &bytes[..end]).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        journal.write(Event::Closed { exit: 0 }).unwrap();
        let head = journal.head().to_owned();
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let reading = read(&whole);
        assert!(whole.starts_with(&bytes[..end]), "nothing that was there is lost");
        assert_eq!((reading.fault, reading.torn), (None, None), "cut at {end}");
        assert_eq!(reading.head, head);
    }
}

#[test]
fn lines_dropped_doubled_or_moved_are_found() {
    for bytes in [journal(None), journal(Some(40))] {
        let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let fault = |lines: &[&[u8]]| read(&lines.concat()).fault;
        for at in 0..lines.len() {
            let mut doubled = lines.clone();
            doubled.insert(at, lines[at]);
            assert!(fault(&doubled).is_some(), "line {at} twice");
            // Without its last line a journal is one that a crash cut short: the hash that a run prints tells.
            if at + 1 < lines.len() {
                let mut dropped = lines.clone();
                dropped.remove(at);
                assert!(fault(&dropped).is_some(), "without line {at}");
                let mut moved = lines.clone();
                moved.swap(at, at + 1);
                assert!(fault(&moved).is_some(), "lines {at} and the next exchanged");
            }
        }
    }
}

#[test]
fn a_journal_is_one_process_s_and_its_owner_s() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/journal.jsonl");
    let journal = Journal::open(&path).unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::Busy { .. })));
    drop(journal);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_changed_journal_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let text = String::from_utf8(journal(None)).unwrap().replace("\"typed\"", "\"plan\"");
    fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(error.contains("line 2: its hash is not that of its content"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn several_edits_are_found(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 2..6)) {
        let bytes = journal(None);
        let mut bad = bytes.clone();
        for (at, byte) in edits {
            let at = at.index(bad.len());
            bad[at] = byte;
        }
        prop_assert_eq!(read(&bad).fault.is_some(), bad != bytes);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }
}
