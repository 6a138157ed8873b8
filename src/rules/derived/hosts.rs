//! Whether all hosts of a pool are there: a list that was cut short says nothing of the hosts that it lost.

use super::NULL;
use super::facts::OddMember;
use crate::cpu::levelling::label;
use crate::facts::{Found, Reason, Unknown, need};
use crate::snapshot::{Host, Pool};

/// What tells builds of the toolstack apart, as `host.software_version` calls it.
const BUILD: [&str; 4] = ["product_brand", "platform_version", "xapi_build", "git_id"];

/// True where each host that an interface, a plug or a VM is on is among the pool's hosts. A host that a record names and
/// that is missing is a missing fact: of none of the pool's hosts can it be said then that there is no other.
pub(super) fn complete(pool: &Pool) -> Found<bool> {
    let mut hosts = Vec::new();
    for host in need(&pool.hosts)? {
        hosts.push(need(&host.reference)?.as_str());
    }
    hosts.sort_unstable();
    let mut named = pool
        .pifs
        .each()
        .map(|pif| ("interface", pif.host.text()))
        .chain(pool.pbds.each().map(|pbd| ("storage plug", pbd.host.text())))
        .chain(pool.vms.each().map(|vm| ("VM", vm.resident_on.get().and_then(Option::as_deref))));
    let stray = named.find_map(|(what, host)| {
        let host = host.filter(|host| !host.is_empty() && *host != NULL)?;
        hosts.binary_search(&host).is_err().then_some((what, host))
    });
    match stray {
        None => Ok(true),
        Some((what, host)) => Err(Unknown::because(
            Reason::NotCollected,
            format!(
                "a record ({what}) is on host {host}, which is not among the pool's hosts: the list of hosts is cut short, collect it again"
            ),
        )),
    }
}

/// Members that the coordinator does not reach.
pub(super) fn down(pool: &Pool) -> Found<Vec<OddMember>> {
    let mut down = Vec::new();
    for host in need(&pool.hosts)? {
        if !*need(&host.live)? {
            down.push(odd(host, "not live".to_owned()));
        }
    }
    Ok(down)
}

/// Members with another build or another CPU vendor than the coordinator.
pub(super) fn unlike<'a>(pool: &'a Pool, coordinator: &'a Host) -> Found<Vec<OddMember>> {
    let mut unlike = Vec::new();
    let software = need(&coordinator.software_version)?;
    let build = BUILD.map(|key| (key, software.get(key)));
    let vendor_of = |host: &'a Host| need(&need(&host.cpu)?.vendor);
    let theirs = vendor_of(coordinator)?;
    for host in need(&pool.hosts)? {
        let own = need(&host.software_version)?;
        let vendor = vendor_of(host)?;
        if let Some((key, _)) = build.into_iter().find(|(key, value)| own.get(*key) != *value) {
            let said = own.get(key).map_or("none", String::as_str);
            unlike.push(odd(host, format!("{key} {said}")));
        } else if vendor != theirs {
            unlike.push(odd(host, format!("CPU vendor {vendor}")));
        }
    }
    Ok(unlike)
}

fn odd(host: &Host, about: String) -> OddMember {
    OddMember { name: label(host), uuid: host.uuid.clone(), about }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Known;
    use crate::snapshot::{Host, Pbd, Pif, Vm};

    fn pool() -> Pool {
        let host = Host { reference: "OpaqueRef:a".to_owned().into(), ..Host::default() };
        Pool { hosts: vec![host].into(), ..Pool::default() }
    }

    #[test]
    fn a_host_that_only_others_name_is_missing() {
        assert_eq!(complete(&pool()), Ok(true));
        let on = |host: &str| Known::Yes(host.to_owned());
        let of = |pool: Pool| complete(&pool).is_ok();
        let pif = |host| Pif { host: on(host), ..Pif::default() };
        assert!(of(Pool { pifs: vec![pif("OpaqueRef:a"), pif(NULL), pif("")].into(), ..pool() }));
        assert!(!of(Pool { pifs: vec![pif("OpaqueRef:a"), pif("OpaqueRef:b")].into(), ..pool() }));
        assert!(!of(Pool { pbds: vec![Pbd { host: on("OpaqueRef:b"), ..Pbd::default() }].into(), ..pool() }));
        let vm = |host: Option<&str>| Vm { resident_on: Known::Yes(host.map(str::to_owned)), ..Vm::default() };
        assert!(of(Pool { vms: vec![vm(None), vm(Some("OpaqueRef:a"))].into(), ..pool() }));
        assert!(!of(Pool { vms: vec![vm(Some("OpaqueRef:b"))].into(), ..pool() }));
        assert!(!of(Pool::default()));
    }
}
