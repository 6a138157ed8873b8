//! Static types inside the checker: those of the model, and what literals and mistakes need besides.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::facts::{ObjectDef, Type};

/// The type of a part of an expression.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ty {
    Of(Type),
    /// Of the literal `null` alone.
    Null,
    /// Of the literal `[]` alone.
    EmptyList,
    /// Of a part that an error was reported for: fits everywhere, so that one mistake gives one error.
    Wrong,
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(ty) => write!(f, "{ty}"),
            Self::Null => f.write_str("null"),
            Self::EmptyList => f.write_str("an empty list"),
            Self::Wrong => f.write_str("a mistake"),
        }
    }
}

impl Ty {
    pub(super) const BOOL: Self = Self::Of(Type::Bool);
    pub(super) const INT: Self = Self::Of(Type::Int);
    pub(super) const TEXT: Self = Self::Of(Type::Text);

    /// The type without "or null": where a value is needed, null is unknown.
    pub(super) const fn plain(self) -> Self {
        match self {
            Self::Of(Type::Nullable(of)) => Self::Of(*of),
            _ => self,
        }
    }

    pub(super) fn is(self, ty: Type) -> bool {
        matches!(self, Self::Of(own) if own.same(ty))
    }

    /// Whether a value of this type can stand where `wanted` is needed.
    pub(super) fn fits(self, wanted: Type) -> bool {
        match (self, wanted) {
            (Self::Wrong, _) | (Self::Null, Type::Nullable(_)) | (Self::EmptyList, Type::List(_)) => true,
            (Self::Of(own), _) if own.same(wanted) => true,
            (Self::Of(_), _) if self.plain().is(wanted) => true,
            (_, Type::Nullable(of)) => self.fits(*of),
            (Self::Of(Type::List(of)), Type::List(wanted)) => Self::Of(*of).is_or_null(*wanted),
            _ => false,
        }
    }

    /// Whether it is the type, or the plain type where null is allowed besides: elements of a list are not converted.
    fn is_or_null(self, wanted: Type) -> bool {
        match (self, wanted) {
            (_, Type::Nullable(of)) => self.plain().is(*of),
            _ => self.is(wanted),
        }
    }

    /// The one type that both can be read as.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Wrong, ty) | (ty, Self::Wrong) => Some(ty),
            (Self::Null, Self::Null) => Some(Self::Null),
            (Self::EmptyList, Self::EmptyList) => Some(Self::EmptyList),
            (Self::Null, Self::Of(ty)) | (Self::Of(ty), Self::Null) => Some(Self::Of(nullable(ty))),
            (Self::EmptyList, Self::Of(ty)) | (Self::Of(ty), Self::EmptyList) => {
                matches!(Self::Of(ty).plain(), Self::Of(Type::List(_))).then_some(Self::Of(ty))
            }
            (Self::Of(a), Self::Of(b)) if a.same(b) => Some(self),
            (Self::Of(Type::Nullable(_)), _) | (_, Self::Of(Type::Nullable(_))) => {
                match self.plain().join(other.plain())? {
                    Self::Of(ty) => Some(Self::Of(nullable(ty))),
                    _ => None,
                }
            }
            (Self::Of(Type::List(a)), Self::Of(Type::List(b))) => match Self::Of(*a).join(Self::Of(*b))? {
                Self::Of(ty) => Some(Self::Of(list_of(ty))),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether two values of this type can be told apart with `==`.
    pub(super) fn comparable(self) -> bool {
        match self {
            Self::Of(Type::Map(_) | Type::Object(_)) => false,
            Self::Of(Type::List(of) | Type::Nullable(of)) => Self::Of(*of).comparable(),
            _ => true,
        }
    }

    /// The type of the elements of a list.
    pub(super) const fn element(self) -> Option<Self> {
        match self.plain() {
            Self::Of(Type::List(of)) => Some(Self::Of(*of)),
            Self::Wrong => Some(Self::Wrong),
            _ => None,
        }
    }
}

pub(super) fn nullable(ty: Type) -> Type {
    match ty {
        Type::Nullable(_) => ty,
        _ => Type::Nullable(kept(ty)),
    }
}

pub(super) fn list_of(ty: Type) -> Type {
    Type::List(kept(ty))
}

/// A type for the rest of the program's life. Types are few: each is kept once.
fn kept(ty: Type) -> &'static Type {
    static KEPT: Mutex<Vec<&'static Type>> = Mutex::new(Vec::new());
    match ty {
        Type::Bool => &Type::Bool,
        Type::Int => &Type::Int,
        Type::Text => &Type::Text,
        Type::Features => &Type::Features,
        _ => {
            let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = kept.iter().find(|known| known.same(ty)) {
                return known;
            }
            let new: &'static Type = Box::leak(Box::new(ty));
            kept.push(new);
            new
        }
    }
}

/// The fields of a record for an error message.
pub(super) fn field_names(def: &'static ObjectDef) -> impl Iterator<Item = &'static str> {
    def.fields.iter().map(|field| field.name)
}

/// Whether a hole of a template can hold it.
pub(super) fn printable(ty: Ty) -> bool {
    match ty.plain() {
        Ty::Of(Type::Text | Type::Int | Type::Bool | Type::Features) | Ty::Wrong | Ty::EmptyList => true,
        Ty::Of(Type::List(of)) => matches!(Ty::Of(*of).plain(), Ty::Of(Type::Text | Type::Int)),
        _ => false,
    }
}
