//! Fleets that are made for tests: pools and candidates from the fixtures, made-up hosts' records, and faults sprinkled in.

use std::fs;
use std::path::PathBuf;

use poolgate::snapshot::read_snapshot;
use serde_json::{Map, Value as Json, json};

/// A small generator of numbers, the same everywhere (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A fixture's text as one line.
pub(crate) fn fixture_line(stem: &str) -> Json {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/{stem}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Pools of the fixtures with candidates for each.
const GROUPS: &[(&str, &[&str])] = &[
    ("xcp-ng-8.3-5-hosts", &["candidate-good", "candidate-twin", "candidate-trouble", "candidate-amd"]),
    ("xcp-ng-8.3-5-hosts", &["candidate-older-intel", "candidate-good", "candidate-hvm-off", "candidate-unknown"]),
    ("xcp-ng-8.3-5-hosts", &["candidate-member", "candidate-mixed-cores", "candidate-twin"]),
    ("xenserver-6.5-masking", &["candidate-6.5-maskable", "candidate-6.5-unmaskable", "candidate-6.5-twin"]),
    ("xenserver-7.1-3-hosts", &["candidate-7.1", "candidate-7.1-twin"]),
    ("xenserver-7.6-3-hosts", &["candidate-7.6", "candidate-good"]),
    ("citrix-hypervisor-8.2-3-hosts", &["candidate-ch8.2", "candidate-xcp8.2"]),
    ("xcp-ng-8.2-1-host", &["candidate-xcp8.2"]),
    ("xenserver-8-1-host", &["candidate-xs8-twin", "candidate-xs8"]),
    ("xenserver-9-5-hosts", &["candidate-xs9", "candidate-amd"]),
    ("xenserver-6.2-1-host", &["candidate-6.2", "candidate-good"]),
];

/// Lines of snapshots, each with its `group`, with some of their facts changed or taken away.
pub(crate) fn of_fixtures(random: &mut Random, faults: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, (pool, candidates)) in GROUPS.iter().enumerate() {
        for stem in std::iter::once(pool).chain(*candidates) {
            let mut line = fixture_line(stem);
            if faults && random.chance(60) {
                for _ in 0..1 + random.below(6) {
                    let mut other = line.clone();
                    spoil(&mut other["pool"], random);
                    // What is no snapshot any more is another test's.
                    if read_snapshot(other.to_string().as_bytes()).is_ok() {
                        line = other;
                    }
                }
            }
            line["group"] = json!(format!("group {index}"));
            lines.push(line.to_string());
        }
    }
    lines
}

/// Changes one fact somewhere below: takes it away, makes it unknown, or gives it another value.
fn spoil(value: &mut Json, random: &mut Random) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(random.below(map.len())).unwrap().clone();
            let inner = &mut map[&key];
            let deep = inner.is_object() || inner.is_array();
            if deep && random.chance(85) {
                return spoil(inner, random);
            }
            match (random.below(4), &*inner) {
                (0, _) => drop(map.remove(&key)),
                (1, _) => *inner = json!({"$unknown": "permission-denied"}),
                (_, Json::Bool(flag)) => *inner = json!(!flag),
                (_, Json::Number(number)) => *inner = json!(number.as_i64().unwrap_or(0) + 1),
                (_, Json::String(text)) => *inner = json!(changed(text, random)),
                _ => *inner = json!({"$unknown": "not-collected"}),
            }
        }
        Json::Array(list) if !list.is_empty() => {
            let at = random.below(list.len());
            spoil(&mut list[at], random);
        }
        _ => {}
    }
}

/// Another text of the same kind: feature words and times stay readable.
fn changed(text: &str, random: &mut Random) -> String {
    let at = text.char_indices().filter(|(_, letter)| letter.is_ascii_digit()).map(|(at, _)| at);
    let digits: Vec<_> = at.collect();
    match digits.get(random.below(digits.len().max(1))) {
        Some(at) => format!("{}{}{}", &text[..*at], random.below(10), &text[at + 1..]),
        None => format!("{text}x"),
    }
}

/// Pools of made-up hosts' records, the first line of each with the pool's records where `rich`.
pub(crate) fn of_records(random: &mut Random, pools: usize, rich: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for pool in 0..pools {
        let size = 1 + random.below(7);
        for at in 0..size {
            let reference = format!("OpaqueRef:{pool}-{at}");
            let mut line = json!({"snapshot": {"taken": "2026-01-01T00:00:00Z"}, "ref": reference});
            line["host"] = host(random, pool, at);
            if rich && (at == 0 || random.chance(30)) {
                let records = records(random, &reference, at == 0);
                line.as_object_mut().unwrap().extend(records);
            }
            for _ in 0..random.below(3) {
                let host = line["host"].as_object_mut().unwrap();
                let key = host.keys().nth(random.below(host.len())).unwrap().clone();
                if !matches!(key.as_str(), "uuid" | "name_label" | "cpu_info") {
                    let value = [json!(null), json!("odd"), json!(7), json!([]), json!({"a": "b"})];
                    host[&key] = value[random.below(value.len())].clone();
                }
            }
            lines.push(line.to_string());
        }
    }
    lines
}

