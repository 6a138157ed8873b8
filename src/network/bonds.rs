//! The coordinator's bonds as the joiner will rebuild them at its first start as a member: by position, with what it
//! has, and errors only logged.

use std::collections::BTreeSet;

use super::facts::BondFact;
use super::nics::Nic;
use super::sides::{Sides, label, need, position};
use crate::facts::{Found, Known, Reason, Unknown};
use crate::snapshot::{Bond, Network, Pif};

/// Outcomes.
pub(super) const COMPLETE: &str = "complete";
pub(super) const PARTIAL: &str = "partial";
pub(super) const IMPOSSIBLE: &str = "impossible";

/// The coordinator's bonds, by device.
pub(super) fn bonds(sides: &Sides<'_>) -> Found<Vec<BondFact>> {
    let coordinator = need(&sides.coordinator, || "the pool's coordinator")?;
    let mut found = Vec::new();
    for bond in need(&sides.pool.pool.bonds, || "the bonds of the pool")? {
        let interface = sides.pool.pif(need(&bond.interface, || "a bond of the pool, its interface")?)?;
        if sides.pool.is_of(interface, coordinator)? {
            found.push(land(sides, bond, interface)?);
        }
    }
    found.sort_by(|a, b| (&a.device, &a.network).cmp(&(&b.device, &b.network)));
    Ok(found)
}

/// A member at the coordinator.
struct Member<'a> {
    pif: &'a Pif,
    device: String,
    position: Option<i64>,
}

fn land(sides: &Sides<'_>, bond: &Bond, interface: &Pif) -> Found<BondFact> {
    let name = || sides.pool.pif_name(interface);
    let device = need(&interface.device, || format!("{}, device", name()))?.clone();
    let network = sides.pool.network_of(interface)?;
    let reference = need(&interface.network, name)?.clone();
    let members = members(sides, bond, interface)?;
    let positions: BTreeSet<i64> = members.iter().filter_map(|member| member.position).collect();
    let nics: Vec<&Nic<'_>> =
        sides.nics()?.iter().filter(|nic| nic.position.is_some_and(|it| positions.contains(&it))).collect();
    let missing: Vec<i64> =
        positions.iter().copied().filter(|it| !nics.iter().any(|nic| nic.position == Some(*it))).collect();
    let mut obstacles = Obstacles::default();
    obstacles.find(sides, &nics, network);
    if nics.is_empty() {
        let places: Vec<_> = positions.iter().map(ToString::to_string).collect();
        obstacles.add("no-nic", format!("the joiner has no NIC in {}", positions_text(&places)));
    }
    let outcome = match (obstacles.codes.is_empty(), obstacles.gap.take()) {
        (false, _) => Known::Yes(IMPOSSIBLE.to_owned()),
        (true, Some(unknown)) => Known::No(unknown),
        (true, None) if missing.is_empty() => Known::Yes(COMPLETE.to_owned()),
        (true, None) => Known::Yes(PARTIAL.to_owned()),
    };
    Ok(BondFact {
        uuid: bond.uuid.clone(),
        network: label(network),
        network_uuid: network.uuid.clone(),
        mode: bond.mode.clone(),
        management: interface.management.clone(),
        without_position: devices(members.iter().filter(|member| member.position.is_none())),
        members: devices(members.iter()),
        positions: positions.into_iter().collect(),
        primary: primary(interface, &members, &nics),
        mtu_differs: mtu_differs(sides, network, &members),
        notes: notes(sides, bond, &nics),
        joiner_members: nics.iter().map(|nic| nic.device.clone()).collect(),
        missing,
        outcome,
        codes: obstacles.codes,
        reasons: obstacles.reasons,
        vms: sides.vms_on(&reference),
        network_reference: reference,
        device,
    })
}

fn members<'a>(sides: &Sides<'a>, bond: &Bond, interface: &Pif) -> Found<Vec<Member<'a>>> {
    let mut members = Vec::new();
    for reference in need(&bond.members, || format!("{}, members", sides.pool.pif_name(interface)))? {
        let pif = sides.pool.pif(reference)?;
        let device = need(&pif.device, || format!("{}, device", sides.pool.pif_name(pif)))?.clone();
        members.push(Member { pif, device, position: position(sides.pool.bridge(sides.pool.network_of(pif)?)?) });
    }
    members.sort_by(|a, b| (a.position, &a.device).cmp(&(b.position, &b.device)));
    Ok(members)
}

fn devices<'m>(members: impl Iterator<Item = &'m Member<'m>>) -> Vec<String> {
    members.map(|member| member.device.clone()).collect()
}

