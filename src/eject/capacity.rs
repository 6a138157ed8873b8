//! What is left of the pool: memory, cluster, who could coordinate.

use super::facts::{Capacity, ClusterAfter};
use super::{count, follow, label, list};
use crate::facts::{Found, Known, Reason, Unknown, known, need};
use crate::snapshot::{Host, Pool};

const GIB: i64 = 1 << 30;

/// Memory of the live hosts that stay and take VMs, against what running and paused VMs may take at most.
pub(super) fn capacity(pool: &Pool, member: &Host) -> Capacity {
    let staying = known(|| staying(pool, need(&member.reference)?));
    let memory = known(|| {
        let mut sum = 0i64;
        for host in need(&staying)? {
            let own = control_domain_memory(pool, host)?;
            sum = sum.saturating_add(need(&host.memory_total)?.saturating_sub(own));
        }
        Ok(sum)
    });
    let needed = known(|| needed(pool));
    Capacity {
        hosts: known(|| Ok(count(need(&staying)?.len()))),
        fits: known(|| Ok(need(&needed)? <= need(&memory)?)),
        memory_gib: known(|| Ok(need(&memory)? / GIB)),
        needed_gib: known(|| Ok(need(&needed)?.saturating_add(GIB - 1) / GIB)),
        memory,
        needed,
    }
}

fn staying<'a>(pool: &'a Pool, member: &str) -> Found<Vec<&'a Host>> {
    let mut staying = Vec::new();
    for host in list(&pool.hosts, "hosts")? {
        if need(&host.reference)? != member && *need(&host.live)? && *need(&host.enabled)? {
            staying.push(host);
        }
    }
    Ok(staying)
}

/// What the control domain of a host takes. Older releases do not say which VM it is; there it is the one that runs on the host.
fn control_domain_memory(pool: &Pool, host: &Host) -> Found<i64> {
    let reference = need(&host.reference)?;
    let named = match &host.control_domain {
        Known::Yes(domain) => domain.as_ref(),
        Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => None,
        Known::No(unknown) => return Err(unknown.clone()),
    };
    for vm in list(&pool.vms, "vms")? {
        let own = match named {
            Some(domain) => need(&vm.reference)? == domain,
            None => *need(&vm.is_control_domain)? && need(&vm.resident_on)?.as_ref() == Some(reference),
        };
        if own {
            return need(&vm.memory_static_max).copied();
        }
    }
    let host = label(&host.name_label, &host.uuid, &host.reference);
    Err(Unknown::because(Reason::Unreadable, format!("the control domain of {host} is not among the VMs")))
}

fn needed(pool: &Pool) -> Found<i64> {
    let mut sum = 0i64;
    for vm in list(&pool.vms, "vms")? {
        let runs = matches!(need(&vm.power_state)?.as_str(), "Running" | "Paused");
        if runs && !*need(&vm.is_control_domain)? {
            sum = sum.saturating_add(*need(&vm.memory_static_max)?);
        }
    }
    Ok(sum)
}

/// The cluster without the member, when the member is in one.
pub(super) fn cluster(pool: &Pool, member: &str) -> Found<Option<ClusterAfter>> {
    let members = match &pool.cluster_hosts {
        // Pools before 7.6 have no clusters.
        Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => return Ok(None),
        members => list(members, "cluster_hosts")?,
    };
    let mut own = None;
    for one in members {
        if need(&one.host)? == member {
            own = Some((one, need(&one.cluster)?));
        }
    }
    let Some((own, cluster)) = own else { return Ok(None) };
    let mut others = Vec::new();
    for one in members {
        if need(&one.cluster)? == cluster && need(&one.host)? != member {
            others.push(one);
        }
    }
    let record = || follow(&pool.clusters, |cluster| &cluster.reference, cluster, "Cluster");
    let enabled = known(|| {
        let mut enabled = 0;
        for one in &others {
            let host = follow(&pool.hosts, |host| &host.reference, need(&one.host)?, "host");
            // A member that is down votes no more, enabled or not.
            enabled += usize::from(*need(&one.enabled)? && *need(&host?.live)?);
        }
        Ok(count(enabled))
    });
    Ok(Some(ClusterAfter {
        before: count(others.len() + 1),
        after: count(others.len()),
        enabled,
        own_uuid: own.uuid.clone(),
        own_enabled: own.enabled.clone(),
        own_joined: own.joined.clone(),
        quorate: known(|| match &record()?.is_quorate {
            Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => Ok(None),
            quorate => need(quorate).copied().map(Some),
        }),
        operations: known(|| {
            let of_cluster = need(&record()?.current_operations)?.values();
            Ok(of_cluster.chain(need(&own.current_operations)?.values()).cloned().collect())
        }),
    }))
}

/// The first other host, by name, that is live and enabled.
pub(super) fn successor(pool: &Pool, member: &str) -> Found<Option<String>> {
    let mut hosts = staying(pool, member)?;
    hosts.sort_by_key(|host| (host.name_label.text(), host.uuid.text()));
    hosts.first().map(|host| need(&host.uuid).cloned()).transpose()
}
