//! Where the joiner's NICs land: order, speed, MTU, link, kind, switch; bonds, VLANs and networks that it cannot have.

use serde_json::{Value as Json, json};

use crate::edit::{Doc, Pair};
use crate::suite::{Mutation, change};

pub fn list() -> Vec<Mutation> {
    let mut list = of_nics();
    list.extend(of_bonds());
    list.extend(of_overlays());
    list
}

/// A field of the joiner's last NIC.
fn nic(doc: &Doc, field: &str) -> Option<String> {
    Some(format!("pifs.{}.{field}", doc.last_nic()?))
}

/// The pool's PIF of the coordinator on the network of a NIC with this device.
fn beside(pair: &Pair, device: &str) -> Option<Json> {
    let coordinator = &pair.pool.0["pool"]["coordinator"];
    let is = |pif: &&Json| pif["host"] == *coordinator && pif["physical"] == true && pif["device"] == device;
    pair.pool.0["pool"]["pifs"].as_array()?.iter().find(is).cloned()
}

/// The pool's PIF in the place of the joiner's last NIC.
fn beside_last(pair: &Pair) -> Option<Json> {
    beside(pair, &pair.joiner.text(&nic(&pair.joiner, "device")?))
}

fn of_nics() -> Vec<Mutation> {
    vec![
        change("a NIC of the joiner is slower", |p| {
            beside_last(p)?;
            p.joiner.set(&nic(&p.joiner, "speed")?, 100)
        })
        .fails("network-speed-same"),
        change("a NIC of the joiner has no link", |p| {
            beside_last(p).filter(|pif| pif["carrier"] == true)?;
            p.joiner.set(&nic(&p.joiner, "speed")?, 0)?;
            p.joiner.set(&nic(&p.joiner, "carrier")?, false)
        })
        .fails("network-links-up"),
        change("a NIC of the joiner has another MTU", |p| {
            beside_last(p)?;
            p.joiner.set(&nic(&p.joiner, "mtu")?, 4_000)
        })
        .fails("network-mtu-same"),
        change("a NIC of the joiner is of another kind", |p| {
            beside_last(p)?;
            p.joiner.set(&nic(&p.joiner, "device_id")?, "ffff")
        })
        .fails("network-nic-kinds"),
        change("a NIC of the joiner is wired to another switch", |p| {
            let device = p.joiner.text("management.device");
            beside(p, &device)?;
            for index in 0..p.pool.count("pifs") {
                if p.pool.text(&format!("pifs.{index}.device")) == device {
                    p.pool.0["pool"]["pifs"][index]["switch_neighbour"] = "leaf-1 Eth1/1".into();
                }
            }
            for index in 0..p.joiner.count("pifs") {
                if p.joiner.text(&format!("pifs.{index}.device")) == device {
                    p.joiner.0["pool"]["pifs"][index]["switch_neighbour"] = "leaf-2 Eth1/1".into();
                }
            }
            Some(())
        })
        .fails("network-neighbours-same")
        .undecided("network-order-same"),
        change("two NICs of the joiner are exchanged", |p| exchange(p, "device_id", ["aaaa", "bbbb"]))
            .fails("network-order-same")
            .fails("network-nic-kinds"),
        change("a NIC of the joiner has another MAC address", |p| {
            p.joiner.set(&nic(&p.joiner, "mac")?, "02:00:00:00:00:99")
        }),
        change("the joiner has a NIC more", |p| {
            let network = p.joiner.network("Pool-wide network associated with eth9", "xenbr9")?;
            let last = p.joiner.last_nic()?;
            p.joiner.copy_at(
                "pifs",
                last,
                json!({"device": "eth9", "network": network, "mac": "02:00:00:00:00:98",
                "pci_bus_path": "0000:5e:00.0"}),
            )
        })
        .fails("network-new-networks"),
        change("the joiner's management is on its last NIC", |p| {
            let last = p.joiner.last_nic()?;
            (p.joiner.text(&format!("pifs.{last}.ip")).is_empty()).then_some(())?;
            (p.joiner.get("management.vlan")? == -1 && p.pool.count("clusters") == 0).then_some(())?;
            let fields = ["management", "ip_configuration_mode", "ip", "netmask", "gateway", "dns"];
            for field in fields {
                let own = p.joiner.get(&format!("management.{field}"))?;
                p.joiner.0["pool"]["pifs"][last][field] = own;
            }
            let first = p.joiner.find("pifs", "management", true)?;
            for (field, value) in [("ip_configuration_mode", "None"), ("ip", ""), ("netmask", ""), ("gateway", "")] {
                p.joiner.0["pool"]["pifs"][first][field] = value.into();
            }
            p.joiner.0["pool"]["pifs"][first]["management"] = false.into();
            // Of two addresses in one bond the server makes no bond.
            let bonded = p.pool.count("bonds") > 0;
            for pif in p.joiner.0["pool"]["pifs"].as_array_mut()? {
                if bonded && pif["management"] == false && pif["ip"] != "" {
                    pif["ip_configuration_mode"] = "None".into();
                    pif["ip"] = "".into();
                }
            }
            Some(())
        })
        .fails("network-management-aligned"),
        change("the joiner has the storage address of a member", |p| {
            let member = p.pool.find("pifs", "management", false)?;
            let own = p.joiner.0["pool"]["pifs"]
                .as_array()?
                .iter()
                .position(|it| it["management"] == false && it["ip"] != "")?;
            let theirs = p.pool.0["pool"]["pifs"]
                .as_array()?
                .iter()
                .position(|it| it["management"] == false && it["ip"] != "");
            let address = p.joiner.text(&format!("pifs.{own}.ip"));
            p.pool.0["pool"]["pifs"][theirs.unwrap_or(member)]["ip"] = address.into();
            Some(())
        })
        .fails("addresses-unique"),
        change("the joiner has no address for storage", |p| {
            (p.pool.count("clusters") == 0).then_some(())?;
            let pool = p.pool.0["pool"]["pifs"].as_array()?;
            pool.iter().find(|it| it["management"] == false && it["ip"] != "")?;
            let own = p.joiner.0["pool"]["pifs"]
                .as_array()?
                .iter()
                .position(|it| it["management"] == false && it["ip"] != "")?;
            p.joiner.set(&format!("pifs.{own}.ip_configuration_mode"), "None")?;
            p.joiner.set(&format!("pifs.{own}.ip"), "")
        })
        .fails("network-addresses-set"),
        change("a VLAN is made on a member alone", |p| {
            p.pool.get("hosts.1")?;
            let host = p.pool.text("hosts.last.reference");
            (p.pool.get("coordinator")? != host.as_str()).then_some(())?;
            let below = p.pool.0["pool"]["pifs"]
                .as_array()?
                .iter()
                .position(|it| it["host"] == host.as_str() && it["physical"] == true)?;
            let network = p.pool.network("VLAN 77", "xapi77")?;
            let changes = json!({"vlan": 77, "physical": false, "management": false, "network": network, "ip": "",
                "ip_configuration_mode": "None", "bond_slave_of": null, "vlan_master_of": "OpaqueRef:vlan-77"});
            p.pool.copy_at("pifs", below, changes)?;
            let own = p.pool.text("pifs.last.reference");
            let under = p.pool.text(&format!("pifs.{below}.reference"));
            p.pool.push(
                "vlans",
                json!({"reference": "OpaqueRef:vlan-77", "uuid": "c0c0c0c0-0000-4000-8000-000000000777",
                "tag": 77, "tagged_pif": under, "untagged_pif": own}),
            )
        })
        .fails("coordinator-networks-whole"),
    ]
}

