//! Where the joiner's management will be, and what carries the pool's cluster.

use super::facts::{BondFact, ClusterLandingFact, ManagementFact};
use super::made;
use super::nics::Nic;
use super::sides::{Records, Sides, label, need, position};
use crate::facts::{Found, Known, Reason, Unknown, known};
use crate::snapshot::{Host, Pif};

/// The joiner's management beside the coordinator's.
pub(super) fn management(sides: &Sides<'_>, bonds: &Known<Vec<BondFact>>) -> Found<ManagementFact> {
    if sides.predicted {
        let what = "which NIC will carry management is chosen when the product is installed";
        return Err(Unknown::because(Reason::NotCollected, what));
    }
    let own = of_host(&sides.joiner, need(&sides.host, || "the joining host")?)?;
    let theirs = of_host(&sides.pool, need(&sides.coordinator, || "the pool's coordinator")?)?;
    let nics = places(&sides.joiner, own)?;
    let pool_nics = places(&sides.pool, theirs)?;
    let (base, bond) = sides.pool.base(theirs)?;
    let pool_bond = bond.map(|_| base.device.text().unwrap_or("the bond").to_owned());
    let record = sides.pool.pool.bonds.each().find(|it| bond.is_some() && it.reference.text() == bond);
    let pool_mode = match bond {
        None => Known::Yes(String::new()),
        Some(_) => record.map_or_else(Known::default, |bond| bond.mode.clone()),
    };
    let positions: Vec<i64> = nics.iter().filter_map(|(place, _)| *place).collect();
    let pool_positions: Vec<i64> = pool_nics.iter().filter_map(|(place, _)| *place).collect();
    let aligned = !positions.is_empty() && positions.iter().all(|place| pool_positions.contains(place));
    Ok(ManagementFact {
        device: need(&own.device, || format!("{}, device", sides.joiner.pif_name(own)))?.clone(),
        uuid: own.uuid.clone(),
        pool_device: need(&theirs.device, || format!("{}, device", sides.pool.pif_name(theirs)))?.clone(),
        pool_network: label(sides.pool.network_of(theirs)?),
        lacp: pool_mode.clone().map(|mode| aligned && nics.len() == 1 && mode == "lacp"),
        network: ends_on(sides, own, theirs, aligned, bonds)?,
        nics: nics.into_iter().map(|(_, device)| device).collect(),
        pool_nics: pool_nics.into_iter().map(|(_, device)| device).collect(),
        positions,
        pool_positions,
        pool_bond,
        pool_mode,
        aligned,
    })
}

/// The network on which the joiner's management ends: that of the bond which takes its NIC, else its NIC's.
fn ends_on(sides: &Sides<'_>, own: &Pif, theirs: &Pif, aligned: bool, bonds: &Known<Vec<BondFact>>) -> Found<String> {
    let tagged = matches!(own.vlan_master_of, Known::Yes(Some(_)));
    if tagged && aligned {
        return Ok(label(sides.pool.network_of(theirs)?));
    }
    let bonds = need(bonds, || "")?;
    let of_own = |bond: &&BondFact| bond.joiner_members.iter().any(|device| own.device.text() == Some(device));
    for bond in bonds.iter().filter(of_own) {
        if need(&made(bond), || format!("the bond {}", bond.device)).copied()? {
            return Ok(bond.network.clone());
        }
    }
    let network = sides.joiner.network_of(own)?;
    let landed = sides.network_with_bridge(sides.joiner.bridge(network)?)?;
    Ok(label(landed.unwrap_or(network)))
}

/// The packet size of the coordinator's management network.
pub(super) fn mtu(sides: &Sides<'_>) -> Found<i64> {
    mtu_of(&sides.pool, of_host(&sides.pool, need(&sides.coordinator, || "the pool's coordinator")?)?)
}

/// The least packet size of what carries the VLAN of the coordinator's management: its bond or NIC, and the bond's members.
pub(super) fn mtu_below(sides: &Sides<'_>) -> Found<Option<i64>> {
    let side = &sides.pool;
    let pif = of_host(side, need(&sides.coordinator, || "the pool's coordinator")?)?;
    if need(&pif.vlan_master_of, || format!("{}, vlan_master_of", side.pif_name(pif)))?.is_none() {
        return Ok(None);
    }
    let (base, _) = side.base(pif)?;
    let mut least = mtu_of(side, base)?;
    for nic in side.below(pif)? {
        least = least.min(mtu_of(side, nic)?);
    }
    Ok(Some(least))
}

fn mtu_of(side: &Records<'_>, pif: &Pif) -> Found<i64> {
    let network = side.network_of(pif)?;
    need(&network.mtu, || format!("network {} of {}, mtu", label(network), side.name)).copied()
}

/// The management interface of a host; of several the server takes the one with the highest reference.
fn of_host<'a>(side: &Records<'a>, host: &Host) -> Found<&'a Pif> {
    let mut found: Option<&Pif> = None;
    for pif in need(&side.pool.pifs, || format!("the PIFs of {}", side.name))? {
        if !side.is_of(pif, host)? {
            continue;
        }
        let carries = *need(&pif.management, || format!("{}, management", side.pif_name(pif)))?;
        if carries && found.is_none_or(|found| found.reference.text() < pif.reference.text()) {
            found = Some(pif);
        }
    }
    found.ok_or_else(|| Unknown::because(Reason::Unreadable, format!("no PIF of {} carries management", side.name)))
}

