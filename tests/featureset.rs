//! The featureset algebra, the pool's level and the migration check against answers of the real server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends at what it did not expect")]

#[expect(unreachable_pub, reason = "shared by several test binaries")]
mod common;

use std::collections::BTreeMap;
use std::fs;

use poolgate::cpu::levelling::{Guest, Level, Shape, next_boot_features, vendors_differ};
use poolgate::cpu::mobility::may_move;
use poolgate::cpu::names;
use poolgate::facts::{Featureset, Known};
use poolgate::snapshot::{Host, HostCpu, PoolCpu, Vm};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn load(file: &str) -> Option<Json> {
    let path = common::shared()?.join("data").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_str(&text).unwrap())
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn array(value: &Json) -> &[Json] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

fn words(value: &Json) -> Featureset {
    Featureset::new(array(value).iter().map(|word| u32::try_from(word.as_u64().unwrap()).unwrap()).collect())
}

/// Parses like the server, with its error as the vectors write it.
fn parsed(value: &Json) -> Result<Featureset, Json> {
    text(value).parse().map_err(failure)
}

fn failure(error: poolgate::facts::ParseFeaturesetError) -> Json {
    json!({"error": "InvalidFeatureString", "arg": error.0})
}

fn both<T: Into<Json>>(args: &[Json], join: impl Fn(&Featureset, &Featureset) -> T) -> Result<Json, Json> {
    let left = parsed(&args[0])?;
    let right = parsed(&args[1])?;
    Ok(join(&left, &right).into())
}

fn vendor(map: &Json) -> Known<String> {
    map.get("vendor").map_or_else(Known::absent, |vendor| text(vendor).to_owned().into())
}

fn answer(op: &str, args: &[Json]) -> Result<Json, Json> {
    match op {
        "parse" => parsed(&args[0]).map(|set| set.words().iter().map(|word| Json::from(word.to_string())).collect()),
        "to_string" => {
            let words = array(&args[0]).iter().map(|word| text(word).parse().unwrap());
            Ok(Featureset::new(words.collect()).to_string().into())
        }
        "roundtrip" => parsed(&args[0]).map(|set| set.to_string().into()),
        "zero_extend" => {
            let len = usize::try_from(args[1].as_u64().unwrap()).unwrap();
            parsed(&args[0]).map(|set| set.zero_extend(len).to_string().into())
        }
        "extend" => both(args, |a, b| a.extend(b).to_string()),
        "intersect" => both(args, |a, b| a.intersect(b).to_string()),
        "diff" => both(args, |a, b| a.diff(b).to_string()),
        "is_equal" => both(args, Featureset::is_equal),
        "is_subset" => both(args, Featureset::is_subset),
        "is_strict_subset" => both(args, Featureset::is_strict_subset),
        "is_compatible_fallback" => both(args, Featureset::is_compatible_with),
        "pool_combine" => Featureset::pool_combine(text(&args[0]), text(&args[1])).map(Json::from).map_err(failure),
        "pool_fold" => array(&args[0])
            .iter()
            .try_fold(String::new(), |pool, host| Featureset::pool_combine(&pool, text(host)))
            .map(Json::from)
            .map_err(failure),
        "vendor_mismatch" => match vendors_differ(&vendor(&args[0]), &vendor(&args[1])) {
            Known::Yes(differ) => Ok(differ.into()),
            Known::No(_) => Err(json!({"error": "Not_found"})),
        },
        unknown => panic!("the vectors hold an operation that this test does not know: {unknown}"),
    }
}

#[test]
fn every_vector_of_the_real_server_agrees() {
    let Some(file) = load("featureset-vectors.json") else { return };
    let vectors = array(&file["vectors"]);
    let mut seen = BTreeMap::<&str, usize>::new();
    for vector in vectors {
        let op = text(&vector["op"]);
        *seen.entry(op).or_default() += 1;
        let found = match answer(op, array(&vector["args"])) {
            Ok(value) => json!({"ok": value}),
            Err(error) => error,
        };
        assert_eq!(found, vector["expected"], "{op} {}", vector["args"]);
    }
    assert_eq!(vectors.len(), 4387);
    assert_eq!(seen.len(), 14, "{seen:?}");
}

