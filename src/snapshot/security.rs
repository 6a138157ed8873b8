//! Certificates, and what is known of secrets: that they exist.

use crate::facts::{Known, model};

model! {
    /// A certificate (XenAPI class `Certificate`).
    pub struct Certificate as "certificate" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its name; only certificates of authorities have one.
        pub name: Known<String>,
        /// `ca`, `host`, `host_internal`, `pinned`.
        pub kind: Known<String>,
        /// Reference of the host that it is of, or null.
        pub host: Known<Option<String>>,
        /// Valid from, `YYYY-MM-DDThh:mm:ssZ`.
        pub not_before: Known<String>,
        /// Valid until, `YYYY-MM-DDThh:mm:ssZ`.
        pub not_after: Known<String>,
        /// SHA-256 fingerprint, upper-case hex pairs joined by colons.
        pub fingerprint_sha256: Known<String>,
        /// `licensing`, `ldaps` (26.1 and newer).
        pub purpose: Known<Vec<String>>,
        /// Length of its key, bits.
        pub key_bits: Known<i64>,
    }

    /// That a secret exists. Its value is no field of this model.
    pub struct Secret as "secret" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
    }

    /// A Citrix Provisioning site (XenAPI class `PVS_site`).
    pub struct PvsSite as "PVS_site" {
        /// The server's reference.
        pub reference: Known<String>,
        /// Its uuid.
        pub uuid: Known<String>,
        /// Its name.
        pub name_label: Known<String>,
    }
}
