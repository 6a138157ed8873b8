//! What a join does to the pool's CPU level, whom it strands, and which mask would make an old host fit.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

use std::collections::BTreeMap;

use poolgate::cpu::levelling::Level;
use poolgate::cpu::{CpuFacts, FeatureFact, VmFact, derive, eject, names};
use poolgate::facts::{Fact, Featureset, Known, Reason, Type};
use poolgate::snapshot::{CpuGroup, Hardware, Host, HostCpu, Pool, PoolCpu, Vm};
use proptest::prelude::*;

/// A set of Cascade Lake, an older one of Ivy Bridge, as XCP-ng 8.3 gives them to HVM guests.
const CASCADE: &str = "1fcbfbff-f7fa3203-2c100800-00000121-0000000f-d19f07ab-0000080c-00000000-00101000-bc000400";
const IVY: &str = "1fcbfbff-f7ba2203-2c100800-00000001-00000001-00000281-00000000-00000000-00101000-9c000400";
const PV: &str = "1fc9cbf5-f6d83203-28100800-00000121-00000007-d18f0329-00000800-00000000-00001000-ac000400";

fn set(text: &str) -> Featureset {
    text.parse().unwrap()
}

fn bits(features: &[&str]) -> Featureset {
    let mut set = Featureset::default();
    for name in features {
        set.set(names::find(name).unwrap_or_else(|| panic!("no feature {name}")), true);
    }
    set
}

fn cpu(hvm: &str, pv: &str) -> HostCpu {
    HostCpu {
        vendor: "GenuineIntel".to_owned().into(),
        family: 6.into(),
        model: 85.into(),
        stepping: 7.into(),
        cpu_count: 32.into(),
        socket_count: 2.into(),
        features_hvm: set(hvm).into(),
        features_pv: set(pv).into(),
        features_hvm_host: set(hvm).into(),
        features_pv_host: set(pv).into(),
        ..HostCpu::default()
    }
}

fn host(name: &str, cpu: HostCpu) -> Host {
    Host {
        reference: format!("OpaqueRef:{name}").into(),
        uuid: format!("uuid-{name}").into(),
        name_label: name.to_owned().into(),
        capabilities: vec!["xen-3.0-x86_64".to_owned(), "hvm-3.0-x86_64".to_owned()].into(),
        cpu: cpu.into(),
        ..Host::default()
    }
}

fn pool(hosts: Vec<Host>) -> Pool {
    Pool { coordinator: hosts[0].reference.clone(), hosts: hosts.into(), vms: vec![].into(), ..Pool::default() }
}

fn vm(name: &str, state: &str, features: &str) -> Vm {
    Vm {
        reference: format!("OpaqueRef:{name}").into(),
        uuid: format!("uuid-{name}").into(),
        name_label: name.to_owned().into(),
        power_state: state.to_owned().into(),
        current_domain_type: "hvm".to_owned().into(),
        is_a_template: false.into(),
        is_a_snapshot: false.into(),
        is_control_domain: false.into(),
        last_boot_vendor: Some("GenuineIntel".to_owned()).into(),
        last_boot_features: Some(set(features)).into(),
        ..Vm::default()
    }
}

fn known<T: Clone>(known: &Known<T>) -> T {
    match known {
        Known::Yes(value) => value.clone(),
        Known::No(unknown) => panic!("unknown: {unknown}"),
    }
}

fn feature_names(features: &Known<Vec<FeatureFact>>) -> Vec<String> {
    known(features).into_iter().map(|feature| feature.name.label().into_owned()).collect()
}

fn vm_names(vms: &Known<Vec<VmFact>>) -> Vec<String> {
    known(vms).into_iter().map(|vm| vm.name_label).collect()
}

