//! Evaluation in three-valued logic: an unknown operand makes the answer unknown unless the rest decides it.
//! One evaluator serves both modes: untracked it is fast, with places it says which facts decided the answer.

mod loops;
mod paths;

use std::borrow::Cow;

use super::code::{Code, Order};
use super::functions::{Function, MAX_PARAMS};
use super::trace::{Places, Traced};
use super::track::{Step, Track, Untracked, Val};
use super::values::{Items, equal, mistyped, weight};
use super::{Expr, MAX_LOOPS, Meter, unreadable};
use crate::facts::{Reason, Type, Value};
use loops::Search;

struct Eval<'a, 'v, T: Track<'a>> {
    expr: &'a Expr,
    variables: &'v [Value<'a>],
    meter: &'v mut Meter,
    locals: [Placed<'a, T>; MAX_LOOPS],
    track: T,
}

/// A value with its place, as far as the evaluation keeps it.
type Placed<'a, T> = Val<'a, <T as Track<'a>>::Place>;

/// A condition's answer; the error is the unknown value.
type Truth<'a, T> = Result<bool, Placed<'a, T>>;

/// The value, without words where it is unknown.
pub(super) fn value<'a>(expr: &'a Expr, variables: &[Value<'a>], meter: &mut Meter) -> Value<'a> {
    Eval::new(expr, variables, meter, Untracked).run().0
}

/// The value and the reads that decided it.
pub(super) fn traced<'a>(expr: &'a Expr, variables: &[Value<'a>], meter: &mut Meter) -> Traced<'a> {
    let (value, places) = Eval::new(expr, variables, meter, Places::new()).run();
    places.finish(value, expr)
}

impl<'a, 'v, T: Track<'a>> Eval<'a, 'v, T> {
    fn new(expr: &'a Expr, variables: &'v [Value<'a>], meter: &'v mut Meter, track: T) -> Self {
        Self { expr, variables, meter, locals: std::array::from_fn(|_| Value::Null.into()), track }
    }

    fn run(mut self) -> (Value<'a>, T) {
        let val = self.eval(&self.expr.code);
        let val = if matches!(self.expr.ty, Type::Nullable(_)) { val } else { self.needed(val) };
        (val.value, self.track)
    }

    fn eval(&mut self, code: &'a Code) -> Placed<'a, T> {
        if code.is_path() {
            let val = self.path(code);
            if !matches!(val.value, Value::Object(_)) {
                self.track.read(&val);
            }
            return val;
        }
        if !self.meter.step(1) {
            return self.exhausted();
        }
        match code {
            Code::Null => Value::Null.into(),
            Code::Bool(value) => Value::Bool(*value).into(),
            Code::Int(value) => Value::Int(*value).into(),
            Code::Text(text) => Value::Text(Cow::Borrowed(text)).into(),
            Code::List(items) => {
                let items: Vec<Placed<'a, T>> = items.iter().map(|item| self.eval(item)).collect();
                self.made(items)
            }
            Code::Not(of) => match self.condition(of) {
                Ok(value) => Value::Bool(!value).into(),
                Err(unknown) => unknown,
            },
            Code::Negate(of) => {
                let of = self.eval(of);
                self.int(of, i64::checked_neg)
            }
            Code::And(parts) => self.connect(parts, false),
            Code::Or(parts) => self.connect(parts, true),
            Code::Equal { sides, not } => self.equal(sides, *not),
            Code::Order { sides, order } => self.order(sides, *order),
            Code::In(sides) => self.membership(sides),
            Code::Add(sides) => self.add(sides),
            Code::Subtract(sides) => match self.both(sides, false) {
                Ok(operands) => match operands {
                    [Val { value: Value::Int(a), .. }, Val { value: Value::Int(b), .. }] => number(a.checked_sub(b)),
                    _ => Value::Unknown(mistyped()).into(),
                },
                Err(unknown) => unknown,
            },
            Code::Choose(parts) => self.choose(parts),
            Code::Has(of) => self.has(of),
            Code::Loop { kind, range, depth, body } => self.iterate(*kind, range, *depth, body),
            Code::Call { function, args } => self.call(function, args),
            Code::Var(_) | Code::Local(_) | Code::Field { .. } | Code::Key { .. } | Code::Item { .. } => {
                self.path(code)
            }
        }
    }

    // --- conditions ---

    fn truth(&self, val: Placed<'a, T>) -> Truth<'a, T> {
        match self.needed(val) {
            Val { value: Value::Bool(value), .. } => Ok(value),
            val @ Val { value: Value::Unknown(_), .. } => Err(val),
            _ => Err(Value::Unknown(mistyped()).into()),
        }
    }

    fn condition(&mut self, code: &'a Code) -> Truth<'a, T> {
        let val = self.eval(code);
        self.truth(val)
    }

    /// `&&` (which false decides) and `||` (which true decides).
    fn connect(&mut self, parts: &'a [Code], decides: bool) -> Placed<'a, T> {
        let mut search = Search::new(decides, self.track.mark());
        for part in parts {
            let from = self.track.mark();
            let truth = self.condition(part);
            if search.decided(self, from, truth) {
                return Value::Bool(decides).into();
            }
        }
        search.undecided(self).unwrap_or_else(|| Value::Bool(!decides).into())
    }

    fn choose(&mut self, parts: &'a [Code; 3]) -> Placed<'a, T> {
        let mark = self.track.mark();
        match self.condition(&parts[0]) {
            Ok(true) => self.eval(&parts[1]),
            Ok(false) => self.eval(&parts[2]),
            Err(unknown) => {
                let why = self.track.split(mark);
                let (then, otherwise) = (self.eval(&parts[1]), self.eval(&parts[2]));
                if matches!(equal(&then.value, &otherwise.value), Ok(true)) {
                    return then.value.into();
                }
                self.track.split(mark);
                self.track.keep(why);
                unknown
            }
        }
    }

    fn has(&mut self, code: &'a Code) -> Placed<'a, T> {
        let val = match code {
            Code::Key { of, key } => {
                let of = self.path(of);
                match (&of.value, &**key) {
                    (Value::Map(map), Code::Text(key)) if map.get(key).is_none() => {
                        // A key that is not there is an answer, and not a missing fact.
                        let place = self.track.inside(&of.place, Step::Key(key));
                        self.track.read_absent(&place);
                        return Value::Bool(false).into();
                    }
                    (Value::Map(_), _) => self.path(code),
                    _ => of,
                }
            }
            Code::Field { of, .. } => {
                let of = self.path(of);
                if matches!(of.value, Value::Object(_)) { self.path(code) } else { of }
            }
            _ => self.path(code),
        };
        self.track.read(&val);
        match val.value {
            Value::Null => Value::Bool(false).into(),
            Value::Unknown(unknown) if unknown.reason == Reason::AbsentOnRelease => Value::Bool(false).into(),
            Value::Unknown(unknown) => Value::Unknown(unknown).into(),
            _ => Value::Bool(true).into(),
        }
    }

    // --- operators ---

    /// Operands that are all needed. When one is unknown, only what the unknown ones read is evidence.
    fn operands(&mut self, codes: &'a [Code]) -> Result<[Value<'a>; MAX_PARAMS], Placed<'a, T>> {
        let mark = self.track.mark();
        let mut operands = [const { Value::Null }; MAX_PARAMS];
        let (mut why, mut unknown) = (T::Reads::default(), None);
        for (code, place) in codes.iter().zip(&mut operands) {
            match self.operand(code, false, &mut why) {
                Ok(operand) => *place = operand.value,
                Err(val) => unknown = unknown.or(Some(val)),
            }
        }
        match unknown {
            None => Ok(operands),
            Some(unknown) => Err(self.for_want_of(unknown, mark, why)),
        }
    }

    /// The same of two, which most operators have; `null` where null is a value like others.
    fn both(&mut self, [a, b]: &'a [Code; 2], null: bool) -> Result<[Placed<'a, T>; 2], Placed<'a, T>> {
        let mark = self.track.mark();
        let mut why = T::Reads::default();
        match (self.operand(a, null, &mut why), self.operand(b, null, &mut why)) {
            (Ok(a), Ok(b)) => Ok([a, b]),
            (Err(unknown), _) | (_, Err(unknown)) => Err(self.for_want_of(unknown, mark, why)),
        }
    }

    /// One operand; where it is unknown, what it read is moved to `why`.
    fn operand(&mut self, code: &'a Code, null: bool, why: &mut T::Reads) -> Result<Placed<'a, T>, Placed<'a, T>> {
        let from = self.track.mark();
        let val = self.eval(code);
        let val = if null { val } else { self.needed(val) };
        if matches!(val.value, Value::Unknown(_)) {
            self.track.split_to(from, why);
            return Err(val);
        }
        Ok(val)
    }

    fn for_want_of(&mut self, unknown: Placed<'a, T>, mark: usize, why: T::Reads) -> Placed<'a, T> {
        self.track.split(mark);
        self.track.keep(why);
        unknown.value.into()
    }

    fn equal(&mut self, sides: &'a [Code; 2], not: bool) -> Placed<'a, T> {
        let [a, b] = match self.both(sides, true) {
            Ok(operands) => operands,
            Err(unknown) => return unknown,
        };
        if !self.meter.step(weight(&a.value)) {
            return self.exhausted();
        }
        equal(&a.value, &b.value).map_or_else(Value::Unknown, |same| Value::Bool(same != not)).into()
    }

    fn order(&mut self, sides: &'a [Code; 2], order: Order) -> Placed<'a, T> {
        let operands = match self.both(sides, false) {
            Ok(operands) => operands,
            Err(unknown) => return unknown,
        };
        let ordering = match &operands {
            [Val { value: Value::Int(a), .. }, Val { value: Value::Int(b), .. }] => a.cmp(b),
            [Val { value: Value::Text(a), .. }, Val { value: Value::Text(b), .. }] => a.cmp(b),
            _ => return Value::Unknown(mistyped()).into(),
        };
        Value::Bool(match order {
            Order::Less => ordering.is_lt(),
            Order::LessOrEqual => ordering.is_le(),
            Order::Greater => ordering.is_gt(),
            Order::GreaterOrEqual => ordering.is_ge(),
        })
        .into()
    }

    fn membership(&mut self, sides: &'a [Code; 2]) -> Placed<'a, T> {
        let mark = self.track.mark();
        let needle = self.eval(&sides[0]);
        let between = self.track.mark();
        let within = self.eval(&sides[1]);
        let within = self.needed(within);
        if let Some(items) = Items::of(&within.value)
            && items.len() == 0
        {
            // Nothing is in an empty list.
            self.track.forget(mark, between);
            return Value::Bool(false).into();
        }
        if !self.meter.step(weight(&within.value)) {
            return self.exhausted();
        }
        match (needle.value, within.value) {
            (needle, Value::Unknown(unknown)) => {
                if !matches!(needle, Value::Unknown(_)) {
                    self.track.forget(mark, between);
                }
                Value::Unknown(unknown).into()
            }
            (Value::Unknown(unknown), _) => {
                self.track.split(between);
                Value::Unknown(unknown).into()
            }
            (Value::Text(key), Value::Map(map)) => Value::Bool(map.get(&key).is_some()).into(),
            (Value::Null, Value::Map(_)) => self.needed(Val { value: Value::Null, place: needle.place }),
            (needle, within) => {
                let Some(items) = Items::of(&within) else { return Value::Unknown(mistyped()).into() };
                let mut missing = None;
                for item in items.iter() {
                    match equal(&needle, &item) {
                        Ok(true) => return Value::Bool(true).into(),
                        Ok(false) => {}
                        Err(unknown) => missing = missing.or(Some(unknown)),
                    }
                }
                missing.map_or(Value::Bool(false), Value::Unknown).into()
            }
        }
    }

    fn int(&self, of: Placed<'a, T>, to: fn(i64) -> Option<i64>) -> Placed<'a, T> {
        match self.needed(of) {
            Val { value: Value::Int(value), .. } => number(to(value)),
            unknown @ Val { value: Value::Unknown(_), .. } => unknown,
            _ => Value::Unknown(mistyped()).into(),
        }
    }

    fn add(&mut self, sides: &'a [Code; 2]) -> Placed<'a, T> {
        let [a, b] = match self.both(sides, false) {
            Ok(operands) => operands,
            Err(unknown) => return unknown,
        };
        if !self.meter.step(weight(&a.value).saturating_add(weight(&b.value))) {
            return self.exhausted();
        }
        match (&a.value, &b.value) {
            (Value::Int(a), Value::Int(b)) => number(a.checked_add(*b)),
            (Value::Text(a), Value::Text(b)) => Value::Text(Cow::Owned(format!("{a}{b}"))).into(),
            (left, right) => match (Items::of(left), Items::of(right)) {
                (Some(left), Some(right)) => {
                    let mut items: Vec<Placed<'a, T>> = Vec::with_capacity(left.len() + right.len());
                    items.extend((0..left.len()).map(|index| self.item(&left, &a.place, index)));
                    items.extend((0..right.len()).map(|index| self.item(&right, &b.place, index)));
                    self.made(items)
                }
                _ => Value::Unknown(mistyped()).into(),
            },
        }
    }

    fn call(&mut self, function: &'static Function, args: &'a [Code]) -> Placed<'a, T> {
        let operands = match self.operands(args) {
            Ok(operands) => operands,
            Err(unknown) => return unknown,
        };
        let args = &operands[..args.len()];
        if !self.meter.step(args.iter().map(weight).sum()) {
            return self.exhausted();
        }
        function.call(args, self.expr.feature_name).into()
    }
}

fn number<'a, P: Default>(value: Option<i64>) -> Val<'a, P> {
    value.map_or_else(|| unreadable("a number does not fit into 64 bits"), Value::Int).into()
}
