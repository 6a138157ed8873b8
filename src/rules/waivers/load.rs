//! From the text of a waiver file to waivers: every mistake of the file at once, each with its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Date, Waiver};
use crate::rules::expr::{ExprError, render};

/// What a waiver may and must say.
const KEYS: [&str; 7] = ["rule", "host", "pool", "serial", "reason", "owner", "expires"];

/// More mistakes than these nobody reads.
const MOST: usize = 100;

/// The waivers of a file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waivers {
    /// The file, as messages name it.
    pub file: String,
    /// The waivers.
    pub list: Vec<Waiver>,
}

/// The kinds of mistakes in a waiver file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// It is no TOML.
    Syntax,
    /// A key that no waiver has.
    UnknownKey,
    /// A key that every waiver has is missing or empty.
    Missing,
    /// A value of another type.
    WrongType,
    /// A rule that does not exist.
    UnknownRule,
    /// Neither host nor pool nor serial.
    NoScope,
    /// A day that is none.
    NoDate,
    /// A pattern where one name is asked for.
    Pattern,
    /// The same waiver a second time.
    Twice,
}

/// One mistake in a waiver file: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rendered}")]
pub struct WaiverError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What kind of mistake.
    pub mistake: Mistake,
    /// Place, message and remedy, ready to print.
    pub rendered: String,
}

impl Waivers {
    /// Reads and checks a file. `rules` are the ids of all rules, of every phase.
    pub fn load(file: &str, text: &str, rules: &[&str]) -> Result<Self, Vec<WaiverError>> {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let mut reader = Reader { file, text, ends, rules, errors: Vec::new() };
        let list = match DeTable::parse(text) {
            Ok(table) => reader.file(table.get_ref()),
            Err(error) => {
                reader.wrong(Mistake::Syntax, error.span().unwrap_or(0..0), error.message(), "a waiver file is TOML");
                Vec::new()
            }
        };
        if reader.errors.is_empty() { Ok(Self { file: file.to_owned(), list }) } else { Err(reader.errors) }
    }
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    /// Where its lines end.
    ends: Vec<usize>,
    rules: &'t [&'t str],
    errors: Vec<WaiverError>,
}

