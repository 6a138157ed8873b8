//! Changes of records: fields that a join depends on get another value, records come, go and double.

use serde_json::{Map, Value, json};

use super::Records;
use super::random::Random;

/// Fields that a check may read, by class.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "pool",
        &[
            "ha_enabled",
            "restrictions",
            "tls_verification_enabled",
            "current_operations",
            "cpu_info",
            "other_config",
            "vswitch_controller",
        ],
    ),
    (
        "host",
        &[
            "uuid",
            "name_label",
            "edition",
            "software_version",
            "API_version_major",
            "API_version_minor",
            "cpu_info",
            "external_auth_type",
            "external_auth_service_name",
            "pending_guidances",
            "updates",
            "control_domain",
        ],
    ),
    ("VM", &["power_state", "current_operations", "is_control_domain", "name_label", "is_a_template", "resident_on"]),
    ("PIF", &["management", "VLAN", "IP", "primary_address_type", "physical", "network", "bond_master_of"]),
    ("network", &["bridge", "purpose"]),
    ("SR", &["shared", "is_tools_sr"]),
    ("SM", &["type", "features"]),
    ("Certificate", &["type", "name", "fingerprint_sha256", "purpose"]),
    ("Cluster", &["pool_auto_join"]),
    ("Cluster_host", &["enabled", "PIF", "host"]),
    ("SDN_controller", &["protocol", "address", "port"]),
    ("VLAN", &["untagged_PIF", "tag"]),
    ("pool_update", &["uuid", "enforce_homogeneity"]),
];

/// Records that a side may get, as `class: fields`; `{host}` and `{pif}` are references of that side.
fn newcomer(class: &str, own: &Records, random: &mut Random) -> Option<Value> {
    let host = reference(own, "host", random)?;
    let pif = reference(own, "PIF", random)?;
    let network = reference(own, "network", random)?;
    Some(match class {
        "Bond" => {
            json!({"uuid": "b", "master": pif, "slaves": [pif], "mode": "active-backup", "other_config": {}, "properties": {}})
        }
        "tunnel" => json!({"uuid": "t", "access_PIF": pif, "transport_PIF": pif, "status": {}, "other_config": {}}),
        "network_sriov" => json!({"uuid": "n", "physical_PIF": pif, "logical_PIF": pif, "requires_reboot": false}),
        "VLAN" => json!({"uuid": "v", "tagged_PIF": pif, "untagged_PIF": pif, "tag": 7, "other_config": {}}),
        "SDN_controller" => {
            json!({"uuid": "s", "protocol": random.pick(&["ssl", "pssl"]), "address": random.pick(&["", "10.0.0.1"]), "port": *random.pick(&[0, 6640])})
        }
        "Certificate" => json!({
            "uuid": "c", "type": random.pick(&["ca", "pinned", "host"]), "name": random.pick(&["", "", "a.pem", "b.pem"]),
            "fingerprint_sha256": random.pick(&["AA", "BB"]), "fingerprint": random.pick(&["AA", "BB"]),
            "host": host, "not_before": "20260101T00:00:00Z", "not_after": "20360101T00:00:00Z",
            "purpose": random.pick(&[json!([]), json!(["licensing"]), json!(["ldaps"]), json!(["ldaps", "licensing"])]),
        }),
        "Cluster" => json!({
            "uuid": "k", "cluster_hosts": [], "pool_auto_join": !random.one_in(4), "cluster_config": {}, "other_config": {},
            "cluster_stack": "corosync", "current_operations": {}, "allowed_operations": [],
        }),
        "Cluster_host" => json!({
            "uuid": "h", "cluster": reference(own, "Cluster", random)?, "host": host, "PIF": pif, "enabled": random.one_in(2),
            "joined": true, "current_operations": {}, "allowed_operations": [], "other_config": {},
        }),
        "SR" => {
            json!({"uuid": "r", "name_label": "x", "type": "nfs", "shared": random.one_in(2), "is_tools_sr": random.one_in(3), "PBDs": [], "VDIs": [], "other_config": {}})
        }
        "SM" => {
            json!({"uuid": "m", "type": random.pick(&["ext", "nfs", "vendor"]), "name_label": "m", "features": {"SR_PROBE": 1}, "version": "1.0", "other_config": {}})
        }
        "PIF" => json!({
            "uuid": "p", "device": "eth7", "host": host, "network": network, "management": random.one_in(2),
            "VLAN": *random.pick(&[-1, 7]), "physical": random.one_in(2), "IP": random.pick(&["", "10.0.0.7"]), "MAC": "",
            "primary_address_type": random.pick(&["IPv4", "IPv6"]), "bond_master_of": [], "bond_slave_of": "OpaqueRef:NULL",
            "VLAN_master_of": "OpaqueRef:NULL", "MTU": 1500, "currently_attached": true, "other_config": {},
            "ip_configuration_mode": "Static", "netmask": "255.255.255.0", "gateway": "", "DNS": "", "IPv6": [],
            "ipv6_configuration_mode": "None", "VLAN_slave_of": [], "managed": true, "disallow_unplug": false,
        }),
        _ => return None,
    })
}

