//! A server's database: class → reference → record. Records are shared and copied when they change, so that an answer
//! with thousands of them is encoded without holding the lab's lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// The reference that stands for none.
pub const NULL: &str = "OpaqueRef:NULL";

/// The fields of a record, as JSON-RPC encodes them.
pub type Fields = Map<String, Value>;

/// Records of one class by reference.
pub type Class = BTreeMap<String, Arc<Fields>>;

/// What happened to a record, for `event.from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Mod,
    Del,
}

/// One change, in the order of its number.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) number: u64,
    pub(super) class: String,
    pub(super) reference: String,
    pub(super) change: Change,
}

/// How many changes are kept: a client that falls further behind gets EVENTS_LOST.
const KEPT: usize = 4096;

/// The database of one pool, or of one standalone host.
#[derive(Clone, Debug, Default)]
pub struct Db {
    classes: BTreeMap<String, Class>,
    events: std::collections::VecDeque<Event>,
    number: u64,
}

impl Db {
    /// From records as the server's answers have them: class → {reference: record}. What is no record is left out.
    pub fn from_records(records: &Fields) -> Self {
        let mut db = Self::default();
        for (class, records) in records {
            let class = db.classes.entry(class.clone()).or_default();
            for (reference, record) in records.as_object().into_iter().flatten() {
                if let Some(fields) = record.as_object() {
                    class.insert(reference.clone(), Arc::new(fields.clone()));
                }
            }
        }
        db
    }

    /// Whether the release has this class at all.
    pub fn has_class(&self, class: &str) -> bool {
        self.classes.contains_key(class)
    }

    /// The classes that it has.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.classes.keys().map(String::as_str)
    }

    /// Makes a class known, also without records.
    pub fn add_class(&mut self, class: &str) {
        self.classes.entry(class.to_owned()).or_default();
    }

    /// Takes a class away, as on a release that lacks it.
    pub fn remove_class(&mut self, class: &str) {
        self.classes.remove(class);
    }

    /// All records of a class.
    pub fn class(&self, class: &str) -> Option<&Class> {
        self.classes.get(class)
    }

    /// The records of a class in descending order of their references, the order in which the server walks them.
    pub fn each<'a>(&'a self, class: &str) -> impl Iterator<Item = (&'a str, &'a Fields)> {
        let records = self.classes.get(class).into_iter().flatten().rev();
        records.map(|(reference, record)| (reference.as_str(), record.as_ref()))
    }

    /// How many records a class has.
    pub fn count(&self, class: &str) -> usize {
        self.classes.get(class).map_or(0, Class::len)
    }

    /// One record.
    pub fn get(&self, class: &str, reference: &str) -> Option<&Fields> {
        self.classes.get(class)?.get(reference).map(Arc::as_ref)
    }

    /// The reference of the record with this uuid.
    pub fn by_uuid(&self, class: &str, uuid: &str) -> Option<String> {
        self.each(class).find(|(_, record)| text(record, "uuid") == uuid).map(|(reference, _)| reference.to_owned())
    }

    /// Adds a record, or replaces it.
    pub fn insert(&mut self, class: &str, reference: &str, record: Fields) {
        let records = self.classes.entry(class.to_owned()).or_default();
        let old = records.insert(reference.to_owned(), Arc::new(record));
        self.note(class, reference, if old.is_some() { Change::Mod } else { Change::Add });
    }

    /// Removes a record.
    pub fn remove(&mut self, class: &str, reference: &str) -> Option<Fields> {
        let old = self.classes.get_mut(class)?.remove(reference)?;
        self.note(class, reference, Change::Del);
        Some(Arc::unwrap_or_clone(old))
    }

    /// Changes a record; false when it is not there.
    pub fn change(&mut self, class: &str, reference: &str, change: impl FnOnce(&mut Fields)) -> bool {
        let Some(record) = self.classes.get_mut(class).and_then(|records| records.get_mut(reference)) else {
            return false;
        };
        change(Arc::make_mut(record));
        self.note(class, reference, Change::Mod);
        true
    }

    /// Sets one field.
    pub fn set(&mut self, class: &str, reference: &str, field: &str, value: impl Into<Value>) -> bool {
        let value = value.into();
        self.change(class, reference, |record| {
            record.insert(field.to_owned(), value);
        })
    }

    /// Changes the one pool record.
    pub fn set_pool(&mut self, field: &str, value: impl Into<Value>) -> bool {
        let pool = self.pool().0.to_owned();
        self.set("pool", &pool, field, value)
    }

    /// The one pool record; an empty one where there is none.
    pub fn pool(&self) -> (&str, &Fields) {
        static NONE: std::sync::LazyLock<Fields> = std::sync::LazyLock::new(Fields::new);
        self.each("pool").next().unwrap_or((NULL, &NONE))
    }

    /// The reference of the coordinator.
    pub fn coordinator(&self) -> &str {
        text(self.pool().1, "master")
    }

    /// The number of the newest change.
    pub(super) const fn newest(&self) -> u64 {
        self.number
    }

    /// The changes after a number; none when they are no longer kept.
    pub(super) fn since(&self, number: u64) -> Option<impl Iterator<Item = &Event>> {
        let oldest = self.events.front().map_or(self.number + 1, |event| event.number);
        (number + 1 >= oldest && number <= self.number)
            .then(|| self.events.iter().filter(move |event| event.number > number))
    }

    fn note(&mut self, class: &str, reference: &str, change: Change) {
        self.number += 1;
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        let (class, reference) = (class.to_owned(), reference.to_owned());
        self.events.push_back(Event { number: self.number, class, reference, change });
    }
}

/// A text field; empty when it is not there.
pub fn text<'a>(record: &'a Fields, field: &str) -> &'a str {
    record.get(field).and_then(Value::as_str).unwrap_or("")
}

/// A flag; false when it is not there.
pub fn flag(record: &Fields, field: &str) -> bool {
    record.get(field).and_then(Value::as_bool).unwrap_or(false)
}

/// An integer, as a number or as digits.
pub fn int(record: &Fields, field: &str) -> Option<i64> {
    match record.get(field)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A text inside a map field.
pub fn key<'a>(record: &'a Fields, field: &str, key: &str) -> Option<&'a str> {
    record.get(field)?.get(key)?.as_str()
}

/// The texts of a list.
pub fn list<'a>(record: &'a Fields, field: &str) -> impl Iterator<Item = &'a str> {
    record.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The entries of a map.
pub fn entries<'a>(record: &'a Fields, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    record.get(field).and_then(Value::as_object).into_iter().flatten()
}

/// Whether a reference is none.
pub fn is_null(reference: &str) -> bool {
    reference.is_empty() || reference == NULL
}
