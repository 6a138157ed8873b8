//! The functions of the language, in one table: the checker reads the signatures, the evaluator calls the
//! implementations, the documentation prints both.

mod run;

use super::types::Ty;
use crate::facts::{Type, Value};
use run::{
    about, change, contains, distinct, equivalent, features, int, intersects, join, missing, plural, sets, size,
    split, string, versions,
};

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

/// The most parameters that a function has.
pub(super) const MAX_PARAMS: usize = 4;

/// A function with more would be called with some of its arguments missing.
const _: () = {
    let mut index = 0;
    while index < FUNCTIONS.len() {
        assert!(FUNCTIONS[index].params.len() <= MAX_PARAMS);
        index += 1;
    }
};

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
