//! The rooms of the library know only those that the table names: data flows one way, and nothing reads back.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room with those that it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("facts", &[]),
    ("page", &["text"]),
    ("snapshot", &["facts", "text"]),
    ("cpu", &["facts", "snapshot", "text"]),
    ("network", &["facts", "snapshot", "text"]),
    ("eject", &["cpu", "facts", "snapshot", "text"]),
    ("collect", &["cpu", "facts", "snapshot", "text"]),
    ("rules", &["cpu", "eject", "facts", "network", "snapshot", "text"]),
    ("diff", &["facts", "snapshot", "text"]),
    ("plan", &["cpu", "facts", "page", "rules", "snapshot", "text"]),
    ("fleet", &["collect", "cpu", "facts", "rules", "snapshot", "text"]),
    ("report", &["cpu", "eject", "facts", "fleet", "network", "page", "rules", "snapshot", "text"]),
    ("gate", &["cpu", "eject", "facts", "network", "rules", "snapshot", "text"]),
    // Written apart from the rules, which it is compared with.
    ("lab", &["collect", "facts", "snapshot"]),
];

fn sources(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_dir() || path.extension().is_some_and(|it| it == "rs"))
        .flat_map(|it| sources(&it))
        .collect()
}

/// The rooms that a text names: `crate::room`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn no_room_reads_back() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (room, known) in ROOMS {
        let folder = src.join(room);
        let path = if folder.is_dir() { folder } else { src.join(format!("{room}.rs")) };
        for file in sources(&path) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains("crate::{"), "{}: name the room: `use crate::room::…`", file.display());
            for other in named(&text).filter(|other| *other != *room && !known.contains(other)) {
                wrong.push(format!("{}: crate::{other}", file.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The table names every room but the command line, those before a room first.
#[test]
fn the_table_is_whole_and_in_order() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let all: BTreeSet<_> = fs::read_dir(src).unwrap().map(|entry| stem(entry.unwrap().path())).collect();
    let told: BTreeSet<_> =
        ROOMS.iter().map(|(room, _)| *room).chain(["cli", "lib", "main"]).map(str::to_owned).collect();
    assert_eq!(all, told);
    for (at, (room, known)) in ROOMS.iter().enumerate() {
        let before: Vec<_> = ROOMS[..at].iter().map(|(room, _)| *room).collect();
        assert!(known.iter().all(|other| before.contains(other)), "{room} knows one that comes after it");
    }
}