/// Cases that name the fields of their arguments instead of listing them.
fn each(file: &Json, name: &str, keys: [&str; 2], join: impl Fn(&Featureset, &Featureset) -> Json, out: &str) {
    let cases = array(&file[name]);
    assert!(!cases.is_empty());
    for case in cases {
        assert_eq!(join(&words(&case[keys[0]]), &words(&case[keys[1]])), case[out], "{name} {case}");
    }
}

fn decimal(set: &Featureset) -> Json {
    set.words().to_vec().into()
}

#[test]
fn the_server_s_own_unit_tests_agree() {
    let Some(file) = load("xapi-cpuid-cases.json") else { return };
    let known = [
        "_meta",
        "string_of_features",
        "features_of_string",
        "roundtrip_features",
        "roundtrip_strings",
        "parse_failure",
        "extend",
        "zero_extend",
        "intersect",
        "is_equal",
        "comparisons",
        "accessors",
        "setters",
        "modifiers_identity",
        "next_boot_cpu_features",
        "assert_vm_is_compatible",
        "pool_cpuinfo",
    ];
    for key in file.as_object().unwrap().keys() {
        assert!(known.contains(&key.as_str()), "the cases hold a section that this test does not know: {key}");
    }
    for case in array(&file["string_of_features"]) {
        assert_eq!(words(&case["in"]).to_string(), text(&case["out"]));
    }
    for case in array(&file["features_of_string"]) {
        assert_eq!(parsed(&case["in"]).unwrap(), words(&case["out"]));
    }
    for case in array(&file["roundtrip_features"]) {
        let set = words(case);
        assert_eq!(set.to_string().parse::<Featureset>().unwrap(), set);
    }
    for case in array(&file["roundtrip_strings"]) {
        assert_eq!(parsed(case).unwrap().to_string(), text(case));
    }
    for case in array(&file["parse_failure"]) {
        let expected = json!({"error": case["error"], "arg": case["error_param"]});
        assert_eq!(parsed(&case["in"]).unwrap_err(), expected);
    }
    for case in array(&file["zero_extend"]) {
        let len = usize::try_from(case["len"].as_u64().unwrap()).unwrap();
        assert_eq!(words(&case["arr"]).zero_extend(len), words(&case["out"]));
    }
    each(&file, "extend", ["arr0", "arr1"], |a, b| decimal(&a.extend(b)), "out");
    each(&file, "intersect", ["left", "right"], |a, b| decimal(&a.intersect(b)), "out");
    each(&file, "is_equal", ["left", "right"], |a, b| a.is_equal(b).into(), "out");
    each(&file, "comparisons", ["left", "right"], |a, b| a.is_subset(b).into(), "is_subset");
    each(&file, "comparisons", ["left", "right"], |a, b| a.is_strict_subset(b).into(), "is_strict_subset");
}

/// The pool's CPU facts as the model holds them, out of the server's map of texts.
fn pool_cpu(map: &Json) -> PoolCpu {
    PoolCpu {
        vendor: vendor(map),
        cpu_count: number(map, "cpu_count"),
        socket_count: number(map, "socket_count"),
        features_pv: features(map, "features_pv"),
        features_hvm: features(map, "features_hvm"),
        features_pv_host: features(map, "features_pv_host"),
        features_hvm_host: features(map, "features_hvm_host"),
    }
}

fn host_cpu(map: &Json) -> HostCpu {
    let pool = pool_cpu(map);
    HostCpu {
        vendor: pool.vendor,
        cpu_count: pool.cpu_count,
        socket_count: pool.socket_count,
        features_pv: pool.features_pv,
        features_hvm: pool.features_hvm,
        features_pv_host: pool.features_pv_host,
        features_hvm_host: pool.features_hvm_host,
        features: features(map, "features"),
        ..HostCpu::default()
    }
}