/// Gives the pool's first two positions two values, and the joiner's the same in the other order.
fn exchange(p: &mut Pair, field: &str, values: [&str; 2]) -> Option<()> {
    beside(p, "eth0")?;
    beside(p, "eth1")?;
    for (doc, values) in [(&mut p.pool, values), (&mut p.joiner, [values[1], values[0]])] {
        for index in 0..doc.count("pifs") {
            let pif = &mut doc.0["pool"]["pifs"][index];
            let place = ["eth0", "eth1"].iter().position(|device| pif["device"] == **device);
            if let (Some(place), true) = (place, pif["physical"] == true) {
                pif[field] = values[place].into();
            }
        }
    }
    Some(())
}

/// The place of the coordinator's first bond, and the devices of its members.
fn bond(pair: &Pair) -> Option<(usize, Vec<String>)> {
    let coordinator = &pair.pool.0["pool"]["coordinator"];
    let pifs = pair.pool.0["pool"]["pifs"].as_array()?;
    let of = |reference: &Json| pifs.iter().find(|pif| pif["reference"] == *reference);
    let bonds = pair.pool.0["pool"]["bonds"].as_array()?;
    let index =
        bonds.iter().position(|bond| of(&bond["interface"]).is_some_and(|pif| pif["host"] == *coordinator))?;
    let members = bonds[index]["members"].as_array()?.iter().filter_map(of);
    Some((index, members.filter_map(|pif| Some(pif["device"].as_str()?.to_owned())).collect()))
}

