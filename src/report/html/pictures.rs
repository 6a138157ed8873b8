//! What the pictures need beyond the report: every host's features, and the networks that a joiner's NICs are on now.
//! Made from the two sides only where a page is asked for.

use std::collections::BTreeMap;

use crate::cpu::matrix::{Diff, Labelled, diff};
use crate::facts::Known;
use crate::snapshot::Pool;

/// The facts behind the pictures of one report.
#[derive(Debug, Default)]
pub struct Pictures {
    features: Option<Diff>,
    /// How many of the features' hosts are the pool's; joiners come after them.
    pool_hosts: usize,
    before: Vec<BTreeMap<String, String>>,
}

impl Pictures {
    /// From the pool and the joiners in their order; no joiners when a member leaves.
    pub fn new<'a>(pool: &'a Pool, joiners: impl IntoIterator<Item = &'a Pool>) -> Self {
        let mut hosts: Vec<Labelled<'_>> = Vec::new();
        add_hosts(&mut hosts, pool);
        let pool_hosts = hosts.len();
        let mut before = Vec::new();
        for joiner in joiners {
            add_hosts(&mut hosts, joiner);
            before.push(networks_now(joiner));
        }
        let features = (hosts.len() > 1).then(|| diff(&hosts));
        Self { features, pool_hosts, before }
    }

    pub(super) const fn features(&self) -> Option<&Diff> {
        self.features.as_ref()
    }

    /// Whether a column of the features is a joiner's.
    pub(super) const fn is_joiner(&self, column: usize) -> bool {
        column >= self.pool_hosts
    }

    /// Device → network of a joiner before the join.
    pub(super) fn before(&self, joiner: usize) -> Option<&BTreeMap<String, String>> {
        self.before.get(joiner)
    }
}

fn add_hosts<'a>(hosts: &mut Vec<Labelled<'a>>, pool: &'a Pool) {
    for host in pool.hosts.each() {
        let name = host.name_label.text().filter(|name| !name.is_empty()).unwrap_or("a host");
        hosts.extend(Labelled::of(name.to_owned(), host));
    }
}

/// The network of each NIC; a bond's where it is in one.
fn networks_now(pool: &Pool) -> BTreeMap<String, String> {
    let mut now = BTreeMap::new();
    let host = pool.coordinator_host();
    let own = host.get().and_then(|host| host.reference.text());
    let network = |reference: Option<&str>| {
        let found = pool.networks.each().find(|network| reference.is_some() && network.reference.text() == reference);
        found.and_then(|network| network.name_label.text()).map(str::to_owned)
    };
    for pif in pool.pifs.each().filter(|pif| pif.physical == Known::Yes(true)) {
        if own.is_some() && pif.host.text().is_some_and(|host| Some(host) != own) {
            continue;
        }
        let bond = pif.bond_slave_of.get().and_then(Option::as_deref);
        let bonded = pool
            .pifs
            .each()
            .find(|master| bond.is_some_and(|bond| master.bond_master_of.each().any(|reference| reference == bond)));
        let name = match bonded {
            Some(master) => {
                let device = master.device.text().unwrap_or("a bond");
                network(master.network.text()).map(|name| format!("{name} ({device})"))
            }
            None => network(pif.network.text()),
        };
        if let (Some(device), Some(name)) = (pif.device.text(), name) {
            now.insert(device.to_owned(), name);
        }
    }
    now
}