#[test]
fn an_older_joiner_costs_the_pool_features_and_strands_vms() {
    let mut target = pool(vec![host("a", cpu(CASCADE, PV)), host("b", cpu(CASCADE, PV))]);
    let control = Vm { is_control_domain: true.into(), ..vm("dom0", "Running", CASCADE) };
    let template = Vm { is_a_template: true.into(), ..vm("template", "Running", CASCADE) };
    let none = Vm { last_boot_features: None.into(), ..vm("unflagged", "Running", CASCADE) };
    let blank = Vm { last_boot_features: Known::default(), ..vm("blank", "Running", CASCADE) };
    let other = Vm { last_boot_vendor: Some("AuthenticAMD".to_owned()).into(), ..vm("amd", "Suspended", IVY) };
    target.vms = vec![
        vm("runs", "Running", CASCADE),
        vm("sleeps", "Suspended", CASCADE),
        vm("waits", "Paused", CASCADE),
        vm("off", "Halted", CASCADE),
        vm("fits", "Running", IVY),
        control,
        template,
        none,
        blank,
        other,
    ]
    .into();
    let facts = derive(&target, &pool(vec![host("old", cpu(IVY, PV))]));
    assert_eq!(facts.scheme.text(), Some("levelling"));
    assert_eq!(facts.level_before_hvm, Known::Yes(set(CASCADE)));
    assert_eq!(facts.level_after_hvm, Known::Yes(set(IVY)));
    assert_eq!(facts.level_after_pv, Known::Yes(set(PV)));
    assert_eq!(known(&facts.unpredictable), [""; 0]);
    assert_eq!(facts.joiner_provenance.text(), Some("observed"));
    let lost = feature_names(&facts.lost_by_pool);
    assert_eq!(lost, names::names(&set(CASCADE).diff(&set(IVY))));
    assert!(lost.contains(&"avx512f".to_owned()) && lost.contains(&"movbe".to_owned()), "{lost:?}");
    assert!(known(&facts.lost_by_pool).iter().all(|feature| feature.sets == ["hvm"] && !feature.provisional));
    let groups = known(&facts.lost_groups);
    assert!(groups.contains(&"AVX-512 (avx512f, avx512dq, avx512cd, avx512bw, …)".to_owned()), "{groups:?}");
    assert_eq!(feature_names(&facts.hidden_on_joiner), [""; 0]);
    assert_eq!(vm_names(&facts.stranded_vms), ["amd", "runs", "sleeps", "waits"]);
    let stranded = known(&facts.stranded_vms);
    assert!(stranded[1].missing.iter().any(|feature| feature.label() == "avx512f"));
    assert_eq!(stranded[1].reason, "VM last booted on a CPU with features this host's CPU does not have.");
    assert_eq!(stranded[0].reason, "VM last booted on a host which had a CPU from a different vendor.");
    assert_eq!(vm_names(&facts.undecided_vms), ["blank"]);
    assert!(known(&facts.undecided_vms)[0].reason.contains("last_boot_features"));
}

#[test]
fn a_newer_joiner_hides_what_it_has_more() {
    let target = pool(vec![host("a", cpu(IVY, PV))]);
    let facts = derive(&target, &pool(vec![host("new", cpu(CASCADE, PV))]));
    assert_eq!(feature_names(&facts.lost_by_pool), [""; 0]);
    assert_eq!(feature_names(&facts.hidden_on_joiner), names::names(&set(CASCADE).diff(&set(IVY))));
    assert_eq!(facts.level_before_hvm, facts.level_after_hvm);
    assert_eq!(facts.same_model_differs, Known::Yes(true));
}

#[test]
fn a_twin_of_the_coordinator_changes_nothing() {
    let target = pool(vec![host("a", cpu(CASCADE, PV))]);
    let facts = derive(&target, &pool(vec![host("twin", cpu(CASCADE, PV))]));
    assert_eq!(facts.vendors_differ, Known::Yes(false));
    assert_eq!(facts.level_before_hvm, facts.level_after_hvm);
    assert_eq!(known(&facts.lost_by_pool), []);
    assert_eq!(known(&facts.hidden_on_joiner), []);
    assert_eq!(known(&facts.stranded_vms), []);
    assert_eq!(facts.same_model, Known::Yes(true));
    assert_eq!(facts.same_model_differs, Known::Yes(false));
    assert_eq!(facts.joiner_hvm, Known::Yes(true));
    assert_eq!(facts.joiner_nx, Known::Yes(true));
}

