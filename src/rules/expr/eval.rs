//! Evaluation in three-valued logic: an unknown operand makes the answer unknown unless the rest decides it.
//! One evaluator serves both modes: without places it is fast, with places it says which facts decided the answer.

use std::borrow::Cow;

use super::code::{Code, Loop, Order};
use super::functions::Function;
use super::trace::{Place, Places, RawRead, Step, Traced, Val, quoted};
use super::values::{Items, equal, mistyped, weight};
use super::{Expr, MAX_LOOPS, Meter, unreadable};
use crate::facts::{Reason, Type, Unknown, Value};

pub(super) struct Eval<'a, 'v> {
    expr: &'a Expr,
    variables: &'v [Value<'a>],
    meter: &'v mut Meter,
    locals: [Val<'a>; MAX_LOOPS],
    places: Option<Places<'a>>,
}

/// A condition's answer; the error is the unknown value.
type Truth<'a> = Result<bool, Val<'a>>;

impl<'a, 'v> Eval<'a, 'v> {
    pub(super) fn new(expr: &'a Expr, variables: &'v [Value<'a>], meter: &'v mut Meter, trace: bool) -> Self {
        let locals = std::array::from_fn(|_| Value::Null.into());
        Self { expr, variables, meter, locals, places: trace.then(Places::new) }
    }

    pub(super) fn run(mut self) -> Traced<'a> {
        let val = self.eval(&self.expr.code);
        let val = if matches!(self.expr.ty, Type::Nullable(_)) { val } else { self.needed(val) };
        match self.places {
            Some(places) => places.finish(val.value, self.expr),
            None => Traced { value: val.value, reads: Vec::new(), left_out: 0 },
        }
    }

