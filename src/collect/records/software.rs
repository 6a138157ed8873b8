//! Updates and patches.

use super::record::Record;
use crate::snapshot::{HostPatch, PoolPatch, PoolUpdate};

/// An update.
pub(super) fn pool_update(record: &Record<'_>) -> PoolUpdate {
    PoolUpdate {
        reference: record.own(),
        uuid: record.text("uuid"),
        name_label: record.text("name_label"),
        version: record.text("version"),
        hosts: record.texts("hosts"),
        enforce_homogeneity: record.bool("enforce_homogeneity"),
    }
}

/// A patch.
pub(super) fn pool_patch(record: &Record<'_>) -> PoolPatch {
    PoolPatch {
        reference: record.own(),
        uuid: record.text("uuid"),
        name_label: record.text("name_label"),
        version: record.text("version"),
    }
}

/// A patch on a host.
pub(super) fn host_patch(record: &Record<'_>) -> HostPatch {
    HostPatch {
        reference: record.own(),
        uuid: record.text("uuid"),
        host: record.text("host"),
        pool_patch: record.text("pool_patch"),
        applied: record.bool("applied"),
    }
}
