//! Updates and patches.

use crate::facts::{Known, model};

model! {
    /// An update (XenAPI class `pool_update`, 7.1 and newer).
    pub struct PoolUpdate as "pool_update" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its name.
        pub name_label: Known<String>,
        /// Its version.
        pub version: Known<String>,
        /// References of the hosts that have it.
        pub hosts: Known<Vec<String>>,
        /// Whether all members must have it.
        pub enforce_homogeneity: Known<bool>,
    }

    /// A patch (XenAPI class `pool_patch`, 7.0 and older).
    pub struct PoolPatch as "pool_patch" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its name.
        pub name_label: Known<String>,
        /// Its version.
        pub version: Known<String>,
    }

    /// A patch on a host (XenAPI class `host_patch`, 7.0 and older).
    pub struct HostPatch as "host_patch" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Reference of the host.
        pub host: Known<String>,
        /// Reference of the patch.
        pub pool_patch: Known<String>,
        /// Whether it is applied.
        pub applied: Known<bool>,
    }
}