pub(super) fn positions_text(places: &[String]) -> String {
    match places {
        [] => "any of its positions".to_owned(),
        [place] => format!("position {place}"),
        places => format!("positions {}", places.join(" and ")),
    }
}

/// What keeps the server from making a bond, and the first fact that would tell.
#[derive(Default)]
struct Obstacles {
    codes: Vec<String>,
    reasons: Vec<String>,
    gap: Option<Unknown>,
}

impl Obstacles {
    fn add(&mut self, code: &str, reason: String) {
        self.codes.push(code.to_owned());
        self.reasons.push(reason);
    }

    fn ask<T>(&mut self, answer: Found<T>) -> Option<T> {
        match answer {
            Ok(value) => Some(value),
            Err(unknown) => {
                self.gap.get_or_insert(unknown);
                None
            }
        }
    }

    /// The server's own conditions for a bond (Bond.create) with these members on this network.
    fn find(&mut self, sides: &Sides<'_>, nics: &[&Nic<'_>], network: &Network) {
        self.taken(sides, network);
        // A fresh installation manages all its NICs, and gives an address to one.
        let pifs: Vec<(&str, &Pif)> = nics.iter().filter_map(|nic| Some((nic.device.as_str(), nic.pif?))).collect();
        self.unmanaged(sides, &pifs);
        self.addresses(sides, &pifs);
        let mixed = self.distinct(sides, &pifs, "properties", |pif| {
            pif.properties
                .clone()
                .map(|map| map.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","))
        });
        if let Some(text) = mixed {
            self.add("properties", format!("its members' properties differ ({text}): INCOMPATIBLE_BOND_PROPERTIES"));
        }
        let mixed = self.distinct(sides, &pifs, "primary_address_type", |pif| optional(&pif.primary_address_type));
        if let Some(text) = mixed {
            self.add(
                "address-type",
                format!("its members' primary address types differ ({text}): PIF_INCOMPATIBLE_PRIMARY_ADDRESS_TYPE"),
            );
        }
        self.fcoe(sides, &pifs);
    }

    /// A NIC that lands on the bond's network keeps the bond from it.
    fn taken(&mut self, sides: &Sides<'_>, network: &Network) {
        let Some(bridge) = self.ask(need(&network.bridge, || format!("network {}, bridge", label(network)))) else {
            return;
        };
        for nic in sides.nics.each().filter(|nic| nic.bridge == *bridge) {
            let device = &nic.device;
            self.add(
                "network-taken",
                format!("the joiner's {device} lands on its network {}: NETWORK_ALREADY_CONNECTED", label(network)),
            );
        }
    }

    fn unmanaged(&mut self, sides: &Sides<'_>, pifs: &[(&str, &Pif)]) {
        for (device, pif) in pifs {
            let managed =
                need(&optional_flag(&pif.managed), || format!("{}, managed", sides.joiner.pif_name(pif))).copied();
            if self.ask(managed) == Some(false) {
                self.add("not-managed", format!("the joiner's {device} is not managed: PIF_UNMANAGED"));
            }
        }
    }

    fn addresses(&mut self, sides: &Sides<'_>, pifs: &[(&str, &Pif)]) {
        let mut with = Vec::new();
        for (device, pif) in pifs {
            let what = || format!("{}, ip_configuration_mode", sides.joiner.pif_name(pif));
            if self.ask(need(&pif.ip_configuration_mode, what)).is_some_and(|mode| mode != "None") {
                with.push(*device);
            }
        }
        if with.len() > 1 {
            self.add(
                "several-addresses",
                format!(
                    "the joiner's {} each have an IP configuration: PIF_BOND_MORE_THAN_ONE_IP",
                    with.join(" and ")
                ),
            );
        }
    }

    /// The differing values, when members do not agree.
    fn distinct(
        &mut self,
        sides: &Sides<'_>,
        pifs: &[(&str, &Pif)],
        field: &str,
        read: impl Fn(&Pif) -> Known<String>,
    ) -> Option<String> {
        if pifs.len() < 2 {
            return None;
        }
        let mut values = Vec::new();
        for (device, pif) in pifs {
            let value = read(pif);
            let value = self.ask(need(&value, || format!("{}, {field}", sides.joiner.pif_name(pif))).cloned());
            values.extend(value.map(|value| (*device, value)));
        }
        let differ = values.iter().any(|(_, value)| *value != values[0].1);
        let said = values
            .iter()
            .map(|(device, value)| format!("{device}: {}", if value.is_empty() { "none" } else { value }));
        differ.then(|| said.collect::<Vec<_>>().join("; "))
    }

    /// A NIC through which an FCoE disk is in use cannot be bonded.
    fn fcoe(&mut self, sides: &Sides<'_>, pifs: &[(&str, &Pif)]) {
        let in_use = fcoe_in_use(sides);
        if in_use == Ok(false) {
            return;
        }
        for (device, pif) in pifs {
            let words = match &pif.capabilities {
                Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => continue,
                words => need(words, || format!("{}, capabilities", sides.joiner.pif_name(pif))),
            };
            match (self.ask(words), &in_use) {
                (Some(words), Ok(_)) if words.iter().any(|word| word == "fcoe") => {
                    let reason =
                        format!("the joiner has an FCoE SR, and {device} carries FCoE: PIF_HAS_FCOE_SR_IN_USE");
                    self.add("fcoe", reason);
                }
                (Some(words), Err(unknown)) if words.iter().any(|word| word == "fcoe") => {
                    self.gap.get_or_insert(unknown.clone());
                }
                _ => {}
            }
        }
    }
}

