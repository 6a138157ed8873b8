//! Who is in which pool, what carries management, how many hosts a pool may have, HA, operations in progress.

use serde_json::json;

use crate::suite::{Mutation, change};

pub fn list() -> Vec<Mutation> {
    let mut list = of_hosts();
    list.extend(of_limits());
    list.extend(of_operations());
    list
}

fn of_hosts() -> Vec<Mutation> {
    vec![
        change("the joiner is the coordinator", |p| p.joiner.set("host.uuid", p.pool.text("host.uuid")))
            .refused_with("joiner-not-in-this-pool", "OPERATION_NOT_ALLOWED", |_| {
                vec!["Host cannot become slave of itself".to_owned()]
            }),
        change("the joiner is a member", |p| {
            let member = p.pool.get("hosts.1.uuid").filter(|uuid| *uuid != p.pool.text("host.uuid"))?;
            p.joiner.set("host.uuid", member)
        })
        .fails("joiner-not-a-member"),
        change("the joiner has a member of its own", |p| {
            p.joiner.copy_at("hosts", 0, json!({"name_label": "its-member"}))
        })
        .refused("joiner-stands-alone", "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS"),
        change("HA is on at the joiner", |p| p.joiner.set("ha_enabled", true))
            .refused("ha-off-on-joiner", "HA_IS_ENABLED"),
        change("HA is on in the pool", |p| p.pool.set("ha_enabled", true)).refused("ha-off-on-pool", "HA_IS_ENABLED"),
        change("the joiner's name is another one", |p| p.joiner.set("host.name_label", "renamed")),
        change("a member does not accept VMs", |p| p.pool.set("hosts.last.enabled", false)),
    ]
}

fn of_limits() -> Vec<Mutation> {
    vec![
        change("the pool has as many hosts as the run allows", |p| {
            p.max_hosts = i64::try_from(p.pool.count("hosts")).ok()?;
            Some(())
        })
        .fails("host-limit-policy"),
        change("the pool has as many hosts as are documented", |p| {
            p.max_hosts = 1_000;
            for number in p.pool.count("hosts")..64 {
                let uuid = format!("0a0a0a0a-0000-4000-8000-{number:012}");
                let reference = format!("OpaqueRef:full-{number}");
                let iqn = format!("iqn.2026-05.com.example:full-{number}");
                p.pool.copy_at(
                    "hosts",
                    0,
                    json!({"uuid": uuid, "reference": reference, "name_label": uuid,
                    "iscsi_iqn": iqn}),
                )?;
            }
            Some(())
        })
        .fails("host-limit-documented")
        .fails_if("host-limit-clustered", |p| p.pool.count("clusters") > 0)
        .refused_if("host-limit-licensed", small, "LICENCE_RESTRICTION", |_| vec!["Pool_size".to_owned()])
        .fails_if("host-limit-licensed-pool", small),
        change("the pool is clustered and has sixteen hosts", |p| {
            p.pool.get("clusters.0")?;
            p.max_hosts = 1_000;
            for number in p.pool.count("hosts")..16 {
                let reference = format!("OpaqueRef:clustered-{number}");
                let iqn = format!("iqn.2026-05.com.example:clustered-{number}");
                p.pool.copy_at("hosts", 0, json!({"reference": reference, "iscsi_iqn": iqn}))?;
            }
            Some(())
        })
        .fails("host-limit-clustered"),
    ]
}

/// Whether the licences of the pair stop at three hosts: since 7.3, where they do not say that they don't.
fn small(pair: &crate::edit::Pair) -> bool {
    poolgate::rules::at_least(&pair.xapi, "1.54")
        && pair.joiner.get("restrictions.restrict_pool_size") != Some("false".into())
}

fn of_operations() -> Vec<Mutation> {
    vec![
        change("the joiner applies updates", |p| p.joiner.put("current_operations", "OpaqueRef:t1", "apply_updates"))
            .refused("joiner-not-updating", "NOT_SUPPORTED_DURING_UPGRADE"),
        change("the pool applies updates", |p| p.pool.put("current_operations", "OpaqueRef:t1", "apply_updates"))
            .refused("pool-not-updating", "NOT_SUPPORTED_DURING_UPGRADE"),
        change("the joiner synchronises updates", |p| {
            p.joiner.put("current_operations", "OpaqueRef:t2", "sync_updates")
        })
        .fails("joiner-operations-done"),
        change("the pool refreshes certificates", |p| {
            p.pool.put("current_operations", "OpaqueRef:t2", "cert_refresh")
        })
        .fails("pool-operations-done"),
        change("a rotation of the pool's secret is pending", |p| p.pool.set("is_psr_pending", true))
            .fails("pool-secret-settled"),
        change("a rotation of the joiner's secret is pending", |p| p.joiner.set("is_psr_pending", true)),
        change("the joiner has guidance to follow", |p| {
            p.joiner.set("host.pending_guidances", json!(["reboot_host"]))
        })
        .refused_with("joiner-guidance-followed", "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", |p| {
            vec![p.joiner.text("host.reference")]
        }),
        change("the coordinator has guidance to follow", |p| {
            p.pool.set("host.pending_guidances", json!(["reboot_host"]))
        })
        .refused_with("pool-guidance-followed", "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", |p| {
            vec![p.pool.text("host.reference")]
        }),
        change("a member has guidance to follow", |p| {
            p.pool.get("hosts.1")?;
            p.pool.set("hosts.last.pending_guidances", json!(["reboot_host"]))
        }),
        change("the joiner has recommended guidance", |p| {
            p.joiner.set("host.pending_guidances_recommended", json!(["restart_toolstack"]))
        }),
    ]
}
