//! One description of the model for everybody who has to know its shape: the type checker of rule expressions, the
//! evaluator, the JSON Schema and the evidence in findings.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Featureset, Known, Unknown};

/// The static type of a fact.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// Text.
    Text,
    /// Words of CPU features; text in JSON.
    Features,
    /// A list of one element type.
    List(&'static Self),
    /// Text keys to one value type.
    Map(&'static Self),
    /// A record of named fields.
    Object(&'static ObjectDef),
    /// A value, or a known nothing (no default SR).
    Nullable(&'static Self),
}

impl Type {
    /// Whether two types are the same; objects by name.
    pub fn same(self, other: Self) -> bool {
        match (self, other) {
            (Self::Bool, Self::Bool)
            | (Self::Int, Self::Int)
            | (Self::Text, Self::Text)
            | (Self::Features, Self::Features) => true,
            (Self::List(a), Self::List(b))
            | (Self::Map(a), Self::Map(b))
            | (Self::Nullable(a), Self::Nullable(b)) => a.same(*b),
            (Self::Object(a), Self::Object(b)) => a.name == b.name,
            _ => false,
        }
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Text => f.write_str("text"),
            Self::Features => f.write_str("features"),
            Self::List(of) => write!(f, "list of {of}"),
            Self::Map(of) => write!(f, "map of {of}"),
            Self::Object(def) => f.write_str(def.name),
            Self::Nullable(of) => write!(f, "{of} or null"),
        }
    }
}

/// A record type of the model.
#[derive(Debug)]
pub struct ObjectDef {
    /// Its name, in the field's words: `host`, `PIF`.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static [&'static str],
    /// Its fields, in the order of the file.
    pub fields: &'static [FieldDef],
}

impl ObjectDef {
    /// The position and description of a field.
    pub fn field(&self, name: &str) -> Option<(usize, &'static FieldDef)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }
}

/// A field of a record type.
#[derive(Debug)]
pub struct FieldDef {
    /// Its name in JSON and in expressions.
    pub name: &'static str,
    /// What it says: shape, unit, source.
    pub doc: &'static [&'static str],
    /// Its type when known.
    pub ty: Type,
    /// Whether it may be unknown.
    pub knowable: bool,
    /// Whether it changes by its nature between two looks (clocks, counters, ages), so that a changed value is no
    /// reason to stop an action.
    pub volatile: bool,
}

/// A fact at run time, borrowed from the model wherever it can be.
#[derive(Clone)]
pub enum Value<'a> {
    /// Missing, and why.
    Unknown(Cow<'a, Unknown>),
    /// A known nothing.
    Null,
    /// See [`Type::Bool`].
    Bool(bool),
    /// See [`Type::Int`].
    Int(i64),
    /// See [`Type::Text`].
    Text(Cow<'a, str>),
    /// See [`Type::Features`].
    Features(Cow<'a, Featureset>),
    /// A list inside the model.
    List(&'a dyn List),
    /// A list made by an expression (`filter`, `map`, a literal).
    Made(Rc<[Self]>),
    /// A map inside the model.
    Map(&'a dyn Map),
    /// A record inside the model.
    Object(&'a dyn Object),
}

impl std::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(why) => write!(f, "unknown({why})"),
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::Features(value) => write!(f, "{value}"),
            Self::List(list) => f.debug_list().entries((0..list.len()).map(|i| list.get(i))).finish(),
            Self::Made(list) => f.debug_list().entries(list.iter()).finish(),
            Self::Map(map) => f.debug_map().entries(map.keys().into_iter().map(|key| (key, map.get(key)))).finish(),
            Self::Object(object) => write!(f, "<{} {}>", object.def().name, object.label()),
        }
    }
}

/// Anything that can be a fact: knows its type without a value and gives its value without a copy.
pub trait Fact {
    /// The type.
    const TYPE: Type;
    /// Whether it may be unknown.
    const KNOWABLE: bool = false;
    /// The value.
    fn value(&self) -> Value<'_>;
}

/// A record inside the model.
pub trait Object {
    /// Its type.
    fn def(&self) -> &'static ObjectDef;
    /// The value of the field at this position of [`ObjectDef::fields`].
    fn field(&self, index: usize) -> Value<'_>;
    /// What an operator calls it: its name, else its uuid, else its reference, else nothing.
    fn label(&self) -> String {
        ["name_label", "name", "device", "uuid", "reference"]
            .into_iter()
            .filter_map(|name| self.def().field(name))
            .find_map(|(index, _)| match self.field(index) {
                Value::Text(text) if !text.is_empty() => Some(text.into_owned()),
                _ => None,
            })
            .unwrap_or_default()
    }
}

/// A list inside the model.
pub trait List {
    /// How many elements.
    fn len(&self) -> usize;
    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The element at a position below [`List::len`].
    fn get(&self, index: usize) -> Value<'_>;
}

/// A map inside the model.
pub trait Map {
    /// The value under a key.
    fn get(&self, key: &str) -> Option<Value<'_>>;
    /// The keys, in order.
    fn keys(&self) -> Vec<&str>;
}

impl<T: Fact> List for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }
    fn get(&self, index: usize) -> Value<'_> {
        self[index].value()
    }
}

impl<T: Fact> Map for BTreeMap<String, T> {
    fn get(&self, key: &str) -> Option<Value<'_>> {
        Self::get(self, key).map(Fact::value)
    }
    fn keys(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }
}

impl Fact for bool {
    const TYPE: Type = Type::Bool;
    fn value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl Fact for i64 {
    const TYPE: Type = Type::Int;
    fn value(&self) -> Value<'_> {
        Value::Int(*self)
    }
}

impl Fact for String {
    const TYPE: Type = Type::Text;
    fn value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }
}

impl Fact for Cow<'static, str> {
    const TYPE: Type = Type::Text;
    fn value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }
}

/// Texts of the program's own.
impl Fact for &'static [&'static str] {
    const TYPE: Type = Type::List(&Type::Text);
    fn value(&self) -> Value<'_> {
        Value::List(self)
    }
}

impl List for &'static [&'static str] {
    fn len(&self) -> usize {
        (**self).len()
    }
    fn get(&self, index: usize) -> Value<'_> {
        Value::Text(Cow::Borrowed(self[index]))
    }
}

impl Fact for Featureset {
    const TYPE: Type = Type::Features;
    fn value(&self) -> Value<'_> {
        Value::Features(Cow::Borrowed(self))
    }
}

impl<T: Fact> Fact for Vec<T> {
    const TYPE: Type = Type::List(&T::TYPE);
    fn value(&self) -> Value<'_> {
        Value::List(self)
    }
}

impl<T: Fact> Fact for BTreeMap<String, T> {
    const TYPE: Type = Type::Map(&T::TYPE);
    fn value(&self) -> Value<'_> {
        Value::Map(self)
    }
}

impl<T: Fact> Fact for Option<T> {
    const TYPE: Type = Type::Nullable(&T::TYPE);
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Fact::value)
    }
}

impl<T: Fact> Fact for Known<T> {
    const TYPE: Type = T::TYPE;
    const KNOWABLE: bool = true;
    fn value(&self) -> Value<'_> {
        match self {
            Self::Yes(value) => value.value(),
            Self::No(unknown) => Value::Unknown(Cow::Borrowed(unknown)),
        }
    }
}

impl<T: Fact> Fact for &T {
    const TYPE: Type = T::TYPE;
    const KNOWABLE: bool = T::KNOWABLE;
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}
