//! Storage repositories, who is plugged into them, and the drivers.

use std::collections::BTreeMap;

use crate::facts::{Known, Reason, model};

model! {
    /// A storage repository (XenAPI class `SR`).
    pub struct Sr as "SR" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its name.
        pub name_label: Known<String>,
        /// The driver: `nfs`, `lvmoiscsi`, `ext`, `iso`, …
        pub kind: Known<String>,
        /// `user`, `iso`, `disk`.
        pub content_type: Known<String>,
        /// Whether the server calls it shared.
        pub shared: Known<bool>,
        /// Whether it is the tools' ISO library (7.0 and newer).
        pub is_tools_sr: Known<bool>,
        /// Whether it is clustered.
        pub clustered: Known<bool>,
        /// Size, bytes.
        pub physical_size: Known<i64>,
        /// The keys of `SR.sm_config` that matter.
        pub sm_config: Known<BTreeMap<String, String>>,
        /// The keys of `SR.other_config` that matter.
        pub other_config: Known<BTreeMap<String, String>>,
        /// What is in progress on it.
        [volatile] pub current_operations: Known<BTreeMap<String, String>>,
    }

    /// A host's plug into an SR (XenAPI class `PBD`).
    pub struct Pbd as "PBD" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Reference of the host.
        pub host: Known<String>,
        /// Reference of the SR.
        pub sr: Known<String>,
        /// Whether it is plugged.
        pub currently_attached: Known<bool>,
        /// How the host reaches the SR. Passwords are never among it; references to secrets are (`*_secret`).
        pub device_config: Known<BTreeMap<String, String>>,
    }

    /// A virtual disk (XenAPI class `VDI`).
    pub struct Vdi as "VDI" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its name.
        pub name_label: Known<String>,
        /// Reference of its SR.
        pub sr: Known<String>,
        /// Size, bytes.
        pub virtual_size: Known<i64>,
        /// Whether it is a snapshot.
        pub is_a_snapshot: Known<bool>,
        /// `user`, `system`, `ha_statefile`, …
        pub kind: Known<String>,
    }

    /// A storage driver (XenAPI class `SM`).
    pub struct Sm as "SM" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// The kind of SR that it drives.
        pub kind: Known<String>,
        /// Its version.
        pub version: Known<String>,
        /// Feature to version.
        pub features: Known<BTreeMap<String, i64>>,
        /// Cluster stacks that it needs.
        pub required_cluster_stack: Known<Vec<String>>,
    }
}

impl Sr {
    /// Whether it holds the tools for guests: a field since 7.0, before that a key of other_config.
    pub fn is_tools(&self) -> Known<bool> {
        match &self.is_tools_sr {
            Known::No(why) if matches!(why.reason, Reason::AbsentOnRelease | Reason::NotApplicable) => self
                .other_config
                .as_ref()
                .map(|config| config.get("xenserver_tools_sr").is_some_and(|word| word == "true")),
            said => said.clone(),
        }
    }
}
