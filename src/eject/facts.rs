//! The facts of an eject as rules and reports read them.

use crate::cpu::EjectCpuFacts;
use crate::facts::{Known, facts};

facts! {
    /// What the member's leaving destroys, and what stays.
    pub struct EjectFacts as "eject_facts" {
        /// Whether the member is the pool's coordinator.
        pub is_coordinator: Known<bool>,
        /// What is in progress on the pool itself.
        [volatile] pub operations: Known<Vec<Operation>>,
        /// What of its network configuration the member keeps: its management interface; null when it has none.
        pub management: Known<Option<Management>>,
        /// SRs that only the member is plugged into: the server forgets them.
        pub srs: Known<Vec<LostSr>>,
        /// Virtual disks on SRs that leave, drives of the machine left out.
        pub vdis: Known<Vec<LostVdi>>,
        /// VMs with a disk on an SR that leaves.
        pub vms: Known<Vec<LosingVm>>,
        /// Suspended VMs whose memory is on an SR that leaves.
        pub suspended: Known<Vec<LosingMemory>>,
        /// SRs that stay and that no other live host is plugged into.
        pub unreachable: Known<Vec<UnreachableSr>>,
        /// Settings of the pool that name an SR that leaves.
        pub pool_srs: Known<Vec<PoolSr>>,
        /// uuid of a shared SR that stays, that another live host is plugged into and that could take the disks, or null.
        pub refuge: Known<Option<String>>,
        /// Networks that no other host is on.
        pub networks: Known<Vec<LostNetwork>>,
        /// What of the member's network configuration is lost, beside management.
        pub interfaces: Known<Vec<Interface>>,
        /// The cluster without the member; null when the member is in none.
        pub cluster: Known<Option<ClusterAfter>>,
        /// SRs that the eject unplugs from the member or forgets.
        pub plugs: Known<Vec<Plug>>,
        /// Virtual disks that control and driver domains of the member have plugged in, which keep their SRs plugged.
        pub held: Known<Vec<HeldDisk>>,
        /// Memory of the hosts that stay, against what VMs need.
        pub capacity: Capacity,
        /// uuid of another host that could become the coordinator, or null.
        pub successor: Known<Option<String>>,
        /// What leaving does to the pool's CPU level.
        pub cpu: EjectCpuFacts,
    }

    /// Something in progress on the pool.
    pub struct Operation as "pool_operation" {
        /// Reference of its task.
        pub task: String,
        /// What is done: `apply_updates`, `ha_enable`, …
        pub name: String,
    }

    /// The interface that an ejected host comes back with.
    pub struct Management as "kept_management" {
        /// The NIC: of a bond, its primary member.
        pub device: String,
        /// VLAN tag; -1 for untagged.
        pub vlan: i64,
        /// The device of the bond that carried it; empty when none did.
        pub bond: String,
        /// How that bond shared its links: `lacp`, `balance-slb`, `active-backup`; empty when there was none.
        pub bond_mode: Known<String>,
        /// `None`, `DHCP`, `Static`.
        pub mode: Known<String>,
        /// IPv4 address; empty for none.
        pub ip: Known<String>,
        /// IPv4 netmask; empty for none.
        pub netmask: Known<String>,
        /// IPv4 gateway; empty for none.
        pub gateway: Known<String>,
        /// DNS servers, as the server prints them.
        pub dns: Known<String>,
        /// `None`, `DHCP`, `Static`, `Autoconf`.
        pub ipv6_mode: Known<String>,
        /// IPv6 addresses with their prefix lengths.
        pub ipv6: Known<Vec<String>>,
        /// `IPv4` or `IPv6`: by which of them the host is managed.
        pub address_type: Known<String>,
    }

    /// An SR that leaves with the member.
    pub struct LostSr as "lost_sr" {
        /// Its name.
        pub name_label: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// The server's reference.
        pub reference: String,
        /// The driver.
        pub kind: Known<String>,
        /// `destroyed` with the host's disks; `forgotten`: the data stay on their storage and no host knows them;
        /// `drive`: a drive of the machine itself.
        pub fate: String,
    }

    /// An SR of which the member lets go.
    pub struct Plug as "eject_plug" {
        /// The SR's name, else its uuid.
        pub name: String,
        /// uuid of the SR.
        pub sr_uuid: Known<String>,
        /// uuid of the PBD.
        pub uuid: Known<String>,
        /// Whether it is plugged now.
        pub attached: bool,
        /// Whether the server then forgets the SR, because no other host has a PBD for it.
        pub forgotten: bool,
        /// What is in progress on the SR, which keeps the server from both.
        pub operations: Known<Vec<String>>,
    }

    /// A virtual disk that is plugged into a domain of the member itself.
    pub struct HeldDisk as "held_disk" {
        /// Its name, else its reference.
        pub name: String,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Reference of the VBD that holds it.
        pub reference: Known<String>,
        /// What its SR is called.
        pub sr: String,
        /// What the domain is called.
        pub vm: String,
        /// Whether it is plugged in now.
        pub attached: Known<bool>,
    }

    /// A virtual disk that leaves with the member.
    pub struct LostVdi as "lost_vdi" {
        /// Its name, else its uuid.
        pub name: String,
        /// Its uuid.
        pub uuid: Known<String>,
        /// The server's reference.
        pub reference: Known<String>,
        /// What its SR is called.
        pub sr: String,
        /// uuid of its SR.
        pub sr_uuid: Known<String>,
        /// What becomes of it: `destroyed`, `forgotten`.
        pub fate: String,
        /// `user`, `system`, `suspend`, …
        pub kind: Known<String>,
        /// Whether it is a snapshot.
        pub is_a_snapshot: Known<bool>,
        /// Size, bytes.
        pub virtual_size: Known<i64>,
        /// What the VMs that have it are called.
        pub vms: Known<Vec<String>>,
    }

    /// A VM that loses disks.
    pub struct LosingVm as "losing_vm" {
        /// Its name, else its uuid.
        pub name: String,
        /// Its uuid.
        pub uuid: Known<String>,
        /// The server's reference.
        pub reference: Known<String>,
        /// `Halted`, `Paused`, `Running`, `Suspended`.
        pub power_state: Known<String>,
        /// `VM`, `snapshot`, `template`, `control domain`; what is not known is left a VM.
        pub kind: String,
        /// How many of its disks are lost.
        pub lost: i64,
        /// How many disks it has.
        pub disks: i64,
        /// Whether none is left.
        pub diskless: bool,
    }

    /// An SR that nobody reaches without the member.
    pub struct UnreachableSr as "unreachable_sr" {
        /// Its name, else its uuid.
        pub name: String,
        /// Its uuid.
        pub uuid: Known<String>,
        /// VMs with a disk on it.
        pub vms: Known<i64>,
    }

    /// A suspended VM that loses its memory.
    pub struct LosingMemory as "losing_memory" {
        /// Its name, else its uuid.
        pub name: String,
        /// Its uuid.
        pub uuid: Known<String>,
        /// What the SR with its memory is called.
        pub sr: String,
    }

    /// A setting of the pool that names an SR which leaves.
    pub struct PoolSr as "pool_sr" {
        /// The setting, as `xe pool-param-set` calls it.
        pub name: String,
        /// What the SR is called.
        pub sr: String,
        /// uuid of the SR.
        pub uuid: Known<String>,
    }

    /// A network that no other host is on.
    pub struct LostNetwork as "lost_network" {
        /// Its name, else its uuid.
        pub name: String,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its bridge.
        pub bridge: Known<String>,
        /// VMs with an interface on it.
        pub vms: Known<Vec<String>>,
    }

    /// A part of the member's network configuration that is lost.
    pub struct Interface as "lost_interface" {
        /// `bond`, `VLAN`, `tunnel`, `SR-IOV`, `address`.
        pub kind: String,
        /// The device: `bond0`, `eth1`.
        pub device: String,
        /// In one line, all that it takes to set it up again.
        pub about: String,
        /// What its network is called.
        pub network: String,
        /// uuid of its network.
        pub network_uuid: Known<String>,
    }

    /// The cluster without the member.
    pub struct ClusterAfter as "cluster_after" {
        /// How many members it has now.
        pub before: i64,
        /// How many it would have.
        pub after: i64,
        /// How many of these are enabled.
        pub enabled: Known<i64>,
        /// uuid of the member's own membership.
        pub own_uuid: Known<String>,
        /// Whether the member's own is enabled.
        pub own_enabled: Known<bool>,
        /// Whether the member's own has joined.
        pub own_joined: Known<bool>,
        /// Whether enough of its hosts are there to decide for all; null where the release does not tell.
        pub quorate: Known<Option<bool>>,
        /// What is in progress on the cluster and on the member's own membership.
        pub operations: Known<Vec<String>>,
    }

    /// Memory once the member is gone.
    pub struct Capacity as "eject_capacity" {
        /// How many hosts stay that are live and take VMs.
        pub hosts: Known<i64>,
        /// Their memory without their control domains', bytes.
        pub memory: Known<i64>,
        /// What running and paused VMs may take at most, bytes.
        pub needed: Known<i64>,
        /// Whether it is enough.
        pub fits: Known<bool>,
        /// `memory` in whole GiB, for a sentence.
        pub memory_gib: Known<i64>,
        /// `needed` in GiB, rounded up.
        pub needed_gib: Known<i64>,
    }
}

