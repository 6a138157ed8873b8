//! VMs, as far as a join or an eject touches them.

use std::collections::BTreeMap;

use crate::facts::{Featureset, Known, model};

model! {
    /// A VM, template, snapshot or control domain (XenAPI class `VM`).
    pub struct Vm as "VM" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its name.
        pub name_label: Known<String>,
        /// `Halted`, `Paused`, `Running`, `Suspended`.
        pub power_state: Known<String>,
        /// Reference of the virtual disk that holds its memory while it is suspended, or null.
        pub suspend_vdi: Known<Option<String>>,
        /// Task reference to operation, for what is in progress on it.
        [volatile] pub current_operations: Known<BTreeMap<String, String>>,
        /// Whether it is a template.
        pub is_a_template: Known<bool>,
        /// Whether it came with the product.
        pub is_default_template: Known<bool>,
        /// Whether it is a snapshot.
        pub is_a_snapshot: Known<bool>,
        /// Reference of the VM that it is a snapshot of, or null.
        pub snapshot_of: Known<Option<String>>,
        /// Whether it is a control or driver domain.
        pub is_control_domain: Known<bool>,
        /// The domain's number; -1 when not running.
        [volatile] pub domid: Known<i64>,
        /// Reference of the host that it runs on, or null.
        pub resident_on: Known<Option<String>>,
        /// Reference of the host that it is being started on or moved to, or null.
        [volatile] pub scheduled_to_be_resident_on: Known<Option<String>>,
        /// Reference of the host that it would rather run on, or null.
        pub affinity: Known<Option<String>>,
        /// `hvm`, `pv`, `pvh`, `pv_in_pvh`, `unspecified`: what it will be started as (7.5 and newer).
        pub domain_type: Known<String>,
        /// What it runs as now (VM_metrics.current_domain_type; else from its boot policy).
        pub current_domain_type: Known<String>,
        /// HVM boot policy; empty for PV. Decides the type before `domain_type` existed.
        pub hvm_boot_policy: Known<String>,
        /// The CPU vendor that it was started on; null when the server keeps none.
        pub last_boot_vendor: Known<Option<String>>,
        /// The features that it was started with; null when the server keeps none.
        pub last_boot_features: Known<Option<Featureset>>,
        /// The seed of its MAC addresses; null when it has none.
        pub mac_seed: Known<Option<String>>,
        /// Its version, counted up by the server; decides which of two records of one VM is newer.
        pub version: Known<i64>,
        /// Largest memory, bytes.
        pub memory_static_max: Known<i64>,
        /// Virtual CPUs at most.
        pub vcpus_max: Known<i64>,
        /// HA's priority: empty, `best-effort`, `restart`.
        pub ha_restart_priority: Known<String>,
        /// Its virtual interfaces.
        pub vifs: Known<Vec<Vif>>,
        /// Its virtual disks.
        pub disks: Known<Vec<Disk>>,
        /// How many TPMs it has.
        pub vtpm_count: Known<i64>,
        /// How many virtual GPUs it has.
        pub vgpu_count: Known<i64>,
        /// PCI devices passed through to it.
        pub attached_pcis: Known<Vec<String>>,
        /// Tags.
        pub tags: Known<Vec<String>>,
    }

    /// A VM's interface (XenAPI class `VIF`).
    pub struct Vif as "VIF" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its position.
        pub device: Known<String>,
        /// Its MAC address.
        pub mac: Known<String>,
        /// Reference of its network.
        pub network: Known<String>,
    }

    /// A VM's disk (XenAPI class `VBD` with the VDI behind it).
    pub struct Disk as "VM_disk" {
        /// The server's reference of the VBD.
        pub reference: Known<String>,
        /// Its position: `0`, `xvda`.
        pub device: Known<String>,
        /// `Disk`, `CD`, `Floppy`.
        pub kind: Known<String>,
        /// Reference of the virtual disk, or null when empty.
        pub vdi: Known<Option<String>>,
        /// Reference of the SR that the virtual disk is in, or null when empty.
        pub sr: Known<Option<String>>,
        /// Whether it is plugged into its VM now.
        [volatile] pub currently_attached: Known<bool>,
    }
}
