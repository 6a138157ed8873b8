//! The checked expression: variables are slots, fields are positions.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::functions::Function;
use crate::facts::{FieldDef, Type};

/// A checked part of an expression.
#[derive(Debug)]
pub(super) enum Code {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Self>),
    /// A variable of the scope, by slot.
    Var(usize),
    /// The variable of the enclosing loop at this depth.
    Local(usize),
    Field {
        of: Box<Self>,
        index: usize,
        def: &'static FieldDef,
    },
    Key {
        of: Box<Self>,
        key: Box<Self>,
    },
    Item {
        of: Box<Self>,
        index: usize,
    },
    Not(Box<Self>),
    Negate(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
    /// `==`, or `!=` when not.
    Equal {
        sides: Box<[Self; 2]>,
        not: bool,
    },
    Order {
        sides: Box<[Self; 2]>,
        order: Order,
    },
    In(Box<[Self; 2]>),
    Add(Box<[Self; 2]>),
    Subtract(Box<[Self; 2]>),
    Choose(Box<[Self; 3]>),
    Has(Box<Self>),
    Loop {
        kind: Loop,
        range: Box<Self>,
        depth: usize,
        body: Box<Self>,
    },
    Call {
        function: &'static Function,
        args: Vec<Self>,
    },
}

/// Which order a comparison asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a loop over a list does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loop {
    Exists,
    All,
    ExistsOne,
    Filter,
    Map,
}

impl Code {
    /// Whether it names a fact: a variable with fields, keys and positions behind it.
    pub(super) const fn is_path(&self) -> bool {
        matches!(self, Self::Var(_) | Self::Local(_) | Self::Field { .. } | Self::Key { .. } | Self::Item { .. })
    }
}

/// The facts that an expression mentions, sorted.
pub(super) fn facts(code: &Code, variables: &[(Cow<'static, str>, Type)]) -> Vec<String> {
    let mut walk = Walk { variables, locals: Vec::new(), found: BTreeSet::new() };
    walk.visit(code);
    walk.found.into_iter().collect()
}

struct Walk<'c> {
    variables: &'c [(Cow<'static, str>, Type)],
    /// The path of an element of each enclosing loop.
    locals: Vec<Option<String>>,
    found: BTreeSet<String>,
}

impl Walk<'_> {
    fn visit(&mut self, code: &Code) {
        match code {
            Code::Null | Code::Bool(_) | Code::Int(_) | Code::Text(_) => {}
            Code::Var(_) | Code::Local(_) | Code::Field { .. } | Code::Key { .. } | Code::Item { .. } => {
                if let Some(path) = self.path(code) {
                    self.found.insert(path);
                }
                self.visit_below(code);
            }
            Code::List(parts) | Code::And(parts) | Code::Or(parts) | Code::Call { args: parts, .. } => {
                parts.iter().for_each(|part| self.visit(part));
            }
            Code::Not(of) | Code::Negate(of) | Code::Has(of) => self.visit(of),
            Code::Equal { sides, .. } | Code::Order { sides, .. } => sides.iter().for_each(|side| self.visit(side)),
            Code::In(sides) | Code::Add(sides) | Code::Subtract(sides) => {
                sides.iter().for_each(|side| self.visit(side));
            }
            Code::Choose(parts) => parts.iter().for_each(|part| self.visit(part)),
            Code::Loop { range, body, .. } => {
                self.visit(range);
                let element = self.element(range);
                self.locals.push(element);
                self.visit(body);
                self.locals.pop();
            }
        }
    }

    /// What a path is built on may hold paths of its own: `m[host.name]`, `xs.filter(…)[0]`.
    fn visit_below(&mut self, code: &Code) {
        match code {
            Code::Field { of, .. } | Code::Item { of, .. } => {
                if of.is_path() {
                    self.visit_below(of)
                } else {
                    self.visit(of)
                }
            }
            Code::Key { of, key } => {
                self.visit(key);
                if of.is_path() { self.visit_below(of) } else { self.visit(of) }
            }
            _ => {}
        }
    }

    fn path(&self, code: &Code) -> Option<String> {
        match code {
            Code::Var(slot) => self.variables.get(*slot).map(|(name, _)| name.to_string()),
            Code::Local(depth) => self.locals.get(*depth).cloned().flatten(),
            Code::Field { of, def, .. } => Some(format!("{}.{}", self.path(of)?, def.name)),
            Code::Key { of, key } => Some(match &**key {
                Code::Text(key) => format!("{}[{}]", self.path(of)?, super::trace::quoted(key)),
                _ => format!("{}[]", self.path(of)?),
            }),
            Code::Item { of, index } => Some(format!("{}[{index}]", self.path(of)?)),
            _ => None,
        }
    }

    fn element(&self, range: &Code) -> Option<String> {
        match range {
            Code::Loop { kind: Loop::Filter, range, .. } => self.element(range),
            _ => Some(format!("{}[]", self.path(range)?)),
        }
    }
}
