//! What is asked of hosts and pools beside their records, and the few changes that mend what checks find.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::answer::{Answer, ApiError};
use super::super::db::{Fields, flag, is_null, list, text};
use super::super::network;
use super::{Context, tasks};

/// The answer, where this is a call of that kind.
pub(super) fn answer(context: &Context<'_>, class: &str, message: &str) -> Option<Answer> {
    let answer = match (class, message) {
        ("host", "get_management_interface") => management(context),
        ("host", "get_servertime" | "get_server_localtime") => context.host_record().map(|_| json!(now())),
        ("host", "get_server_certificate") => certificate(context),
        ("host", "get_uncooperative_resident_VMs") => context.host_record().map(|_| json!([])),
        ("host", "enable") => set(context, "host", "enabled", json!(true)),
        ("host", "disable") => set(context, "host", "enabled", json!(false)),
        ("host" | "pool", "set_name_label") => set(context, class, "name_label", context.params[1].clone()),
        ("host" | "pool", "set_name_description") => {
            set(context, class, "name_description", context.params[1].clone())
        }
        ("pool", "set_default_SR") => set(context, "pool", "default_SR", context.params[1].clone()),
        ("pool", "get_license_state") => Ok(json!({"expiry": "never"})),
        ("pool", "sync_database") => Ok(json!("")),
        ("pool", "enable_tls_verification") => enable_tls(context),
        ("PBD", "plug") => set(context, "PBD", "currently_attached", json!(true)),
        ("PBD", "unplug") => set(context, "PBD", "currently_attached", json!(false)),
        ("SR", "forget") => forget(context),
        ("VM", "hard_shutdown" | "clean_shutdown") => shut_down(context),
        ("Bond", "destroy") => destroy(context, network::destroy_bond),
        ("VLAN", "destroy") => destroy(context, network::destroy_vlan),
        ("task", "create") => create_task(context),
        ("task", "destroy") => remove(context, "task"),
        ("task", "cancel") => set(context, "task", "status", json!("cancelled")),
        _ => return None,
    };
    Some(answer)
}

/// Now, as the server writes times.
pub(in crate::lab) fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let (days, rest) = (i64::try_from(seconds / 86_400).unwrap_or(0), seconds % 86_400);
    // Civil date from days, by eras of 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

impl Context<'_> {
    /// The record of the host that the call names.
    fn host_record(&self) -> Result<Fields, ApiError> {
        let reference = self.text(0)?;
        let world = self.shared.world();
        world.db(self.host).get("host", reference).cloned().ok_or_else(|| ApiError::handle_invalid("host", reference))
    }
}

fn management(context: &Context<'_>) -> Answer {
    context.host_record()?;
    let host = context.text(0)?;
    let world = context.shared.world();
    let own = |record: &Fields| text(record, "host") == host && flag(record, "management");
    let found = world.db(context.host).each("PIF").find(|(_, record)| own(record));
    found.map(|(reference, _)| json!(reference)).ok_or_else(|| ApiError::internal("Not_found"))
}

fn certificate(context: &Context<'_>) -> Answer {
    let reference = context.text(0)?;
    let world = context.shared.world();
    let pool = world.hosts[context.host].pool;
    let found = world.hosts.iter().find(|host| host.pool == pool && host.reference == reference);
    found.map(|host| json!(host.identity.pem)).ok_or_else(|| ApiError::handle_invalid("host", reference))
}

fn set(context: &Context<'_>, class: &str, field: &str, value: Value) -> Answer {
    let reference = context.text(0)?;
    let done = context.shared.world().db_mut(context.host).set(class, reference, field, value);
    context.shared.tell();
    if done { Ok(json!("")) } else { Err(ApiError::handle_invalid(class, reference)) }
}

fn remove(context: &Context<'_>, class: &str) -> Answer {
    let reference = context.text(0)?;
    let done = context.shared.world().db_mut(context.host).remove(class, reference);
    context.shared.tell();
    if done.is_some() { Ok(json!("")) } else { Err(ApiError::handle_invalid(class, reference)) }
}

fn destroy(context: &Context<'_>, change: fn(&mut super::super::Db, &str) -> bool) -> Answer {
    let reference = context.text(0)?;
    let done = change(context.shared.world().db_mut(context.host), reference);
    context.shared.tell();
    let class = context.method.split('.').next().unwrap_or("");
    if done { Ok(json!("")) } else { Err(ApiError::handle_invalid(class, reference)) }
}

fn create_task(context: &Context<'_>) -> Answer {
    let (name, description) = (context.text(0)?, context.text(1)?);
    let reference = super::super::random::reference();
    let mut world = context.shared.world();
    let record = tasks::record(name, description, &world.hosts[context.host].reference);
    world.db_mut(context.host).insert("task", &reference, record);
    Ok(json!(reference))
}

fn enable_tls(context: &Context<'_>) -> Answer {
    let mut world = context.shared.world();
    let db = world.db_mut(context.host);
    db.set_pool("tls_verification_enabled", true);
    let hosts: Vec<_> = db.each("host").map(|(reference, _)| reference.to_owned()).collect();
    for host in hosts {
        db.set("host", &host, "tls_verification_enabled", true);
    }
    Ok(json!(""))
}

/// An SR goes with its plugs and disks; not while it is plugged.
fn forget(context: &Context<'_>) -> Answer {
    let reference = context.text(0)?;
    let mut world = context.shared.world();
    let db = world.db_mut(context.host);
    if db.get("SR", reference).is_none() {
        return Err(ApiError::handle_invalid("SR", reference));
    }
    let plugged = |(_, pbd): (&str, &Fields)| text(pbd, "SR") == reference && flag(pbd, "currently_attached");
    if db.each("PBD").any(plugged) {
        return Err(ApiError::new("SR_HAS_PBD", [reference]));
    }
    super::super::storage::forget(db, reference);
    Ok(json!(""))
}

fn shut_down(context: &Context<'_>) -> Answer {
    let reference = context.text(0)?;
    let mut world = context.shared.world();
    let db = world.db_mut(context.host);
    let Some(vm) = db.get("VM", reference) else { return Err(ApiError::handle_invalid("VM", reference)) };
    if text(vm, "power_state") != "Running" {
        let params = [reference, "running", &text(vm, "power_state").to_lowercase()].map(str::to_owned);
        return Err(ApiError::new("VM_BAD_POWER_STATE", params));
    }
    let host = text(vm, "resident_on").to_owned();
    db.change("VM", reference, |vm| {
        vm.insert("power_state".to_owned(), json!("Halted"));
        vm.insert("resident_on".to_owned(), json!(super::super::db::NULL));
        vm.insert("domid".to_owned(), json!(-1));
    });
    if !is_null(&host) {
        db.change("host", &host, |host| {
            let left: Vec<_> = list(host, "resident_VMs").filter(|vm| *vm != reference).map(str::to_owned).collect();
            host.insert("resident_VMs".to_owned(), json!(left));
        });
    }
    Ok(json!(""))
}
