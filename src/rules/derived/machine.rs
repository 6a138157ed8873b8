//! The size of the joiner's machine in numbers that rules of an organisation ask for; expressions do not calculate.

use crate::facts::{Known, Reason, facts};
use crate::snapshot::Host;

facts! {
    /// The joiner's machine in numbers.
    pub struct MachineFacts as "machine" {
        /// Cores, not counting threads: logical CPUs by threads per core.
        pub cores: Known<i64>,
        /// Memory, whole GiB.
        pub memory_gib: Known<i64>,
        /// Memory for each core, whole MiB.
        pub memory_mib_per_core: Known<i64>,
        /// The microcode revision as a number: write it as 0x….
        pub microcode: Known<i64>,
    }
}

const MIB: i64 = 1 << 20;

/// Reads them off the host.
pub(in crate::rules) fn machine(host: &Known<&Host>) -> MachineFacts {
    let cpu = host.as_ref().and_then(|host| host.cpu.as_ref());
    let hardware = host.as_ref().and_then(|host| host.hardware.as_ref());
    let threads = cpu.clone().and_then(|cpu| cpu.threads_per_core.clone());
    let cores = cpu.and_then(|cpu| cpu.cpu_count.clone()).and_then(|cpus| {
        threads.and_then(|threads| match cpus.checked_div(threads) {
            Some(cores) if cores > 0 => Known::Yes(cores),
            _ => Known::no(Reason::Unreadable, format!("{cpus} logical CPUs with {threads} threads per core")),
        })
    });
    let memory = hardware.clone().and_then(|hardware| hardware.memory_total.clone());
    MachineFacts {
        memory_gib: memory.clone().map(|bytes| bytes / (1024 * MIB)),
        memory_mib_per_core: memory.and_then(|bytes| cores.clone().map(|cores| bytes / MIB / cores)),
        cores,
        microcode: hardware.and_then(|hardware| hardware.microcode.clone()).and_then(|text| number(&text)),
    }
}

fn number(text: &str) -> Known<i64> {
    let digits = text.trim().strip_prefix("0x").unwrap_or_else(|| text.trim());
    i64::from_str_radix(digits, 16)
        .map_or_else(|_| Known::no(Reason::Unreadable, format!("\"{text}\" is no microcode revision")), Known::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_gaps_stay_gaps() {
        let mut host = Host::default();
        assert!(machine(&Known::Yes(&host)).cores.unknown().is_some());
        host.cpu = Known::Yes(crate::snapshot::HostCpu {
            cpu_count: Known::Yes(80),
            threads_per_core: Known::Yes(2),
            ..Default::default()
        });
        host.hardware = Known::Yes(crate::snapshot::Hardware {
            memory_total: Known::Yes(384 << 30),
            microcode: Known::Yes("0x5003604".to_owned()),
            ..Default::default()
        });
        let facts = machine(&Known::Yes(&host));
        assert_eq!(facts.cores, Known::Yes(40));
        assert_eq!((facts.memory_gib, facts.memory_mib_per_core), (Known::Yes(384), Known::Yes(9830)));
        assert_eq!(facts.microcode, Known::Yes(0x500_3604));
        for bad in ["", "new", "0x", "5003604h"] {
            assert!(number(bad).unknown().is_some(), "{bad}");
        }
        host.cpu.get_mut().unwrap().threads_per_core = Known::Yes(0);
        assert!(machine(&Known::Yes(&host)).memory_mib_per_core.unknown().is_some());
    }
}
