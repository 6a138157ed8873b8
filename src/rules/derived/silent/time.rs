//! Times as servers and snapshots write them, without a clock of our own.

use std::time::UNIX_EPOCH;

use super::Found;
use crate::facts::{Reason, Unknown};
use crate::rules::case::Seen;

/// Seconds since 1970 of `2026-05-20T10:00:00Z` or `20260520T10:00:00Z`.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, time) = text.split_once('T')?;
    let moment = match date.len() {
        8 => {
            let hyphened = format!("{}-{}-{}T{time}", date.get(..4)?, date.get(4..6)?, date.get(6..)?);
            humantime::parse_rfc3339(&hyphened)
        }
        _ => humantime::parse_rfc3339(text),
    }
    .ok()?;
    i64::try_from(moment.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Whole days from one time to another; negative when the other is past.
pub(super) fn days_between(from: &str, to: &str) -> Option<i64> {
    Some((seconds(to)? - seconds(from)?).div_euclid(24 * 60 * 60))
}

/// Whole days between the two looks, whichever was the earlier.
pub(super) fn days_apart(seen: &Seen) -> Found<i64> {
    let when = |side: &str, at: &Option<String>| {
        let said = at.as_deref().and_then(seconds);
        said.ok_or_else(|| {
            Unknown::because(Reason::NotCollected, format!("the {side}'s source does not say when it was seen"))
        })
    };
    Ok((when("pool", &seen.pool)? - when("joiner", &seen.joiner)?).abs() / (24 * 60 * 60))
}