/// A field of the joiner's NIC in the place of a member of the coordinator's first bond that does not carry management.
fn member(pair: &Pair, field: &str) -> Option<String> {
    let (_, devices) = bond(pair)?;
    let pifs = pair.joiner.0["pool"]["pifs"].as_array()?;
    let plain = |pif: &Json| pif["management"] == false && devices.iter().any(|device| pif["device"] == **device);
    Some(format!("pifs.{}.{field}", pifs.iter().position(plain)?))
}

/// Whether a VLAN of the coordinator is on its first bond.
fn vlans_on_bond(pair: &Pair) -> bool {
    let interface = bond(pair).map(|(index, _)| pair.pool.text(&format!("bonds.{index}.interface")));
    let vlans = pair.pool.0["pool"]["vlans"].as_array().cloned().unwrap_or_default();
    vlans.iter().any(|vlan| vlan["tagged_pif"].as_str() == interface.as_deref())
}

fn of_bonds() -> Vec<Mutation> {
    vec![
        change("the pool's bond is LACP", |p| {
            let (index, _) = bond(p)?;
            p.pool.set(&format!("bonds.{index}.mode"), "lacp")
        })
        .fails("network-management-lacp"),
        change("the pool's bond has another MTU than its members", |p| {
            let (index, _) = bond(p)?;
            let interface = p.pool.text(&format!("bonds.{index}.interface"));
            let at = p.pool.find("pifs", "reference", interface)?;
            let network = p.pool.find("networks", "reference", p.pool.text(&format!("pifs.{at}.network")))?;
            p.pool.set(&format!("networks.{network}.mtu"), 9_000)
        })
        .fails("network-bond-mtu"),
        change("the VLAN of the pool's management has larger packets than what is below", |p| {
            let pif = p.pool.text("management.reference");
            let at = p.pool.find("pifs", "reference", pif)?;
            p.pool.get(&format!("pifs.{at}.vlan"))?.as_i64().filter(|vlan| *vlan >= 0)?;
            let network = p.pool.text(&format!("pifs.{at}.network"));
            let network = p.pool.find("networks", "reference", network)?;
            p.pool.set(&format!("networks.{network}.mtu"), 9000)
        })
        .fails("network-management-mtu"),
        change("two NICs of the joiner's bond-to-be have addresses", |p| {
            p.joiner.set(&member(p, "ip_configuration_mode")?, "DHCP")
        })
        .fails("network-bonds-possible")
        .fails_if("network-vlans-created", vlans_on_bond),
        change("the properties of NICs in a bond-to-be differ", |p| {
            p.joiner.set(&member(p, "properties")?, json!({"gro": "off"}))
        })
        .fails("network-bonds-possible")
        .fails_if("network-vlans-created", vlans_on_bond),
        change("a NIC of the joiner's bond-to-be is not managed", |p| p.joiner.set(&member(p, "managed")?, false))
            .fails("network-bonds-possible")
            .fails_if("network-vlans-created", vlans_on_bond),
        change("the joiner lacks a NIC of the bond", |p| {
            let index: usize = member(p, "device")?.split('.').nth(1)?.parse().ok()?;
            p.joiner.at("pifs")?.as_array_mut()?.remove(index);
            Some(())
        })
        .fails("network-bonds-whole"),
    ]
}

/// The place of the joiner's NIC below a VLAN of the coordinator that is on no bond.
fn below_vlan(pair: &Pair) -> Option<usize> {
    let coordinator = &pair.pool.0["pool"]["coordinator"];
    let pifs = pair.pool.0["pool"]["pifs"].as_array()?;
    let of = |reference: &Json| pifs.iter().find(|pif| pif["reference"] == *reference);
    let vlans = pair.pool.0["pool"]["vlans"].as_array()?;
    let mut below = vlans.iter().filter_map(|vlan| of(&vlan["tagged_pif"]));
    let below = below.find(|pif| pif["host"] == *coordinator && pif["physical"] == true)?;
    let joiner = pair.joiner.0["pool"]["pifs"].as_array()?;
    joiner.iter().position(|pif| {
        pif["device"] == below["device"] && pif["management"] == false && pif["vlan_slave_of"] == json!([])
    })
}