const NEWCOMERS: &[&str] = &[
    "Bond",
    "tunnel",
    "network_sriov",
    "VLAN",
    "SDN_controller",
    "Certificate",
    "Certificate",
    "Certificate",
    "Cluster",
    "Cluster_host",
    "SR",
    "SM",
    "PIF",
];

/// Changes one side; says what was done.
pub(crate) fn change(own: &mut Records, other: &Records, random: &mut Random) -> String {
    match random.below(10) {
        0 => gone(own, random),
        1 => doubled(own, random),
        2..=4 => added(own, random),
        _ => field(own, other, random),
    }
    .unwrap_or_else(|| "nothing".to_owned())
}

fn gone(own: &mut Records, random: &mut Random) -> Option<String> {
    // Without its pool or its coordinator a server does not run.
    let classes: Vec<_> =
        FIELDS.iter().map(|(class, _)| *class).filter(|class| !matches!(*class, "pool" | "host")).collect();
    let class = *random.pick(&classes);
    let reference = reference(own, class, random)?;
    own.get_mut(class)?.as_object_mut()?.shift_remove(&reference);
    // The server's own fields forget it; a plug goes with its SR.
    for (class, records) in own.iter_mut() {
        let Some(records) = records.as_object_mut() else { continue };
        records.retain(|_, record| !(class == "PBD" && record["SR"] == reference.as_str()));
        for record in records.values_mut().filter_map(Value::as_object_mut) {
            if class == "host" && record.get("control_domain").is_some_and(|domain| *domain == reference.as_str()) {
                record.insert("control_domain".to_owned(), json!("OpaqueRef:NULL"));
            }
            for list in record.values_mut().filter_map(Value::as_array_mut) {
                list.retain(|item| *item != reference.as_str());
            }
        }
    }
    Some(format!("{class} {reference} is gone"))
}

fn doubled(own: &mut Records, random: &mut Random) -> Option<String> {
    let (class, _) = *random.pick(FIELDS);
    if class == "pool" {
        return None;
    }
    let reference = reference(own, class, random)?;
    let records = own.get_mut(class)?.as_object_mut()?;
    let record = records.get(&reference)?.clone();
    let copy = format!("OpaqueRef:{:x}-copy", random.below(0xffff));
    records.insert(copy.clone(), record);
    Some(format!("{class} {reference} is there twice, as {copy}"))
}

fn added(own: &mut Records, random: &mut Random) -> Option<String> {
    let class = *random.pick(NEWCOMERS);
    let record = newcomer(class, own, random)?;
    // Releases without the class do not get it.
    let records = own.get_mut(class)?.as_object_mut()?;
    let reference = format!("OpaqueRef:{:04x}-new", random.below(0xffff));
    let told = format!("{class} {reference} is new: {record}");
    records.insert(reference, record);
    Some(told)
}

