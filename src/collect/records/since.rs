//! Since when the server's records have a field: one that lacks it then was cut, and its release is no reason.

/// Fields that every record has since a version of the API: one that lacks them was cut, and its release is no reason. Only
/// those of which the absence means something to a rule. Source: xapi `ocaml/idl/datamodel*.ml`, the releases in which the
/// fields were added; where an update added one, the next line counts.
const ALWAYS: &[(&str, &str, (i64, i64))] = &[
    ("host", "address", (1, 0)),
    ("host", "cpu_info", (2, 0)),
    ("host", "iscsi_iqn", (2, 15)),
    ("host", "license_params", (1, 0)),
    ("host", "multipathing", (2, 15)),
    ("pool", "cpu_info", (2, 5)),
    ("pool", "is_psr_pending", (2, 20)),
    ("pool_update", "enforce_homogeneity", (2, 10)),
    ("SR", "is_tools_sr", (2, 10)),
];

/// The version of the API as of which all fields that are read here are there, but for those of [`LATER`]: that of 8.2.
const SETTLED: (i64, i64) = (2, 15);

/// Fields that came after [`SETTLED`], and the version as of which all releases have them. Source: as for [`ALWAYS`].
const LATER: &[(&str, (i64, i64), &[&str])] = &[
    (
        "host",
        (2, 21),
        &[
            "https_only",
            "last_software_update",
            "last_update_hash",
            "latest_synced_updates_applied",
            "pending_guidances",
            "pending_guidances_full",
            "pending_guidances_recommended",
            "tls_verification_enabled",
        ],
    ),
    ("host", (2, 23), &["ntp_custom_servers", "ntp_mode", "secure_boot", "ssh_enabled", "timezone"]),
    (
        "pool",
        (2, 21),
        &[
            "client_certificate_auth_enabled",
            "custom_uefi_certificates",
            "is_psr_pending",
            "migration_compression",
            "repositories",
            "tls_verification_enabled",
            "uefi_certificates",
            "update_sync_enabled",
        ],
    ),
    ("Certificate", (2, 21), &["name", "type"]),
    ("Certificate", (2, 23), &["purpose"]),
    ("Cluster", (2, 23), &["is_quorate", "quorum"]),
    ("VM", (2, 21), &["VTPMs"]),
];

/// Why a record of a server that speaks this version of the API should have a field that it lacks; nothing where its release may
/// have none.
pub(super) fn missing(class: &str, field: &str, api: Option<(i64, i64)>) -> Option<String> {
    let always = ALWAYS.iter().find(|(of, known, _)| *of == class && *known == field).map(|(.., since)| *since);
    let later =
        || LATER.iter().find(|(of, _, fields)| *of == class && fields.contains(&field)).map(|(_, since, _)| *since);
    let since = always.or_else(later).unwrap_or(SETTLED);
    match api {
        Some(api) if api >= since => Some(format!("though API {}.{} has it", api.0, api.1)),
        None if since < SETTLED => Some("and its API version is not told".to_owned()),
        _ => None,
    }
}
