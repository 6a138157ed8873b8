//! `rules/data/cpu-catalogue.toml` comes from here: the server CPUs of the reference data beside the checkout, without
//! engineering samples and what was seen through a hypervisor. `cargo test --test catalogue` compares them;
//! `POOLGATE_WRITE_CATALOGUE=1 cargo test --test catalogue` writes the file.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod common;

use std::fmt::Write as _;
use std::fs;

use poolgate::cpu::catalogue::{common as in_common, entries, generation_of_sku, gone_since};
use poolgate::cpu::names;
use serde_json::Value;

use common::run::poolgate;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/data/cpu-catalogue.toml");

const HEAD: &str = "\
# Server CPUs: identity and feature words (the layout of features.toml) as CPUID dumps of real machines hold them.
# Written by tests/catalogue.rs. Words are as captured, OSXSAVE and OSPKE cleared; Intel's SYSCALL, which dumpers outside 64-bit mode do not see, follows LM.
# Zero words at the end are left out; `unknown` lists words that the dump did not hold. One name has several entries
# where stepping, microcode or firmware differed. Engineering samples and dumps taken under a hypervisor are left out.
# `source`: the collection of dumps, and the dump in it.
";

/// The file as the reference data gives it.
fn written() -> Option<String> {
    let data = fs::read(common::shared()?.join("data/cpu-catalog.json")).ok()?;
    let list: Vec<Value> = serde_json::from_slice(&data).unwrap();
    let left_out =
        |cpu: &Value| cpu["hypervisor"] == true || cpu["engineering_sample"] == true || cpu["server_class"] != true;
    let mut cpus: Vec<_> = list.iter().filter(|cpu| !left_out(cpu)).map(row).collect();
    cpus.sort();
    cpus.dedup();
    let mut text = HEAD.to_owned();
    for (vendor, [family, model, stepping], brand, words, unknown, source) in cpus {
        let _ = write!(
            text,
            "\n[[cpu]]\nbrand = {brand:?}\nvendor = {vendor:?}\nfamily = {family}\nmodel = {model}\nstepping = {stepping}\nwords = {words:?}\n"
        );
        if !unknown.is_empty() {
            let _ = writeln!(text, "unknown = {unknown:?}");
        }
        let _ = writeln!(text, "source = {source:?}");
    }
    Some(text)
}

type Row = (String, [i64; 3], String, String, Vec<i64>, String);

fn row(cpu: &Value) -> Row {
    let text = |key: &str| cpu[key].as_str().unwrap().to_owned();
    let number = |key: &str| cpu[key].as_i64().unwrap();
    let mut words: Vec<u32> = text("words").split('-').map(|word| u32::from_str_radix(word, 16).unwrap()).collect();
    if text("vendor") == "GenuineIntel" && words[2] >> 29 & 1 == 1 {
        words[2] |= 1 << 11;
    }
    while words.last() == Some(&0) {
        words.pop();
    }
    let words: Vec<_> = words.iter().map(|word| format!("{word:08x}")).collect();
    let unknown = cpu["unknown"].as_array().unwrap().iter().map(|word| word.as_i64().unwrap()).collect();
    let brand = text("brand").split_whitespace().collect::<Vec<_>>().join(" ");
    // The collection and the file's name; folders say nothing.
    let source = cpu["sources"][0].as_str().unwrap();
    let (collection, path) = source.split_once(':').unwrap();
    let collection = if collection == "instlat" { "InstLatx64" } else { collection };
    let source = format!("{collection}: {}", path.rsplit('/').next().unwrap());
    (text("vendor"), [number("family"), number("model"), number("stepping")], brand, words.join("-"), unknown, source)
}

#[test]
fn the_catalogue_is_what_the_reference_data_holds() {
    let Some(written) = written() else { return };
    if std::env::var_os("POOLGATE_WRITE_CATALOGUE").is_some() {
        fs::write(FILE, &written).unwrap();
    }
    assert!(fs::read_to_string(FILE).unwrap() == written, "POOLGATE_WRITE_CATALOGUE=1 cargo test --test catalogue");
}

#[test]
fn entries_are_sound() {
    assert!(entries().len() > 100);
    for entry in entries() {
        let words = entry.words();
        assert_eq!(words.words().len(), 19, "{}", entry.brand);
        assert!(
            words.has(0) && !words.has(32 + 27) && !words.has(32 + 31),
            "{}: no FPU, OSXSAVE, or a guest",
            entry.brand
        );
        assert!(!entry.source.is_empty() && !entry.source.contains('/'), "{}", entry.source);
    }
}

