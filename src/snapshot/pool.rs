//! The pool: its settings and everything that it holds.

use std::collections::BTreeMap;

use super::{
    Bond, Certificate, Cluster, ClusterHost, Host, HostPatch, Network, NetworkSriov, Pbd, Pif, PoolPatch, PoolUpdate,
    PvsSite, SdnController, Secret, Sm, Sr, Tunnel, Vdi, Vlan, Vm,
};
use crate::facts::{Featureset, Known, model};

model! {
    /// A resource pool, or a standalone host seen as a pool of one (XenAPI class `pool` with all classes below it).
    pub struct Pool as "pool" {
        /// The server's reference of the pool record.
        pub reference: Known<String>,
        /// The pool's uuid.
        pub uuid: Known<String>,
        /// The pool's name; empty for most standalone hosts.
        pub name_label: Known<String>,
        /// Reference of the coordinator's host record (`pool.master`).
        pub coordinator: Known<String>,
        /// Whether high availability is on.
        pub ha_enabled: Known<bool>,
        /// Host failures that HA plans for.
        pub ha_host_failures_to_tolerate: Known<i64>,
        /// Feature restrictions of the licence, `restrict_*` to `true` or `false` (`pool.restrictions`).
        pub restrictions: Known<BTreeMap<String, String>>,
        /// The pool's CPU level as the server keeps it (`pool.cpu_info`, 7.0 and newer).
        pub cpu_info: Known<PoolCpu>,
        /// Whether members verify each other's certificates (XenServer 8 and newer).
        pub tls_verification_enabled: Known<bool>,
        /// Whether a rotation of the pool secret is pending.
        pub is_psr_pending: Known<bool>,
        /// Task reference to operation, for what is in progress on the pool itself.
        [volatile] pub current_operations: Known<BTreeMap<String, String>>,
        /// Reference of the default SR, or null.
        pub default_sr: Known<Option<String>>,
        /// Reference of the SR for suspended VMs, or null.
        pub suspend_image_sr: Known<Option<String>>,
        /// Reference of the SR for crash dumps, or null.
        pub crash_dump_sr: Known<Option<String>>,
        /// The keys of `pool.other_config` that joining and levelling depend on.
        pub other_config: Known<BTreeMap<String, String>>,
        /// The OpenFlow controller's address before SDN_controller existed (before 7.2); empty for none.
        pub vswitch_controller: Known<String>,
        /// Whether IGMP snooping is on.
        pub igmp_snooping_enabled: Known<bool>,
        /// Whether workload balancing is on; lost by a joiner.
        pub wlb_enabled: Known<bool>,
        /// Whether migration traffic is compressed.
        pub migration_compression: Known<bool>,
        /// Whether live patching is off.
        pub live_patching_disabled: Known<bool>,
        /// Whether clients may log in with certificates.
        pub client_certificate_auth_enabled: Known<bool>,
        /// Whether the Windows driver updates policy is off.
        pub policy_no_vendor_device: Known<bool>,
        /// Whether UEFI certificates of the pool are set.
        pub has_uefi_certificates: Known<bool>,
        /// Whether UEFI certificates of the pool's own are set.
        pub has_custom_uefi_certificates: Known<bool>,
        /// References of the update repositories that are enabled.
        pub repositories: Known<Vec<String>>,
        /// Whether updates are synchronised on a schedule.
        pub update_sync_enabled: Known<bool>,
        /// Tags of the pool.
        pub tags: Known<Vec<String>>,
        /// Configuration that guests' agents read from the pool.
        pub guest_agent_config: Known<BTreeMap<String, String>>,
        /// How many users and groups (subjects) are allowed in from the directory.
        pub subject_count: Known<i64>,
        /// How many snapshot schedules (VMSS) exist.
        pub snapshot_schedule_count: Known<i64>,
        /// How many VM appliances exist.
        pub appliance_count: Known<i64>,
        /// How many VM groups exist.
        pub vm_group_count: Known<i64>,
        /// The hosts.
        pub hosts: Known<Vec<Host>>,
        /// The networks.
        pub networks: Known<Vec<Network>>,
        /// The physical and logical interfaces of all hosts.
        pub pifs: Known<Vec<Pif>>,
        /// The bonds of all hosts.
        pub bonds: Known<Vec<Bond>>,
        /// The VLANs of all hosts.
        pub vlans: Known<Vec<Vlan>>,
        /// The tunnels of all hosts.
        pub tunnels: Known<Vec<Tunnel>>,
        /// The SR-IOV networks of all hosts (7.5 and newer).
        pub network_sriovs: Known<Vec<NetworkSriov>>,
        /// The OpenFlow controllers (7.2 and newer).
        pub sdn_controllers: Known<Vec<SdnController>>,
        /// The storage repositories.
        pub srs: Known<Vec<Sr>>,
        /// Which host is plugged into which SR.
        pub pbds: Known<Vec<Pbd>>,
        /// The virtual disks; large, may be left out.
        pub vdis: Known<Vec<Vdi>>,
        /// The storage drivers and their features.
        pub sms: Known<Vec<Sm>>,
        /// The VMs, templates, snapshots and control domains.
        pub vms: Known<Vec<Vm>>,
        /// The certificates that the pool knows (8.2 and newer).
        pub certificates: Known<Vec<Certificate>>,
        /// The clusters for clustered storage (7.6 and newer).
        pub clusters: Known<Vec<Cluster>>,
        /// The hosts' memberships in a cluster.
        pub cluster_hosts: Known<Vec<ClusterHost>>,
        /// The updates known to the pool (7.1 and newer).
        pub updates: Known<Vec<PoolUpdate>>,
        /// The patches known to the pool (7.0 and older).
        pub patches: Known<Vec<PoolPatch>>,
        /// Which patch is on which host (7.0 and older).
        pub host_patches: Known<Vec<HostPatch>>,
        /// Which secrets exist, by uuid only: their values are never read.
        pub secrets: Known<Vec<Secret>>,
        /// The Citrix Provisioning sites.
        pub pvs_sites: Known<Vec<PvsSite>>,
    }

    /// The pool's CPU level as the server keeps it (`pool.cpu_info`; three shapes over the releases).
    pub struct PoolCpu as "pool_cpu" {
        /// The vendor string, compared exactly at join.
        pub vendor: Known<String>,
        /// Logical CPUs of all hosts.
        pub cpu_count: Known<i64>,
        /// Sockets of all hosts.
        pub socket_count: Known<i64>,
        /// Level for PV guests: the default sets' intersection on 7.0–8.0, the maximum sets' on 8.1–8.2.
        pub features_pv: Known<Featureset>,
        /// Level for HVM guests: see `features_pv`.
        pub features_hvm: Known<Featureset>,
        /// Level that PV guests are started with (8.1 and newer).
        pub features_pv_host: Known<Featureset>,
        /// Level that HVM guests are started with (8.1 and newer).
        pub features_hvm_host: Known<Featureset>,
    }
}

