//! Texts with holes: `{joiner.name_label} has {size(joiner.vms)} VMs`. `{{` and `}}` stand for the braces themselves.

use std::sync::{Arc, OnceLock};

use super::check::Wanted;
use super::error::{ExprError, Span};
use super::values::{Items, mistyped};
use super::{Expr, MAX_ERRORS, Meter, Scope, compile_at};
use crate::facts::{Unknown, Value};

/// A checked text with holes.
#[derive(Debug)]
pub struct Template {
    parts: OnceLock<Vec<Part>>,
    /// What the parts are made of when they are first asked for; nothing when they were made at once.
    later: Option<(String, Arc<Scope>)>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Hole(Box<Expr>),
}

impl Template {
    /// A text that was checked before, by a test over the built-in rules: its holes are read when it is first filled in,
    /// which most runs never do.
    pub(in crate::rules) fn trusted(source: &str, scope: &Arc<Scope>) -> Self {
        Self { parts: OnceLock::new(), later: Some((source.to_owned(), Arc::clone(scope))) }
    }

    fn parts(&self) -> &[Part] {
        self.parts.get_or_init(|| {
            let Some((source, scope)) = &self.later else { return Vec::new() };
            match Self::compile(source, scope) {
                Ok(made) => made.parts.into_inner().unwrap_or_default(),
                // Not reached with tested rules; the text with its holes unfilled still says more than nothing.
                Err(_) => vec![Part::Text(source.clone())],
            }
        })
    }

    /// Reads and checks a text and its holes. Places of mistakes count from the start of the text.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, Vec<ExprError>> {
        let mut parts = Vec::new();
        let mut errors = Vec::new();
        let mut text = String::new();
        let mut at = 0;
        while let Some(found) = source[at..].find(['{', '}']) {
            let brace = at + found;
            text.push_str(&source[at..brace]);
            let (sign, double) = (&source[brace..=brace], source[brace + 1..].starts_with(&source[brace..=brace]));
            at = brace + 1;
            if double {
                text.push_str(sign);
                at += 1;
            } else if sign == "}" {
                let error = ExprError::new(Span::new(brace, at), "this } closes no hole");
                errors.push(error.help("write }} for the brace itself"));
            } else if let Some(len) = hole(&source[at..]) {
                match compile_at(&source[at..at + len], at, scope, Wanted::Printable) {
                    Ok(expr) => {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                        parts.push(Part::Hole(Box::new(expr)));
                    }
                    Err(more) => errors.extend(more),
                }
                at += len + 1;
            } else {
                let error = ExprError::new(Span::new(brace, source.len()), "this hole has no closing }");
                errors.push(error.help("write {{ for the brace itself"));
                at = source.len();
            }
            if errors.len() >= MAX_ERRORS {
                break;
            }
        }
        text.push_str(&source[at..]);
        parts.push(Part::Text(text));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        if errors.is_empty() { Ok(Self { parts: parts.into(), later: None }) } else { Err(errors) }
    }

    /// The text; unknown when one hole is.
    pub fn render<'a>(&'a self, variables: &[Value<'a>], meter: &mut Meter) -> Result<String, Unknown> {
        self.fill(variables, meter, |_, shown| shown)
    }

    /// The text, with `(unknown: …)` for what is not known. A hole that may be empty, such as
    /// `{size(vms) > 0 ? '; of these run ' + … : ''}`, adds to what was said, and adds nothing where it is not known.
    pub fn render_lossy<'a>(&'a self, variables: &[Value<'a>], meter: &mut Meter) -> String {
        let filled = self.fill(variables, meter, |hole, shown| {
            Ok(shown.unwrap_or_else(|unknown| match hole.may_be_empty() {
                true => String::new(),
                false => format!("(unknown: {unknown})"),
            }))
        });
        filled.unwrap_or_default()
    }

    /// The text with each hole passed through `quote`: for commands, where a name must not become a command.
    pub fn render_quoted<'a>(
        &'a self,
        variables: &[Value<'a>],
        meter: &mut Meter,
        quote: impl Fn(&str) -> String,
    ) -> Result<String, Unknown> {
        self.fill(variables, meter, |_, shown| shown.map(|text| quote(&text)))
    }

    /// The facts that the holes mention, sorted.
    pub fn facts(&self) -> Vec<String> {
        let mut facts: Vec<String> = self.holes().flat_map(Expr::facts).collect();
        facts.sort();
        facts.dedup();
        facts
    }

    fn holes(&self) -> impl Iterator<Item = &Expr> {
        self.parts().iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Hole(expr) => Some(&**expr),
        })
    }

    fn fill<'a>(
        &'a self,
        variables: &[Value<'a>],
        meter: &mut Meter,
        each: impl Fn(&Expr, Result<String, Unknown>) -> Result<String, Unknown>,
    ) -> Result<String, Unknown> {
        let mut out = String::new();
        for part in self.parts() {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Hole(expr) => {
                    let shown = print(&expr.eval(variables, meter))
                        // An unknown inside a list gets its path from a second look.
                        .or_else(|_| print(&expr.trace(variables, meter).value));
                    out.push_str(&each(expr, shown)?);
                }
            }
        }
        Ok(out)
    }
}

/// The length of a hole's expression: up to the brace that closes it, which is not one inside a text.
fn hole(source: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in source.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '}') => return Some(at),
            (None, _) => {}
        }
    }
    None
}

/// A value as a message shows it: lists joined by a comma, null as `none`.
fn print(value: &Value<'_>) -> Result<String, Unknown> {
    match value {
        Value::Unknown(unknown) => Err(unknown.clone().into_owned()),
        Value::Null => Ok("none".to_owned()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Int(value) => Ok(value.to_string()),
        Value::Text(text) => Ok(text.to_string()),
        Value::Features(features) => Ok(features.to_string()),
        Value::List(_) | Value::Made(_) | Value::Map(_) | Value::Object(_) => match Items::of(value) {
            Some(items) => Ok(items.iter().map(|item| print(&item)).collect::<Result<Vec<_>, _>>()?.join(", ")),
            None => Err(mistyped().into_owned()),
        },
    }
}
