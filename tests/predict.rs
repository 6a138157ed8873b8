//! Predicted guest sets against those of real machines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::fs;

use poolgate::cpu::names;
use poolgate::cpu::predict::{fill, predict};
use poolgate::cpu::releases::{XenRelease, product, release};
use poolgate::facts::{Featureset, Known};
use poolgate::snapshot::{Hardware, Host, HostCpu};
use serde_json::Value as Json;

fn load(file: &str) -> Option<Json> {
    let path = common::shared()?.join("data").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

fn words(value: &Json) -> Featureset {
    value.as_str().unwrap().parse().unwrap()
}

/// The release's name as the tables here write it.
fn xen(name: &str) -> &'static XenRelease {
    let name = name.trim_start_matches("RELEASE-").trim_start_matches("stable-");
    release(if name == "master" { "unstable" } else { name }).unwrap()
}

/// Wrong bits: those that only the machine has, and those that only the prediction has. Word 18 of one sample is of a
/// build that gives it another meaning, which no prediction can know.
fn wrong(found: &Featureset, expected: &Featureset, sample: &str) -> (Vec<String>, Vec<String>) {
    let len = if sample.contains("NOT upstream 18") { 18 } else { found.words().len().max(expected.words().len()) };
    let (found, expected) = (found.zero_extend(len), expected.zero_extend(len));
    (names::names(&expected.diff(&found)), names::names(&found.diff(&expected)))
}

#[test]
fn the_prediction_is_as_close_as_the_recorded_one() {
    let (Some(hosts), Some(recorded)) = (load("real-hosts.json"), load("predict-validation.json")) else { return };
    let count = |row: &Json, key: &str| row[key].as_array().unwrap().len();
    let (mut total, mut before, mut compared) = (0, 0, 0);
    println!(
        "{:<20} {:<8} {:<8} {:>5} {:>8}  wrong bits (+ only predicted, - only real)",
        "sample", "Xen", "set", "wrong", "recorded"
    );
    for row in recorded.as_array().unwrap() {
        let sample = row["sample"].as_str().unwrap();
        let host = hosts["xen_cpuid"].as_array().unwrap().iter().find(|host| host["id"] == sample).unwrap();
        let masks = xen(row["release_masks"].as_str().unwrap());
        let vendor = host["vendor"].as_str().unwrap();
        let found = predict(&words(&host["raw"]), vendor, &[], masks, &Known::Yes(true));
        let set = row["set"].as_str().unwrap();
        let predicted = match set {
            "pv_max" => &found.pv_max,
            "pv_def" => &found.pv_default,
            "hvm_max" => &found.hvm_max,
            "hvm_def" => &found.hvm_default,
            other => panic!("a set that this test does not know: {other}"),
        };
        let (lacks, invents) = wrong(predicted, &words(&host[set]), sample);
        let limit = count(row, "xen_has_predictor_lacks") + count(row, "predictor_has_xen_lacks");
        let number = lacks.len() + invents.len();
        let bits: Vec<_> =
            lacks.iter().map(|bit| format!("-{bit}")).chain(invents.iter().map(|bit| format!("+{bit}"))).collect();
        println!("{sample:<20.20} {:<8} {set:<8} {number:>5} {limit:>8}  {}", masks.name, bits.join(" "));
        assert!(number <= limit, "{sample} {set}: {bits:?}");
        total += number;
        before += limit;
        compared += 1;
    }
    println!("{compared} sets compared: {total} wrong bits; recorded before: {before}");
    assert_eq!(compared, 18);
}

/// The same silicon as a machine that runs XCP-ng 8.2: what its guests are started with.
#[test]
fn a_product_s_default_sets_are_those_of_a_real_host() {
    let Some(hosts) = load("real-hosts.json") else { return };
    let raw = words(&hosts["xen_cpuid"][3]["raw"]);
    let real = &hosts["xenapi"][0];
    let mut host = bare(raw);
    let unpredictable = fill(&mut host, product("xcp-ng-8.2").unwrap());
    assert!(!unpredictable.is_empty());
    let cpu = host.cpu.get().unwrap();
    let (lacks, invents) = wrong(cpu.features_hvm_host.get().unwrap(), &words(&real["features_hvm_host"]), "");
    assert_eq!((lacks, invents), (vec![], vec![]));
    let (lacks, invents) = wrong(cpu.features_pv_host.get().unwrap(), &words(&real["features_pv_host"]), "");
    assert_eq!((lacks, invents), (vec![], vec![]));
    assert_eq!(cpu.provenance.text(), Some("predicted"));
    assert_eq!(cpu.predicted_for.text(), Some("Xen 4.13 (XCP-ng 8.2)"));
}

fn bare(raw: Featureset) -> Host {
    let cpu = HostCpu { vendor: "GenuineIntel".to_owned().into(), raw: raw.into(), ..HostCpu::default() };
    let hardware = Hardware { virtualisation_enabled: true.into(), ..Hardware::default() };
    Host { cpu: cpu.into(), hardware: hardware.into(), ..Host::default() }
}

#[test]
fn an_old_product_has_one_set_for_each_kind_of_guest() {
    let mut host = bare("bfebfbff-7fbee3ff-2c100800-00000001".parse().unwrap());
    fill(&mut host, product("xenserver-7.1").unwrap());
    let cpu = host.cpu.get().unwrap();
    assert!(cpu.features_hvm.get().is_some() && cpu.features_pv.get().is_some());
    assert!(cpu.features_hvm_host.get().is_none() && cpu.features_pv_host.get().is_none());
}

#[test]
fn what_a_server_said_is_not_predicted_over() {
    let observed: Featureset = "00000001".parse().unwrap();
    let mut host = bare("bfebfbff-7fbee3ff-2c100800-00000001".parse().unwrap());
    host.cpu.get_mut().unwrap().features_hvm = observed.clone().into();
    assert!(fill(&mut host, product("xcp-ng-8.3").unwrap()).is_empty());
    assert_eq!(host.cpu.get().unwrap().features_hvm, Known::Yes(observed));
}
