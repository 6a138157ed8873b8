//! A first look into a document: its form, its top-level keys, its root element. Reads no further than it must.

use std::fmt;

use super::archive::Packing;
use super::dumps::Dump;
use super::limits::KEYS;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The formats of a single document that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A poolgate snapshot.
    Snapshot,
    /// XenAPI records as one object {class: {reference: record}}.
    Records,
    /// A JSON-RPC answer.
    JsonAnswer,
    /// An XML-RPC answer.
    XmlAnswer,
    /// The server's own database.
    Database,
    /// A foreign dump.
    Dump(Dump),
    /// A compressed file, or one that holds others.
    Archive(Packing),
}

/// The name of an XML document's root element, past declarations and comments.
pub(crate) fn root_element(text: &[u8]) -> Option<&str> {
    let mut rest = text;
    loop {
        let start = rest.iter().position(|byte| *byte == b'<')?;
        rest = &rest[start + 1..];
        if rest.starts_with(b"!--") {
            let end = rest.windows(3).position(|three| three == b"-->")?;
            rest = &rest[end + 3..];
        } else if !rest.starts_with(b"?") && !rest.starts_with(b"!") {
            let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte))?;
            return std::str::from_utf8(&rest[..end]).ok().filter(|name| !name.is_empty());
        }
    }
}

/// What stands behind a key of the outermost object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not seen: the head ended before it.
    Unseen,
    /// An object.
    Object,
    /// A text.
    Text(String),
    /// Anything else.
    Other,
}

/// Collects the keys of the outermost object as far as the text goes; what was seen stays when the text breaks off.
pub(super) struct Peek<'a>(pub(super) &'a mut Vec<(String, Kind)>);

impl<'de> Visitor<'de> for Peek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.0.len() == KEYS {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            self.0.push((key, Kind::Unseen));
            let kind = self.0.last_mut().map(|(_, kind)| kind);
            map.next_value_seed(PeekValue(kind.unwrap_or(&mut Kind::Unseen)))?;
        }
        Ok(())
    }
}

struct PeekValue<'a>(&'a mut Kind);

impl<'de> DeserializeSeed<'de> for PeekValue<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PeekValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        *self.0 = Kind::Object;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        *self.0 = Kind::Other;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        *self.0 = Kind::Text(text.chars().take(40).collect());
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        *self.0 = Kind::Other;
        Ok(())
    }
}
