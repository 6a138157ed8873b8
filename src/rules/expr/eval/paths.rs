//! The way to a fact: variables, fields, keys and positions; and what was read on it.

use std::borrow::Cow;

use super::Eval;
use crate::facts::{Reason, Unknown, Value};
use crate::rules::expr::code::Code;
use crate::rules::expr::trace::{Place, Places, RawRead, Step, Val, quoted};
use crate::rules::expr::unreadable;
use crate::rules::expr::values::{Items, mistyped};

impl<'a> Eval<'a, '_> {
    /// The value at a path, not noted as read. Where the way is barred, the place is that of the bar.
    pub(super) fn path(&mut self, code: &'a Code) -> Val<'a> {
        if !self.meter.step(1) {
            return self.exhausted();
        }
        match code {
            Code::Var(slot) => {
                let place = self.inside(&Place::None, Step::Var(*slot));
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
                        let place = self.inside(&of.place, Step::Field(object, def));
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
                            let place = self.inside_key(&of.place, &key);
                            self.found(value, place)
                        }
                        None => {
                            let unknown = self.bar(&of.place, |path| format!("{path} has no key {}", quoted(&key)));
                            Val { value: unknown, place: self.inside_key(&of.place, &key) }
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
                        Val { value: unknown, place: self.inside(&of.place, Step::Item(*index)) }
                    }
                    None if matches!(of.value, Value::Unknown(_)) => of,
                    None => Value::Unknown(mistyped()).into(),
                }
            }
            other => self.eval(other),
        }
    }

    /// What a path goes on from: null bars the way.
    pub(super) fn base(&mut self, of: &'a Code) -> Val<'a> {
        let of = self.path(of);
        self.needed(of)
    }

    pub(super) fn inside(&mut self, parent: &Place, step: Step<'a>) -> Place {
        match &mut self.places {
            Some(places) => places.inside(parent, step),
            None => Place::None,
        }
    }

    pub(super) fn inside_key(&mut self, parent: &Place, key: &str) -> Place {
        if self.places.is_some() { self.inside(parent, Step::Key(key.into())) } else { Place::None }
    }

    pub(super) fn item(&mut self, items: &Items<'a>, list: &Place, index: usize) -> Val<'a> {
        match items {
            Items::Model(_) => {
                let place = self.inside(list, Step::Item(index));
                self.found(items.get(index), place)
            }
            Items::Made(_) => Val { value: items.get(index), place: self.inside(list, Step::Item(index)) },
            Items::Keys(_) => items.get(index).into(),
        }
    }

    /// A value of the model: an unknown one learns its path, when places are kept.
    pub(super) fn found(&self, value: Value<'a>, place: Place) -> Val<'a> {
        let value = match (value, &self.places, &place) {
            (Value::Unknown(unknown), Some(places), Place::At(at)) => {
                let path = places.path(*at, self.expr);
                let detail = match unknown.detail() {
                    "" => path,
                    detail => format!("{path}: {detail}"),
                };
                Value::Unknown(Cow::Owned(Unknown::because(unknown.reason, detail)))
            }
            (value, ..) => value,
        };
        Val { value, place }
    }

    /// Unknown because of what stands at a place. Without places it is worded when the evaluation is repeated.
    pub(super) fn bar(&self, place: &Place, words: impl FnOnce(&str) -> String) -> Value<'a> {
        static BARRED: Unknown = Unknown::new(Reason::Unreadable);
        match (&self.places, place) {
            (None, _) => Value::Unknown(Cow::Borrowed(&BARRED)),
            (Some(places), Place::At(at)) => unreadable(words(&places.path(*at, self.expr))),
            (Some(_), _) => unreadable(words("the value")),
        }
    }

    /// A value where null will not do.
    pub(super) fn needed(&self, val: Val<'a>) -> Val<'a> {
        match val.value {
            Value::Null => Val { value: self.bar(&val.place, |path| format!("{path} is null")), place: val.place },
            _ => val,
        }
    }

    pub(super) fn exhausted(&self) -> Val<'a> {
        unreadable(format!("this needs more than {} steps; ask less of long lists", self.meter.limit())).into()
    }

    /// A list made of values, each of which keeps its place.
    pub(super) fn made(&self, items: Vec<Val<'a>>) -> Val<'a> {
        let place = match self.places {
            Some(_) => Place::Each(items.iter().map(|item| item.place.clone()).collect()),
            None => Place::None,
        };
        Val { value: Value::Made(items.into_iter().map(|item| item.value).collect()), place }
    }

    // --- reads ---

    pub(super) fn note(&mut self, val: &Val<'a>) {
        if let Some(places) = &mut self.places {
            places.read(val);
        }
    }

    pub(super) fn mark(&self) -> usize {
        self.places.as_ref().map_or(0, Places::mark)
    }

    pub(super) fn split(&mut self, mark: usize) -> Vec<RawRead<'a>> {
        self.places.as_mut().map_or_else(Vec::new, |places| places.split(mark))
    }

    pub(super) fn keep(&mut self, reads: Vec<RawRead<'a>>) {
        if let Some(places) = &mut self.places {
            places.extend(reads);
        }
    }

    pub(super) fn forget(&mut self, from: usize, to: usize) {
        if let Some(places) = &mut self.places {
            places.forget(from, to);
        }
    }
}
