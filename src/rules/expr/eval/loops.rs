//! Loops over lists, and the search for the one answer that decides.

use super::{Eval, Truth};
use crate::facts::Value;
use crate::rules::expr::code::{Code, Loop};
use crate::rules::expr::trace::{Place, RawRead, Val};
use crate::rules::expr::values::{Items, mistyped};

impl<'a> Eval<'a, '_> {
    pub(super) fn iterate(&mut self, kind: Loop, range: &'a Code, depth: usize, body: &'a Code) -> Val<'a> {
        let range = if range.is_path() { self.path(range) } else { self.eval(range) };
        let Some(items) = Items::of(&range.value) else {
            self.note(&range);
            return match self.needed(range) {
                unknown @ Val { value: Value::Unknown(_), .. } => Val { place: Place::None, ..unknown },
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
                    self.note(&range);
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

    fn enter(&mut self, range: &Val<'a>, items: &Items<'a>, depth: usize, index: usize) {
        self.locals[depth] = self.item(items, &range.place, index);
    }

    /// `exists` (which true decides) and `all` (which false decides).
    fn search(&mut self, decides: bool, range: &Val<'a>, items: &Items<'a>, depth: usize, body: &'a Code) -> Val<'a> {
        let mut search = Search::new(decides, self.mark());
        for index in 0..items.len() {
            self.enter(range, items, depth, index);
            let from = self.mark();
            let truth = self.condition(body);
            if search.decided(self, from, truth) {
                return Value::Bool(decides).into();
            }
            if self.meter.exhausted() {
                return self.exhausted();
            }
        }
        search.undecided(self).unwrap_or_else(|| {
            self.note(range);
            Value::Bool(!decides).into()
        })
    }

    fn exists_one(&mut self, range: &Val<'a>, items: &Items<'a>, depth: usize, body: &'a Code) -> Val<'a> {
        let mark = self.mark();
        let (mut found, mut unknown, mut why) = (0, None, Vec::new());
        for index in 0..items.len() {
            self.enter(range, items, depth, index);
            let from = self.mark();
            match self.condition(body) {
                Ok(true) => {
                    found += 1;
                    why.extend(self.split(from));
                }
                Ok(false) => {}
                Err(val) => {
                    why.extend(self.split(from));
                    unknown = unknown.or(Some(val.value));
                }
            }
            if self.meter.exhausted() {
                return self.exhausted();
            }
        }
        if found > 0 || unknown.is_some() {
            self.split(mark);
            self.keep(why);
        } else {
            self.note(range);
        }
        match unknown {
            // Two are too many, whatever the others are.
            Some(unknown) if found < 2 => unknown.into(),
            _ => Value::Bool(found == 1).into(),
        }
    }

    fn filter(&mut self, range: &Val<'a>, items: &Items<'a>, depth: usize, body: &'a Code) -> Val<'a> {
        let mark = self.mark();
        let (mut kept, mut why) = (Vec::new(), Vec::new());
        let mut unknown: Option<(Value<'a>, Vec<RawRead<'a>>)> = None;
        for index in 0..items.len() {
            self.enter(range, items, depth, index);
            let from = self.mark();
            match self.condition(body) {
                Ok(true) => {
                    kept.push(self.locals[depth].clone());
                    why.extend(self.split(from));
                }
                Ok(false) => {}
                Err(val) => {
                    let reads = self.split(from);
                    unknown.get_or_insert((val.value, Vec::new())).1.extend(reads);
                }
            }
            if self.meter.exhausted() {
                return self.exhausted();
            }
        }
        if let Some((unknown, reads)) = unknown {
            // One element that may or may not be in it: not even the length is known.
            self.split(mark);
            self.keep(reads);
            return unknown.into();
        }
        if kept.is_empty() {
            self.note(range);
        } else {
            self.split(mark);
            self.keep(why);
        }
        self.made(kept)
    }
}

/// A search for one answer that decides, with what was read on the way.
pub(super) struct Search<'a> {
    decides: bool,
    mark: usize,
    unknown: Option<Value<'a>>,
    why: Vec<RawRead<'a>>,
}

impl<'a> Search<'a> {
    pub(super) const fn new(decides: bool, mark: usize) -> Self {
        Self { decides, mark, unknown: None, why: Vec::new() }
    }

    /// Takes one more answer, whose reads begin at `from`; true when it decides, and then its reads alone are left.
    pub(super) fn decided(&mut self, eval: &mut Eval<'a, '_>, from: usize, truth: Truth<'a>) -> bool {
        match truth {
            Ok(value) if value == self.decides => {
                eval.forget(self.mark, from);
                true
            }
            Ok(_) => false,
            Err(val) => {
                self.why.extend(eval.split(from));
                self.unknown.get_or_insert(val.value);
                false
            }
        }
    }

    /// The unknown that no answer outweighed, with the reads of unknown answers alone; none when all were known.
    pub(super) fn undecided(self, eval: &mut Eval<'a, '_>) -> Option<Val<'a>> {
        let unknown = self.unknown?;
        eval.split(self.mark);
        eval.keep(self.why);
        Some(unknown.into())
    }
}
