//! Networks on which the coordinator has an address of its own, for storage above all, and the joiner will have none.

use super::facts::{BondFact, LandingFact, UnaddressedFact};
use super::made;
use super::sides::{Records, Sides, label, need};
use crate::facts::{Found, Known, Reason, Unknown};
use crate::snapshot::Pif;

/// In the order of bonds, then of NICs.
pub(super) fn unaddressed(
    sides: &Sides<'_>,
    bonds: &Known<Vec<BondFact>>,
    landing: &Known<Vec<LandingFact>>,
) -> Found<Vec<UnaddressedFact>> {
    let mut found = Vec::new();
    for bond in need(bonds, || "")? {
        if !*need(&made(bond), || "")? {
            continue;
        }
        let Some(interface) = sides.pool_bond(bond).and_then(|record| record.interface.text()) else { continue };
        found.extend(without(sides, sides.pool.pif(interface)?, &bond.joiner_members)?);
    }
    for nic in need(landing, || "")?.iter().filter(|nic| nic.bond.is_none()) {
        let other = sides.coordinator_nics()?.find(|other| other.bridge == nic.bridge).map(|other| other.pif);
        if let Some(other) = other {
            found.extend(without(sides, other, std::slice::from_ref(&nic.device))?);
        }
    }
    Ok(found)
}

/// How an interface has its addresses: of IPv4, else of IPv6 unless that is given by routers; none without one.
fn mode<'p>(records: &Records<'_>, pif: &'p Pif) -> Found<Option<(&'p str, bool)>> {
    let what = || format!("{}, ip_configuration_mode", records.pif_name(pif));
    let mode = need(&pif.ip_configuration_mode, what)?.as_str();
    if matches!(mode, "Static" | "DHCP") {
        return Ok(Some((mode, false)));
    }
    // Old releases have none.
    if pif.ipv6_configuration_mode.unknown().is_some_and(|why| why.reason == Reason::AbsentOnRelease) {
        return Ok(None);
    }
    let what = || format!("{}, ipv6_configuration_mode", records.pif_name(pif));
    let mode = need(&pif.ipv6_configuration_mode, what)?.as_str();
    Ok(matches!(mode, "Static" | "DHCP").then_some((mode, true)))
}

/// The coordinator's address on an interface, where the joiner's NICs there have none.
fn without(sides: &Sides<'_>, pif: &Pif, devices: &[String]) -> Found<Option<UnaddressedFact>> {
    let Some((of, ipv6)) = mode(&sides.pool, pif)? else { return Ok(None) };
    if *need(&pif.management, || format!("{}, management", sides.pool.pif_name(pif)))? {
        return Ok(None);
    }
    for device in devices {
        let own = sides.nics()?.iter().find(|nic| nic.device == *device).and_then(|nic| nic.pif);
        let own = own.ok_or_else(|| Unknown::because(Reason::NotCollected, "the interfaces of the joiner"))?;
        if mode(&sides.joiner, own)?.is_some() {
            return Ok(None);
        }
    }
    let network = sides.pool.network_of(pif)?;
    let address = if ipv6 { pif.ipv6.each().next().map(String::as_str) } else { pif.ip.text() };
    Ok(Some(UnaddressedFact {
        name_label: label(network),
        network_uuid: network.uuid.clone(),
        devices: devices.to_vec(),
        mode: of.to_owned(),
        ipv6,
        pool_ip: address.unwrap_or_default().to_owned(),
        netmask: pif.netmask.text().unwrap_or_default().to_owned(),
    }))
}
