//! Clusters for clustered storage.

use std::collections::BTreeMap;

use crate::facts::{Known, model};

model! {
    /// A cluster (XenAPI class `Cluster`). Its token is a secret and no field of this model.
    pub struct Cluster as "cluster" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// `corosync`.
        pub cluster_stack: Known<String>,
        /// Whether new members of the pool join it on their own.
        pub pool_auto_join: Known<bool>,
        /// References of its hosts' memberships.
        pub cluster_hosts: Known<Vec<String>>,
        /// Whether enough of its hosts are there to decide for all (newer releases).
        [volatile] pub is_quorate: Known<bool>,
        /// Task reference to operation, for what is in progress on it.
        [volatile] pub current_operations: Known<BTreeMap<String, String>>,
    }

    /// A host's membership in a cluster (XenAPI class `Cluster_host`).
    pub struct ClusterHost as "cluster_host" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Reference of the cluster.
        pub cluster: Known<String>,
        /// Reference of the host.
        pub host: Known<String>,
        /// Reference of the PIF that carries it, or null.
        pub pif: Known<Option<String>>,
        /// Whether it is enabled.
        pub enabled: Known<bool>,
        /// Whether it has joined.
        pub joined: Known<bool>,
        /// Task reference to operation, for what is in progress on it.
        [volatile] pub current_operations: Known<BTreeMap<String, String>>,
    }
}
