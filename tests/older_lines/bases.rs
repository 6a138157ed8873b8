//! A good pair of every release line: the fixtures', and from them those of the lines between.

use serde_json::{Value as Json, json};

use crate::common::judge::fixture_json;
use crate::table::{CH82, NEWEST, V22_20, V26_1, XS70, XS71, XS73, XS74, XS75, XS76};

/// Both sides of a case, as snapshots.
#[derive(Clone)]
pub(crate) struct Sides {
    pub(crate) line: usize,
    pub(crate) pool: Json,
    pub(crate) joiner: Json,
}

/// How a line shows itself: the fixtures that it comes from, its API version, and what `software_version` says.
struct Shape {
    pair: (&'static str, &'static str),
    api_minor: i64,
    api_major: i64,
    software: &'static [(&'static str, &'static str)],
}

const XS62: (&str, &str) = ("xenserver-6.2-1-host", "candidate-6.2");
const XS65: (&str, &str) = ("xenserver-6.5-masking", "candidate-6.5-twin");
const PAIR_71: (&str, &str) = ("xenserver-7.1-3-hosts", "candidate-7.1-twin");
const PAIR_76: (&str, &str) = ("xenserver-7.6-3-hosts", "candidate-7.6");
const PAIR_82: (&str, &str) = ("citrix-hypervisor-8.2-3-hosts", "candidate-ch8.2");
const PAIR_83: (&str, &str) = ("xcp-ng-8.3-5-hosts", "candidate-good");
const PAIR_9: (&str, &str) = ("xenserver-9-5-hosts", "candidate-xs9");

fn shape(line: usize) -> Shape {
    let of = |pair, api_minor, software| Shape { pair, api_major: 2, api_minor, software };
    match line {
        0 => Shape {
            pair: XS62,
            api_major: 1,
            api_minor: 10,
            software: &[("product_version", "6.1.0"), ("platform_version", "1.6.10"), ("build_number", "59235p")],
        },
        1 => of(XS62, 0, &[]),
        2 => of(XS65, 3, &[]),
        3 => of(
            PAIR_71,
            5,
            &[("product_version", "7.0.0"), ("platform_version", "2.1.0"), ("build_number", "125380c")],
        ),
        4 => of(PAIR_71, 6, &[]),
        5 => of(PAIR_76, 7, &[("product_version", "7.2.0"), ("platform_version", "2.3.0"), ("db_schema", "5.120")]),
        6 => of(PAIR_76, 8, &[("product_version", "7.3.0"), ("platform_version", "2.4.0"), ("db_schema", "5.133")]),
        7 => of(PAIR_76, 9, &[("product_version", "7.4.0"), ("platform_version", "2.5.0"), ("db_schema", "5.134")]),
        8 => of(PAIR_76, 10, &[("product_version", "7.5.0"), ("platform_version", "2.6.0"), ("db_schema", "5.142")]),
        9 => of(PAIR_76, 11, &[]),
        10 => of(PAIR_76, 12, &[("product_version", "8.0.0"), ("platform_version", "3.0.0"), ("db_schema", "5.400")]),
        11 => of(PAIR_82, 14, &[("product_version", "8.1.0"), ("platform_version", "3.1.0"), ("db_schema", "5.504")]),
        12 => of(PAIR_82, 15, &[]),
        13 => of(PAIR_83, 20, &[("xapi", "22.20"), ("xapi_build", "22.20.0"), ("db_schema", "5.752")]),
        14 => of(PAIR_83, 20, &[("xapi", "23.19"), ("xapi_build", "23.19.2"), ("db_schema", "5.764")]),
        15 => of(PAIR_83, 21, &[("xapi", "24.19"), ("xapi_build", "24.19.2"), ("db_schema", "5.779")]),
        16 => of(PAIR_83, 21, &[("xapi", "24.39"), ("xapi_build", "24.39.1"), ("db_schema", "5.785")]),
        17 => of(PAIR_83, 21, &[]),
        18 => of(PAIR_9, 21, &[("xapi", "25.33"), ("xapi_build", "25.33.1"), ("db_schema", "5.791")]),
        19 => of(PAIR_9, 21, &[("xapi", "26.1"), ("xapi_build", "26.1.12"), ("db_schema", "5.799")]),
        _ => of(PAIR_9, 23, &[]),
    }
}

