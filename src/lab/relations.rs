//! The fields that the server derives from others: the lists on the far side of a reference.

use std::collections::BTreeMap;

use serde_json::json;

use super::db::{Db, is_null, text};

/// Class and field that point, class and field that list who points.
const LISTS: [(&str, &str, &str, &str); 10] = [
    ("PIF", "network", "network", "PIFs"),
    ("PIF", "host", "host", "PIFs"),
    ("VIF", "network", "network", "VIFs"),
    ("VIF", "VM", "VM", "VIFs"),
    ("VBD", "VM", "VM", "VBDs"),
    ("PBD", "SR", "SR", "PBDs"),
    ("PBD", "host", "host", "PBDs"),
    ("VDI", "SR", "SR", "VDIs"),
    ("VM", "resident_on", "host", "resident_VMs"),
    ("host_cpu", "host", "host", "host_CPUs"),
];

/// Brings all lists in line with what points.
pub(super) fn refresh(db: &mut Db) {
    for (class, field, target, list) in LISTS {
        let mut pointing: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (reference, record) in db.each(class).filter(|(_, record)| !is_null(text(record, field))) {
            pointing.entry(text(record, field).to_owned()).or_default().push(reference.to_owned());
        }
        let targets: Vec<_> = db.each(target).map(|(reference, _)| reference.to_owned()).collect();
        for reference in targets {
            let value = json!(pointing.remove(&reference).unwrap_or_default());
            if db.get(target, &reference).is_some_and(|record| record.get(list) != Some(&value)) {
                db.set(target, &reference, list, value);
            }
        }
    }
}