/// Whether the joiner has an SR on FCoE.
fn fcoe_in_use(sides: &Sides<'_>) -> Found<bool> {
    let mut in_use = false;
    for sr in need(&sides.joiner.pool.srs, || "the SRs of the joiner")? {
        in_use |= need(&sr.kind, || "an SR of the joiner, its kind")? == "lvmofcoe";
    }
    Ok(in_use)
}

/// The joiner's NIC in the position of the coordinator's member whose MAC the bond has.
fn primary(interface: &Pif, members: &[Member<'_>], nics: &[&Nic<'_>]) -> Known<Option<String>> {
    let mac = match &interface.mac {
        Known::Yes(mac) => mac,
        Known::No(unknown) => return Known::No(unknown.clone()),
    };
    let mut gap = None;
    for member in members {
        match &member.pif.mac {
            Known::Yes(own) if own.eq_ignore_ascii_case(mac) => {
                let nic = nics.iter().find(|nic| nic.position.is_some() && nic.position == member.position);
                return Known::Yes(nic.map(|nic| nic.device.clone()));
            }
            Known::Yes(_) => {}
            Known::No(unknown) => gap = Some(unknown.clone()),
        }
    }
    gap.map_or(Known::Yes(None), Known::No)
}

/// Whether the bond's network has another MTU than its members' networks.
fn mtu_differs(sides: &Sides<'_>, network: &Network, members: &[Member<'_>]) -> Known<bool> {
    let mtu = |network: &Network| need(&network.mtu, || format!("network {}, mtu", label(network))).copied();
    super::known(|| {
        let own = mtu(network)?;
        let mut differs = false;
        for member in members {
            differs |= mtu(sides.pool.network_of(member.pif)?)? != own;
        }
        Ok(differs)
    })
}

fn notes(sides: &Sides<'_>, bond: &Bond, nics: &[&Nic<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    if bond.mode.text() == Some("lacp") {
        notes
            .push("LACP: the switch ports must aggregate after the join, and carry a plain NIC before it".to_owned());
    }
    for nic in nics {
        let Some(pif) = nic.pif else { continue };
        if matches!(&pif.vlan_slave_of, Known::Yes(vlans) if !vlans.is_empty()) {
            notes.push(format!(
                "the VLAN on the joiner's {} moves to the bond; if that fails, the member is cut off",
                nic.device
            ));
        }
        if matches!(pif.bond_slave_of, Known::Yes(Some(_))) {
            notes.push(format!(
                "the joiner's {} is in a bond of its own, which must be destroyed before the join",
                nic.device
            ));
        }
    }
    let tunnels = sides.joiner.pool.tunnels.each().any(|tunnel| {
        let carrier = tunnel.transport_pif.text();
        carrier.is_some() && nics.iter().any(|nic| nic.pif.and_then(|pif| pif.reference.text()) == carrier)
    });
    if tunnels {
        notes.push("a tunnel of the joiner runs over a member and must be destroyed before the join".to_owned());
    }
    notes
}

/// The IPv4-only releases before 6.1 have no primary address type: they cannot differ in it.
fn optional(known: &Known<String>) -> Known<String> {
    match known {
        Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => Known::Yes(String::new()),
        known => known.clone(),
    }
}

/// Releases without the field manage every PIF.
fn optional_flag(known: &Known<bool>) -> Known<bool> {
    match known {
        Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => Known::Yes(true),
        known => known.clone(),
    }
}
