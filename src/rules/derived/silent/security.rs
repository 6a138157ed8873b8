//! How long certificates and the licence last, and how long keys are. Times are counted from when a side was seen.

use super::facts::CertificateFact;
use super::time::{days_between, seconds};
use super::{listed, told};
use crate::facts::{Found, Known, Reason, Unknown, known, need};
use crate::rules::case::Seen;
use crate::snapshot::{Certificate, Host, Pool};

/// The certificates of both sides, the joiner's first.
pub(super) fn certificates(pool: &Pool, joiner: &Pool, seen: &Seen) -> Found<Vec<CertificateFact>> {
    let mut facts = Vec::new();
    for (word, side, seen) in [("joiner", joiner, &seen.joiner), ("pool", pool, &seen.pool)] {
        for certificate in listed(&side.certificates)? {
            let host = side.hosts.each().find(|host| {
                let of = certificate.host.get().and_then(Option::as_deref);
                of.is_some() && host.reference.text() == of
            });
            let named = certificate.name.text().filter(|name| !name.is_empty());
            // 8.2 has certificates of hosts only, and so does not say what kind they are.
            let kind = told(&certificate.kind)?.map_or("host", String::as_str);
            let name = named.or_else(|| host.and_then(|host| host.name_label.text()));
            facts.push(CertificateFact {
                side: word.to_owned(),
                kind: kind.to_owned(),
                name: name.or_else(|| certificate.uuid.text()).unwrap_or_default().to_owned(),
                uuid: certificate.uuid.text().unwrap_or_default().to_owned(),
                installed: known(|| {
                    let trusted = matches!(kind, "ca" | "pinned");
                    Ok(trusted && told(&certificate.name)?.is_some_and(String::is_empty))
                }),
                host_uuid: match (host, &certificate.host) {
                    (Some(host), _) => host.uuid.clone(),
                    (None, Known::Yes(None)) => Known::Yes(String::new()),
                    (None, Known::Yes(Some(host))) => Known::no(
                        Reason::Unreadable,
                        format!("host {host} of a certificate is not among the records"),
                    ),
                    (None, Known::No(why)) => Known::No(why.clone()),
                },
                not_after: certificate.not_after.clone(),
                days_left: known(|| days_left(certificate, seen.as_deref(), word)),
                key_bits: known(|| told(&certificate.key_bits).map(|bits| bits.copied())),
            });
        }
    }
    Ok(facts)
}

fn days_left(certificate: &Certificate, seen: Option<&str>, side: &str) -> Found<i64> {
    let until = need(&certificate.not_after)?;
    let seen = seen.ok_or_else(|| unseen(side))?;
    days_between(seen, until).ok_or_else(|| no_time(until))
}

/// Days until the licence ends. Licences without an end say `never`, or say nothing.
pub(super) fn licence_days(host: &Host, seen: &Seen) -> Found<Option<i64>> {
    let until = match &host.licence_expiry {
        Known::Yes(until) => until,
        Known::No(_) => return told(&host.licence_expiry).map(|_| None),
    };
    if until.is_empty() || until == "never" {
        return Ok(None);
    }
    let until = seconds(until).map(|_| until).ok_or_else(|| no_time(until))?;
    let seen = seen.joiner.as_deref().ok_or_else(|| unseen("joiner"))?;
    days_between(seen, until).map(Some).ok_or_else(|| no_time(seen))
}

/// What nobody can say of a side that was seen nobody knows when.
fn unseen(side: &str) -> Unknown {
    let why =
        format!("the source of the {side} does not say when it was seen: collect it live, which notes the time");
    Unknown::because(Reason::NotCollected, why)
}

fn no_time(text: &str) -> Unknown {
    Unknown::because(Reason::Unreadable, format!("\"{}\" is no time", text.escape_debug()))
}