fn number(map: &Json, key: &str) -> Known<i64> {
    map.get(key).map_or_else(Known::absent, |value| text(value).parse::<i64>().unwrap().into())
}

fn features(map: &Json, key: &str) -> Known<Featureset> {
    map.get(key).map_or_else(Known::absent, |value| parsed(value).unwrap().into())
}

#[test]
fn cpu_info_reads_and_writes_as_the_server_does() {
    let Some(file) = load("xapi-cpuid-cases.json") else { return };
    let fields = |cpu: &PoolCpu| {
        json!({
            "vendor": cpu.vendor.get(), "socket_count": cpu.socket_count.get(), "cpu_count": cpu.cpu_count.get(),
            "features_pv": cpu.features_pv.get().map(decimal), "features_hvm": cpu.features_hvm.get().map(decimal),
        })
    };
    for case in array(&file["accessors"]) {
        assert_eq!(fields(&pool_cpu(&case["in"])), case["out"]);
    }
    for case in array(&file["setters"]).iter().chain(array(&file["modifiers_identity"])) {
        let read = pool_cpu(&case["out"]);
        let written = json!({
            "vendor": read.vendor.get(), "socket_count": read.socket_count.get().map(i64::to_string),
            "cpu_count": read.cpu_count.get().map(i64::to_string), "features_pv": read.features_pv.get(),
            "features_hvm": read.features_hvm.get(),
        });
        assert_eq!(written, case["out"]);
        if case["in"]["cpu_count"].is_number() {
            assert_eq!(fields(&read), case["in"]);
        } else {
            assert_eq!(written, case["in"]);
        }
    }
}

#[test]
fn vms_are_started_with_the_pool_s_level() {
    let Some(file) = load("xapi-cpuid-cases.json") else { return };
    let section = &file["next_boot_cpu_features"];
    let pool = pool_cpu(&section["pool_cpu_info"]);
    for case in array(&section["cases"]) {
        for (vm, out) in array(&case["vms"]).iter().zip(array(&case["out"])) {
            let guest = Guest::of_domain_type(text(&vm[1])).unwrap();
            assert_eq!(next_boot_features(&pool, guest).get().unwrap().to_string(), text(out));
        }
    }
}

#[test]
fn vms_may_move_where_the_server_lets_them() {
    let Some(file) = load("xapi-cpuid-cases.json") else { return };
    let section = &file["assert_vm_is_compatible"];
    let host = Host { cpu: Known::Yes(host_cpu(&section["host_cpu_info"])), ..Host::default() };
    for case in array(&section["cases"]) {
        let flags = &case["last_boot_CPU_flags"];
        let vm = Vm {
            power_state: text(&case["power_state"]).to_owned().into(),
            current_domain_type: text(&case["domain_type"]).to_owned().into(),
            last_boot_vendor: flags.get("vendor").map(|vendor| text(vendor).to_owned()).into(),
            last_boot_features: flags.get("features").map(|set| parsed(set).unwrap()).into(),
            ..Vm::default()
        };
        let Known::Yes(refusal) = may_move(&vm, &host) else { panic!("undecided: {case}") };
        assert_eq!(refusal.is_none(), case["ok"], "{case}");
        let reason = refusal.map(|refusal| Json::from(refusal.text()));
        assert_eq!(reason.as_ref(), case["error"].get("reason"), "{case}");
    }
}

