//! The expressions of `get_all_records_where`: `field "type"="ca" and not (field "name"="")`.

use serde_json::Value;

use super::super::answer::ApiError;
use super::super::db::Fields;

/// An expression over one record.
#[derive(Debug)]
pub(super) enum Filter {
    All,
    None,
    Equal(Side, Side),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

pub(super) use Filter::All;

/// One side of a comparison.
#[derive(Debug)]
pub(super) enum Side {
    Field(String),
    Text(String),
}

/// How deep expressions may nest.
const DEPTH: usize = 32;

pub(super) fn parse(text: &str) -> Result<Filter, ApiError> {
    let wrong = || ApiError::internal("Db_filter.Expression_error");
    let words = split(text).ok_or_else(wrong)?;
    let mut reader = Reader { words: &words, at: 0 };
    let found = reader.either(0).filter(|_| reader.at == words.len());
    found.ok_or_else(wrong)
}

#[derive(Debug, PartialEq)]
enum Word {
    Plain(String),
    Quoted(String),
}

fn split(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' | '\'' => {
                let mut quoted = String::new();
                loop {
                    match letters.next()? {
                        '\\' => quoted.push(letters.next()?),
                        end if end == letter => break,
                        other => quoted.push(other),
                    }
                }
                words.push(Word::Quoted(quoted));
            }
            '(' | ')' | '=' => words.push(Word::Plain(letter.to_string())),
            blank if blank.is_whitespace() => {}
            first => {
                let mut word = first.to_string();
                while let Some(next) = letters.next_if(|next| next.is_alphanumeric() || *next == '_') {
                    word.push(next);
                }
                words.push(Word::Plain(word));
            }
        }
    }
    Some(words)
}

struct Reader<'a> {
    words: &'a [Word],
    at: usize,
}

impl Reader<'_> {
    fn eat(&mut self, word: &str) -> bool {
        let found = matches!(self.words.get(self.at), Some(Word::Plain(plain)) if plain == word);
        self.at += usize::from(found);
        found
    }

    fn either(&mut self, depth: usize) -> Option<Filter> {
        let mut left = self.both(depth)?;
        while self.eat("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Some(left)
    }

    fn both(&mut self, depth: usize) -> Option<Filter> {
        let mut left = self.one(depth)?;
        while self.eat("and") {
            left = Filter::And(Box::new(left), Box::new(self.one(depth)?));
        }
        Some(left)
    }

    fn one(&mut self, depth: usize) -> Option<Filter> {
        if depth > DEPTH {
            return None;
        }
        if self.eat("not") {
            return Some(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.eat("(") {
            let inner = self.either(depth + 1)?;
            return self.eat(")").then_some(inner);
        }
        if self.eat("true") {
            return Some(All);
        }
        if self.eat("false") {
            return Some(Filter::None);
        }
        let left = self.side()?;
        if !self.eat("=") {
            return None;
        }
        Some(Filter::Equal(left, self.side()?))
    }

    fn side(&mut self) -> Option<Side> {
        let field = self.eat("field");
        let word = self.words.get(self.at)?;
        self.at += 1;
        match word {
            Word::Quoted(text) if field => Some(Side::Field(text.clone())),
            Word::Quoted(text) => Some(Side::Text(text.clone())),
            Word::Plain(_) => None,
        }
    }
}

impl Filter {
    pub(super) fn holds(&self, record: &Fields) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Equal(left, right) => left.of(record) == right.of(record),
            Self::Not(inner) => !inner.holds(record),
            Self::And(left, right) => left.holds(record) && right.holds(record),
            Self::Or(left, right) => left.holds(record) || right.holds(record),
        }
    }
}

impl Side {
    fn of(&self, record: &Fields) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Field(field) => match record.get(field.trim_start_matches("_")) {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => String::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_hold_where_the_server_says_so() {
        let record = json!({"type": "ca", "name": "", "enabled": true, "MTU": 1500});
        let record = record.as_object().unwrap();
        let holds = |text: &str| parse(text).unwrap().holds(record);
        assert!(holds("field \"type\"=\"ca\""));
        assert!(holds("not (field \"type\"=\"host\") and (field \"name\"=\"\" or false)"));
        assert!(holds("field \"enabled\"=\"true\" and field \"MTU\"=\"1500\""));
        assert!(!holds("field \"type\"=\"ca\" and not true"));
        for odd in ["", "field", "field \"a\"", "\"a\"=", "(true", "true true", "field \"a\"=\"b", "frob"] {
            assert!(parse(odd).is_err(), "{odd}");
        }
        assert!(parse(&"(".repeat(1000)).is_err());
    }
}
