//! Networks and interfaces.

use std::collections::BTreeMap;

use crate::facts::{Known, model};

model! {
    /// A network of the pool (XenAPI class `network`).
    pub struct Network as "network" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its name; joining VMs find their networks by it.
        pub name_label: Known<String>,
        /// Its bridge; joining NICs find their networks by it.
        pub bridge: Known<String>,
        /// Largest packet, bytes.
        pub mtu: Known<i64>,
        /// `nbd`, `insecure_nbd` (7.3 and newer).
        pub purpose: Known<Vec<String>>,
        /// Whether the toolstack manages the bridge.
        pub managed: Known<bool>,
        /// Tags.
        pub tags: Known<Vec<String>>,
        /// The keys of `network.other_config` that matter.
        pub other_config: Known<BTreeMap<String, String>>,
    }

    /// An interface of a host (XenAPI class `PIF`, with its metrics).
    pub struct Pif as "PIF" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// The device: `eth0`, `bond0`.
        pub device: Known<String>,
        /// Reference of its network.
        pub network: Known<String>,
        /// Reference of its host.
        pub host: Known<String>,
        /// Its MAC address.
        pub mac: Known<String>,
        /// Largest packet, bytes.
        pub mtu: Known<i64>,
        /// VLAN tag; -1 for untagged.
        pub vlan: Known<i64>,
        /// Whether it is a NIC.
        pub physical: Known<bool>,
        /// Whether it is plugged.
        pub currently_attached: Known<bool>,
        /// Whether it carries management.
        pub management: Known<bool>,
        /// `None`, `DHCP`, `Static`.
        pub ip_configuration_mode: Known<String>,
        /// IPv4 address; empty for none.
        pub ip: Known<String>,
        /// IPv4 netmask; empty for none.
        pub netmask: Known<String>,
        /// IPv4 gateway; empty for none.
        pub gateway: Known<String>,
        /// DNS servers, as the server prints them.
        pub dns: Known<String>,
        /// `None`, `DHCP`, `Static`, `Autoconf`.
        pub ipv6_configuration_mode: Known<String>,
        /// IPv6 addresses with their prefix lengths.
        pub ipv6: Known<Vec<String>>,
        /// `IPv4` or `IPv6` (6.1 and newer).
        pub primary_address_type: Known<String>,
        /// Reference of the bond that this is a member of, or null.
        pub bond_slave_of: Known<Option<String>>,
        /// References of the bonds that this is the interface of.
        pub bond_master_of: Known<Vec<String>>,
        /// Reference of the VLAN that this is the tagged interface of, or null.
        pub vlan_master_of: Known<Option<String>>,
        /// References of the VLANs on top of this.
        pub vlan_slave_of: Known<Vec<String>>,
        /// Whether the toolstack manages it.
        pub managed: Known<bool>,
        /// Whether it must stay plugged.
        pub disallow_unplug: Known<bool>,
        /// `gro` and others.
        pub properties: Known<BTreeMap<String, String>>,
        /// `sriov`, `fcoe`.
        pub capabilities: Known<Vec<String>>,
        /// Speed of the link, Mbit/s.
        [volatile] pub speed: Known<i64>,
        /// Whether the link runs in full duplex.
        [volatile] pub duplex: Known<bool>,
        /// Whether there is a link.
        [volatile] pub carrier: Known<bool>,
        /// Address on the PCI bus.
        pub pci_bus_path: Known<String>,
        /// PCI vendor id.
        pub vendor_id: Known<String>,
        /// PCI vendor.
        pub vendor_name: Known<String>,
        /// PCI device id.
        pub device_id: Known<String>,
        /// PCI device.
        pub device_name: Known<String>,
        /// The switch and port that it is wired to, where a neighbour protocol told.
        pub switch_neighbour: Known<String>,
        /// The keys of `PIF.other_config` that matter.
        pub other_config: Known<BTreeMap<String, String>>,
    }

    /// A bond of a host (XenAPI class `Bond`).
    pub struct Bond as "bond" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Reference of the bond's own PIF (`Bond.master`).
        pub interface: Known<String>,
        /// References of the member PIFs (`Bond.slaves`).
        pub members: Known<Vec<String>>,
        /// Reference of the member whose MAC and address it took, or null (`Bond.primary_slave`).
        pub primary_member: Known<Option<String>>,
        /// `balance-slb`, `active-backup`, `lacp`.
        pub mode: Known<String>,
        /// `hashing_algorithm` and others.
        pub properties: Known<BTreeMap<String, String>>,
        /// How many members have a link.
        [volatile] pub links_up: Known<i64>,
    }

    /// A VLAN of a host (XenAPI class `VLAN`).
    pub struct Vlan as "VLAN" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Reference of the PIF below it, on which its traffic carries the tag.
        pub tagged_pif: Known<String>,
        /// Reference of the VLAN's own PIF, on which its traffic has no tag, or null.
        pub untagged_pif: Known<Option<String>>,
        /// The tag.
        pub tag: Known<i64>,
    }

    /// A tunnel of a host (XenAPI class `tunnel`).
    pub struct Tunnel as "tunnel" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Reference of the PIF that the tunnel makes.
        pub access_pif: Known<String>,
        /// Reference of the PIF that carries it.
        pub transport_pif: Known<String>,
        /// `gre` or `vxlan`.
        pub protocol: Known<String>,
    }

    /// An SR-IOV network of a host (XenAPI class `network_sriov`).
    pub struct NetworkSriov as "network_sriov" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Reference of the NIC.
        pub physical_pif: Known<String>,
        /// Reference of the PIF that it makes.
        pub logical_pif: Known<String>,
        /// Whether the host must reboot first.
        pub requires_reboot: Known<bool>,
    }

    /// An OpenFlow controller (XenAPI class `SDN_controller`).
    pub struct SdnController as "sdn_controller" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// `ssl` or `pssl`.
        pub protocol: Known<String>,
        /// Its address.
        pub address: Known<String>,
        /// Its port.
        pub port: Known<i64>,
    }
}
