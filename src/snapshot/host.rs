//! A host: identity, software, licence, CPU.

use std::collections::BTreeMap;

use super::{BootParameters, Clock, CpuGroup, Hardware, Hypervisor};
use crate::facts::{Featureset, Known, model};

model! {
    /// A server (XenAPI class `host`), with what only the machine itself can tell in `hardware`.
    pub struct Host as "host" {
        /// The server's reference of the host record.
        pub reference: Known<String>,
        /// The host's uuid.
        pub uuid: Known<String>,
        /// The name that operators see.
        pub name_label: Known<String>,
        /// What its operators wrote about it.
        pub name_description: Known<String>,
        /// The host name of its control domain.
        pub hostname: Known<String>,
        /// Its management address.
        pub address: Known<String>,
        /// Whether it accepts VMs.
        pub enabled: Known<bool>,
        /// Major number of its API version.
        pub api_version_major: Known<i64>,
        /// Minor number of its API version.
        pub api_version_minor: Known<i64>,
        /// `host.software_version` as the server gives it: `xapi`, `platform_version`, `db_schema`, …
        pub software_version: Known<BTreeMap<String, String>>,
        /// The release that is assumed and not seen (`--as-release`): `software_version` then holds only what follows
        /// from it, and a key that is missing there is unknown.
        pub assumed_release: Known<String>,
        /// The licence edition in force.
        pub edition: Known<String>,
        /// The editions that its licence daemon offers, by name (8.2 and newer).
        pub editions: Known<Vec<String>>,
        /// The order that the licence daemon gives its editions: not on the wire; null when no daemon answers.
        pub licence_daemon: Known<Option<Vec<EditionOrder>>>,
        /// Restrictions of the licence, `restrict_*` to `true` or `false` (`host.license_params`).
        pub restrictions: Known<BTreeMap<String, String>>,
        /// When the licence ends, as the server prints it.
        pub licence_expiry: Known<String>,
        /// The network backend in use now: not on the wire for the joiner; see `software_version.network_backend`.
        pub network_backend: Known<String>,
        /// What Xen can run: `hvm-3.0-x86_64`, …
        pub capabilities: Known<Vec<String>>,
        /// The CPU as the server describes it.
        pub cpu: Known<HostCpu>,
        /// Directory service for users: empty, or `AD`.
        pub external_auth_type: Known<String>,
        /// The directory's domain.
        pub external_auth_service_name: Known<String>,
        /// What must be done before updates are complete; blocks a join when not empty.
        pub pending_guidances: Known<Vec<String>>,
        /// What should be done for recommended updates.
        pub pending_guidances_recommended: Known<Vec<String>>,
        /// What should be done for full updates.
        pub pending_guidances_full: Known<Vec<String>>,
        /// References of updates on this host (7.1 and newer).
        pub updates: Known<Vec<String>>,
        /// References of host_patch records on this host (7.0 and older).
        pub patches: Known<Vec<String>>,
        /// References of updates that wait for a reboot.
        pub updates_requiring_reboot: Known<Vec<String>>,
        /// Whether the synchronised updates are applied: `yes`, `no`, `unknown`.
        pub latest_synced_updates_applied: Known<String>,
        /// Digest of the last update.
        pub last_update_hash: Known<String>,
        /// When software was last updated, `YYYY-MM-DDThh:mm:ssZ`.
        pub last_software_update: Known<String>,
        /// Whether multipathing is on.
        pub multipathing: Known<bool>,
        /// The iSCSI initiator's name.
        pub iscsi_iqn: Known<String>,
        /// Reference of its control domain's VM record (7.1 and newer), or null.
        pub control_domain: Known<Option<String>>,
        /// The keys of `host.other_config` that joining depends on.
        pub other_config: Known<BTreeMap<String, String>>,
        /// Whether legacy TLS is allowed.
        pub ssl_legacy: Known<bool>,
        /// Whether this host verifies certificates.
        pub tls_verification_enabled: Known<bool>,
        /// Whether plain HTTP is refused.
        pub https_only: Known<bool>,
        /// Whether SSH is on.
        pub ssh_enabled: Known<bool>,
        /// Whether the host booted with secure boot.
        pub secure_boot: Known<bool>,
        /// `chipset_info`: `iommu` and others.
        pub chipset_info: Known<BTreeMap<String, String>>,
        /// Reference of the local cache SR, or null.
        pub local_cache_sr: Known<Option<String>>,
        /// Reference of the SR for suspended VMs, or null.
        pub suspend_image_sr: Known<Option<String>>,
        /// Reference of the SR for crash dumps, or null.
        pub crash_dump_sr: Known<Option<String>>,
        /// Tags of the host.
        pub tags: Known<Vec<String>>,
        /// Total memory, bytes.
        pub memory_total: Known<i64>,
        /// Free memory, bytes.
        [volatile] pub memory_free: Known<i64>,
        /// Whether the coordinator hears from it.
        [volatile] pub live: Known<bool>,
        /// Maker, product, firmware, interfaces, disks, limits of the CPU.
        pub hardware: Known<Hardware>,
        /// What it was booted with.
        pub boot: Known<BootParameters>,
        /// Its clock and how it is kept right.
        pub clock: Known<Clock>,
        /// Whether this was seen from the bare machine, from a guest, or from a control domain.
        pub hypervisor: Known<Hypervisor>,
    }

    /// An edition and its place in the licence daemon's order; the lowest of a pool counts.
    pub struct EditionOrder as "edition_order" {
        /// The edition's name.
        pub name: Known<String>,
        /// Its order; more is higher.
        pub order: Known<i64>,
    }

    /// The CPU of a host (`host.cpu_info` in all its shapes, or raw CPUID).
    pub struct HostCpu as "host_cpu" {
        /// The vendor string: `GenuineIntel`, `AuthenticAMD`, …
        pub vendor: Known<String>,
        /// The brand text.
        pub model_name: Known<String>,
        /// Family, extended family included.
        pub family: Known<i64>,
        /// Model, extended model included.
        pub model: Known<i64>,
        /// Stepping.
        pub stepping: Known<i64>,
        /// Clock rate in MHz as the server prints it.
        [volatile] pub speed: Known<String>,
        /// Flags as `/proc/cpuinfo` of the control domain names them.
        pub flags: Known<String>,
        /// Logical CPUs.
        pub cpu_count: Known<i64>,
        /// Sockets.
        pub socket_count: Known<i64>,
        /// Threads per core.
        pub threads_per_core: Known<i64>,
        /// NUMA nodes; -1 when the server cannot know.
        pub nr_nodes: Known<i64>,
        /// What a PV guest may have at most (the default set on 7.0–8.0).
        pub features_pv: Known<Featureset>,
        /// What an HVM guest may have at most (the default set on 7.0–8.0).
        pub features_hvm: Known<Featureset>,
        /// What a PV guest is started with (8.1 and newer).
        pub features_pv_host: Known<Featureset>,
        /// What an HVM guest is started with (8.1 and newer).
        pub features_hvm_host: Known<Featureset>,
        /// The legacy four words 1c-1d-e1c-e1d, in force now, possibly masked (up to 8.1).
        pub features: Known<Featureset>,
        /// The legacy four words without a mask (5.6–6.5).
        pub physical_features: Known<Featureset>,
        /// The legacy four words after the next reboot (5.6–6.5).
        pub features_after_reboot: Known<Featureset>,
        /// Which words can be masked: `no`, `base`, `full` (5.6–6.5).
        pub maskable: Known<String>,
        /// The words as the CPU itself gives them, OSXSAVE and OSPKE cleared; words that were not captured are zero
        /// here and named in `raw_unknown_words`.
        pub raw: Known<Featureset>,
        /// Indices of words of `raw` that were not captured.
        pub raw_unknown_words: Known<Vec<i64>>,
        /// Where the guest sets come from: `observed`, or `predicted`.
        pub provenance: Known<String>,
        /// The Xen release whose tables predicted the guest sets.
        pub predicted_for: Known<String>,
        /// Groups of logical CPUs that are alike; more than one group means that the cores differ.
        pub groups: Known<Vec<CpuGroup>>,
    }
}
