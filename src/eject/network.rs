//! The member's network configuration: what it keeps, and what it and the pool lose.

use super::facts::{Interface, LostNetwork, Management};
use super::{follow, label, list};
use crate::facts::{Found, Known, Reason, Unknown, known, need};
use crate::snapshot::{Bond, Network, Pif, Pool};

/// The interface that the host comes back with: of a bond, also below a VLAN, its primary member.
pub(super) fn management(pool: &Pool, pif: Option<&Pif>) -> Found<Option<Management>> {
    let Some(pif) = pif else { return Ok(None) };
    let below = match need(&pif.vlan_master_of)? {
        None => pif,
        Some(vlan) => {
            let vlan = follow(&pool.vlans, |vlan| &vlan.reference, vlan, "VLAN")?;
            let below = need(&vlan.tagged_pif)?;
            follow(&pool.pifs, |pif| &pif.reference, below, "PIF")?
        }
    };
    let bond = bond_of(pool, below)?;
    let nic = match bond {
        None => below,
        Some(bond) => {
            let primary = need(&bond.primary_member)?.as_deref().ok_or_else(|| {
                let device = below.device.text().unwrap_or("the management bond").to_owned();
                Unknown::because(Reason::Unreadable, format!("{device} has no primary member"))
            })?;
            follow(&pool.pifs, |pif| &pif.reference, primary, "PIF")?
        }
    };
    Ok(Some(Management {
        device: need(&nic.device)?.clone(),
        vlan: *need(&pif.vlan)?,
        bond: match bond {
            None => String::new(),
            Some(_) => need(&below.device)?.clone(),
        },
        bond_mode: bond.map_or_else(|| Known::Yes(String::new()), |bond| bond.mode.clone()),
        mode: pif.ip_configuration_mode.clone(),
        ip: pif.ip.clone(),
        netmask: pif.netmask.clone(),
        gateway: pif.gateway.clone(),
        dns: pif.dns.clone(),
        ipv6_mode: pif.ipv6_configuration_mode.clone(),
        ipv6: pif.ipv6.clone(),
        address_type: pif.primary_address_type.clone(),
    }))
}

fn bond_of<'a>(pool: &'a Pool, pif: &Pif) -> Found<Option<&'a Bond>> {
    match need(&pif.bond_master_of)?.first() {
        None => Ok(None),
        Some(bond) => follow(&pool.bonds, |bond| &bond.reference, bond, "Bond").map(Some),
    }
}

/// Networks with an interface of the member and of no other host, by name.
pub(super) fn lost_networks(pool: &Pool, member: &str) -> Found<Vec<LostNetwork>> {
    let pifs = list(&pool.pifs, "pifs")?;
    let mut lost = Vec::new();
    for network in list(&pool.networks, "networks")? {
        let reference = need(&network.reference)?;
        let (mut own, mut other) = (false, false);
        for pif in pifs {
            if need(&pif.network)? == reference {
                if need(&pif.host)? == member { own = true } else { other = true }
            }
        }
        if own && !other {
            lost.push(LostNetwork {
                name: name_of(network),
                uuid: network.uuid.clone(),
                bridge: network.bridge.clone(),
                vms: known(|| guests(pool, reference)),
            });
        }
    }
    lost.sort_by(|a, b| (&a.name, a.uuid.text()).cmp(&(&b.name, b.uuid.text())));
    Ok(lost)
}

fn name_of(network: &Network) -> String {
    label(&network.name_label, &network.uuid, &network.reference)
}

/// What the VMs on a network are called.
fn guests(pool: &Pool, network: &str) -> Found<Vec<String>> {
    let mut guests = Vec::new();
    for vm in list(&pool.vms, "vms")? {
        for vif in need(&vm.vifs)? {
            if need(&vif.network)? == network {
                guests.push(label(&vm.name_label, &vm.uuid, &vm.reference));
                break;
            }
        }
    }
    guests.sort();
    Ok(guests)
}

/// Bonds, VLANs, tunnels, SR-IOV networks and addresses of the member, management's address apart.
pub(super) fn interfaces(pool: &Pool, member: &str) -> Found<Vec<Interface>> {
    let mut lost = Vec::new();
    for pif in list(&pool.pifs, "pifs")? {
        if need(&pif.host)? != member {
            continue;
        }
        if let Some(bond) = bond_of(pool, pif)? {
            lost.push(interface(pool, pif, "bond", bond_text(pool, pif, bond)?)?);
        }
        // Management keeps its tag, on the NIC that it comes back with.
        if need(&pif.vlan_master_of)?.is_some() && !*need(&pif.management)? {
            let about = format!("VLAN {} on {}", need(&pif.vlan)?, need(&pif.device)?);
            lost.push(interface(pool, pif, "VLAN", about)?);
        }
        if !*need(&pif.management)? && !need(&pif.ip)?.is_empty() {
            let (mode, device) = (need(&pif.ip_configuration_mode)?, need(&pif.device)?);
            let about = format!("{mode} address {}/{} of {device}", need(&pif.ip)?, need(&pif.netmask)?);
            lost.push(interface(pool, pif, "address", about)?);
        }
        let static6 = pif.ipv6_configuration_mode.text() == Some("Static");
        for address in pif.ipv6.each().filter(|_| static6 && pif.management == Known::Yes(false)) {
            let about = format!("Static address {address} of {}", need(&pif.device)?);
            lost.push(interface(pool, pif, "address", about)?);
        }
        let reference = need(&pif.reference)?;
        for tunnel in list(&pool.tunnels, "tunnels")? {
            if need(&tunnel.access_pif)? == reference {
                lost.push(interface(pool, pif, "tunnel", format!("tunnel {}", need(&pif.device)?))?);
            }
        }
        // The class is younger than most pools.
        if pool.network_sriovs.unknown().is_none_or(|unknown| unknown.reason != Reason::AbsentOnRelease) {
            for sriov in list(&pool.network_sriovs, "network_sriovs")? {
                if need(&sriov.logical_pif)? == reference {
                    lost.push(interface(pool, pif, "SR-IOV", format!("SR-IOV on {}", need(&pif.device)?))?);
                }
            }
        }
    }
    lost.sort_by(|a, b| (&a.device, &a.kind, &a.about).cmp(&(&b.device, &b.kind, &b.about)));
    Ok(lost)
}

fn interface(pool: &Pool, pif: &Pif, kind: &str, about: String) -> Found<Interface> {
    let network = follow(&pool.networks, |network| &network.reference, need(&pif.network)?, "network")?;
    Ok(Interface {
        kind: kind.to_owned(),
        device: need(&pif.device)?.clone(),
        about,
        network: name_of(network),
        network_uuid: network.uuid.clone(),
    })
}

/// `bond0 of eth0, eth1 (lacp)`.
fn bond_text(pool: &Pool, pif: &Pif, bond: &Bond) -> Found<String> {
    let mut devices = Vec::new();
    for member in need(&bond.members)? {
        devices.push(need(&follow(&pool.pifs, |pif| &pif.reference, member, "PIF")?.device)?.as_str());
    }
    devices.sort_unstable();
    Ok(format!("{} of {} ({})", need(&pif.device)?, devices.join(", "), bond.mode.text().unwrap_or("mode unknown")))
}
