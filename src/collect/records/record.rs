//! One record of the server, read field by field: liberal in encodings, exact about what is missing and why.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::raw::{Fields, Raw};
use super::since;
use crate::facts::{Featureset, Found, Known, Reason, Unknown};

/// The reference that stands for none.
const NULL: &str = "OpaqueRef:NULL";

/// A record, or a map inside one.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    class: &'static str,
    reference: Cow<'a, str>,
    /// The field of the record that this map is, for maps.
    within: Option<&'static str>,
    name: Option<&'a str>,
    fields: Result<Fields<'a>, Unknown>,
    /// Why a field that is not there is missing.
    gap: Reason,
    /// Whether an empty map may be written as an empty set, which only the server's database does.
    bare: bool,
    /// The version of the API that the server speaks, where it is known.
    api: Option<(i64, i64)>,
}

/// What an empty set of the database is, where a map is meant.
static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// What a value is, for messages. Never the value itself: it may be a secret.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl<'a> Record<'a> {
    /// A record of a class.
    pub(super) fn new(class: &'static str, reference: impl Into<Cow<'a, str>>, value: Raw<'a>) -> Self {
        let reference = reference.into();
        let fields = value.fields().ok_or_else(|| {
            let detail = format!("{class} {reference} is {}, expected a record", value.kind());
            Unknown::because(Reason::Unreadable, detail)
        });
        Self::of(class, reference, fields)
    }

    /// A record of a class whose fields were taken apart.
    pub(super) fn of(class: &'static str, reference: Cow<'a, str>, fields: Result<Fields<'a>, Unknown>) -> Self {
        let name = fields.as_ref().ok().and_then(|fields| fields.get("name_label")?.as_str());
        Self {
            class,
            reference,
            within: None,
            name: name.filter(|name| !name.is_empty()),
            fields,
            gap: Reason::AbsentOnRelease,
            bare: false,
            api: None,
        }
    }

    /// The same record, from the server's database.
    pub(super) fn of_database(self) -> Self {
        Self { bare: true, ..self }
    }

    /// The same record, of a server that speaks this version of the API.
    pub(super) fn of_api(self, api: Option<(i64, i64)>) -> Self {
        Self { api, ..self }
    }

    /// The same record, where not all fields were taken down.
    pub(super) fn partial(self) -> Self {
        Self { gap: Reason::NotCollected, ..self }
    }

    /// A record that is not there: every field of it is missing for one reason, its reference included.
    pub(super) fn missing(class: &'static str, why: Unknown) -> Self {
        Self {
            class,
            reference: Cow::Borrowed(""),
            within: None,
            name: None,
            fields: Err(why),
            gap: Reason::AbsentOnRelease,
            bare: false,
            api: None,
        }
    }

    /// The server's reference of the record.
    pub(super) fn reference(&self) -> &str {
        &self.reference
    }

    /// The server's reference, as a fact.
    pub(super) fn own(&self) -> Known<String> {
        match &self.fields {
            Err(why) if self.reference.is_empty() => Known::No(why.clone()),
            _ => Known::Yes(self.reference.clone().into_owned()),
        }
    }

    /// A text.
    pub(super) fn text(&self, field: &str) -> Known<String> {
        self.get(field, "text", |value| value.as_str().map(str::to_owned))
    }

    /// One of the words of an enumeration, as `xe` prints it (in small letters) too.
    pub(super) fn one_of(&self, field: &str, words: &'static [&'static str]) -> Known<String> {
        let word =
            |text: &str| words.iter().find(|word| word.eq_ignore_ascii_case(text)).map(|word| (*word).to_owned());
        match self.value(field) {
            Ok(value) => value.as_str().and_then(word).map_or_else(
                || Known::no(Reason::Unreadable, self.wrong(field, value, &words.join(" or "))),
                Known::Yes,
            ),
            Err(unknown) => Known::No(unknown),
        }
    }

    /// True or false; also as text, as untyped XML has it.
    pub(super) fn bool(&self, field: &str) -> Known<bool> {
        self.get(field, "true or false", |value| value.as_bool().or_else(|| value.as_str()?.parse().ok()))
    }

    /// An integer, as a number or as decimal digits.
    pub(super) fn int(&self, field: &str) -> Known<i64> {
        self.get(field, "an integer", int)
    }

    /// A reference that may be none: `OpaqueRef:NULL` or empty.
    pub(super) fn nullable(&self, field: &str) -> Known<Option<String>> {
        self.text(field).map(|text| (!is_null(&text)).then_some(text))
    }

    /// A list of texts.
    pub(super) fn texts(&self, field: &str) -> Known<Vec<String>> {
        self.get(field, "a list of texts", Raw::texts)
    }

    /// The references that a field holds, one or a list of them; none where it is not there. Fails where it holds something else.
    pub(super) fn names(&self, field: &str) -> Found<Vec<&'a str>> {
        let Ok(value) = self.value(field) else { return Ok(Vec::new()) };
        let names = value.as_str().map(|name| vec![name]).or_else(|| value.borrowed_texts());
        names.ok_or_else(|| Unknown::because(Reason::Unreadable, self.wrong(field, value, "references")))
    }

    /// How long a list of texts is.
    pub(super) fn length(&self, field: &str) -> Known<i64> {
        self.texts(field).map(|list| i64::try_from(list.len()).unwrap_or(i64::MAX))
    }

    /// A map of texts.
    pub(super) fn map(&self, field: &str) -> Known<BTreeMap<String, String>> {
        self.map_where(field, |_| true)
    }

    /// A map of texts, as far as its keys are wanted.
    pub(super) fn map_where(&self, field: &str, wanted: impl Fn(&str) -> bool) -> Known<BTreeMap<String, String>> {
        self.get(field, "a map of texts", |value| self.as_map(value)?.texts(wanted))
    }

    /// A map of integers.
    pub(super) fn ints(&self, field: &str) -> Known<BTreeMap<String, i64>> {
        self.get(field, "a map of integers", |value| self.as_map(value)?.each(|_| true, int, |number| number))
    }

    /// A time, brought to `YYYY-MM-DDThh:mm:ssZ`.
    pub(super) fn time(&self, field: &str) -> Known<String> {
        self.get(field, "a time as in 20260102T03:04:05Z", |value| time(value.as_str()?))
    }

    /// Feature words.
    pub(super) fn features(&self, field: &str) -> Known<Featureset> {
        self.get(field, "text", Raw::as_str).and_then(|text| match text.parse() {
            Ok(features) => Known::Yes(features),
            Err(_) => {
                let shown: String = text.chars().take(60).collect();
                let more = if shown.len() < text.len() { "…" } else { "" };
                let detail = format!(
                    "{} is \"{}{more}\", expected words of 1 to 8 hex digits joined by '-'",
                    self.place(field),
                    shown.escape_debug(),
                );
                Known::no(Reason::Unreadable, detail)
            }
        })
    }

    /// A map inside the record, to be read field by field.
    pub(super) fn inner(&self, field: &'static str) -> Known<Self> {
        let fields = match self.value(field).map(|value| (value, self.as_map(value))) {
            Ok((_, Some(fields))) => fields,
            Ok((other, None)) => return Known::no(Reason::Unreadable, self.wrong(field, other, "a map")),
            Err(unknown) => return Known::No(unknown),
        };
        Known::Yes(Self { within: Some(field), fields: Ok(fields), gap: Reason::AbsentOnRelease, ..self.clone() })
    }

    fn as_map(&self, value: Raw<'a>) -> Option<Fields<'a>> {
        if self.bare && value.is_empty_list() { Some(Fields::Tree(&EMPTY)) } else { value.fields() }
    }

    /// Whether the map has a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.fields.as_ref().is_ok_and(|fields| fields.get(key).is_some())
    }

    fn get<T>(&self, field: &str, expected: &str, read: impl FnOnce(Raw<'a>) -> Option<T>) -> Known<T> {
        match self.value(field) {
            Ok(value) => match read(value) {
                Some(read) => Known::Yes(read),
                None => Known::no(Reason::Unreadable, self.wrong(field, value, expected)),
            },
            Err(unknown) => Known::No(unknown),
        }
    }

    /// A record as the server gives it has all fields of its release, so that a missing one is absent there.
    fn value(&self, field: &str) -> Result<Raw<'a>, Unknown> {
        let fields = self.fields.as_ref().map_err(Clone::clone)?;
        fields.get(field).ok_or_else(|| self.gap(field))
    }

    fn gap(&self, field: &str) -> Unknown {
        if self.within.is_some() || self.gap != Reason::AbsentOnRelease {
            return Unknown::new(self.gap);
        }
        match since::missing(self.class, field, self.api) {
            Some(why) => Unknown::because(Reason::NotCollected, self.place(field) + " is not in the record, " + &why),
            None => Unknown::new(self.gap),
        }
    }

    fn wrong(&self, field: &str, value: Raw<'_>, expected: &str) -> String {
        let found = match value.kind() {
            list @ ("a list" | "an object") if expected.contains(" of ") => format!("{list} of something else"),
            "text" => "some other text".to_owned(),
            other => other.to_owned(),
        };
        format!("{} is {found}, expected {expected}", self.place(field))
    }

    /// Class, reference, name and field: `host OpaqueRef:1 (alpha): cpu_info.vendor`. Records of a fleet lack fields by the
    /// dozen, so that it is put together without the machinery of formats.
    fn place(&self, field: &str) -> String {
        let mut place = String::with_capacity(128);
        place.push_str(self.class);
        place.push(' ');
        place.push_str(&self.reference);
        if let Some(name) = self.name {
            place.push_str(" (");
            place.extend(name.escape_debug());
            place.push(')');
        }
        place.push_str(": ");
        if let Some(within) = self.within {
            place.push_str(within);
            place.push('.');
        }
        place.push_str(field);
        place
    }
}