#[test]
fn a_host_without_hvm_is_left_out_of_the_hvm_level() {
    let empty = "10000000-00200000-00000000-00000402";
    let crippled = Host { capabilities: vec!["xen-3.0-x86_64".to_owned()].into(), ..host("off", cpu(empty, PV)) };
    let target = pool(vec![host("a", cpu(CASCADE, PV))]);
    let facts = derive(&target, &pool(vec![crippled.clone()]));
    assert_eq!(facts.level_after_hvm, Known::Yes(set(CASCADE)));
    assert_eq!(known(&facts.lost_by_pool), []);
    assert_eq!(facts.joiner_hvm, Known::Yes(false));
    assert_eq!(facts.pool_hvm, Known::Yes(true));
    let facts = derive(&pool(vec![host("a", cpu(CASCADE, PV)), crippled]), &target);
    assert_eq!(facts.hosts_without_hvm, ["off"]);
    assert_eq!(facts.level_before_hvm, Known::Yes(set(CASCADE)));
}

#[test]
fn what_only_looks_different_is_not_lost() {
    let with = bits(&["lm", "syscall", "osxsave", "sse2", "md-clear"]).union(&set("0-0-0183f3ff"));
    let without = bits(&["lm", "sse2"]).zero_extend(with.words().len());
    let target = pool(vec![host("a", cpu(&with.to_string(), PV))]);
    let facts = derive(&target, &pool(vec![host("b", cpu(&without.to_string(), PV))]));
    assert_eq!(feature_names(&facts.lost_by_pool), [""; 0], "newer servers add md-clear up over the pool");
    let mut old = target;
    old.cpu_info = PoolCpu { features_hvm: with.into(), features_pv: set(PV).into(), ..PoolCpu::default() }.into();
    let facts = derive(&old, &pool(vec![host("b", cpu(&without.to_string(), PV))]));
    assert_eq!(feature_names(&facts.lost_by_pool), ["md-clear"], "older ones intersect it");
}

#[test]
fn the_pool_s_own_record_fills_in_and_is_checked() {
    let mut target = pool(vec![host("a", cpu(CASCADE, PV))]);
    let level = PoolCpu {
        vendor: "GenuineIntel".to_owned().into(),
        features_hvm_host: set(IVY).into(),
        features_pv_host: set(PV).into(),
        ..PoolCpu::default()
    };
    target.cpu_info = level.into();
    let joiner = pool(vec![host("b", cpu(CASCADE, PV))]);
    let facts = derive(&target, &joiner);
    assert_eq!(facts.level_source.text(), Some("hosts"));
    assert_eq!(facts.level_before_hvm, Known::Yes(set(CASCADE)));
    assert_eq!(facts.level_agrees, Known::Yes(false));
    assert!(known(&facts.level_disagreement).starts_with("hvm: fma, movbe, "), "{:?}", facts.level_disagreement);
    target.hosts.get_mut().unwrap()[0].cpu = Known::default();
    let facts = derive(&target, &joiner);
    assert_eq!(facts.level_source.text(), Some("pool.cpu_info"));
    assert_eq!(facts.level_after_hvm, Known::Yes(set(IVY)));
    assert!(facts.level_agrees.unknown().unwrap().detail().contains("host a, cpu"), "{:?}", facts.level_agrees);
}

#[test]
fn ejecting_the_weakest_host_gives_its_features_back() {
    let target = pool(vec![host("a", cpu(CASCADE, PV)), host("old", cpu(IVY, PV)), host("c", cpu(CASCADE, PV))]);
    assert_eq!(Level::of_pool(&target).hvm_default, Known::Yes(set(IVY)));
    assert_eq!(Level::without(&target, "OpaqueRef:old").hvm_default, Known::Yes(set(CASCADE)));
    assert_eq!(Level::without(&target, "OpaqueRef:a").hvm_default, Known::Yes(set(IVY)));
    let facts = eject(&target, "OpaqueRef:old");
    assert_eq!(facts.level_after_hvm, Known::Yes(set(CASCADE)));
    assert_eq!(feature_names(&facts.regained), names::names(&set(CASCADE).diff(&set(IVY))));
    assert_eq!(known(&eject(&target, "OpaqueRef:c").regained_groups), [""; 0]);
}

