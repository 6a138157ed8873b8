//! Certificates, that secrets exist, and Provisioning sites.

use super::record::Record;
use crate::facts::{Known, Reason};
use crate::snapshot::{Certificate, PvsSite, Secret};

/// A certificate.
pub(super) fn certificate(record: &Record<'_>) -> Certificate {
    // Before `fingerprint_sha256` existed, `fingerprint` held the same.
    let fingerprint = if record.has("fingerprint_sha256") { "fingerprint_sha256" } else { "fingerprint" };
    Certificate {
        reference: record.own(),
        uuid: record.text("uuid"),
        name: record.text("name"),
        kind: record.one_of("type", &["ca", "host", "host_internal", "pinned"]),
        host: record.nullable("host"),
        not_before: record.time("not_before"),
        not_after: record.time("not_after"),
        fingerprint_sha256: record.text(fingerprint),
        purpose: record.texts("purpose"),
        key_bits: Known::no(Reason::NotApplicable, "only the certificate itself tells, not its record"),
    }
}

/// That a secret exists; its value is not read.
pub(super) fn secret(record: &Record<'_>) -> Secret {
    Secret { reference: record.own(), uuid: record.text("uuid") }
}

/// A Provisioning site.
pub(super) fn pvs_site(record: &Record<'_>) -> PvsSite {
    PvsSite { reference: record.own(), uuid: record.text("uuid"), name_label: record.text("name_label") }
}
