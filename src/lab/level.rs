//! What the server folds over its hosts: the CPU level, and what the licences allow.

use serde_json::{Map, Value, json};

use super::db::{Db, Fields, entries, key, list};
use crate::facts::Featureset;

/// The feature sets that a level may consist of; the ones before 8.1 tell no default from a largest set.
const SETS: [&str; 4] = ["features_hvm", "features_pv", "features_hvm_host", "features_pv_host"];

/// Recomputes `pool.cpu_info` (7.0 and newer): counts added, sets intersected, in the shape that it has.
pub(super) fn recompute(db: &mut Db) {
    let Some(Value::Object(old)) = db.pool().1.get("cpu_info").cloned() else { return };
    let mut sets: Vec<(&str, Featureset)> =
        SETS.into_iter().filter(|set| old.contains_key(*set)).map(|set| (set, Featureset::default())).collect();
    let (mut cores, mut sockets, mut vendor) = (0_i64, 0_i64, String::new());
    // The fold takes the last host's vendor.
    for (_, host) in db.each("host") {
        let count = |name| key(host, "cpu_info", name).and_then(|text| text.parse::<i64>().ok());
        let (Some(own), Some(more)) = (key(host, "cpu_info", "vendor"), count("cpu_count")) else { continue };
        vendor = own.to_owned();
        cores += more;
        sockets += count("socket_count").unwrap_or(0);
        for (set, level) in &mut sets {
            if set.contains("hvm") && !list(host, "capabilities").any(|entry| entry.contains("hvm")) {
                continue;
            }
            if let Some(own) = of_host(host, set) {
                *level = level.intersect(&own);
            }
        }
    }
    let mut info = Map::new();
    for (name, old) in old {
        let value = match name.as_str() {
            "cpu_count" => json!(cores.to_string()),
            "socket_count" => json!(sockets.to_string()),
            "vendor" => json!(vendor),
            other => sets.iter().find(|(set, _)| *set == other).map_or(old, |(_, level)| json!(level.to_string())),
        };
        info.insert(name, value);
    }
    db.set_pool("cpu_info", Value::Object(info));
}

/// A host's set; where it has no default set, its largest stands in.
fn of_host(host: &Fields, set: &str) -> Option<Featureset> {
    let found = key(host, "cpu_info", set).or_else(|| key(host, "cpu_info", set.strip_suffix("_host")?));
    found?.parse().ok()
}

/// What is let where nothing is said; everything else is restricted then.
const OPEN: [&str; 5] =
    ["restrict_xen_motion", "restrict_ad", "restrict_updates", "restrict_vm_start", "restrict_vm_appliance_start"];

/// Recomputes `pool.restrictions`: what one host's licence restricts is restricted in the whole pool.
pub(super) fn restrict(db: &mut Db) {
    let known: Vec<String> = entries(db.pool().1, "restrictions").map(|(name, _)| name.clone()).collect();
    let said = |host: &Fields, name: &str| match key(host, "license_params", name) {
        Some(text) => text == "true",
        None => !OPEN.contains(&name),
    };
    // A database whose hosts carry no restrictions, as record dumps may, keeps what it has.
    let carries = |host: &Fields| entries(host, "license_params").any(|(name, _)| name.starts_with("restrict_"));
    if !db.each("host").all(|(_, host)| carries(host)) {
        return;
    }
    let mut restrictions = Map::new();
    for name in known {
        let any = db.each("host").any(|(_, host)| said(host, &name));
        restrictions.insert(name, json!(any.to_string()));
    }
    db.set_pool("restrictions", Value::Object(restrictions));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joiner_with_less_lowers_the_level_and_the_licence() {
        let host = |features: &str, licence: &str| {
            json!({
                "capabilities": ["hvm-3.0-x86_64"],
                "cpu_info": {"vendor": "GenuineIntel", "cpu_count": "8", "socket_count": "1", "features_hvm_host": features,
                    "features_pv": features},
                "license_params": {"restrict_pool_size": licence},
            })
        };
        let records = json!({
            "pool": {"p": {"master": "a", "restrictions": {"restrict_pool_size": "false"},
                "cpu_info": {"cpu_count": "8", "socket_count": "1", "vendor": "GenuineIntel", "features_hvm_host": "ff",
                    "features_pv_host": "ff"}}},
            "host": {"a": host("000000ff-0000000f", "false"), "b": host("0000000f", "true")},
        });
        let mut db = Db::from_records(records.as_object().unwrap());
        recompute(&mut db);
        restrict(&mut db);
        let (_, pool) = db.pool();
        assert_eq!(key(pool, "cpu_info", "features_hvm_host"), Some("0000000f-00000000"));
        assert_eq!(key(pool, "cpu_info", "features_pv_host"), Some("0000000f-00000000"));
        assert_eq!(key(pool, "cpu_info", "cpu_count"), Some("16"));
        assert_eq!(key(pool, "restrictions", "restrict_pool_size"), Some("true"));
    }
}
