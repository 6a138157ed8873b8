//! What the server checks of the joiner's network: management, bonds, VLANs, tunnels, backends, controllers, purposes.

use serde_json::{Value as Json, json};

use crate::edit::{Changed, Doc, Pair};
use crate::suite::{Mutation, change};

pub fn list() -> Vec<Mutation> {
    let mut list = of_management();
    list.extend(of_interfaces());
    list.extend(of_backends());
    list
}

const NO_VLANS: &str = "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS";

fn has_vlans(pair: &Pair) -> bool {
    pair.joiner.count("vlans") > 0
}

fn not_found(_: &Pair) -> Vec<String> {
    vec!["Not_found".to_owned()]
}

fn of_management() -> Vec<Mutation> {
    vec![
        change("no interface of the joiner carries management", |p| p.joiner.set("management.management", false))
            .refused("management-interface-exists", "HOST_STILL_BOOTING")
            .refused_with("management-vlan-same", "INTERNAL_ERROR", not_found)
            .refused_if("joiner-without-vlans", has_vlans, NO_VLANS, |_| Vec::new())
            .refused_with("address-type-same", "INTERNAL_ERROR", not_found)
            .undecided("management-nic-physical")
            .undecided("network-management-aligned")
            .undecided("network-management-lacp"),
        change("the joiner's primary address is IPv6", |p| {
            p.joiner.set("management.ipv6", json!(["2001:db8::51/64"]))?;
            p.joiner.set("management.primary_address_type", "IPv6")
        })
        .refused_with("address-type-same", "OPERATION_NOT_ALLOWED", |_| {
            vec!["Primary address type differs".to_owned()]
        })
        .fails_if("management-subnet-same", |_| true)
        .fails_if("network-bonds-possible", bonded_with_others)
        .fails_if("network-vlans-created", |p| bonded_with_others(p) && vlans_on_management(p)),
        change("the joiner's address comes by DHCP", |p| p.joiner.set("management.ip_configuration_mode", "DHCP"))
            .fails("management-address-fixed"),
        change("the joiner's management is in another subnet", |p| p.joiner.set("management.ip", "10.9.8.7"))
            .fails("management-subnet-same"),
        change("the joiner's management is on a public address", |p| p.joiner.set("management.ip", "8.8.4.4"))
            .fails("management-subnet-same")
            .fails("management-not-public"),
        change("the joiner's gateway is another one", |p| p.joiner.set("management.gateway", "192.0.2.254")),
        change("the joiner's management is tagged", |p| p.joiner.set("management.vlan", 77)).refused_with(
            "management-vlan-same",
            "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH",
            |p| {
                let vlan = |doc: &Doc| doc.get("management.vlan").unwrap_or_default().to_string();
                vec![vlan(&p.joiner), vlan(&p.pool)]
            },
        ),
    ]
}

/// Whether the joiner's management NIC will be bonded with another of its NICs.
fn bonded_with_others(pair: &Pair) -> bool {
    pair.pool.text("management.device").starts_with("bond")
}

/// Whether a VLAN of the coordinator is on what carries its management.
fn vlans_on_management(pair: &Pair) -> bool {
    let management = pair.pool.get("management.reference");
    let vlans = pair.pool.0["pool"]["vlans"].as_array().cloned().unwrap_or_default();
    vlans.iter().any(|vlan| Some(&vlan["tagged_pif"]) == management.as_ref())
}

/// Whether VMs of the pool are on the network that carries the coordinator's management.
fn vms_on_management(pair: &Pair) -> bool {
    let network = pair.pool.get("management.network");
    let vms = pair.pool.0["pool"]["vms"].as_array().cloned().unwrap_or_default();
    let on = |vif: &Json| Some(&vif["network"]) == network.as_ref();
    vms.iter().any(|vm| vm["vifs"].as_array().is_some_and(|vifs| vifs.iter().any(on)))
}

/// Adds an interface that is no NIC, and its network.
fn logical(doc: &mut Doc, device: &str, reference: &str, changes: Json) -> Changed {
    let network = doc.network(&format!("network of {device}"), &format!("xapi-{device}"))?;
    let nic = doc.last_nic()?;
    let mut pif = json!({"reference": reference, "uuid": format!("1f1f1f1f-0000-4000-8000-{:012}", doc.count("pifs")),
        "device": device, "network": network, "physical": false, "management": false});
    pif.as_object_mut()?.extend(changes.as_object()?.clone());
    doc.copy_at("pifs", nic, pif)
}

