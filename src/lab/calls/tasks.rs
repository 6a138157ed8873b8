//! `Async.…`: a call in a thread of its own, watched by a task record.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::answer::{Answer, ApiError};
use super::super::db::{Fields, NULL};
use super::super::{random, wire};
use super::{Context, Halt, hosts};

/// Starts a call; the answer is its task.
pub(super) fn start(context: &Context<'_>) -> Answer {
    if context.method.contains(".get_") || context.method.starts_with("event.") {
        return Err(ApiError::new("MESSAGE_METHOD_UNKNOWN", [format!("Async.{}", context.method)]));
    }
    let reference = random::reference();
    let life = {
        let mut world = context.shared.world();
        let host = world.hosts[context.host].reference.clone();
        let record = record(&format!("Async.{}", context.method), "", &host);
        world.db_mut(context.host).insert("task", &reference, record);
        world.hosts[context.host].lives
    };
    context.shared.tell();
    let shared = Arc::clone(context.shared);
    let (host, method, params) = (context.host, context.method.to_owned(), context.params.to_vec());
    let (session, caller, task) = (context.session.to_owned(), context.caller.clone(), reference.clone());
    let work = move || {
        let inner = Context { shared: &shared, host, method: &method, params: &params, session: &session, caller };
        let done = inner.run();
        let mut world = shared.world();
        // The task went with the database that it was in.
        if world.hosts[host].lives != life {
            return;
        }
        world.db_mut(host).change("task", &task, |record| finish(record, done));
        drop(world);
        shared.tell();
    };
    let spawned = std::thread::Builder::new().name("lab-task".to_owned()).spawn(work);
    spawned.map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(json!(reference))
}

/// A task that has not ended.
pub(super) fn record(name: &str, description: &str, host: &str) -> Fields {
    let record = json!({
        "uuid": random::uuid(),
        "name_label": name,
        "name_description": description,
        "allowed_operations": [],
        "current_operations": {},
        "created": hosts::now(),
        "finished": "19700101T00:00:00Z",
        "status": "pending",
        "resident_on": host,
        "progress": 0.0,
        "type": "<none/>",
        "result": "",
        "error_info": [],
        "other_config": {},
        "subtask_of": NULL,
        "subtasks": [],
        "backtrace": "()",
    });
    record.as_object().cloned().unwrap_or_default()
}

fn finish(record: &mut Fields, done: Result<Value, Halt>) {
    let mut set = |field: &str, value: Value| record.insert(field.to_owned(), value);
    set("finished", json!(hosts::now()));
    set("progress", json!(1.0));
    match done {
        Ok(value) => {
            set("status", json!("success"));
            let empty = value == json!("");
            set("result", json!(if empty { String::new() } else { wire::xml_value(&value) }));
        }
        Err(halt) => {
            let error = match halt {
                Halt::Error(error) => error,
                Halt::Gone => ApiError::internal("Server_helpers.Dispatcher_FieldNotFound(\"host went away\")"),
            };
            set("status", json!("failure"));
            set("error_info", Value::Array(error.list()));
        }
    }
}
