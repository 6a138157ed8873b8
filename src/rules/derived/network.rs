//! Backend, controllers, NBD purposes, the cluster's network, VLANs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::facts::{AddressClash, ClusterFacts, VlanFact};
use super::{NULL, count, descending, follow, follow_or_gone};
use crate::cpu::levelling::label;
use crate::facts::{Found, Known, Reason, known, need};
use crate::snapshot::{ClusterHost, Host, Pif, Pool, SdnController};

/// The joiner's backend, and whether what its software_version says stands in. The server asks the network daemon.
pub(super) fn backend(host: &Known<&Host>) -> (Known<String>, bool) {
    let host = match host {
        Known::Yes(host) => host,
        Known::No(unknown) => return (Known::No(unknown.clone()), false),
    };
    let said = host.software_version.get().and_then(|versions| versions.get("network_backend"));
    match (&host.network_backend, said) {
        (Known::No(unknown), Some(said)) if unknown.reason == Reason::NotCollected => {
            (Known::Yes(said.clone()), true)
        }
        (live, _) => (live.clone(), false),
    }
}

/// The controller that is compared: the first one.
pub(super) fn sdn_controller(pool: &Pool) -> Found<Option<&SdnController>> {
    Ok(descending(&pool.sdn_controllers, |controller| &controller.reference)?.into_iter().next())
}

/// The first NBD purpose among the networks.
pub(super) fn nbd_purpose(pool: &Pool) -> Found<Option<String>> {
    for network in descending(&pool.networks, |network| &network.reference)? {
        let mut purposes = need(&network.purpose)?.iter();
        if let Some(purpose) = purposes.find(|purpose| matches!(purpose.as_str(), "nbd" | "insecure_nbd")) {
            return Ok(Some(purpose.clone()));
        }
    }
    Ok(None)
}

/// The network of the pool's first cluster host, when new members join its cluster.
pub(super) fn cluster(pool: &Pool, joiner: &Pool) -> Found<Option<ClusterFacts>> {
    let Some(member) = descending(&pool.cluster_hosts, |member| &member.reference)?.into_iter().next() else {
        return Ok(None);
    };
    let cluster = follow(&pool.clusters, |cluster| &cluster.reference, need(&member.cluster)?, "Cluster")?;
    if !*need(&cluster.pool_auto_join)? {
        return Ok(None);
    }
    let Some(pif) = need(&member.pif)? else { return Ok(None) };
    let pif = follow(&pool.pifs, |pif| &pif.reference, pif, "PIF")?;
    let bridges = known(|| cluster_bridges(pool, pif));
    Ok(Some(ClusterFacts {
        device: pif.device.clone(),
        vlan: *need(&pif.vlan)?,
        management: *need(&pif.management)?,
        addresses: known(|| addresses(joiner, need(&bridges)?)),
        bridges,
    }))
}

/// The bridge of the interface; of a bond those of its members, because the joiner has no bond yet.
fn cluster_bridges(pool: &Pool, pif: &Pif) -> Found<Vec<String>> {
    let mut bridges = BTreeSet::new();
    let bonds = need(&pif.bond_master_of)?;
    for bond in bonds {
        let bond = follow(&pool.bonds, |bond| &bond.reference, bond, "Bond")?;
        for member in need(&bond.members)? {
            let member = follow(&pool.pifs, |pif| &pif.reference, member, "PIF")?;
            bridges.insert(bridge_of(pool, member)?);
        }
    }
    if bonds.is_empty() {
        bridges.insert(bridge_of(pool, pif)?);
    }
    Ok(bridges.into_iter().collect())
}

fn addresses(joiner: &Pool, bridges: &[String]) -> Found<i64> {
    let mut found = 0;
    for pif in need(&joiner.pifs)? {
        if !need(&pif.ip)?.is_empty() && bridges.contains(&bridge_of(joiner, pif)?) {
            found += 1;
        }
    }
    Ok(count(found))
}