impl Reader<'_> {
    fn file(&mut self, table: &DeTable<'_>) -> Vec<Waiver> {
        let mut list: Vec<Waiver> = Vec::new();
        for (key, value) in table {
            if key.get_ref() != "waiver" {
                self.unknown_key(key.span(), key.get_ref(), &["waiver"]);
                continue;
            }
            let DeValue::Array(waivers) = value.get_ref() else {
                self.wrong(
                    Mistake::WrongType,
                    value.span(),
                    "`waiver` is a list",
                    "begin each waiver with [[waiver]]",
                );
                continue;
            };
            for waiver in waivers {
                let DeValue::Table(fields) = waiver.get_ref() else {
                    let help = "begin each waiver with [[waiver]]";
                    self.wrong(Mistake::WrongType, waiver.span(), "a waiver is a table", help);
                    continue;
                };
                let Some(read) = self.waiver(fields, waiver.span()) else { continue };
                let same = |other: &&Waiver| {
                    (&other.rule, &other.host, &other.pool, &other.serial)
                        == (&read.rule, &read.host, &read.pool, &read.serial)
                };
                if let Some(first) = list.iter().find(same).map(|first| first.line) {
                    let message = format!("the same rule and scope are waived in line {first}");
                    self.wrong(Mistake::Twice, waiver.span(), &message, "keep one of the two");
                }
                list.push(read);
            }
        }
        list
    }

    fn waiver(&mut self, fields: &DeTable<'_>, span: Range<usize>) -> Option<Waiver> {
        for key in fields.keys() {
            if !KEYS.contains(&key.get_ref().as_ref()) {
                self.unknown_key(key.span(), key.get_ref(), &KEYS);
            }
        }
        let rule = self.text(fields, "rule", &span, true);
        if let Some(rule) = &rule
            && !self.rules.contains(&rule.as_str())
        {
            let help = nearest(rule, self.rules).map_or_else(
                || "`poolgate rules list` shows all".to_owned(),
                |nearest| format!("did you mean \"{nearest}\"? `poolgate rules list` shows all"),
            );
            let place = fields.get("rule").map_or_else(|| span.clone(), Spanned::span);
            self.wrong(Mistake::UnknownRule, place, &format!("there is no rule \"{rule}\""), &help);
        }
        let [host, pool, serial] = ["host", "pool", "serial"].map(|key| self.text(fields, key, &span, false));
        if ["host", "pool", "serial"].iter().all(|key| fields.get(*key).is_none()) {
            let help = "add host = \"NAME or uuid\", serial = \"…\" or pool = \"NAME or uuid\"";
            self.wrong(Mistake::NoScope, span.clone(), "the waiver does not say what it covers", help);
        }
        for key in ["host", "pool", "serial"] {
            let value = fields.get(key);
            if let Some(value) = value
                && value.get_ref().as_str().is_some_and(|text| text.contains('*'))
            {
                let help = format!("write one {key}, and a waiver for each");
                self.wrong(
                    Mistake::Pattern,
                    value.span(),
                    "patterns are not read: a waiver covers what it names",
                    &help,
                );
            }
        }
        let reason = self.text(fields, "reason", &span, true);
        let owner = self.text(fields, "owner", &span, true);
        let expires = self.date(fields, &span);
        let line = self.line(span.start);
        Some(Waiver { rule: rule?, host, pool, serial, reason: reason?, owner: owner?, expires: expires?, line })
    }

    fn text(&mut self, fields: &DeTable<'_>, key: &str, span: &Range<usize>, required: bool) -> Option<String> {
        let help = format!("add {key} = \"…\"");
        let Some(value) = fields.get(key) else {
            if required {
                self.wrong(Mistake::Missing, span.clone(), &format!("the waiver has no {key}"), &help);
            }
            return None;
        };
        match value.get_ref().as_str().map(str::trim) {
            None => {
                self.wrong(Mistake::WrongType, value.span(), &format!("{key} is a text"), &help);
                None
            }
            Some("") => {
                self.wrong(Mistake::Missing, value.span(), &format!("{key} is empty"), &help);
                None
            }
            Some(text) => Some(text.to_owned()),
        }
    }

    /// A TOML day, or the same as text.
    fn date(&mut self, fields: &DeTable<'_>, span: &Range<usize>) -> Option<Date> {
        const HELP: &str = "add expires = 2026-12-31, the last day on which it holds";
        let Some(value) = fields.get("expires") else {
            self.wrong(Mistake::Missing, span.clone(), "the waiver never expires", HELP);
            return None;
        };
        let text = match value.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(text) => text.trim().to_owned(),
            _ => {
                self.wrong(Mistake::WrongType, value.span(), "expires is a day", HELP);
                return None;
            }
        };
        match text.parse() {
            Ok(date) => Some(date),
            Err(error) => {
                self.wrong(Mistake::NoDate, value.span(), &format!("{error}"), HELP);
                None
            }
        }
    }

    fn unknown_key(&mut self, span: Range<usize>, key: &str, known: &[&str]) {
        let help = nearest(key, known).map_or_else(
            || format!("the keys are {}", known.join(", ")),
            |nearest| format!("did you mean \"{nearest}\"?"),
        );
        self.wrong(Mistake::UnknownKey, span, &format!("unknown key \"{key}\""), &help);
    }

    fn wrong(&mut self, mistake: Mistake, span: Range<usize>, message: &str, help: &str) {
        if self.errors.len() >= MOST {
            return;
        }
        // Of a whole waiver its first line is enough.
        let end = self.text.get(span.clone()).and_then(|text| text.find('\n')).map_or(span.end, |at| span.start + at);
        let error = ExprError { span: 0..end - span.start, message: message.to_owned(), help: Some(help.to_owned()) };
        self.errors.push(WaiverError {
            file: self.file.to_owned(),
            line: self.line(span.start),
            mistake,
            rendered: render(self.file, self.text, span.start, &[error]),
        });
    }

    fn line(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end < offset) + 1
    }
}

