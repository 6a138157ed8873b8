//! What a join or an eject leaves, as far as it is computed beforehand: what the servers are compared with afterwards.

use serde::{Deserialize, Serialize};

use crate::cpu::CpuFacts;
use crate::facts::{Fact, Known, Value};
use crate::network::NetworkFacts;
use crate::snapshot::{Pbd, Pool, Sr, Vm};

/// The state that is predicted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Predicted {
    /// uuid of the host that comes or goes.
    pub host: String,
    /// Its address.
    pub address: String,
    /// uuid of the pool's coordinator, which stays.
    pub coordinator: String,
    /// How many hosts the pool has afterwards; nothing where it cannot be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<usize>,
    /// What HVM guests are started with afterwards; nothing where it cannot be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_hvm: Option<String>,
    /// What PV guests are started with afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_pv: Option<String>,
    /// The host's NICs and their networks.
    pub nics: Vec<PredictedNic>,
    /// The bonds that the server makes on the host.
    pub bonds: Vec<PredictedBond>,
    /// The VLANs that the server makes on the host.
    pub vlans: Vec<PredictedVlan>,
    /// The pool's shared storage that the host is plugged into.
    pub srs: Vec<Thing>,
    /// The host's VMs, which the pool has afterwards.
    pub vms: Vec<Thing>,
    /// The name of the network that carries the host's management; empty where it cannot be known.
    pub management: String,
}

/// A thing by name and uuid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thing {
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
}

/// A NIC and its network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictedNic {
    /// The device: `eth0`.
    pub device: String,
    /// Its MAC address; empty where it cannot be known.
    pub mac: String,
    /// The bridge of its network.
    pub bridge: String,
    /// uuid of the pool's network; nothing for a new one.
    pub network: Option<String>,
}

/// A bond.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictedBond {
    /// The name of its network.
    pub name: String,
    /// uuid of its network.
    pub network: String,
    /// `balance-slb`, `active-backup`, `lacp`.
    pub mode: String,
    /// The host's NICs in it; none where the server cannot make it.
    pub members: Vec<String>,
}

/// A VLAN.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictedVlan {
    /// The name of its network.
    pub name: String,
    /// uuid of its network.
    pub network: String,
    /// The tag.
    pub tag: i64,
    /// Whether the server makes it.
    pub created: bool,
}

impl Predicted {
    /// After a join.
    pub(super) fn join(pool: &Pool, joiner: &Pool, cpu: &CpuFacts, network: &NetworkFacts) -> Self {
        let host = joiner.coordinator_host();
        let text = |fact: Option<&str>| fact.unwrap_or_default().to_owned();
        Self {
            host: text(host.get().and_then(|host| host.uuid.text())),
            address: text(host.get().and_then(|host| host.address.text())),
            coordinator: coordinator_uuid(pool),
            hosts: pool.hosts.get().map(|hosts| hosts.len() + 1),
            level_hvm: level(&cpu.level_after_hvm),
            level_pv: level(&cpu.level_after_pv),
            nics: network
                .landing
                .each()
                .map(|nic| PredictedNic {
                    device: nic.device.clone(),
                    mac: text(nic.mac.text()),
                    bridge: nic.bridge.clone(),
                    network: nic.network_uuid.clone(),
                })
                .collect(),
            bonds: network
                .bonds
                .each()
                .filter_map(|bond| {
                    Some(PredictedBond {
                        name: bond.network.clone(),
                        network: bond.network_uuid.text()?.to_owned(),
                        mode: text(bond.mode.text()),
                        members: match bond.outcome.text()? {
                            "impossible" => Vec::new(),
                            _ => bond.joiner_members.clone(),
                        },
                    })
                })
                .collect(),
            vlans: network
                .vlans
                .each()
                .filter_map(|vlan| {
                    Some(PredictedVlan {
                        name: vlan.name_label.clone(),
                        network: vlan.network_uuid.text()?.to_owned(),
                        tag: vlan.tag,
                        created: *vlan.created.get()?,
                    })
                })
                .collect(),
            srs: shared_srs(pool),
            vms: own_vms(joiner),
            management: network.management.get().map(|landing| landing.network.clone()).unwrap_or_default(),
        }
    }

    /// After an eject.
    pub(super) fn eject(pool: &Pool, member: &crate::snapshot::Host, cpu: &crate::cpu::EjectCpuFacts) -> Self {
        Self {
            host: member.uuid.text().unwrap_or_default().to_owned(),
            address: member.address.text().unwrap_or_default().to_owned(),
            coordinator: coordinator_uuid(pool),
            hosts: pool.hosts.get().map(|hosts| hosts.len().saturating_sub(1)),
            level_hvm: level(&cpu.level_after_hvm),
            level_pv: level(&cpu.level_after_pv),
            ..Self::default()
        }
    }
}

fn coordinator_uuid(pool: &Pool) -> String {
    pool.coordinator_host().get().and_then(|host| host.uuid.text()).unwrap_or_default().to_owned()
}

fn level(set: &Known<crate::facts::Featureset>) -> Option<String> {
    match set.value() {
        Value::Features(set) => Some(set.to_string()),
        _ => None,
    }
}

/// Shared storage of the pool into which its coordinator is plugged: new members copy that plug.
fn shared_srs(pool: &Pool) -> Vec<Thing> {
    let nosync =
        pool.other_config.get().is_some_and(|config| config.get("sync_create_pbds").is_some_and(|v| v == "nosync"));
    let coordinator = pool.coordinator_host();
    let Some(coordinator) = coordinator.get().and_then(|host| host.reference.text()) else { return Vec::new() };
    let plugged = |sr: &&Sr| {
        let of_sr = |pbd: &&Pbd| pbd.sr.text().is_some_and(|sr_of| sr.reference.text() == Some(sr_of));
        pool.pbds.each().filter(of_sr).any(|pbd| pbd.host.text() == Some(coordinator))
    };
    pool.srs
        .each()
        .filter(|sr| !nosync && sr.shared == Known::Yes(true) && sr.is_tools() != Known::Yes(true))
        .filter(plugged)
        .filter_map(|sr| thing(&sr.name_label, &sr.uuid))
        .collect()
}

/// VMs of a joiner that it brings along: no templates of the product, no control domains, and no snapshots, which go
/// with their VM.
pub(super) fn own_vms(joiner: &Pool) -> Vec<Thing> {
    let yes = Known::Yes(true);
    let own = |vm: &&Vm| {
        vm.is_control_domain != yes
            && vm.is_a_snapshot != yes
            && vm.is_a_template != yes
            && vm.is_default_template != yes
    };
    joiner.vms.each().filter(own).filter_map(|vm| thing(&vm.name_label, &vm.uuid)).collect()
}

fn thing(name: &Known<String>, uuid: &Known<String>) -> Option<Thing> {
    Some(Thing { name: name.text().unwrap_or_default().to_owned(), uuid: uuid.text()?.to_owned() })
}
