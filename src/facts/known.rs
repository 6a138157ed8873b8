//! A leaf of the model: a value, or the reason why there is none.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::record::Key;

/// The key that marks an unknown leaf in JSON: `{"$unknown": "not-collected", "detail": "…"}`.
pub(crate) const UNKNOWN_KEY: &str = "$unknown";
const DETAIL_KEY: &str = "detail";

/// Why a fact is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The source was never asked, or the file does not say.
    #[default]
    NotCollected,
    /// The field or class does not exist on the release that was asked.
    AbsentOnRelease,
    /// The source refused to show it to this user.
    PermissionDenied,
    /// The source answered with something that cannot be read as this fact.
    Unreadable,
    /// The fact cannot exist on this kind of source (a quote has no uuid).
    NotApplicable,
}

impl Reason {
    /// The word used in JSON and in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotCollected => "not-collected",
            Self::AbsentOnRelease => "absent-on-release",
            Self::PermissionDenied => "permission-denied",
            Self::Unreadable => "unreadable",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// All reasons, in the order of the schema.
    pub const ALL: [Self; 5] =
        [Self::NotCollected, Self::AbsentOnRelease, Self::PermissionDenied, Self::Unreadable, Self::NotApplicable];

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}

/// A missing fact: the reason, and what would help to learn it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unknown {
    /// Why it is missing.
    pub reason: Reason,
    detail: Option<Arc<Detail>>,
}

/// Words for the operator. Behind a pointer, so that a leaf is no larger for what is rarely there: the model has
/// thousands of leaves. Shared, because one gap in the input is the reason of many facts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Detail(String);

impl Unknown {
    /// An unknown with a reason and no detail.
    pub const fn new(reason: Reason) -> Self {
        Self { reason, detail: None }
    }

    /// An unknown with a reason and what stood in the way.
    pub fn because(reason: Reason, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self { reason, detail: (!detail.is_empty()).then(|| Arc::new(Detail(detail))) }
    }

    /// What exactly stood in the way, in words for the operator; may be empty.
    pub fn detail(&self) -> &str {
        self.detail.as_ref().map_or("", |detail| &detail.0)
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.reason {
            Reason::NotCollected => "not collected",
            Reason::AbsentOnRelease => "absent on this release",
            Reason::PermissionDenied => "permission denied",
            Reason::Unreadable => "unreadable",
            Reason::NotApplicable => "not applicable",
        };
        match self.detail() {
            "" => f.write_str(words),
            detail => write!(f, "{words}: {detail}"),
        }
    }
}

/// A fact, or why it is missing. In JSON a known fact is its plain value; an unknown one is an object with the key
/// `$unknown`, or is left out when it was simply not collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// The observed value.
    Yes(T),
    /// The reason why there is none.
    No(Unknown),
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self::No(Unknown::new(Reason::NotCollected))
    }
}

impl<T> From<T> for Known<T> {
    fn from(value: T) -> Self {
        Self::Yes(value)
    }
}

impl<T> Known<T> {
    /// An unknown with a reason and what stood in the way.
    pub fn no(reason: Reason, detail: impl Into<String>) -> Self {
        Self::No(Unknown::because(reason, detail))
    }

    /// An unknown because the release has no such field.
    pub const fn absent() -> Self {
        Self::No(Unknown::new(Reason::AbsentOnRelease))
    }

    /// The value, when known.
    pub const fn get(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No(_) => None,
        }
    }

    /// The value to change, when known.
    pub const fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No(_) => None,
        }
    }

    /// Why it is missing, when it is.
    pub const fn unknown(&self) -> Option<&Unknown> {
        match self {
            Self::Yes(_) => None,
            Self::No(unknown) => Some(unknown),
        }
    }

    /// The same knowledge about a borrowed value.
    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Self::Yes(value) => Known::Yes(value),
            Self::No(unknown) => Known::No(unknown.clone()),
        }
    }

    /// Changes a known value and keeps the reason of an unknown one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Yes(value) => Known::Yes(change(value)),
            Self::No(unknown) => Known::No(unknown),
        }
    }

    /// Chains a step that may itself not know.
    pub fn and_then<U>(self, change: impl FnOnce(T) -> Known<U>) -> Known<U> {
        match self {
            Self::Yes(value) => change(value),
            Self::No(unknown) => Known::No(unknown),
        }
    }

    /// Whether this is the default that JSON leaves out.
    pub fn is_default(&self) -> bool {
        matches!(self, Self::No(unknown) if *unknown == Unknown::new(Reason::NotCollected))
    }
}

/// A look for a fact: what was found, or why it cannot be told. `?` carries the first reason out.
pub(crate) type Found<T> = Result<T, Unknown>;

/// A known value, or why there is none.
pub(crate) fn need<T>(known: &Known<T>) -> Found<&T> {
    match known {
        Known::Yes(value) => Ok(value),
        Known::No(unknown) => Err(unknown.clone()),
    }
}

/// What a look came to, as a leaf of the model.
pub(crate) fn known<T>(find: impl FnOnce() -> Found<T>) -> Known<T> {
    find().map_or_else(Known::No, Known::Yes)
}

