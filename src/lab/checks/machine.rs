//! Availability, clusters, VMs, users, certificates and running updates.

use std::collections::BTreeSet;

use super::super::answer::ApiError;
use super::super::db::{Db, Fields, entries, flag, int, list, text};
use super::super::release::Line;
use super::{Checked, Sides};

fn refuse(when: bool, code: &str) -> Checked {
    if when { Err(ApiError::bare(code)) } else { Ok(()) }
}

pub(super) fn ha_here(sides: &Sides<'_>) -> Checked {
    refuse(flag(sides.joiner.pool().1, "ha_enabled"), "HA_IS_ENABLED")
}

pub(super) fn ha_there(sides: &Sides<'_>) -> Checked {
    refuse(flag(sides.pool.pool().1, "ha_enabled"), "HA_IS_ENABLED")
}

pub(super) fn clustering_here(sides: &Sides<'_>) -> Checked {
    let (me, _) = sides.me();
    let member = |record: &Fields| text(record, "host") == me && flag(record, "enabled");
    match sides.joiner.each("Cluster_host").find(|(_, record)| member(record)) {
        Some((reference, _)) => Err(ApiError::new("CLUSTERING_ENABLED", [reference])),
        None => Ok(()),
    }
}

/// Only the coordinator's uuid is compared: joining a pool with a member's uuid is not caught here.
pub(super) fn not_myself(sides: &Sides<'_>) -> Checked {
    if text(sides.me().1, "uuid") != text(sides.coordinator().1, "uuid") {
        return Ok(());
    }
    let words = if sides.joiner.count("host") > 1 {
        "Host is already part of a pool"
    } else {
        "Host cannot become slave of itself"
    };
    Err(ApiError::not_allowed(words))
}

pub(super) fn sole_host(sides: &Sides<'_>) -> Checked {
    refuse(sides.joiner.count("host") > 1, "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS")
}

pub(super) fn no_running_vms(sides: &Sides<'_>) -> Checked {
    let (_, me) = sides.me();
    let running = |(reference, vm): (&str, &Fields)| {
        text(vm, "power_state") == "Running" && !is_exempt(sides.line, me, reference, vm)
    };
    refuse(sides.joiner.each("VM").any(running), "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS")
}

/// The control domain itself. Before 1.9.91 every control domain was let pass; before 7.1 the host did not name its own.
fn is_exempt(line: Line, me: &Fields, reference: &str, vm: &Fields) -> bool {
    let control = flag(vm, "is_control_domain");
    if line < Line(1, 9, 91) {
        return control;
    }
    match me.get("control_domain").and_then(serde_json::Value::as_str) {
        Some(own) => control && own == reference,
        None => control && int(vm, "domid").is_none_or(|domid| domid == 0),
    }
}

pub(super) fn no_vm_operations(sides: &Sides<'_>) -> Checked {
    let busy = sides.joiner.each("VM").any(|(_, vm)| entries(vm, "current_operations").next().is_some());
    refuse(busy, "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS")
}

/// The service's name without regard to case only from 24.33 on.
pub(super) fn external_auth(sides: &Sides<'_>) -> Checked {
    let ((_, mine), (_, theirs)) = (sides.me(), sides.coordinator());
    let of = |field| (text(mine, field), text(theirs, field));
    let (kind, other_kind) = of("external_auth_type");
    let (name, other_name) = of("external_auth_service_name");
    let same = if sides.line.since(24, 33) { name.eq_ignore_ascii_case(other_name) } else { name == other_name };
    refuse(kind != other_kind || !same, "POOL_JOINING_EXTERNAL_AUTH_MISMATCH")
}

pub(super) fn tls_verification(sides: &Sides<'_>) -> Checked {
    let on = |db: &Db| flag(db.pool().1, "tls_verification_enabled");
    refuse(on(sides.joiner) != on(sides.pool), "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH")
}

/// Certificates of one type; names without one count only where the newer check does not take them.
fn authorities(db: &Db, unnamed: bool) -> impl Iterator<Item = (&str, &str)> {
    db.each("Certificate")
        .filter(|(_, record)| text(record, "type") == "ca")
        .map(|(_, record)| (text(record, "name"), fingerprint(record)))
        .filter(move |(name, _)| unnamed || !name.is_empty())
}

fn fingerprint(record: &Fields) -> &str {
    let field = if record.contains_key("fingerprint_sha256") { "fingerprint_sha256" } else { "fingerprint" };
    text(record, field)
}

pub(super) fn ca_certificates(sides: &Sides<'_>) -> Checked {
    let unnamed = !super::has_trusted_certificates(sides.line);
    let mut conflicts: Vec<&str> = Vec::new();
    for (name, mine) in authorities(sides.joiner, unnamed) {
        let differs = authorities(sides.pool, unnamed).any(|(other, theirs)| other == name && theirs != mine);
        if differs && !conflicts.contains(&name) {
            conflicts.push(name);
        }
    }
    if conflicts.is_empty() {
        return Ok(());
    }
    Err(ApiError::new("POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT", conflicts))
}

/// The same certificate trusted for purposes that overlap and are not the same.
pub(super) fn trusted_certificates(sides: &Sides<'_>) -> Checked {
    fn trusted(db: &Db) -> impl Iterator<Item = (&str, &Fields)> {
        db.each("Certificate")
            .filter(|(_, record)| matches!(text(record, "type"), "ca" | "pinned") && text(record, "name").is_empty())
    }
    let purposes = |record| list(record, "purpose").collect::<BTreeSet<_>>();
    for (theirs, there) in trusted(sides.pool) {
        for (mine, here) in trusted(sides.joiner) {
            let (ours, others) = (purposes(here), purposes(there));
            if fingerprint(here) == fingerprint(there) && ours != others && !ours.is_disjoint(&others) {
                return Err(ApiError::new("POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT", [theirs, mine]));
            }
        }
    }
    Ok(())
}

fn updating(db: &Db) -> bool {
    entries(db.pool().1, "current_operations").any(|(_, operation)| operation == "apply_updates")
}

pub(super) fn updating_here(sides: &Sides<'_>) -> Checked {
    refuse(updating(sides.joiner), "NOT_SUPPORTED_DURING_UPGRADE")
}

pub(super) fn updating_there(sides: &Sides<'_>) -> Checked {
    refuse(updating(sides.pool), "NOT_SUPPORTED_DURING_UPGRADE")
}
