//! Storage repositories, plugs, virtual disks and drivers.

use super::record::Record;
use super::redact;
use crate::snapshot::{Pbd, Sm, Sr, Vdi};

const SR_OTHER_CONFIG: &[&str] = &[
    "auto-scan",
    "i18n-key",
    "local_cache",
    "maintenance_mode",
    "multipathable",
    "xenserver_tools_sr",
    "xensource_internal",
];

const SR_SM_CONFIG: &[&str] =
    &["allocation", "datatype", "devserial", "multipathable", "nosubdir", "type", "use_vhd"];

/// A storage repository.
pub(super) fn sr(record: &Record<'_>) -> Sr {
    Sr {
        reference: record.own(),
        uuid: record.text("uuid"),
        name_label: record.text("name_label"),
        kind: record.text("type"),
        content_type: record.text("content_type"),
        shared: record.bool("shared"),
        is_tools_sr: record.bool("is_tools_sr"),
        clustered: record.bool("clustered"),
        physical_size: record.int("physical_size"),
        sm_config: record.map_where("sm_config", |key| redact::is_among(key, SR_SM_CONFIG)).map(redact::public),
        other_config: record
            .map_where("other_config", |key| redact::is_among(key, SR_OTHER_CONFIG))
            .map(redact::public),
        current_operations: record.map("current_operations"),
    }
}

/// A plug.
pub(super) fn pbd(record: &Record<'_>) -> Pbd {
    Pbd {
        reference: record.own(),
        uuid: record.text("uuid"),
        host: record.text("host"),
        sr: record.text("SR"),
        currently_attached: record.bool("currently_attached"),
        device_config: record.map("device_config").map(redact::public),
    }
}

/// A virtual disk.
pub(super) fn vdi(record: &Record<'_>) -> Vdi {
    Vdi {
        reference: record.own(),
        uuid: record.text("uuid"),
        name_label: record.text("name_label"),
        sr: record.text("SR"),
        virtual_size: record.int("virtual_size"),
        is_a_snapshot: record.bool("is_a_snapshot"),
        kind: record.text("type"),
    }
}

/// A storage driver.
pub(super) fn sm(record: &Record<'_>) -> Sm {
    Sm {
        reference: record.own(),
        uuid: record.text("uuid"),
        kind: record.text("type"),
        version: record.text("version"),
        features: record.ints("features"),
        required_cluster_stack: record.texts("required_cluster_stack"),
    }
}
