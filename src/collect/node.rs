//! A JSON text taken apart in one pass, with its texts left where they stand.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::facts::Key;

/// A value of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// Any other number.
    Number,
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Self>),
    /// An object, its members in the order of the text; of several with one key the last counts.
    Object(Vec<Member<'a>>),
}

/// A member of an object.
pub(crate) type Member<'a> = (Cow<'a, str>, Node<'a>);

impl<'a> Node<'a> {
    /// The text, where it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The members, where it is an object.
    pub(crate) fn members(&self) -> Option<&[Member<'a>]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, where it is a list.
    pub(crate) fn elements(&self) -> Option<&[Self]> {
        match self {
            Self::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// A member, where it is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        find(self.members()?, key)
    }
}

/// The member with a key; of several the last, as everywhere.
pub(crate) fn find<'n, 'a>(members: &'n [Member<'a>], key: &str) -> Option<&'n Node<'a>> {
    // Nearly all keys differ in their length or their first letter, which costs less to see than whole texts.
    let first = key.as_bytes().first();
    let is = |known: &str| known.len() == key.len() && known.as_bytes().first() == first && known == key;
    members.iter().rev().find(|(known, _)| is(known)).map(|(_, node)| node)
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Likely(16).deserialize(json)
    }
}

/// Reads a value that, as an object, is likely to have so many members.
pub(crate) struct Likely(pub(crate) usize);

impl<'de> DeserializeSeed<'de> for Likely {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Node<'de>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Likely {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(i64::try_from(value).map_or(Node::Number, Node::Int))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Node<'de>, E> {
        Ok(Node::Number)
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            elements.push(element);
        }
        Ok(Node::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            if members.is_empty() {
                members.reserve(self.0);
            }
            members.push((key, map.next_value()?));
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value() {
        let text = r#"{"a": null, "b": true, "c": -7, "d": 1.5, "e": "x", "f": "\n", "g": [1, "y"], "h": {}, "longer": 1, "b": 18446744073709551615}"#;
        let node: Node<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(node.get("a"), Some(&Node::Null));
        assert_eq!(node.get("b"), Some(&Node::Number), "of several the last counts");
        assert_eq!(node.get("c"), Some(&Node::Int(-7)));
        assert_eq!(node.get("d"), Some(&Node::Number));
        assert_eq!(node.get("e"), Some(&Node::Text(Cow::Borrowed("x"))));
        assert_eq!(node.get("f").and_then(Node::text), Some("\n"));
        assert_eq!(node.get("g").and_then(Node::elements).map(<[_]>::len), Some(2));
        assert_eq!(node.get("h").and_then(Node::members), Some(&[][..]));
        assert_eq!(node.get("longer"), Some(&Node::Int(1)));
        assert_eq!(node.get("i"), None);
    }

    #[test]
    fn what_no_tree_can_hold_is_an_error() {
        for odd in ["1e999", "\"\\ud800\"", "{\"a\" 1}", "[1,]"] {
            assert!(serde_json::from_str::<Node<'_>>(odd).is_err(), "{odd}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(serde_json::from_str::<Node<'_>>(&deep).is_err());
    }
}
