//! Certificates of both sides, TLS verification.

use serde_json::json;

use crate::edit::{Changed, Doc};
use crate::suite::{Mutation, change};

const CONFLICT: &str = "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT";

/// Adds a certificate that the side trusts.
fn trusted(doc: &mut Doc, reference: &str, name: &str, fingerprint: &str, kind: &str) -> Changed {
    doc.copy_at(
        "certificates",
        0,
        json!({"reference": reference, "name": name, "kind": kind, "host": null,
        "fingerprint_sha256": fingerprint, "not_after": "2035-01-01T00:00:00Z"}),
    )
}

/// Gives the last certificate purposes.
fn purposes(doc: &mut Doc, purposes: &[&str]) -> Changed {
    doc.set("certificates.last.purpose", json!(purposes))
}

pub fn list() -> Vec<Mutation> {
    let mut list = of_conflicts();
    list.extend(of_dates());
    list
}

fn of_conflicts() -> Vec<Mutation> {
    vec![
        change("verification of certificates is off at the joiner", |p| {
            let on = p.pool.get("tls_verification_enabled")? == true;
            p.joiner.set("tls_verification_enabled", !on)
        })
        .refused("tls-verification-same", "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"),
        change("verification of certificates is off in the pool", |p| {
            let on = p.joiner.get("tls_verification_enabled")? == true;
            p.pool.set("tls_verification_enabled", !on)
        })
        .refused("tls-verification-same", "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH"),
        change("both sides call different certificates by one name", |p| {
            trusted(&mut p.pool, "OpaqueRef:ca-a", "a.pem", "AA", "ca")?;
            trusted(&mut p.joiner, "OpaqueRef:ca-a", "a.pem", "AB", "ca")
        })
        .refused_with("ca-certificates-agree", CONFLICT, |_| vec!["a.pem".to_owned()])
        .refused_with("ca-certificates-named-agree", CONFLICT, |_| vec!["a.pem".to_owned()]),
        change("both sides call one certificate by one name", |p| {
            trusted(&mut p.pool, "OpaqueRef:ca-b", "b.pem", "BB", "ca")?;
            trusted(&mut p.joiner, "OpaqueRef:ca-b", "b.pem", "BB", "ca")
        }),
        change("both sides have different certificates without a name", |p| {
            trusted(&mut p.pool, "OpaqueRef:ca-c", "", "CA", "ca")?;
            trusted(&mut p.joiner, "OpaqueRef:ca-c", "", "CB", "ca")
        })
        .refused_with("ca-certificates-agree", CONFLICT, |_| vec![String::new()]),
        change("both sides trust a certificate for overlapping purposes", |p| {
            trusted(&mut p.pool, "OpaqueRef:ca-d", "", "DD", "pinned")?;
            purposes(&mut p.pool, &["ldaps", "licensing"])?;
            trusted(&mut p.joiner, "OpaqueRef:ca-e", "", "DD", "ca")?;
            purposes(&mut p.joiner, &["ldaps"])
        })
        .refused_with(
            "trusted-certificates-agree",
            "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT",
            |_| vec!["OpaqueRef:ca-d".to_owned(), "OpaqueRef:ca-e".to_owned()],
        ),
        change("both sides trust a certificate for different purposes", |p| {
            trusted(&mut p.pool, "OpaqueRef:ca-f", "", "FF", "pinned")?;
            purposes(&mut p.pool, &["licensing"])?;
            trusted(&mut p.joiner, "OpaqueRef:ca-g", "", "FF", "ca")?;
            purposes(&mut p.joiner, &["ldaps"])
        }),
        change("the pool does not know the coordinator's own certificate", |p| {
            let own = p.pool.text("host.reference");
            let certificates = p.pool.0["pool"]["certificates"].as_array_mut()?;
            let count = certificates.len();
            certificates.retain(|it| !(it["kind"] == "host_internal" && it["host"] == own));
            (certificates.len() < count && certificates.iter().any(|it| it["kind"] == "host_internal")).then_some(())
        })
        .fails_in("coordinator-cert-known", "26.16", ""),
    ]
}

fn of_dates() -> Vec<Mutation> {
    vec![
        change("a trusted certificate of the joiner has ended", |p| {
            trusted(&mut p.joiner, "OpaqueRef:ca-old", "", "0D", "ca")?;
            p.joiner.set("certificates.last.not_after", "2026-01-01T00:00:00Z")
        })
        .fails_in("ca-certificates-in-date", "26.13", "")
        .fails_in("certificates-in-date", "", "26.13"),
        change("a trusted certificate of the pool has ended", |p| {
            trusted(&mut p.pool, "OpaqueRef:ca-old", "", "0D", "ca")?;
            p.pool.set("certificates.last.not_after", "2026-01-01T00:00:00Z")
        })
        .fails_in("ca-certificates-in-date", "26.13", "")
        .fails_in("certificates-in-date", "", "26.13"),
        change("a certificate that is copied has ended", |p| {
            trusted(&mut p.pool, "OpaqueRef:ca-old", "old.pem", "0D", "ca")?;
            p.pool.set("certificates.last.not_after", "2026-01-01T00:00:00Z")
        })
        .fails("certificates-in-date"),
        change("a trusted certificate of the joiner ends soon", |p| {
            trusted(&mut p.joiner, "OpaqueRef:ca-soon", "soon.pem", "50", "ca")?;
            p.joiner.set("certificates.last.not_after", "2026-05-30T00:00:00Z")
        })
        .fails("certificates-in-date"),
        change("the joiner's own certificate has ended", |p| {
            p.joiner.set("certificates.0.not_after", "2026-01-01T00:00:00Z")
        })
        .fails("certificates-in-date"),
        change("the joiner's internal certificate has ended", |p| {
            let own = p.joiner.find("certificates", "kind", "host_internal")?;
            p.joiner.set(&format!("certificates.{own}.not_after"), "2026-01-01T00:00:00Z")
        })
        .fails("certificates-in-date")
        .fails("internal-certificates-hold"),
        change("verification is switched off on the joiner itself", |p| {
            let on = p.joiner.get("tls_verification_enabled")? == true;
            p.joiner.get("host.tls_verification_enabled").filter(|word| on && word.is_boolean())?;
            p.joiner.set("host.tls_verification_enabled", false)
        })
        .fails("tls-verification-in-force"),
        change("a member's own certificate ends soon", |p| {
            p.pool.set("certificates.last.not_after", "2026-06-01T00:00:00Z")
        })
        .fails("certificates-in-date"),
        change("the joiner's key is short", |p| p.joiner.set("certificates.0.key_bits", 1_024))
            .fails("certificate-keys-long"),
        change("the joiner's key is just long enough", |p| p.joiner.set("certificates.0.key_bits", 2_048)),
    ]
}
