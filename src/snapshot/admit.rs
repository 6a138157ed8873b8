//! The pool as a join leaves it, so that the next joiner is judged against that.

use std::collections::BTreeMap;

use super::Pool;
use crate::facts::Known;

impl Pool {
    /// Adds a joiner: its hosts, physical interfaces, storage, certificates and VMs, and the restrictions of its licence,
    /// which the server applies to the whole pool (xapi `pool_features_helpers.ml`). Its pool's settings, networks, bonds
    /// and VLANs are not taken over; the server rebuilds the latter from the coordinator's. The CPU level is left to
    /// whoever knows how levels are made.
    #[must_use]
    pub fn admit(&self, joiner: &Self) -> Self {
        let mut pool = self.clone();
        pool.take_in(joiner.clone());
        pool
    }

    /// The same in place, of a joiner that nobody looks at any more.
    pub fn take_in(&mut self, joiner: Self) {
        let mut physical = joiner.pifs;
        if let Known::Yes(pifs) = &mut physical {
            pifs.retain(|pif| pif.physical != Known::Yes(false));
        }
        let mut hosts = joiner.hosts;
        let bare = hosts.each().all(|host| host.assumed_release.get().is_some());
        for host in hosts.get_mut().into_iter().flatten() {
            // Who has just joined is there.
            if host.live.get().is_none() {
                host.live = Known::Yes(true);
            }
        }
        append(&mut self.hosts, hosts);
        // What does not run the product yet has no interfaces of which anything could be unknown.
        if !(bare && physical.get().is_none()) {
            append(&mut self.pifs, physical);
        }
        append(&mut self.srs, joiner.srs);
        append(&mut self.pbds, joiner.pbds);
        append(&mut self.vms, joiner.vms);
        append(&mut self.certificates, joiner.certificates);
        self.restrictions = restricted(&self.restrictions, &joiner.restrictions);
    }
}

/// A pool may do what all of its hosts may: a feature that one side restricts, or does not name, is restricted.
fn restricted(
    pool: &Known<BTreeMap<String, String>>,
    joiner: &Known<BTreeMap<String, String>>,
) -> Known<BTreeMap<String, String>> {
    pool.as_ref().and_then(|pool| {
        joiner.as_ref().map(|joiner| {
            let both = pool.iter().filter_map(|(key, value)| Some((key, value, joiner.get(key)?)));
            both.map(|(key, pool, joiner)| (key.clone(), if joiner == "true" { joiner } else { pool }.clone()))
                .collect()
        })
    })
}

/// A list that is unknown on one side is unknown as a whole: judging on the known half would be a guess.
fn append<T>(list: &mut Known<Vec<T>>, more: Known<Vec<T>>) {
    match (list, more) {
        (Known::Yes(list), Known::Yes(more)) => list.extend(more),
        (list, Known::No(unknown)) => *list = Known::No(unknown),
        (Known::No(_), Known::Yes(_)) => {}
    }
}