#[test]
fn several_records_of_one_name_give_what_all_have() {
    let of = |brand: &str| in_common(entries().iter().filter(|entry| entry.brand.contains(brand))).unwrap();
    let found = of("E5-2699 v3");
    assert!(!found.differing.has_none(), "the two differ");
    assert!(
        found
            .words
            .diff(&entries().iter().find(|entry| entry.brand.contains("E5-2699 v3")).unwrap().words())
            .has_none()
    );
}

#[test]
fn features_go_away_with_generations() {
    let generation =
        |brand: &str| entries().iter().find(|entry| entry.brand.contains(brand)).unwrap().generation().unwrap();
    let since = |feature: &str, brand: &str| {
        gone_since(names::find(feature).unwrap(), generation(brand)).map(|found| found.name)
    };
    assert_eq!(since("mpx", "Gold 6330"), Some("Ice Lake-SP"));
    assert_eq!(since("mpx", "8570"), Some("Ice Lake-SP"));
    assert_eq!(since("fma4", "EPYC 7713"), Some("Naples (Zen)"));
    assert_eq!(since("avx512f", "E5-2620 v4"), None, "it was not there before either");
    assert_eq!(since("avx2", "Gold 6330"), None);
}

#[test]
fn search_and_targets() {
    let found = poolgate(["cpu", "search", "gold 63"]).status(0).quietly();
    insta::assert_snapshot!(found, @r#"
    Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz   6/106/6   Ice Lake-SP
    Intel(R) Xeon(R) Gold 6336Y CPU @ 2.40GHz  6/106/6   Ice Lake-SP

    2 CPUs; family/model/stepping. As a target: cpu:"NAME"
    "#);
    let near = poolgate(["cpu", "search", "xeon", "gold", "6338"]).status(2);
    insta::assert_snapshot!(near.stdout, @r"
    No listed CPU has all these words.
    The number is one of Ice Lake-SP; as a target it gives what those have in common.
    The nearest:

    Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz   6/106/6   Ice Lake-SP
    Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz   6/85/4    Skylake-SP, 2 records
    Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz   6/85/4    Skylake-SP
    Intel(R) Xeon(R) Gold 6336Y CPU @ 2.40GHz  6/106/6   Ice Lake-SP
    Intel(R) Xeon(R) Gold 5218 CPU @ 2.30GHz   6/85/6    Cascade Lake-SP
    ");
    let json = poolgate(["cpu", "search", "EPYC 7763", "--format", "json"]).status(0).json();
    assert_eq!(json["cpus"][0]["variants"].as_array().map(Vec::len), Some(2));
    let wrong = |name: &str| poolgate(["cpu", "decode", name]).status(2).complaint();
    insta::assert_snapshot!([wrong("cpu:gold 63"), wrong("cpu:Xeon Gold 6348H"), wrong("cpu:toaster")].concat(), @r#"
    poolgate: cpu: "gold 63" is not one CPU: 2 have that in their names ("Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz", "Intel(R) Xeon(R) Gold 6336Y CPU @ 2.40GHz"); write the whole model number; `poolgate cpu search WORDS` lists what there is
    poolgate: cpu: "Xeon Gold 6348H" is of the generation Cooper Lake, of which no CPU is listed, so that its features are not known; give a CPUID dump of such a machine instead (docs/offline.md); `poolgate cpu search WORDS` lists what there is
    poolgate: cpu: no CPU "toaster" is listed, and its model number tells no generation; the nearest are "Hygon C86 3185 8-core Processor", "Hygon C86 3188 8-core Processor", "Hygon C86 3250 8-core Processor", "Hygon C86 3350 8-core Processor", "Hygon C86 7185 32-core Processor"; `poolgate cpu search WORDS` lists what there is
    "#);
    let done = poolgate(["cpu", "decode", "cpu:\"Xeon Gold 6338N\"", "--format", "json"]).status(0);
    assert!(
        done.stderr.contains("is not listed; taken for what Ice Lake-SP have in common, of which 3 are"),
        "{done}"
    );
    let decoded = done.json();
    assert_eq!(decoded["hosts"][0]["unknown_words"].to_string(), "[16,17]");
}

#[test]
fn every_line_of_the_file_is_an_entry() {
    let text = fs::read_to_string(FILE).unwrap();
    assert_eq!(entries().len(), text.matches("[[cpu]]").count());
    let table: toml::Table = fs::read_to_string(FILE.replace("catalogue", "generations")).unwrap().parse().unwrap();
    for generation in table["generation"].as_array().unwrap() {
        // A pattern filled in is a model number of its own generation, so that none hides behind an earlier one.
        for pattern in generation["sku"].as_array().unwrap().iter().filter_map(toml::Value::as_str) {
            let number = pattern.replace('#', "1").replace('*', "");
            let found = generation_of_sku(&number).map(|found| found.name);
            assert!(found == generation["name"].as_str(), "{number}: {found:?}");
        }
    }
}
