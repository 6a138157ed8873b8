//! What the functions do. The checker has seen to the types; a value of another type is unknown, never a panic.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::FeatureName;
use crate::facts::{Featureset, Unknown, Value};
use crate::rules::expr::trace::quoted as literal;
use crate::rules::expr::unreadable;
use crate::rules::expr::values::{Items, Key, key, mistyped};

fn wrong<'v>() -> Value<'v> {
    Value::Unknown(mistyped())
}

pub(super) fn size<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    let len = match args {
        [Value::Text(text)] => text.chars().count(),
        [Value::Map(map)] => map.keys().len(),
        [value] => match Items::of(value) {
            Some(items) => items.len(),
            None => return wrong(),
        },
        _ => return wrong(),
    };
    i64::try_from(len).map_or_else(|_| wrong(), Value::Int)
}

pub(super) fn about<'v>(args: &[Value<'v>], holds: fn(&str, &str) -> bool) -> Value<'v> {
    match args {
        [Value::Text(text), Value::Text(part)] => Value::Bool(holds(text, part)),
        _ => wrong(),
    }
}

pub(super) fn change<'v>(args: &[Value<'v>], to: fn(&str) -> String) -> Value<'v> {
    match args {
        [Value::Text(text)] => Value::Text(Cow::Owned(to(text))),
        _ => wrong(),
    }
}

fn texts<'v>(parts: impl Iterator<Item = String>) -> Value<'v> {
    Value::Made(parts.map(|part| Value::Text(Cow::Owned(part))).collect())
}

pub(super) fn split<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    match args {
        [Value::Text(text), Value::Text(separator)] if separator.is_empty() => texts(text.chars().map(String::from)),
        [Value::Text(text), Value::Text(separator)] => texts(text.split(&**separator).map(str::to_owned)),
        _ => wrong(),
    }
}

pub(super) fn join<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    let (items, separator) = match args {
        [list, Value::Text(separator)] => (Items::of(list), &**separator),
        [list] => (Items::of(list), ""),
        _ => return wrong(),
    };
    let Some(items) = items else { return wrong() };
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        match item {
            Value::Text(text) => joined.push_str(&text),
            Value::Unknown(_) => return item,
            Value::Null => return unreadable("an element of the list is null"),
            _ => return wrong(),
        }
    }
    Value::Text(Cow::Owned(joined))
}

pub(super) fn distinct<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    let Some(items) = args.first().and_then(Items::of) else { return wrong() };
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for item in items.iter() {
        match key(&item) {
            // One unknown element may or may not be a double: not even the length is known.
            Err(unknown) => return Value::Unknown(unknown),
            Ok(key) => {
                if seen.insert(key) {
                    kept.push(item);
                }
            }
        }
    }
    Value::Made(kept.into())
}

/// A list as a set: its known elements, and the first unknown one.
pub(super) struct Set<'v> {
    keys: BTreeSet<Key>,
    unknown: Option<Cow<'v, Unknown>>,
}

impl<'v> Set<'v> {
    fn of(value: &Value<'v>) -> Option<Self> {
        let mut set = Self { keys: BTreeSet::new(), unknown: None };
        for item in Items::of(value)?.iter() {
            match key(&item) {
                Ok(key) => {
                    set.keys.insert(key);
                }
                Err(unknown) => set.unknown = set.unknown.or(Some(unknown)),
            }
        }
        Some(set)
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.unknown.is_none()
    }
}

pub(super) type Answer<'v> = Result<bool, Cow<'v, Unknown>>;

pub(super) fn sets<'v>(args: &[Value<'v>], ask: for<'s> fn(&Set<'s>, &Set<'s>) -> Answer<'s>) -> Value<'v> {
    let [a, b] = args else { return wrong() };
    match (Set::of(a), Set::of(b)) {
        (Some(a), Some(b)) => ask(&a, &b).map_or_else(Value::Unknown, Value::Bool),
        _ => wrong(),
    }
}

