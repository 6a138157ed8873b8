//! The functions of the language, in one table: the checker reads the signatures, the evaluator calls the
//! implementations, the documentation prints both.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::types::Ty;
use super::unreadable;
use super::values::{Items, Key, key, mistyped};
use crate::facts::{Featureset, Type, Unknown, Value};

/// How a feature (word × 32 + bit) is called.
pub type FeatureName = fn(usize) -> String;

/// What features are called where nobody says better: `9:5`.
pub(super) fn word_and_bit(feature: usize) -> String {
    format!("{}:{}", feature / 32, feature % 32)
}

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// Its name; `sets.contains` has a dot in it.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    pub(super) style: Style,
    pub(super) params: &'static [(&'static str, Param)],
    /// How many of the last parameters may be left out.
    pub(super) optional: usize,
    pub(super) result: Gives,
    run: Run,
}

/// Arguments are neither unknown nor null, but the elements of a list may be.
type Run = for<'v> fn(&[Value<'v>], FeatureName) -> Value<'v>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `text.contains(part)`
    Method,
    /// `subset(a, b)`
    Free,
    /// `size(x)` and `x.size()`
    Either,
}

/// What an argument may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Param {
    Int,
    Text,
    Features,
    Texts,
    /// A list of what can be compared.
    List,
    /// A list like the first argument.
    SameList,
    /// Text, list or map.
    Sized,
    /// int, bool or text.
    Scalar,
}

/// What a function gives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gives {
    Bool,
    Int,
    Text,
    Texts,
    /// The type of the first argument.
    First,
}

impl Param {
    pub(super) fn takes(self, ty: Ty, first: Ty) -> bool {
        match self {
            Self::Int => ty.fits(Type::Int),
            Self::Text => ty.fits(Type::Text),
            Self::Features => ty.fits(Type::Features),
            Self::Texts => ty.fits(Type::List(&Type::Nullable(&Type::Text))),
            Self::List => ty.element().is_some_and(Ty::comparable) || matches!(ty, Ty::EmptyList),
            Self::SameList => Self::List.takes(ty, first) && first.join(ty.plain()).is_some(),
            Self::Sized => {
                matches!(ty.plain(), Ty::Of(Type::Text | Type::List(_) | Type::Map(_)) | Ty::EmptyList | Ty::Wrong)
            }
            Self::Scalar => matches!(ty.plain(), Ty::Of(Type::Int | Type::Bool | Type::Text) | Ty::Wrong),
        }
    }

    pub(super) fn describe(self, first: Ty) -> String {
        match (self, first) {
            (Self::Int, _) => "int".to_owned(),
            (Self::Text, _) => "text".to_owned(),
            (Self::Features, _) => "features".to_owned(),
            (Self::Texts, _) => "list of text".to_owned(),
            (Self::SameList, Ty::Of(first)) => first.to_string(),
            (Self::List | Self::SameList, _) => "list".to_owned(),
            (Self::Sized, _) => "text, list or map".to_owned(),
            (Self::Scalar, _) => "int, bool or text".to_owned(),
        }
    }
}

impl Function {
    /// `text.contains(part: text) -> bool`
    pub fn signature(&self) -> String {
        let param = |(name, param): &(&str, Param)| format!("{name}: {}", param.describe(Ty::Wrong));
        let (this, rest) = match (self.style, self.params) {
            (Style::Method, [(this, _), rest @ ..]) => (format!("{this}."), rest),
            (_, params) => (String::new(), params),
        };
        let required = rest.len() - self.optional.min(rest.len());
        let mut params = rest[..required].iter().map(param).collect::<Vec<_>>().join(", ");
        for extra in &rest[required..] {
            params.push_str(&format!("[{}{}]", if params.is_empty() { "" } else { ", " }, param(extra)));
        }
        let result = match self.result {
            Gives::Bool => "bool",
            Gives::Int => "int",
            Gives::Text => "text",
            Gives::Texts => "list of text",
            Gives::First => "the same list",
        };
        format!("{this}{}({params}) -> {result}", self.name)
    }

    pub(super) fn call<'v>(&self, args: &[Value<'v>], feature_name: FeatureName) -> Value<'v> {
        (self.run)(args, feature_name)
    }
}

/// All functions, by name.
pub const fn functions() -> &'static [Function] {
    &FUNCTIONS
}

pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// What stands before the dot in names of functions: `sets`.
pub(super) fn spaces() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().filter_map(|function| function.name.split_once('.')).map(|(space, _)| space)
}

/// A form of the language that is no function, because its arguments are not evaluated once.
#[derive(Debug)]
pub struct MacroDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub signature: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// All macros.
pub const MACROS: [MacroDoc; 6] = [
    MacroDoc {
        name: "has",
        signature: "has(path) -> bool",
        doc: "Whether a fact is there: not null, and not absent on this release. Unknown when it was not collected.",
    },
    MacroDoc {
        name: "exists",
        signature: "list.exists(x, condition) -> bool",
        doc: "Whether the condition holds for some element; over a map, for some key.",
    },
    MacroDoc {
        name: "all",
        signature: "list.all(x, condition) -> bool",
        doc: "Whether the condition holds for every element; over a map, for every key.",
    },
    MacroDoc {
        name: "exists_one",
        signature: "list.exists_one(x, condition) -> bool",
        doc: "Whether the condition holds for exactly one element; over a map, for exactly one key.",
    },
    MacroDoc {
        name: "filter",
        signature: "list.filter(x, condition) -> list",
        doc: "The elements for which the condition holds; of a map, the keys. Unknown when one condition is.",
    },
    MacroDoc {
        name: "map",
        signature: "list.map(x, [condition,] expression) -> list",
        doc: "The expression for each element (for which the condition holds); of a map, for each key.",
    },
];

macro_rules! table {
    ($( $style:ident $name:literal ($($param:literal : $kind:ident),* $(; $($extra:literal : $extra_kind:ident),*)?)
        -> $result:ident, $run:expr, $doc:literal; )*) => {
        [$( Function {
            name: $name,
            doc: $doc,
            style: Style::$style,
            params: &[$(($param, Param::$kind),)* $($(($extra, Param::$extra_kind),)*)?],
            optional: { const EXTRA: &[&str] = &[$($($extra),*)?]; EXTRA.len() },
            result: Gives::$result,
            run: $run,
        }, )*]
    };
}

static FUNCTIONS: [Function; 21] = table! {
    Either "size"("of": Sized) -> Int, size,
        "How many characters a text, elements a list or keys a map has.";
    Method "startsWith"("text": Text, "prefix": Text) -> Bool, |args, _| about(args, |text, part| text.starts_with(part)),
        "Whether a text begins with another.";
    Method "endsWith"("text": Text, "suffix": Text) -> Bool, |args, _| about(args, |text, part| text.ends_with(part)),
        "Whether a text ends with another.";
    Method "contains"("text": Text, "part": Text) -> Bool, |args, _| about(args, |text, part| text.contains(part)),
        "Whether a text is part of another.";
    Method "lowerAscii"("text": Text) -> Text, |args, _| change(args, |text| text.to_ascii_lowercase()),
        "A text with the letters A to Z in lower case.";
    Method "upperAscii"("text": Text) -> Text, |args, _| change(args, |text| text.to_ascii_uppercase()),
        "A text with the letters a to z in upper case.";
    Free "lower"("text": Text) -> Text, |args, _| change(args, |text| text.to_lowercase()),
        "A text with the letters of all scripts in lower case.";
    Method "trim"("text": Text) -> Text, |args, _| change(args, |text| text.trim().to_owned()),
        "A text without white space around it.";
    Method "split"("text": Text, "separator": Text) -> Texts, split,
        "The parts of a text between separators; its characters when the separator is empty.";
    Method "join"("list": Texts; "separator": Text) -> Text, join,
        "The texts of a list as one text, with a separator between them.";
    Method "distinct"("list": List) -> First, distinct,
        "The elements of a list, each once, in the order in which they first appear.";
    Free "sets.contains"("list": List, "part": SameList) -> Bool, |args, _| sets(args, contains),
        "Whether each element of the second list is in the first.";
    Free "sets.intersects"("a": List, "b": SameList) -> Bool, |args, _| sets(args, intersects),
        "Whether some element is in both lists.";
    Free "sets.equivalent"("a": List, "b": SameList) -> Bool, |args, _| sets(args, equivalent),
        "Whether two lists hold the same elements, whatever their order and number.";
    Free "string"("value": Scalar) -> Text, string,
        "A number, true, false or a text as text.";
    Free "int"("text": Text) -> Int, int,
        "The number that a text holds in decimal digits; unknown when it holds none.";
    Free "version_compare"("a": Text, "b": Text) -> Int, |args, _| versions(args, |order| Value::Int(order as i64)),
        "-1, 0 or 1 as version a is older than, the same as or newer than b. Compares the numbers between dots, of which missing ones are 0, and not what follows the first '-', '+', '~' or space. Unknown when one is no version.";
    Free "version_at_least"("a": Text, "b": Text) -> Bool, |args, _| versions(args, |order| Value::Bool(order.is_ge())),
        "Whether version a is b or newer; see version_compare.";
    Free "missing"("a": Features, "b": Features) -> Texts, missing,
        "The names of the features that a has and b lacks.";
    Free "subset"("a": Features, "b": Features) -> Bool, |args, _| features(args, |a, b| Value::Bool(a.is_subset(b))),
        "Whether b has all features of a, by the server's own rule: everything is a subset of the featureset without words, and that one only of sets without features.";
    Free "plural"("count": Int, "one": Text, "many": Text) -> Text, plural,
        "The second argument when the count is 1, else the third: {n} {plural(n, 'VM', 'VMs')}.";
};