#[test]
fn the_pool_s_level_is_the_server_s_in_every_shape() {
    let Some(file) = load("xapi-cpuid-cases.json") else { return };
    for case in array(&file["pool_cpuinfo"]) {
        let hosts: Vec<_> =
            array(&case["hosts"]).iter().enumerate().map(|(index, host)| level_host(index, host)).collect();
        for (shape, expected) in [(Shape::Both, "expected_old"), (Shape::DefaultOnly, "expected_new")] {
            let level = Level::of(shape, &hosts);
            let counted: Vec<_> = hosts
                .iter()
                .filter(|host| !level.skipped.iter().any(|name| host.name_label.text() == Some(name)))
                .map(|host| host.cpu.get().unwrap())
                .collect();
            let sum = |count: fn(&HostCpu) -> &Known<i64>| {
                counted.iter().map(|cpu| count(cpu).get().unwrap()).sum::<i64>().to_string()
            };
            let mut found = json!({
                "vendor": counted.last().unwrap().vendor.get(), "cpu_count": sum(|cpu| &cpu.cpu_count),
                "socket_count": sum(|cpu| &cpu.socket_count),
                "features_pv_host": level.pv_default.get(), "features_hvm_host": level.hvm_default.get(),
            });
            if shape == Shape::Both {
                found["features_pv"] = json!(level.pv_max.get());
                found["features_hvm"] = json!(level.hvm_max.get());
            } else {
                let skipped: Vec<_> =
                    array(&case["expected_new_skipped_host_indexes"]).iter().map(Json::to_string).collect();
                assert_eq!(level.skipped, skipped, "{}", case["name"]);
            }
            assert_eq!(sorted(&found), sorted(&case[expected]), "{} {shape:?}", case["name"]);
        }
    }
}

fn sorted(map: &Json) -> BTreeMap<String, Json> {
    map.as_object().unwrap().clone().into_iter().collect()
}

fn level_host(index: usize, host: &Json) -> Host {
    let capabilities = if host["hvm_capable"] == true { vec!["xen-3.0-x86_64", "hvm-3.0-x86_64"] } else { vec![] };
    Host {
        name_label: index.to_string().into(),
        capabilities: capabilities.into_iter().map(str::to_owned).collect::<Vec<_>>().into(),
        cpu: Known::Yes(host_cpu(&host["cpu_info"])),
        ..Host::default()
    }
}

#[test]
fn every_bit_has_the_name_that_xen_gives_it() {
    let Some(file) = load("featureset.json") else { return };
    let mut count = 0;
    for word in array(&file) {
        let index = usize::try_from(word["word"].as_u64().unwrap()).unwrap();
        assert_eq!(names::words()[index].short, word["short"]);
        for (bit, name) in word["bits"].as_object().unwrap() {
            let feature = index * 32 + bit.parse::<usize>().unwrap();
            let xen = &word["xen_annotations"][bit];
            assert_eq!(names::name(feature), text(name));
            assert_eq!(names::find(text(name)), Some(feature));
            assert_eq!(names::offered(feature), text(&xen["attr"]), "{name}");
            assert_eq!(names::adds_up(feature), xen["or_across_pool"], "{name}");
            count += 1;
        }
    }
    assert_eq!(count, 287);
    let aliases = load("xen-cpuid-name-aliases.json").unwrap();
    for alias in array(&aliases["aliases"]) {
        let index = names::words().iter().position(|word| alias["word"] == word.short).unwrap();
        let feature = index * 32 + usize::try_from(alias["bit"].as_u64().unwrap()).unwrap();
        assert!(names::aliases(feature).contains(&text(&alias["xen_cpuid_4_17"])), "{alias}");
    }
}

fn any_set() -> impl Strategy<Value = Featureset> {
    prop::collection::vec(prop_oneof![any::<u32>(), Just(0), Just(u32::MAX)], 0..24).prop_map(Featureset::new)
}

