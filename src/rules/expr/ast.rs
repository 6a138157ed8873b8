//! The expression as written: names are not resolved yet.

use super::error::Span;

/// How deep an expression may nest; every pass over it recurses no deeper.
pub(super) const MAX_DEPTH: u32 = 64;

/// A part of an expression.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    /// 1 for a leaf.
    pub(super) depth: u32,
    pub(super) kind: Kind,
}

/// A name and its place.
#[derive(Debug)]
pub(super) struct Ident {
    pub(super) name: String,
    pub(super) span: Span,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Node>),
    Name(String),
    Select {
        of: Box<Node>,
        name: Ident,
    },
    Index {
        of: Box<Node>,
        index: Box<Node>,
    },
    Call {
        of: Option<Box<Node>>,
        name: Ident,
        args: Vec<Node>,
    },
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `a && b && c`, flat.
    And(Vec<Node>),
    /// `a || b || c`, flat.
    Or(Vec<Node>),
    Binary {
        op: Binary,
        op_span: Span,
        sides: Box<[Node; 2]>,
    },
    /// Condition, then, else.
    Choose(Box<[Node; 3]>),
    /// Stands where something could not be read and an error says so.
    Wrong,
}

/// An operator with two sides that are both needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
}

impl Binary {
    /// As it is written.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
        }
    }
}

impl Node {
    pub(super) fn new(span: Span, kind: Kind) -> Self {
        let deepest = |nodes: &[Self]| nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        let below = match &kind {
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Text(_) | Kind::Name(_) | Kind::Wrong => 0,
            Kind::List(nodes) | Kind::And(nodes) | Kind::Or(nodes) => deepest(nodes),
            Kind::Select { of, .. } | Kind::Not(of) | Kind::Negate(of) => of.depth,
            Kind::Index { of, index } => of.depth.max(index.depth),
            Kind::Call { of, args, .. } => deepest(args).max(of.as_ref().map_or(0, |of| of.depth)),
            Kind::Binary { sides, .. } => deepest(sides.as_slice()),
            Kind::Choose(parts) => deepest(parts.as_slice()),
        };
        Self { span, depth: below + 1, kind }
    }
}
