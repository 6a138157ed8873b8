//! VMs of the joiner: running, busy, of the same uuid or MAC seed as the pool's, on networks that are taken for others.

use serde_json::{Value as Json, json};

use crate::edit::{Doc, Pair};
use crate::suite::{Mutation, change};

pub fn list() -> Vec<Mutation> {
    let mut list = of_states();
    list.extend(of_names());
    list.extend(of_networks());
    list
}

const RUNNING: &str = "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS";
const BUSY: &str = "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS";

fn of_states() -> Vec<Mutation> {
    vec![
        change("the joiner has a halted VM", |p| p.joiner.vm("m-halted", json!({}))),
        change("a VM runs on the joiner", |p| p.joiner.vm("m-running", json!({"power_state": "Running"})))
            .refused("joiner-vms-not-running", RUNNING),
        change("a template runs on the joiner", |p| {
            p.joiner.vm("m-template", json!({"power_state": "Running", "is_a_template": true}))
        })
        .refused("joiner-vms-not-running", RUNNING),
        change("a driver domain runs on the joiner", |p| {
            p.joiner.vm("m-driver", json!({"power_state": "Running", "is_control_domain": true}))
        })
        .refused_if(
            "joiner-vms-not-running",
            |p| poolgate::rules::at_least(&p.xapi, "1.9.91"),
            RUNNING,
            |_| Vec::new(),
        ),
        change("a VM is paused on the joiner", |p| p.joiner.vm("m-paused", json!({"power_state": "Paused"})))
            .fails("joiner-vms-not-paused"),
        change("a VM is suspended on the joiner", |p| {
            p.joiner.vm("m-suspended", json!({"power_state": "Suspended"}))
        })
        .fails("joiner-vms-not-paused"),
        change("a suspended VM needs what the pool lacks", |p| {
            p.joiner.vm(
                "m-stuck",
                json!({"power_state": "Suspended", "last_boot_vendor": "OtherVendor",
                "last_boot_features": "ffffffff-ffffffff-ffffffff-ffffffff"}),
            )
        })
        .fails("joiner-vms-not-paused")
        .fails_if("suspended-vms-resumable", |p| poolgate::rules::at_least(&p.xapi, "1.9")),
        change("a snapshot of the joiner holds memory", |p| {
            p.joiner.vm("m-snapshot", json!({"power_state": "Suspended", "is_a_snapshot": true}))
        }),
        change("a VM of the joiner is being exported", |p| {
            p.joiner.vm("m-busy", json!({"current_operations": {"OpaqueRef:task": "export"}}))
        })
        .refused("joiner-vms-idle", BUSY),
        change("the joiner's control domain is busy", |p| {
            let dom0 = p.joiner.find("vms", "is_control_domain", true)?;
            p.joiner.set(
                &format!("vms.{dom0}.current_operations"),
                json!({"OpaqueRef:task": "update_allowed_operations"}),
            )
        })
        .refused("joiner-vms-idle", BUSY),
        change("the joiner's control domain does not say that it is one", |p| {
            p.joiner.get("host.control_domain")?;
            let dom0 = p.joiner.find("vms", "is_control_domain", true)?;
            p.joiner.set(&format!("vms.{dom0}.is_control_domain"), false)
        })
        .refused("joiner-vms-not-running", RUNNING)
        .refused_if(
            "control-domain-known",
            |p| !poolgate::rules::at_least(&p.xapi, "24.17.0"),
            "INTERNAL_ERROR",
            |p| vec![format!("Helpers.No_domain_zero(\"{}\")", dom0(&p.joiner, "uuid"))],
        ),
    ]
}

fn dom0(doc: &Doc, field: &str) -> String {
    let at = doc.find("vms", "reference", doc.get("host.control_domain").unwrap_or_default()).unwrap_or_default();
    doc.text(&format!("vms.{at}.{field}"))
}

/// The pool's first VM of a kind, for a clash with it.
fn pool_vm(pair: &Pair, state: &str) -> Option<Json> {
    let vms = pair.pool.0["pool"]["vms"].as_array()?;
    let own =
        |vm: &&Json| vm["is_a_template"] == false && vm["is_control_domain"] == false && vm["is_a_snapshot"] == false;
    vms.iter().filter(own).find(|vm| vm["power_state"] == state).cloned()
}

fn of_names() -> Vec<Mutation> {
    vec![
        change("a VM has the MAC seed of another VM of the pool", |p| {
            let seed = pool_vm(p, "Running").filter(|vm| vm["mac_seed"].is_string())?["mac_seed"].clone();
            p.joiner.vm("m-seed", json!({"mac_seed": seed}))
        })
        .fails("vm-mac-seeds-unique"),
        change("a VM has the uuid of a running VM of the pool", |p| {
            let uuid = pool_vm(p, "Running")?["uuid"].clone();
            p.joiner.vm("m-uuid-running", json!({"uuid": uuid}))
        })
        .fails("vm-uuids-unique"),
        change("a VM has the uuid of a halted VM of the pool and is older", |p| {
            let uuid = pool_vm(p, "Halted")?["uuid"].clone();
            p.joiner.vm("m-uuid-older", json!({"uuid": uuid, "version": 0}))
        })
        .fails("vm-uuids-unique"),
        change("a VM has the uuid of a halted VM of the pool and is newer", |p| {
            let uuid = pool_vm(p, "Halted")?["uuid"].clone();
            p.joiner.vm("m-uuid-newer", json!({"uuid": uuid, "version": 99}))
        })
        .fails("vm-uuids-unique"),
    ]
}

fn on(network: &str) -> Json {
    json!({"vifs": [{"reference": "OpaqueRef:vif", "uuid": "12121212-1212-4212-8212-121212121212", "device": "0",
        "mac": "02:00:00:00:00:01", "network": network}]})
}

fn of_networks() -> Vec<Mutation> {
    vec![
        change("a VM is on a network of the joiner's first NIC", |p| {
            let network = p.joiner.text("management.network");
            p.joiner.vm("m-plain", on(&network))
        }),
        change("a VM is on a network that is new to the pool", |p| {
            let network = p.joiner.network("only here", "xapi76")?;
            p.joiner.vm("m-new", on(&network))
        }),
        change("two networks of VMs have one name", |p| {
            let (one, other) = (p.joiner.network("apart", "xapi74")?, p.joiner.network("apart", "xapi75")?);
            p.joiner.vm("m-apart", on(&one))?;
            p.joiner.vm("m-too", on(&other))
        })
        .fails("network-vms-apart"),
        change("a VM's network has the name of another one", |p| {
            p.pool.network("a name twice", "xapi78")?;
            let network = p.joiner.network("a name twice", "xapi79")?;
            p.joiner.vm("m-name", on(&network))
        })
        .fails("network-vms-by-name"),
        change("a VM's network has several namesakes", |p| {
            p.pool.network("a name thrice", "xapi80")?;
            p.pool.network("a name thrice", "xapi81")?;
            let network = p.joiner.network("a name thrice", "xapi80")?;
            p.joiner.vm("m-names", on(&network))
        })
        .fails("network-names-unique"),
        change("a VM's internal network has the bridge of another one", |p| {
            p.pool.network("of the pool", "xapi82")?;
            let network = p.joiner.network("of the joiner", "xapi82")?;
            p.joiner.vm("m-bridge", on(&network))
        })
        .fails("network-vms-by-bridge"),
        change("a network without VMs has a name of the pool's", |p| {
            p.pool.network("unused twice", "xapi83")?;
            p.joiner.network("unused twice", "xapi84").map(drop)
        }),
    ]
}
