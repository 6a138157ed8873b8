//! How a line of a fleet says to which pool it belongs. Decided by the line and the one before it alone, so that a fleet can
//! be cut anywhere.
//!
//! A line says its pool by `group` (a text or a number), else by `pool` or `snapshot.pool` where that is a text, else by the uuid of the
//! pool record that it holds. A line that says none belongs to the line before it where the names of their hosts are the same
//! up to the last hyphen: `xen-007-01` to `xen-007-00`.

use super::line::Parts;
use crate::collect::node::Node;
use crate::collect::records::answers::is_class;
use crate::snapshot::FORMAT;

/// By what a pool of a fleet is told from the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What its lines are recognised by; none where nothing is said, and it has one line.
    pub own: Option<String>,
    /// What later lines without a pool of their own may be recognised by.
    pub also: Option<String>,
}

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
        let is_snapshot = parts.get("format").and_then(Node::text) == Some(FORMAT);
        let pool = parts.get("pool");
        let key = if is_snapshot {
            let field = |node: Option<&Node<'_>>, key: &str| node.and_then(|node| text(node.get(key)?));
            let name = match pool.and_then(|pool| pool.get("hosts")?.elements()) {
                Some([only]) => field(Some(only), "name_label"),
                _ => None,
            };
            Self {
                pool: field(pool, "uuid").or_else(|| field(pool, "reference")),
                stem: name.as_deref().and_then(stem),
            }
        } else {
            let records = || parts.host.iter().any(|(_, record)| record.members().is_some());
            let classes = parts.is_host() || records() || parts.keys().any(|key| is_class(key) && key != "host");
            let other = parts.get("lscpu").is_some() || parts.get("result").is_some() || parts.get("error").is_some();
            if !classes && !other {
                return None;
            }
            Self { pool: pool.and_then(record_uuid), stem: parts.host_name().and_then(stem) }
        };
        let group = match parts.get("group") {
            Some(Node::Int(number)) => Some(number.to_string()),
            Some(Node::Null) | None => None,
            Some(group) => Some(group.text()?.to_owned()),
        };
        let said = group.or_else(|| pool.and_then(text)).or_else(|| text(parts.get("snapshot")?.get("pool")?));
        Some(match said.filter(|said| !said.is_empty()) {
            Some(said) => Self { pool: Some(said), ..key },
            None => key,
        })
    }

    /// What a line calls its pool by that is no name of one.
    pub(super) fn odd_group(parts: &Parts<'_>) -> bool {
        parts.get("group").is_some_and(|group| !matches!(group, Node::Text(_) | Node::Int(_) | Node::Null))
    }

    /// By what the pool that begins here is told from others.
    pub(super) fn said(&self) -> Said {
        let stem = self.stem.as_ref().map(|stem| format!("stem {stem}"));
        match &self.pool {
            Some(pool) => Said { own: Some(format!("pool {pool}")), also: stem },
            None => Said { own: stem, also: None },
        }
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

fn stem(name: &str) -> Option<String> {
    let (stem, _) = name.rsplit_once('-')?;
    (!stem.is_empty()).then(|| stem.to_owned())
}

/// A text that says something.
fn text(node: &Node<'_>) -> Option<String> {
    node.text().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The uuid of the one pool record among records by reference; the reference where the record has none.
fn record_uuid(records: &Node<'_>) -> Option<String> {
    let [(reference, record)] = records.members()? else { return None };
    Some(record.get("uuid").and_then(text).unwrap_or_else(|| reference.to_string()))
}