fn of_interfaces() -> Vec<Mutation> {
    const ONLY_PHYSICAL: &str = "POOL_JOINING_HOST_MUST_ONLY_HAVE_PHYSICAL_PIFS";
    vec![
        change("the joiner has a bond", |p| {
            let nic = p.joiner.last_nic()?;
            let member = p.joiner.text(&format!("pifs.{nic}.reference"));
            logical(&mut p.joiner, "bond9", "OpaqueRef:bond-pif", json!({"bond_master_of": ["OpaqueRef:bond"]}))?;
            p.joiner.push(
                "bonds",
                json!({"reference": "OpaqueRef:bond", "links_up": 1, "properties": {},
                "uuid": "22222222-2222-4222-8222-222222222222", "interface": "OpaqueRef:bond-pif",
                "members": [member], "primary_member": null, "mode": "active-backup"}),
            )
        })
        .refused("joiner-without-bonds", "POOL_JOINING_HOST_HAS_BONDS")
        .fails_in("bonds-and-vlans-kept", "", "1.9")
        .refused("interfaces-only-physical", ONLY_PHYSICAL),
        change("the joiner has a VLAN beside management", |p| {
            let nic = p.joiner.last_nic()?;
            let below = p.joiner.text(&format!("pifs.{nic}.reference"));
            vlan(&mut p.joiner, "vlan-beside", &below)
        })
        .refused("joiner-without-vlans", NO_VLANS)
        .fails_in("bonds-and-vlans-kept", "", "1.9")
        .refused("interfaces-only-physical", ONLY_PHYSICAL),
        change("the joiner has a VLAN on its management interface", |p| {
            let below = p.joiner.text("management.reference");
            vlan(&mut p.joiner, "vlan-on-management", &below)
        })
        .refused("joiner-without-vlans", NO_VLANS)
        .fails_in("bonds-and-vlans-kept", "", "1.9")
        .refused("interfaces-only-physical", ONLY_PHYSICAL),
        change("the joiner has a VLAN without an interface of its own", |p| {
            vlan(&mut p.joiner, "vlan-above-nothing", "")?;
            p.joiner.set("vlans.last.untagged_pif", Json::Null)
        })
        .refused_with("joiner-without-vlans", "HANDLE_INVALID", |_| {
            vec!["PIF".to_owned(), "OpaqueRef:NULL".to_owned()]
        })
        .fails_in("bonds-and-vlans-kept", "", "1.9")
        .refused("interfaces-only-physical", ONLY_PHYSICAL),
        change("the joiner has a tunnel", |p| {
            let nic = p.joiner.last_nic()?;
            let below = p.joiner.text(&format!("pifs.{nic}.reference"));
            logical(&mut p.joiner, "tunnel9", "OpaqueRef:tunnel-pif", json!({}))?;
            p.joiner.push(
                "tunnels",
                json!({"reference": "OpaqueRef:tunnel", "access_pif": "OpaqueRef:tunnel-pif",
                "uuid": "22222222-2222-4222-8222-222222222223", "transport_pif": below, "protocol": "gre"}),
            )
        })
        .refused("joiner-without-tunnels", "POOL_JOINING_HOST_HAS_TUNNELS")
        .refused("interfaces-only-physical", ONLY_PHYSICAL),
        change("the joiner has an SR-IOV network", |p| {
            p.joiner.get("network_sriovs")?;
            let nic = p.joiner.last_nic()?;
            let below = p.joiner.text(&format!("pifs.{nic}.reference"));
            logical(&mut p.joiner, "sriov9", "OpaqueRef:sriov-pif", json!({}))?;
            p.joiner.push(
                "network_sriovs",
                json!({"reference": "OpaqueRef:sriov", "physical_pif": below,
                "uuid": "22222222-2222-4222-8222-222222222224", "logical_pif": "OpaqueRef:sriov-pif",
                "requires_reboot": false}),
            )
        })
        .refused("joiner-without-sriov", "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS"),
        change("the joiner's management is no NIC", |p| {
            // Newer releases ask for bonds, VLANs and tunnels one by one.
            (!poolgate::rules::at_least(&p.xapi, "1.35")).then_some(())?;
            p.joiner.set("management.physical", false)
        })
        .refused("management-nic-physical", "POOL_JOINING_HOST_MUST_HAVE_PHYSICAL_MANAGEMENT_NIC")
        .refused("interfaces-only-physical", ONLY_PHYSICAL)
        .fails_if("network-nics-for-vms", vms_on_management),
    ]
}

fn vlan(doc: &mut Doc, name: &str, below: &str) -> Changed {
    let pif = format!("OpaqueRef:{name}-pif");
    let vlan = format!("OpaqueRef:{name}");
    logical(doc, name, &pif, json!({"vlan": 55, "vlan_master_of": vlan}))?;
    doc.push(
        "vlans",
        json!({"reference": vlan, "uuid": "22222222-2222-4222-8222-222222222225", "tag": 55,
        "tagged_pif": below, "untagged_pif": pif}),
    )
}

