//! Which update or pack one side lacks, and whose toolstack is newer.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::UpdateGap;
use super::{Parts, told};
use crate::facts::{Found, Known, Reason, Unknown, need};
use crate::rules::derived::software;
use crate::snapshot::{Host, Pool};

/// Major and minor number of xapi.
fn xapi(host: &Host) -> Found<(u32, u32)> {
    let said = need(&host.software_version)?;
    let version = said.get("xapi_build").or_else(|| said.get("xapi"));
    let mut numbers = version.into_iter().flat_map(|version| version.split('.')).map(|number| number.parse().ok());
    numbers.next().flatten().zip(numbers.next().flatten()).ok_or_else(|| match version {
        Some(version) => {
            Unknown::because(Reason::Unreadable, format!("xapi {} is no version", version.escape_debug()))
        }
        None if is_assumed(host) => {
            Unknown::because(Reason::NotCollected, "xapi is known once the release is installed")
        }
        None => Unknown::because(Reason::NotCollected, "software_version holds no xapi"),
    })
}

/// Whether the product is not installed yet, so that keys of `software_version` are still to come.
fn is_assumed(host: &Host) -> bool {
    host.assumed_release.get().is_some()
}

/// A member that is newer than its coordinator stays out (xapi `xapi.ml`, since 23.30).
pub(super) fn xapi_newer(host: &Host, coordinator: &Host) -> Found<bool> {
    Ok(xapi(host)? > xapi(coordinator)?)
}

/// Updates (7.1 and newer) and patches (before) that all members must have and one side lacks.
pub(super) fn gaps(parts: Parts<'_, '_>) -> Found<Vec<UpdateGap>> {
    let Parts { pool, joiner, coordinator, host } = parts;
    let (host, coordinator) = (need(host)?, need(coordinator)?);
    let mut gaps = Vec::new();
    if told(&host.updates)?.is_some() && told(&coordinator.updates)?.is_some() {
        let (ours, theirs) = (software::updates(joiner, host, pool)?, software::updates(pool, coordinator, pool)?);
        let name = |uuid: &str| {
            let updates = joiner.updates.each().chain(pool.updates.each());
            name_of(updates.map(|update| (&update.uuid, &update.name_label)), uuid)
        };
        gaps.extend(differences("update", &ours, &theirs, name));
    }
    if told(&host.patches)?.is_some() && told(&coordinator.patches)?.is_some() {
        let (ours, theirs) = (patches(joiner, host)?, patches(pool, coordinator)?);
        let name = |uuid: &str| {
            let patches = joiner.patches.each().chain(pool.patches.each());
            name_of(patches.map(|patch| (&patch.uuid, &patch.name_label)), uuid)
        };
        gaps.extend(differences("patch", &ours, &theirs, name));
    }
    Ok(gaps)
}

/// uuids of a host's patches. Releases with updates list those that came as updates as patches too, without a record.
fn patches(side: &Pool, host: &Host) -> Found<Vec<String>> {
    if told(&host.updates)?.is_some() {
        return Ok(Vec::new());
    }
    software::patches(side, host)
}

fn name_of<'a>(mut all: impl Iterator<Item = (&'a Known<String>, &'a Known<String>)>, uuid: &str) -> String {
    let found = all.find(|(of, _)| of.text() == Some(uuid));
    found.and_then(|(_, name)| name.text()).unwrap_or_default().to_owned()
}

fn differences(kind: &str, ours: &[String], theirs: &[String], name: impl Fn(&str) -> String) -> Vec<UpdateGap> {
    let side = |missing_on: &str, from: &[String], on: &[String]| {
        let from: BTreeSet<_> = from.iter().filter(|uuid| !on.contains(uuid)).collect();
        let gap = |uuid: &String| UpdateGap {
            kind: kind.to_owned(),
            uuid: uuid.clone(),
            name: name(uuid),
            missing_on: missing_on.to_owned(),
        };
        from.into_iter().map(gap).collect::<Vec<_>>()
    };
    [side("joiner", theirs, ours), side("coordinator", ours, theirs)].concat()
}

/// Supplemental packs are keys `vendor:pack`. The server itself compares `xs:linux` only.
pub(super) fn packs(host: &Host, coordinator: &Host) -> Found<Vec<String>> {
    let packs = |host: &Host| -> Found<BTreeMap<String, String>> {
        if is_assumed(host) {
            let why = "packs are known once the release is installed";
            return Err(Unknown::because(Reason::NotCollected, why));
        }
        let said = need(&host.software_version)?.iter();
        Ok(said
            .filter(|(key, _)| key.contains(':') && *key != "xs:linux")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    };
    let (ours, theirs) = (packs(host)?, packs(coordinator)?);
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let difference = |name: &&String| match (ours.get(*name), theirs.get(*name)) {
        (Some(_), None) => Some(format!("{name} only on the joiner")),
        (None, Some(_)) => Some(format!("{name} only on the coordinator")),
        (Some(ours), Some(theirs)) if ours != theirs => {
            Some(format!("{name}: {ours} on the joiner, {theirs} on the coordinator"))
        }
        _ => None,
    };
    Ok(names.iter().filter_map(difference).collect())
}
