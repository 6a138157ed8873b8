//! The tree to code: names are resolved against the scope and the model, types are checked, and every mistake is
//! reported with its place. What passes here cannot fail when it is evaluated, only not know.

mod calls;
mod operators;

use super::Scope;
use super::ast::{Ident, Kind, Node};
use super::code::Code;
use super::error::{ExprError, Span, closest, enumerate};
use super::functions;
use super::types::{Ty, field_names, list_of};
use crate::facts::Type;

/// What an expression has to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    Any,
    Type(Type),
    /// What a template can print.
    Printable,
}

/// Checks a whole expression.
pub(super) fn check(node: &Node, scope: &Scope, wanted: Wanted) -> Result<(Code, Type), Vec<ExprError>> {
    let mut checker = Checker { scope, locals: Vec::new(), errors: Vec::new() };
    let (code, ty) = checker.check(node);
    let ty = checker.wanted(node, ty, wanted);
    if checker.errors.is_empty() { Ok((code, ty)) } else { Err(checker.errors) }
}

/// A variable of a loop.
struct Local<'n> {
    name: &'n str,
    ty: Ty,
    used: bool,
}

struct Checker<'n> {
    scope: &'n Scope,
    locals: Vec<Local<'n>>,
    errors: Vec<ExprError>,
}

type Checked = (Code, Ty);

const WRONG: Checked = (Code::Null, Ty::Wrong);

impl<'n> Checker<'n> {
    fn wanted(&mut self, node: &Node, ty: Ty, wanted: Wanted) -> Type {
        match (wanted, ty) {
            (_, Ty::Wrong) => {}
            (Wanted::Type(wanted), _) if ty.fits(wanted) => return wanted,
            (Wanted::Type(wanted), _) => {
                let error = ExprError::new(node.span, format!("expected {wanted}, this is {ty}"));
                self.errors.push(match (wanted, ty.plain()) {
                    (Type::Bool, Ty::Of(ty)) => error.help(condition_help(ty)),
                    _ => error,
                });
            }
            (Wanted::Printable, _) if super::types::printable(ty) => {
                return if let Ty::Of(ty) = ty { ty } else { Type::Text };
            }
            (Wanted::Printable, _) => {
                let error = ExprError::new(node.span, format!("{ty} cannot be printed in a text")).help(
                    "a hole holds text, int, bool, features, or a list of text or int; name a field of the record",
                );
                self.errors.push(error);
            }
            (Wanted::Any, Ty::Of(ty)) => return ty,
            (Wanted::Any, _) => {
                self.errors.push(ExprError::new(node.span, format!("{ty} alone has no type")));
            }
        }
        Type::Bool
    }

    fn error(&mut self, error: ExprError) -> Checked {
        self.errors.push(error);
        WRONG
    }

    fn check(&mut self, node: &'n Node) -> Checked {
        match &node.kind {
            Kind::Null => (Code::Null, Ty::Null),
            Kind::Bool(value) => (Code::Bool(*value), Ty::BOOL),
            Kind::Int(value) => (Code::Int(*value), Ty::INT),
            Kind::Text(value) => (Code::Text(value.clone()), Ty::TEXT),
            Kind::List(items) => self.list(node, items),
            Kind::Name(name) => self.name(name, node.span),
            Kind::Select { of, name } => self.select(of, name),
            Kind::Index { of, index } => self.index(of, index),
            Kind::Call { of, name, args } => self.call(node, of.as_deref(), name, args),
            Kind::Not(of) => {
                let code = self.condition(of, "\"!\"");
                (Code::Not(Box::new(code)), Ty::BOOL)
            }
            Kind::Negate(of) => {
                let code = self.expect(of, Type::Int, "\"-\"");
                (Code::Negate(Box::new(code)), Ty::INT)
            }
            Kind::And(parts) => {
                let parts = parts.iter().map(|part| self.condition(part, "\"&&\"")).collect();
                (Code::And(parts), Ty::BOOL)
            }
            Kind::Or(parts) => {
                let parts = parts.iter().map(|part| self.condition(part, "\"||\"")).collect();
                (Code::Or(parts), Ty::BOOL)
            }
            Kind::Binary { op, op_span, sides } => self.binary(node, *op, *op_span, sides),
            Kind::Choose(parts) => self.choose(node, parts),
            Kind::Wrong => WRONG,
        }
    }

    fn expect(&mut self, node: &'n Node, wanted: Type, by: &str) -> Code {
        let (code, ty) = self.check(node);
        if !ty.fits(wanted) {
            let error = ExprError::new(node.span, format!("{by} needs {wanted}, this is {ty}"));
            self.errors.push(match (wanted, ty.plain()) {
                (Type::Bool, Ty::Of(ty)) => error.help(condition_help(ty)),
                (Type::Text, Ty::Of(Type::Int)) => error.help("string(n) makes a text of a number"),
                (Type::Int, Ty::Of(Type::Text)) => error.help("int(text) reads a number"),
                _ => error,
            });
        }
        code
    }

