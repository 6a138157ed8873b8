//! The NICs of both sides, from PIF records or, for a machine without the product, from its PCI order.

use std::collections::BTreeMap;

use super::sides::{Records, need, position};
use crate::facts::{Found, Known, Reason};
use crate::snapshot::{Host, Network, Pif};

/// A NIC of the joiner.
#[derive(Clone, Debug)]
pub(super) struct Nic<'a> {
    pub(super) device: String,
    pub(super) uuid: Known<String>,
    pub(super) mac: Known<String>,
    pub(super) bridge: String,
    pub(super) position: Option<i64>,
    /// Its network at the joiner; none for a predicted NIC.
    pub(super) network: Option<&'a Network>,
    pub(super) pif: Option<&'a Pif>,
    pub(super) link: Link,
    pub(super) mtu: Known<i64>,
}

/// What tells one NIC from another.
#[derive(Clone, Debug)]
pub(super) struct Link {
    /// Mbit/s.
    pub(super) speed: Known<i64>,
    pub(super) carrier: Known<bool>,
    /// PCI vendor and device: `8086:1572`.
    pub(super) kind: Known<String>,
    /// Switch and port.
    pub(super) neighbour: Known<String>,
}

/// A NIC of a member of the pool.
#[derive(Clone, Debug)]
pub(super) struct PoolNic<'a> {
    pub(super) coordinator: bool,
    pub(super) device: &'a str,
    pub(super) bridge: &'a str,
    pub(super) position: Option<i64>,
    pub(super) network: &'a Network,
    pub(super) pif: &'a Pif,
    pub(super) link: Link,
}

/// The joiner's NICs, in order.
pub(super) fn joiner_nics<'a>(joiner: &Records<'a>, host: &Known<&'a Host>, predicted: bool) -> Found<Vec<Nic<'a>>> {
    if predicted {
        return predicted_nics(need(host, || "the joining host")?);
    }
    let host = need(host, || "the joining host")?;
    let mut nics = Vec::new();
    for pif in need(&joiner.pool.pifs, || "the PIFs of the joiner")? {
        if !joiner.is_of(pif, host)? || !*need(&pif.physical, || format!("{}, physical", joiner.pif_name(pif)))? {
            continue;
        }
        let network = joiner.network_of(pif)?;
        let bridge = joiner.bridge(network)?;
        nics.push(Nic {
            device: need(&pif.device, || format!("{}, device", joiner.pif_name(pif)))?.clone(),
            uuid: pif.uuid.clone(),
            mac: pif.mac.clone(),
            bridge: bridge.to_owned(),
            position: position(bridge),
            network: Some(network),
            pif: Some(pif),
            link: Link::of(pif),
            mtu: pif.mtu.clone(),
        });
    }
    nics.sort_by(|a, b| order(a.position, &a.device).cmp(&order(b.position, &b.device)));
    Ok(nics)
}

/// A fresh installation numbers NICs in the order of their PCI addresses.
fn predicted_nics<'a>(host: &'a Host) -> Found<Vec<Nic<'a>>> {
    let name = || format!("host {}, NICs", host.name_label.text().unwrap_or("(unnamed)"));
    let mut machine: Vec<_> =
        need(need(&host.hardware, name).map(|hardware| &hardware.nics)?, name)?.iter().collect();
    machine.sort_by(|a, b| (a.pci.text(), a.name.text()).cmp(&(b.pci.text(), b.name.text())));
    Ok(machine
        .into_iter()
        .enumerate()
        .map(|(index, nic)| Nic {
            device: format!("eth{index}"),
            uuid: Known::no(Reason::NotApplicable, "the product is not installed yet"),
            mac: nic.mac.clone(),
            bridge: format!("xenbr{index}"),
            position: i64::try_from(index).ok(),
            network: None,
            pif: None,
            link: Link {
                speed: speed(&nic.speed),
                carrier: nic.carrier.clone(),
                kind: nic.pci_id.clone(),
                neighbour: Known::default(),
            },
            mtu: nic.mtu.clone(),
        })
        .collect())
}

