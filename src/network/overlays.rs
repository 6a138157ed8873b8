//! What lies on top of NICs and bonds: VLANs, tunnels, SR-IOV. The server makes the coordinator's on the joiner where
//! the joiner has an interface on the network below, and skips the others without a word.

use super::facts::{BondFact, OverlayFact, VlanLandingFact};
use super::made;
use super::sides::{Sides, label, need};
use crate::facts::{Found, Known, Reason, Unknown};
use crate::snapshot::{Network, Pif};

/// The coordinator's VLANs, by tag.
pub(super) fn vlans(sides: &Sides<'_>, bonds: &Known<Vec<BondFact>>) -> Found<Vec<VlanLandingFact>> {
    let mut found = Vec::new();
    let suppressed = no_sync(sides);
    for vlan in need(&sides.pool.pool.vlans, || "the VLANs of the pool")? {
        let Some(own) = need(&vlan.untagged_pif, || "a VLAN of the pool, its own PIF")? else { continue };
        let own = sides.pool.pif(own)?;
        if !at_coordinator(sides, own)? {
            continue;
        }
        let what = || format!("{}, VLAN", sides.pool.pif_name(own));
        let network = sides.pool.network_of(own)?;
        let below = sides.pool.network_of(sides.pool.pif(need(&vlan.tagged_pif, what)?)?)?;
        let (reach, why) = reach(sides, below, bonds);
        let (created, reason) = match (&suppressed, reach) {
            (Ok(true), _) => (Known::Yes(false), "the joiner's other_config has sync_vlans=nosync".to_owned()),
            (_, Known::Yes(false)) => (Known::Yes(false), why),
            (Ok(false), reach) => (reach, String::new()),
            (Err(unknown), _) => (Known::No(unknown.clone()), String::new()),
        };
        found.push(VlanLandingFact {
            name_label: label(network),
            tag: *need(&vlan.tag, what)?,
            network_uuid: network.uuid.clone(),
            below: label(below),
            below_uuid: below.uuid.clone(),
            created,
            reason,
            vms: own.network.text().map_or_else(Known::default, |network| sides.vms_on(network)),
        });
    }
    found.sort_by(|a, b| (a.tag, &a.name_label).cmp(&(b.tag, &b.name_label)));
    Ok(found)
}

/// Whether the joiner's own settings keep the server from making VLANs on it.
fn no_sync(sides: &Sides<'_>) -> Found<bool> {
    if sides.predicted {
        return Ok(false);
    }
    let host = need(&sides.host, || "the joining host")?;
    let settings = need(&host.other_config, || "the joining host, other_config")?;
    Ok(settings.get("sync_vlans").is_some_and(|value| value == "nosync"))
}

/// Whether the joiner will have an interface on a network of the pool, and why not.
fn reach(sides: &Sides<'_>, network: &Network, bonds: &Known<Vec<BondFact>>) -> (Known<bool>, String) {
    let none = || (Known::Yes(false), format!("no NIC of the joiner will be on {}", label(network)));
    let no = |unknown: &Unknown| (Known::No(unknown.clone()), String::new());
    let bonds = match bonds {
        Known::Yes(bonds) => bonds,
        Known::No(unknown) => return no(unknown),
    };
    if let Some(bond) = bonds.iter().find(|bond| Some(bond.network_reference.as_str()) == network.reference.text()) {
        let because = bond.reasons.first().map(|reason| format!(": {reason}")).unwrap_or_default();
        let why = format!("{} cannot be made on the joiner{because}", bond.device);
        return (made(bond), why);
    }
    match (sides.nics(), need(&network.bridge, || format!("network {}, bridge", label(network)))) {
        (Ok(nics), Ok(bridge)) if nics.iter().any(|nic| nic.bridge == *bridge) => (Known::Yes(true), String::new()),
        (Ok(_), Ok(_)) => none(),
        (Err(unknown), _) | (_, Err(unknown)) => no(&unknown),
    }
}

fn at_coordinator(sides: &Sides<'_>, pif: &Pif) -> Found<bool> {
    let coordinator = need(&sides.coordinator, || "the pool's coordinator")?;
    sides.pool.is_of(pif, coordinator)
}

/// The coordinator's tunnels and SR-IOV networks.
pub(super) fn overlays(sides: &Sides<'_>, bonds: &Known<Vec<BondFact>>) -> Found<Vec<OverlayFact>> {
    let mut found = Vec::new();
    for tunnel in need(&sides.pool.pool.tunnels, || "the tunnels of the pool")? {
        let access = sides.pool.pif(need(&tunnel.access_pif, || "a tunnel of the pool, its access PIF")?)?;
        if !at_coordinator(sides, access)? {
            continue;
        }
        let carrier = sides.pool.pif(need(&tunnel.transport_pif, || "a tunnel of the pool, its transport PIF")?)?;
        let below = sides.pool.network_of(carrier)?;
        let (created, reason) = reach(sides, below, bonds);
        found.push(OverlayFact {
            name_label: label(sides.pool.network_of(access)?),
            kind: "tunnel".to_owned(),
            below: label(below),
            created,
            reason,
        });
    }
    // Releases before 7.5 have no SR-IOV.
    let sriovs = match &sides.pool.pool.network_sriovs {
        Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => &[],
        sriovs => need(sriovs, || "the SR-IOV networks of the pool")?.as_slice(),
    };
    for sriov in sriovs {
        let physical = sides.pool.pif(need(&sriov.physical_pif, || "an SR-IOV network of the pool, its NIC")?)?;
        if at_coordinator(sides, physical)? {
            let logical = sides.pool.pif(need(&sriov.logical_pif, || "an SR-IOV network of the pool, its PIF")?)?;
            found.push(sriov_landing(sides, physical, sides.pool.network_of(logical)?)?);
        }
    }
    found.sort_by(|a, b| (&a.kind, &a.name_label).cmp(&(&b.kind, &b.name_label)));
    Ok(found)
}

/// SR-IOV comes back where the NIC in the same position is of the same kind and able to.
fn sriov_landing(sides: &Sides<'_>, physical: &Pif, network: &Network) -> Found<OverlayFact> {
    let below = sides.pool.network_of(physical)?;
    let bridge = sides.pool.bridge(below)?;
    let nic = sides.nics()?.iter().find(|nic| nic.bridge == bridge);
    let kind = |pif: &Pif| Some(format!("{}:{}", pif.vendor_id.text()?, pif.device_id.text()?));
    let (created, reason) = match nic {
        None => (Known::Yes(false), format!("no NIC of the joiner will be on {}", label(below))),
        Some(nic) => {
            let capabilities =
                nic.pif.map(|pif| need(&pif.capabilities, || format!("the joiner's {}, capabilities", nic.device)));
            match (capabilities, &nic.link.kind) {
                (Some(Ok(words)), _) if !words.iter().any(|word| word == "sriov") => {
                    (Known::Yes(false), format!("the joiner's {} has no SR-IOV", nic.device))
                }
                (_, Known::Yes(own)) if kind(physical).is_some_and(|pool| pool != *own) => {
                    (Known::Yes(false), format!("the joiner's {} is another kind of NIC ({own})", nic.device))
                }
                (Some(Ok(_)), Known::Yes(_)) if kind(physical).is_some() => (Known::Yes(true), String::new()),
                (Some(Err(unknown)), _) => (Known::No(unknown), String::new()),
                (_, Known::No(unknown)) => (Known::No(unknown.clone()), String::new()),
                _ => (Known::default(), String::new()),
            }
        }
    };
    Ok(OverlayFact { name_label: label(network), kind: "sriov".to_owned(), below: label(below), created, reason })
}
