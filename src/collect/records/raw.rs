//! A value of a record, wherever it comes from: a tree that was read whole, or text that is read where it is asked for. Both
//! mean the same to whoever maps records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::collect::members::{Member, members};

/// A value. Text is JSON that was found to be well-formed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    /// In a tree.
    Tree(&'a Value),
    /// As it stands in the text.
    Text(&'a RawValue),
}

/// The members of an object.
#[derive(Clone, Debug)]
pub(in crate::collect) enum Fields<'a> {
    /// Of a tree.
    Tree(&'a Map<String, Value>),
    /// In the order of the text; of several with one key the last counts.
    Text(Rc<[Member<'a>]>),
}

impl<'a> Raw<'a> {
    /// What it is, for messages. Never the value itself: it may be a secret.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Tree(value) => super::record::kind(value),
            Self::Text(raw) => match raw.get().as_bytes().first() {
                Some(b'n') => "null",
                Some(b't' | b'f') => "true or false",
                Some(b'"') => "text",
                Some(b'[') => "a list",
                Some(b'{') => "an object",
                _ => "a number",
            },
        }
    }

    /// A text.
    pub(super) fn as_str(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Tree(value) => value.as_str().map(Cow::Borrowed),
            Self::Text(raw) => text(raw),
        }
    }

    /// True or false.
    pub(super) fn as_bool(self) -> Option<bool> {
        match self {
            Self::Tree(value) => value.as_bool(),
            Self::Text(raw) => match raw.get() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
        }
    }

    /// An integer that is written as a number.
    pub(super) fn as_i64(self) -> Option<i64> {
        match self {
            Self::Tree(value) => value.as_i64(),
            Self::Text(raw) => serde_json::from_str::<serde_json::Number>(raw.get()).ok()?.as_i64(),
        }
    }

    /// A list of texts.
    pub(super) fn texts(self) -> Option<Vec<String>> {
        match self {
            Self::Tree(value) => value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            Self::Text(raw) if raw.get() == "[]" => Some(Vec::new()),
            Self::Text(raw) => serde_json::from_str(raw.get()).ok(),
        }
    }

    /// An object.
    pub(super) fn fields(self) -> Option<Fields<'a>> {
        match self {
            Self::Tree(value) => value.as_object().map(Fields::Tree),
            Self::Text(raw) if raw.get().starts_with('{') => {
                members(raw.get()).ok().map(|members| Fields::Text(members.into()))
            }
            Self::Text(_) => None,
        }
    }

    /// Whether it is a list without elements.
    pub(super) fn is_empty_list(self) -> bool {
        match self {
            Self::Tree(value) => value.as_array().is_some_and(Vec::is_empty),
            Self::Text(raw) => raw.get().strip_prefix('[').is_some_and(|rest| rest.trim_start() == "]"),
        }
    }
}

impl<'a> Fields<'a> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<Raw<'a>> {
        match self {
            Self::Tree(map) => map.get(key).map(Raw::Tree),
            Self::Text(members) => {
                members.iter().rev().find(|(known, _)| known == key).map(|(_, raw)| Raw::Text(raw))
            }
        }
    }

    /// All of them by key, in ascending order.
    pub(super) fn sorted(&self) -> Vec<(Cow<'a, str>, Raw<'a>)> {
        match self {
            Self::Tree(map) => {
                let mut all: Vec<_> =
                    map.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), Raw::Tree(value))).collect();
                all.sort_by(|a, b| a.0.cmp(&b.0));
                all
            }
            Self::Text(members) => {
                let mut all: Vec<_> = members.iter().map(|(key, raw)| (key.clone(), Raw::Text(raw))).collect();
                all.sort_by(|a, b| a.0.cmp(&b.0));
                // Of several with one key the last counts.
                let mut last: Vec<(Cow<'a, str>, Raw<'a>)> = Vec::with_capacity(all.len());
                for entry in all {
                    match last.last_mut() {
                        Some(before) if before.0 == entry.0 => *before = entry,
                        _ => last.push(entry),
                    }
                }
                last
            }
        }
    }

    /// Texts by key; none where a value is no text.
    pub(super) fn texts(&self) -> Option<BTreeMap<String, String>> {
        self.each(|raw| raw.as_str().map(Cow::into_owned))
    }

    /// Each value read; none where one cannot be.
    pub(super) fn each<T>(&self, read: impl Fn(Raw<'a>) -> Option<T>) -> Option<BTreeMap<String, T>> {
        match self {
            Self::Tree(map) => map.iter().map(|(key, value)| Some((key.clone(), read(Raw::Tree(value))?))).collect(),
            Self::Text(_) => {
                self.sorted().into_iter().map(|(key, raw)| Some((key.into_owned(), read(raw)?))).collect()
            }
        }
    }
}

/// A text as it stands in well-formed JSON.
pub(in crate::collect) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(raw.get()).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}