/// Whether a reference is none.
pub(super) fn is_null(reference: &str) -> bool {
    reference.is_empty() || reference == NULL
}

fn int(value: Raw<'_>) -> Option<i64> {
    match value.as_str() {
        Some(text) => text.parse().ok(),
        None => value.as_i64(),
    }
}

/// From `20260102T03:04:05Z`, with or without hyphens, fractions and the final letter.
pub(super) fn time(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
    let (date, clock) = digits.trim_end_matches('Z').split_once('T')?;
    let clock = clock.split_once('.').map_or(clock, |(clock, _)| clock);
    let numbers = date.bytes().chain(clock.bytes()).all(|byte| byte.is_ascii_digit());
    if date.len() != 8 || clock.len() != 6 || !numbers {
        return None;
    }
    Some(format!("{}-{}-{}T{}:{}:{}Z", &date[..4], &date[4..6], &date[6..], &clock[..2], &clock[2..4], &clock[4..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_encoding_of_a_value() {
        let value = json!({
            "n": 1500, "s": "1500", "big": "9223372036854775807", "flag": true, "word": "false",
            "when": "20260102T03:04:05Z", "none": "OpaqueRef:NULL", "list": ["a"], "map": {"k": "v"},
        });
        let record = Record::new("PIF", "OpaqueRef:1", Raw::Tree(&value));
        assert_eq!(record.int("n"), record.int("s"));
        assert_eq!(record.int("big"), Known::Yes(i64::MAX));
        assert_eq!((record.bool("flag"), record.bool("word")), (Known::Yes(true), Known::Yes(false)));
        assert_eq!(record.time("when"), Known::Yes("2026-01-02T03:04:05Z".to_owned()));
        assert_eq!(record.nullable("none"), Known::Yes(None));
        assert_eq!(record.text("gone"), Known::absent());
    }

    #[test]
    fn a_wrong_type_names_its_place_and_not_its_value() {
        let value = json!({"name_label": "alpha", "enabled": "hunter2", "tags": [1], "cpu_info": {"vendor": 7}});
        let record = Record::new("host", "OpaqueRef:1", Raw::Tree(&value));
        let why = |unknown: Option<&Unknown>| unknown.unwrap().to_string();
        insta::assert_snapshot!(why(record.bool("enabled").unknown()), @"unreadable: host OpaqueRef:1 (alpha): enabled is some other text, expected true or false");
        insta::assert_snapshot!(why(record.texts("tags").unknown()), @"unreadable: host OpaqueRef:1 (alpha): tags is a list of something else, expected a list of texts");
        insta::assert_snapshot!(why(record.inner("cpu_info").and_then(|map| map.text("vendor")).unknown()), @"unreadable: host OpaqueRef:1 (alpha): cpu_info.vendor is a number, expected text");
        let odd = json!([1]);
        insta::assert_snapshot!(why(Record::new("host", "OpaqueRef:1", Raw::Tree(&odd)).text("uuid").unknown()), @"unreadable: host OpaqueRef:1 is a list, expected a record");
    }

    #[test]
    fn only_the_servers_words_are_read() {
        let value = json!({"a": "Running", "b": "running", "c": "Migrating", "d": ""});
        let record = Record::new("VM", "OpaqueRef:1", Raw::Tree(&value));
        let state = |field: &str| record.one_of(field, &["Halted", "Running"]);
        assert_eq!((state("a"), state("b")), (Known::Yes("Running".to_owned()), Known::Yes("Running".to_owned())));
        insta::assert_snapshot!(state("c").unknown().unwrap().to_string(), @"unreadable: VM OpaqueRef:1: c is some other text, expected Halted or Running");
        assert!(state("d").unknown().is_some());
    }

    #[test]
    fn what_a_release_always_has_is_missing_and_not_absent() {
        let value = json!({"uuid": "a"});
        let of = |api| {
            let record = Record::new("pool", "OpaqueRef:1", Raw::Tree(&value)).of_api(api);
            record.bool("is_psr_pending").unknown().map(|unknown| unknown.reason)
        };
        assert_eq!(of(Some((2, 21))), Some(Reason::NotCollected));
        assert_eq!(of(Some((2, 15))), Some(Reason::AbsentOnRelease));
        assert_eq!(of(None), Some(Reason::AbsentOnRelease));
        let of = |class, field: &str, api| {
            let record = Record::new(class, "OpaqueRef:1", Raw::Tree(&value)).of_api(api);
            record.text(field).unknown().map(|unknown| unknown.reason)
        };
        // Without a version nobody knows whether a field that is there since 5.6 is absent.
        assert_eq!(of("host", "cpu_info", None), Some(Reason::NotCollected));
        assert_eq!(of("pool", "current_operations", Some((2, 15))), Some(Reason::NotCollected));
        assert_eq!(of("pool", "current_operations", Some((2, 3))), Some(Reason::AbsentOnRelease));
        assert_eq!(of("host", "pending_guidances", Some((2, 20))), Some(Reason::AbsentOnRelease));
        assert_eq!(of("host", "pending_guidances", Some((2, 21))), Some(Reason::NotCollected));
    }

    #[test]
    fn times_in_every_form() {
        assert_eq!(time("2026-01-02T03:04:05Z").as_deref(), Some("2026-01-02T03:04:05Z"));
        assert_eq!(time("20260102T03:04:05").as_deref(), Some("2026-01-02T03:04:05Z"));
        assert_eq!(time("20260102T03:04:05.123Z").as_deref(), Some("2026-01-02T03:04:05Z"));
        for odd in ["", "T", "20260102", "2026é102T03:04:05Z", "20260102T03:04:5Z"] {
            assert_eq!(time(odd), None, "{odd}");
        }
    }
}
