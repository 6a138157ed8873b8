//! Tokens to a tree: a Pratt parser over CEL's own precedence. It goes on after a mistake inside brackets, so that
//! several mistakes are reported at once.

use super::ast::{Binary, Ident, Kind, MAX_DEPTH, Node};
use super::error::{ExprError, Span};
use super::lex::{self, Kind as Tok, Token};

/// The longest expression, in bytes: room for any rule, and a bound on what a mistake can cost.
pub(super) const MAX_LENGTH: usize = 16 * 1024;

/// Reads an expression; places count from `base`.
pub(super) fn parse(source: &str, base: usize) -> Result<Node, Vec<ExprError>> {
    let whole = Span::new(base, base + source.len());
    if source.len() > MAX_LENGTH {
        return Err(vec![ExprError::new(whole, format!("this expression is longer than {MAX_LENGTH} bytes"))]);
    }
    let tokens = lex::lex(source, base)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, errors: Vec::new() };
    let parsed = parser.whole();
    match parsed {
        Ok(node) if parser.errors.is_empty() => Ok(node),
        Ok(_) => Err(parser.errors),
        Err(error) => {
            parser.errors.push(error);
            Err(parser.errors)
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    errors: Vec<ExprError>,
}

type Parsed<T> = Result<T, ExprError>;

// Binding powers of CEL, loosest first; the ternary binds looser than all.
const OR: u8 = 1;
const AND: u8 = 2;
const RELATION: u8 = 3;
const SUM: u8 = 4;

impl Parser {
    fn whole(&mut self) -> Parsed<Node> {
        if self.peek() == &Tok::End {
            return Err(ExprError::new(self.span(), "an expression is missing"));
        }
        let node = self.expression()?;
        if self.peek() != &Tok::End {
            return Err(self.unexpected("an operator or the end of the expression"));
        }
        Ok(node)
    }

    // --- tokens ---

    fn token(&self) -> &Token {
        // The last token is End and is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn peek(&self) -> &Tok {
        &self.token().kind
    }

    fn span(&self) -> Span {
        self.token().span
    }

    fn next_is(&self, sign: &'static str) -> bool {
        self.peek() == &Tok::Sign(sign)
    }

    fn advance(&mut self) -> Span {
        let span = self.span();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }

    fn accept(&mut self, sign: &'static str) -> Option<Span> {
        self.next_is(sign).then(|| self.advance())
    }

    fn expect(&mut self, sign: &'static str, what_for: &str) -> Parsed<Span> {
        self.accept(sign).ok_or_else(|| {
            ExprError::new(self.span(), format!("expected \"{sign}\" {what_for}, found {}", self.peek().describe()))
        })
    }

    fn unexpected(&self, expected: &str) -> ExprError {
        let found = self.peek();
        let error = ExprError::new(self.span(), format!("expected {expected}, found {}", found.describe()));
        match found {
            Tok::Sign("=") => error.help("equality is written =="),
            Tok::Sign("&") => error.help("\"and\" is written &&"),
            Tok::Sign("|") => error.help("\"or\" is written ||"),
            Tok::Sign(sign @ ("*" | "/" | "%")) => {
                error.help(format!("\"{sign}\" is not part of the language; facts that need it are derived in code"))
            }
            Tok::Name(name) if name == "and" => error.help("\"and\" is written &&"),
            Tok::Name(name) if name == "or" => error.help("\"or\" is written ||"),
            Tok::Name(name) if name == "not" => error.help("\"not\" is written !"),
            Tok::Sign("{" | "}") => error.help("maps and messages cannot be written in an expression"),
            _ => error,
        }
    }

    // --- depth ---

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(too_deep(self.span()));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn node(&self, span: Span, kind: Kind) -> Parsed<Node> {
        let node = Node::new(span, kind);
        if node.depth > MAX_DEPTH { Err(too_deep(span)) } else { Ok(node) }
    }

    // --- grammar ---

    fn expression(&mut self) -> Parsed<Node> {
        self.deeper(|parser| {
            let condition = parser.binary(OR)?;
            if parser.accept("?").is_none() {
                return Ok(condition);
            }
            let then = parser.binary(OR)?;
            parser.expect(":", "and the other case after \"?\"")?;
            let otherwise = parser.expression()?;
            let span = condition.span.to(otherwise.span);
            parser.node(span, Kind::Choose(Box::new([condition, then, otherwise])))
        })
    }

    fn binary(&mut self, floor: u8) -> Parsed<Node> {
        let mut left = self.unary()?;
        loop {
            let (power, op) = match self.peek() {
                Tok::Sign("||") => (OR, None),
                Tok::Sign("&&") => (AND, None),
                Tok::Sign("==") => (RELATION, Some(Binary::Equal)),
                Tok::Sign("!=") => (RELATION, Some(Binary::NotEqual)),
                Tok::Sign("<") => (RELATION, Some(Binary::Less)),
                Tok::Sign("<=") => (RELATION, Some(Binary::LessOrEqual)),
                Tok::Sign(">") => (RELATION, Some(Binary::Greater)),
                Tok::Sign(">=") => (RELATION, Some(Binary::GreaterOrEqual)),
                Tok::Name(name) if name == "in" => (RELATION, Some(Binary::In)),
                Tok::Sign("+") => (SUM, Some(Binary::Add)),
                Tok::Sign("-") => (SUM, Some(Binary::Subtract)),
                _ => return Ok(left),
            };
            if power < floor {
                return Ok(left);
            }
            left = match op {
                Some(op) => {
                    let op_span = self.advance();
                    let right = self.binary(power + 1)?;
                    let span = left.span.to(right.span);
                    self.node(span, Kind::Binary { op, op_span, sides: Box::new([left, right]) })?
                }
                None => self.chain(left, power)?,
            };
        }
    }

    /// `a && b && c` becomes one node, however long.
    fn chain(&mut self, first: Node, power: u8) -> Parsed<Node> {
        let sign = if power == AND { "&&" } else { "||" };
        let mut parts = vec![first];
        while self.accept(sign).is_some() {
            parts.push(self.binary(power + 1)?);
        }
        let span = parts.iter().fold(parts[0].span, |span, part| span.to(part.span));
        self.node(span, if power == AND { Kind::And(parts) } else { Kind::Or(parts) })
    }

    fn unary(&mut self) -> Parsed<Node> {
        if let Some(start) = self.accept("!") {
            let of = self.deeper(Self::unary)?;
            return self.node(start.to(of.span), Kind::Not(Box::new(of)));
        }
        if let Some(start) = self.accept("-") {
            if let Tok::Int(value) = *self.peek() {
                // The number and its sign are one, so that the smallest number can be written.
                let span = start.to(self.advance());
                let node = self.node(span, Kind::Int(0u64.wrapping_sub(value).cast_signed()))?;
                return self.postfix(node);
            }
            let of = self.deeper(Self::unary)?;
            return self.node(start.to(of.span), Kind::Negate(Box::new(of)));
        }
        let primary = self.primary()?;
        self.postfix(primary)
    }

    fn postfix(&mut self, mut node: Node) -> Parsed<Node> {
        loop {
            if self.accept(".").is_some() {
                let name = self.ident("a field or a function after \".\"")?;
                node = if self.next_is("(") {
                    self.call(Some(Box::new(node)), name)?
                } else {
                    let span = node.span.to(name.span);
                    self.node(span, Kind::Select { of: Box::new(node), name })?
                };
            } else if self.accept("[").is_some() {
                let index = self.expression()?;
                let end = self.expect("]", "after the index")?;
                let span = node.span.to(end);
                node = self.node(span, Kind::Index { of: Box::new(node), index: Box::new(index) })?;
            } else {
                return Ok(node);
            }
        }
    }

    fn ident(&mut self, what: &str) -> Parsed<Ident> {
        match self.peek() {
            Tok::Name(name) => {
                let name = name.clone();
                Ok(Ident { name, span: self.advance() })
            }
            _ => Err(self.unexpected(what)),
        }
    }

    fn call(&mut self, of: Option<Box<Node>>, name: Ident) -> Parsed<Node> {
        self.advance();
        let (args, end) = self.items(")", "after the arguments")?;
        let start = of.as_ref().map_or(name.span, |of| of.span);
        self.node(start.to(end), Kind::Call { of, name, args })
    }

    fn primary(&mut self) -> Parsed<Node> {
        let token = self.token().clone();
        let kind = match token.kind {
            Tok::Int(value) => {
                self.advance();
                let value = i64::try_from(value)
                    .map_err(|_| ExprError::new(token.span, "this number does not fit into 64 bits"))?;
                Kind::Int(value)
            }
            Tok::Text(text) => {
                self.advance();
                Kind::Text(text)
            }
            Tok::Name(name) if name == "in" => return Err(self.unexpected("an expression")),
            Tok::Name(name) => {
                self.advance();
                match name.as_str() {
                    "true" => Kind::Bool(true),
                    "false" => Kind::Bool(false),
                    "null" => Kind::Null,
                    _ if self.next_is("(") => return self.call(None, Ident { name, span: token.span }),
                    _ => Kind::Name(name),
                }
            }
            Tok::Sign("(") => {
                self.advance();
                let mut inner = match self.expression() {
                    Ok(inner) => inner,
                    Err(error) => self.recover(error, &[")"])?,
                };
                let end = self.expect(")", "to close the parenthesis")?;
                inner.span = token.span.to(end);
                return Ok(inner);
            }
            Tok::Sign("[") => {
                self.advance();
                let (items, end) = self.items("]", "after the list")?;
                return self.node(token.span.to(end), Kind::List(items));
            }
            _ => return Err(self.unexpected("an expression")),
        };
        self.node(token.span, kind)
    }

    /// Expressions between commas up to the closing bracket, which is passed.
    fn items(&mut self, close: &'static str, what_for: &str) -> Parsed<(Vec<Node>, Span)> {
        let mut items = Vec::new();
        if let Some(end) = self.accept(close) {
            return Ok((items, end));
        }
        loop {
            let item = match self.expression() {
                Ok(item) => item,
                Err(error) => self.recover(error, &[",", close])?,
            };
            items.push(item);
            if self.accept(",").is_none() {
                return Ok((items, self.expect(close, what_for)?));
            }
        }
    }

    /// Notes the mistake and goes on at one of `signs` on this level of brackets; gives up where there is none.
    fn recover(&mut self, error: ExprError, signs: &[&'static str]) -> Parsed<Node> {
        let span = Span::new(error.span.start, error.span.end);
        let mut open = 0usize;
        let stop = self.tokens[self.at..].iter().position(|token| match token.kind {
            Tok::Sign(sign) if open == 0 && signs.contains(&sign) => true,
            Tok::Sign("(" | "[") => {
                open += 1;
                false
            }
            Tok::Sign(")" | "]") => {
                open = open.saturating_sub(1);
                false
            }
            _ => false,
        });
        let Some(stop) = stop else { return Err(error) };
        self.at += stop;
        self.errors.push(error);
        Ok(Node::new(span, Kind::Wrong))
    }
}

fn too_deep(span: Span) -> ExprError {
    ExprError::new(span, format!("this expression nests deeper than {MAX_DEPTH} levels"))
        .help("split the rule in two, or derive the fact in code")
}
