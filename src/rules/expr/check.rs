//! The tree to code: names are resolved against the scope and the model, types are checked, and every mistake is
//! reported with its place. What passes here cannot fail when it is evaluated, only not know.

use super::ast::{Binary, Ident, Kind, Node};
use super::code::{Code, Loop, Order};
use super::error::{ExprError, Span, closest, enumerate};
use super::functions::{self, Function, Gives, Style};
use super::types::{Ty, field_names, list_of};
use super::{MAX_LOOPS, Scope};
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
            (Wanted::Printable, _) if super::template::printable(ty) => {
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

    fn binary(&mut self, node: &Node, op: Binary, op_span: Span, sides: &'n [Node; 2]) -> Checked {
        let [(left, left_ty), (right, right_ty)] = [self.check(&sides[0]), self.check(&sides[1])];
        let codes = Box::new([left, right]);
        let known = !matches!((left_ty, right_ty), (Ty::Wrong, _) | (_, Ty::Wrong));
        match op {
            Binary::Equal | Binary::NotEqual => {
                if known {
                    self.equality(node, op, left_ty, right_ty);
                }
                (Code::Equal { sides: codes, not: op == Binary::NotEqual }, Ty::BOOL)
            }
            Binary::In => {
                if known {
                    self.membership(sides, left_ty, right_ty);
                }
                (Code::In(codes), Ty::BOOL)
            }
            Binary::Add => (Code::Add(codes), self.sum(node, left_ty, right_ty)),
            Binary::Subtract => {
                for (side, ty) in sides.iter().zip([left_ty, right_ty]) {
                    if !ty.fits(Type::Int) {
                        self.errors.push(ExprError::new(side.span, format!("\"-\" needs int, this is {ty}")));
                    }
                }
                (Code::Subtract(codes), Ty::INT)
            }
            Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
                let order = match op {
                    Binary::Less => Order::Less,
                    Binary::LessOrEqual => Order::LessOrEqual,
                    Binary::Greater => Order::Greater,
                    _ => Order::GreaterOrEqual,
                };
                if known {
                    self.ordering(node, op, op_span, left_ty.plain(), right_ty.plain());
                }
                (Code::Order { sides: codes, order }, Ty::BOOL)
            }
        }
    }

    fn equality(&mut self, node: &Node, op: Binary, left: Ty, right: Ty) {
        let never_null = |ty| match ty {
            Ty::Of(Type::Nullable(_)) => None,
            ty => Some(ty),
        };
        let error = match (left, right) {
            (Ty::Null, Ty::Null) => Some(ExprError::new(node.span, "both sides are null")),
            (Ty::Null, other) | (other, Ty::Null) => never_null(other).map(|ty| {
                ExprError::new(node.span, format!("this {ty} is never null"))
                    .help("a missing fact is unknown, not null; has(…) asks whether it is there")
            }),
            _ => match left.join(right) {
                None => Some(mismatch(node.span, op, left, right)),
                Some(ty) if !ty.comparable() => {
                    Some(ExprError::new(node.span, format!("\"{}\" cannot compare {ty}", op.sign())).help(
                        match ty.plain() {
                            Ty::Of(Type::Map(_)) => "compare the values of its keys",
                            _ => "compare a field of it, such as its reference",
                        },
                    ))
                }
                Some(_) => None,
            },
        };
        self.errors.extend(error);
    }

    fn ordering(&mut self, node: &Node, op: Binary, op_span: Span, left: Ty, right: Ty) {
        let error = match (left, right) {
            (Ty::Of(Type::Int), Ty::Of(Type::Int)) | (Ty::Of(Type::Text), Ty::Of(Type::Text)) => return,
            (Ty::Of(a), Ty::Of(b)) if a.same(b) => {
                let error = ExprError::new(op_span, format!("{a} has no order"));
                match a {
                    Type::Features => error.help("subset(a, b) compares sets of features"),
                    Type::Bool => error.help("join comparisons with &&: a < b && b < c"),
                    _ => error,
                }
            }
            _ => mismatch(node.span, op, left, right),
        };
        self.errors.push(error);
    }

    fn membership(&mut self, sides: &[Node; 2], left: Ty, right: Ty) {
        let error = match right.plain() {
            Ty::EmptyList => None,
            Ty::Of(Type::List(element)) => match left.join(Ty::Of(*element)) {
                None => Some(
                    ExprError::new(sides[0].span, format!("a list of {element} holds no {left}"))
                        .help("both sides of \"in\" need the same type"),
                ),
                Some(ty) if !ty.comparable() => Some(
                    ExprError::new(sides[0].span, format!("\"in\" cannot compare {ty}"))
                        .help("look with exists(x, …) for a field of it"),
                ),
                Some(_) => None,
            },
            Ty::Of(Type::Map(_)) if left.fits(Type::Text) => None,
            Ty::Of(Type::Map(_)) => {
                Some(ExprError::new(sides[0].span, format!("the keys of a map are text, this is {left}")))
            }
            other => {
                let error = ExprError::new(sides[1].span, format!("\"in\" needs a list or a map, this is {other}"));
                Some(match other {
                    Ty::Of(Type::Text) => error.help("a text in a text: write text.contains(part)"),
                    _ => error,
                })
            }
        };
        self.errors.extend(error);
    }

    fn sum(&mut self, node: &Node, left: Ty, right: Ty) -> Ty {
        let (left, right) = (left.plain(), right.plain());
        match left.join(right) {
            Some(ty @ (Ty::Of(Type::Int | Type::Text | Type::List(_)) | Ty::EmptyList | Ty::Wrong)) => ty,
            _ => {
                let error = ExprError::new(node.span, format!("\"+\" cannot join {left} and {right}"))
                    .help("it adds two ints, two texts or two lists; string(n) makes a text of a number");
                self.errors.push(error);
                Ty::Wrong
            }
        }
    }

    fn choose(&mut self, node: &Node, parts: &'n [Node; 3]) -> Checked {
        let condition = self.condition(&parts[0], "the condition before \"?\"");
        let [(then, then_ty), (otherwise, else_ty)] = [self.check(&parts[1]), self.check(&parts[2])];
        let code = Code::Choose(Box::new([condition, then, otherwise]));
        match then_ty.join(else_ty) {
            Some(ty) => (code, ty),
            None => self.error(ExprError::new(
                node.span,
                format!("both cases of \"? :\" need one type, these are {then_ty} and {else_ty}"),
            )),
        }
    }

    fn call(&mut self, node: &'n Node, of: Option<&'n Node>, name: &Ident, args: &'n [Node]) -> Checked {
        if name.name == "has" && of.is_none() {
            return self.has(node, args);
        }
        if let (Some(of), Some(kind)) = (of, loop_kind(&name.name)) {
            return self.iterate(node, of, name, kind, args);
        }
        // `sets.contains(a, b)`: the name before the dot belongs to the function, unless it is a variable.
        if let Some(Kind::Name(space)) = of.map(|of| &of.kind)
            && self.scope.find(space).is_none()
            && !self.locals.iter().any(|local| local.name == space)
        {
            let full = format!("{space}.{}", name.name);
            if functions::find(&full).is_some() || functions::spaces().any(|known| known == space) {
                let span = Span::new(node.span.start, name.span.end);
                return self.function(node, None, &full, span, args);
            }
        }
        self.function(node, of, &name.name, name.span, args)
    }

    fn has(&mut self, node: &Node, args: &'n [Node]) -> Checked {
        let [path] = args else {
            return self.error(ExprError::new(node.span, "has(…) needs one fact"));
        };
        let (code, ty) = self.check(path);
        if matches!(ty, Ty::Wrong) {
            return WRONG;
        }
        if !matches!(path.kind, Kind::Select { .. }) {
            let error = ExprError::new(path.span, "has(…) needs the path of a fact, such as host.cpu.vendor");
            return self.error(match path.kind {
                Kind::Index { .. } => error.help("write 'key' in map"),
                _ => error,
            });
        }
        (Code::Has(Box::new(code)), Ty::BOOL)
    }

    fn iterate(&mut self, node: &Node, of: &'n Node, name: &Ident, kind: Loop, args: &'n [Node]) -> Checked {
        let (range, range_ty) = self.check(of);
        let element = match range_ty.plain() {
            Ty::Of(Type::Map(_)) => Some(Ty::TEXT),
            ty => ty.element(),
        };
        let Some(element) = element else {
            let error = ExprError::new(of.span, format!("{} needs a list or a map, this is {range_ty}", name.name));
            return self.error(error);
        };
        let (variable, filter, body) = match args {
            [variable, body] => (variable, None, body),
            [variable, filter, body] if kind == Loop::Map => (variable, Some(filter), body),
            _ => {
                let error = ExprError::new(node.span, format!("{} needs a name and an expression", name.name))
                    .help(format!("write list.{}(x, …)", name.name));
                return self.error(error);
            }
        };
        let Kind::Name(variable_name) = &variable.kind else {
            let error = ExprError::new(variable.span, "the name of an element is a plain name")
                .help(format!("write list.{}(x, …)", name.name));
            return self.error(error);
        };
        if self.shadows(variable_name) {
            let error =
                ExprError::new(variable.span, format!("\"{variable_name}\" is already the name of something"))
                    .help("choose another name for the element");
            return self.error(error);
        }
        if self.locals.len() >= MAX_LOOPS {
            let error = ExprError::new(node.span, format!("{} nests deeper than {MAX_LOOPS} loops", name.name))
                .help("split the rule in two, or derive the fact in code");
            return self.error(error);
        }
        let depth = self.locals.len();
        self.locals.push(Local { name: variable_name, ty: element, used: false });
        let errors = self.errors.len();
        let filter = filter.map(|filter| self.condition(filter, "the condition of map"));
        let (body_code, body_ty) = match kind {
            Loop::Map => self.check(body),
            _ => (self.condition(body, &format!("the condition of {}", name.name)), Ty::BOOL),
        };
        let used = self.locals.pop().is_some_and(|local| local.used);
        if !used && self.errors.len() == errors {
            let error = ExprError::new(variable.span, format!("\"{variable_name}\" is never used"))
                .help(format!("the expression after it speaks of each element as {variable_name}"));
            return self.error(error);
        }
        let range = match filter {
            Some(filter) => Code::Loop { kind: Loop::Filter, range: Box::new(range), depth, body: Box::new(filter) },
            None => range,
        };
        let code = Code::Loop { kind, range: Box::new(range), depth, body: Box::new(body_code) };
        let ty = match (kind, body_ty, element) {
            (Loop::Exists | Loop::All | Loop::ExistsOne, ..) => Ty::BOOL,
            (Loop::Filter, _, Ty::Of(element)) | (Loop::Map, Ty::Of(element), _) => Ty::Of(list_of(element)),
            (Loop::Map, Ty::Null | Ty::EmptyList, _) => {
                return self.error(ExprError::new(body.span, format!("a list of {body_ty} has no use")));
            }
            _ => Ty::Wrong,
        };
        (code, ty)
    }

    fn shadows(&self, name: &str) -> bool {
        self.scope.find(name).is_some() || self.locals.iter().any(|local| local.name == name)
    }

    fn function(&mut self, node: &Node, of: Option<&'n Node>, name: &str, span: Span, args: &'n [Node]) -> Checked {
        let Some(function) = functions::find(name) else {
            // The arguments are checked all the same: their mistakes are worth as much.
            of.into_iter().chain(args).for_each(|arg| {
                self.check(arg);
            });
            return self.error(unknown_function(name, span));
        };
        let fits = match function.style {
            Style::Method => of.is_some(),
            Style::Free => of.is_none(),
            Style::Either => true,
        };
        if !fits {
            of.into_iter().chain(args).for_each(|arg| {
                self.check(arg);
            });
            let error = ExprError::new(span, format!("\"{name}\" is not called like this"));
            return self.error(error.help(format!("write {}", function.signature())));
        }
        let args: Vec<&Node> = of.into_iter().chain(args).collect();
        let (least, most) = (function.params.len() - function.optional, function.params.len());
        if args.len() < least || args.len() > most {
            let this = usize::from(of.is_some());
            let message = format!("{name} needs {}, {} given", count(least - this, most - this), args.len() - this);
            args.iter().for_each(|arg| {
                self.check(arg);
            });
            return self.error(ExprError::new(node.span, message).help(format!("write {}", function.signature())));
        }
        let mut codes = Vec::with_capacity(args.len());
        let mut first = Ty::Wrong;
        for (position, (arg, (_, param))) in args.into_iter().zip(function.params).enumerate() {
            let (code, ty) = self.check(arg);
            if !param.takes(ty, first) {
                let needs = param.describe(first);
                let error = ExprError::new(arg.span, format!("{name} needs {needs} here, this is {ty}"));
                self.errors.push(error.help(format!("write {}", function.signature())));
            }
            if position == 0 {
                first = ty.plain();
            }
            codes.push(code);
        }
        (Code::Call { function, args: codes }, result(function, first))
    }
}