#[test]
fn a_missing_fact_names_its_host_and_field() {
    let mut blind = cpu(CASCADE, PV);
    blind.features_hvm_host = Known::no(Reason::PermissionDenied, "");
    let facts = derive(&pool(vec![host("a", cpu(CASCADE, PV))]), &pool(vec![host("b", blind)]));
    let unknown = facts.level_after_hvm.unknown().unwrap();
    assert_eq!(unknown.to_string(), "permission denied: host b, cpu.features_hvm_host");
    assert!(facts.lost_by_pool.get().is_none() && facts.hidden_on_joiner.get().is_none());
    assert_eq!(facts.level_after_pv, Known::Yes(set(PV)));
    let facts = derive(&pool(vec![host("a", cpu(CASCADE, PV))]), &Pool::default());
    assert!(facts.stranded_vms.get().is_some_and(Vec::is_empty), "there is no VM to judge");
    assert!(facts.joiner_vendor.get().is_none() && facts.vendors_differ.get().is_none());
    assert!(facts.level_after_hvm.get().is_none() && facts.joiner_hvm.get().is_none());
    let facts = derive(&Pool::default(), &Pool::default());
    assert!(facts.scheme.get().is_none() && facts.lost_by_pool.get().is_none() && facts.pool_hvm.get().is_none());
}

#[test]
fn a_prediction_decides_nothing_about_words_that_it_could_not_read() {
    let have = bits(&["fpu", "lm", "sse2", "ibrsb", "avx2"]).union(&bits(&["rdcl-no"]));
    let predicted = bits(&["fpu", "lm", "sse2"]).zero_extend(have.words().len());
    let mut joiner = cpu(&predicted.to_string(), &predicted.to_string());
    joiner.provenance = "predicted".to_owned().into();
    joiner.raw_unknown_words = vec![16, 17].into();
    let mut target = pool(vec![host("a", cpu(&have.to_string(), PV))]);
    let msr = bits(&["fpu", "rdcl-no"]).to_string();
    let spec = bits(&["fpu", "ibrsb"]).to_string();
    target.vms =
        vec![vm("msr", "Running", &msr), vm("spec", "Running", &spec), vm("avx", "Running", &have.to_string())]
            .into();
    let facts = derive(&target, &pool(vec![host("b", joiner)]));
    let lost: Vec<_> =
        known(&facts.lost_by_pool).into_iter().filter(|feature| feature.sets.contains(&"hvm")).collect();
    assert_eq!(
        lost.iter().map(|feature| (feature.name.label(), feature.provisional)).collect::<Vec<_>>(),
        [("avx2".into(), false), ("ibrsb".into(), true)]
    );
    assert_eq!(feature_names(&facts.lost_undecided), ["rdcl-no"]);
    assert_eq!(vm_names(&facts.undecided_vms), ["msr"]);
    assert!(known(&facts.unpredictable).iter().any(|kind| kind.contains("m10Al (MSR 0x0000010a lo32)")));
    let stranded = known(&facts.stranded_vms);
    assert_eq!(
        stranded.iter().map(|vm| (vm.name_label.as_str(), vm.provisional)).collect::<Vec<_>>(),
        [("avx", false), ("spec", true)]
    );
}

#[test]
fn cores_that_differ_are_told_apart() {
    let group = |cpus: &str, stepping: i64, microcode: &str| CpuGroup {
        cpus: cpus.to_owned().into(),
        family: 6.into(),
        model: 85.into(),
        stepping: stepping.into(),
        microcode: microcode.to_owned().into(),
        raw: set(CASCADE).into(),
        ..CpuGroup::default()
    };
    let of = |groups: Vec<CpuGroup>| {
        let joiner = host("b", HostCpu { groups: groups.into(), ..cpu(CASCADE, PV) });
        derive(&pool(vec![host("a", cpu(CASCADE, PV))]), &pool(vec![joiner]))
    };
    assert_eq!(of(vec![group("0-31", 7, "0x5003604")]).cores_differ, Known::Yes(false));
    let facts = of(vec![group("0-15", 7, "0x5003604"), group("16-31", 6, "0x5003604")]);
    assert_eq!(facts.cores_differ, Known::Yes(true));
    assert_eq!(known(&facts.core_groups)[1], "16-31: family 6 model 85 stepping 6 microcode 0x5003604");
    assert_eq!(of(vec![group("0", 7, "0x1"), group("1", 7, "0x2")]).cores_differ, Known::Yes(true));
    let facts = derive(&pool(vec![host("a", cpu(CASCADE, PV))]), &pool(vec![host("b", cpu(CASCADE, PV))]));
    assert!(facts.cores_differ.unknown().unwrap().detail().contains("host b, cpu.groups"));
}

