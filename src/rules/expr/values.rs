//! Values that are compared and walked, whichever way they are held.

use std::borrow::Cow;
use std::rc::Rc;

use super::unreadable;
use crate::facts::{Featureset, List, Unknown, Value};

/// The elements of a list.
#[derive(Clone)]
pub(super) enum Items<'a> {
    Model(&'a dyn List),
    Made(Rc<[Value<'a>]>),
    Keys(Rc<[&'a str]>),
}

impl<'a> Items<'a> {
    /// The elements of a list, or the keys of a map.
    pub(super) fn of(value: &Value<'a>) -> Option<Self> {
        match value {
            Value::List(list) => Some(Self::Model(*list)),
            Value::Made(list) => Some(Self::Made(Rc::clone(list))),
            Value::Map(map) => Some(Self::Keys(map.keys().into())),
            _ => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Model(list) => list.len(),
            Self::Made(list) => list.len(),
            Self::Keys(keys) => keys.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Value<'a> {
        match self {
            Self::Model(list) if index < list.len() => list.get(index),
            Self::Made(list) if index < list.len() => list[index].clone(),
            Self::Keys(keys) if index < keys.len() => Value::Text(Cow::Borrowed(keys[index])),
            _ => unreadable("a position past the end of a list"),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Value<'a>> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// A value as something with an order, so that it can be looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Features(Featureset),
    List(Vec<Self>),
}

/// The key of a value; an unknown anywhere inside makes it unknown.
pub(super) fn key<'v>(value: &Value<'v>) -> Result<Key, Cow<'v, Unknown>> {
    Ok(match value {
        Value::Null => Key::Null,
        Value::Bool(value) => Key::Bool(*value),
        Value::Int(value) => Key::Int(*value),
        Value::Text(value) => Key::Text(value.to_string()),
        Value::Features(value) => Key::Features(without_padding(value)),
        Value::Unknown(unknown) => return Err(unknown.clone()),
        Value::List(_) | Value::Made(_) | Value::Map(_) | Value::Object(_) => match Items::of(value) {
            Some(items) => Key::List(items.iter().map(|item| key(&item)).collect::<Result<_, _>>()?),
            None => return Err(mistyped()),
        },
    })
}

/// Sets that differ in trailing zero words alone are equal.
fn without_padding(features: &Featureset) -> Featureset {
    let words = features.words();
    let len = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
    Featureset::new(words[..len].to_vec())
}

/// Whether two values are equal; decided as soon as a part decides it.
pub(super) fn equal<'v>(a: &Value<'v>, b: &Value<'v>) -> Result<bool, Cow<'v, Unknown>> {
    match (a, b) {
        (Value::Unknown(unknown), _) | (_, Value::Unknown(unknown)) => Err(unknown.clone()),
        (Value::Null, Value::Null) => Ok(true),
        (Value::Null, _) | (_, Value::Null) => Ok(false),
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::Text(a), Value::Text(b)) => Ok(a == b),
        (Value::Features(a), Value::Features(b)) => Ok(a.is_equal(b)),
        _ => match (Items::of(a), Items::of(b)) {
            (Some(a), Some(b)) if a.len() != b.len() => Ok(false),
            (Some(a), Some(b)) => {
                let mut missing = None;
                for (a, b) in a.iter().zip(b.iter()) {
                    match equal(&a, &b) {
                        Ok(true) => {}
                        Ok(false) => return Ok(false),
                        Err(unknown) => missing = missing.or(Some(unknown)),
                    }
                }
                missing.map_or(Ok(true), Err)
            }
            _ => Err(mistyped()),
        },
    }
}

/// A value that is not of its declared type: the caller gave values that do not fit the scope.
pub(super) fn mistyped() -> Cow<'static, Unknown> {
    match unreadable("a value is not of its declared type") {
        Value::Unknown(unknown) => unknown,
        _ => Cow::Owned(Unknown::default()),
    }
}

/// What a walk over a value costs.
pub(super) fn weight(value: &Value<'_>) -> u64 {
    match value {
        Value::Text(text) => text.len() as u64 / 64,
        Value::List(list) => list.len() as u64,
        Value::Made(list) => list.len() as u64,
        _ => 0,
    }
}
