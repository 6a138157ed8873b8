//! The fuzz targets on the stable toolchain: every seed of `fuzz/corpus`, and seeds spoilt at random, the same in every
//! run. `POOLGATE_FUZZ` asks for more of them a target.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "differential/random.rs"]
#[expect(dead_code, reason = "shared with the differential test")]
mod random;
#[path = "../fuzz/src/lib.rs"]
#[expect(clippy::panic, unreachable_pub, reason = "a crate of its own, whose targets fail by panics")]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use random::Random;
use targets::{TARGETS, Target};

/// Longer inputs than this say little that shorter ones do not, and take long.
const LONGEST: usize = 8 << 10;

/// What parsers have trouble with, to be put anywhere.
const TOKENS: [&[u8]; 40] = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"\xf0\x9f\xa6\x80",
    b"\"",
    b"'",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b"<",
    b">",
    b"&#0;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"\r\n",
    b"\n\n",
    b"-1",
    b"99999999999999999999",
    b"9223372036854775807",
    b"1e999",
    b"0x",
    b"null",
    b"true",
    b"\"$unknown\"",
    b"OpaqueRef:NULL",
    b"OpaqueRef:",
    b"-ffffffff",
    b"%00",
    b"::",
    b"&&",
    b"exists(x, ",
    b"[[waiver]]",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// A target's seeds: its corpus, and what the tree has for it.
fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let mut paths = files(&root().join("fuzz/corpus").join(target.name));
    for (folder, ending) in target.seeds {
        let found = files(&root().join(folder)).into_iter();
        paths.extend(found.filter(|path| path.to_str().is_some_and(|path| path.ends_with(ending))));
    }
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A seed with some things done to it.
fn spoilt(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.pick(seeds).clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + 1 + random.below(16)).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece.repeat(1 + random.below(20)));
            }
            5 => {
                // The end of another seed.
                let other = random.pick(seeds);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
            _ => drop(bytes.splice(at..at, random.pick(&TOKENS).iter().copied())),
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

/// Runs a target, and says what it was given where it fails.
fn run(target: &Target, bytes: &[u8]) {
    let begun = Instant::now();
    let done = catch_unwind(AssertUnwindSafe(|| targets::run(target.name, bytes)));
    let shown = || bytes.escape_ascii().to_string();
    assert!(done.is_ok(), "{}: failed with \"{}\"", target.name, shown());
    assert!(begun.elapsed() < Duration::from_secs(30), "{}: too slow with \"{}\"", target.name, shown());
}

#[test]
fn every_target_survives_its_seeds_and_what_is_made_of_them() {
    let times: u64 = std::env::var("POOLGATE_FUZZ").ok().and_then(|word| word.parse().ok()).unwrap_or(1_000);
    let next = AtomicUsize::new(0);
    let ran = Mutex::new(BTreeSet::new());
    let work = || {
        while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
            let seeds = seeds(target);
            assert!(!seeds.is_empty(), "{}: no seeds", target.name);
            seeds.iter().for_each(|seed| run(target, seed));
            let mut random = Random::new(target.name.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte)));
            for _ in 0..times {
                run(target, &spoilt(&seeds, &mut random));
            }
            ran.lock().unwrap().insert(target.name);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..std::thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    assert_eq!(ran.into_inner().unwrap().len(), TARGETS.len());
}

#[test]
fn a_target_is_a_line_a_file_a_bin_and_a_folder() {
    let table: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(table.len(), TARGETS.len(), "a name twice");
    let fuzz = root().join("fuzz");
    let manifest: toml::Table = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap().parse().unwrap();
    let bins = manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap().to_owned());
    assert_eq!(bins.collect::<BTreeSet<_>>(), table);
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    assert_eq!(files(&fuzz.join("fuzz_targets")).iter().map(stem).collect::<BTreeSet<_>>(), table);
    for name in &table {
        let text = fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(text.contains(&format!("run(\"{name}\", bytes)")), "{name}: {text}");
    }
    let folders = fs::read_dir(fuzz.join("corpus")).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    assert_eq!(folders.iter().map(stem).collect::<BTreeSet<_>>(), table);
    let size: u64 =
        folders.iter().flat_map(|folder| files(folder)).map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(size < 1 << 20, "{size} bytes of seeds: minimise them (fuzz/README.md)");
}