/// The good pair of a line.
pub(crate) fn base(line: usize) -> Sides {
    let shape = shape(line);
    let (pool, joiner) = shape.pair;
    let mut sides = Sides { line, pool: fixture_json(pool), joiner: fixture_json(joiner) };
    for side in [&mut sides.pool, &mut sides.joiner] {
        let pool = &mut side["pool"];
        for host in pool["hosts"].as_array_mut().unwrap() {
            host["api_version_major"] = shape.api_major.into();
            host["api_version_minor"] = shape.api_minor.into();
            for (key, value) in shape.software {
                host["software_version"][key] = (*value).into();
            }
        }
        older(line, pool);
    }
    sides
}

fn absent() -> Json {
    json!({ "$unknown": "absent-on-release" })
}

/// Takes away what a line between two fixtures does not have yet.
fn older(line: usize, pool: &mut Json) {
    if (XS70..XS71).contains(&line) {
        for list in ["patches", "host_patches"] {
            pool[list] = json!([]);
        }
        pool["updates"] = absent();
        for host in pool["hosts"].as_array_mut().unwrap() {
            host["patches"] = json!([]);
            host["updates"] = absent();
            host["control_domain"] = absent();
            host["software_version"].as_object_mut().unwrap().remove("db_schema");
        }
    }
    if (XS71..XS75).contains(&line) {
        pool["network_sriovs"] = absent();
    }
    if (XS71..XS76).contains(&line) {
        pool["clusters"] = absent();
        pool["cluster_hosts"] = absent();
    }
    if (XS71..XS74).contains(&line) {
        for network in pool["networks"].as_array_mut().unwrap() {
            network["purpose"] = absent();
        }
    }
    if (XS71..XS73).contains(&line) {
        for update in pool["updates"].as_array_mut().unwrap() {
            update["enforce_homogeneity"] = absent();
        }
    }
    if (XS74..CH82).contains(&line) {
        pool["certificates"] = absent();
    }
    if (V22_20..V26_1).contains(&line) {
        for certificate in pool["certificates"].as_array_mut().unwrap() {
            certificate["purpose"] = absent();
        }
    }
    if (V22_20..=V22_20 + 2).contains(&line) {
        for host in pool["hosts"].as_array_mut().unwrap() {
            host["cpu"]["nr_nodes"] = absent();
        }
    }
    assert!(line <= NEWEST);
}

impl Sides {
    pub(crate) fn host(&mut self) -> &mut Json {
        &mut self.joiner["pool"]["hosts"][0]
    }

    /// The record of the pool's coordinator.
    pub(crate) fn coordinator(&mut self) -> &mut Json {
        let reference = self.pool["pool"]["coordinator"].clone();
        let hosts = self.pool["pool"]["hosts"].as_array_mut().unwrap();
        hosts.iter_mut().find(|host| host["reference"] == reference).unwrap()
    }

    /// The joiner's management interface.
    pub(crate) fn management(&mut self) -> &mut Json {
        let pifs = self.joiner["pool"]["pifs"].as_array_mut().unwrap();
        pifs.iter_mut().find(|pif| pif["management"] == true).unwrap()
    }

    /// Adds a record to one of the joiner's lists, which a release may not have had until now.
    pub(crate) fn push(&mut self, list: &str, record: Json) {
        push(&mut self.joiner["pool"], list, record);
    }

    /// Adds a record to one of the pool's lists.
    pub(crate) fn push_pool(&mut self, list: &str, record: Json) {
        push(&mut self.pool["pool"], list, record);
    }

    /// Adds an interface to the joiner that is no NIC; returns its reference.
    pub(crate) fn add_logical(&mut self, device: &str, tag: i64) -> String {
        let mut pif = self.joiner["pool"]["pifs"][1].clone();
        let reference = format!("OpaqueRef:{device}-{tag}");
        pif["reference"] = reference.clone().into();
        pif["uuid"] = format!("{device}-{tag}").into();
        pif["device"] = device.into();
        pif["vlan"] = tag.into();
        pif["physical"] = false.into();
        pif["management"] = false.into();
        pif["ip"] = "".into();
        self.push("pifs", pif);
        reference
    }
}

fn push(pool: &mut Json, list: &str, record: Json) {
    if !pool[list].is_array() {
        pool[list] = json!([]);
    }
    pool[list].as_array_mut().unwrap().push(record);
}
