//! Both sides of a join, indexed once, where it is asked for: records by reference, networks by bridge, NICs by position.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::facts::BondFact;
use super::nics::{Nic, PoolNic, joiner_nics, pool_nics};
use crate::facts::{Found, Known, Reason, Unknown, known};
use crate::snapshot::{Bond, Host, Network, Pif, Pool};

/// Records by reference.
type ByReference<'a, T> = BTreeMap<&'a str, &'a T>;

/// What is needed of one side.
pub(super) struct Records<'a> {
    /// The snapshot.
    pub(super) pool: &'a Pool,
    /// What this side is called in reasons.
    pub(super) name: &'static str,
    pifs: OnceCell<Known<ByReference<'a, Pif>>>,
    networks: OnceCell<Known<ByReference<'a, Network>>>,
}

/// Both sides.
pub(super) struct Sides<'a> {
    pub(super) pool: Records<'a>,
    pub(super) joiner: Records<'a>,
    pub(super) coordinator: Known<&'a Host>,
    pub(super) host: Known<&'a Host>,
    /// The joiner's NICs by position, then device.
    pub(super) nics: Known<Vec<Nic<'a>>>,
    pool_nics: OnceCell<Known<Vec<PoolNic<'a>>>>,
    /// Whether the joiner's NICs are predicted.
    pub(super) predicted: bool,
    bridges: OnceCell<Known<BTreeMap<&'a str, &'a Network>>>,
    vms: OnceCell<Known<BTreeMap<&'a str, i64>>>,
}

impl<'a> Sides<'a> {
    pub(super) fn of(pool: &'a Pool, joiner: &'a Pool) -> Self {
        let host = match joiner.hosts.get().map(Vec::as_slice) {
            Some([host]) => Known::Yes(host),
            _ => joiner.coordinator_host(),
        };
        let coordinator = pool.coordinator_host();
        let pool = Records::of(pool, "the pool");
        let joiner = Records::of(joiner, "the joiner");
        let predicted = joiner.pool.pifs.get().is_none()
            && host.get().is_some_and(|host| host.hardware.get().is_some_and(|it| it.nics.get().is_some()));
        Self {
            nics: known(|| joiner_nics(&joiner, &host, predicted)),
            pool_nics: OnceCell::new(),
            bridges: OnceCell::new(),
            vms: OnceCell::new(),
            pool,
            joiner,
            coordinator,
            host,
            predicted,
        }
    }

    /// The joiner's NICs.
    pub(super) fn nics(&self) -> Found<&[Nic<'a>]> {
        need(&self.nics, || "").map(Vec::as_slice)
    }

    /// The NICs of the pool's members; the coordinator's first, by position.
    pub(super) fn pool_nics(&self) -> &Known<Vec<PoolNic<'a>>> {
        let coordinator = || need(&self.coordinator, || "the pool's coordinator");
        self.pool_nics.get_or_init(|| known(|| pool_nics(&self.pool, coordinator()?)))
    }

    /// The coordinator's NICs.
    pub(super) fn coordinator_nics(&self) -> Found<impl Iterator<Item = &PoolNic<'a>> + Clone> {
        Ok(need(self.pool_nics(), || "")?.iter().filter(|nic| nic.coordinator))
    }

    /// The pool's network with a bridge, which is where a NIC with this bridge lands.
    pub(super) fn network_with_bridge(&self, bridge: &str) -> Found<Option<&'a Network>> {
        let bridges = self.bridges.get_or_init(|| known(|| bridges(self.pool.pool)));
        Ok(need(bridges, || "")?.get(bridge).copied())
    }

    /// The record of a bond of the coordinator, which is told by its network.
    pub(super) fn pool_bond(&self, fact: &BondFact) -> Option<&'a Bond> {
        let coordinator = self.coordinator.get()?;
        self.pool.pool.bonds.each().find(|bond| {
            let interface = bond.interface.text().and_then(|interface| self.pool.pif(interface).ok());
            interface.is_some_and(|pif| {
                pif.network.text() == Some(&fact.network_reference) && self.pool.is_of(pif, coordinator) == Ok(true)
            })
        })
    }

    /// How many VMs of the pool have an interface on a network.
    pub(super) fn vms_on(&self, network: &str) -> Known<i64> {
        let vms = self.vms.get_or_init(|| known(|| vms_by_network(self.pool.pool)));
        vms.as_ref().map(|vms| vms.get(network).copied().unwrap_or(0))
    }
}

