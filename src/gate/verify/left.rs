//! What an eject that failed may leave behind on the member: its storage is unplugged one by one before it leaves.

use crate::facts::Known;
use crate::snapshot::Pool;
use crate::text::{plain, shell_word};

/// What of a member is unplugged or off now, a line each with the command that mends it, and what the references among a
/// refusal's parameters stand for.
pub fn left_by_eject(pool: &Pool, member: &str, params: &[String]) -> Vec<String> {
    let Some(host) = pool.hosts.each().find(|host| host.uuid.text() == Some(member)) else { return Vec::new() };
    let reference = host.reference.text();
    let own = || pool.pbds.each().filter(|pbd| pbd.host.text() == reference && reference.is_some());
    let sr = |wanted: Option<&str>| {
        let found = pool.srs.each().find(|sr| sr.reference.text() == wanted && wanted.is_some());
        found.and_then(|sr| sr.name_label.text().or(sr.uuid.text())).unwrap_or("not known").to_owned()
    };
    let mut left = Vec::new();
    for param in params {
        if let Some(pbd) = pool.pbds.each().find(|pbd| pbd.reference.text() == Some(param)) {
            left.push(format!("{param} is the host's connection (PBD) to the SR {}", plain(&sr(pbd.sr.text()))));
        }
    }
    for pbd in own().filter(|pbd| pbd.currently_attached == Known::Yes(false)) {
        let uuid = pbd.uuid.text().map_or_else(|| "UUID".into(), shell_word);
        left.push(format!(
            "the SR {} is unplugged on the host now; if it was not before: `xe pbd-plug uuid={uuid}`",
            plain(&sr(pbd.sr.text()))
        ));
    }
    if host.enabled == Known::Yes(false) {
        left.push(format!(
            "the host takes no VMs now; if it did before: `xe host-enable uuid={}`",
            shell_word(member)
        ));
    }
    left
}
