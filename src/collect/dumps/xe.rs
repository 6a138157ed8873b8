//! What `xe` prints of hosts: `host-cpu-info`, the map of one CPU, and `host-param-list`, a host's fields. Both are the
//! server's own records in another dress, and are read by the same mappers.

use serde_json::{Map, Value};

use super::text::{lines, text};
use super::{Dump, nothing};
use crate::collect::limits::HOSTS;
use crate::collect::{CollectError, Collected, records};

/// The fields of `host` that are printed with the server's own values; references are printed as uuids and left out.
const FIELDS: [&str; 30] = [
    "API_version_major",
    "API_version_minor",
    "address",
    "bios_strings",
    "capabilities",
    "chipset_info",
    "cpu_info",
    "edition",
    "enabled",
    "external_auth_service_name",
    "external_auth_type",
    "hostname",
    "https_only",
    "iscsi_iqn",
    "last_software_update",
    "last_update_hash",
    "latest_synced_updates_applied",
    "license_params",
    "multipathing",
    "name_description",
    "name_label",
    "other_config",
    "pending_guidances",
    "software_version",
    "ssl_legacy",
    "tags",
    "timezone",
    "tls_verification_enabled",
    "uuid",
    "ssh_enabled",
];

/// Whether a line is one of `host-cpu-info`'s.
pub(super) fn is_cpu_info(line: &[u8]) -> bool {
    let key = line.split(|byte| *byte == b':').next().filter(|key| key.len() < line.len());
    let key = key.map(<[u8]>::trim_ascii);
    matches!(key, Some(b"cpu_count" | b"features_hvm" | b"features_pv" | b"physical_features"))
}

/// Whether a line is one of `host-param-list`'s: `uuid ( RO)   : …`.
pub(super) fn is_param(line: &[u8]) -> bool {
    line.starts_with(b"uuid ( RO)")
}

/// Reads `xe host-cpu-info`.
pub(super) fn read_cpu_info(name: &str, bytes: &[u8]) -> Result<Collected, CollectError> {
    let mut cpu = Map::new();
    for line in lines(bytes) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (key, value) = (text(&line[..colon]), text(&line[colon + 1..]));
        cpu.entry(key).or_insert(Value::String(value));
    }
    if !cpu.contains_key("vendor") {
        return Err(nothing(name, Dump::XeCpuInfo, "it names no vendor"));
    }
    let host = Map::from_iter([("cpu_info".to_owned(), Value::Object(cpu))]);
    records::read_hosts(name, vec![host], format!("{}: the CPU alone", Dump::XeCpuInfo.title()))
}

/// Reads `xe host-param-list`, of one host or of several one after another.
pub(super) fn read_params(name: &str, bytes: &[u8]) -> Result<Collected, CollectError> {
    let mut hosts: Vec<Map<String, Value>> = Vec::new();
    for line in lines(bytes) {
        let Some((key, kind, value)) = param(line) else { continue };
        if key == "uuid" {
            if hosts.len() == HOSTS {
                return Err(CollectError::Crowded { name: name.to_owned(), limit: HOSTS, what: "hosts" });
            }
            hosts.push(Map::new());
        }
        let Some(host) = hosts.last_mut() else { continue };
        let key = key.replace('-', "_");
        let value = match kind {
            Kind::Scalar => Value::String(value),
            Kind::Set => value.split("; ").filter(|item| !item.is_empty()).collect(),
            Kind::Map => Value::Object(value.split("; ").filter_map(entry).collect()),
        };
        if matches!(key.as_str(), "memory_total" | "memory_free" | "host_metrics_live")
            || FIELDS.contains(&key.as_str())
        {
            host.entry(key).or_insert(value);
        }
    }
    if !hosts.iter().any(|host| host.contains_key("cpu_info")) {
        return Err(nothing(name, Dump::XeParams, "it has no cpu_info: of another class than host, or cut short"));
    }
    let note =
        format!("{}: the fields that it prints; networks, storage and VMs are not in it", Dump::XeParams.title());
    records::read_hosts(name, hosts, note)
}

enum Kind {
    Scalar,
    Set,
    Map,
}

/// `          cpu_info (MRO): cpu_count: 4; …`: the name, what the value is, and the value.
fn param(line: &[u8]) -> Option<(String, Kind, String)> {
    let line = String::from_utf8_lossy(line);
    let (head, value) = line.split_once(')')?;
    let (name, access) = head.rsplit_once(" (")?;
    let kind = match access.trim() {
        "RO" | "RW" => Kind::Scalar,
        "SRO" | "SRW" => Kind::Set,
        "MRO" | "MRW" => Kind::Map,
        _ => return None,
    };
    let value = value.trim_start().strip_prefix(':')?.trim();
    Some((name.trim().to_owned(), kind, value.to_owned()))
}

fn entry(pair: &str) -> Option<(String, Value)> {
    let (key, value) = pair.split_once(':')?;
    Some((key.trim().to_owned(), Value::String(value.trim().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_of_every_kind() {
        let of = |line: &str| param(line.as_bytes()).map(|(name, _, value)| (name, value));
        let pair = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        assert_eq!(of("uuid ( RO)                     : 3f5a"), pair("uuid", "3f5a"));
        assert_eq!(of("              name-label ( RW): alpha (new): 1"), pair("name-label", "alpha (new): 1"));
        assert_eq!(
            of("         cpu_info (MRO): cpu_count: 4; vendor: X"),
            pair("cpu_info", "cpu_count: 4; vendor: X")
        );
        assert_eq!(of("no parameter"), None);
    }
}
