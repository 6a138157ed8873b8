//! Functions, macros and their arguments.

use super::{Checked, Checker, Local, WRONG};
use crate::facts::Type;
use crate::rules::expr::ast::{Ident, Kind, Node};
use crate::rules::expr::code::{Code, Loop};
use crate::rules::expr::error::{ExprError, Span, closest, enumerate};
use crate::rules::expr::functions::{self, Function, Gives, Style};
use crate::rules::expr::types::{Ty, list_of};
use crate::rules::expr::{MACROS, MAX_LOOPS};

impl<'n> Checker<'n> {
    pub(super) fn call(&mut self, node: &'n Node, of: Option<&'n Node>, name: &Ident, args: &'n [Node]) -> Checked {
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
    let names = names.chain(MACROS.iter().map(|doc| doc.name));
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