    fn eval(&mut self, code: &'a Code) -> Val<'a> {
        if code.is_path() {
            let val = self.path(code);
            if !matches!(val.value, Value::Object(_)) {
                self.note(&val);
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
                let items: Vec<Val<'a>> = items.iter().map(|item| self.eval(item)).collect();
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
            Code::Subtract(sides) => match self.operands(sides.as_slice()) {
                Ok(operands) => match operands.as_slice() {
                    [Val { value: Value::Int(a), .. }, Val { value: Value::Int(b), .. }] => number(a.checked_sub(*b)),
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

    // --- paths ---

    /// The value at a path, not noted as read. Where the way is barred, the place is that of the bar.
    fn path(&mut self, code: &'a Code) -> Val<'a> {
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
    fn base(&mut self, of: &'a Code) -> Val<'a> {
        let of = self.path(of);
        self.needed(of)
    }

    fn inside(&mut self, parent: &Place, step: Step<'a>) -> Place {
        match &mut self.places {
            Some(places) => places.inside(parent, step),
            None => Place::None,
        }
    }

    fn inside_key(&mut self, parent: &Place, key: &str) -> Place {
        if self.places.is_some() { self.inside(parent, Step::Key(key.into())) } else { Place::None }
    }

    fn item(&mut self, items: &Items<'a>, list: &Place, index: usize) -> Val<'a> {
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
    fn found(&self, value: Value<'a>, place: Place) -> Val<'a> {
        let value = match (value, &self.places, &place) {
            (Value::Unknown(unknown), Some(places), Place::At(at)) => {
                let path = places.path(*at, self.expr);
                let detail = match unknown.detail.as_str() {
                    "" => path,
                    detail => format!("{path}: {detail}"),
                };
                Value::Unknown(Cow::Owned(Unknown { reason: unknown.reason, detail }))
            }
            (value, ..) => value,
        };
        Val { value, place }
    }

    /// Unknown because of what stands at a place. Without places it is worded when the evaluation is repeated.
    fn bar(&self, place: &Place, words: impl FnOnce(&str) -> String) -> Value<'a> {
        static BARRED: Unknown = Unknown::new(Reason::Unreadable);
        match (&self.places, place) {
            (None, _) => Value::Unknown(Cow::Borrowed(&BARRED)),
            (Some(places), Place::At(at)) => unreadable(words(&places.path(*at, self.expr))),
            (Some(_), _) => unreadable(words("the value")),
        }
    }

    /// A value where null will not do.
    fn needed(&self, val: Val<'a>) -> Val<'a> {
        match val.value {
            Value::Null => Val { value: self.bar(&val.place, |path| format!("{path} is null")), place: val.place },
            _ => val,
        }
    }

    fn exhausted(&self) -> Val<'a> {
        unreadable(format!("this needs more than {} steps; ask less of long lists", self.meter.limit())).into()
    }

    /// A list made of values, each of which keeps its place.
    fn made(&self, items: Vec<Val<'a>>) -> Val<'a> {
        let place = match self.places {
            Some(_) => Place::Each(items.iter().map(|item| item.place.clone()).collect()),
            None => Place::None,
        };
        Val { value: Value::Made(items.into_iter().map(|item| item.value).collect()), place }
    }

    // --- reads ---

    fn note(&mut self, val: &Val<'a>) {
        if let Some(places) = &mut self.places {
            places.read(val);
        }
    }

    fn mark(&self) -> usize {
        self.places.as_ref().map_or(0, Places::mark)
    }

    fn split(&mut self, mark: usize) -> Vec<RawRead<'a>> {
        self.places.as_mut().map_or_else(Vec::new, |places| places.split(mark))
    }

    fn keep(&mut self, reads: Vec<RawRead<'a>>) {
        if let Some(places) = &mut self.places {
            places.extend(reads);
        }
    }

    fn forget(&mut self, from: usize, to: usize) {
        if let Some(places) = &mut self.places {
            places.forget(from, to);
        }
    }

    // --- conditions ---

    fn truth(&self, val: Val<'a>) -> Truth<'a> {
        match self.needed(val) {
            Val { value: Value::Bool(value), .. } => Ok(value),
            val @ Val { value: Value::Unknown(_), .. } => Err(val),
            _ => Err(Value::Unknown(mistyped()).into()),
        }
    }

    fn condition(&mut self, code: &'a Code) -> Truth<'a> {
        let val = self.eval(code);
        self.truth(val)
    }

    /// `&&` (which false decides) and `||` (which true decides).
    fn connect(&mut self, parts: &'a [Code], decides: bool) -> Val<'a> {
        let mut search = Search::new(decides, self.mark());
        for part in parts {
            let from = self.mark();
            let truth = self.condition(part);
            if search.decided(self, from, truth) {
                return Value::Bool(decides).into();
            }
        }
        search.undecided(self).unwrap_or_else(|| Value::Bool(!decides).into())
    }

    fn choose(&mut self, parts: &'a [Code; 3]) -> Val<'a> {
        let mark = self.mark();
        match self.condition(&parts[0]) {
            Ok(true) => self.eval(&parts[1]),
            Ok(false) => self.eval(&parts[2]),
            Err(unknown) => {
                let why = self.split(mark);
                let (then, otherwise) = (self.eval(&parts[1]), self.eval(&parts[2]));
                if matches!(equal(&then.value, &otherwise.value), Ok(true)) {
                    return Val { value: then.value, place: Place::None };
                }
                self.split(mark);
                self.keep(why);
                unknown
            }
        }
    }

    fn has(&mut self, code: &'a Code) -> Val<'a> {
        let val = match code {
            Code::Key { of, key } => {
                let of = self.path(of);
                match (&of.value, &**key) {
                    (Value::Map(map), Code::Text(key)) if map.get(key).is_none() => {
                        // A key that is not there is an answer, and not a missing fact.
                        let place = self.inside_key(&of.place, key);
                        if let Some(places) = &mut self.places {
                            places.read_absent(&place);
                        }
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
        self.note(&val);
        match val.value {
            Value::Null => Value::Bool(false).into(),
            Value::Unknown(unknown) if unknown.reason == Reason::AbsentOnRelease => Value::Bool(false).into(),
            Value::Unknown(unknown) => Value::Unknown(unknown).into(),
            _ => Value::Bool(true).into(),
        }
    }

    // --- operators ---

    /// Operands that are all needed. When one is unknown, only what the unknown ones read is evidence.
    fn operands(&mut self, codes: &'a [Code]) -> Result<Vec<Val<'a>>, Val<'a>> {
        self.operands_with(codes, false)
    }

    fn operands_with(&mut self, codes: &'a [Code], null: bool) -> Result<Vec<Val<'a>>, Val<'a>> {
        let mark = self.mark();
        let mut operands = Vec::with_capacity(codes.len());
        let mut why = Vec::new();
        let mut unknown = None;
        for code in codes {
            let from = self.mark();
            let val = self.eval(code);
            let val = if null { val } else { self.needed(val) };
            if matches!(val.value, Value::Unknown(_)) {
                why.extend(self.split(from));
                unknown = unknown.or(Some(val));
            } else {
                operands.push(val);
            }
        }
        match unknown {
            None => Ok(operands),
            Some(unknown) => {
                self.split(mark);
                self.keep(why);
                Err(Val { value: unknown.value, place: Place::None })
            }
        }
    }

    fn equal(&mut self, sides: &'a [Code; 2], not: bool) -> Val<'a> {
        let operands = match self.operands_with(sides, true) {
            Ok(operands) => operands,
            Err(unknown) => return unknown,
        };
        let [a, b] = operands.as_slice() else { return Value::Unknown(mistyped()).into() };
        if !self.meter.step(weight(&a.value)) {
            return self.exhausted();
        }
        equal(&a.value, &b.value).map_or_else(Value::Unknown, |same| Value::Bool(same != not)).into()
    }

    fn order(&mut self, sides: &'a [Code; 2], order: Order) -> Val<'a> {
        let operands = match self.operands(sides) {
            Ok(operands) => operands,
            Err(unknown) => return unknown,
        };
        let ordering = match operands.as_slice() {
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

    fn membership(&mut self, sides: &'a [Code; 2]) -> Val<'a> {
        let mark = self.mark();
        let needle = self.eval(&sides[0]);
        let between = self.mark();
        let within = self.eval(&sides[1]);
        let within = self.needed(within);
        if let Some(items) = Items::of(&within.value)
            && items.len() == 0
        {
            // Nothing is in an empty list.
            self.forget(mark, between);
            return Value::Bool(false).into();
        }
        if !self.meter.step(weight(&within.value)) {
            return self.exhausted();
        }
        match (needle.value, within.value) {
            (needle, Value::Unknown(unknown)) => {
                if !matches!(needle, Value::Unknown(_)) {
                    self.forget(mark, between);
                }
                Value::Unknown(unknown).into()
            }
            (Value::Unknown(unknown), _) => {
                self.split(between);
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

    fn int(&self, of: Val<'a>, to: fn(i64) -> Option<i64>) -> Val<'a> {
        match self.needed(of) {
            Val { value: Value::Int(value), .. } => number(to(value)),
            unknown @ Val { value: Value::Unknown(_), .. } => unknown,
            _ => Value::Unknown(mistyped()).into(),
        }
    }

    fn add(&mut self, sides: &'a [Code; 2]) -> Val<'a> {
        let operands = match self.operands(sides) {
            Ok(operands) => operands,
            Err(unknown) => return unknown,
        };
        let [a, b] = operands.as_slice() else { return Value::Unknown(mistyped()).into() };
        if !self.meter.step(weight(&a.value).saturating_add(weight(&b.value))) {
            return self.exhausted();
        }
        match (&a.value, &b.value) {
            (Value::Int(a), Value::Int(b)) => number(a.checked_add(*b)),
            (Value::Text(a), Value::Text(b)) => Value::Text(Cow::Owned(format!("{a}{b}"))).into(),
            (left, right) => match (Items::of(left), Items::of(right)) {
                (Some(left), Some(right)) => {
                    let mut items: Vec<Val<'a>> = Vec::with_capacity(left.len() + right.len());
                    items.extend((0..left.len()).map(|index| self.item(&left, &a.place, index)));
                    items.extend((0..right.len()).map(|index| self.item(&right, &b.place, index)));
                    self.made(items)
                }
                _ => Value::Unknown(mistyped()).into(),
            },
        }
    }

    fn call(&mut self, function: &'static Function, args: &'a [Code]) -> Val<'a> {
        let args = match self.operands(args) {
            Ok(args) => args,
            Err(unknown) => return unknown,
        };
        let args: Vec<Value<'a>> = args.into_iter().map(|arg| arg.value).collect();
        if !self.meter.step(args.iter().map(weight).sum()) {
            return self.exhausted();
        }
        function.call(&args, self.expr.feature_name).into()
    }

    // --- loops ---

    fn iterate(&mut self, kind: Loop, range: &'a Code, depth: usize, body: &'a Code) -> Val<'a> {
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

fn number<'a>(value: Option<i64>) -> Val<'a> {
    value.map_or_else(|| unreadable("a number does not fit into 64 bits"), Value::Int).into()
}

/// A search for one answer that decides, with what was read on the way.
struct Search<'a> {
    decides: bool,
    mark: usize,
    unknown: Option<Value<'a>>,
    why: Vec<RawRead<'a>>,
}

impl<'a> Search<'a> {
    const fn new(decides: bool, mark: usize) -> Self {
        Self { decides, mark, unknown: None, why: Vec::new() }
    }

    /// Takes one more answer, whose reads begin at `from`; true when it decides, and then its reads alone are left.
    fn decided(&mut self, eval: &mut Eval<'a, '_>, from: usize, truth: Truth<'a>) -> bool {
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
    fn undecided(self, eval: &mut Eval<'a, '_>) -> Option<Val<'a>> {
        let unknown = self.unknown?;
        eval.split(self.mark);
        eval.keep(self.why);
        Some(unknown.into())
    }
}
