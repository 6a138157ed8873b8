//! How a line of a fleet says to which pool it belongs. Decided by the line and the one before it alone, so that a fleet can
//! be cut anywhere.
//!
//! A line says its pool by `group` (a text), else by `pool` or `snapshot.pool` where that is a text, else by the uuid of the
//! pool record that it holds. A line that says none belongs to the line before it where the names of their hosts are the same
//! up to the last hyphen: `xen-007-01` to `xen-007-00`.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::line::Parts;
use crate::collect::members::members;
use crate::collect::records::answers::is_class;
use crate::collect::records::text;
use crate::snapshot::FORMAT;

/// What a line says of the pool that it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    /// The pool's name or uuid, where the line says one.
    pool: Option<String>,
    /// The host's name up to its last hyphen, where it has one.
    stem: Option<String>,
}

impl Key {
    /// Reads it off a line; none where the line holds nothing that is read as a host.
    pub(super) fn of(parts: &Parts<'_>) -> Option<Self> {
        let is_snapshot = parts.get("format").and_then(text).is_some_and(|format| format == FORMAT);
        let pool = parts.get("pool");
        let key = if is_snapshot {
            let pool = pool.and_then(object::<SnapshotPool<'_>>).unwrap_or_default();
            let name = match pool.hosts.as_slice() {
                [only] => only.name_label.text(),
                _ => None,
            };
            Self { pool: pool.uuid.text().or(pool.reference.text()).map(Cow::into_owned), stem: name.and_then(stem) }
        } else {
            let records = || parts.host.iter().any(|(_, record)| record.get().starts_with('{'));
            let classes = parts.is_host() || records() || parts.keys().any(|key| is_class(key) && key != "host");
            let other = parts.get("lscpu").is_some() || parts.get("result").is_some() || parts.get("error").is_some();
            if !classes && !other {
                return None;
            }
            Self { pool: pool.and_then(record_uuid), stem: parts.host_name().and_then(stem) }
        };
        let said = parts.get("group").and_then(text).or_else(|| pool.and_then(text));
        let said = said.or_else(|| text(parts.get("snapshot").and_then(object::<Meta<'_>>)?.pool?));
        Some(match said.filter(|said| !said.is_empty()) {
            Some(said) => Self { pool: Some(said.into_owned()), ..key },
            None => key,
        })
    }

    /// Whether a line belongs to the pool of the line before it.
    pub(super) fn continues(&self, before: &Self) -> bool {
        match (&self.pool, &before.pool) {
            (Some(own), Some(before)) => own == before,
            (Some(_), None) => false,
            (None, _) => self.stem.is_some() && self.stem == before.stem,
        }
    }
}

fn stem(name: Cow<'_, str>) -> Option<String> {
    let (stem, _) = name.rsplit_once('-')?;
    (!stem.is_empty()).then(|| stem.to_owned())
}

fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

/// The uuid of the one pool record among records by reference; the reference where the record has none.
fn record_uuid(raw: &RawValue) -> Option<String> {
    let records = raw.get().starts_with('{').then(|| members(raw.get()).ok()).flatten()?;
    let [(reference, record)] = records.as_slice() else { return None };
    let uuid = object::<Uuid<'_>>(record).and_then(|record| record.uuid.text());
    Some(uuid.unwrap_or(Cow::Borrowed(reference)).into_owned())
}

/// A text, or anything else, which is passed over.
#[derive(Clone, Default, Deserialize)]
#[serde(untagged)]
enum Maybe<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(IgnoredAny),
    #[default]
    Absent,
}

impl<'a> Maybe<'a> {
    fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct Uuid<'a> {
    #[serde(borrow, default)]
    uuid: Maybe<'a>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    pool: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct SnapshotPool<'a> {
    #[serde(borrow, default)]
    uuid: Maybe<'a>,
    #[serde(borrow, default)]
    reference: Maybe<'a>,
    #[serde(borrow, default)]
    hosts: Vec<Named<'a>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    name_label: Maybe<'a>,
}
