//! Certificates that both sides trust and that cannot stand beside each other.

use std::collections::{BTreeMap, BTreeSet};

use super::descending;
use super::facts::{CaConflict, TrustedConflict};
use crate::facts::{Found, Known, need};
use crate::snapshot::{Certificate, Pool};

/// Names of authorities' certificates that mean another certificate on each side, each name once. Of several with one
/// name the server keeps the last that it comes to, on each side, and compares only those.
pub(super) fn ca_conflicts(pool: &Pool, joiner: &Pool) -> Found<Vec<CaConflict>> {
    let (of_pool, of_joiner) = (by_name(pool)?, by_name(joiner)?);
    let mut conflicts = Vec::new();
    for (name, fingerprint) in of_joiner {
        let Some(pool_fingerprint) = of_pool.get(name) else { continue };
        let (fingerprint, pool_fingerprint) = (need(fingerprint)?, need(pool_fingerprint)?);
        if fingerprint != pool_fingerprint {
            conflicts.push(CaConflict {
                name: name.to_owned(),
                fingerprint: fingerprint.clone(),
                pool_fingerprint: pool_fingerprint.clone(),
            });
        }
    }
    Ok(conflicts)
}

/// Fingerprints of authorities' certificates by name.
fn by_name(pool: &Pool) -> Found<BTreeMap<&str, &Known<String>>> {
    let mut named = BTreeMap::new();
    for certificate in of_kinds(pool, &["ca"])? {
        named.insert(need(&certificate.name)?.as_str(), &certificate.fingerprint_sha256);
    }
    Ok(named)
}

/// Certificates without a name that both sides have, for purposes that overlap and are not the same.
pub(super) fn trusted_conflicts(pool: &Pool, joiner: &Pool) -> Found<Vec<TrustedConflict>> {
    let of_joiner = nameless(joiner)?;
    let mut conflicts = Vec::new();
    for theirs in nameless(pool)? {
        for ours in &of_joiner {
            if need(&theirs.fingerprint_sha256)? != need(&ours.fingerprint_sha256)? {
                continue;
            }
            let set = |purpose: &[String]| purpose.iter().cloned().collect::<BTreeSet<_>>();
            let (purpose, pool_purpose) = (set(need(&ours.purpose)?), set(need(&theirs.purpose)?));
            if purpose != pool_purpose && !purpose.is_disjoint(&pool_purpose) {
                conflicts.push(TrustedConflict {
                    fingerprint: need(&ours.fingerprint_sha256)?.clone(),
                    reference: need(&ours.reference)?.clone(),
                    uuid: ours.uuid.clone(),
                    pool_reference: need(&theirs.reference)?.clone(),
                    purpose: purpose.into_iter().collect(),
                    pool_purpose: pool_purpose.into_iter().collect(),
                });
            }
        }
    }
    Ok(conflicts)
}

fn nameless(pool: &Pool) -> Found<Vec<&Certificate>> {
    let mut found = Vec::new();
    for certificate in of_kinds(pool, &["ca", "pinned"])? {
        if need(&certificate.name)?.is_empty() {
            found.push(certificate);
        }
    }
    Ok(found)
}

fn of_kinds<'a>(pool: &'a Pool, kinds: &[&str]) -> Found<Vec<&'a Certificate>> {
    let mut found = Vec::new();
    for certificate in descending(&pool.certificates, |certificate| &certificate.reference)? {
        if kinds.contains(&need(&certificate.kind)?.as_str()) {
            found.push(certificate);
        }
    }
    Ok(found)
}
