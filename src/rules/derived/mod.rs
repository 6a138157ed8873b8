//! What the server's join checks look up on the way to their answer: the record that it takes where several qualify,
//! references followed, lists paired. Pure; `case` calls it. Where an order counts, the server goes through records in
//! descending order of their references.

mod certificates;
mod facts;
mod hosts;
mod machine;
mod network;
pub(super) mod silent;
mod software;

use crate::facts::{Found, Known, Reason, Unknown, known, need};
use crate::snapshot::{Host, Pool};

pub use facts::{
    AddressClash, CaConflict, ClusterFacts, DriverFact, EditionFacts, JoinFacts, OddMember, TrustedConflict, VlanFact,
};
pub use machine::MachineFacts;
pub(super) use machine::machine;
pub use silent::{
    CertificateFact, SecretUse, SeedClash, Setting, SharedSr, SilentFacts, StuckVm, UpdateGap, VdiClash, VmClash,
};

/// The reference that stands for none.
const NULL: &str = "OpaqueRef:NULL";

/// What of a case is looked into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a, 'b> {
    pub(super) pool: &'a Pool,
    pub(super) joiner: &'a Pool,
    pub(super) coordinator: &'b Known<&'a Host>,
    pub(super) host: &'b Known<&'a Host>,
}

/// Looks it all up.
pub(super) fn look_up<'a>(parts: Parts<'a, '_>) -> JoinFacts<'a> {
    let Parts { pool, joiner, coordinator, host } = parts;
    let (backend, backend_stands_in) = network::backend(host);
    JoinFacts {
        hosts_complete: known(|| hosts::complete(pool)),
        address_clashes: known(|| network::address_clashes(pool, joiner, need(host)?)),
        members_down: known(|| hosts::down(pool)),
        members_unlike: known(|| hosts::unlike(pool, need(coordinator)?)),
        backend,
        backend_stands_in,
        sdn_controller: known(|| network::sdn_controller(joiner)),
        pool_sdn_controller: known(|| network::sdn_controller(pool)),
        nbd_purpose: known(|| network::nbd_purpose(joiner)),
        pool_nbd_purpose: known(|| network::nbd_purpose(pool)),
        cluster: known(|| network::cluster(pool, joiner)),
        own_cluster_hosts: known(|| network::cluster_hosts(joiner, need(host)?)),
        vlans: known(|| network::vlans(joiner)),
        edition: known(|| software::edition(pool, need(host)?)),
        drivers: known(|| software::drivers(pool, joiner)),
        updates: known(|| software::updates(joiner, need(host)?, pool)),
        pool_updates: known(|| software::updates(pool, need(coordinator)?, pool)),
        patches: known(|| software::patches(joiner, need(host)?)),
        pool_patches: known(|| software::patches(pool, need(coordinator)?)),
        ca_conflicts: known(|| certificates::ca_conflicts(pool, joiner)),
        trusted_conflicts: known(|| certificates::trusted_conflicts(pool, joiner)),
    }
}

/// The records of a list in the server's order.
fn descending<T>(list: &Known<Vec<T>>, reference: fn(&T) -> &Known<String>) -> Found<Vec<&T>> {
    let mut records: Vec<_> = need(list)?.iter().collect();
    records.sort_by(|a, b| reference(b).text().cmp(&reference(a).text()));
    Ok(records)
}

/// The record that a reference leads to.
fn follow<'a, T>(
    list: &'a Known<Vec<T>>,
    reference: fn(&T) -> &Known<String>,
    wanted: &str,
    class: &str,
) -> Found<&'a T> {
    need(list)?
        .iter()
        .find(|record| reference(record).text() == Some(wanted))
        .ok_or_else(|| Unknown::because(Reason::Unreadable, format!("{class} {wanted} is not among the records")))
}

/// The record of that reference; none where it is gone, which is sure only where every record's reference is known.
fn follow_or_gone<'a, T>(
    list: &'a Known<Vec<T>>,
    reference: fn(&T) -> &Known<String>,
    wanted: &str,
) -> Found<Option<&'a T>> {
    let records = need(list)?;
    let found = records.iter().find(|record| reference(record).text() == Some(wanted));
    if found.is_none() {
        for record in records {
            need(reference(record))?;
        }
    }
    Ok(found)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