#[test]
fn hardware_without_xen_says_itself_whether_it_virtualises() {
    let bare = |on: Known<bool>| {
        let hardware = Hardware { virtualisation_enabled: on, nx_enabled: false.into(), ..Hardware::default() };
        let joiner =
            Host { capabilities: Known::default(), hardware: hardware.into(), ..host("b", cpu(CASCADE, PV)) };
        derive(&pool(vec![host("a", cpu(CASCADE, PV))]), &pool(vec![joiner]))
    };
    assert_eq!(bare(true.into()).joiner_hvm, Known::Yes(true));
    assert_eq!(bare(false.into()).joiner_hvm, Known::Yes(false));
    assert_eq!(bare(true.into()).joiner_nx, Known::Yes(false));
    assert!(bare(Known::default()).level_after_hvm.get().is_none());
}

/// A word that was not captured is zero, and says nothing of what the firmware does.
#[test]
fn a_capture_without_the_word_for_nx_does_not_say_that_it_is_off() {
    let captured = |raw: &str| {
        let own = HostCpu { raw: raw.parse().map_or_else(|_| Known::default(), Known::Yes), ..HostCpu::default() };
        let hardware = Hardware { nx_enabled: Known::no(Reason::NotCollected, "no leaf"), ..Hardware::default() };
        let joiner = Host { cpu: own.into(), hardware: hardware.into(), ..host("b", HostCpu::default()) };
        derive(&pool(vec![host("a", cpu(CASCADE, PV))]), &pool(vec![joiner])).joiner_nx
    };
    assert_eq!(captured("178bfbff-fed83203-2c100800-00000121"), Known::Yes(true));
    assert!(captured("178bfbff-fed83203-00000000-00000121").unknown().unwrap().detail().contains("no leaf"));
}

#[test]
fn every_fact_is_readable_by_rules() {
    let Type::Object(def) = CpuFacts::TYPE else { panic!("no object") };
    for name in ["scheme", "lost_by_pool", "stranded_vms", "masking", "cores_differ"] {
        assert!(def.field(name).is_some(), "{name}");
    }
}

/// A host of 6.x: four words now, without a mask, and what may be masked.
fn legacy(name: &str, features: &str, physical: &str, maskable: &str) -> Host {
    let cpu = HostCpu {
        vendor: "GenuineIntel".to_owned().into(),
        features: set(features).into(),
        physical_features: set(physical).into(),
        maskable: maskable.to_owned().into(),
        ..HostCpu::default()
    };
    let restrictions = BTreeMap::from([("restrict_cpu_masking".to_owned(), "false".to_owned())]);
    Host { restrictions: restrictions.into(), ..host(name, cpu) }
}

fn legacy_pool(mask: Option<&str>, hosts: Vec<Host>) -> Pool {
    let config = mask.map(|mask| ("cpuid_feature_mask".to_owned(), mask.to_owned()));
    Pool { other_config: config.into_iter().collect::<BTreeMap<_, _>>().into(), ..pool(hosts) }
}

const A: &str = "040ce33d-bfebfbff-00000001-20100800";
/// Lacks XSAVE of A and has EST, which A lacks.
const B: &str = "000ce3bd-bfebfbff-00000001-20100800";
/// A with the lowest bit of the last word.
const C: &str = "040ce33d-bfebfbff-00000001-20100801";
const ALL: &str = "ffffffff-ffffffff-ffffffff-ffffffff";

fn masked(mask: Option<&str>, pool_host: (&str, &str), joiner: (&str, &str)) -> CpuFacts {
    let target = legacy_pool(mask, vec![legacy("a", pool_host.0, pool_host.0, pool_host.1)]);
    derive(&target, &legacy_pool(None, vec![legacy("j", joiner.0, joiner.0, joiner.1)]))
}

/// Kind, value for the joiner, values for members, why not.
fn outcome(facts: &CpuFacts) -> (String, String, Vec<String>, String) {
    let masking = &facts.masking;
    let members = known(&masking.member_values).into_iter().map(|member| member.value).collect();
    (known(&masking.kind), known(&masking.joiner_value), members, known(&masking.why_not))
}

