//! Lists that were cut short. Hosts name their VMs, interfaces and plugs, plugs their SRs: where one that is named is not among
//! the records, nobody can say of the others that there are no more.

use std::collections::BTreeSet;

use super::answers::Answers;
use super::record::{Record, is_null};
use crate::facts::{Known, Reason};
use crate::snapshot::Pool;

/// Makes the lists unknown that lack what other records name.
pub(super) fn doubt(answers: &Answers<'_>, pool: &mut Pool) {
    let hosts = answers.records("host");
    let hosts = hosts.get().map(Vec::as_slice).unwrap_or_default();
    let unread = pool.pbds.each().find_map(|pbd| pbd.sr.unknown().filter(|why| why.reason == Reason::Unreadable));
    if let (Some(why), Known::Yes(_)) = (unread, &pool.srs) {
        pool.srs = Known::No(why.clone());
    }
    let plugged = pool.pbds.each().filter_map(|pbd| Some(("a PBD", pbd.sr.text()?)));
    let gap = missing(&pool.srs, |sr| sr.reference.text(), plugged.filter(|(_, sr)| !is_null(sr)));
    if let Some((who, sr)) = gap {
        pool.srs = cut("SRs", who, sr);
    }
    named_by_hosts(hosts, &["resident_VMs", "control_domain"], "VMs", &mut pool.vms, |vm| vm.reference.text());
    named_by_hosts(hosts, &["PIFs"], "interfaces", &mut pool.pifs, |pif| pif.reference.text());
    named_by_hosts(hosts, &["PBDs"], "PBDs", &mut pool.pbds, |pbd| pbd.reference.text());
}

/// Where hosts name some of a list, they name no others. A list of which they name nobody was put together otherwise, and says
/// nothing of what is missing; an empty one lacks whatever is named.
fn named_by_hosts<T>(
    hosts: &[Record<'_>],
    fields: &[&str],
    what: &str,
    list: &mut Known<Vec<T>>,
    reference: impl Fn(&T) -> Option<&str>,
) {
    let Known::Yes(records) = list else { return };
    let known: BTreeSet<_> = records.iter().filter_map(reference).collect();
    let (mut found, mut gap) = (false, None);
    for (host, field) in hosts.iter().flat_map(|host| fields.iter().map(move |field| (host, field))) {
        let names = match host.names(field) {
            Ok(names) => names,
            Err(why) => {
                *list = Known::No(why);
                return;
            }
        };
        for name in names.into_iter().filter(|name| !is_null(name)) {
            if known.contains(name) {
                found = true;
            } else {
                gap.get_or_insert((host, name));
            }
        }
    }
    if let Some((host, name)) = gap.filter(|_| found || known.is_empty()) {
        *list = cut(what, &format!("host {}", host.reference()), name);
    }
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
    let why = format!("the list of {what} is cut short: {who} names {name}, which is not in it; collect it again");
    Known::no(Reason::NotCollected, why)
}