fn of_backends() -> Vec<Mutation> {
    fn controllers() -> Json {
        json!({"reference": "OpaqueRef:sdn", "uuid": "88888888-8888-4888-8888-888888888888", "protocol": "ssl",
            "address": "192.0.2.60", "port": 6640})
    }
    fn differs(_: &Pair) -> Vec<String> {
        vec!["SDN controller differs".to_owned()]
    }
    vec![
        change("the joiner runs the Linux bridge", |p| {
            (p.joiner.text("host.network_backend") != "bridge").then_some(())?;
            // What the host wrote down at its start stands in where nobody asked what runs now.
            p.joiner.set("host.software_version.network_backend", "bridge");
            p.joiner.set("host.network_backend", "bridge")
        })
        .refused_with("network-backend-same", "OPERATION_NOT_ALLOWED", |_| {
            vec!["Network backends differ".to_owned()]
        }),
        change("the joiner has an SDN controller", |p| {
            (p.joiner.text("host.network_backend") == "openvswitch").then_some(())?;
            p.joiner.push("sdn_controllers", controllers())
        })
        .refused_with("sdn-controller-same", "OPERATION_NOT_ALLOWED", differs),
        change("the SDN controllers' addresses differ", |p| {
            (p.joiner.text("host.network_backend") == "openvswitch").then_some(())?;
            p.pool.push("sdn_controllers", controllers())?;
            p.joiner.push("sdn_controllers", controllers())?;
            p.joiner.set("sdn_controllers.last.address", "192.0.2.61")
        })
        .refused_with("sdn-controller-same", "OPERATION_NOT_ALLOWED", differs),
        change("the SDN controllers' ports differ", |p| {
            (p.joiner.text("host.network_backend") == "openvswitch").then_some(())?;
            p.pool.push("sdn_controllers", controllers())?;
            p.joiner.push("sdn_controllers", controllers())?;
            p.joiner.set("sdn_controllers.last.port", 6632)
        })
        .refused_with("sdn-controller-same", "OPERATION_NOT_ALLOWED", differs),
        change("the SDN controllers' protocols differ", |p| {
            (p.joiner.text("host.network_backend") == "openvswitch").then_some(())?;
            p.pool.push("sdn_controllers", controllers())?;
            p.joiner.push("sdn_controllers", controllers())?;
            p.joiner.set("sdn_controllers.last.protocol", "pssl")
        })
        .refused_with("sdn-controller-same", "OPERATION_NOT_ALLOWED", differs),
        change("only the pool has an SDN controller", |p| p.pool.push("sdn_controllers", controllers())),
        change("the joiner has a controller of the virtual switch", |p| {
            let open = p.joiner.text("host.network_backend") == "openvswitch";
            (open && !poolgate::rules::at_least(&p.xapi, "1.30")).then_some(())?;
            p.joiner.set("vswitch_controller", "192.0.2.60")
        })
        .refused_with("sdn-controller-same", "OPERATION_NOT_ALLOWED", |_| {
            vec!["vswitch controller address differs".to_owned()]
        }),
        change("the pool has a controller of the virtual switch", |p| {
            (!poolgate::rules::at_least(&p.xapi, "1.30")).then_some(())?;
            p.pool.set("vswitch_controller", "192.0.2.99")
        }),
        change("NBD is secure on one side and not on the other", |p| {
            p.pool.set("networks.0.purpose", json!(["nbd"]))?;
            p.joiner.set("networks.0.purpose", json!(["insecure_nbd"]))
        })
        .refused_with("nbd-purpose-same", "OPERATION_NOT_ALLOWED", |_| {
            vec!["Incompatible network purposes: nbd and insecure_nbd".to_owned()]
        }),
        change("NBD is on one side only", |p| p.joiner.set("networks.0.purpose", json!(["insecure_nbd"]))),
        change("the directory services differ", |p| {
            p.pool.set("host.external_auth_type", "AD")?;
            p.pool.set("host.external_auth_service_name", "example.com")
        })
        .refused("external-auth-same", "POOL_JOINING_EXTERNAL_AUTH_MISMATCH"),
        change("the domains differ", |p| {
            for (doc, domain) in [(&mut p.pool, "one.example.com"), (&mut p.joiner, "two.example.com")] {
                doc.set("host.external_auth_type", "AD")?;
                doc.set("host.external_auth_service_name", domain)?;
            }
            Some(())
        })
        .refused("external-auth-same", "POOL_JOINING_EXTERNAL_AUTH_MISMATCH"),
        change("a member has the joiner's host name", |p| {
            p.joiner.set("host.hostname", p.pool.text("hosts.0.hostname").to_uppercase())
        })
        .fails("hostname-unique"),
        change("a member of a domain has the joiner's host name", |p| {
            for doc in [&mut p.pool, &mut p.joiner] {
                doc.set("host.external_auth_type", "AD")?;
                doc.set("host.external_auth_service_name", "example.com")?;
            }
            p.joiner.set("host.hostname", p.pool.text("hosts.0.hostname"))
        })
        .fails("hostname-unique-in-directory"),
        change("the domains differ in case", |p| {
            for (doc, domain) in [(&mut p.pool, "EXAMPLE.com"), (&mut p.joiner, "example.com")] {
                doc.set("host.external_auth_type", "AD")?;
                doc.set("host.external_auth_service_name", domain)?;
            }
            Some(())
        })
        .refused_if(
            "external-auth-same",
            |p| !poolgate::rules::at_least(&p.xapi, "24.33.0"),
            "POOL_JOINING_EXTERNAL_AUTH_MISMATCH",
            |_| Vec::new(),
        ),
    ]
}
