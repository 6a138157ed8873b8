//! CPUs: `host.cpu_info` and `pool.cpu_info` in all their historical shapes, and host_cpu records.

use std::collections::BTreeMap;

use super::record::Record;
use crate::facts::{Known, Reason};
use crate::snapshot::{CpuGroup, HostCpu, PoolCpu};

/// A host's CPU. Keys that the release does not have are absent, so that the shape tells the release.
pub(super) fn host_cpu(map: &Record<'_>) -> HostCpu {
    const SETS: [&str; 5] = ["features_hvm", "features_pv", "features_hvm_host", "features_pv_host", "features"];
    let observed = SETS.iter().any(|set| map.has(set));
    HostCpu {
        vendor: map.text("vendor"),
        model_name: map.text("modelname"),
        family: map.int("family"),
        model: map.int("model"),
        stepping: map.int("stepping"),
        speed: map.text("speed"),
        flags: map.text("flags"),
        cpu_count: map.int("cpu_count"),
        socket_count: map.int("socket_count"),
        threads_per_core: map.int("threads_per_core"),
        nr_nodes: map.int("nr_nodes"),
        features_pv: map.features("features_pv"),
        features_hvm: map.features("features_hvm"),
        features_pv_host: map.features("features_pv_host"),
        features_hvm_host: map.features("features_hvm_host"),
        features: map.features("features"),
        physical_features: map.features("physical_features"),
        features_after_reboot: map.features("features_after_reboot"),
        maskable: map.text("maskable"),
        provenance: if observed { Known::Yes("observed".to_owned()) } else { Known::default() },
        predicted_for: if observed { Known::no(Reason::NotApplicable, "observed") } else { Known::default() },
        ..HostCpu::default()
    }
}

/// The pool's level.
pub(super) fn pool_cpu(map: &Record<'_>) -> PoolCpu {
    PoolCpu {
        vendor: map.text("vendor"),
        cpu_count: map.int("cpu_count"),
        socket_count: map.int("socket_count"),
        features_pv: map.features("features_pv"),
        features_hvm: map.features("features_hvm"),
        features_pv_host: map.features("features_pv_host"),
        features_hvm_host: map.features("features_hvm_host"),
    }
}

/// A host's cores by what they are. Newer releases keep no host_cpu records.
pub(super) fn groups(host: &str, cores: &Known<Vec<Record<'_>>>) -> Known<Vec<CpuGroup>> {
    let cores = match cores {
        Known::Yes(cores) => cores.iter().filter(|core| core.text("host").text() == Some(host)),
        Known::No(why) if why.reason == Reason::PermissionDenied => return Known::No(why.clone()),
        // A class that no join check reads, and that newer servers leave empty: the records do not tell cores apart.
        Known::No(why) => return Known::no(Reason::AbsentOnRelease, why.to_string()),
    };
    let mut alike: BTreeMap<_, Vec<i64>> = BTreeMap::new();
    for core in cores {
        let fields = (core.int("family"), core.int("model"), core.int("stepping"), core.int("number"));
        let (Known::Yes(family), Known::Yes(model), Known::Yes(stepping), Known::Yes(number)) = fields else {
            return Known::no(Reason::Unreadable, format!("host_cpu {} lacks a number", core.reference()));
        };
        let features = core.text("features").text().map(str::to_owned);
        alike.entry((family, model, stepping, features)).or_default().push(number);
    }
    if alike.is_empty() {
        return Known::no(Reason::AbsentOnRelease, "the server keeps no host_cpu records for it");
    }
    let group = |((family, model, stepping, _), mut numbers): ((i64, i64, i64, Option<String>), Vec<i64>)| {
        numbers.sort_unstable();
        CpuGroup {
            cpus: ranges(&numbers).into(),
            count: i64::try_from(numbers.len()).unwrap_or(i64::MAX).into(),
            family: family.into(),
            model: model.into(),
            stepping: stepping.into(),
            ..CpuGroup::default()
        }
    };
    let mut groups: Vec<_> =
        alike.into_iter().map(|(key, numbers)| (numbers.iter().min().copied(), (key, numbers))).collect();
    groups.sort();
    Known::Yes(groups.into_iter().map(|(_, entry)| group(entry)).collect())
}

/// Ascending numbers as the kernel writes lists: `0-15,32-47`.
fn ranges(numbers: &[i64]) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let text = |(first, last): &(i64, i64)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    runs.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_written_as_the_kernel_does() {
        assert_eq!(super::ranges(&[0, 1, 2, 4, 6, 7]), "0-2,4,6-7");
        assert_eq!(super::ranges(&[]), "");
    }
}
