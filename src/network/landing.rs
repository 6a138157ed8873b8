//! Where each NIC of the joiner lands: on the pool's network with the same bridge, else on a new one.

use super::compare::{carrier_missing, differs, network_mtu, speed_differs, switch, usual};
use super::facts::{BondFact, LandingFact, MissingNicFact};
use super::nics::Nic;
use super::sides::{Sides, label};
use super::{bonds, made};
use crate::facts::{Found, Known, Reason};

/// The joiner's NICs.
pub(super) fn landing(sides: &Sides<'_>, bonds: &Known<Vec<BondFact>>) -> Found<Vec<LandingFact>> {
    sides.nics()?.iter().map(|nic| lands(sides, nic, bonds)).collect()
}

fn lands(sides: &Sides<'_>, nic: &Nic<'_>, bonds: &Known<Vec<BondFact>>) -> Found<LandingFact> {
    let network = sides.network_with_bridge(&nic.bridge)?;
    let name = match (network, nic.network) {
        (Some(network), _) | (None, Some(network)) => label(network),
        (None, None) => format!("Pool-wide network associated with {}", nic.device),
    };
    let bond = bonds.each().find(|bond| bond.joiner_members.contains(&nic.device));
    let usual = usual(sides, &nic.bridge);
    let pool_mtu = network_mtu(sides, nic);
    let what = match (bond, network) {
        (Some(bond), _) => in_bond(bond),
        (None, Some(_)) if bonds.get().is_none() => "cannot tell: the pool's bonds are not known".to_owned(),
        (None, Some(_)) => "plain NIC".to_owned(),
        (None, None) => "a new network, with this host alone".to_owned(),
    };
    Ok(LandingFact {
        device: nic.device.clone(),
        uuid: nic.uuid.clone(),
        mac: nic.mac.clone(),
        position: nic.position,
        bridge: nic.bridge.clone(),
        network: name,
        network_uuid: network.and_then(|network| network.uuid.get().cloned()),
        new_network: network.is_none(),
        bond: bond.filter(|bond| made(bond) != Known::Yes(false)).map(|bond| bond.device.clone()),
        management: nic.pif.map_or_else(
            || Known::no(Reason::NotApplicable, "the product is not installed yet"),
            |pif| pif.management.clone(),
        ),
        speed_differs: speed_differs(&nic.link, &usual),
        mtu_differs: differs(&nic.mtu, &pool_mtu),
        carrier_missing: carrier_missing(&nic.link, &usual),
        kind_differs: differs(&nic.link.kind, &usual.kind),
        speed: nic.link.speed.clone(),
        pool_speed: usual.speed,
        mtu: nic.mtu.clone(),
        pool_mtu,
        carrier: nic.link.carrier.clone(),
        pool_carrier: usual.carrier,
        kind: nic.link.kind.clone(),
        pool_kind: usual.kind,
        neighbour_differs: differs(
            &nic.link.neighbour.clone().map(|neighbour| switch(&neighbour).to_owned()),
            &usual.neighbour,
        ),
        neighbour: nic.link.neighbour.clone(),
        pool_neighbour: usual.neighbour,
        what,
    })
}

fn in_bond(bond: &BondFact) -> String {
    let device = &bond.device;
    match bond.outcome.text() {
        Some(bonds::COMPLETE) => format!("member of {device}"),
        Some(bonds::PARTIAL) => format!("member of {device}, which is not whole"),
        Some(_) => format!("stays alone: {device} cannot be made"),
        None => format!("meant for {device}; cannot tell"),
    }
}

/// NICs of the coordinator in whose place the joiner has none.
pub(super) fn missing(sides: &Sides<'_>) -> Found<Vec<MissingNicFact>> {
    let nics = sides.nics()?;
    Ok(sides
        .coordinator_nics()?
        .filter(|other| !nics.iter().any(|nic| nic.bridge == other.bridge))
        .map(|other| MissingNicFact {
            device: other.device.to_owned(),
            bridge: other.bridge.to_owned(),
            network: label(other.network),
            network_uuid: other.network.uuid.clone(),
            bonded: matches!(other.pif.bond_slave_of, Known::Yes(Some(_))),
            vms: other.network.reference.text().map_or_else(Known::default, |network| sides.vms_on(network)),
        })
        .collect())
}
