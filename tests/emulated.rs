//! `collect local` on CPUs of many makes and generations: the real, static binary under QEMU's user-mode emulator,
//! where the CPUID instruction answers as the chosen model. `.ci/emulated` installs, builds and runs it.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "helpers of tests fail and speak as tests do"
)]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use poolgate::facts::{Featureset, Known};
use poolgate::snapshot::{Host, read_snapshot};

/// The static binary; `None` skips the test. Once it is named, a missing emulator is a failure.
fn binary() -> Option<PathBuf> {
    let path = std::env::var_os("POOLGATE_STATIC").map(PathBuf::from);
    if path.is_none() {
        eprintln!("skipped: POOLGATE_STATIC names no static binary; run .ci/emulated");
    }
    path
}

/// The host that the binary sees when it runs on this CPU model.
fn collect(binary: &PathBuf, model: &str) -> Host {
    let text = snapshot(binary, model);
    let (snapshot, strangers) = read_snapshot(&text).unwrap_or_else(|error| panic!("{model}: {error}"));
    assert!(strangers.is_empty(), "{model}: {strangers:?}");
    let Known::Yes(mut hosts) = snapshot.pool.hosts else { panic!("{model}: no hosts") };
    assert_eq!(hosts.len(), 1, "{model}");
    hosts.remove(0)
}

