//! What the wire does not show, where the input carries it beside the records: the backend that the host's network
//! daemon reports, and the editions of its licence daemon with their order.

use serde_json::Value;

use super::record::kind;
use crate::facts::{Known, Reason};
use crate::snapshot::{EditionOrder, Host, Pool};

/// Fills the host that the input was taken from: the coordinator, as every standalone host is.
pub(super) fn apply(off_wire: Option<&Value>, pool: &mut Pool, notes: &mut Vec<String>) {
    let Some(off_wire) = off_wire else {
        if let Known::Yes(hosts) = &pool.hosts
            && let [host] = hosts.as_slice()
        {
            notes.extend(stand_in(host));
        }
        return;
    };
    let coordinator = pool.coordinator.text().map(str::to_owned);
    let hosts = pool.hosts.get_mut().map(Vec::as_mut_slice).unwrap_or_default();
    let host = match hosts {
        [only] => Some(only),
        hosts => hosts.iter_mut().find(|host| host.reference.text() == coordinator.as_deref()),
    };
    let Some(host) = host else {
        notes.push("off_wire: left out, as the records hold no coordinator that it could be of".to_owned());
        return;
    };
    if let Some(backend) = off_wire.get("backend") {
        host.network_backend = match backend {
            Value::String(backend) => Known::Yes(backend.clone()),
            other => wrong("backend", other, "text"),
        };
    }
    if let Some(editions) = off_wire.get("editions") {
        host.licence_daemon = match editions {
            Value::Null => Known::Yes(None),
            Value::Array(list) => match list.iter().map(edition).collect() {
                Some(list) => Known::Yes(Some(list)),
                None => wrong("editions", editions, "a list of [name, order]"),
            },
            other => wrong("editions", other, "a list of [name, order], or null"),
        };
    }
}

/// Says what stands in for the backend of a single host when nothing better is there.
fn stand_in(host: &Host) -> Option<String> {
    let backend = host.software_version.get()?.get("network_backend")?;
    Some(format!(
        "host {}: its network backend of now is not on the wire; software_version.network_backend ({}) stands in",
        host.name_label.text().unwrap_or("(unnamed)").escape_debug(),
        backend.escape_debug(),
    ))
}

fn edition(entry: &Value) -> Option<EditionOrder> {
    let [name, order] = entry.as_array()?.as_slice() else { return None };
    Some(EditionOrder { name: name.as_str()?.to_owned().into(), order: order.as_i64()?.into() })
}

fn wrong<T>(field: &str, found: &Value, expected: &str) -> Known<T> {
    Known::no(Reason::Unreadable, format!("off_wire.{field} is {}, expected {expected}", kind(found)))
}
