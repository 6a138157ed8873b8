//! `event.from`: what changed since a token, waiting for it if need be.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::answer::{Answer, ApiError};
use super::super::db::{Change, Db};
use super::Context;

/// The longest that a call waits.
const MOST: f64 = 3600.0;

pub(super) fn answer(context: &Context<'_>, message: &str) -> Answer {
    match message {
        "get_current_id" => Ok(json!(context.shared.world().db(context.host).newest())),
        "from" => from(context),
        "inject" => inject(context),
        _ => Err(context.unknown()),
    }
}

/// Makes an event of a record that did not change, and tells the token before which it lies.
fn inject(context: &Context<'_>) -> Answer {
    let (class, reference) = (context.text(0)?, context.text(1)?);
    let mut world = context.shared.world();
    let db = world.db_mut(context.host);
    if !db.change(class, reference, |_| ()) {
        return Err(ApiError::handle_invalid(class, reference));
    }
    let token = token(db.newest());
    drop(world);
    context.shared.tell();
    Ok(json!(token))
}

fn token(number: u64) -> String {
    format!("{number:020},{:020}", 0)
}

fn from(context: &Context<'_>) -> Answer {
    let classes = classes(&context.params[0])?;
    let token = context.text(1)?;
    let timeout = match &context.params[2] {
        Value::Number(seconds) => seconds.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let timeout = timeout.ok_or_else(|| ApiError::internal("Failure(\"float_of_string\")"))?.clamp(0.0, MOST);
    let since = match token.split(',').next().unwrap_or("") {
        "" => None,
        number => Some(number.parse::<u64>().map_err(|_| ApiError::new("EVENT_FROM_TOKEN_PARSE_FAILURE", [token]))?),
    };
    let Some(since) = since else {
        let world = context.shared.world();
        let db = world.db(context.host);
        let events = all(db, &classes);
        return Ok(answer_of(db, events));
    };
    let deadline = Instant::now() + Duration::from_secs_f64(timeout);
    let host = context.host;
    let life = context.shared.world().hosts[host].lives;
    let found = context.shared.wait_until(deadline, |world| {
        if world.hosts[host].lives != life {
            return Some(Err(ApiError::new("SESSION_INVALID", [context.session])));
        }
        let db = world.db(host);
        match changed(db, &classes, since) {
            None => Some(Err(ApiError::bare("EVENTS_LOST"))),
            Some(events) if events.is_empty() => None,
            Some(events) => Some(Ok(answer_of(db, events))),
        }
    });
    found.unwrap_or_else(|| Ok(answer_of(context.shared.world().db(host), Vec::new())))
}

/// What is watched: `*`, a class, or `class/reference`.
struct Watched(Vec<(String, Option<String>)>);

fn classes(value: &Value) -> Result<Watched, ApiError> {
    let list = value.as_array().ok_or_else(|| ApiError::internal("Failure(\"Expected a set\")"))?;
    let watched = list.iter().filter_map(Value::as_str).map(|text| match text.split_once('/') {
        Some((class, reference)) => (class.to_lowercase(), Some(reference.to_owned())),
        None => (text.to_lowercase(), None),
    });
    Ok(Watched(watched.collect()))
}

impl Watched {
    fn has(&self, class: &str, reference: &str) -> bool {
        let class = class.to_lowercase();
        self.0.iter().any(|(wanted, only)| {
            (wanted == "*" || *wanted == class) && only.as_deref().is_none_or(|only| only == reference)
        })
    }
}

fn all(db: &Db, watched: &Watched) -> Vec<Value> {
    let mut events = Vec::new();
    for class in db.classes().filter(|class| *class != "secret") {
        for (reference, record) in db.each(class).filter(|(reference, _)| watched.has(class, reference)) {
            events.push(event(0, class, reference, "add", Some(Value::Object(record.clone()))));
        }
    }
    events
}

/// The changes after a number, each record once with what it is now; none when they are lost.
fn changed(db: &Db, watched: &Watched, since: u64) -> Option<Vec<Value>> {
    let mut last = BTreeMap::new();
    for change in db.since(since)?.filter(|change| watched.has(&change.class, &change.reference)) {
        let key = (change.class.clone(), change.reference.clone());
        let added = change.change == Change::Add || matches!(last.get(&key), Some((_, true)));
        last.insert(key, (change.number, added));
    }
    let mut events: Vec<_> = last.into_iter().filter(|((class, _), _)| class != "secret").collect();
    events.sort_by_key(|(_, (number, _))| *number);
    let describe = |((class, reference), (number, added)): ((String, String), (u64, bool))| {
        let snapshot = db.get(&class, &reference).map(|record| Value::Object(record.clone()));
        let operation = match &snapshot {
            None => "del",
            Some(_) if added => "add",
            Some(_) => "mod",
        };
        event(number, &class, &reference, operation, snapshot)
    };
    Some(events.into_iter().map(describe).collect())
}

/// Classes go by their names in small letters here.
fn event(number: u64, class: &str, reference: &str, operation: &str, snapshot: Option<Value>) -> Value {
    let mut event = json!({
        "id": number.to_string(),
        "timestamp": "0.0",
        "class": class.to_lowercase(),
        "operation": operation,
        "ref": reference,
    });
    if let (Some(snapshot), Some(fields)) = (snapshot, event.as_object_mut()) {
        fields.insert("snapshot".to_owned(), snapshot);
    }
    event
}

fn answer_of(db: &Db, events: Vec<Value>) -> Value {
    let counts: serde_json::Map<_, _> =
        db.classes().map(|class| (class.to_lowercase(), json!(db.count(class)))).collect();
    json!({"events": events, "valid_ref_counts": counts, "token": token(db.newest())})
}