/// The NICs of the pool's members. A member's NIC on a network that is not among the records is left out, as those of
/// joiners that came just before have networks of their own; a coordinator's makes all unknown.
pub(super) fn pool_nics<'a>(pool: &Records<'a>, coordinator: &Host) -> Found<Vec<PoolNic<'a>>> {
    let mut nics = Vec::new();
    for pif in need(&pool.pool.pifs, || "the PIFs of the pool")? {
        let coordinator = pool.is_of(pif, coordinator)?;
        match pool_nic(pool, pif, coordinator) {
            Ok(Some(nic)) => nics.push(nic),
            Ok(None) => {}
            Err(unknown) if coordinator => return Err(unknown),
            Err(unknown) if unknown.reason == Reason::Unreadable => {}
            Err(unknown) => return Err(unknown),
        }
    }
    nics.sort_by(|a, b| {
        let key = |nic: &PoolNic<'a>| (!nic.coordinator, order(nic.position, nic.device), nic.pif.host.text());
        key(a).cmp(&key(b))
    });
    Ok(nics)
}

fn pool_nic<'a>(pool: &Records<'a>, pif: &'a Pif, coordinator: bool) -> Found<Option<PoolNic<'a>>> {
    if !*need(&pif.physical, || format!("{}, physical", pool.pif_name(pif)))? {
        return Ok(None);
    }
    let network = pool.network_of(pif)?;
    let bridge = pool.bridge(network)?;
    Ok(Some(PoolNic {
        coordinator,
        device: need(&pif.device, || format!("{}, device", pool.pif_name(pif)))?,
        bridge,
        position: position(bridge),
        network,
        pif,
        link: Link::of(pif),
    }))
}

impl Link {
    fn of(pif: &Pif) -> Self {
        let kind = match (&pif.vendor_id, &pif.device_id) {
            (Known::Yes(vendor), Known::Yes(device)) => Known::Yes(format!("{vendor}:{device}")),
            (Known::No(unknown), _) | (_, Known::No(unknown)) => Known::No(unknown.clone()),
        };
        Self { speed: speed(&pif.speed), carrier: pif.carrier.clone(), kind, neighbour: pif.switch_neighbour.clone() }
    }
}

/// Drivers that do not know print 0, -1 or 65535.
fn speed(said: &Known<i64>) -> Known<i64> {
    match said {
        Known::Yes(mbits) if *mbits <= 0 || *mbits == 65535 => {
            Known::no(Reason::Unreadable, format!("a driver that knows no speed says {mbits} Mbit/s"))
        }
        said => said.clone(),
    }
}

/// NICs with a position first, in its order, the others by name.
fn order(position: Option<i64>, device: &str) -> (i64, &str) {
    (position.unwrap_or(i64::MAX), device)
}

/// The value that most have; among equals the first one's, which is the coordinator's. Unknown where those that are
/// not known could have made another one win.
pub(super) fn most<'v, T: Ord + Clone + 'v>(values: impl Iterator<Item = &'v Known<T>>) -> Known<Option<T>> {
    let mut counts: BTreeMap<&T, (usize, usize)> = BTreeMap::new();
    let mut gaps = Vec::new();
    for (index, value) in values.enumerate() {
        match value {
            Known::Yes(value) => counts.entry(value).or_insert((0, index)).0 += 1,
            Known::No(unknown) => gaps.push(unknown),
        }
    }
    let mut ranked: Vec<_> = counts.into_iter().collect();
    ranked.sort_by_key(|(_, (count, first))| (usize::MAX - *count, *first));
    let votes = |rank: usize| ranked.get(rank).map_or(0, |(_, (count, _))| *count);
    match gaps.first() {
        Some(unknown) if votes(1) + gaps.len() >= votes(0) => Known::No((*unknown).clone()),
        _ => Known::Yes(ranked.first().map(|(value, _)| (*value).clone())),
    }
}