    fn condition(&mut self, node: &'n Node, by: &str) -> Code {
        self.expect(node, Type::Bool, by)
    }

    fn list(&mut self, node: &Node, items: &'n [Node]) -> Checked {
        let mut codes = Vec::with_capacity(items.len());
        let mut element: Option<Ty> = None;
        for item in items {
            let (code, ty) = self.check(item);
            codes.push(code);
            let joined = element.map_or(Some(ty), |element| element.join(ty));
            match (joined, element) {
                (Some(joined), _) => element = Some(joined),
                (None, Some(element)) => {
                    let error = ExprError::new(item.span, format!("the list holds {element}, this is {ty}"))
                        .help("all elements of a list have one type");
                    self.errors.push(error);
                }
                (None, None) => {}
            }
        }
        match element {
            None => (Code::List(codes), Ty::EmptyList),
            Some(Ty::Of(element)) => (Code::List(codes), Ty::Of(list_of(element))),
            Some(Ty::Wrong) => WRONG,
            Some(element) => self.error(ExprError::new(node.span, format!("a list of {element} has no use"))),
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Checked {
        if let Some(depth) = self.locals.iter().rposition(|local| local.name == name) {
            self.locals[depth].used = true;
            return (Code::Local(depth), self.locals[depth].ty);
        }
        if let Some((slot, ty)) = self.scope.find(name) {
            return (Code::Var(slot), Ty::Of(ty));
        }
        let known: Vec<&str> =
            self.locals.iter().map(|local| local.name).chain(self.scope.variables().map(|(name, _)| name)).collect();
        let help = match closest(name, known.iter().copied()) {
            Some(close) => format!("did you mean \"{close}\"?"),
            None if functions::find(name).is_some() => format!("{name} is a function: write {name}(…)"),
            None => format!("known here: {}", enumerate(known)),
        };
        self.error(ExprError::new(span, format!("there is no variable \"{name}\"")).help(help))
    }

    fn select(&mut self, of: &'n Node, name: &Ident) -> Checked {
        let (code, ty) = self.check(of);
        match ty.plain() {
            Ty::Wrong => WRONG,
            Ty::Of(Type::Object(def)) => match def.field(&name.name) {
                Some((index, field)) => (Code::Field { of: Box::new(code), index, def: field }, Ty::Of(field.ty)),
                None => {
                    let help = match closest(&name.name, field_names(def)) {
                        Some(close) => format!("did you mean \"{close}\"?"),
                        None => format!("{} has {}", def.name, enumerate(field_names(def))),
                    };
                    let message = format!("{} has no field \"{}\"", def.name, name.name);
                    self.error(ExprError::new(name.span, message).help(help))
                }
            },
            Ty::Of(Type::Map(value)) => {
                (Code::Key { of: Box::new(code), key: Box::new(Code::Text(name.name.clone())) }, Ty::Of(*value))
            }
            other => {
                let error = ExprError::new(name.span, format!("{other} has no fields"));
                self.error(match (other, functions::find(&name.name)) {
                    (_, Some(function)) => {
                        error.help(format!("to call the function, write {}", function.signature()))
                    }
                    (Ty::Of(Type::List(_)), None) => {
                        error.help("for each element: exists(x, …), all(x, …), filter(x, …) or map(x, …)")
                    }
                    _ => error,
                })
            }
        }
    }

    fn index(&mut self, of: &'n Node, index: &'n Node) -> Checked {
        let (code, ty) = self.check(of);
        match ty.plain() {
            Ty::Of(Type::List(element)) => match index.kind {
                Kind::Int(at) if at >= 0 => {
                    let index = usize::try_from(at).unwrap_or(usize::MAX);
                    (Code::Item { of: Box::new(code), index }, Ty::Of(*element))
                }
                _ => {
                    let error = ExprError::new(index.span, "the position in a list is a plain number from 0")
                        .help("to look for an element, use exists(x, …) or filter(x, …)");
                    self.error(error)
                }
            },
            Ty::Of(Type::Map(value)) => {
                let key = self.expect(index, Type::Text, "a key of a map");
                (Code::Key { of: Box::new(code), key: Box::new(key) }, Ty::Of(*value))
            }
            Ty::Wrong => {
                self.check(index);
                WRONG
            }
            other => {
                let error = ExprError::new(of.span, format!("{other} has no elements"));
                self.error(match (other, &index.kind) {
                    (Ty::Of(Type::Object(_)), Kind::Text(name)) => error.help(format!("a field is written .{name}")),
                    _ => error,
                })
            }
        }
    }
}

fn condition_help(ty: Type) -> &'static str {
    match ty {
        Type::Int => "compare it with a number: … > 0",
        Type::Text => "compare it with a text: … == 'yes'",
        Type::List(_) | Type::Map(_) => "ask size(…) > 0, or exists(x, …)",
        _ => "ask one of its fields",
    }
}