impl<'a> Records<'a> {
    const fn of(pool: &'a Pool, name: &'static str) -> Self {
        Self { pool, name, pifs: OnceCell::new(), networks: OnceCell::new() }
    }

    fn pifs(&self) -> &Known<ByReference<'a, Pif>> {
        let name = || format!("the PIFs of {}", self.name);
        self.pifs.get_or_init(|| known(|| by_reference(&self.pool.pifs, |pif| &pif.reference, name)))
    }

    fn networks(&self) -> &Known<ByReference<'a, Network>> {
        let name = || format!("the networks of {}", self.name);
        self.networks.get_or_init(|| known(|| by_reference(&self.pool.networks, |network| &network.reference, name)))
    }

    /// The interface that a reference leads to.
    pub(super) fn pif(&self, reference: &str) -> Found<&'a Pif> {
        let found = need(self.pifs(), || "")?.get(reference).copied();
        found.ok_or_else(|| self.lost("PIF", reference))
    }

    /// The network of an interface.
    pub(super) fn network_of(&self, pif: &Pif) -> Found<&'a Network> {
        let reference = need(&pif.network, || format!("{}, network", self.pif_name(pif)))?;
        self.network(reference)
    }

    /// The network that a reference leads to.
    pub(super) fn network(&self, reference: &str) -> Found<&'a Network> {
        let found = need(self.networks(), || "")?.get(reference).copied();
        found.ok_or_else(|| self.lost("network", reference))
    }

    /// The bridge of a network.
    pub(super) fn bridge(&self, network: &'a Network) -> Found<&'a str> {
        need(&network.bridge, || format!("network {} of {}, bridge", label(network), self.name)).map(String::as_str)
    }

    /// Whether an interface is a host's. On a host that stands alone every one is.
    pub(super) fn is_of(&self, pif: &Pif, host: &Host) -> Found<bool> {
        if self.pool.hosts.get().is_some_and(|hosts| hosts.len() == 1) {
            return Ok(true);
        }
        let own = need(&host.reference, || format!("a host of {}, its reference", self.name))?;
        Ok(need(&pif.host, || format!("{}, host", self.pif_name(pif)))? == own)
    }

    /// What an interface is called in reasons.
    pub(super) fn pif_name(&self, pif: &Pif) -> String {
        let host = pif.host.text().and_then(|host| self.pool.host(host)).and_then(|host| host.name_label.text());
        let device = pif.device.text().or(pif.reference.text()).unwrap_or("(unnamed)");
        match host {
            Some(host) => format!("host {host}, PIF {device}"),
            None => format!("PIF {device} of {}", self.name),
        }
    }

    /// The physical NICs below an interface: itself, its bond's members, or those below its VLAN.
    pub(super) fn below(&self, pif: &'a Pif) -> Found<Vec<&'a Pif>> {
        let (base, bond) = self.base(pif)?;
        let Some(bond) = bond else { return Ok(vec![base]) };
        let bonds = need(&self.pool.bonds, || format!("the bonds of {}", self.name))?;
        let Some(bond) = bonds.iter().find(|it| it.reference.text() == Some(bond)) else {
            return Err(self.lost("Bond", bond));
        };
        let members = need(&bond.members, || format!("bond {} of {}, members", self.pif_name(base), self.name))?;
        members.iter().map(|member| self.pif(member)).collect()
    }

    /// The untagged interface below one, and the reference of its bond if it is a bond's.
    pub(super) fn base(&self, pif: &'a Pif) -> Found<(&'a Pif, Option<&'a str>)> {
        let mut base = pif;
        if let Some(vlan) = need(&pif.vlan_master_of, || format!("{}, vlan_master_of", self.pif_name(pif)))? {
            let vlans = need(&self.pool.vlans, || format!("the VLANs of {}", self.name))?;
            let Some(vlan) = vlans.iter().find(|it| it.reference.text() == Some(vlan)) else {
                return Err(self.lost("VLAN", vlan));
            };
            let below = need(&vlan.tagged_pif, || format!("{}, the PIF below", self.pif_name(pif)))?;
            base = self.pif(below)?;
        }
        let bonds = need(&base.bond_master_of, || format!("{}, bond_master_of", self.pif_name(base)))?;
        Ok((base, bonds.iter().min().map(String::as_str)))
    }

    fn lost(&self, class: &str, reference: &str) -> Unknown {
        Unknown::because(Reason::Unreadable, format!("{class} {reference} is not among the records of {}", self.name))
    }
}

/// What operators call a network: its name, else its bridge.
pub(super) fn label(network: &Network) -> String {
    let name = network.name_label.text().filter(|name| !name.is_empty());
    name.or(network.bridge.text()).or(network.uuid.text()).unwrap_or("(unnamed)").to_owned()
}

/// The number N of a bridge `xenbrN`.
pub(super) fn position(bridge: &str) -> Option<i64> {
    let digits = bridge.strip_prefix("xenbr")?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// A known value, or why there is none, with the name of the fact.
pub(super) fn need<T, S: Into<String>>(known: &Known<T>, what: impl FnOnce() -> S) -> Found<&T> {
    match known {
        Known::Yes(value) => Ok(value),
        Known::No(unknown) => {
            let what: String = what().into();
            match (what.is_empty(), unknown.detail().is_empty()) {
                (true, _) => Err(unknown.clone()),
                (false, true) => Err(Unknown::because(unknown.reason, what)),
                (false, false) => Err(Unknown::because(unknown.reason, format!("{what}: {}", unknown.detail()))),
            }
        }
    }
}

fn by_reference<'a, T>(
    list: &'a Known<Vec<T>>,
    reference: fn(&T) -> &Known<String>,
    what: impl Fn() -> String,
) -> Found<ByReference<'a, T>> {
    // A record without a reference could be the one that is looked for.
    let mut records = ByReference::new();
    for record in need(list, &what)? {
        records.insert(need(reference(record), || format!("{}, a reference", what()))?, record);
    }
    Ok(records)
}