/// The known word that is most like another, where one is.
pub(in crate::rules) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .copied()
        .map(|known| (strsim::jaro_winkler(known, word), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [&str; 2] = ["software-homogeneous", "host-limit-policy"];

    fn mistakes(text: &str) -> Vec<(usize, Mistake)> {
        Waivers::load("w.toml", text, &RULES)
            .map(|_| Vec::new())
            .unwrap_or_else(|errors| errors.iter().map(|error| (error.line, error.mistake)).collect())
    }

    #[test]
    fn a_whole_waiver_is_read() {
        let text = "# why\n\n[[waiver]]\nrule = \"software-homogeneous\"\nhost = \"a\"\nreason = \"r\"\nowner = \"o\"\n\
                    expires = 2026-12-31\n";
        let waivers = Waivers::load("w.toml", text, &RULES).unwrap();
        assert_eq!((waivers.list[0].line, waivers.list[0].scope()), (3, "host a".to_owned()));
        assert_eq!(waivers.list[0].expires.to_string(), "2026-12-31");
        assert_eq!(mistakes(&text.replace("2026-12-31", "\"2026-12-31\"")), []);
        assert_eq!(mistakes(""), []);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

        #[test]
        fn no_text_panics(noise in "\\PC{0,40}", at in 0usize..120, text in "(\\[\\[waiver\\]\\]|rule|host|=|\"|'|[0-9-]{1,10}|\\n|é){0,30}") {
            let good = "[[waiver]]\nrule = \"host-limit-policy\"\nhost = \"é\"\nreason = \"r\"\nowner = \"o\"\nexpires = 2026-12-31\n";
            let mut spoilt = good.to_owned();
            let at = (0..=at.min(good.len())).rev().find(|at| good.is_char_boundary(*at)).unwrap();
            spoilt.insert_str(at, &noise);
            for text in [spoilt, text] {
                for error in Waivers::load("w.toml", &text, &RULES).err().unwrap_or_default() {
                    assert!(error.line >= 1 && error.rendered.contains("w.toml"), "{error}");
                }
            }
        }
    }

    #[test]
    fn many_mistakes_and_deep_nesting_end_soon() {
        assert_eq!(mistakes(&"[[waiver]]\n".repeat(50_000)).len(), MOST);
        assert!(!mistakes(&format!("waiver = {}", "[".repeat(100_000))).is_empty());
    }

    #[test]
    fn every_mistake_has_its_place() {
        let text = "[[waiver]]\nrule = \"software-homogenous\"\nhots = \"a\"\nreason = \"\"\nowner = 7\n\
                    expires = 2026-12-31T10:00:00Z\n\n[[waiver]]\n[[waivers]]\n";
        assert_eq!(
            mistakes(text),
            [
                (3, Mistake::UnknownKey),
                (2, Mistake::UnknownRule),
                (1, Mistake::NoScope),
                (4, Mistake::Missing),
                (5, Mistake::WrongType),
                (6, Mistake::NoDate),
                (8, Mistake::Missing),
                (8, Mistake::NoScope),
                (8, Mistake::Missing),
                (8, Mistake::Missing),
                (8, Mistake::Missing),
                (9, Mistake::UnknownKey),
            ]
        );
        let of = |text: &str| mistakes(text).first().map(|(_, mistake)| *mistake);
        assert_eq!(of("[[waiver]\n"), Some(Mistake::Syntax));
        assert_eq!(of("waiver = 1\n"), Some(Mistake::WrongType));
        let good =
            "[[waiver]]\nrule=\"host-limit-policy\"\nhost=\"*\"\nreason=\"r\"\nowner=\"o\"\nexpires=2026-01-01\n";
        assert_eq!(of(good), Some(Mistake::Pattern));
        let good = good.replace('*', "a");
        assert_eq!(mistakes(&format!("{good}{good}")), [(7, Mistake::Twice)]);
    }
}