fn wrong<'v>() -> Value<'v> {
    Value::Unknown(mistyped())
}

fn size<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    let len = match args {
        [Value::Text(text)] => text.chars().count(),
        [Value::Map(map)] => map.keys().len(),
        [value] => match Items::of(value) {
            Some(items) => items.len(),
            None => return wrong(),
        },
        _ => return wrong(),
    };
    i64::try_from(len).map_or_else(|_| wrong(), Value::Int)
}

fn about<'v>(args: &[Value<'v>], holds: fn(&str, &str) -> bool) -> Value<'v> {
    match args {
        [Value::Text(text), Value::Text(part)] => Value::Bool(holds(text, part)),
        _ => wrong(),
    }
}

fn change<'v>(args: &[Value<'v>], to: fn(&str) -> String) -> Value<'v> {
    match args {
        [Value::Text(text)] => Value::Text(Cow::Owned(to(text))),
        _ => wrong(),
    }
}

fn texts<'v>(parts: impl Iterator<Item = String>) -> Value<'v> {
    Value::Made(parts.map(|part| Value::Text(Cow::Owned(part))).collect())
}

fn split<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    match args {
        [Value::Text(text), Value::Text(separator)] if separator.is_empty() => texts(text.chars().map(String::from)),
        [Value::Text(text), Value::Text(separator)] => texts(text.split(&**separator).map(str::to_owned)),
        _ => wrong(),
    }
}

fn join<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    let (items, separator) = match args {
        [list, Value::Text(separator)] => (Items::of(list), &**separator),
        [list] => (Items::of(list), ""),
        _ => return wrong(),
    };
    let Some(items) = items else { return wrong() };
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        match item {
            Value::Text(text) => joined.push_str(&text),
            Value::Unknown(_) => return item,
            Value::Null => return unreadable("an element of the list is null"),
            _ => return wrong(),
        }
    }
    Value::Text(Cow::Owned(joined))
}

fn distinct<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    let Some(items) = args.first().and_then(Items::of) else { return wrong() };
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for item in items.iter() {
        match key(&item) {
            // One unknown element may or may not be a double: not even the length is known.
            Err(unknown) => return Value::Unknown(unknown),
            Ok(key) => {
                if seen.insert(key) {
                    kept.push(item);
                }
            }
        }
    }
    Value::Made(kept.into())
}

/// A list as a set: its known elements, and the first unknown one.
struct Set<'v> {
    keys: BTreeSet<Key>,
    unknown: Option<Cow<'v, Unknown>>,
}

impl<'v> Set<'v> {
    fn of(value: &Value<'v>) -> Option<Self> {
        let mut set = Self { keys: BTreeSet::new(), unknown: None };
        for item in Items::of(value)?.iter() {
            match key(&item) {
                Ok(key) => {
                    set.keys.insert(key);
                }
                Err(unknown) => set.unknown = set.unknown.or(Some(unknown)),
            }
        }
        Some(set)
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.unknown.is_none()
    }
}

type Answer<'v> = Result<bool, Cow<'v, Unknown>>;