pub(super) fn contains<'v>(a: &Set<'v>, b: &Set<'v>) -> Answer<'v> {
    match (&a.unknown, &b.unknown) {
        // A key that a lacks decides, unless an unknown element of a may be it.
        (None, _) if !b.keys.is_subset(&a.keys) => Ok(false),
        // Nothing is in an empty list, whatever the unknown element is.
        (None, Some(_)) if a.keys.is_empty() => Ok(false),
        (_, None) if b.keys.is_subset(&a.keys) => Ok(true),
        (_, Some(unknown)) | (Some(unknown), _) => Err(unknown.clone()),
        (None, None) => Ok(true),
    }
}

pub(super) fn intersects<'v>(a: &Set<'v>, b: &Set<'v>) -> Answer<'v> {
    if !a.keys.is_disjoint(&b.keys) {
        return Ok(true);
    }
    match (&a.unknown, &b.unknown) {
        (Some(unknown), _) if !b.is_empty() => Err(unknown.clone()),
        (_, Some(unknown)) if !a.is_empty() => Err(unknown.clone()),
        _ => Ok(false),
    }
}

pub(super) fn equivalent<'v>(a: &Set<'v>, b: &Set<'v>) -> Answer<'v> {
    match (contains(a, b), contains(b, a)) {
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (Err(unknown), _) | (_, Err(unknown)) => Err(unknown),
        _ => Ok(true),
    }
}

pub(super) fn string<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    match args {
        [Value::Int(value)] => Value::Text(Cow::Owned(value.to_string())),
        [Value::Bool(value)] => Value::Text(Cow::Borrowed(if *value { "true" } else { "false" })),
        [text @ Value::Text(_)] => text.clone(),
        _ => wrong(),
    }
}

pub(super) fn int<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    match args {
        [Value::Text(text)] => {
            text.parse().map_or_else(|_| unreadable(format!("{} is not a number", quoted(text))), Value::Int)
        }
        _ => wrong(),
    }
}

pub(super) fn versions<'v>(args: &[Value<'v>], answer: fn(Ordering) -> Value<'v>) -> Value<'v> {
    let [Value::Text(a), Value::Text(b)] = args else { return wrong() };
    if let Some(odd) = [a, b].into_iter().find(|text| numbers(text).any(|number| number.is_none())) {
        return unreadable(format!("{} is not a version", quoted(odd)));
    }
    let (mut a, mut b) = (numbers(a).flatten(), numbers(b).flatten());
    loop {
        let (left, right) = (a.next(), b.next());
        match left.unwrap_or(0).cmp(&right.unwrap_or(0)) {
            Ordering::Equal if left.is_some() || right.is_some() => {}
            order => return answer(order),
        }
    }
}

/// The numbers of a dotted version; none for a part that is no number.
fn numbers(text: &str) -> impl Iterator<Item = Option<u64>> {
    let end = text.find(['-', '+', '~', ' ']).unwrap_or(text.len());
    let number = |part: &str| if part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse().ok() } else { None };
    text[..end].split('.').map(number)
}

pub(super) fn features<'v>(args: &[Value<'v>], answer: impl Fn(&Featureset, &Featureset) -> Value<'v>) -> Value<'v> {
    match args {
        [Value::Features(a), Value::Features(b)] => answer(a, b),
        _ => wrong(),
    }
}

pub(super) fn missing<'v>(args: &[Value<'v>], name: FeatureName) -> Value<'v> {
    features(args, |a, b| texts(a.diff(b).features().map(name)))
}

pub(super) fn plural<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    match args {
        [Value::Int(1), one @ Value::Text(_), _] => one.clone(),
        [Value::Int(_), _, many @ Value::Text(_)] => many.clone(),
        _ => wrong(),
    }
}

fn quoted(text: &str) -> String {
    const LONG: usize = 60;
    match text.char_indices().nth(LONG) {
        Some((cut, _)) => literal(&format!("{}…", &text[..cut])),
        None => literal(text),
    }
}
