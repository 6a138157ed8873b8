//! How a record of the snapshot is read: names the path of what is wrong, and remembers keys that nobody knows. Done
//! here and not with wrappers around the deserializer, which cost more than the reading itself.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

thread_local! {
    /// Keys that no record knows, as `host.nick_name`, in the order in which they were met.
    static STRANGERS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Marks an error text that begins with a path, so that outer records add to the path and not to the text.
const PATH: char = '\u{1}';

/// Reads something and returns it with the keys that no record of it knew.
pub(crate) fn strangers_of<T>(read: impl FnOnce() -> T) -> (T, Vec<String>) {
    STRANGERS.take();
    let value = read();
    (value, STRANGERS.take())
}

/// Splits an error text into the path of the field, if it has one, and the rest.
pub(crate) fn split_path(text: &str) -> (&str, &str) {
    text.strip_prefix(PATH).and_then(|text| text.split_once(": ")).unwrap_or(("", text))
}

/// A record type of the snapshot.
pub(crate) trait Record<'de>: Default {
    /// What the field calls it.
    const WORD: &'static str;

    /// Reads the value of a key; false, and nothing read, when the record has no such field.
    fn read_field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error>;
}

pub(crate) struct RecordVisitor<R>(pub(crate) PhantomData<R>);

impl<'de, R: Record<'de>> Visitor<'de> for RecordVisitor<R> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} record", R::WORD)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<R, A::Error> {
        let mut record = R::default();
        while let Some(Key(key)) = map.next_key()? {
            match record.read_field(&key, &mut map) {
                Ok(true) => {}
                Ok(false) => {
                    STRANGERS.with_borrow_mut(|strangers| {
                        let stranger = format!("{}.{key}", R::WORD);
                        if !strangers.contains(&stranger) {
                            strangers.push(stranger);
                        }
                    });
                    map.next_value::<IgnoredAny>()?;
                }
                Err(error) => return Err(below(&key, &error)),
            }
        }
        Ok(record)
    }
}

/// The error with one more step before its path. The place in the text stays at its end, where serde_json finds it.
fn below<E: de::Error>(key: &str, error: &E) -> E {
    let text = error.to_string();
    E::custom(match text.strip_prefix(PATH) {
        Some(rest) => format!("{PATH}{key}.{rest}"),
        None => format!("{PATH}{key}: {text}"),
    })
}

/// A key, borrowed from the text where it can be.
pub(crate) struct Key<'de>(pub(crate) Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}
