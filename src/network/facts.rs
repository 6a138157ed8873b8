//! Network facts as rules and reports read them (`network`). The rest of this room fills them in.

use crate::facts::{Known, facts};

facts! {
    /// Where a joiner's interfaces and VM networks will land in the pool, and what contradicts it.
    pub struct NetworkFacts as "network_facts" {
        /// Whether the joiner's NICs are predicted from the PCI order of the machine, as no server was there to ask.
        pub predicted: bool,
        /// The joiner's NICs with the networks on which they will land, by position.
        pub landing: Known<Vec<LandingFact>>,
        /// NICs of the coordinator in whose place the joiner has none.
        pub missing: Known<Vec<MissingNicFact>>,
        /// The coordinator's bonds and what becomes of them on the joiner.
        pub bonds: Known<Vec<BondFact>>,
        /// The coordinator's VLANs and whether they will be made on the joiner.
        pub vlans: Known<Vec<VlanLandingFact>>,
        /// The coordinator's tunnels and SR-IOV networks and whether they will be made on the joiner.
        pub overlays: Known<Vec<OverlayFact>>,
        /// VLANs and bonds that members have and the coordinator lacks: the joiner gets none of them.
        pub lacking: Known<Vec<LackingFact>>,
        /// Networks on which the coordinator has an address of its own and the joiner will have none.
        pub unaddressed: Known<Vec<UnaddressedFact>>,
        /// Where the joiner's management will be.
        pub management: Known<ManagementFact>,
        /// The packet size of the coordinator's management network, bytes.
        pub management_mtu: Known<i64>,
        /// The least packet size of the networks below its management's VLAN, bytes, or null where it is on none.
        pub management_mtu_below: Known<Option<i64>>,
        /// The network of the pool's cluster as the joiner will have it, or null without a cluster that members join.
        pub cluster: Known<Option<ClusterLandingFact>>,
        /// What differs, position by position, between the joiner's NICs and those of the pool's members.
        pub contradictions: Known<Vec<ContradictionFact>>,
        /// A sign that the joiner numbers its NICs otherwise than the pool, or null when there is none.
        pub order: Known<Option<OrderFact>>,
        /// Whether a switch neighbour is known on both sides of some position.
        pub neighbours_known: Known<bool>,
        /// Networks of the joiner that its VMs use, and the pool's networks that they become.
        pub vm_networks: Known<Vec<VmNetworkFact>>,
        /// What to run to get it right.
        pub repair: RepairFacts,
    }

    /// A NIC of the joiner and the network on which it will land.
    pub struct LandingFact as "nic_landing" {
        /// The device: `eth0`.
        pub device: String,
        /// The PIF's uuid before the join; it gets another one by joining.
        pub uuid: Known<String>,
        /// Its MAC address.
        pub mac: Known<String>,
        /// Its position: N of `xenbrN`, or null when its bridge has no such name.
        pub position: Option<i64>,
        /// The bridge by which the server finds the network.
        pub bridge: String,
        /// The network: the pool's, or its own where the pool has none with this bridge.
        pub network: String,
        /// The uuid of the pool's network, or null.
        pub network_uuid: Option<String>,
        /// Whether the pool has no network with this bridge, so that a new one is made.
        pub new_network: bool,
        /// The coordinator's bond of which it becomes a member, or null.
        pub bond: Option<String>,
        /// Whether it carries management.
        pub management: Known<bool>,
        /// Speed of its link, Mbit/s.
        [volatile] pub speed: Known<i64>,
        /// That of most members of the pool in this position, or null where none has a NIC.
        [volatile] pub pool_speed: Known<Option<i64>>,
        /// Whether the two differ while both have a link.
        [volatile] pub speed_differs: Known<bool>,
        /// Its largest packet, bytes.
        pub mtu: Known<i64>,
        /// That of the pool's network, which wins, or null for a new network.
        pub pool_mtu: Known<Option<i64>>,
        /// Whether the two differ.
        pub mtu_differs: Known<bool>,
        /// Whether it has a link.
        [volatile] pub carrier: Known<bool>,
        /// Whether most members have one in this position, or null.
        [volatile] pub pool_carrier: Known<Option<bool>>,
        /// Whether the pool has a link here and the joiner has none.
        [volatile] pub carrier_missing: Known<bool>,
        /// Its PCI vendor and device: `8086:1572`.
        pub kind: Known<String>,
        /// That of most members in this position, or null.
        pub pool_kind: Known<Option<String>>,
        /// Whether the two differ.
        pub kind_differs: Known<bool>,
        /// The switch and port that it is wired to.
        pub neighbour: Known<String>,
        /// The switch of most members in this position, or null.
        pub pool_neighbour: Known<Option<String>>,
        /// Whether it is wired to another switch than they are.
        pub neighbour_differs: Known<bool>,
        /// What happens to it, in a few words.
        pub what: String,
    }

    /// A NIC of the coordinator in whose place the joiner has none.
    pub struct MissingNicFact as "missing_nic" {
        /// The coordinator's device.
        pub device: String,
        /// The bridge by which the joiner's NIC would have been found.
        pub bridge: String,
        /// The network that the joiner will not reach through a NIC of its own.
        pub network: String,
        /// The network's uuid.
        pub network_uuid: Known<String>,
        /// Whether the coordinator's NIC is in a bond: then see the bond.
        pub bonded: bool,
        /// How many VMs of the pool have an interface on the network.
        pub vms: Known<i64>,
    }

    /// A bond of the coordinator and what becomes of it on the joiner.
    pub struct BondFact as "bond_landing" {
        /// The coordinator's device: `bond0`.
        pub device: String,
        /// The bond's uuid at the coordinator.
        pub uuid: Known<String>,
        /// Its network.
        pub network: String,
        /// The network's uuid.
        pub network_uuid: Known<String>,
        /// The server's reference of its network.
        pub network_reference: String,
        /// `balance-slb`, `active-backup`, `lacp`.
        pub mode: Known<String>,
        /// Whether it carries the coordinator's management.
        pub management: Known<bool>,
        /// The coordinator's members.
        pub members: Vec<String>,
        /// Their positions.
        pub positions: Vec<i64>,
        /// Members of the coordinator whose bridge names no position; the server leaves them out.
        pub without_position: Vec<String>,
        /// The joiner's NICs in these positions: its members.
        pub joiner_members: Vec<String>,
        /// Positions in which the joiner has no NIC.
        pub missing: Vec<i64>,
        /// `complete`, `partial` or `impossible`.
        pub outcome: Known<String>,
        /// What stands in the way: `no-nic`, `not-managed`, `several-addresses`, `properties`, `address-type`, `fcoe`,
        /// `network-taken`.
        pub codes: Vec<String>,
        /// The same in words.
        pub reasons: Vec<String>,
        /// The joiner's member whose MAC the bond takes, or null when the rule finds none.
        pub primary: Known<Option<String>>,
        /// Whether its network has another MTU than the networks of its members.
        pub mtu_differs: Known<bool>,
        /// What else to know of it.
        pub notes: Vec<String>,
        /// How many VMs of the pool have an interface on its network.
        pub vms: Known<i64>,
    }

    /// A VLAN of the coordinator.
    pub struct VlanLandingFact as "vlan_landing" {
        /// Its network.
        pub name_label: String,
        /// The tag.
        pub tag: i64,
        /// The uuid of its network.
        pub network_uuid: Known<String>,
        /// The network below it.
        pub below: String,
        /// The uuid of the network below it.
        pub below_uuid: Known<String>,
        /// Whether the server makes it on the joiner.
        pub created: Known<bool>,
        /// Why not; empty when it does.
        pub reason: String,
        /// How many VMs of the pool have an interface on it.
        pub vms: Known<i64>,
    }

    /// A tunnel or an SR-IOV network of the coordinator.
    pub struct OverlayFact as "overlay_landing" {
        /// Its network.
        pub name_label: String,
        /// `tunnel` or `sriov`.
        pub kind: String,
        /// The network that carries it.
        pub below: String,
        /// Whether the server makes it on the joiner.
        pub created: Known<bool>,
        /// Why not; empty when it does.
        pub reason: String,
    }

    /// Where the joiner's management is and will be.
    pub struct ManagementFact as "management_landing" {
        /// The joiner's device.
        pub device: String,
        /// The PIF's uuid before the join.
        pub uuid: Known<String>,
        /// The joiner's NICs below it.
        pub nics: Vec<String>,
        /// Their positions.
        pub positions: Vec<i64>,
        /// The coordinator's device.
        pub pool_device: String,
        /// The coordinator's NICs below it.
        pub pool_nics: Vec<String>,
        /// Their positions.
        pub pool_positions: Vec<i64>,
        /// The coordinator's management network.
        pub pool_network: String,
        /// The bond below the coordinator's management, or null.
        pub pool_bond: Option<String>,
        /// That bond's mode; empty without a bond.
        pub pool_mode: Known<String>,
        /// Whether the joiner's NIC is in one of the positions of the coordinator's.
        pub aligned: bool,
        /// Whether the coordinator's management is on an LACP bond and the joiner's on a plain NIC of it.
        pub lacp: Known<bool>,
        /// The network on which the joiner's management will be.
        pub network: String,
    }

    /// The network of the pool's cluster.
    pub struct ClusterLandingFact as "cluster_landing" {
        /// The coordinator's device that carries it.
        pub device: String,
        /// The network.
        pub network: String,
        /// The joiner's NICs that will carry it.
        pub nics: Vec<String>,
        /// Those of them that have an IPv4 address.
        pub addressed: Known<Vec<String>>,
        /// Whether those with an address are plugged.
        pub plugged: Known<bool>,
    }

    /// Something that differs between a NIC of the joiner and those of the pool in its position.
    pub struct ContradictionFact as "contradiction" {
        /// The joiner's device.
        pub device: String,
        /// `speed`, `mtu`, `carrier`, `kind`, `neighbour`.
        pub kind: String,
        /// At the joiner.
        pub joiner: String,
        /// In the pool.
        pub pool: String,
    }

    /// A sign that NICs are numbered in another order than in the pool.
    pub struct OrderFact as "nic_order" {
        /// What shows it: `kind`, `neighbour` or `speed`.
        pub by: String,
        /// The NICs that look exchanged.
        pub swaps: Vec<SwapFact>,
    }

    /// A NIC that looks like the pool's in another position.
    pub struct SwapFact as "nic_swap" {
        /// The joiner's device.
        pub device: String,
        /// Its MAC address.
        pub mac: Known<String>,
        /// The coordinator's device that it is like.
        pub like: String,
    }

    /// A VLAN or a bond that members have and the coordinator lacks.
    pub struct LackingFact as "lacking_network" {
        /// `VLAN` or `bond`.
        pub kind: String,
        /// The device at a member.
        pub device: String,
        /// The VLAN's tag; -1 for a bond.
        pub tag: i64,
        /// Its network.
        pub name_label: String,
        /// The network's uuid.
        pub network_uuid: Known<String>,
        /// How many members have it.
        pub members: i64,
        /// How many VMs of the pool have an interface on the network.
        pub vms: Known<i64>,
    }

    /// A network on which the coordinator has an address of its own and the joiner will have none.
    pub struct UnaddressedFact as "unaddressed_network" {
        /// The network.
        pub name_label: String,
        /// Its uuid.
        pub network_uuid: Known<String>,
        /// The joiner's NICs on it.
        pub devices: Vec<String>,
        /// How the coordinator has its address: `Static` or `DHCP`.
        pub mode: String,
        /// Whether it is an IPv6 address.
        pub ipv6: bool,
        /// The coordinator's address; may be empty.
        pub pool_ip: String,
        /// Its netmask; may be empty.
        pub netmask: String,
    }

    /// A network of the joiner that its VMs use.
    pub struct VmNetworkFact as "vm_network" {
        /// Its name; VMs find their network in the pool by it.
        pub name_label: String,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its bridge; they find it by this where no name is the same.
        pub bridge: String,
        /// Whether no NIC of the joiner is on it.
        pub internal: bool,
        /// How many VMs of the joiner use it.
        pub vms: i64,
        /// Their names, the first few.
        pub vm_names: Vec<String>,
        /// `same`, `by-name` (a pool network of this name with another bridge), `by-bridge` (one with this bridge and
        /// another name), `new`, or `ambiguous` (several of this name, of which one has this bridge).
        pub outcome: String,
        /// The pool's network; empty when a new one is made.
        pub target: String,
        /// That network's uuid.
        pub target_uuid: Known<String>,
        /// That network's bridge.
        pub target_bridge: String,
        /// uuids of the pool's networks of this name.
        pub candidates: Vec<String>,
        /// Bridges of the joiner's other networks of this name that its VMs use.
        pub twins: Vec<String>,
    }

    /// Commands before and after the join.
    pub struct RepairFacts as "network_repair" {
        /// What to run before the join.
        pub before: Vec<RepairStep>,
        /// What to run after it, where it has gone as predicted.
        pub after: Vec<RepairStep>,
    }

    /// A command.
    pub struct RepairStep as "repair_step" {
        /// On which side to run it: `joiner`, `coordinator`, `member`, `firmware`, `cabling`.
        pub place: String,
        /// The command; empty where no command does it.
        pub run: String,
        /// Why, and what to know.
        pub note: String,
        /// What it loses; may be empty.
        pub loses: String,
    }
}
