//! The expression language of rules: a statically typed subset of CEL with three-valued evaluation over the
//! reflected model. An expression is parsed, resolved and type-checked once, when its rule is loaded; evaluating it
//! cannot fail, only not know. Called by `rules` only; knows `facts`.

mod ast;
mod check;
mod code;
mod error;
mod eval;
mod functions;
mod lex;
mod meter;
mod parse;
mod template;
mod trace;
mod track;
mod types;
mod values;

#[cfg(test)]
mod tests;

pub use error::{ExprError, render};
pub use functions::{FeatureName, Function, MACROS, MacroDoc, functions};
pub use meter::Meter;
pub use template::Template;
pub use trace::{READS, Read, Traced};

use std::borrow::Cow;
use std::sync::Arc;

use crate::facts::{Reason, Type, Unknown, Value};
use code::Code;

/// How deep `exists`, `all`, `filter` and the like may nest.
pub const MAX_LOOPS: usize = 3;

/// At most so many mistakes are reported for one expression.
const MAX_ERRORS: usize = 20;

/// What an expression may speak of: named variables with their types, and how a feature is called.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Shared, because every expression keeps it for the paths of its facts.
    variables: Arc<Vec<(Cow<'static, str>, Type)>>,
    feature_name: FeatureName,
}

impl Default for Scope {
    fn default() -> Self {
        Self { variables: Arc::default(), feature_name: functions::word_and_bit }
    }
}

impl Scope {
    /// A scope with these variables; their order is the order of the values given to [`Expr::eval`].
    pub fn new(variables: impl IntoIterator<Item = (&'static str, Type)>) -> Self {
        let variables = variables.into_iter().map(|(name, ty)| (Cow::Borrowed(name), ty)).collect();
        Self { variables: Arc::new(variables), ..Self::default() }
    }

    /// The same scope with one variable more, at the end. A variable of the same name is hidden.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, ty: Type) -> Self {
        Arc::make_mut(&mut self.variables).push((name.into(), ty));
        self
    }

    /// The same scope with another way to call features (word × 32 + bit) than `word:bit`.
    #[must_use]
    pub fn with_feature_names(mut self, name: FeatureName) -> Self {
        self.feature_name = name;
        self
    }

    /// The variables in order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, Type)> {
        self.variables.iter().map(|(name, ty)| (name.as_ref(), *ty))
    }

    fn find(&self, name: &str) -> Option<(usize, Type)> {
        self.variables.iter().rposition(|(known, _)| known == name).map(|slot| (slot, self.variables[slot].1))
    }
}

/// A checked expression.
#[derive(Debug)]
pub struct Expr {
    code: Code,
    ty: Type,
    variables: Arc<Vec<(Cow<'static, str>, Type)>>,
    feature_name: FeatureName,
}

/// Reads and checks an expression whose value has to be of type `expected`. A nullable value is accepted where a plain
/// one is expected: null is then unknown.
pub fn compile(source: &str, scope: &Scope, expected: Type) -> Result<Expr, Vec<ExprError>> {
    compile_at(source, 0, scope, check::Wanted::Type(expected))
}

/// Reads and checks an expression of any type; see [`Expr::ty`].
pub fn infer(source: &str, scope: &Scope) -> Result<Expr, Vec<ExprError>> {
    compile_at(source, 0, scope, check::Wanted::Any)
}

fn compile_at(source: &str, base: usize, scope: &Scope, wanted: check::Wanted) -> Result<Expr, Vec<ExprError>> {
    let checked = parse::parse(source, base).and_then(|node| check::check(&node, scope, wanted));
    match checked {
        Ok((code, ty)) => {
            Ok(Expr { code, ty, variables: Arc::clone(&scope.variables), feature_name: scope.feature_name })
        }
        Err(mut errors) => {
            errors.sort_by_key(|error| error.span.start);
            errors.dedup();
            errors.truncate(MAX_ERRORS);
            Err(errors)
        }
    }
}

impl Expr {
    /// Whether it is a choice with an empty text on one side.
    fn may_be_empty(&self) -> bool {
        let empty = |side: &Code| matches!(side, Code::Text(text) if text.is_empty());
        matches!(&self.code, Code::Choose(parts) if parts[1..].iter().any(empty))
    }

    /// The type of the value when known.
    pub const fn ty(&self) -> Type {
        self.ty
    }

    /// The value over these variables, in the scope's order. Unknown is a value: it names the fact that is missing.
    /// The value may borrow texts from the expression itself.
    pub fn eval<'a>(&'a self, variables: &[Value<'a>], meter: &mut Meter) -> Value<'a> {
        let before = meter.clone();
        let value = eval::value(self, variables, meter);
        if matches!(value, Value::Unknown(_)) {
            // Only an unknown answer needs to know where it comes from: again, with places.
            *meter = before;
            return eval::traced(self, variables, meter).value;
        }
        value
    }

    /// The same, where nobody reads why an answer is unknown: one evaluation, no words.
    pub(in crate::rules) fn eval_wordless<'a>(&'a self, variables: &[Value<'a>], meter: &mut Meter) -> Value<'a> {
        eval::value(self, variables, meter)
    }

    /// The value, and which facts decided it.
    pub fn trace<'a>(&'a self, variables: &[Value<'a>], meter: &mut Meter) -> Traced<'a> {
        eval::traced(self, variables, meter)
    }

    /// The facts that the expression mentions, sorted: `joiner.vms[].power_state`.
    pub fn facts(&self) -> Vec<String> {
        code::facts(&self.code, &self.variables)
    }
}

fn unreadable(detail: impl Into<String>) -> Value<'static> {
    Value::Unknown(Cow::Owned(Unknown::because(Reason::Unreadable, detail)))
}