/// Networks by bridge. Where several have one bridge, which the server prevents, the lowest reference counts.
fn bridges(pool: &Pool) -> Found<BTreeMap<&str, &Network>> {
    let mut bridges: BTreeMap<&str, &Network> = BTreeMap::new();
    for network in need(&pool.networks, || "the networks of the pool")? {
        let bridge = need(&network.bridge, || format!("network {} of the pool, bridge", label(network)))?;
        let kept = bridges.entry(bridge).or_insert(network);
        if network.reference.text() < kept.reference.text() {
            *kept = network;
        }
    }
    Ok(bridges)
}

/// How many VMs have an interface on each network; templates and snapshots do not count.
fn vms_by_network(pool: &Pool) -> Found<BTreeMap<&str, i64>> {
    let mut counts = BTreeMap::new();
    for vm in need(&pool.vms, || "the VMs of the pool")? {
        let name = || format!("VM {} of the pool, VIFs", vm.name_label.text().unwrap_or_default());
        if vm.vifs.get().is_some_and(Vec::is_empty) {
            continue;
        }
        if *need(&vm.is_a_template, || format!("{}, is_a_template", name()))?
            || *need(&vm.is_a_snapshot, || format!("{}, is_a_snapshot", name()))?
        {
            continue;
        }
        let mut networks = Vec::new();
        for vif in need(&vm.vifs, name)? {
            networks.push(need(&vif.network, name)?.as_str());
        }
        networks.sort_unstable();
        networks.dedup();
        for network in networks {
            *counts.entry(network).or_insert(0) += 1;
        }
    }
    Ok(counts)
}