fn result(function: &Function, first: Ty) -> Ty {
    match function.result {
        Gives::Bool => Ty::BOOL,
        Gives::Int => Ty::INT,
        Gives::Text => Ty::TEXT,
        Gives::Texts => Ty::Of(Type::List(&Type::Text)),
        Gives::First => first,
    }
}

fn unknown_function(name: &str, span: Span) -> ExprError {
    let names = functions::functions().iter().map(|function| function.name);
    let names = names.chain(super::MACROS.iter().map(|doc| doc.name));
    let error = ExprError::new(span, format!("there is no function \"{name}\""));
    match (name, closest(name, names)) {
        ("matches", _) => error.help("regular expressions are not part of the language; see startsWith and contains"),
        ("unique", _) => error.help("did you mean \"distinct\"?"),
        (_, Some(close)) => error.help(format!("did you mean \"{close}\"?")),
        _ => error.help(format!("known are {}", enumerate(functions::functions().iter().map(|known| known.name)))),
    }
}

fn count(least: usize, most: usize) -> String {
    match (least, most) {
        (1, 1) => "1 argument".to_owned(),
        (0, 0) => "no arguments".to_owned(),
        (least, most) if least == most => format!("{most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

fn loop_kind(name: &str) -> Option<Loop> {
    Some(match name {
        "exists" => Loop::Exists,
        "all" => Loop::All,
        "exists_one" => Loop::ExistsOne,
        "filter" => Loop::Filter,
        "map" => Loop::Map,
        _ => return None,
    })
}

fn mismatch(span: Span, op: Binary, left: Ty, right: Ty) -> ExprError {
    let error = ExprError::new(span, format!("\"{}\" cannot compare {left} with {right}", op.sign()));
    match (left.plain(), right.plain()) {
        (Ty::Of(Type::Int), Ty::Of(Type::Text)) | (Ty::Of(Type::Text), Ty::Of(Type::Int)) => {
            error.help("a text is in quotes, a number is not; int(text) reads a number")
        }
        (Ty::Of(Type::Bool), Ty::Of(Type::Text)) | (Ty::Of(Type::Text), Ty::Of(Type::Bool)) => {
            error.help("true and false are written without quotes, a text with them")
        }
        (Ty::Of(Type::List(_)), _) | (_, Ty::Of(Type::List(_))) => error.help("look for an element with \"in\""),
        _ => error,
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
