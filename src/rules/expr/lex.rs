//! Text to tokens.

use super::error::{ExprError, Span};

/// A token and its place.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits, without a sign: one more than `i64::MAX` is allowed here for the sake of `-9223372036854775808`.
    Int(u64),
    Text(String),
    Name(String),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

impl Kind {
    /// How an error message calls it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Int(value) => format!("the number {value}"),
            Self::Text(_) => "a text".to_owned(),
            Self::Name(name) => format!("\"{name}\""),
            Self::Sign(sign) => format!("\"{sign}\""),
            Self::End => "the end of the expression".to_owned(),
        }
    }
}

/// The operator or bracket with which a text begins.
fn sign(text: &str) -> Option<&'static str> {
    Some(match *text.as_bytes() {
        [b'&', b'&', ..] => "&&",
        [b'|', b'|', ..] => "||",
        [b'=', b'=', ..] => "==",
        [b'!', b'=', ..] => "!=",
        [b'<', b'=', ..] => "<=",
        [b'>', b'=', ..] => ">=",
        [b'<', ..] => "<",
        [b'>', ..] => ">",
        [b'!', ..] => "!",
        [b'?', ..] => "?",
        [b':', ..] => ":",
        [b'+', ..] => "+",
        [b'-', ..] => "-",
        [b'*', ..] => "*",
        [b'/', ..] => "/",
        [b'%', ..] => "%",
        [b'(', ..] => "(",
        [b')', ..] => ")",
        [b'[', ..] => "[",
        [b']', ..] => "]",
        [b'.', ..] => ".",
        [b',', ..] => ",",
        [b'=', ..] => "=",
        [b'&', ..] => "&",
        [b'|', ..] => "|",
        [b'{', ..] => "{",
        [b'}', ..] => "}",
        _ => return None,
    })
}

/// Splits `source` into tokens, the last of which is [`Kind::End`]. Places count from `base`.
pub(super) fn lex(source: &str, base: usize) -> Result<Vec<Token>, Vec<ExprError>> {
    let mut lexer = Lexer { source, base, at: 0, errors: Vec::new() };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    tokens.push(Token { kind: Kind::End, span: Span::new(base + source.len(), base + source.len()) });
    if lexer.errors.is_empty() { Ok(tokens) } else { Err(lexer.errors) }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

struct Lexer<'s> {
    source: &'s str,
    base: usize,
    at: usize,
    errors: Vec<ExprError>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn span(&self, start: usize) -> Span {
        Span::new(self.base + start, self.base + self.at)
    }

    fn take(&mut self, pred: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let len = rest.find(|c| !pred(c)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    fn next(&mut self) -> Option<Token> {
        loop {
            self.take(char::is_whitespace);
            let start = self.at;
            let first = self.rest().chars().next()?;
            let kind = match first {
                '/' if self.rest().starts_with("//") => {
                    self.take(|c| c != '\n');
                    continue;
                }
                '0'..='9' => self.number(start),
                'a'..='z' | 'A'..='Z' | '_' => Kind::Name(self.take(is_word).to_owned()),
                '\'' | '"' => self.text(first, start),
                _ => match sign(self.rest()) {
                    Some(sign) => {
                        self.at += sign.len();
                        Kind::Sign(sign)
                    }
                    None => {
                        self.stray(first, start);
                        continue;
                    }
                },
            };
            return Some(Token { kind, span: self.span(start) });
        }
    }

    /// Stray characters come in runs: one error speaks for the run.
    fn stray(&mut self, first: char, start: usize) {
        self.at += first.len_utf8();
        self.take(|c| !c.is_ascii() && !c.is_whitespace());
        let character = first.escape_debug();
        self.errors.push(ExprError::new(self.span(start), format!("unexpected character '{character}'")));
    }

    fn number(&mut self, start: usize) -> Kind {
        let word = self.take(is_word);
        let parsed = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => word.parse(),
        };
        let fraction = self.rest().starts_with('.') && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
        if fraction {
            self.at += 1;
            self.take(|c| c.is_ascii_alphanumeric());
            let error = ExprError::new(self.span(start), "numbers with a fraction are not part of the language")
                .help("all numbers are whole; compare versions as texts with version_compare(a, b)");
            self.errors.push(error);
            return Kind::Int(0);
        }
        match parsed {
            Ok(value) if value <= 1 << 63 => Kind::Int(value),
            _ => {
                let error = if word.bytes().all(|byte| byte.is_ascii_digit()) {
                    ExprError::new(self.span(start), "this number does not fit into 64 bits")
                } else {
                    ExprError::new(self.span(start), format!("\"{word}\" is not a number"))
                        .help("a number is decimal digits, or 0x and hex digits")
                };
                self.errors.push(error);
                Kind::Int(0)
            }
        }
    }

    fn text(&mut self, quote: char, start: usize) -> Kind {
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take(|c| c != quote && c != '\\' && c != '\n'));
            match self.rest().chars().next() {
                Some(c) if c == quote => {
                    self.at += 1;
                    return Kind::Text(text);
                }
                Some('\\') => self.escape(&mut text),
                _ => {
                    let error = ExprError::new(self.span(start), format!("this text has no closing {quote}"))
                        .help("a text ends on the line on which it began; write \\n for a line break");
                    self.errors.push(error);
                    return Kind::Text(text);
                }
            }
        }
    }

    /// The escapes of CEL.
    fn escape(&mut self, text: &mut String) {
        let start = self.at;
        self.at += 1;
        let letter = self.rest().chars().next();
        self.at += letter.map_or(0, char::len_utf8);
        let escaped = match letter {
            Some(c @ ('\\' | '\'' | '"' | '`' | '?')) => Some(c),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('v') => Some('\u{b}'),
            Some('x' | 'X') => self.code_point(2, 16),
            Some('u') => self.code_point(4, 16),
            Some('U') => self.code_point(8, 16),
            Some('0'..='3') => {
                self.at -= 1;
                self.code_point(3, 8)
            }
            _ => None,
        };
        match escaped {
            Some(c) => text.push(c),
            None => {
                let error = ExprError::new(self.span(start), "unknown escape in a text").help(
                    "known are \\\\ \\' \\\" \\` \\? \\a \\b \\f \\n \\r \\t \\v \\xHH \\uHHHH \\UHHHHHHHH and \\OOO; \
                     write \\\\ for a backslash",
                );
                self.errors.push(error);
            }
        }
    }

    fn code_point(&mut self, digits: usize, radix: u32) -> Option<char> {
        let word = self.rest().get(..digits)?;
        let code = word.chars().try_fold(0u32, |code, c| Some(code.checked_mul(radix)? + c.to_digit(radix)?))?;
        self.at += digits;
        char::from_u32(code)
    }
}