impl Management {
    /// `eth0 (of bond0), VLAN 20, Static 192.0.2.12/255.255.255.0, gateway 192.0.2.1, DNS 192.0.2.53`.
    pub fn in_words(&self) -> String {
        let known = |fact: &Known<String>| fact.text().unwrap_or("unknown").to_owned();
        let bond = if self.bond.is_empty() { String::new() } else { format!(" (of {})", self.bond) };
        let mut parts = vec![format!("{}{bond}", self.device)];
        if self.vlan >= 0 {
            parts.push(format!("VLAN {}", self.vlan));
        }
        let address = if self.ip.text() == Some("") {
            String::new()
        } else {
            format!(" {}/{}", known(&self.ip), known(&self.netmask))
        };
        parts.push(format!("{}{address}", known(&self.mode)));
        for (word, fact) in [("gateway", &self.gateway), ("DNS", &self.dns)] {
            if fact.text() != Some("") {
                parts.push(format!("{word} {}", known(fact)));
            }
        }
        if self.ipv6_mode.text() != Some("None") {
            let addresses = self.ipv6.get().map_or_else(|| "unknown".to_owned(), |addresses| addresses.join(" "));
            parts.push(format!("IPv6 {} {addresses}", known(&self.ipv6_mode)));
        }
        parts.join(", ")
    }
}