#[test]
fn masking_knows_the_four_kinds_of_pool() {
    let facts = masked(None, (A, "full"), (A, "no"));
    assert_eq!(facts.scheme.text(), Some("masking"));
    assert_eq!(facts.masking.equal, Known::Yes(true));
    assert_eq!(outcome(&facts), ("equal".into(), String::new(), vec![], String::new()));

    let facts = masked(None, (B, "full"), (A, "full"));
    assert_eq!(facts.masking.equal, Known::Yes(false));
    let value = "000ce33d-bfebfbff-00000001-20100800";
    assert_eq!(outcome(&facts), ("mask-joiner".into(), value.into(), vec![], String::new()));
    assert_eq!(known(&facts.masking.commands)[0], format!("xe host-set-cpu-features uuid=uuid-j features={value}"));
    assert_eq!(facts.masking.licensed, Known::Yes(true));
    assert_eq!(feature_names(&facts.hidden_on_joiner), ["xsave"]);
    assert_eq!(feature_names(&facts.lost_by_pool), [""; 0], "EST does not count");
    let facts = masked(Some(ALL), (A, "full"), (B, "full"));
    assert_eq!(feature_names(&facts.lost_by_pool), ["xsave"]);
    assert_eq!(feature_names(&facts.hidden_on_joiner), ["eist"]);

    let facts = masked(None, (A, "full"), (B, "full"));
    assert_eq!(outcome(&facts), ("mask-pool".into(), String::new(), vec![value.into()], String::new()));

    let facts = masked(Some(ALL), (A, "full"), (B, "full"));
    assert_eq!(outcome(&facts), ("mask-both".into(), value.into(), vec![value.into()], String::new()));
}

#[test]
fn masking_says_why_it_cannot_be_done() {
    let why = |facts: &CpuFacts| (known(&facts.masking.possible), known(&facts.masking.why_not));
    let (possible, text) = why(&masked(None, (B, "full"), (A, "no")));
    assert!(!possible && text == "j: its CPU cannot be masked (maskable: no)", "{text}");
    let (possible, text) = why(&masked(None, (A, "full"), (C, "base")));
    assert!(!possible && text.contains("maskable: base") && text.contains("e1d:0"), "{text}");
    assert_eq!(outcome(&masked(None, (A, "full"), (C, "full"))).1, A);
    assert_eq!(outcome(&masked(None, (B, "full"), (A, "base"))).1, "000ce33d-bfebfbff-00000001-20100800");
    let (possible, text) = why(&masked(None, (A, "no"), (B, "full")));
    assert!(!possible && text.starts_with("a: "), "{text}");
    let mut amd = legacy("j", A, A, "full");
    amd.cpu.get_mut().unwrap().vendor = "AuthenticAMD".to_owned().into();
    let facts = derive(&legacy_pool(None, vec![legacy("a", A, A, "full")]), &legacy_pool(None, vec![amd]));
    assert_eq!(known(&facts.masking.kind), "vendors-differ");
    assert_eq!(facts.masking.equal, Known::Yes(false));
}

#[test]
fn a_joiner_that_was_masked_before_is_judged_by_its_physical_features() {
    let target = legacy_pool(None, vec![legacy("a", A, A, "full")]);
    let masked = legacy("j", "000ce33d-bfebfbff-00000001-00100800", C, "full");
    let facts = derive(&target, &legacy_pool(None, vec![masked]));
    assert_eq!(outcome(&facts), ("mask-joiner".into(), A.into(), vec![], String::new()));
    let mut unknown = legacy("j", A, A, "full");
    unknown.cpu.get_mut().unwrap().features = Known::default();
    let facts = derive(&target, &legacy_pool(None, vec![unknown]));
    assert!(facts.masking.kind.unknown().unwrap().detail().contains("host j, cpu.features"));
}

