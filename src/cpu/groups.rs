//! Hosts whose logical CPUs are not alike.

use super::levelling::{label, named};
use crate::facts::{Featureset, Known, Reason};
use crate::snapshot::{CpuGroup, Host};

/// Whether the CPUs of a host differ in what matters: words, family, model, stepping, microcode.
pub(super) fn differ(host: &Host) -> Known<bool> {
    groups(host).and_then(|groups| {
        let pairs: Vec<_> = groups.windows(2).map(|pair| alike(&pair[0], &pair[1])).collect();
        if pairs.contains(&Known::Yes(false)) {
            return Known::Yes(true);
        }
        pairs.into_iter().find(|alike| alike.get().is_none()).map_or(Known::Yes(false), |alike| alike.map(|it| !it))
    })
}

/// What each group is: `0-7: family 6 model 85 stepping 4 microcode 0x2006e05`.
pub(super) fn describe(host: &Host) -> Known<Vec<String>> {
    groups(host).map(|groups| groups.iter().map(text).collect())
}

fn groups(host: &Host) -> Known<&Vec<CpuGroup>> {
    named(host.cpu.as_ref().and_then(|cpu| cpu.groups.as_ref()), || format!("host {}, cpu.groups", label(host)))
}

/// Whether two groups are alike: what differs decides, else what is not known.
fn alike(a: &CpuGroup, b: &CpuGroup) -> Known<bool> {
    let parts = [
        agree(&a.raw, &b.raw, Featureset::is_equal),
        agree(&a.family, &b.family, i64::eq),
        agree(&a.model, &b.model, i64::eq),
        agree(&a.stepping, &b.stepping, i64::eq),
        agree(&a.microcode, &b.microcode, String::eq),
    ];
    if parts.contains(&Known::Yes(false)) {
        return Known::Yes(false);
    }
    parts.into_iter().find(|part| part.get().is_none()).unwrap_or(Known::Yes(true))
}

/// What a source of its kind cannot tell says nothing.
fn agree<T>(a: &Known<T>, b: &Known<T>, equal: impl Fn(&T, &T) -> bool) -> Known<bool> {
    match (a, b) {
        (Known::Yes(a), Known::Yes(b)) => Known::Yes(equal(a, b)),
        (Known::No(why), _) | (_, Known::No(why)) => match why.reason {
            Reason::AbsentOnRelease | Reason::NotApplicable => Known::Yes(true),
            Reason::NotCollected | Reason::PermissionDenied | Reason::Unreadable => Known::No(why.clone()),
        },
    }
}

fn text(group: &CpuGroup) -> String {
    let number = |known: &Known<i64>| known.get().map_or_else(|| "?".to_owned(), ToString::to_string);
    format!(
        "{}: family {} model {} stepping {} microcode {}",
        group.cpus.text().unwrap_or("?"),
        number(&group.family),
        number(&group.model),
        number(&group.stepping),
        group.microcode.text().unwrap_or("?"),
    )
}