fn of_overlays() -> Vec<Mutation> {
    vec![
        change("the joiner takes no VLANs of the pool", |p| {
            let vlans = p.pool.get("vlans")?;
            (!vlans.as_array()?.is_empty()).then_some(())?;
            p.joiner.put("host.other_config", "sync_vlans", "nosync")
        })
        .fails("network-vlans-created"),
        change("the joiner lacks the NIC below a VLAN", |p| {
            let index = below_vlan(p)?;
            p.joiner.at("pifs")?.as_array_mut()?.remove(index);
            Some(())
        })
        .fails("network-vlans-created"),
        change("the joiner lacks a NIC that VMs of the pool use", |p| {
            let index = p.joiner.last_nic()?;
            let (_, bonded) = bond(p).unwrap_or_default();
            let device = p.joiner.text(&format!("pifs.{index}.device"));
            let theirs = beside(p, &device)?;
            (theirs["bond_slave_of"].is_null() && !bonded.contains(&device)).then_some(())?;
            p.pool.vm(
                "user of the last NIC",
                json!({"vifs": [{"reference": "OpaqueRef:nic-vif", "device": "0",
                "uuid": "13131313-1313-4313-8313-131313131313", "mac": "02:00:00:00:00:02",
                "network": theirs["network"]}]}),
            )?;
            p.joiner.at("pifs")?.as_array_mut()?.remove(index);
            Some(())
        })
        .fails("network-nics-for-vms")
        .fails_if("network-vlans-created", vlan_lost),
        change("a tunnel of the pool is on a NIC that the joiner lacks", |p| {
            let network = p.pool.network("under nothing", "xenbr8")?;
            let overlay = p.pool.network("over nothing", "xapi88")?;
            let at = p.pool.find("pifs", "reference", p.pool.text("management.reference"))?;
            let plain = json!({"physical": false, "management": false, "ip": "", "vlan": -1, "bond_master_of": [],
                "vlan_slave_of": [], "ip_configuration_mode": "None"});
            for (reference, network) in [("OpaqueRef:carrier", network), ("OpaqueRef:access", overlay)] {
                let mut pif = plain.clone();
                pif["reference"] = reference.into();
                pif["network"] = network.into();
                pif["device"] = reference.trim_start_matches("OpaqueRef:").into();
                p.pool.copy_at("pifs", at, pif)?;
            }
            p.pool.push(
                "tunnels",
                json!({"reference": "OpaqueRef:pool-tunnel", "protocol": "gre",
                "uuid": "22222222-2222-4222-8222-222222222229", "access_pif": "OpaqueRef:access",
                "transport_pif": "OpaqueRef:carrier"}),
            )
        })
        .fails("network-overlays-created"),
        change("VMs of the pool are on a network of its own", |p| {
            let network = p.pool.network("internal to the pool", "xapi89")?;
            p.pool.vm(
                "user of an internal network",
                json!({"vifs": [{"reference": "OpaqueRef:own-vif", "device": "0",
                "uuid": "13131313-1313-4313-8313-131313131314", "mac": "02:00:00:00:00:03", "network": network}]}),
            )
        }),
    ]
}

/// Whether a VLAN of the coordinator is on a network that no NIC of the joiner will be on.
fn vlan_lost(pair: &Pair) -> bool {
    let coordinator = &pair.pool.0["pool"]["coordinator"];
    let pifs = pair.pool.0["pool"]["pifs"].as_array().cloned().unwrap_or_default();
    let vlans = pair.pool.0["pool"]["vlans"].as_array().cloned().unwrap_or_default();
    let joiner = pair.joiner.0["pool"]["pifs"].as_array().cloned().unwrap_or_default();
    vlans.iter().any(|vlan| {
        let below = pifs.iter().find(|pif| pif["reference"] == vlan["tagged_pif"]);
        below.is_some_and(|below| {
            below["host"] == *coordinator
                && below["physical"] == true
                && !joiner.iter().any(|pif| pif["device"] == below["device"])
        })
    })
}