#[test]
fn vms_under_masking_count_bits_that_count() {
    let mut target = legacy_pool(None, vec![legacy("a", A, A, "full")]);
    target.vms = vec![vm("stays", "Running", A), vm("goes", "Running", "000ce3bd-bfebfbff-00000001-20100800")].into();
    let facts = derive(&target, &legacy_pool(None, vec![legacy("j", B, B, "full")]));
    assert_eq!(vm_names(&facts.stranded_vms), ["stays"]);
    let missing: Vec<_> = known(&facts.stranded_vms)[0].missing.iter().map(|feature| feature.label()).collect();
    assert_eq!(missing, ["xsave"]);
}

proptest! {
    #[test]
    fn the_level_after_all_joins_does_not_depend_on_their_order(
        (words, shuffled) in prop::collection::vec(prop::collection::vec(any::<u32>(), 1..6), 1..6)
            .prop_flat_map(|words| (Just(words.clone()), Just(words).prop_shuffle())),
    ) {
        let level = |sets: &[Vec<u32>]| {
            let hosts: Vec<_> = sets.iter().enumerate().map(|(index, words)| {
                let set = Featureset::new(words.clone()).to_string();
                host(&index.to_string(), cpu(&set, &set))
            }).collect();
            known(&Level::of_pool(&pool(hosts)).hvm_default)
        };
        prop_assert!(level(&words).is_equal(&level(&shuffled)));
    }

    /// Whatever the words: nothing panics, the pool loses only what it had, the joiner hides only what it has.
    #[test]
    fn losses_are_of_what_was_there(
        ours in prop::collection::vec(any::<u32>(), 0..6),
        theirs in prop::collection::vec(any::<u32>(), 0..6),
    ) {
        let (ours, theirs) = (Featureset::new(ours), Featureset::new(theirs));
        let of = |set: &Featureset| cpu(&set.to_string(), &set.to_string());
        let facts = derive(&pool(vec![host("a", of(&ours))]), &pool(vec![host("b", of(&theirs))]));
        // SYSCALL is made to follow LM, so that made-up words may lose it with LM.
        let real = |names: Vec<String>| names.into_iter().filter(|name| name != "syscall");
        for feature in real(feature_names(&facts.lost_by_pool)) {
            let feature = names::find(&feature).unwrap();
            prop_assert!(names::comparable(&ours, Some("GenuineIntel")).has(feature) && !theirs.has(feature));
        }
        for feature in real(feature_names(&facts.hidden_on_joiner)) {
            let feature = names::find(&feature).unwrap();
            prop_assert!(names::comparable(&theirs, Some("GenuineIntel")).has(feature) && !ours.has(feature));
        }
        let old = |name: &str, set: &Featureset| legacy(name, &set.to_string(), &set.to_string(), "base");
        let _ = derive(&legacy_pool(None, vec![old("a", &ours)]), &legacy_pool(None, vec![old("j", &theirs)]));
    }

    /// The value is a mask of the physical words, equals the pool where bits count, and leaves alone what cannot go.
    #[test]
    fn a_mask_does_what_it_promises(
        pool_words in prop::array::uniform4(any::<u32>()),
        more in prop::array::uniform4(any::<u32>()),
        counts in prop::array::uniform4(any::<u32>()),
        maskable in prop::sample::select(vec!["no", "base", "full"]),
    ) {
        let text = |words: [u32; 4]| Featureset::new(words.to_vec());
        let (pool_set, counts) = (text(pool_words), text(counts));
        let physical = pool_set.union(&text(more));
        let mask = counts.to_string();
        let target = legacy_pool(Some(&mask), vec![legacy("a", &pool_set.to_string(), &pool_set.to_string(), "full")]);
        let joiner = legacy_pool(None, vec![legacy("j", &physical.to_string(), &physical.to_string(), maskable)]);
        let facts = derive(&target, &joiner);
        let value = known(&facts.masking.joiner_value);
        if !value.is_empty() {
            let value = set(&value);
            prop_assert!(value.is_subset(&physical));
            prop_assert!(value.intersect(&counts).is_equal(&pool_set.intersect(&counts)));
            prop_assert!(maskable != "no");
            if maskable == "base" {
                prop_assert_eq!(&value.words()[2..], &physical.words()[2..]);
            }
        } else if known(&facts.masking.equal) {
            prop_assert!(physical.intersect(&counts).is_equal(&pool_set.intersect(&counts)));
        } else {
            prop_assert!(!known(&facts.masking.possible));
            prop_assert!(maskable != "full");
        }
    }
}