fn field(own: &mut Records, other: &Records, random: &mut Random) -> Option<String> {
    let (class, fields) = *random.pick(FIELDS);
    let field = *random.pick(fields);
    let reference = reference(own, class, random)?;
    let foreign = foreign(other, class, field, random);
    let pifs: Vec<String> = own.get("PIF")?.as_object()?.keys().cloned().collect();
    let record = own.get_mut(class)?.as_object_mut()?.get_mut(&reference)?.as_object_mut()?;
    let value = record.get(field)?;
    let new = match value {
        Value::Bool(value) => Value::Bool(!value),
        Value::Number(_) => random.pick(&[json!(-1), json!(0), json!(1), json!(7)]).clone(),
        Value::String(value) => text(field, value, foreign.as_ref(), &pifs, random),
        Value::Array(values) => list(field, values, random),
        Value::Object(map) => Value::Object(keyed(field, map, random)),
        Value::Null => return None,
    };
    let told = format!("{class} {reference}.{field} = {new}");
    record.insert(field.to_owned(), new);
    Some(told)
}

fn text(field: &str, value: &str, foreign: Option<&Value>, pifs: &[String], random: &mut Random) -> Value {
    match field {
        "power_state" => json!(random.pick(&["Halted", "Running", "Paused", "Suspended"])),
        // No word but the server's is read as a kind of certificate.
        "type" if ["ca", "pinned", "host", "host_internal"].contains(&value) => {
            json!(random.pick(&["ca", "pinned", "host", "host_internal"]))
        }
        "primary_address_type" => json!(random.pick(&["IPv4", "IPv6"])),
        "untagged_PIF" | "PIF" => json!(random.pick(pifs)),
        "control_domain" | "host" | "network" | "resident_on" => {
            foreign.cloned().unwrap_or_else(|| json!("OpaqueRef:NULL"))
        }
        _ => match random.below(4) {
            0 => json!(""),
            1 => json!(value.to_uppercase()),
            2 => foreign.cloned().unwrap_or_else(|| json!("other")),
            _ => json!(format!("{value}x")),
        },
    }
}

fn list(field: &str, values: &[Value], random: &mut Random) -> Value {
    match field {
        "purpose" => random
            .pick(&[
                json!([]),
                json!(["nbd"]),
                json!(["insecure_nbd"]),
                json!(["ldaps"]),
                json!(["licensing", "ldaps"]),
            ])
            .clone(),
        "pending_guidances" => json!([random.pick(&["reboot_host", "restart_toolstack"])]),
        _ => Value::Array(values.iter().skip(1).cloned().collect()),
    }
}

fn keyed(field: &str, map: &Map<String, Value>, random: &mut Random) -> Map<String, Value> {
    let mut map = map.clone();
    if field == "current_operations" {
        let operation = *random.pick(&["apply_updates", "ha_enable", "clone", "sync_updates"]);
        map.insert("OpaqueRef:task".to_owned(), json!(operation));
        return map;
    }
    let keys: &[&str] = match field {
        "restrictions" => &["restrict_pooling", "restrict_pool_size"],
        "software_version" => &[
            "platform_version",
            "product_brand",
            "platform_name",
            "git_id",
            "xs:linux",
            "xapi",
            "db_schema",
            "network_backend",
            "build_number",
            "product_version",
        ],
        "cpu_info" => &["vendor", "features_hvm_host"],
        "features" => &["SR_PROBE", "VDI_CREATE", "VDI_NEW"],
        _ => &["other"],
    };
    let key = *random.pick(keys);
    match map.get(key) {
        Some(_) if random.one_in(2) => {
            map.shift_remove(key);
        }
        Some(Value::Number(number)) => {
            let number = number.as_i64().unwrap_or(0) + if random.one_in(2) { 1 } else { -1 };
            map.insert(key.to_owned(), json!(number));
        }
        Some(Value::String(value)) => {
            let value = match value.as_str() {
                "true" => "false".to_owned(),
                "false" => "true".to_owned(),
                "openvswitch" => "bridge".to_owned(),
                value => format!("{value}1"),
            };
            map.insert(key.to_owned(), json!(value));
        }
        _ => {
            let value = if field == "features" { json!(2) } else { json!("1") };
            map.insert(key.to_owned(), value);
        }
    }
    map
}

fn reference(own: &Records, class: &str, random: &mut Random) -> Option<String> {
    let references: Vec<_> = own.get(class)?.as_object()?.keys().cloned().collect();
    (!references.is_empty()).then(|| random.pick(&references).clone())
}

fn foreign(other: &Records, class: &str, field: &str, random: &mut Random) -> Option<Value> {
    let reference = reference(other, class, random)?;
    other.get(class)?.get(&reference)?.get(field).cloned()
}