impl Pool {
    /// The host record with this reference.
    pub fn host(&self, reference: &str) -> Option<&Host> {
        self.hosts.each().find(|host| host.reference.text() == Some(reference))
    }

    /// The coordinator's host record; unknown when the pool record or the hosts are. The only host of a pool is its
    /// coordinator, whether or not the pool record says so.
    pub fn coordinator_host(&self) -> Known<&Host> {
        let reference = match (&self.coordinator, self.hosts.get().map(Vec::as_slice)) {
            (Known::Yes(reference), _) => reference,
            (Known::No(_), Some([only])) => return Known::Yes(only),
            (Known::No(unknown), _) => return Known::No(unknown.clone()),
        };
        match &self.hosts {
            Known::Yes(_) => self.host(reference).map_or_else(
                || Known::no(crate::facts::Reason::Unreadable, "the coordinator is not among the hosts"),
                Known::Yes,
            ),
            Known::No(unknown) => Known::No(unknown.clone()),
        }
    }

    /// What an operator calls this pool: its name, else its coordinator's.
    pub fn label(&self) -> String {
        let name = self.name_label.text().filter(|name| !name.is_empty());
        let host = self.coordinator_host();
        let host = host.get().and_then(|host| host.name_label.text());
        name.or(host).unwrap_or("(unnamed)").to_owned()
    }
}
