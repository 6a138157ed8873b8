//! Clusters: on the joiner, and of the pool with the joiner's address on its network.

use poolgate::rules::at_least;
use serde_json::{Value as Json, json};

use crate::edit::{Changed, Doc, Pair};
use crate::suite::{Mutation, change};

const ONE_ADDRESS: &str = "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK";

/// Whether the server looks at the joiner's address on the cluster's network.
fn checked(pair: &Pair) -> bool {
    at_least(&pair.xapi, "25.18.0") || at_least(&pair.xapi, "25.8.0") && !at_least(&pair.xapi, "25.9.0")
}

/// A cluster of the pool on an interface of its coordinator.
fn clustered(doc: &mut Doc, pif: &str, auto_join: bool) -> Changed {
    doc.set("clusters", json!([]))?;
    doc.set("cluster_hosts", json!([]))?;
    let host = doc.text("host.reference");
    doc.push(
        "clusters",
        json!({"reference": "OpaqueRef:cluster", "cluster_stack": "corosync",
        "uuid": "44444444-4444-4444-8444-444444444440", "pool_auto_join": auto_join,
        "cluster_hosts": ["OpaqueRef:cluster-host"], "is_quorate": true, "current_operations": {}}),
    )?;
    doc.push(
        "cluster_hosts",
        json!({"reference": "OpaqueRef:cluster-host", "cluster": "OpaqueRef:cluster",
        "uuid": "44444444-4444-4444-8444-444444444441", "host": host, "pif": pif, "enabled": true, "joined": true}),
    )
}

/// An interface of the coordinator that is a NIC in no bond, with another network than management's, which the
/// joiner has too and has no address on.
fn plain(pair: &Pair) -> Option<String> {
    let coordinator = &pair.pool.0["pool"]["coordinator"];
    let pifs = pair.pool.0["pool"]["pifs"].as_array()?;
    let own = |pif: &&Json| pif["host"] == *coordinator && pif["physical"] == true && pif["management"] == false;
    let joiner = pair.joiner.0["pool"]["pifs"].as_array()?;
    let free = |pif: &&Json| {
        let like = joiner.iter().find(|it| it["device"] == pif["device"] && it["physical"] == true);
        pif["bond_slave_of"].is_null() && like.is_some_and(|like| like["ip"] == "" && like["management"] == false)
    };
    Some(pifs.iter().filter(own).find(free)?["reference"].as_str()?.to_owned())
}

pub fn list() -> Vec<Mutation> {
    vec![
        change("the joiner is in a cluster", |p| {
            p.joiner.push(
                "cluster_hosts",
                json!({"reference": "OpaqueRef:own-cluster-host", "pif": null,
                "cluster": "OpaqueRef:own-cluster", "uuid": "44444444-4444-4444-8444-444444444442",
                "host": p.joiner.text("host.reference"), "enabled": true, "joined": true}),
            )
        })
        .refused_with("clustering-off-on-joiner", "CLUSTERING_ENABLED", |_| {
            vec!["OpaqueRef:own-cluster-host".to_owned()]
        }),
        change("the joiner's cluster is disabled", |p| {
            p.joiner.push(
                "cluster_hosts",
                json!({"reference": "OpaqueRef:own-cluster-host", "pif": null,
                "cluster": "OpaqueRef:own-cluster", "uuid": "44444444-4444-4444-8444-444444444442",
                "host": p.joiner.text("host.reference"), "enabled": false, "joined": true}),
            )
        }),
        change("the pool's cluster is on the management interface", |p| {
            let pif = p.pool.text("management.reference");
            clustered(&mut p.pool, &pif, true)
        }),
        change("the pool's cluster is on a NIC without the joiner's address", |p| {
            let pif = plain(p)?;
            clustered(&mut p.pool, &pif, true)
        })
        .refused_if("cluster-network-one-address", checked, ONE_ADDRESS, |_| Vec::new())
        .fails_if("network-cluster-address", |p| !checked(p)),
        change("new members do not join the pool's cluster by themselves", |p| {
            let pif = plain(p)?;
            clustered(&mut p.pool, &pif, false)
        })
        .fails_if("cluster-joined-by-itself", |p| {
            let srs = p.pool.0["pool"]["srs"].as_array();
            srs.is_some_and(|srs| {
                srs.iter().any(|sr| sr["shared"] == true && (sr["kind"] == "gfs2" || sr["clustered"] == true))
            })
        }),
        change("the pool's cluster is on a VLAN", |p| {
            let coordinator = &p.pool.0["pool"]["coordinator"];
            let pifs = p.pool.0["pool"]["pifs"].as_array()?;
            let vlan = pifs.iter().find(|pif| pif["host"] == *coordinator && pif["vlan"].as_i64() > Some(0))?;
            let pif = vlan["reference"].as_str()?.to_owned();
            clustered(&mut p.pool, &pif, true)
        })
        .refused_if(
            "cluster-network-untagged",
            checked,
            "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK",
            |p| {
                let pif = p.pool.text("cluster_hosts.last.pif");
                let at = p.pool.find("pifs", "reference", pif).unwrap_or_default();
                vec![p.pool.get(&format!("pifs.{at}.vlan")).unwrap_or_default().to_string()]
            },
        )
        .fails_if("network-cluster-address", |p| {
            // The VLAN of management stays with its address; others are made anew.
            !checked(p) && p.pool.get("cluster_hosts.last.pif") != p.pool.get("management.reference")
        }),
        change("the pool's cluster has no quorum", |p| {
            let pif = p.pool.text("management.reference");
            clustered(&mut p.pool, &pif, true)?;
            p.pool.set("clusters.0.is_quorate", false)
        })
        .fails("pool-cluster-quiet"),
        change("the pool's cluster is being changed", |p| {
            let pif = p.pool.text("management.reference");
            clustered(&mut p.pool, &pif, true)?;
            p.pool.set("clusters.0.current_operations", json!({"OpaqueRef:task": "add"}))
        })
        .fails("pool-cluster-quiet"),
        change("the joiner's control domain is small for a cluster", |p| {
            let pif = p.pool.text("management.reference");
            if p.pool.count("clusters") == 0 {
                clustered(&mut p.pool, &pif, true)?;
            }
            let dom0 = p.joiner.find("vms", "is_control_domain", true)?;
            p.joiner.set(&format!("vms.{dom0}.memory_static_max"), 1_073_741_824)
        })
        .fails("cluster-dom0-memory"),
    ]
}
