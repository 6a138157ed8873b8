//! The pool as a join leaves it, so that the next joiner is judged against that.

use super::{Host, Pool, PoolCpu};
use crate::facts::Known;

impl Pool {
    /// Adds a joiner: its hosts, physical interfaces, storage, certificates and VMs. Its pool's settings, bonds and
    /// VLANs are not taken over; the server rebuilds the latter from the coordinator's. The pool's own CPU level is
    /// forgotten, so that it is derived anew from the hosts.
    #[must_use]
    pub fn admit(&self, joiner: &Self) -> Self {
        let mut pool = self.clone();
        let physical = joiner
            .pifs
            .as_ref()
            .map(|pifs| pifs.iter().filter(|pif| pif.physical != Known::Yes(false)).cloned().collect::<Vec<_>>());
        append(&mut pool.hosts, &joiner.hosts);
        append(&mut pool.pifs, &physical);
        append(&mut pool.srs, &joiner.srs);
        append(&mut pool.pbds, &joiner.pbds);
        append(&mut pool.vms, &joiner.vms);
        append(&mut pool.certificates, &joiner.certificates);
        // The server's fold over the hosts keeps the vendor that it saw last.
        let vendor = joiner.coordinator_host().and_then(|host| host.cpu.as_ref()).and_then(|cpu| cpu.vendor.clone());
        pool.cpu_info = PoolCpu { vendor, ..PoolCpu::default() }.into();
        pool
    }

    /// The pool as an eject of one host leaves it, as far as the CPU level goes.
    #[must_use]
    pub fn without_host(&self, gone: &Host) -> Self {
        let mut pool = self.clone();
        if let Known::Yes(hosts) = &mut pool.hosts {
            hosts.retain(|host| host != gone);
        }
        if let Known::Yes(cpu) = &mut pool.cpu_info {
            *cpu = PoolCpu { vendor: cpu.vendor.clone(), ..PoolCpu::default() };
        }
        pool
    }
}

/// A list that is unknown on one side is unknown as a whole: judging on the known half would be a guess.
fn append<T: Clone>(list: &mut Known<Vec<T>>, more: &Known<Vec<T>>) {
    match (list, more) {
        (Known::Yes(list), Known::Yes(more)) => list.extend(more.iter().cloned()),
        (list, Known::No(unknown)) => *list = Known::No(unknown.clone()),
        (Known::No(_), Known::Yes(_)) => {}
    }
}