/// A set that is not the identity.
fn real_set() -> impl Strategy<Value = Featureset> {
    any_set().prop_filter("not the identity", |set| !set.is_identity())
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(set in any_set()) {
        prop_assert_eq!(set.to_string().parse::<Featureset>().unwrap(), set);
    }

    #[test]
    fn reading_never_panics(text in "[0-9a-fA-F_ x-]{0,40}") {
        if let Ok(set) = text.parse::<Featureset>() {
            prop_assert_eq!(set.to_string().parse::<Featureset>().unwrap(), set);
        }
    }

    #[test]
    fn intersect_is_commutative_associative_and_idempotent(a in any_set(), b in any_set(), c in any_set()) {
        prop_assert_eq!(a.intersect(&b), b.intersect(&a));
        prop_assert_eq!(a.intersect(&b).intersect(&c), a.intersect(&b.intersect(&c)));
        prop_assert_eq!(a.intersect(&a), a);
    }

    #[test]
    fn the_identity_leaves_everything_as_it_is(a in any_set()) {
        let identity = Featureset::default();
        prop_assert_eq!(&a.intersect(&identity), &a);
        prop_assert_eq!(&identity.intersect(&a), &a);
        prop_assert!(a.is_subset(&identity));
        prop_assert_eq!(identity.is_subset(&a), a.has_none());
    }

    #[test]
    fn the_level_does_not_depend_on_the_order_of_hosts(
        (sets, shuffled) in prop::collection::vec(any_set(), 0..8)
            .prop_flat_map(|sets| (Just(sets.clone()), Just(sets).prop_shuffle())),
    ) {
        let fold = |sets: &[Featureset]| sets.iter().fold(Featureset::default(), |pool, host| pool.intersect(host));
        prop_assert!(fold(&sets).is_equal(&fold(&shuffled)));
    }

    #[test]
    fn the_fold_over_text_is_the_fold_over_words(sets in prop::collection::vec(any_set(), 0..6)) {
        let words = sets.iter().fold(Featureset::default(), |pool, host| pool.intersect(host));
        let text = sets.iter().try_fold(String::new(), |pool, host| Featureset::pool_combine(&pool, &host.to_string()));
        prop_assert_eq!(text.unwrap(), words.to_string());
    }

    #[test]
    fn subsets_are_sets_inclusion_but_for_the_identity(a in real_set(), b in real_set()) {
        let inclusion = a.features().all(|feature| b.has(feature));
        prop_assert_eq!(a.is_subset(&b), inclusion);
        prop_assert_eq!(a.is_strict_subset(&b), inclusion && a.count() < b.count());
        prop_assert!(a.intersect(&b).is_subset(&a));
        prop_assert_eq!(a.is_subset(&b), a.diff(&b).has_none());
        prop_assert_eq!(a.is_equal(&b), a.is_subset(&b) && b.is_subset(&a));
    }

    #[test]
    fn difference_and_intersection_part_a_set(a in real_set(), b in real_set()) {
        let (kept, lost) = (a.intersect(&b), a.diff(&b));
        prop_assert!(kept.union(&lost).is_equal(&a));
        prop_assert!(kept.intersect(&lost).has_none());
    }

    #[test]
    fn padding_changes_nothing_but_length(a in real_set(), more in 0usize..5) {
        let padded = a.zero_extend(a.words().len() + more);
        prop_assert!(padded.is_equal(&a));
        prop_assert_eq!(padded.features().collect::<Vec<_>>(), a.features().collect::<Vec<_>>());
    }

    #[test]
    fn compatibility_ignores_only_words_beyond_the_host(vm in real_set(), host in real_set()) {
        let within = vm.features().filter(|feature| feature / 32 < host.words().len()).all(|feature| host.has(feature));
        prop_assert_eq!(vm.is_compatible_with(&host), within);
    }

    #[test]
    fn setting_and_clearing_a_feature(a in any_set(), feature in 0usize..700) {
        let mut changed = a.clone();
        changed.set(feature, true);
        prop_assert!(changed.has(feature));
        changed.set(feature, false);
        prop_assert!(!changed.has(feature));
        changed.set(feature, a.has(feature));
        prop_assert!(changed.is_equal(&a));
    }
}
