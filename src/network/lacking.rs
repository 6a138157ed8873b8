//! What the coordinator lacks and its members have: a new member is made like the coordinator.

use std::collections::BTreeMap;

use super::facts::LackingFact;
use super::sides::{Sides, label, need};
use crate::facts::Found;
use crate::snapshot::Pif;

/// VLANs and bonds of members on networks on which the coordinator has none, by kind and network.
pub(super) fn lacking(sides: &Sides<'_>) -> Found<Vec<LackingFact>> {
    let mut found = Vec::new();
    let mut vlans = Vec::new();
    for vlan in need(&sides.pool.pool.vlans, || "the VLANs of the pool")? {
        if let Some(own) = need(&vlan.untagged_pif, || "a VLAN of the pool, its own PIF")? {
            vlans.push(own.as_str());
        }
    }
    collect(sides, "VLAN", &vlans, &mut found)?;
    let mut bonds = Vec::new();
    for bond in need(&sides.pool.pool.bonds, || "the bonds of the pool")? {
        bonds.push(need(&bond.interface, || "a bond of the pool, its interface")?.as_str());
    }
    collect(sides, "bond", &bonds, &mut found)?;
    Ok(found)
}

fn collect(sides: &Sides<'_>, kind: &str, pifs: &[&str], found: &mut Vec<LackingFact>) -> Found<()> {
    let coordinator = need(&sides.coordinator, || "the pool's coordinator")?;
    // By network: how many members have it, and whether the coordinator does.
    let mut networks: BTreeMap<&str, (&Pif, i64, bool)> = BTreeMap::new();
    for reference in pifs {
        let pif = sides.pool.pif(reference)?;
        let network = need(&pif.network, || format!("{}, network", sides.pool.pif_name(pif)))?;
        let (_, members, own) = networks.entry(network).or_insert((pif, 0, false));
        if sides.pool.is_of(pif, coordinator)? { *own = true } else { *members += 1 }
    }
    for (reference, (pif, members, _)) in networks.into_iter().filter(|(_, (.., own))| !own) {
        let network = sides.pool.network_of(pif)?;
        found.push(LackingFact {
            kind: kind.to_owned(),
            device: need(&pif.device, || format!("{}, device", sides.pool.pif_name(pif)))?.clone(),
            tag: *need(&pif.vlan, || format!("{}, VLAN", sides.pool.pif_name(pif)))?,
            name_label: label(network),
            network_uuid: network.uuid.clone(),
            members,
            vms: sides.vms_on(reference),
        });
    }
    found.sort_by(|a, b| (&a.kind, &a.name_label, a.tag).cmp(&(&b.kind, &b.name_label, b.tag)));
    Ok(())
}