impl<T> Known<Vec<T>> {
    /// The elements; an unknown list has none to walk. Only for uses where a missing list is judged elsewhere.
    pub fn each(&self) -> std::slice::Iter<'_, T> {
        self.get().map(Vec::as_slice).unwrap_or_default().iter()
    }
}

impl Known<String> {
    /// The text, when known.
    pub fn text(&self) -> Option<&str> {
        self.get().map(String::as_str)
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Yes(value) => value.serialize(serializer),
            Self::No(unknown) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry(UNKNOWN_KEY, unknown.reason.word())?;
                if !unknown.detail().is_empty() {
                    map.serialize_entry(DETAIL_KEY, unknown.detail())?;
                }
                map.end()
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KnownVisitor(std::marker::PhantomData))
    }
}

struct KnownVisitor<T>(std::marker::PhantomData<T>);

/// Hands one value that a visitor already received on to `T`, treating `null` as `None` and everything else as `Some`.
struct Held<H>(H);

macro_rules! forward_held {
    ($($visit:ident($ty:ty)),* $(,)?) => {$(
        fn $visit<E: de::Error>(self, value: $ty) -> Result<Self::Value, E> {
            T::deserialize(Held(value.into_deserializer())).map(Known::Yes)
        }
    )*};
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for KnownVisitor<T> {
    type Value = Known<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value, or {{\"{UNKNOWN_KEY}\": reason}}")
    }

    forward_held!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_string(String));

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        T::deserialize(Held(value.to_owned().into_deserializer())).map(Known::Yes)
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        T::deserialize(Held(de::value::BorrowedStrDeserializer::new(value))).map(Known::Yes)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        T::deserialize(().into_deserializer()).map(Known::Yes)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        T::deserialize(Held(de::value::SeqAccessDeserializer::new(seq))).map(Known::Yes)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some(Key(first)) = map.next_key()? else {
            return T::deserialize(Held(de::value::MapAccessDeserializer::new(Rest { first: None, map })))
                .map(Known::Yes);
        };
        if first != UNKNOWN_KEY {
            let rest = Rest { first: Some(first), map };
            return T::deserialize(Held(de::value::MapAccessDeserializer::new(rest))).map(Known::Yes);
        }
        let word: String = map.next_value()?;
        let reason = Reason::from_word(&word).ok_or_else(|| {
            let known: Vec<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
            de::Error::custom(format!("unknown reason \"{word}\"; expected one of {}", known.join(", ")))
        })?;
        let mut detail = String::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == DETAIL_KEY {
                detail = map.next_value()?;
            } else {
                map.next_value::<de::IgnoredAny>()?;
            }
        }
        Ok(Known::No(Unknown::because(reason, detail)))
    }
}

/// A map whose first key was already taken to look for `$unknown`.
struct Rest<'de, A> {
    first: Option<Cow<'de, str>>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(Cow::Borrowed(key)) => seed.deserialize(de::value::BorrowedStrDeserializer::new(key)).map(Some),
            Some(Cow::Owned(key)) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

impl<'de, H: Deserializer<'de>> Deserializer<'de> for Held<H> {
    type Error = H::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, H::Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, H::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, H::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, H::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read<T: for<'de> Deserialize<'de>>(json: &str) -> Known<T> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn plain_values_are_known() {
        assert_eq!(read::<bool>("true"), Known::Yes(true));
        assert_eq!(read::<i64>("-7"), Known::Yes(-7));
        assert_eq!(read::<String>("\"a\\nb\""), Known::Yes("a\nb".into()));
        assert_eq!(read::<Vec<u32>>("[1,2]"), Known::Yes(vec![1, 2]));
        assert_eq!(read::<Option<String>>("null"), Known::Yes(None));
        assert_eq!(read::<Option<String>>("\"x\""), Known::Yes(Some("x".into())));
        assert_eq!(read::<BTreeMap<String, i64>>("{\"a\":1}"), Known::Yes(BTreeMap::from([("a".to_owned(), 1)])));
        assert_eq!(read::<BTreeMap<String, i64>>("{}"), Known::Yes(BTreeMap::new()));
    }

    #[test]
    fn unknown_keeps_its_reason() {
        let text = "{\"$unknown\":\"permission-denied\",\"detail\":\"needs root\"}";
        let value = read::<BTreeMap<String, i64>>(text);
        assert_eq!(value, Known::no(Reason::PermissionDenied, "needs root"));
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        let bad = serde_json::from_str::<Known<i64>>("{\"$unknown\":\"because\"}").unwrap_err();
        assert!(bad.to_string().contains("not-collected"), "{bad}");
    }

    #[test]
    fn a_wrong_type_is_an_error_and_not_unknown() {
        assert!(serde_json::from_str::<Known<bool>>("\"yes\"").is_err());
        assert!(serde_json::from_str::<Known<bool>>("null").is_err());
        assert!(serde_json::from_str::<Known<Vec<i64>>>("{\"a\":1}").is_err());
    }
}
