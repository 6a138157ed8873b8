//! Hosts whose logical CPUs are not alike.

use super::levelling::{label, named};
use crate::facts::Known;
use crate::snapshot::{CpuGroup, Host};

/// Whether the CPUs of a host differ in what matters: words, family, model, stepping, microcode.
pub(super) fn differ(host: &Host) -> Known<bool> {
    groups(host).map(|groups| groups.windows(2).any(|pair| !alike(&pair[0], &pair[1])))
}

/// What each group is: `0-7: family 6 model 85 stepping 4 microcode 0x2006e05`.
pub(super) fn describe(host: &Host) -> Known<Vec<String>> {
    groups(host).map(|groups| groups.iter().map(text).collect())
}

fn groups(host: &Host) -> Known<&Vec<CpuGroup>> {
    named(host.cpu.as_ref().and_then(|cpu| cpu.groups.as_ref()), || format!("host {}, cpu.groups", label(host)))
}

/// Whether nothing that is known of both differs.
fn alike(a: &CpuGroup, b: &CpuGroup) -> bool {
    let words = match (a.raw.get(), b.raw.get()) {
        (Some(a), Some(b)) => a.is_equal(b),
        _ => true,
    };
    words
        && agree(&a.family, &b.family)
        && agree(&a.model, &b.model)
        && agree(&a.stepping, &b.stepping)
        && agree(&a.microcode, &b.microcode)
}

fn agree<T: PartialEq>(a: &Known<T>, b: &Known<T>) -> bool {
    match (a.get(), b.get()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
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
