//! A text of a rule file with its place, where there is one: files keep it for error messages; the rules embedded in the
//! binary were checked when it was tested and come as JSON, which reads several times faster than TOML. There a text with a
//! place is written as a list of one, because JSON's reader tells lists from structs and not texts.

use std::fmt;
use std::ops::Range;

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

/// A text and where it stands.
#[derive(Debug)]
pub(crate) struct Written(Spanned<String>);

impl Written {
    /// The text.
    pub(super) fn get_ref(&self) -> &String {
        self.0.get_ref()
    }

    /// The text itself.
    pub(super) fn into_inner(self) -> String {
        self.0.into_inner()
    }

    /// Its place in the file, in bytes; empty when it came from no file.
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(OrPlain(deserializer)).map(Self)
    }
}

/// Lets a list of one text pass where `Spanned` asks for its struct of start, end and value.
struct OrPlain<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for OrPlain<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, Catch { visitor, fields })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

struct Catch<V> {
    visitor: V,
    fields: &'static [&'static str],
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Catch<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text with its place, or a list of one text")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<V::Value, A::Error> {
        let text: String = list.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let parts = [Part::Offset, Part::Offset, Part::Text(text)];
        self.visitor.visit_map(MapDeserializer::new(
            self.fields.iter().map(|field| BorrowedStrDeserializer::new(field)).zip(parts),
        ))
    }
}

/// What `Spanned` reads: start, end, value.
enum Part {
    Offset,
    Text(String),
}

impl<'de, E: de::Error> IntoDeserializer<'de, E> for Part {
    type Deserializer = PartDeserializer<Self, E>;

    fn into_deserializer(self) -> Self::Deserializer {
        PartDeserializer(self, std::marker::PhantomData)
    }
}

struct PartDeserializer<P, E>(P, std::marker::PhantomData<E>);

impl<'de, E: de::Error> Deserializer<'de> for PartDeserializer<Part, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.0 {
            Part::Offset => visitor.visit_u64(0),
            Part::Text(text) => visitor.visit_string(text),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}
