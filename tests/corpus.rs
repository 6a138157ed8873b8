//! The corpus of real dumps beside the checkout: who each CPU is and its words, as recorded; and what damage does.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use poolgate::collect::{CollectError, Target, read_target};
use poolgate::cpu::matrix::{Decoded, Labelled, decode};
use poolgate::facts::Featureset;
use poolgate::snapshot::HostCpu;
use serde_json::Value;

fn corpus() -> Option<(PathBuf, Vec<Value>)> {
    let folder = common::shared()?.join("data/corpus");
    let index = serde_json::from_slice(&fs::read(folder.join("index.json")).ok()?).unwrap();
    Some((folder, index))
}

fn cpu(path: &Path) -> Result<HostCpu, CollectError> {
    let collected = read_target(&Target::File(path.to_owned()), &mut std::io::empty())?;
    let host = collected.snapshot.pool.hosts.each().next().unwrap();
    Ok(host.cpu.get().unwrap().clone())
}

fn decoded(cpu: &HostCpu) -> Decoded {
    decode(&Labelled { name: "x".to_owned(), cpu, runs_hvm: None })
}

fn squeezed(text: &Value) -> Option<String> {
    // One brand holds a control character, which is shown as a sign that it is there.
    let visible = text.as_str()?.replace('\u{7f}', "?");
    Some(visible.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn every_dump_is_read_as_recorded() {
    let Some((folder, index)) = corpus() else { return };
    assert_eq!(index.len(), 182);
    let mut wrong = Vec::new();
    let mut formats = BTreeMap::new();
    for entry in &index {
        let path = entry["path"].as_str().unwrap();
        *formats.entry(path.split('/').next().unwrap().to_owned()).or_insert(0) += 1;
        let cpu = match cpu(&folder.join(path)) {
            Ok(cpu) => cpu,
            Err(error) if entry["format"].is_null() => {
                let text = error.to_string();
                assert!(
                    matches!(error, CollectError::Unrecognised { .. }) && text.contains("holds no CPUID"),
                    "{text}"
                );
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        assert!(!entry["format"].is_null(), "{path} holds no CPUID");
        let found = decoded(&cpu);
        let mut same = |what: &str, found: &Value, expected: &Value| {
            if found != expected {
                wrong.push(format!("{path}: {what} is {found}, expected {expected}"));
            }
        };
        let has = |key: &str| entry.get(key).is_some();
        if has("vendor") {
            same("vendor", &found.vendor.clone().into(), &entry["vendor"]);
            same("family", &found.family.into(), &entry["family"]);
            same("model", &found.model.into(), &entry["model"]);
            same("stepping", &found.stepping.into(), &entry["stepping"]);
        }
        if has("brand") {
            same("brand", &found.brand.clone().into(), &squeezed(&entry["brand"]).into());
        }
        if has("words") {
            same("words", &found.words.join("-").into(), &entry["words"]);
        }
        if has("unknown") {
            same("unknown words", &found.unknown_words.clone().into(), &entry["unknown"]);
            same("words differ", &cpu_sets(&cpu).into(), &entry["distinct_featuresets"]);
            same("what all CPUs have", &common_words(&cpu).into(), &entry["all_cpu_intersection"]);
        }
        if has("flags") {
            same("flags", &found.flags.join(" ").into(), &entry["flags"]);
            assert!(found.words.is_empty(), "{path}: flags are no words");
        }
        for set in ["features_pv", "features_hvm", "features_hvm_host", "features_pv_host"] {
            if has(set) {
                same(set, &found.sets.get(set).map(|set| set.value.clone()).into(), &entry[set]);
            }
        }
        if has("features") {
            same("features", &cpu.features.get().map(ToString::to_string).into(), &entry["features"]);
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(formats.len(), 8, "{formats:?}");
}

/// How many different sets the CPUs of a dump have; of one CPU one.
fn cpu_sets(cpu: &HostCpu) -> usize {
    let mut sets: Vec<String> = cpu.groups.each().map(|group| group.raw.get().unwrap().to_string()).collect();
    sets.sort();
    sets.dedup();
    sets.len().max(1)
}

fn common_words(cpu: &HostCpu) -> String {
    let first = cpu.raw.get().unwrap().clone();
    let all =
        cpu.groups.each().fold(first, |all, group| all.intersect(group.raw.get().unwrap_or(&Featureset::default())));
    all.to_string()
}

/// Reads damaged bytes: any answer will do, and no CPU may have more than the whole file's.
fn reads(bytes: &[u8]) -> Option<HostCpu> {
    let collected = read_target(&Target::Stdin, &mut &*bytes).ok()?;
    collected.snapshot.pool.hosts.each().next().and_then(|host| host.cpu.get().cloned())
}

#[test]
fn a_dump_that_breaks_off_knows_less_and_nothing_else() {
    let Some((folder, index)) = corpus() else { return };
    for entry in &index {
        let path = entry["path"].as_str().unwrap();
        let bytes = fs::read(folder.join(path)).unwrap();
        let whole = reads(&bytes);
        // Every kilobyte where the first CPUs stand; of the rest, which is more of the same, some eight, unless all are
        // asked for (a minute and more).
        let start = bytes.len().min(12 << 10);
        let every = std::env::var_os("POOLGATE_EVERY_KILOBYTE").is_some();
        let step = if every { 1024 } else { ((bytes.len() - start) / 8 / 1024).max(1) * 1024 };
        for end in (0..start).step_by(1024).chain((start..bytes.len()).step_by(step)) {
            let (Some(part), Some(whole)) = (reads(&bytes[..end]), whole.as_ref()) else { continue };
            let (Some(part_words), Some(words)) = (part.raw.get(), whole.raw.get()) else { continue };
            let unread: Vec<_> = part.raw_unknown_words.each().copied().collect();
            for (index, (part, whole)) in part_words.words().iter().zip(words.words()).enumerate() {
                let known = !unread.contains(&i64::try_from(index).unwrap());
                assert!(!known || part == whole, "{path} up to {end}: word {index} is {part:08x}, not {whole:08x}");
            }
            let groups = |cpu: &HostCpu| cpu.groups.get().map(Vec::len);
            assert!(groups(&part) <= groups(whole).max(Some(1)), "{path} up to {end}: cores differ that do not");
        }
    }
}

#[test]
fn flipped_bytes_do_no_harm() {
    let Some((folder, index)) = corpus() else { return };
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap()
    };
    for entry in &index {
        let mut bytes = fs::read(folder.join(entry["path"].as_str().unwrap())).unwrap();
        // The first CPU and the headings; the rest is more of the same.
        bytes.truncate(24 << 10);
        for _ in 0..12 {
            let mut damaged = bytes.clone();
            for _ in 0..1 + random() % 40 {
                let at = random() % damaged.len();
                damaged[at] ^= 1 << (random() % 8);
            }
            reads(&damaged);
        }
    }
}
