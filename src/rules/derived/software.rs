//! Editions, storage drivers, updates and patches.

use std::collections::BTreeSet;

use super::facts::{DriverFact, EditionFacts};
use super::{count, descending, follow};
use crate::facts::{Found, Known, Reason, Unknown, need};
use crate::snapshot::{EditionOrder, Host, Pool};

/// The joiner's edition against the lowest of the pool's, by the order that the joiner's licence daemon gives them.
pub(super) fn edition(pool: &Pool, host: &Host) -> Found<EditionFacts> {
    let own = need(&host.edition)?;
    let mut editions = Vec::new();
    for member in descending(&pool.hosts, |host| &host.reference)? {
        editions.push(need(&member.edition)?);
    }
    let answer = |answer: &str, fits| EditionFacts {
        answer: answer.to_owned(),
        fits,
        pool: String::new(),
        unknown: String::new(),
    };
    if editions.iter().all(|edition| *edition == own) {
        return Ok(answer("same", true));
    }
    let Some(daemon) = need_daemon(host)? else { return Ok(answer("no-daemon", false)) };
    let mut lowest: Option<(i64, &String)> = None;
    for edition in editions {
        let Some(order) = order_of(daemon, edition)? else {
            return Ok(EditionFacts { unknown: edition.clone(), ..answer("unknown-edition", false) });
        };
        if lowest.is_none_or(|(least, _)| order < least) {
            lowest = Some((order, edition));
        }
    }
    let Some(order) = order_of(daemon, own)? else {
        return Ok(EditionFacts { unknown: own.clone(), ..answer("unknown-edition", false) });
    };
    let word = match lowest.map(|(least, _)| order.cmp(&least)) {
        Some(std::cmp::Ordering::Less) => "lower",
        Some(std::cmp::Ordering::Greater) => "higher",
        Some(std::cmp::Ordering::Equal) | None => "same-order",
    };
    let pool = lowest.map(|(_, edition)| edition.clone()).unwrap_or_default();
    Ok(EditionFacts { pool, ..answer(word, word == "same-order") })
}

fn need_daemon(host: &Host) -> Found<Option<&Vec<EditionOrder>>> {
    match &host.licence_daemon {
        Known::Yes(daemon) => Ok(daemon.as_ref()),
        Known::No(unknown) => Err(Unknown::because(
            unknown.reason,
            format!(
                "the editions differ, and the order that the joiner's licence daemon gives them is missing: {unknown}"
            ),
        )),
    }
}

fn order_of(daemon: &[EditionOrder], edition: &str) -> Found<Option<i64>> {
    for entry in daemon {
        if need(&entry.name)? == edition {
            return Ok(Some(*need(&entry.order)?));
        }
    }
    Ok(None)
}

/// What the joiner has for each storage driver of the pool.
pub(super) fn drivers(pool: &Pool, joiner: &Pool) -> Found<Vec<DriverFact>> {
    let mut drivers = Vec::new();
    for theirs in descending(&pool.sms, |driver| &driver.reference)? {
        let kind = need(&theirs.kind)?;
        let mut of_kind = Vec::new();
        for driver in need(&joiner.sms)? {
            if need(&driver.kind)? == kind {
                of_kind.push(driver);
            }
        }
        let mut fact = DriverFact {
            name: kind.clone(),
            pool_reference: need(&theirs.reference)?.clone(),
            reference: String::new(),
            count: count(of_kind.len()),
            missing: Vec::new(),
        };
        if let [ours] = of_kind.as_slice() {
            fact.reference.clone_from(need(&ours.reference)?);
            let features = need(&ours.features)?;
            let lacks = |feature: &str, version: &i64| features.get(feature).is_none_or(|has| has < version);
            fact.missing = need(&theirs.features)?
                .iter()
                .filter(|(feature, version)| lacks(feature, version))
                .map(|(feature, version)| format!("{feature}/{version}"))
                .collect();
        }
        drivers.push(fact);
    }
    Ok(drivers)
}

/// uuids of the updates on a host that all members must have, sorted. Before updates said so themselves (7.1), all
/// of them must, unless the joined pool's other_config says otherwise.
pub(super) fn updates(side: &Pool, host: &Host, joined: &Pool) -> Found<Vec<String>> {
    let mut uuids = BTreeSet::new();
    for reference in need(&host.updates)? {
        let update = follow(&side.updates, |update| &update.reference, reference, "pool_update")?;
        let enforced = match &update.enforce_homogeneity {
            Known::Yes(enforced) => *enforced,
            Known::No(unknown) if unknown.reason == Reason::AbsentOnRelease => {
                need(&joined.other_config)?.get("default_update_enforcement").is_none_or(|word| word != "false")
            }
            Known::No(unknown) => return Err(unknown.clone()),
        };
        if enforced {
            uuids.insert(need(&update.uuid)?.clone());
        }
    }
    Ok(uuids.into_iter().collect())
}

/// uuids of the patches on a host, in the order in which it lists them.
pub(super) fn patches(side: &Pool, host: &Host) -> Found<Vec<String>> {
    let mut uuids = Vec::new();
    for reference in need(&host.patches)? {
        let on_host = follow(&side.host_patches, |patch| &patch.reference, reference, "host_patch")?;
        let patch = follow(&side.patches, |patch| &patch.reference, need(&on_host.pool_patch)?, "pool_patch")?;
        uuids.push(need(&patch.uuid)?.clone());
    }
    Ok(uuids)
}