const HVM: [&str; 4] = [
    "1fcbfbff-f7fa3223-2c100800-00000121-0000000f-f1bf0fab-00405f4e-00000100-00000000-bc000400-00000000",
    "1fcbfbff-f7fa3223-2c100800-00000121-0000000f-d1bf0fab-00405f4e-00000100-00000000-bc000400-00000000",
    "1fcbfbff-77fa3203-2c100800-00000121-0000000f-219c0fab-00000008-00000100-00000000-9c000400-00000000",
    "178bfbff-f6f83203-2e500800-440001f3-0000000f-219c01a9-00400004-00000500-0111d005-00000000-00000000",
];

fn host(random: &mut Random, pool: usize, at: usize) -> Json {
    let set = random.below(HVM.len());
    let vendor = if set == 3 { "AuthenticAMD" } else { "GenuineIntel" };
    let version = ["8.2.1", "8.3.0"][random.below(8) / 7];
    let iqn = if random.chance(20) { "iqn.same".to_owned() } else { format!("iqn.{pool}.{at}") };
    json!({
        "uuid": format!("{pool:08x}-0000-0000-0000-{at:012x}"), "name_label": format!("node-{pool:03}-{at:02}"),
        "hostname": "node", "address": format!("10.0.{pool}.{at}"), "enabled": true,
        "API_version_major": 2, "API_version_minor": if version == "8.3.0" { 21 } else { 16 },
        "software_version": {"product_version": version, "platform_name": "XCP", "platform_version": "3.4.0",
            "product_brand": "XCP-ng", "xapi": "24.19", "xapi_build": "24.19.2", "db_schema": "5.780", "git_id": "0",
            "network_backend": "openvswitch", "build_number": "cloud"},
        "other_config": {}, "capabilities": ["xen-3.0-x86_64", "hvm-3.0-x86_64"], "PIFs": [], "updates": [], "patches": [],
        "cpu_info": {"cpu_count": "32", "socket_count": "2", "vendor": vendor, "modelname": "CPU", "family": "6",
            "model": "85", "stepping": "4", "flags": "fpu", "features_hvm": HVM[set], "features_pv": HVM[set],
            "features_hvm_host": HVM[set], "features_pv_host": HVM[set]},
        "license_params": {"restrict_pool_size": "false", "expiry": "20370101T00:00:00Z"},
        "edition": "xcp-ng", "external_auth_type": "", "iscsi_iqn": iqn, "multipathing": random.chance(10),
        "tls_verification_enabled": true, "pending_guidances": [], "control_domain": format!("OpaqueRef:dom0-{pool}-{at}"),
        "metrics": format!("OpaqueRef:metrics-{pool}-{at}"), "suspend_image_sr": "OpaqueRef:NULL", "tags": [],
    })
}

/// What a pool's records look like beside a host; a joiner's are those of a pool of one.
fn records(random: &mut Random, host: &str, coordinator: bool) -> Map<String, Json> {
    let mut records = Map::new();
    let of = |prefix: &str| format!("{prefix}-{host}");
    let sr = if random.chance(20) { "same".to_owned() } else { of("sr") };
    let address_type = if random.chance(10) { "IPv6" } else { "IPv4" };
    let state = if coordinator || random.chance(20) { "Running" } else { "Halted" };
    if coordinator {
        records.insert("pool".to_owned(), json!({of("pool"): {
            "uuid": of("uuid"), "name_label": "prod", "master": host, "default_SR": of("sr"), "ha_enabled": random.chance(10),
            "tls_verification_enabled": true, "other_config": {}, "restrictions": {"restrict_pool_size": "false"},
        }}));
    }
    records.insert("network".to_owned(), json!({of("net"): {
        "uuid": of("net"), "name_label": "eth0", "bridge": "xenbr0", "MTU": 1500, "other_config": {}, "managed": true,
    }}));
    records.insert("PIF".to_owned(), json!({of("pif"): {
        "uuid": of("pif"), "device": "eth0", "network": of("net"), "host": host, "MAC": "00:11:22:33:44:55", "MTU": 1500,
        "VLAN": -1, "physical": true, "currently_attached": true, "ip_configuration_mode": "Static", "IP": "10.0.0.1",
        "netmask": "255.255.255.0", "management": true, "bond_slave_of": "OpaqueRef:NULL", "bond_master_of": [],
        "primary_address_type": address_type, "other_config": {}, "managed": true,
    }}));
    records.insert(
        "SR".to_owned(),
        json!({sr.clone(): {
            "uuid": sr, "name_label": "NFS", "type": "nfs", "shared": coordinator, "PBDs": [], "other_config": {},
        }}),
    );
    records.insert(
        "VM".to_owned(),
        json!({of("vm"): {
            "uuid": of("vm"), "name_label": "web", "power_state": state,
            "is_a_template": false, "is_control_domain": false, "is_a_snapshot": false, "resident_on": host,
            "last_boot_CPU_flags": {"vendor": "GenuineIntel", "features": HVM[random.below(2)]}, "domain_type": "hvm",
            "current_operations": {}, "other_config": {},
        }}),
    );
    for class in ["Bond", "VLAN", "tunnel", "PBD", "Certificate", "network_sriov", "Cluster_host", "SDN_controller"] {
        if random.chance(80) {
            records.insert(class.to_owned(), json!({}));
        }
    }
    records
}
