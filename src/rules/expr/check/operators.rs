//! Which types an operator takes, and what to say where it does not.

use super::{Checked, Checker};
use crate::facts::Type;
use crate::rules::expr::ast::{Binary, Node};
use crate::rules::expr::code::{Code, Order};
use crate::rules::expr::error::{ExprError, Span};
use crate::rules::expr::types::Ty;

impl<'n> Checker<'n> {
    pub(super) fn binary(&mut self, node: &Node, op: Binary, op_span: Span, sides: &'n [Node; 2]) -> Checked {
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

    pub(super) fn choose(&mut self, node: &Node, parts: &'n [Node; 3]) -> Checked {
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
