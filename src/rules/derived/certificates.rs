//! Certificates that both sides trust and that cannot stand beside each other.

use std::collections::BTreeSet;

use super::facts::{CaConflict, TrustedConflict};
use super::{Found, descending, need};
use crate::snapshot::{Certificate, Pool};

/// Names of authorities' certificates that mean another certificate on each side, each name once.
pub(super) fn ca_conflicts(pool: &Pool, joiner: &Pool) -> Found<Vec<CaConflict>> {
    let of_pool = of_kinds(pool, &["ca"])?;
    let mut conflicts: Vec<CaConflict> = Vec::new();
    for certificate in of_kinds(joiner, &["ca"])? {
        let name = need(&certificate.name)?;
        if conflicts.iter().any(|conflict| conflict.name == *name) {
            continue;
        }
        for other in &of_pool {
            if need(&other.name)? != name {
                continue;
            }
            let (fingerprint, pool_fingerprint) =
                (need(&certificate.fingerprint_sha256)?, need(&other.fingerprint_sha256)?);
            if fingerprint != pool_fingerprint {
                conflicts.push(CaConflict {
                    name: name.clone(),
                    fingerprint: fingerprint.clone(),
                    pool_fingerprint: pool_fingerprint.clone(),
                });
                break;
            }
        }
    }
    Ok(conflicts)
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
