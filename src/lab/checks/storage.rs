//! Storage repositories and their drivers.

use super::super::answer::ApiError;
use super::super::db::{Fields, entries, flag, key, text};
use super::{Checked, Sides};

/// Before 7.0 the tools' repository is known by a mark.
pub(in crate::lab) fn is_tools(sr: &Fields) -> bool {
    flag(sr, "is_tools_sr") || key(sr, "other_config", "xenserver_tools_sr") == Some("true")
}

pub(super) fn no_shared_srs(sides: &Sides<'_>) -> Checked {
    if sides.joiner.each("SR").any(|(_, sr)| flag(sr, "shared") && !is_tools(sr)) {
        return Err(ApiError::bare("JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS"));
    }
    Ok(())
}

/// Every driver of the pool must be at the joiner once, with every feature at least as new.
pub(super) fn driver_features(sides: &Sides<'_>) -> Checked {
    for (theirs, driver) in sides.pool.each("SM") {
        let alike: Vec<_> =
            sides.joiner.each("SM").filter(|(_, record)| text(record, "type") == text(driver, "type")).collect();
        let [(mine, own)] = alike.as_slice() else {
            return Err(ApiError::new("POOL_JOINING_SM_FEATURES_INCOMPATIBLE", [theirs, ""]));
        };
        let version = |record: &Fields, feature: &str| {
            entries(record, "features").find(|(name, _)| *name == feature).and_then(|(_, value)| value.as_i64())
        };
        let covered = |(feature, wanted): (&String, &serde_json::Value)| {
            version(own, feature).is_some_and(|own| wanted.as_i64().is_some_and(|wanted| own >= wanted))
        };
        if !entries(driver, "features").all(covered) {
            return Err(ApiError::new("POOL_JOINING_SM_FEATURES_INCOMPATIBLE", [theirs, *mine]));
        }
    }
    Ok(())
}