fn bridge_of(pool: &Pool, pif: &Pif) -> Found<String> {
    let network = follow(&pool.networks, |network| &network.reference, need(&pif.network)?, "network")?;
    need(&network.bridge).cloned()
}

/// The cluster hosts that stand for a host.
pub(super) fn cluster_hosts<'a>(joiner: &'a Pool, host: &Host) -> Found<Vec<&'a ClusterHost>> {
    let mut own = Vec::new();
    for member in descending(&joiner.cluster_hosts, |member| &member.reference)? {
        if need(&member.host)? == need(&host.reference)? {
            own.push(member);
        }
    }
    Ok(own)
}

/// The VLANs, each with its interface.
pub(super) fn vlans(joiner: &Pool) -> Found<Vec<VlanFact<'_>>> {
    let mut vlans = Vec::new();
    for vlan in descending(&joiner.vlans, |vlan| &vlan.reference)? {
        let own = need(&vlan.untagged_pif)?;
        let interface = match own {
            None => None,
            Some(own) => follow_or_gone(&joiner.pifs, |pif| &pif.reference, own)?,
        };
        vlans.push(VlanFact {
            uuid: vlan.uuid.clone(),
            tag: vlan.tag.clone(),
            own: own.clone().unwrap_or_else(|| NULL.to_owned()),
            interface,
        });
    }
    Ok(vlans)
}

/// Addresses that the joiner and a member have. Those that the records of both hosts show are `address-unique`'s own.
pub(super) fn address_clashes(pool: &Pool, joiner: &Pool, host: &Host) -> Found<Vec<AddressClash>> {
    let mut own = BTreeMap::<IpAddr, Vec<(&str, &Pif)>>::new();
    for pif in need(&joiner.pifs)? {
        for (address, said) in addresses_of(pif)? {
            own.entry(address).or_default().push((said, pif));
        }
    }
    let mut clashes = Vec::new();
    if own.is_empty() {
        return Ok(clashes);
    }
    for theirs in need(&pool.pifs)? {
        for (address, said) in addresses_of(theirs)? {
            for (own, ours) in own.get(&address).into_iter().flatten() {
                let of = need(&theirs.host)?;
                let member = need(&pool.hosts)?.iter().find(|host| host.reference.text() == Some(of));
                // A host that is in the pool already has its own addresses.
                if member.is_some_and(|member| member.uuid.get().is_some() && member.uuid == host.uuid) {
                    continue;
                }
                let shown = member.is_some_and(|member| member.address.text() == Some(said));
                if shown && own == &said && host.address.text() == Some(said) {
                    continue;
                }
                clashes.push(AddressClash {
                    address: address.to_string(),
                    ipv6: address.is_ipv6(),
                    device: ours.device.text().unwrap_or("an interface").to_owned(),
                    uuid: ours.uuid.clone(),
                    member: member.map_or_else(|| of.clone(), label),
                    member_device: theirs.device.text().unwrap_or("an interface").to_owned(),
                });
            }
        }
    }
    clashes.sort_by(|a, b| (&a.device, &a.member, &a.address).cmp(&(&b.device, &b.member, &b.address)));
    Ok(clashes)
}

/// The addresses of an interface with what the record says, without the prefix length. Those of a link alone are anew on each.
fn addresses_of(pif: &Pif) -> Found<Vec<(IpAddr, &str)>> {
    let ipv6 = match &pif.ipv6 {
        Known::No(why) if why.reason == Reason::AbsentOnRelease => &[],
        ipv6 => need(ipv6)?.as_slice(),
    };
    let said = std::iter::once(need(&pif.ip)?.as_str()).chain(ipv6.iter().map(String::as_str));
    let address = |said: &'_ str| said.split_once('/').map_or(said, |(address, _)| address).parse::<IpAddr>().ok();
    let local = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    Ok(said
        .filter_map(|said| Some((address(said)?, said.split('/').next()?)))
        .filter(|(address, _)| !local(address) && !address.is_unspecified())
        .collect())
}
