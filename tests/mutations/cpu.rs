//! CPUs: vendor, features, virtualisation, no-execute, cores, limits beside features.

use poolgate::rules::at_least;
use serde_json::{Value as Json, json};

use crate::edit::{Doc, Pair};
use crate::suite::{Mutation, change};

/// The sets that levelling reads.
const SETS: [&str; 4] = ["features_pv", "features_hvm", "features_pv_host", "features_hvm_host"];
/// Word and bit of SSE4.2, which every pool here has.
const SSE42: (usize, u32) = (1, 1 << 20);
/// Word and bit of MOVDIR64B, which no pool here has.
const MOVDIR64B: (usize, u32) = (6, 1 << 28);

pub fn list() -> Vec<Mutation> {
    let mut list = of_features();
    list.extend(of_machine());
    list
}

fn levelled(pair: &Pair) -> bool {
    at_least(&pair.xapi, "1.9")
}

fn masked(pair: &Pair) -> bool {
    !levelled(pair)
}

/// Takes a feature from all sets of the joiner.
fn without(doc: &mut Doc, (word, bit): (usize, u32)) -> Option<()> {
    in_all(doc, |index, value| if index == word { value & !bit } else { value })
}

/// Gives a feature to all sets of the joiner.
fn with(doc: &mut Doc, (word, bit): (usize, u32)) -> Option<()> {
    in_all(doc, |index, value| if index == word { value | bit } else { value })
}

fn in_all(doc: &mut Doc, change: impl Fn(usize, u32) -> u32) -> Option<()> {
    let sets = SETS.iter().map(|set| doc.features(&format!("host.cpu.{set}"), &change));
    sets.collect::<Vec<_>>().into_iter().flatten().next()
}

/// Whether some VM of the pool that is not halted was started with a feature.
fn used(pair: &Pair, (word, bit): (usize, u32)) -> bool {
    let vms = pair.pool.0["pool"]["vms"].as_array().cloned().unwrap_or_default();
    vms.iter().any(|vm| {
        let has = vm["last_boot_features"].as_str().and_then(|words| words.split('-').nth(word).map(str::to_owned));
        let has = has.and_then(|word| u32::from_str_radix(&word, 16).ok()).is_some_and(|word| word & bit != 0);
        has && vm["power_state"] != "Halted" && vm["is_control_domain"] == false
    })
}

/// Whether the joiner's CPU is the coordinator's model.
fn twin(pair: &Pair) -> bool {
    ["vendor", "family", "model", "stepping"].iter().all(|field| {
        let path = format!("host.cpu.{field}");
        pair.joiner.get(&path) == pair.pool.get(&path)
    })
}

fn of_features() -> Vec<Mutation> {
    vec![
        change("the joiner lacks a feature of the pool", |p| {
            levelled(p).then_some(())?;
            without(&mut p.joiner, SSE42)
        })
        .fails("cpu-pool-keeps-features")
        .fails_if("cpu-vms-can-move", |p| used(p, SSE42))
        .fails_if("cpu-same-model-alike", twin),
        change("the joiner is newer and lacks a feature of the pool", |p| {
            levelled(p).then_some(())?;
            without(&mut p.joiner, SSE42)?;
            with(&mut p.joiner, MOVDIR64B)
        })
        .fails("cpu-pool-keeps-features")
        .fails("cpu-joiner-keeps-features")
        .fails("cpu-newer-no-superset")
        .fails_if("cpu-vms-can-move", |p| used(p, SSE42))
        .fails_if("cpu-same-model-alike", twin),
        change("the joiner shows a feature that the pool lacks", |p| {
            levelled(p).then_some(())?;
            with(&mut p.joiner, MOVDIR64B)
        })
        .fails("cpu-joiner-keeps-features")
        .fails_if("cpu-same-model-alike", twin),
        change("the joiner's CPU is of another vendor", |p| p.joiner.set("host.cpu.vendor", other_vendor(p)))
            .refused_with("cpu-vendor", "HOSTS_NOT_HOMOGENEOUS", differ)
            .fails("force-removes-nothing")
            .fails_if("cpu-vms-can-move", runs),
        change("the joiner's CPU cannot be masked to the pool's", |p| {
            masked(p).then_some(())?;
            p.joiner.features("host.cpu.features", |index, word| if index == 0 { word ^ 1 << 20 } else { word })
        })
        .refused_with("cpu-mask-equal", "HOSTS_NOT_HOMOGENEOUS", differ)
        .fails("force-removes-nothing"),
        change("the pool does not tell its vendor", |p| {
            p.pool.get("cpu_info.vendor")?;
            p.pool.set("cpu_info.vendor", json!({"$unknown": "absent-on-release"}))
        })
        .refused_with("cpu-vendor", "INTERNAL_ERROR", |_| vec!["Not_found".to_owned()])
        .undecided("force-removes-nothing"),
    ]
}

