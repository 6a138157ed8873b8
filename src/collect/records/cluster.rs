//! Clusters. The cluster's token is a secret and is not read.

use super::record::Record;
use crate::snapshot::{Cluster, ClusterHost};

/// A cluster.
pub(super) fn cluster(record: &Record<'_>) -> Cluster {
    Cluster {
        reference: record.own(),
        uuid: record.text("uuid"),
        cluster_stack: record.text("cluster_stack"),
        pool_auto_join: record.bool("pool_auto_join"),
        cluster_hosts: record.texts("cluster_hosts"),
        is_quorate: record.bool("is_quorate"),
        current_operations: record.map("current_operations"),
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
