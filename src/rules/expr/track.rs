//! What an evaluation keeps beside values. With [`Untracked`] it keeps nothing, and all of this compiles to nothing.

use std::borrow::Cow;

use super::Expr;
use crate::facts::{FieldDef, Object, Reason, Unknown, Value};

/// A value and where it stands in the model.
#[derive(Clone, Debug)]
pub(super) struct Val<'a, P> {
    pub(super) value: Value<'a>,
    pub(super) place: P,
}

impl<'a, P: Default> From<Value<'a>> for Val<'a, P> {
    fn from(value: Value<'a>) -> Self {
        Self { value, place: P::default() }
    }
}

/// A step from one place to a place inside it.
#[derive(Clone, Copy)]
pub(super) enum Step<'a, 'k> {
    Var(usize),
    Field(&'a dyn Object, &'static FieldDef),
    Item(usize),
    Key(&'k str),
}

/// What an evaluation keeps of where its values stand and what it read: all of it ([`Places`](super::trace::Places)), or nothing.
pub(super) trait Track<'a> {
    /// Where a value stands; by default nowhere.
    type Place: Clone + Default;
    /// Reads that were taken away.
    type Reads: Default;

    /// The place one step inside another. A step inside a computed list leads to the place of its element.
    fn inside(&mut self, parent: &Self::Place, step: Step<'a, '_>) -> Self::Place;
    /// The place of a computed list.
    fn made(&self, items: &[Val<'a, Self::Place>]) -> Self::Place;
    /// A value of the model: an unknown one learns its path.
    fn found(&self, value: Value<'a>, place: &Self::Place, expr: &Expr) -> Value<'a>;
    /// Unknown because of what stands at a place.
    fn bar(&self, place: &Self::Place, expr: &Expr, words: impl FnOnce(&str) -> String) -> Value<'a>;
    /// Notes that a value was read.
    fn read(&mut self, val: &Val<'a, Self::Place>);
    /// Notes that a key was looked for and is not there.
    fn read_absent(&mut self, place: &Self::Place);
    /// How many reads there are, to come back to with [`Track::split`] or [`Track::forget`].
    fn mark(&self) -> usize;
    /// Takes the reads since a mark away.
    fn split(&mut self, mark: usize) -> Self::Reads;
    /// Takes the reads since a mark away, to others that were.
    fn split_to(&mut self, mark: usize, reads: &mut Self::Reads);
    /// Gives reads back.
    fn keep(&mut self, reads: Self::Reads);
    /// Drops the reads between two marks.
    fn forget(&mut self, from: usize, to: usize);
}

/// Keeps nothing: an unknown value is not worded.
pub(super) struct Untracked;

impl<'a> Track<'a> for Untracked {
    type Place = ();
    type Reads = ();

    fn inside(&mut self, (): &(), _: Step<'a, '_>) {}

    fn made(&self, _: &[Val<'a, ()>]) {}

    fn found(&self, value: Value<'a>, (): &(), _: &Expr) -> Value<'a> {
        value
    }

    fn bar(&self, (): &(), _: &Expr, _: impl FnOnce(&str) -> String) -> Value<'a> {
        static BARRED: Unknown = Unknown::new(Reason::Unreadable);
        Value::Unknown(Cow::Borrowed(&BARRED))
    }

    fn read(&mut self, _: &Val<'a, ()>) {}

    fn read_absent(&mut self, (): &()) {}

    fn mark(&self) -> usize {
        0
    }

    fn split(&mut self, _: usize) {}

    fn split_to(&mut self, _: usize, (): &mut ()) {}

    fn keep(&mut self, (): ()) {}

    fn forget(&mut self, _: usize, _: usize) {}
}
