//! Snapshots and reports as one kind of tree.

use serde_json::Value as Json;

use crate::facts::Value;

/// A node of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// A plain value.
    Leaf(Json),
    /// A missing fact, and why.
    Unknown(String),
    /// A record or a map: its fields by name, each with whether it is volatile.
    Fields(Vec<(String, bool, Self)>),
    /// A list.
    List(Vec<Self>),
}

/// Keys of a report that say where and when it was made, and not what it says.
const VOLATILE: [&str; 4] = ["tool", "version", "source", "seen"];

/// The model's own description says which fields are volatile.
pub(super) fn of_value(value: &Value<'_>) -> Node {
    match value {
        Value::Unknown(unknown) => Node::Unknown(unknown.to_string()),
        Value::Null => Node::Leaf(Json::Null),
        Value::Bool(value) => Node::Leaf((*value).into()),
        Value::Int(value) => Node::Leaf((*value).into()),
        Value::Text(value) => Node::Leaf(value.as_ref().into()),
        Value::Features(value) => Node::Leaf(value.to_string().into()),
        Value::List(list) => Node::List((0..list.len()).map(|index| of_value(&list.get(index))).collect()),
        Value::Made(list) => Node::List(list.iter().map(of_value).collect()),
        Value::Map(map) => {
            let entries =
                map.keys().into_iter().filter_map(|key| Some((key.to_owned(), false, of_value(&map.get(key)?))));
            Node::Fields(entries.collect())
        }
        Value::Object(object) => {
            let fields = object.def().fields.iter().enumerate();
            let fields =
                fields.map(|(index, field)| (field.name.to_owned(), field.volatile, of_value(&object.field(index))));
            Node::Fields(fields.collect())
        }
    }
}

/// A report's JSON. What is null there is not known.
pub(super) fn of_json(json: &Json) -> Node {
    match json {
        Json::Array(list) => Node::List(list.iter().map(of_json).collect()),
        Json::Object(map) => {
            let field =
                |(key, value): (&String, &Json)| (key.clone(), VOLATILE.contains(&key.as_str()), of_json(value));
            Node::Fields(map.iter().map(field).collect())
        }
        leaf => Node::Leaf(leaf.clone()),
    }
}

impl Node {
    /// The text of a field, where the node is a record that has it and it is known and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let Self::Fields(fields) = self else { return None };
        match fields.iter().find(|(field, _, _)| field == name) {
            Some((_, _, Self::Leaf(Json::String(text)))) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// As JSON; a missing fact as the snapshot writes it.
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Leaf(leaf) => leaf.clone(),
            Self::Unknown(why) => serde_json::json!({ "$unknown": why }),
            Self::Fields(fields) => {
                Json::Object(fields.iter().map(|(name, _, node)| (name.clone(), node.json())).collect())
            }
            Self::List(list) => list.iter().map(Self::json).collect(),
        }
    }
}