fn sets<'v>(args: &[Value<'v>], ask: for<'s> fn(&Set<'s>, &Set<'s>) -> Answer<'s>) -> Value<'v> {
    let [a, b] = args else { return wrong() };
    match (Set::of(a), Set::of(b)) {
        (Some(a), Some(b)) => ask(&a, &b).map_or_else(Value::Unknown, Value::Bool),
        _ => wrong(),
    }
}

fn contains<'v>(a: &Set<'v>, b: &Set<'v>) -> Answer<'v> {
    match (&a.unknown, &b.unknown) {
        // A key that a lacks decides, unless an unknown element of a may be it.
        (None, _) if !b.keys.is_subset(&a.keys) => Ok(false),
        // Nothing is in an empty list, whatever the unknown element is.
        (None, Some(_)) if a.keys.is_empty() => Ok(false),
        (_, None) if b.keys.is_subset(&a.keys) => Ok(true),
        (_, Some(unknown)) | (Some(unknown), _) => Err(unknown.clone()),
        (None, None) => Ok(true),
    }
}

fn intersects<'v>(a: &Set<'v>, b: &Set<'v>) -> Answer<'v> {
    if !a.keys.is_disjoint(&b.keys) {
        return Ok(true);
    }
    match (&a.unknown, &b.unknown) {
        (Some(unknown), _) if !b.is_empty() => Err(unknown.clone()),
        (_, Some(unknown)) if !a.is_empty() => Err(unknown.clone()),
        _ => Ok(false),
    }
}

fn equivalent<'v>(a: &Set<'v>, b: &Set<'v>) -> Answer<'v> {
    match (contains(a, b), contains(b, a)) {
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (Err(unknown), _) | (_, Err(unknown)) => Err(unknown),
        _ => Ok(true),
    }
}

fn string<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    match args {
        [Value::Int(value)] => Value::Text(Cow::Owned(value.to_string())),
        [Value::Bool(value)] => Value::Text(Cow::Borrowed(if *value { "true" } else { "false" })),
        [text @ Value::Text(_)] => text.clone(),
        _ => wrong(),
    }
}

fn int<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    match args {
        [Value::Text(text)] => {
            text.parse().map_or_else(|_| unreadable(format!("{} is not a number", quoted(text))), Value::Int)
        }
        _ => wrong(),
    }
}

fn versions<'v>(args: &[Value<'v>], answer: fn(Ordering) -> Value<'v>) -> Value<'v> {
    let [Value::Text(a), Value::Text(b)] = args else { return wrong() };
    match (version(a), version(b)) {
        (Some(a), Some(b)) => {
            let len = a.len().max(b.len());
            let at = |version: &[u64], index: usize| version.get(index).copied().unwrap_or(0);
            let order = (0..len).map(|index| at(&a, index).cmp(&at(&b, index))).find(|order| order.is_ne());
            answer(order.unwrap_or(Ordering::Equal))
        }
        (None, _) => unreadable(format!("{} is not a version", quoted(a))),
        _ => unreadable(format!("{} is not a version", quoted(b))),
    }
}

/// The numbers of a dotted version.
fn version(text: &str) -> Option<Vec<u64>> {
    let end = text.find(['-', '+', '~', ' ']).unwrap_or(text.len());
    let number = |part: &str| if part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse().ok() } else { None };
    text[..end].split('.').map(number).collect()
}

fn features<'v>(args: &[Value<'v>], answer: impl Fn(&Featureset, &Featureset) -> Value<'v>) -> Value<'v> {
    match args {
        [Value::Features(a), Value::Features(b)] => answer(a, b),
        _ => wrong(),
    }
}

fn missing<'v>(args: &[Value<'v>], name: FeatureName) -> Value<'v> {
    features(args, |a, b| texts(a.diff(b).features().map(name)))
}

fn plural<'v>(args: &[Value<'v>], _: FeatureName) -> Value<'v> {
    match args {
        [Value::Int(1), one @ Value::Text(_), _] => one.clone(),
        [Value::Int(_), _, many @ Value::Text(_)] => many.clone(),
        _ => wrong(),
    }
}

fn quoted(text: &str) -> String {
    const LONG: usize = 60;
    match text.char_indices().nth(LONG) {
        Some((cut, _)) => super::trace::quoted(&format!("{}…", &text[..cut])),
        None => super::trace::quoted(text),
    }
}
