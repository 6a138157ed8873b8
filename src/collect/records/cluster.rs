//! Clusters. The cluster's token is a secret and is not read.

use super::record::Record;
use crate::facts::{Known, Reason};
use crate::snapshot::{Cluster, ClusterHost};

/// A cluster.
pub(super) fn cluster(record: &Record<'_>) -> Cluster {
    Cluster {
        reference: record.own(),
        uuid: record.text("uuid"),
        cluster_stack: record.text("cluster_stack"),
        pool_auto_join: record.bool("pool_auto_join"),
        cluster_hosts: record.texts("cluster_hosts"),
        is_quorate: is_quorate(record),
        current_operations: record.map("current_operations"),
    }
}

/// Servers that do not watch their clusters (2024, without `cluster_health`) leave the fields as they are made: no quorum of
/// none. A quorum that somebody has seen is of one host at least.
fn is_quorate(record: &Record<'_>) -> Known<bool> {
    match record.int("quorum") {
        Known::Yes(0) => Known::no(Reason::AbsentOnRelease, "the server does not watch its clusters"),
        _ => record.bool("is_quorate"),
    }
}

/// A host's membership.
pub(super) fn cluster_host(record: &Record<'_>) -> ClusterHost {
    ClusterHost {
        reference: record.own(),
        uuid: record.text("uuid"),
        cluster: record.text("cluster"),
        host: record.text("host"),
        pif: record.nullable("PIF"),
        enabled: record.bool("enabled"),
        joined: record.bool("joined"),
        current_operations: record.map("current_operations"),
    }
}
