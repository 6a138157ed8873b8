//! The networks of the joiner's VMs. Importing them, the server finds the pool's network by name, then by bridge, and
//! makes a new one only when neither is there.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::VmNetworkFact;
use super::sides::{Sides, label, need};
use crate::facts::Found;
use crate::snapshot::Network;

/// How many VMs are named.
const NAMED: usize = 6;

/// The networks that VMs of the joiner use, by name.
pub(super) fn networks(sides: &Sides<'_>) -> Found<Vec<VmNetworkFact>> {
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for vm in need(&sides.joiner.pool.vms, || "the VMs of the joiner")? {
        let name = vm.name_label.text().unwrap_or("(unnamed)");
        let mut own = BTreeSet::new();
        for vif in need(&vm.vifs, || format!("VM {name} of the joiner, VIFs"))? {
            own.insert(need(&vif.network, || format!("VM {name} of the joiner, a VIF's network"))?.as_str());
        }
        for network in own {
            users.entry(network).or_default().insert(name);
            *counts.entry(network).or_default() += 1;
        }
    }
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let mut by_name: BTreeMap<&str, Vec<&Network>> = BTreeMap::new();
    for network in need(&sides.pool.pool.networks, || "the networks of the pool")? {
        let name = need(&network.name_label, || format!("network {} of the pool, name_label", label(network)))?;
        by_name.entry(name).or_default().push(network);
    }
    let mut found = Vec::new();
    for (reference, names) in users {
        let network = sides.joiner.network(reference)?;
        let count = counts.get(reference).copied().unwrap_or(0);
        found.push(lands(sides, network, count, &names, &by_name)?);
    }
    found.sort_by(|a, b| (&a.name_label, &a.bridge).cmp(&(&b.name_label, &b.bridge)));
    let named: Vec<_> = found.iter().map(|network| (network.name_label.clone(), network.bridge.clone())).collect();
    for network in &mut found {
        let twins = named.iter().filter(|(name, bridge)| *name == network.name_label && *bridge != network.bridge);
        network.twins = twins.map(|(_, bridge)| bridge.clone()).collect();
    }
    Ok(found)
}

fn lands(
    sides: &Sides<'_>,
    network: &Network,
    vms: i64,
    names: &BTreeSet<&str>,
    by_name: &BTreeMap<&str, Vec<&Network>>,
) -> Found<VmNetworkFact> {
    let what = |field: &str| format!("network {} of the joiner, {field}", label(network));
    let name = need(&network.name_label, || what("name_label"))?;
    let bridge = need(&network.bridge, || what("bridge"))?;
    let mut candidates = by_name.get(name.as_str()).cloned().unwrap_or_default();
    candidates.sort_by(|a, b| a.uuid.text().cmp(&b.uuid.text()));
    for other in &candidates {
        need(&other.bridge, || format!("network {} of the pool, bridge", label(other)))?;
    }
    let alike = candidates.iter().find(|other| other.bridge.text() == Some(bridge)).copied();
    let (outcome, target) = match (candidates.as_slice(), alike) {
        ([only], Some(_)) => ("same", Some(*only)),
        (_, Some(alike)) => ("ambiguous", Some(alike)),
        ([first, ..], None) => ("by-name", Some(*first)),
        ([], None) => match sides.network_with_bridge(bridge)? {
            Some(other) => ("by-bridge", Some(other)),
            None => ("new", None),
        },
    };
    let internal = !sides.nics()?.iter().any(|nic| nic.bridge == *bridge);
    Ok(VmNetworkFact {
        name_label: name.clone(),
        uuid: network.uuid.clone(),
        bridge: bridge.clone(),
        internal,
        vms,
        vm_names: names.iter().take(NAMED).map(|name| (*name).to_owned()).collect(),
        outcome: outcome.to_owned(),
        target: target.map(label).unwrap_or_default(),
        target_uuid: target.map_or_else(Default::default, |target| target.uuid.clone()),
        target_bridge: target.and_then(|target| target.bridge.text()).unwrap_or_default().to_owned(),
        candidates: candidates
            .iter()
            .map(|other| other.uuid.text().unwrap_or("(uuid not known)").to_owned())
            .collect(),
        twins: Vec::new(),
    })
}
