//! What goes wrong although the server's checks pass: clashes, losses, limits of migration, storage, clocks. Pure; only
//! `derived` calls it. What a source of its kind cannot hold (a server's records know no microcode) is null, and
//! a rule over it has no say; what it could hold and does not stays unknown.

mod address;
mod facts;
mod machine;
mod security;
mod settings;
mod software;
mod storage;
#[cfg(test)]
mod tests;
mod time;
mod vms;

use super::{Parts, descending, follow};
use crate::facts::{Found, Known, Reason, known, need};
use crate::rules::case::Seen;
use crate::snapshot::Pif;

pub use facts::{
    CertificateFact, SecretUse, SeedClash, Setting, SharedSr, SilentFacts, StuckVm, UpdateGap, VdiClash, VmClash,
};

/// Looks it all up.
pub(in crate::rules) fn look_up(
    parts: Parts<'_, '_>,
    seen: &Seen,
    management: [&Known<Option<&Pif>>; 2],
) -> SilentFacts {
    let Parts { pool, joiner, coordinator, host } = parts;
    let [ours, theirs] = management.map(address::of);
    let shared_srs = known(|| storage::shared(pool, need(coordinator)?, &storage::Names::of(joiner, host)));
    SilentFacts {
        xapi_newer: known(|| software::xapi_newer(need(host)?, need(coordinator)?)),
        seed_clashes: known(|| vms::seed_clashes(pool, joiner)),
        same_hostname: known(|| machine::same_hostname(pool, need(host)?, need(coordinator)?)),
        vm_clashes: known(|| vms::clashes(pool, joiner)),
        vdi_clashes: known(|| storage::vdi_clashes(pool, joiner)),
        stuck_vms: known(|| vms::stuck(pool, joiner)),
        secret_uses: known(|| storage::secret_uses(joiner)),
        settings: known(|| settings::changed(parts, &shared_srs)),
        features_lost: known(|| settings::features_lost(pool, joiner)),
        licence_days: known(|| security::licence_days(need(host)?, seen)),
        certificates: known(|| security::certificates(pool, joiner, seen)),
        same_subnet: known(|| address::same_subnet(&ours, &theirs)),
        subnet: address::text(&ours),
        pool_subnet: address::text(&theirs),
        public_address: known(|| Ok(need(&ours)?.is_some_and(address::is_public))),
        uses_iscsi: known(|| storage::some(&shared_srs, |word| word == storage::INITIATOR)),
        uses_san: known(|| storage::some(&shared_srs, |word| word != storage::ADDRESS)),
        shared_srs,
        days_apart: known(|| time::days_apart(seen)),
        clock_skew_ms: known(|| machine::clock_skew(need(host)?, need(coordinator)?, seen)),
        unsynchronised: known(|| machine::unsynchronised(pool, joiner)),
        hidden_pci: known(|| machine::hidden_pci(need(host)?)),
        boot_differences: known(|| machine::boot_differences(need(host)?, need(coordinator)?)),
        address_bits: known(|| machine::limit(need(host)?, |hardware| &hardware.physical_address_bits)),
        pool_address_bits: known(|| machine::least(pool, |hardware| &hardware.physical_address_bits)),
        xsave_size: known(|| machine::limit(need(host)?, |hardware| &hardware.xsave_size)),
        pool_xsave_size: known(|| machine::least(pool, |hardware| &hardware.xsave_size)),
        firmware: host.get().map_or_else(String::new, |host| machine::firmware(host)),
        pool_firmware: coordinator.get().map_or_else(String::new, |host| machine::firmware(host)),
        update_gaps: known(|| software::gaps(parts)),
        packs: known(|| software::packs(need(host)?, need(coordinator)?)),
    }
}

/// A fact that some releases and some kinds of source cannot hold: nothing there. What could have been there and is
/// not stays unknown.
fn told<T>(fact: &Known<T>) -> Found<Option<&T>> {
    match fact {
        Known::Yes(value) => Ok(Some(value)),
        Known::No(why) => match why.reason {
            Reason::AbsentOnRelease | Reason::NotApplicable => Ok(None),
            Reason::NotCollected | Reason::PermissionDenied | Reason::Unreadable => Err(why.clone()),
        },
    }
}

/// A list that older releases do not have is empty there.
fn listed<T>(list: &Known<Vec<T>>) -> Found<&[T]> {
    match list {
        Known::No(why) if why.reason == Reason::AbsentOnRelease => Ok(&[]),
        list => Ok(need(list)?),
    }
}
