//! Versions, CPU vendor, updates, guidance.

use std::collections::BTreeSet;

use super::super::answer::ApiError;
use super::super::db::{Db, Fields, flag, int, key, list, text};
use super::{Checked, Sides, not_found};
use crate::facts::Featureset;

/// The bits that 5.6 to 6.5 compare when the pool sets no mask of its own.
const DEFAULT_MASK: &str = "ffffff7f-ffffffff-ffffffff-ffffffff";

fn version<'a>(host: &'a Fields, name: &str) -> Option<&'a str> {
    key(host, "software_version", name)
}

/// What the product calls itself: its brand, or its platform.
fn compatible_name(host: &Fields) -> Option<&str> {
    version(host, "product_brand").or_else(|| version(host, "platform_name"))
}

pub(super) fn guidance(sides: &Sides<'_>) -> Checked {
    for (reference, host) in [sides.me(), sides.coordinator()] {
        if list(host, "pending_guidances").next().is_some() {
            return Err(ApiError::new("HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY", [reference]));
        }
    }
    Ok(())
}

pub(super) fn compatible(sides: &Sides<'_>) -> Checked {
    let of = |host| (version(host, "platform_version"), compatible_name(host));
    if of(sides.me().1) == of(sides.coordinator().1) { Ok(()) } else { Err(ApiError::bare("HOSTS_NOT_COMPATIBLE")) }
}

pub(super) fn homogeneous(sides: &Sides<'_>) -> Checked {
    let ((_, mine), (_, theirs)) = (sides.me(), sides.coordinator());
    let line = sides.line;
    let differ = |words| Err(ApiError::new("HOSTS_NOT_HOMOGENEOUS", [words]));
    let of = |host| {
        // From 22.13 on xapi's own version stands where the platform's stood.
        let first = if line.since(22, 13) { "xapi" } else { "platform_version" };
        let build = if line.since(1, 30) { None } else { version(host, "build_number") };
        let linux = version(host, "xs:linux").is_some();
        (version(host, first), compatible_name(host), build, version(host, "git_id"), linux)
    };
    if of(mine) != of(theirs) {
        return differ(if line.masks() { "software version differs" } else { "Software version differs" });
    }
    let vendor = |record| key(record, "cpu_info", "vendor").ok_or_else(not_found);
    let same = if line.masks() {
        vendor(mine)? == vendor(theirs)? && masked(sides, mine)? == masked(sides, theirs)?
    } else {
        vendor(mine)? == vendor(sides.pool.pool().1)?
    };
    if same { Ok(()) } else { differ("CPUs differ") }
}

/// A host's features under the pool's mask (5.6 to 6.5).
fn masked(sides: &Sides<'_>, host: &Fields) -> Result<Featureset, ApiError> {
    let read = |text: &str| text.parse().map_err(|_| ApiError::new("INVALID_FEATURE_STRING", [text]));
    let mask = key(sides.pool.pool().1, "other_config", "cpuid_feature_mask").unwrap_or(DEFAULT_MASK);
    let features: Featureset = read(key(host, "cpu_info", "features").ok_or_else(not_found)?)?;
    Ok(features.intersect(&read(mask)?))
}

pub(super) fn api_version(sides: &Sides<'_>) -> Checked {
    let of = |host| {
        let number = |field| int(host, field).unwrap_or_default();
        format!("{}.{}", number("API_version_major"), number("API_version_minor"))
    };
    let (mine, theirs) = (of(sides.me().1), of(sides.coordinator().1));
    if mine == theirs {
        return Ok(());
    }
    Err(ApiError::new("POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION", [mine, theirs]))
}

/// One that is missing, or empty, matches nothing, not even another that is missing.
pub(super) fn schema(sides: &Sides<'_>) -> Checked {
    let of = |host| version(host, "db_schema").unwrap_or("");
    let (mine, theirs) = (of(sides.me().1), of(sides.coordinator().1));
    if mine == theirs && !mine.is_empty() {
        return Ok(());
    }
    Err(ApiError::new("POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA", [mine, theirs]))
}

pub(super) fn updates(sides: &Sides<'_>) -> Checked {
    fn of<'a>(db: &'a Db, host: &'a Fields, usual: bool) -> BTreeSet<&'a str> {
        let enforced = |update: &&Fields| match update.contains_key("enforce_homogeneity") {
            true => flag(update, "enforce_homogeneity"),
            false => usual,
        };
        list(host, "updates")
            .filter_map(|reference| db.get("pool_update", reference))
            .filter(enforced)
            .map(|update| text(update, "uuid"))
            .collect()
    }
    let ((_, mine), (_, theirs)) = (sides.me(), sides.coordinator());
    // Before updates said so themselves the joined pool's settings do.
    let usual = key(sides.pool.pool().1, "other_config", "default_update_enforcement") != Some("false");
    if of(sides.joiner, mine, usual) == of(sides.pool, theirs, usual) {
        return Ok(());
    }
    let names = (text(mine, "name_label"), text(theirs, "name_label"));
    let words = format!("Updates on local host {} and pool host {} differ", names.0, names.1);
    Err(ApiError::new("HOSTS_NOT_HOMOGENEOUS", [words]))
}

/// Before 7.1: the patches of both hosts, by the uuids of the patches.
pub(super) fn patches(sides: &Sides<'_>) -> Checked {
    fn of<'a>(db: &'a Db, host: &'a Fields) -> BTreeSet<&'a str> {
        list(host, "patches")
            .filter_map(|reference| db.get("host_patch", reference))
            .filter_map(|patch| db.get("pool_patch", text(patch, "pool_patch")))
            .map(|patch| text(patch, "uuid"))
            .collect()
    }
    let mine = of(sides.joiner, sides.me().1);
    let theirs = of(sides.pool, sides.coordinator().1);
    if mine == theirs {
        return Ok(());
    }
    let words = |set: BTreeSet<&str>| set.into_iter().collect::<Vec<_>>().join(" ");
    let text = format!("Patches applied differ: Remote has {} -- Local has {}", words(theirs), words(mine));
    Err(ApiError::new("HOSTS_NOT_HOMOGENEOUS", [text]))
}
