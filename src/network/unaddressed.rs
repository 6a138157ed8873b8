//! Networks on which the coordinator has an address of its own, for storage above all, and the joiner will have none.

use super::facts::{BondFact, LandingFact, UnaddressedFact};
use super::made;
use super::sides::{Found, Sides, label, need};
use crate::facts::{Known, Reason, Unknown};
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
        let record = sides.pool.pool.bonds.each().find(|it| it.uuid == bond.uuid);
        let Some(interface) = record.and_then(|record| record.interface.text()) else { continue };
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

/// The coordinator's address on an interface, where the joiner's NICs there have none.
fn without(sides: &Sides<'_>, pif: &Pif, devices: &[String]) -> Found<Option<UnaddressedFact>> {
    let what = || format!("{}, ip_configuration_mode", sides.pool.pif_name(pif));
    let mode = need(&pif.ip_configuration_mode, what)?.as_str();
    let management = need(&pif.management, || format!("{}, management", sides.pool.pif_name(pif)))?;
    if *management || !matches!(mode, "Static" | "DHCP") {
        return Ok(None);
    }
    for device in devices {
        let own = sides.nics()?.iter().find(|nic| nic.device == *device).and_then(|nic| nic.pif);
        let own = own.ok_or_else(|| Unknown::because(Reason::NotCollected, "the interfaces of the joiner"))?;
        let what = || format!("{}, ip_configuration_mode", sides.joiner.pif_name(own));
        if need(&own.ip_configuration_mode, what)? != "None" {
            return Ok(None);
        }
    }
    let network = sides.pool.network_of(pif)?;
    Ok(Some(UnaddressedFact {
        name_label: label(network),
        network_uuid: network.uuid.clone(),
        devices: devices.to_vec(),
        mode: mode.to_owned(),
        pool_ip: pif.ip.text().unwrap_or_default().to_owned(),
        netmask: pif.netmask.text().unwrap_or_default().to_owned(),
    }))
}
