//! Licences: pools, their size, editions.

use super::super::answer::ApiError;
use super::super::db::{Db, flag, key, text};
use super::{Checked, Sides};

/// A restriction holds where it says so, and where nothing is said.
pub(in crate::lab) fn restricted(db: &Db, name: &str) -> bool {
    key(db.pool().1, "restrictions", name) != Some("false")
}

/// How many hosts a pool without the right licence may have.
pub(in crate::lab) const RESTRICTED_SIZE: usize = 3;

pub(super) fn pooling(joiner: &Db) -> Checked {
    if restricted(joiner, "restrict_pooling") { Err(ApiError::bare("LICENCE_RESTRICTION")) } else { Ok(()) }
}

pub(super) fn pool_size(sides: &Sides<'_>) -> Checked {
    let Sides { joiner, pool, line, .. } = sides;
    // Up to 24.16, a storage appliance's control domain lifts the limit.
    if !line.since(24, 17) && line.since(1, 160) {
        let (_, me) = sides.me();
        let dom0 = joiner.get("VM", text(me, "control_domain"));
        if !dom0.is_some_and(|vm| flag(vm, "is_control_domain")) && !line.since(22, 0) {
            return Err(ApiError::internal(format!(
                "Helpers.No_domain_zero(\"{}\")",
                dom0.map_or("", |vm| text(vm, "uuid"))
            )));
        }
        let appliance = |(_, vm): (&str, &super::super::db::Fields)| {
            flag(vm, "is_control_domain") && text(vm, "name_label").ends_with("-CVM")
        };
        if joiner.each("VM").any(appliance) {
            return Ok(());
        }
    }
    if restricted(joiner, "restrict_pool_size") && pool.count("host") >= RESTRICTED_SIZE {
        return Err(ApiError::new("LICENCE_RESTRICTION", ["Pool_size"]));
    }
    Ok(())
}

/// The joiner's edition against the lowest of the pool's, in the order that the joiner's licence daemon gives them.
pub(super) fn editions(sides: &Sides<'_>) -> Checked {
    let mine = text(sides.me().1, "edition");
    let theirs: Vec<_> = sides.pool.each("host").map(|(_, host)| text(host, "edition")).collect();
    if theirs.iter().all(|edition| *edition == mine) {
        return Ok(());
    }
    let Some(known) = &sides.daemons.editions else {
        return Err(ApiError::internal("V6_interface.V6_error(S(V6d_failure))"));
    };
    let order = |edition: &str| {
        let found = known.iter().find(|(name, _)| name == edition).map(|(_, order)| *order);
        found.ok_or_else(|| {
            let text = format!("Edition \"{edition}\" from pool is not known to v6d.");
            ApiError::new("LICENSE_HOST_POOL_MISMATCH", [text])
        })
    };
    let mut lowest: Option<(&str, i64)> = None;
    for edition in theirs {
        let order = order(edition)?;
        if lowest.is_none_or(|(_, least)| order < least) {
            lowest = Some((edition, order));
        }
    }
    let Some((edition, least)) = lowest else { return Ok(()) };
    if order(mine)? == least {
        return Ok(());
    }
    let params = [format!("host edition = \"{mine}\""), format!("pool edition = \"{edition}\"")];
    Err(ApiError::new("LICENSE_HOST_POOL_MISMATCH", params))
}
