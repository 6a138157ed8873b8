//! Parts of a fleet: together they are the whole, byte for byte; what does not belong together is refused by name.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::run::{Done, poolgate};
use crate::made::{Random, of_fixtures, of_records};

/// A fleet with pools of all sizes, lines that cannot be read, and blank ones.
fn uneven(random: &mut Random, pools: usize) -> String {
    let mut lines = of_records(random, pools, true);
    lines.extend(of_fixtures(random, false));
    lines.extend(of_records(random, pools, false));
    let mut text = String::new();
    for line in lines {
        if random.chance(4) {
            text.push_str("{\"host\": broken\n");
        }
        if random.chance(4) {
            text.push('\n');
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn statuses(status: &i32) -> bool {
    (0..=3).contains(status)
}

fn check(fleet: &Path, words: &[&str]) -> Done {
    poolgate(["check", "--fleet", fleet.to_str().unwrap()]).with(words).any_status(statuses)
}

/// The reports of all parts, in files of their own.
fn parts(folder: &Path, fleet: &Path, of: u32, format: &str) -> Vec<PathBuf> {
    let part = |index: u32| {
        let file = folder.join(format!("{index}-of-{of}.{format}"));
        let shard = format!("{index}/{of}");
        check(fleet, &["--shard", &shard, "-o", file.to_str().unwrap()]);
        file
    };
    (1..=of).map(part).collect()
}

fn merge(parts: &[PathBuf], words: &[&str]) -> Done {
    let files = parts.iter().map(|part| part.to_str().unwrap());
    poolgate(std::iter::once("merge").chain(files)).with(words).any_status(statuses)
}

#[test]
fn parts_merge_to_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = folder.path().join("fleet.ndjson");
    for (seed, pools) in [(1, 9), (2, 2)] {
        let mut random = Random::new(seed);
        fs::write(&fleet, uneven(&mut random, pools)).unwrap();
        let formats = ["table", "json", "markdown", "junit", "github", "ndjson"];
        let whole: Vec<_> = formats.iter().map(|format| check(&fleet, &["--format", format])).collect();
        for of in [1, 2, 3, 7, 60] {
            let mut parts = parts(folder.path(), &fleet, of, "ndjson");
            // The order in which they are named does not matter.
            parts.reverse();
            for (format, whole) in formats.iter().zip(&whole) {
                let merged = merge(&parts, &["--format", format]);
                assert_eq!(merged.stdout, whole.stdout, "{of} parts as {format}");
                assert_eq!((merged.status, &merged.stderr), (whole.status, &whole.stderr), "{of} parts as {format}");
            }
        }
        // JSON is enough for all but lines of hosts.
        let parts = parts(folder.path(), &fleet, 3, "json");
        assert_eq!(merge(&parts, &["--format", "json"]).stdout, whole[1].stdout);
        let refused = merge(&parts, &["--format", "ndjson"]);
        assert_eq!(refused.status, 2);
        assert!(refused.complaint().contains("let each part write ndjson"));
    }
}

#[test]
fn threads_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = folder.path().join("fleet.ndjson");
    let mut text = String::new();
    for seed in 0..4 {
        text.push_str(&uneven(&mut Random::new(seed), 8));
    }
    assert!(text.len() > 2 << 20, "several blocks");
    fs::write(&fleet, &text).unwrap();
    for format in ["ndjson"] {
        let one = check(&fleet, &["--format", format, "--threads", "1"]);
        for threads in ["2", "5"] {
            let several = check(&fleet, &["--format", format, "--threads", threads]);
            assert_eq!((one.status, &one.stdout), (several.status, &several.stdout), "{threads} threads, {format}");
        }
        let piped = poolgate(["check", "--fleet", "-", "--format", format]).stdin(text.clone()).any_status(statuses);
        let name = fleet.to_str().unwrap();
        assert_eq!(piped.stdout, one.stdout.replace(&format!("{name}:"), "-:").replace(name, "-"));
    }
}

/// A fleet in a folder of its own, and the reports on its parts.
fn parted(of: u32, format: &str) -> (tempfile::TempDir, PathBuf, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let fleet = folder.path().join("fleet.ndjson");
    fs::write(&fleet, uneven(&mut Random::new(3), 5)).unwrap();
    let parts = parts(folder.path(), &fleet, of, format);
    (folder, fleet, parts)
}

#[test]
fn a_part_that_lost_lines_of_hosts_is_refused() {
    let (_folder, _, parts) = parted(2, "ndjson");
    let whole = fs::read_to_string(&parts[0]).unwrap();
    let joiner = whole.lines().position(|line| line.starts_with(r#"{"type":"joiner""#)).unwrap();
    let refused = |text: String, why: &str| {
        fs::write(&parts[0], text).unwrap();
        let said = merge(&parts, &["--format", "ndjson"]).complaint();
        assert!(said.contains(why), "no word of {why}: {said}");
    };
    let without = |at: usize| whole.lines().enumerate().filter(move |(line, _)| *line != at).map(|(_, line)| line);
    refused(without(joiner).collect::<Vec<_>>().join("\n"), "its summary counts");
    refused(whole.replacen(r#""verdict":"NO-GO""#, r#""verdict":"GO""#, 1), "its summary counts");
    refused(format!("{{\"type\":\"odd\"}}\n{whole}"), "line 1 was not written by poolgate");
    fs::write(&parts[0], &whole).unwrap();
    assert!(merge(&parts, &["--format", "ndjson"]).stdout.ends_with("}\n"));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (folder, fleet, parts) = parted(3, "json");
    let refused = |parts: &[PathBuf], why: &str| {
        let done = merge(parts, &[]);
        assert_eq!(done.status, 2, "{done}");
        let said = done.complaint();
        assert!(said.contains(why), "no word of {why}: {said}");
    };
    refused(&parts[..2], "missing part 3/3");
    refused(std::slice::from_ref(&parts[1]), "missing parts 1/3, 3/3");
    refused(&[parts[0].clone(), parts[1].clone(), parts[2].clone(), parts[1].clone()], "part 2/3 is there twice");
    let whole = folder.path().join("whole.json");
    check(&fleet, &["-o", whole.to_str().unwrap()]);
    refused(&[parts[0].clone(), whole], "the report on a whole fleet");
    // Of another number of parts, another limit, another fleet.
    let of_four = folder.path().join("of-four.json");
    check(&fleet, &["--shard", "3/4", "-o", of_four.to_str().unwrap()]);
    refused(&[parts[0].clone(), parts[1].clone(), of_four], "the number of parts differs (4, there 3)");
    let of_64 = folder.path().join("of-64.json");
    check(&fleet, &["--shard", "3/3", "--max-hosts", "64", "-o", of_64.to_str().unwrap()]);
    refused(&[parts[0].clone(), parts[1].clone(), of_64], "what was asked differs (max hosts 64");
    let other = folder.path().join("other.ndjson");
    fs::write(&other, uneven(&mut Random::new(4), 5)).unwrap();
    let foreign = folder.path().join("foreign.json");
    check(&other, &["--shard", "3/3", "-o", foreign.to_str().unwrap()]);
    refused(&[parts[0].clone(), parts[1].clone(), foreign], "the fleet's name differs");
    // A fleet that was changed between two runs.
    let text = fs::read_to_string(&fleet).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    fs::write(&fleet, format!("{first}\n{}", rest.replacen("\"enabled\":true", "\"enabled\":null", 9))).unwrap();
    let changed = folder.path().join("changed.json");
    check(&fleet, &["--shard", "3/3", "-o", changed.to_str().unwrap()]);
    refused(&[parts[0].clone(), parts[1].clone(), changed], "differs");
    // What is no part at all.
    let noise = folder.path().join("noise.json");
    fs::write(&noise, "{\"type\":\"joiner\"}\n").unwrap();
    refused(std::slice::from_ref(&noise), "expected the JSON or NDJSON report");
    fs::write(&noise, "no").unwrap();
    refused(&[noise], "expected the JSON or NDJSON report");
}

#[test]
fn shards_are_named_well_or_refused() {
    for (shard, stdin) in
        [("0/3", false), ("4/3", false), ("1", false), ("a/b", false), ("-1/2", false), ("1/2", true)]
    {
        let fleet = if stdin { "-" } else { "fixtures/fleet-19-hosts.ndjson" };
        poolgate(["check", "--fleet", fleet, "--shard", shard]).status(2).complaint();
    }
}