/// What the binary writes when it runs on this CPU model.
fn snapshot(binary: &PathBuf, model: &str) -> Vec<u8> {
    // What the emulator cannot execute is still announced, and nothing announces the emulator.
    let cpu = format!("{model},x-force-features=on,hypervisor=off,tcg-cpuid=off");
    let mut command = Command::new("qemu-x86_64");
    command.args(["-cpu", &cpu]).arg(binary).args(["collect", "local", "--format", "json"]);
    let output = command.output().expect("qemu-x86_64 is on the PATH (package qemu-user)");
    assert!(output.status.success(), "{model}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What must hold on every model, and the words.
fn words(model: &str, host: &Host) -> Featureset {
    const ARCH_CAPS: usize = 9 * 32 + 29;
    let cpu = host.cpu.get().unwrap_or_else(|| panic!("{model}: no CPU"));
    let hypervisor = host.hypervisor.get().unwrap_or_else(|| panic!("{model}: no hypervisor facts"));
    assert_eq!(hypervisor.role.text(), Some("bare-metal"), "{model}");
    assert_eq!(hypervisor.filtered.get(), Some(&false), "{model}");
    if let Known::Yes(groups) = &cpu.groups {
        assert_eq!(groups.len(), 1, "{model}: all emulated CPUs are alike");
    }
    let words = cpu.raw.get().unwrap_or_else(|| panic!("{model}: no words"));
    let unknown: &[i64] = if words.has(ARCH_CAPS) { &[16, 17] } else { &[] };
    assert_eq!(cpu.raw_unknown_words.get().map(Vec::as_slice), Some(unknown), "{model}");
    words.clone()
}

/// (vendor, family, model, stepping)
type Identity = (String, i64, i64, i64);

fn identity(model: &str, host: &Host) -> Identity {
    let cpu = host.cpu.get();
    let found = cpu.and_then(|cpu| {
        let number = |known: &Known<i64>| known.get().copied();
        Some((cpu.vendor.text()?.to_owned(), number(&cpu.family)?, number(&cpu.model)?, number(&cpu.stepping)?))
    });
    found.unwrap_or_else(|| panic!("{model}: identity is unknown: {cpu:?}"))
}

const fn bit(word: usize, bit: usize) -> usize {
    word * 32 + bit
}
const SSE3: usize = bit(1, 0);
const SSE4_2: usize = bit(1, 20);
const AESNI: usize = bit(1, 25);
const AVX: usize = bit(1, 28);
const SSE4A: usize = bit(3, 6);
const XOP: usize = bit(3, 11);
const FMA4: usize = bit(3, 16);
const SMEP: usize = bit(5, 7);
const AVX2: usize = bit(5, 5);
const RTM: usize = bit(5, 11);
const AVX512F: usize = bit(5, 16);
const AVX512ER: usize = bit(5, 27);
const SHA: usize = bit(5, 29);
const PKU: usize = bit(6, 3);
const AVX512_VNNI: usize = bit(6, 11);
const CLZERO: usize = bit(8, 0);
const IBRSB: usize = bit(9, 26);
const ARCH_CAPS: usize = bit(9, 29);
const AVX512_BF16: usize = bit(10, 5);

/// Model, vendor, (family, model, stepping), some features that it has, some that it lacks.
type Expected = (&'static str, &'static str, (i64, i64, i64), &'static [usize], &'static [usize]);

const EXPECTED: [Expected; 16] = [
    ("Conroe", "GenuineIntel", (6, 15, 3), &[SSE3], &[SSE4_2]),
    ("Nehalem", "GenuineIntel", (6, 26, 3), &[SSE4_2], &[AESNI]),
    ("Westmere-IBRS", "GenuineIntel", (6, 44, 1), &[AESNI, IBRSB], &[AVX]),
    ("SandyBridge", "GenuineIntel", (6, 42, 1), &[AVX], &[SMEP, IBRSB]),
    ("IvyBridge", "GenuineIntel", (6, 58, 9), &[SMEP], &[AVX2]),
    ("Haswell", "GenuineIntel", (6, 60, 4), &[AVX2, RTM], &[AVX512F]),
    ("Haswell-noTSX", "GenuineIntel", (6, 60, 1), &[AVX2], &[RTM]),
    ("Skylake-Server", "GenuineIntel", (6, 85, 4), &[AVX512F, PKU], &[AVX512_VNNI]),
    ("Cooperlake", "GenuineIntel", (6, 85, 10), &[AVX512_BF16, ARCH_CAPS], &[SHA]),
    ("Icelake-Server-v4", "GenuineIntel", (6, 106, 0), &[AVX512_VNNI, SHA], &[RTM]),
    ("KnightsMill", "GenuineIntel", (6, 133, 0), &[AVX512ER], &[PKU]),
    ("Denverton", "GenuineIntel", (6, 95, 1), &[SHA], &[AVX]),
    ("Opteron_G3", "AuthenticAMD", (16, 2, 3), &[SSE4A], &[AVX]),
    ("Opteron_G4", "AuthenticAMD", (21, 1, 2), &[XOP, FMA4], &[AVX2]),
    ("EPYC-Milan", "AuthenticAMD", (25, 1, 1), &[CLZERO, PKU], &[XOP, AVX512F]),
    ("Dhyana", "HygonGenuine", (24, 0, 1), &[AVX2, SSE4A], &[FMA4]),
];

#[test]
fn identity_and_telling_features_of_each_generation() {
    let Some(binary) = binary() else { return };
    for (model, vendor, (family, number, stepping), has, lacks) in EXPECTED {
        let host = collect(&binary, model);
        assert_eq!(identity(model, &host), (vendor.to_owned(), family, number, stepping), "{model}");
        let words = words(model, &host);
        let missing: Vec<_> = has.iter().filter(|feature| !words.has(**feature)).collect();
        let extra: Vec<_> = lacks.iter().filter(|feature| words.has(**feature)).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{model}: missing {missing:?}, too many {extra:?}: {words}");
    }
}

#[test]
fn every_known_model_to_the_last_bit() {
    let Some(binary) = binary() else { return };
    let Some(shared) = common::shared() else {
        eprintln!("skipped: no reference data beside the checkout");
        return;
    };
    let text = std::fs::read(shared.join("data/qemu-user-models.json")).unwrap();
    let models: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    let (start, mut checked) = (Instant::now(), 0);
    for entry in &models {
        let model = entry["cpu"].as_str().unwrap();
        let forced = &entry["forced"];
        // 32-bit models cannot run the binary.
        let Some(expected) = forced["words"].as_str() else { continue };
        let host = collect(&binary, model);
        let number = |field: &str| forced[field].as_i64().unwrap();
        let vendor = forced["vendor"].as_str().unwrap().to_owned();
        let who = (vendor, number("family"), number("model"), number("stepping"));
        assert_eq!(identity(model, &host), who, "{model}");
        assert_eq!(words(model, &host).to_string(), expected, "{model}");
        assert_eq!(host.cpu.get().and_then(|cpu| cpu.model_name.text()), forced["brand"].as_str(), "{model}");
        checked += 1;
    }
    eprintln!("{checked} models in {:.1} s", start.elapsed().as_secs_f64());
    assert!(checked >= 30, "only {checked} models have figures");
}

/// Features that Xen offers to all guests wherever the CPU has them, by name; the models have no VT-x, so no HVM.
const OFFERED: [(usize, &str); 7] = [
    (SSE4_2, "sse4-2"),
    (AESNI, "aesni"),
    (SSE4A, "sse4a"),
    (AVX, "avx"),
    (AVX2, "avx2"),
    (AVX512F, "avx512f"),
    (SHA, "sha"),
];

/// Real CPUID instructions through the whole path: every model of the table against every other, as pool and joiner.
#[test]
fn a_check_between_every_pair() {
    let Some(binary) = binary() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = |model: &str| folder.path().join(format!("{model}.json"));
    let mut machines = Vec::new();
    for (model, vendor, ..) in EXPECTED {
        std::fs::write(path(model), snapshot(&binary, model)).expect("written");
        machines.push((model, vendor, words(model, &collect(&binary, model))));
    }
    for (pool, pool_vendor, pool_words) in &machines {
        for (joiner, joiner_vendor, joiner_words) in &machines {
            let mut command = Command::new(&binary);
            command.args(["check", "--format", "json", "--as-release", "xcp-ng-8.3", "--pool"]).arg(path(pool));
            let output = command.arg("--host").arg(path(joiner)).output().expect("runs");
            let pair = format!("{joiner} into {pool}");
            let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
                panic!("{pair}: {error}: {}", String::from_utf8_lossy(&output.stderr));
            });
            let judged = &report["joiners"][0];
            assert!(judged["server"].is_null(), "{pair}: there is no server to predict");
            let findings = judged["findings"].as_array().expect("findings");
            let vendor_fails =
                findings.iter().any(|finding| finding["rule"] == "cpu-vendor" && finding["outcome"] == "fail");
            assert_eq!(vendor_fails, pool_vendor != joiner_vendor, "{pair}");
            // Bare machines lack facts that blockers need: never GO.
            let (verdict, status) = if vendor_fails { ("NO-GO", 1) } else { ("UNDECIDED", 3) };
            assert_eq!((&report["verdict"], output.status.code()), (&verdict.into(), Some(status)), "{pair}");
            let lost: Vec<_> = judged["cpu"]["lost_by_pool"]
                .as_array()
                .unwrap_or_else(|| panic!("{pair}: what is lost is not known: {}", judged["cpu"]))
                .iter()
                .filter_map(|feature| feature["name"].as_str())
                .collect();
            for (feature, name) in OFFERED {
                let loses = pool_words.has(feature) && !joiner_words.has(feature);
                assert_eq!(lost.contains(&name), loses, "{pair}: {name} among {lost:?}");
            }
        }
    }
}
