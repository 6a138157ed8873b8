//! Loops over lists, and the search for the one answer that decides.

use super::{Eval, Placed, Truth};
use crate::facts::Value;
use crate::rules::expr::code::{Code, Loop};
use crate::rules::expr::track::{Track, Val};
use crate::rules::expr::values::{Items, mistyped};

impl<'a, T: Track<'a>> Eval<'a, '_, T> {
    pub(super) fn iterate(&mut self, kind: Loop, range: &'a Code, depth: usize, body: &'a Code) -> Placed<'a, T> {
        let range = if range.is_path() { self.path(range) } else { self.eval(range) };
        let Some(items) = Items::of(&range.value) else {
            self.track.read(&range);
            return match self.needed(range) {
                Val { value: unknown @ Value::Unknown(_), .. } => unknown.into(),
                _ => Value::Unknown(mistyped()).into(),
            };
        };
        match kind {
            Loop::Exists => self.search(true, &range, &items, depth, body),
            Loop::All => self.search(false, &range, &items, depth, body),
            Loop::ExistsOne => self.exists_one(&range, &items, depth, body),
            Loop::Filter => self.filter(&range, &items, depth, body),
            Loop::Map => {
                let mut made = Vec::with_capacity(items.len());
                if items.len() == 0 {
                    self.track.read(&range);
                }
                for index in 0..items.len() {
                    self.enter(&range, &items, depth, index);
                    made.push(self.eval(body));
                    if self.meter.exhausted() {
                        return self.exhausted();
                    }
                }
                self.made(made)
            }
        }
    }

    fn enter(&mut self, range: &Placed<'a, T>, items: &Items<'a>, depth: usize, index: usize) {
        self.locals[depth] = self.item(items, &range.place, index);
    }

    /// `exists` (which true decides) and `all` (which false decides).
    fn search(
        &mut self,
        decides: bool,
        range: &Placed<'a, T>,
        items: &Items<'a>,
        depth: usize,
        body: &'a Code,
    ) -> Placed<'a, T> {
        let mut search = Search::new(decides, self.track.mark());
        for index in 0..items.len() {
            self.enter(range, items, depth, index);
            let from = self.track.mark();
            let truth = self.condition(body);
            if search.decided(self, from, truth) {
                return Value::Bool(decides).into();
            }
            if self.meter.exhausted() {
                return self.exhausted();
            }
        }
        search.undecided(self).unwrap_or_else(|| {
            self.track.read(range);
            Value::Bool(!decides).into()
        })
    }

    fn exists_one(
        &mut self,
        range: &Placed<'a, T>,
        items: &Items<'a>,
        depth: usize,
        body: &'a Code,
    ) -> Placed<'a, T> {
        let mark = self.track.mark();
        let (mut found, mut unknown, mut why) = (0, None, T::Reads::default());
        for index in 0..items.len() {
            self.enter(range, items, depth, index);
            let from = self.track.mark();
            match self.condition(body) {
                Ok(true) => {
                    found += 1;
                    self.track.split_to(from, &mut why);
                }
                Ok(false) => {}
                Err(val) => {
                    self.track.split_to(from, &mut why);
                    unknown = unknown.or(Some(val.value));
                }
            }
            if self.meter.exhausted() {
                return self.exhausted();
            }
        }
        if found > 0 || unknown.is_some() {
            self.track.split(mark);
            self.track.keep(why);
        } else {
            self.track.read(range);
        }
        match unknown {
            // Two are too many, whatever the others are.
            Some(unknown) if found < 2 => unknown.into(),
            _ => Value::Bool(found == 1).into(),
        }
    }

    fn filter(&mut self, range: &Placed<'a, T>, items: &Items<'a>, depth: usize, body: &'a Code) -> Placed<'a, T> {
        let mark = self.track.mark();
        let (mut kept, mut why) = (Vec::new(), T::Reads::default());
        let mut unknown: Option<(Value<'a>, T::Reads)> = None;
        for index in 0..items.len() {
            self.enter(range, items, depth, index);
            let from = self.track.mark();
            match self.condition(body) {
                Ok(true) => {
                    kept.push(self.locals[depth].clone());
                    self.track.split_to(from, &mut why);
                }
                Ok(false) => {}
                Err(val) => {
                    let (_, reads) = unknown.get_or_insert((val.value, T::Reads::default()));
                    self.track.split_to(from, reads);
                }
            }
            if self.meter.exhausted() {
                return self.exhausted();
            }
        }
        if let Some((unknown, reads)) = unknown {
            // One element that may or may not be in it: not even the length is known.
            self.track.split(mark);
            self.track.keep(reads);
            return unknown.into();
        }
        if kept.is_empty() {
            self.track.read(range);
        } else {
            self.track.split(mark);
            self.track.keep(why);
        }
        self.made(kept)
    }
}

/// A search for one answer that decides, with what was read on the way.
pub(super) struct Search<'a, T: Track<'a>> {
    decides: bool,
    mark: usize,
    unknown: Option<Value<'a>>,
    why: T::Reads,
}

impl<'a, T: Track<'a>> Search<'a, T> {
    pub(super) fn new(decides: bool, mark: usize) -> Self {
        Self { decides, mark, unknown: None, why: T::Reads::default() }
    }

    /// Takes one more answer, whose reads begin at `from`; true when it decides, and then its reads alone are left.
    pub(super) fn decided(&mut self, eval: &mut Eval<'a, '_, T>, from: usize, truth: Truth<'a, T>) -> bool {
        match truth {
            Ok(value) if value == self.decides => {
                eval.track.forget(self.mark, from);
                true
            }
            Ok(_) => false,
            Err(val) => {
                eval.track.split_to(from, &mut self.why);
                self.unknown.get_or_insert(val.value);
                false
            }
        }
    }

    /// The unknown that no answer outweighed, with the reads of unknown answers alone; none when all were known.
    pub(super) fn undecided(self, eval: &mut Eval<'a, '_, T>) -> Option<Placed<'a, T>> {
        let unknown = self.unknown?;
        eval.track.split(self.mark);
        eval.track.keep(self.why);
        Some(unknown.into())
    }
}
