//! Two macros that write a struct together with its description, so that the two cannot disagree.

/// A record of the snapshot: serialised, with unknown leaves, and readable by rules.
/// `[volatile]` before a field marks what changes by its nature between two looks.
macro_rules! model {
    ($(
        $(#[doc = $doc:literal])*
        pub struct $name:ident as $word:literal {
            $( $(#[doc = $fdoc:literal])* $([$volatile:ident])? pub $field:ident : $ty:ty, )*
        }
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, ::serde::Serialize)]
        pub struct $name {
            $( $(#[doc = $fdoc])*
               #[serde(skip_serializing_if = "crate::facts::Known::is_default")]
               pub $field: $ty, )*
        }
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                deserializer.deserialize_map($crate::facts::RecordVisitor(::std::marker::PhantomData))
            }
        }
        impl<'de> $crate::facts::Record<'de> for $name {
            const WORD: &'static str = $word;
            fn read_field<A: ::serde::de::MapAccess<'de>>(
                &mut self,
                key: &str,
                map: &mut A,
            ) -> ::std::result::Result<bool, A::Error> {
                match key {
                    $( stringify!($field) => self.$field = map.next_value()?, )*
                    _ => return Ok(false),
                }
                Ok(true)
            }
        }
        $crate::facts::facts!(@impl $name [] $word [$($doc)*] { $( [$($fdoc)*] [$($volatile)?] $field : $ty, )* });
    )*};
}

/// A derived record: only readable by rules. May borrow (`struct Case<'a>`).
macro_rules! facts {
    ($(
        $(#[doc = $doc:literal])*
        pub struct $name:ident $(<$life:lifetime>)? as $word:literal {
            $( $(#[doc = $fdoc:literal])* $([$volatile:ident])? pub $field:ident : $ty:ty, )*
        }
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name $(<$life>)? {
            $( $(#[doc = $fdoc])* pub $field: $ty, )*
        }
        $crate::facts::facts!(@impl $name [$($life)?] $word [$($doc)*] { $( [$($fdoc)*] [$($volatile)?] $field : $ty, )* });
    )*};
    (@impl $name:ident [$($life:lifetime)?] $word:literal [$($doc:literal)*] {
        $( [$($fdoc:literal)*] [$($volatile:ident)?] $field:ident : $ty:ty, )*
    }) => {
        impl $(<$life>)? $crate::facts::Fact for $name $(<$life>)? {
            const TYPE: $crate::facts::Type = $crate::facts::Type::Object(&$crate::facts::ObjectDef {
                name: $word,
                doc: &[$($doc),*],
                fields: &[$( $crate::facts::FieldDef {
                    name: stringify!($field),
                    doc: &[$($fdoc),*],
                    ty: <$ty as $crate::facts::Fact>::TYPE,
                    knowable: <$ty as $crate::facts::Fact>::KNOWABLE,
                    volatile: $crate::facts::facts!(@volatile $($volatile)?),
                } ),*],
            });
            fn value(&self) -> $crate::facts::Value<'_> {
                $crate::facts::Value::Object(self)
            }
        }
        impl $(<$life>)? $crate::facts::Object for $name $(<$life>)? {
            fn def(&self) -> &'static $crate::facts::ObjectDef {
                match <Self as $crate::facts::Fact>::TYPE {
                    $crate::facts::Type::Object(def) => def,
                    _ => unreachable!("a record's type is an object"),
                }
            }
            fn field(&self, index: usize) -> $crate::facts::Value<'_> {
                let getters: &[fn(&Self) -> $crate::facts::Value<'_>] =
                    &[$( |record| $crate::facts::Fact::value(&record.$field) ),*];
                getters[index](self)
            }
        }
    };
    (@volatile volatile) => { true };
    (@volatile) => { false };
}

pub(crate) use {facts, model};
