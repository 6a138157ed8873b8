//! Which methods there are, how many parameters they take, and who may call them.

use serde_json::{Value, json};

use super::super::answer::ApiError;
use super::super::world::{Role, World};

/// Messages that are no getters: name, parameters beside the session, the least role.
const MESSAGES: [(&str, usize, Role); 43] = {
    use Role::{PoolAdmin, PoolOperator, ReadOnly};
    [
        ("session.logout", 0, ReadOnly),
        ("session.local_logout", 0, ReadOnly),
        ("session.get_all_subject_identifiers", 0, ReadOnly),
        ("pool.join", 3, PoolOperator),
        ("pool.join_force", 3, PoolOperator),
        ("pool.eject", 1, PoolOperator),
        ("pool.initial_auth", 0, PoolOperator),
        ("pool.get_license_state", 1, ReadOnly),
        ("pool.enable_tls_verification", 0, PoolAdmin),
        ("pool.designate_new_master", 1, PoolOperator),
        ("pool.set_name_label", 2, PoolOperator),
        ("pool.set_name_description", 2, PoolOperator),
        ("pool.set_default_SR", 2, PoolOperator),
        ("pool.sync_database", 0, PoolOperator),
        ("host.get_management_interface", 1, PoolOperator),
        ("host.get_servertime", 1, ReadOnly),
        ("host.get_server_localtime", 1, ReadOnly),
        ("host.get_server_certificate", 1, ReadOnly),
        ("host.get_uncooperative_resident_VMs", 1, ReadOnly),
        ("host.get_diagnostic_timing_stats", 1, ReadOnly),
        ("host.is_in_emergency_mode", 0, ReadOnly),
        ("host.enable", 1, PoolOperator),
        ("host.disable", 1, PoolOperator),
        ("host.set_name_label", 2, PoolOperator),
        ("host.set_name_description", 2, PoolOperator),
        ("host.set_cpu_features", 2, PoolOperator),
        ("host.reset_cpu_features", 1, PoolOperator),
        ("host.destroy", 1, PoolOperator),
        ("PBD.plug", 1, PoolOperator),
        ("PBD.unplug", 1, PoolOperator),
        ("SR.forget", 1, PoolOperator),
        ("VM.hard_shutdown", 1, PoolOperator),
        ("VM.clean_shutdown", 1, PoolOperator),
        ("Bond.destroy", 1, PoolOperator),
        ("VLAN.destroy", 1, PoolOperator),
        ("task.create", 2, ReadOnly),
        ("task.destroy", 1, ReadOnly),
        ("task.cancel", 1, ReadOnly),
        ("event.from", 3, ReadOnly),
        ("event.get_current_id", 0, ReadOnly),
        ("event.inject", 2, ReadOnly),
        ("pool.test_archive_target", 2, PoolOperator),
        ("secret.get_value", 1, PoolOperator),
    ]
};

/// The getters that every class has, with their parameters.
const GETTERS: [(&str, usize); 6] = [
    ("get_all", 0),
    ("get_all_records", 0),
    ("get_all_records_where", 1),
    ("get_record", 1),
    ("get_by_uuid", 1),
    ("get_by_name_label", 1),
];

/// The classes whose records cannot be had as a whole.
const NOT_WHOLE: [&str; 10] = [
    "session",
    "event",
    "data_source",
    "user",
    "auth",
    "probe_result",
    "sr_stat",
    "vdi_nbd_server_info",
    "LVHD",
    "Diagnostics",
];

/// The classes that were taken out.
const REMOVED: [&str; 3] = ["VBD_metrics", "VIF_metrics", "VMPP"];

/// Fields that may be set by anybody who may change things.
const OTHER_CONFIG: [(&str, usize); 3] =
    [("set_other_config", 2), ("add_to_other_config", 3), ("remove_from_other_config", 2)];

/// The message of a method that takes no getter's name.
fn message(method: &str) -> Option<&'static (&'static str, usize, Role)> {
    MESSAGES.iter().find(|(name, ..)| *name == method)
}

/// Whether there is such a method here, called with as many parameters. `count` includes the session.
pub(super) fn check(world: &World, host: usize, method: &str, count: usize) -> Result<(), ApiError> {
    let unknown = || ApiError::new("MESSAGE_METHOD_UNKNOWN", [method]);
    let db = world.db(host);
    let (class, name) = method.split_once('.').ok_or_else(unknown)?;
    let expected = match message(method) {
        Some((_, expected, _)) => *expected,
        None if REMOVED.contains(&class) => return Err(ApiError::bare("MESSAGE_REMOVED")),
        None => {
            let known = class == "session" || db.has_class(class);
            let whole = name.starts_with("get_all") && NOT_WHOLE.contains(&class);
            let getter = GETTERS.iter().chain(&OTHER_CONFIG).find(|(getter, _)| *getter == name);
            match getter {
                _ if !known || whole => return Err(unknown()),
                Some((_, expected)) => *expected,
                None => {
                    let field = name.strip_prefix("get_").ok_or_else(unknown)?;
                    let lacks = |(_, record): (&str, &super::super::db::Fields)| !record.contains_key(field);
                    if class != "session" && db.count(class) > 0 && db.each(class).all(lacks) {
                        return Err(unknown());
                    }
                    1
                }
            }
        }
    };
    if count == expected + 1 {
        return Ok(());
    }
    let got = i64::try_from(count).unwrap_or(i64::MAX) - 1;
    Err(ApiError::new("MESSAGE_PARAMETER_COUNT_MISMATCH", [method.to_owned(), expected.to_string(), got.to_string()]))
}

/// The least role that may call it.
pub(super) fn role(method: &str) -> Role {
    match message(method) {
        Some((.., role)) => *role,
        None if method.starts_with("secret.") => Role::PoolOperator,
        None if method.contains(".get_") => Role::ReadOnly,
        None => Role::PoolOperator,
    }
}

/// All methods of a host, as `system.listMethods` names them.
pub(super) fn list(world: &World, host: usize) -> Value {
    let db = world.db(host);
    let mut names: Vec<String> = vec![
        "system.listMethods".to_owned(),
        "session.login_with_password".to_owned(),
        "session.slave_local_login_with_password".to_owned(),
        "session.get_record".to_owned(),
        "session.get_this_host".to_owned(),
    ];
    let has = |name: &str| matches!(name.split_once('.'), Some((class, _)) if class == "session" || class == "event" || db.has_class(class));
    for (name, ..) in MESSAGES.iter().filter(|(name, ..)| has(name)) {
        names.push((*name).to_owned());
        if name.starts_with("pool.") || name.starts_with("host.") {
            names.push(format!("Async.{name}"));
        }
    }
    for class in db.classes() {
        let whole = !NOT_WHOLE.contains(&class);
        let getters = GETTERS.iter().filter(|(name, _)| whole || !name.starts_with("get_all"));
        names.extend(getters.chain(&OTHER_CONFIG).map(|(name, _)| format!("{class}.{name}")));
        let first = db.each(class).next();
        names.extend(
            first.into_iter().flat_map(|(_, record)| record.keys()).map(|field| format!("{class}.get_{field}")),
        );
    }
    json!(names)
}
