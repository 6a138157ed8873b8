//! Which host is meant.

use crate::facts::Known;
use crate::snapshot::{Host, Pool};
use crate::text::plain;

/// Why no one host is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// The hosts are not known.
    #[error("the hosts of pool {pool} are not known ({why}); collect the pool again with a user who may see them")]
    NoHosts {
        /// What the pool is called.
        pool: String,
        /// Why they are not known.
        why: String,
    },
    /// No host has that name or uuid.
    #[error("pool {pool} has no host \"{wanted}\"; its hosts are {hosts}")]
    Nobody {
        /// What the pool is called.
        pool: String,
        /// What was asked for.
        wanted: String,
        /// The hosts that there are.
        hosts: String,
    },
    /// Several hosts have it.
    #[error("several hosts of pool {pool} are called \"{wanted}\": {hosts}; say which by its uuid")]
    Several {
        /// What the pool is called.
        pool: String,
        /// What was asked for.
        wanted: String,
        /// The hosts that have it.
        hosts: String,
    },
}

/// The member with this uuid, else the only one with this name.
pub fn find_member<'a>(pool: &'a Pool, wanted: &str) -> Result<&'a Host, MemberError> {
    let name = || plain(&pool.label()).into_owned();
    let hosts = match &pool.hosts {
        Known::Yes(hosts) => hosts,
        Known::No(unknown) => return Err(MemberError::NoHosts { pool: name(), why: unknown.to_string() }),
    };
    if let Some(host) = hosts.iter().find(|host| host.uuid.text().is_some_and(|it| it.eq_ignore_ascii_case(wanted))) {
        return Ok(host);
    }
    let called: Vec<_> = hosts.iter().filter(|host| host.name_label.text() == Some(wanted)).collect();
    match called.as_slice() {
        [only] => Ok(only),
        [] => Err(MemberError::Nobody { pool: name(), wanted: plain(wanted).into_owned(), hosts: listed(hosts) }),
        several => Err(MemberError::Several {
            pool: name(),
            wanted: plain(wanted).into_owned(),
            hosts: listed(several.iter().copied()),
        }),
    }
}

/// `alpha (uuid), beta (uuid)`.
fn listed<'a>(hosts: impl IntoIterator<Item = &'a Host>) -> String {
    let one = |host: &Host| {
        let [name, uuid] = [&host.name_label, &host.uuid].map(|fact| plain(fact.text().unwrap_or("unknown")));
        format!("{name} ({uuid})")
    };
    let hosts: Vec<_> = hosts.into_iter().map(one).collect();
    if hosts.is_empty() { "none".to_owned() } else { hosts.join(", ") }
}
