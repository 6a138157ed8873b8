//! The way to a fact: variables, fields, keys and positions; and what was read on it.

use super::{Eval, Placed};
use crate::facts::Value;
use crate::rules::expr::code::Code;
use crate::rules::expr::trace::quoted;
use crate::rules::expr::track::{Step, Track, Val};
use crate::rules::expr::unreadable;
use crate::rules::expr::values::{Items, mistyped};

impl<'a, T: Track<'a>> Eval<'a, '_, T> {
    /// The value at a path, not noted as read. Where the way is barred, the place is that of the bar.
    pub(super) fn path(&mut self, code: &'a Code) -> Placed<'a, T> {
        if !self.meter.step(1) {
            return self.exhausted();
        }
        match code {
            Code::Var(slot) => {
                let place = self.track.inside(&T::Place::default(), Step::Var(*slot));
                match self.variables.get(*slot) {
                    Some(value) => self.found(value.clone(), place),
                    None => self.found(unreadable("no value was given"), place),
                }
            }
            Code::Local(depth) => self.locals[*depth].clone(),
            Code::Field { of, index, def } => {
                let of = self.base(of);
                match of.value {
                    Value::Object(object) => {
                        let place = self.track.inside(&of.place, Step::Field(object, def));
                        self.found(object.field(*index), place)
                    }
                    Value::Unknown(_) => of,
                    _ => Val { value: Value::Unknown(mistyped()), place: of.place },
                }
            }
            Code::Key { of, key } => {
                let of = self.base(of);
                let key = self.eval(key);
                let key = self.needed(key);
                match (of.value, key.value) {
                    (Value::Unknown(unknown), _) => Val { value: Value::Unknown(unknown), place: of.place },
                    (_, Value::Unknown(unknown)) => Value::Unknown(unknown).into(),
                    (Value::Map(map), Value::Text(key)) => match map.get(&key) {
                        Some(value) => {
                            let place = self.track.inside(&of.place, Step::Key(&key));
                            self.found(value, place)
                        }
                        None => {
                            let unknown = self.bar(&of.place, |path| format!("{path} has no key {}", quoted(&key)));
                            Val { value: unknown, place: self.track.inside(&of.place, Step::Key(&key)) }
                        }
                    },
                    _ => Value::Unknown(mistyped()).into(),
                }
            }
            Code::Item { of, index } => {
                let of = self.base(of);
                match Items::of(&of.value) {
                    Some(items) if *index < items.len() => self.item(&items, &of.place, *index),
                    Some(_) => {
                        let unknown = self.bar(&of.place, |path| format!("{path} has no element {index}"));
                        Val { value: unknown, place: self.track.inside(&of.place, Step::Item(*index)) }
                    }
                    None if matches!(of.value, Value::Unknown(_)) => of,
                    None => Value::Unknown(mistyped()).into(),
                }
            }
            other => self.eval(other),
        }
    }

    /// What a path goes on from: null bars the way.
    pub(super) fn base(&mut self, of: &'a Code) -> Placed<'a, T> {
        let of = self.path(of);
        self.needed(of)
    }

    pub(super) fn item(&mut self, items: &Items<'a>, list: &T::Place, index: usize) -> Placed<'a, T> {
        match items {
            Items::Model(_) => {
                let place = self.track.inside(list, Step::Item(index));
                self.found(items.get(index), place)
            }
            Items::Made(_) => Val { value: items.get(index), place: self.track.inside(list, Step::Item(index)) },
            Items::Keys(_) => items.get(index).into(),
        }
    }

    fn found(&self, value: Value<'a>, place: T::Place) -> Placed<'a, T> {
        Val { value: self.track.found(value, &place, self.expr), place }
    }

    fn bar(&self, place: &T::Place, words: impl FnOnce(&str) -> String) -> Value<'a> {
        self.track.bar(place, self.expr, words)
    }

    /// A value where null will not do.
    pub(super) fn needed(&self, val: Placed<'a, T>) -> Placed<'a, T> {
        match val.value {
            Value::Null => Val { value: self.bar(&val.place, |path| format!("{path} is null")), place: val.place },
            _ => val,
        }
    }

    pub(super) fn exhausted(&self) -> Placed<'a, T> {
        unreadable(format!("this needs more than {} steps; ask less of long lists", self.meter.limit())).into()
    }

    /// A list made of values, each of which keeps its place.
    pub(super) fn made(&self, items: Vec<Placed<'a, T>>) -> Placed<'a, T> {
        let place = self.track.made(&items);
        Val { value: Value::Made(items.into_iter().map(|item| item.value).collect()), place }
    }
}
