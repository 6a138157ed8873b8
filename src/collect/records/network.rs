//! Networks, interfaces with their metrics, and what is built on top of them.

use super::answers::Answers;
use super::host::linked;
use super::record::Record;
use super::redact;
use crate::facts::Known;
use crate::snapshot::{Bond, Network, NetworkSriov, Pif, SdnController, Tunnel, Vlan};

const NETWORK_OTHER_CONFIG: &[&str] = &[
    "automatic",
    "is_guest_installer_network",
    "is_host_internal_management_network",
    "vswitch-controller-fail-mode",
    "vswitch-disable-in-band",
    "ethtool-*",
    "mtu",
];

const PIF_OTHER_CONFIG: &[&str] = &[
    "bond-*",
    "defaultroute",
    "domain",
    "ethtool-*",
    "management_purpose",
    "mtu",
    "peerdns",
    "static-routes",
    "vlan-bug-workaround",
];

/// A network.
pub(super) fn network(record: &Record<'_>) -> Network {
    Network {
        reference: record.own(),
        uuid: record.text("uuid"),
        name_label: record.text("name_label"),
        bridge: record.text("bridge"),
        mtu: record.int("MTU"),
        purpose: record.texts("purpose"),
        managed: record.bool("managed"),
        tags: record.texts("tags"),
        other_config: record
            .map_where("other_config", |key| redact::is_among(key, NETWORK_OTHER_CONFIG))
            .map(redact::public),
    }
}

/// All interfaces.
pub(super) fn pifs(answers: &Answers<'_>) -> Known<Vec<Pif>> {
    let metrics = answers.by_reference("PIF_metrics");
    answers.each("PIF", |record| pif(record, &linked(record, "metrics", "PIF_metrics", &metrics)))
}

fn pif(record: &Record<'_>, metrics: &Record<'_>) -> Pif {
    Pif {
        reference: record.own(),
        uuid: record.text("uuid"),
        device: record.text("device"),
        network: record.text("network"),
        host: record.text("host"),
        mac: record.text("MAC"),
        mtu: record.int("MTU"),
        vlan: record.int("VLAN"),
        physical: record.bool("physical"),
        currently_attached: record.bool("currently_attached"),
        management: record.bool("management"),
        ip_configuration_mode: record.text("ip_configuration_mode"),
        ip: record.text("IP"),
        netmask: record.text("netmask"),
        gateway: record.text("gateway"),
        dns: record.text("DNS"),
        ipv6_configuration_mode: record.text("ipv6_configuration_mode"),
        ipv6: record.texts("IPv6"),
        primary_address_type: record.text("primary_address_type"),
        bond_slave_of: record.nullable("bond_slave_of"),
        bond_master_of: record.texts("bond_master_of"),
        vlan_master_of: record.nullable("VLAN_master_of"),
        vlan_slave_of: record.texts("VLAN_slave_of"),
        managed: record.bool("managed"),
        disallow_unplug: record.bool("disallow_unplug"),
        properties: record.map("properties"),
        capabilities: record.texts("capabilities"),
        speed: metrics.int("speed"),
        duplex: metrics.bool("duplex"),
        carrier: metrics.bool("carrier"),
        pci_bus_path: metrics.text("pci_bus_path"),
        vendor_id: metrics.text("vendor_id"),
        vendor_name: metrics.text("vendor_name"),
        device_id: metrics.text("device_id"),
        device_name: metrics.text("device_name"),
        other_config: record
            .map_where("other_config", |key| redact::is_among(key, PIF_OTHER_CONFIG))
            .map(redact::public),
        ..Pif::default()
    }
}

/// A bond.
pub(super) fn bond(record: &Record<'_>) -> Bond {
    Bond {
        reference: record.own(),
        uuid: record.text("uuid"),
        interface: record.text("master"),
        members: record.texts("slaves"),
        primary_member: record.nullable("primary_slave"),
        mode: record.text("mode"),
        properties: record.map("properties"),
        links_up: record.int("links_up"),
    }
}

/// A VLAN.
pub(super) fn vlan(record: &Record<'_>) -> Vlan {
    Vlan {
        reference: record.own(),
        uuid: record.text("uuid"),
        tagged_pif: record.text("tagged_PIF"),
        untagged_pif: record.nullable("untagged_PIF"),
        tag: record.int("tag"),
    }
}

/// A tunnel.
pub(super) fn tunnel(record: &Record<'_>) -> Tunnel {
    Tunnel {
        reference: record.own(),
        uuid: record.text("uuid"),
        access_pif: record.text("access_PIF"),
        transport_pif: record.text("transport_PIF"),
        protocol: record.text("protocol"),
    }
}

/// An SR-IOV network.
pub(super) fn network_sriov(record: &Record<'_>) -> NetworkSriov {
    NetworkSriov {
        reference: record.own(),
        uuid: record.text("uuid"),
        physical_pif: record.text("physical_PIF"),
        logical_pif: record.text("logical_PIF"),
        requires_reboot: record.bool("requires_reboot"),
    }
}

/// An OpenFlow controller.
pub(super) fn sdn_controller(record: &Record<'_>) -> SdnController {
    SdnController {
        reference: record.own(),
        uuid: record.text("uuid"),
        protocol: record.text("protocol"),
        address: record.text("address"),
        port: record.int("port"),
    }
}
