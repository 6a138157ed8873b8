//! Lists that were cut short. Hosts name their VMs, interfaces and plugs, plugs their SRs: where one that is named is not among
//! the records, nobody can say of the others that there are no more.

use std::collections::BTreeSet;

use super::answers::Answers;
use super::record::{Record, is_null};
use crate::facts::{Known, Reason, Unknown};
use crate::snapshot::Pool;

/// Makes the lists unknown that lack what other records name.
pub(super) fn doubt(answers: &Answers<'_>, pool: &mut Pool) {
    let unread = pool.pbds.each().find_map(|pbd| pbd.sr.unknown().filter(|why| why.reason == Reason::Unreadable));
    if let (Some(why), Known::Yes(_)) = (unread, &pool.srs) {
        pool.srs = Known::No(why.clone());
    }
    let plugged = pool.pbds.each().filter_map(|pbd| Some(("a PBD", pbd.sr.text()?)));
    let gap = missing(&pool.srs, |sr| sr.reference.text(), plugged.filter(|(_, sr)| !is_null(sr)));
    if let Some((who, sr)) = gap {
        pool.srs = cut("SRs", who, sr);
    }
    let hosts = answers.records("host");
    let hosts = hosts.get().map(Vec::as_slice).unwrap_or_default();
    let vms = by_hosts(hosts, &["resident_VMs", "control_domain"], "VMs", &pool.vms, |vm| vm.reference.text());
    let pifs = by_hosts(hosts, &["PIFs"], "interfaces", &pool.pifs, |pif| pif.reference.text());
    let pbds = by_hosts(hosts, &["PBDs"], "PBDs", &pool.pbds, |pbd| pbd.reference.text());
    // Records of which hosts name none at all were put together otherwise, and their names say nothing of what is missing; but a list
    // without any lacks whatever is named.
    let related = vms.found || pifs.found || pbds.found;
    let counts = |named: &Named, empty: bool| related || empty || named.unreadable;
    let empty = (is_empty(&pool.vms), is_empty(&pool.pifs), is_empty(&pool.pbds));
    if counts(&vms, empty.0)
        && let Some(why) = vms.gap
    {
        pool.vms = Known::No(why);
    }
    if counts(&pifs, empty.1)
        && let Some(why) = pifs.gap
    {
        pool.pifs = Known::No(why);
    }
    if counts(&pbds, empty.2)
        && let Some(why) = pbds.gap
    {
        pool.pbds = Known::No(why);
    }
}

fn is_empty<T>(list: &Known<Vec<T>>) -> bool {
    list.get().is_some_and(Vec::is_empty)
}

/// What hosts name of a list.
#[derive(Default)]
struct Named {
    /// Whether they name some that are there.
    found: bool,
    /// One that is not there, or why that cannot be told.
    gap: Option<Unknown>,
    unreadable: bool,
}

fn by_hosts<T>(
    hosts: &[Record<'_>],
    fields: &[&str],
    what: &str,
    list: &Known<Vec<T>>,
    reference: impl Fn(&T) -> Option<&str>,
) -> Named {
    let mut named = Named::default();
    let Known::Yes(records) = list else { return named };
    let known: BTreeSet<_> = records.iter().filter_map(reference).collect();
    for (host, field) in hosts.iter().flat_map(|host| fields.iter().map(move |field| (host, field))) {
        let names = match host.names(field) {
            Ok(names) => names,
            Err(why) => return Named { gap: Some(why), unreadable: true, ..named },
        };
        for name in names.into_iter().filter(|name| !is_null(name)) {
            if known.contains(name) {
                named.found = true;
            } else {
                named.gap.get_or_insert_with(|| cut_short(what, &format!("host {}", host.reference()), name));
            }
        }
    }
    named
}

fn missing<'n, T, W>(
    list: &Known<Vec<T>>,
    reference: impl Fn(&T) -> Option<&str>,
    mut named: impl Iterator<Item = (W, &'n str)>,
) -> Option<(W, &'n str)> {
    let known: BTreeSet<_> = list.get()?.iter().filter_map(reference).collect();
    named.find(|(_, name)| !known.contains(name))
}

fn cut<T>(what: &str, who: &str, name: &str) -> Known<Vec<T>> {
    Known::No(cut_short(what, who, name))
}

fn cut_short(what: &str, who: &str, name: &str) -> Unknown {
    let why = format!("the list of {what} is cut short: {who} names {name}, which is not in it; collect it again");
    Unknown::because(Reason::NotCollected, why)
}
