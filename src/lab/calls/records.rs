//! Records and their fields, of any class.

use serde_json::{Map, Value, json};

use super::super::answer::{Answer, ApiError};
use super::super::db::text;
use super::{Context, filter};

pub(super) fn answer(context: &Context<'_>, class: &str, message: &str) -> Answer {
    let mut world = context.shared.world();
    let db = world.db_mut(context.host);
    let invalid = |reference: &str| ApiError::handle_invalid(class, reference);
    match message {
        "get_all" => Ok(json!(db.each(class).map(|(reference, _)| reference).collect::<Vec<_>>())),
        "get_all_records" | "get_all_records_where" => {
            let wanted = if message == "get_all_records" { filter::All } else { filter::parse(context.text(0)?)? };
            // Records are shared: what is long is done without the lock.
            let records = db.class(class).cloned().unwrap_or_default();
            drop(world);
            let found = records.iter().rev().filter(|(_, record)| wanted.holds(record));
            let found = found.map(|(reference, record)| (reference.clone(), Value::Object(record.as_ref().clone())));
            Ok(Value::Object(found.collect::<Map<_, _>>()))
        }
        "get_record" => {
            let reference = context.text(0)?;
            db.get(class, reference).map(|record| Value::Object(record.clone())).ok_or_else(|| invalid(reference))
        }
        "get_by_uuid" => {
            let uuid = context.text(0)?;
            let found = db.by_uuid(class, uuid).filter(|_| !uuid.is_empty());
            found.map(Value::String).ok_or_else(|| ApiError::new("UUID_INVALID", [class, uuid]))
        }
        "get_by_name_label" => {
            let name = context.text(0)?;
            let named = db.each(class).filter(|(_, record)| text(record, "name_label") == name);
            Ok(json!(named.map(|(reference, _)| reference).collect::<Vec<_>>()))
        }
        "set_other_config" | "add_to_other_config" | "remove_from_other_config" => {
            let reference = context.text(0)?;
            let mut config = db.get(class, reference).ok_or_else(|| invalid(reference))?.get("other_config").cloned();
            let map = config.get_or_insert_with(|| json!({}));
            match (message, map.as_object_mut()) {
                ("set_other_config", _) => *map = context.params[1].clone(),
                ("add_to_other_config", Some(map)) => {
                    let key = context.text(1)?;
                    if map.contains_key(key) {
                        return Err(ApiError::new("MAP_DUPLICATE_KEY", [class, "other_config", reference, key]));
                    }
                    map.insert(key.to_owned(), context.params[2].clone());
                }
                (_, Some(map)) => {
                    map.shift_remove(context.text(1)?);
                }
                (_, None) => return Err(context.unknown()),
            }
            db.set(class, reference, "other_config", config);
            drop(world);
            context.shared.tell();
            Ok(json!(""))
        }
        _ => {
            let Some(field) = message.strip_prefix("get_") else { return Err(context.unknown()) };
            let reference = context.text(0)?;
            let record = db.get(class, reference).ok_or_else(|| invalid(reference))?;
            record.get(field).cloned().ok_or_else(|| context.unknown())
        }
    }
}
