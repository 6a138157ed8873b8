//! The members of a JSON object as they stand in its text, not read any further.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::facts::Key;

/// A member of an object: its key, and its value as it stands in the text.
pub(crate) type Member<'a> = (Cow<'a, str>, &'a RawValue);

/// The members of an object, in the order of the text.
pub(crate) fn members(json: &str) -> Result<Vec<Member<'_>>, serde_json::Error> {
    serde_json::Deserializer::from_str(json).deserialize_map(Members)
}

/// How many members an object has; none of what is no object.
pub(crate) fn count(json: &str) -> usize {
    serde_json::Deserializer::from_str(json).deserialize_map(Count).unwrap_or(0)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        take_members(map, 16)
    }
}

/// The members of an object that is being read; as many are likely.
pub(crate) fn take_members<'de, A: MapAccess<'de>>(mut map: A, likely: usize) -> Result<Vec<Member<'de>>, A::Error> {
    let mut members = Vec::with_capacity(likely);
    while let Some(Key(key)) = map.next_key()? {
        members.push((key, map.next_value()?));
    }
    Ok(members)
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}