/// The NICs below an interface with their positions, in order.
fn places(side: &Records<'_>, pif: &Pif) -> Found<Vec<(Option<i64>, String)>> {
    let mut places = Vec::new();
    for nic in below(side, pif)? {
        let place = position(side.bridge(side.network_of(nic)?)?);
        places.push((place, need(&nic.device, || format!("{}, device", side.pif_name(nic)))?.clone()));
    }
    places.sort();
    Ok(places)
}

fn below<'a>(side: &Records<'a>, pif: &Pif) -> Found<Vec<&'a Pif>> {
    // The record of the index lives as long as the snapshot.
    let reference = need(&pif.reference, || format!("{}, reference", side.pif_name(pif)))?;
    side.below(side.pif(reference)?)
}

/// The network of the pool's cluster at the joiner, where new members join that cluster by themselves.
pub(super) fn cluster(sides: &Sides<'_>) -> Found<Option<ClusterLandingFact>> {
    // Releases before 7.6 have no clusters.
    let mut members: Vec<_> = match &sides.pool.pool.cluster_hosts {
        Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => return Ok(None),
        hosts => need(hosts, || "the pool's cluster hosts")?.iter().collect(),
    };
    for member in &members {
        need(&member.reference, || "a cluster host of the pool, its reference")?;
    }
    members.sort_by(|a, b| b.reference.text().cmp(&a.reference.text()));
    let Some(member) = members.first() else { return Ok(None) };
    let cluster = need(&member.cluster, || "a cluster host of the pool, its cluster")?;
    let clusters = need(&sides.pool.pool.clusters, || "the pool's clusters")?;
    let auto = clusters.iter().find(|it| it.reference.text() == Some(cluster)).map(|it| &it.pool_auto_join);
    let Some(auto) = auto else {
        let what = format!("Cluster {cluster} is not among the records of the pool");
        return Err(Unknown::because(Reason::Unreadable, what));
    };
    let auto = need(auto, || "the pool's cluster, pool_auto_join")?;
    let pif = need(&member.pif, || "a cluster host of the pool, its PIF")?;
    let (true, Some(pif)) = (*auto, pif) else { return Ok(None) };
    let pif = sides.pool.pif(pif)?;
    let mut bridges = Vec::new();
    for nic in sides.pool.below(pif)? {
        bridges.push(sides.pool.bridge(sides.pool.network_of(nic)?)?);
    }
    let nics: Vec<_> = sides.nics()?.iter().filter(|nic| bridges.contains(&nic.bridge.as_str())).collect();
    let addressed = || {
        let mut addressed = Vec::new();
        for (device, pif) in carriers(sides, pif, &nics)? {
            if !need(&pif.ip, || format!("{}, ip", sides.joiner.pif_name(pif)))?.is_empty() {
                addressed.push((device, pif));
            }
        }
        Ok(addressed)
    };
    let plugged = || {
        let mut plugged = true;
        for (_, pif) in addressed()? {
            plugged &=
                *need(&pif.currently_attached, || format!("{}, currently_attached", sides.joiner.pif_name(pif)))?;
        }
        Ok(plugged)
    };
    Ok(Some(ClusterLandingFact {
        device: need(&pif.device, || format!("{}, device", sides.pool.pif_name(pif)))?.clone(),
        network: label(sides.pool.network_of(pif)?),
        addressed: known(addressed).map(|nics| nics.into_iter().map(|(device, _)| device).collect()),
        plugged: known(plugged),
        nics: nics.iter().map(|nic| nic.device.clone()).collect(),
    }))
}

/// The joiner's interfaces that will be on the cluster's network. The join makes a VLAN anew and without an address,
/// unless it carries management on both sides.
fn carriers<'a>(sides: &Sides<'a>, cluster: &Pif, nics: &[&Nic<'a>]) -> Found<Vec<(String, &'a Pif)>> {
    let tag = *need(&cluster.vlan, || format!("{}, VLAN", sides.pool.pif_name(cluster)))?;
    if tag >= 0 {
        if !*need(&cluster.management, || format!("{}, management", sides.pool.pif_name(cluster)))? {
            return Ok(Vec::new());
        }
        let own = of_host(&sides.joiner, need(&sides.host, || "the joining host")?)?;
        let same = *need(&own.vlan, || format!("{}, VLAN", sides.joiner.pif_name(own)))? == tag;
        let device = need(&own.device, || format!("{}, device", sides.joiner.pif_name(own)))?;
        return Ok(if same { vec![(device.clone(), own)] } else { Vec::new() });
    }
    let installed = || Unknown::because(Reason::NotCollected, "addresses are given when the product is installed");
    nics.iter().map(|nic| Ok((nic.device.clone(), nic.pif.ok_or_else(installed)?))).collect()
}