fn differ(_: &Pair) -> Vec<String> {
    vec!["CPUs differ".to_owned()]
}

fn other_vendor(pair: &Pair) -> Json {
    let intel = pair.pool.text("host.cpu.vendor") == "GenuineIntel";
    if intel { "AuthenticAMD" } else { "GenuineIntel" }.into()
}

/// Whether some VM of the pool remembers the CPU that it was started on.
fn runs(pair: &Pair) -> bool {
    let vms = pair.pool.0["pool"]["vms"].as_array().cloned().unwrap_or_default();
    vms.iter().any(|vm| {
        vm["power_state"] != "Halted" && vm["is_control_domain"] == false && vm["last_boot_vendor"].is_string()
    })
}

fn of_machine() -> Vec<Mutation> {
    vec![
        change("the joiner cannot run HVM guests", |p| {
            p.joiner.set("host.hardware.virtualisation_enabled", false);
            p.joiner.set("host.capabilities", json!(["xen-3.0-x86_64"]))
        })
        .fails("cpu-virtualisation-on")
        .fails_if("cpu-vms-can-move", |_| false),
        change("no-execute is off at the joiner", |p| p.joiner.set("host.hardware.nx_enabled", false))
            .fails("cpu-no-execute-on"),
        change("the joiner's cores differ", |p| {
            let group = p.joiner.get("host.cpu.groups.0")?;
            p.joiner.push("host.cpu.groups", group)?;
            p.joiner.set("host.cpu.groups.last.stepping", 15)
        })
        .fails("cpu-cores-alike"),
        change("the joiner's cores have two microcodes", |p| {
            let group = p.joiner.get("host.cpu.groups.0")?;
            p.joiner.push("host.cpu.groups", group)?;
            p.joiner.set("host.cpu.groups.last.microcode", "0x1")
        })
        .fails("cpu-cores-alike"),
        change("the joiner's physical addresses are narrower", |p| {
            p.pool.get("host.hardware.physical_address_bits")?;
            p.joiner.set("host.hardware.physical_address_bits", 36)
        })
        .fails("cpu-address-width"),
        change("the joiner's XSAVE state is smaller", |p| {
            (p.pool.get("host.hardware.xsave_size")?.as_i64()? > 256).then_some(())?;
            p.joiner.set("host.hardware.xsave_size", 256)
        })
        .fails("cpu-xsave-size"),
        change("the joiner's XSAVE state is larger", |p| p.joiner.set("host.hardware.xsave_size", 9_999)),
        change("the joiner's features were seen through a filter", |p| {
            p.joiner.set("host.cpu.provenance", "predicted")?;
            p.joiner.0["pool"]["hosts"][0]["hypervisor"] = json!({"present": true, "signature": "KVMKVMKVM",
                "role": "guest", "filtered": true, "xen_version": {"$unknown": "not-applicable"}});
            Some(())
        })
        .fails("cpu-seen-unfiltered"),
        change("the joiner has fewer CPUs", |p| p.joiner.set("host.cpu.cpu_count", 2)),
        change("the joiner is clocked otherwise", |p| p.joiner.set("host.cpu.speed", "1000.000")),
        change("the joiner hides a PCI device", |p| p.joiner.set("host.boot.hidden_pci", json!(["0000:04:01.0"])))
            .fails("pci-not-hidden"),
        change("the joiner was booted without SMT", |p| {
            p.pool.get("host.boot.xen")?;
            let line = p.joiner.text("host.boot.xen");
            p.joiner.set("host.boot.xen", format!("{line} smt=0"))
        })
        .fails("boot-parameters-same"),
        change("the joiner's console is another one", |p| {
            let line = p.joiner.text("host.boot.kernel");
            p.joiner.set("host.boot.kernel", format!("{line} console=ttyS0"))
        }),
        change("the joiner's clock is ahead", |p| {
            p.pool.get("host.clock.offset_ms")?;
            p.joiner.set("host.clock.offset_ms", 90_000)
        })
        .fails("clocks-agree"),
        change("the coordinator's clock is behind", |p| {
            p.joiner.get("host.clock.offset_ms")?;
            p.pool.set("host.clock.offset_ms", -90_000)
        })
        .fails("clocks-agree"),
        change("the clocks are two seconds apart", |p| {
            p.pool.get("host.clock.offset_ms")?;
            p.joiner.set("host.clock.offset_ms", 2_000)
        }),
        change("the joiner's clock is not synchronised", |p| p.joiner.set("host.clock.synchronised", false))
            .fails("clocks-synchronised"),
        change("a member's time servers are switched off", |p| p.pool.set("hosts.last.clock.ntp_mode", "Disabled"))
            .fails("clocks-synchronised"),
    ]
}
