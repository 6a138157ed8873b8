//! What goes wrong without a word, as rules read it (`silent`). The rest of this room fills it in.

use std::borrow::Cow;

use crate::facts::{Known, facts};

facts! {
    /// What goes wrong although the server's checks let the join pass, as far as an expression cannot compute it.
    /// What sources of a kind cannot tell is null for them.
    pub struct SilentFacts as "silent_facts" {
        /// Whether the joiner's xapi is newer than the coordinator's, major and minor number.
        pub xapi_newer: Known<bool>,
        /// VMs of the joiner with the MAC seed of another VM of the pool.
        pub seed_clashes: Known<Vec<SeedClash>>,
        /// Members with the joiner's host name, however it is spelt, by their names.
        pub same_hostname: Known<Vec<String>>,
        /// VMs of the joiner that the pool has under the same uuid.
        pub vm_clashes: Known<Vec<VmClash>>,
        /// Virtual disks of the joiner that the pool has under the same uuid, without those of an SR that both have.
        pub vdi_clashes: Known<Vec<VdiClash>>,
        /// Suspended VMs of the joiner that no host of the pool could resume.
        pub stuck_vms: Known<Vec<StuckVm>>,
        /// References from the joiner's storage to secrets.
        pub secret_uses: Known<Vec<SecretUse>>,
        /// Settings of the joiner that the join loses or replaces.
        pub settings: Known<Vec<Setting>>,
        /// Features that the pool's licences allow and the joiner's does not, without `restrict_`.
        pub features_lost: Known<Vec<String>>,
        /// Days until the joiner's licence ends, counted from when it was seen; negative when it has; null for one that
        /// never ends; unknown where the source does not say when it was seen.
        [volatile] pub licence_days: Known<Option<i64>>,
        /// The certificates of both sides.
        pub certificates: Known<Vec<CertificateFact>>,
        /// Whether the two management addresses are in one subnet; null where a side has no address.
        pub same_subnet: Known<Option<bool>>,
        /// The joiner's management address with its prefix length; empty where it has none.
        pub subnet: String,
        /// The coordinator's.
        pub pool_subnet: String,
        /// Whether the joiner's management address can be reached from the Internet.
        pub public_address: Known<bool>,
        /// The pool's shared SRs, without the tools.
        pub shared_srs: Known<Vec<SharedSr>>,
        /// Whether some of them are reached over iSCSI.
        pub uses_iscsi: Known<bool>,
        /// Whether some of them are block devices on a network, which multipathing concerns.
        pub uses_san: Known<bool>,
        /// Whole days between the times at which the two sides were seen; unknown where one of them does not say.
        [volatile] pub days_apart: Known<i64>,
        /// How far the joiner's clock is from the coordinator's, milliseconds without a sign.
        [volatile] pub clock_skew_ms: Known<Option<i64>>,
        /// Hosts of both sides whose clock nothing keeps right, where known.
        pub unsynchronised: Known<Vec<String>>,
        /// PCI devices that the joiner hides from its control domain.
        pub hidden_pci: Known<Option<Vec<String>>>,
        /// Parameters of Xen and its kernel that bear on guests and differ: `xen: smt=0 only on the joiner`.
        pub boot_differences: Known<Vec<String>>,
        /// Width of the joiner's physical addresses, bits.
        pub address_bits: Known<Option<i64>>,
        /// The narrowest of the pool.
        pub pool_address_bits: Known<Option<i64>>,
        /// Bytes that the joiner's XSAVE needs.
        pub xsave_size: Known<Option<i64>>,
        /// The least of the pool.
        pub pool_xsave_size: Known<Option<i64>>,
        /// The joiner's microcode and firmware, for a sentence.
        pub firmware: String,
        /// The coordinator's.
        pub pool_firmware: String,
        /// Updates and patches that all members must have and one side lacks.
        pub update_gaps: Known<Vec<UpdateGap>>,
        /// Supplemental packs that differ: `xs:main only on the joiner`.
        pub packs: Known<Vec<String>>,
    }

    /// Two VMs with one MAC seed.
    pub struct SeedClash as "seed_clash" {
        /// The seed.
        pub seed: String,
        /// Name of the joiner's VM.
        pub name_label: Known<String>,
        /// uuid of the joiner's VM.
        pub uuid: String,
        /// Name of the pool's VM.
        pub pool_name_label: Known<String>,
        /// uuid of the pool's VM.
        pub pool_uuid: String,
    }

    /// Two records with one VM's uuid.
    pub struct VmClash as "vm_clash" {
        /// Name on the joiner.
        pub name_label: Known<String>,
        /// The uuid.
        pub uuid: String,
        /// Name in the pool.
        pub pool_name_label: Known<String>,
        /// Power state in the pool.
        pub pool_power_state: Known<String>,
        /// What the import does: `VM_BAD_POWER_STATE`, `VM_TO_IMPORT_IS_NOT_NEWER_VERSION` (both lose the import), or
        /// `replaces` (the joiner's record replaces the pool's).
        pub outcome: Known<String>,
    }

    /// A virtual disk of the joiner with the uuid of one of the pool.
    pub struct VdiClash as "vdi_clash" {
        /// Its name on the joiner.
        pub name_label: String,
        /// The uuid.
        pub uuid: String,
        /// The name of its SR on the joiner.
        pub sr: String,
    }

    /// A suspended VM that only the joiner can resume.
    pub struct StuckVm as "stuck_vm" {
        /// Its name.
        pub name_label: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Whether some host of the pool could resume it.
        pub resumable: Known<bool>,
    }

    /// A key of PBD.device_config that refers to a secret.
    pub struct SecretUse as "secret_use" {
        /// The PBD's uuid.
        pub pbd: Known<String>,
        /// The SR's name.
        pub sr: Known<String>,
        /// The SR's uuid.
        pub sr_uuid: Known<String>,
        /// The key.
        pub key: String,
    }

    /// A setting of the joiner that does not survive.
    pub struct Setting as "setting" {
        /// Which.
        pub name: Cow<'static, str>,
        /// What it is on the joiner.
        pub value: String,
        /// What becomes of it: `lost`, or what the pool has in its place.
        pub becomes: String,
        /// Whether it stays; for those that are listed, no or not known.
        pub kept: Known<bool>,
    }

    /// A certificate of either side.
    pub struct CertificateFact as "certificate_fact" {
        /// `joiner` or `pool`.
        pub side: String,
        /// `ca`, `host`, `host_internal`, `pinned`.
        pub kind: String,
        /// Its own name, else its host's, else its uuid.
        pub name: String,
        /// Its uuid; empty where it has none.
        pub uuid: String,
        /// Whether a join installs it on the other side, which looks at its dates: trusted certificates without a name, as 26.13 and
        /// newer have them. Those with a name are copied.
        pub installed: Known<bool>,
        /// uuid of its host; empty for a certificate that is no host's.
        pub host_uuid: Known<String>,
        /// Valid until.
        pub not_after: Known<String>,
        /// Days until then, counted from when its side was seen; unknown where the source does not say when.
        [volatile] pub days_left: Known<i64>,
        /// Length of its key, bits; null where nobody looked into it.
        pub key_bits: Known<Option<i64>>,
    }

    /// A shared SR of the pool as a new member would reach it.
    pub struct SharedSr as "shared_sr" {
        /// Its name.
        pub name_label: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its driver.
        pub kind: Known<String>,
        /// Whether the coordinator has a PBD for it, which new members copy.
        pub on_coordinator: bool,
        /// Keys of device_config in which members differ.
        pub differing: Known<Vec<String>>,
        /// Where it is: `192.0.2.50:/export/vms`; empty where device_config does not say.
        pub location: String,
        /// By what the storage knows a host: `initiator`, `address`, `adapter`.
        pub known_by: Known<String>,
        /// What of the joiner it must admit: `initiator iqn.…`, `address 192.0.2.13 (eth0)`.
        pub admit: String,
    }

    /// An update or patch that one side lacks.
    pub struct UpdateGap as "update_gap" {
        /// `update` or `patch`.
        pub kind: String,
        /// Its uuid.
        pub uuid: String,
        /// Its name.
        pub name: String,
        /// `joiner` or `coordinator`: which side lacks it.
        pub missing_on: String,
    }
}
