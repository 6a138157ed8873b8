//! A value of a record, wherever it comes from: a tree that owns its texts, or nodes of a text that stands elsewhere. Both mean
//! the same to whoever maps records.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::collect::node::{Member, Node, find};

/// A value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    /// In a tree.
    Tree(&'a Value),
    /// In a text.
    Node(&'a Node<'a>),
}

/// The members of an object.
#[derive(Clone, Copy, Debug)]
pub(in crate::collect) enum Fields<'a> {
    /// Of a tree.
    Tree(&'a Map<String, Value>),
    /// In the order of the text; of several with one key the last counts.
    Nodes(&'a [Member<'a>]),
}

impl<'a> Raw<'a> {
    /// What it is, for messages. Never the value itself: it may be a secret.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Tree(value) => super::record::kind(value),
            Self::Node(node) => match node {
                Node::Null => "null",
                Node::Bool(_) => "true or false",
                Node::Int(_) | Node::Number => "a number",
                Node::Text(_) => "text",
                Node::List(_) => "a list",
                Node::Object(_) => "an object",
            },
        }
    }

    /// A text.
    pub(super) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Tree(value) => value.as_str(),
            Self::Node(node) => node.text(),
        }
    }

    /// True or false.
    pub(super) fn as_bool(self) -> Option<bool> {
        match self {
            Self::Tree(value) => value.as_bool(),
            Self::Node(Node::Bool(value)) => Some(*value),
            Self::Node(_) => None,
        }
    }

    /// An integer that is written as a number.
    pub(super) fn as_i64(self) -> Option<i64> {
        match self {
            Self::Tree(value) => value.as_i64(),
            Self::Node(Node::Int(value)) => Some(*value),
            Self::Node(_) => None,
        }
    }

    /// A list of texts.
    pub(super) fn texts(self) -> Option<Vec<String>> {
        match self {
            Self::Tree(value) => value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            Self::Node(node) => node.elements()?.iter().map(|item| item.text().map(str::to_owned)).collect(),
        }
    }

    /// The same without copies.
    pub(super) fn borrowed_texts(self) -> Option<Vec<&'a str>> {
        match self {
            Self::Tree(value) => value.as_array()?.iter().map(Value::as_str).collect(),
            Self::Node(node) => node.elements()?.iter().map(Node::text).collect(),
        }
    }

    /// An object.
    pub(super) fn fields(self) -> Option<Fields<'a>> {
        match self {
            Self::Tree(value) => value.as_object().map(Fields::Tree),
            Self::Node(node) => node.members().map(Fields::Nodes),
        }
    }

    /// Whether it is a list without elements.
    pub(super) fn is_empty_list(self) -> bool {
        match self {
            Self::Tree(value) => value.as_array().is_some_and(Vec::is_empty),
            Self::Node(node) => node.elements().is_some_and(<[_]>::is_empty),
        }
    }
}

impl<'a> Fields<'a> {
    /// The value of a key.
    pub(super) fn get(self, key: &str) -> Option<Raw<'a>> {
        match self {
            Self::Tree(map) => map.get(key).map(Raw::Tree),
            Self::Nodes(members) => find(members, key).map(Raw::Node),
        }
    }

    /// All of them, in no order; of several with one key the last is the last here too.
    fn entries(self) -> Vec<(&'a str, Raw<'a>)> {
        match self {
            Self::Tree(map) => map.iter().map(|(key, value)| (key.as_str(), Raw::Tree(value))).collect(),
            Self::Nodes(members) => members.iter().map(|(key, node)| (key.as_ref(), Raw::Node(node))).collect(),
        }
    }

    /// All of them by key, in ascending order; of several with one key the last.
    pub(super) fn sorted(self) -> Vec<(&'a str, Raw<'a>)> {
        let mut all = self.entries();
        all.sort_by_key(|(key, _)| *key);
        all.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                *kept = *later;
            }
            same
        });
        all
    }

    /// The texts by key of those keys that are wanted; none where any value is no text.
    pub(super) fn texts(self, wanted: impl Fn(&str) -> bool) -> Option<BTreeMap<String, String>> {
        self.each(wanted, |raw| raw.as_str(), str::to_owned)
    }

    /// The values of wanted keys, each read and then made to be kept; none where any value cannot be read.
    pub(super) fn each<R, T>(
        self,
        wanted: impl Fn(&str) -> bool,
        read: impl Fn(Raw<'a>) -> Option<R>,
        keep: impl Fn(R) -> T,
    ) -> Option<BTreeMap<String, T>> {
        let mut kept = Vec::new();
        for (key, raw) in self.entries() {
            let value = read(raw)?;
            if wanted(key) {
                kept.push((key.to_owned(), keep(value)));
            }
        }
        // Collecting keeps the last of several, too.
        Some(kept.into_iter().collect())
    }
}
