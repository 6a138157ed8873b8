//! The third aim: which VMs must be restarted, how few at least, and exchanges of hosts that lose nothing and spare some.

use super::PlanHost;
use super::solve::bits::Bits;

/// Pools up to which exchanges are looked for.
const EXCHANGED: usize = 200;

/// VMs known to run on a host.
fn busy(host: &PlanHost) -> usize {
    host.running.as_ref().map_or(0, Vec::len)
}

/// VMs that no plan with so many new pools can spare: all that run on hosts that are in no pool yet, but for those of the
/// busiest, of which each new pool is founded by one.
pub(super) fn fewest<'h>(hosts: impl Iterator<Item = &'h PlanHost>, founded: usize) -> usize {
    let mut each: Vec<usize> = hosts.map(busy).collect();
    each.sort_unstable_by(|a, b| b.cmp(a));
    each.iter().skip(founded).sum()
}

/// VMs that are restarted when these hosts become a pool that the busiest founds.
fn restarts(pool: &[usize], hosts: &[&PlanHost]) -> usize {
    let Some(founder) = pool.iter().copied().max_by_key(|host| busy(hosts[*host])) else { return 0 };
    let joining = || pool.iter().filter(|host| **host != founder);
    let stuck = hosts[founder].running.iter().flatten().filter(|vm| {
        let mut joining = joining();
        joining.any(|host| !vm.is_compatible_with(&hosts[*host].most))
    });
    joining().map(|host| busy(hosts[*host])).sum::<usize>() + stuck.count()
}

/// Exchanges two hosts of two pools, as long as no pool's level falls and fewer VMs restart: a busy host goes where it can
/// found.
pub(super) fn exchange(pools: &mut [Vec<usize>], hosts: &[&PlanHost], sets: &[&Bits]) {
    if pools.len() > EXCHANGED {
        return;
    }
    let level = |pool: &[usize]| {
        pool.iter().map(|host| sets[*host].clone()).reduce(|level, set| level.and(&set)).unwrap_or_default()
    };
    let most = |pool: &[usize]| pool.iter().map(|host| busy(hosts[*host])).max().unwrap_or(0);
    let levels: Vec<Bits> = pools.iter().map(|pool| level(pool)).collect();
    let mut changed = true;
    while changed {
        changed = false;
        for from in 0..pools.len() {
            for to in 0..pools.len() {
                if let Some((leaves, comes)) = better(pools, (from, to), &levels, hosts, sets, most) {
                    let host = pools[from][leaves];
                    pools[from][leaves] = pools[to][comes];
                    pools[to][comes] = host;
                    changed = true;
                }
            }
        }
    }
}

/// The places of two hosts whose exchange spares restarts: one that is busier than any of the pool that it goes to, and one
/// with few VMs.
fn better(
    pools: &[Vec<usize>],
    (from, to): (usize, usize),
    levels: &[Bits],
    hosts: &[&PlanHost],
    sets: &[&Bits],
    most: impl Fn(&[usize]) -> usize,
) -> Option<(usize, usize)> {
    if from == to {
        return None;
    }
    let (target, founder) = (most(&pools[to]), pools[from].iter().copied().max_by_key(|host| busy(hosts[*host]))?);
    for (leaves, host) in pools[from].iter().enumerate() {
        if *host == founder || busy(hosts[*host]) <= target || !levels[to].is_subset(sets[*host]) {
            continue;
        }
        let fits = (0..pools[to].len()).filter(|place| levels[from].is_subset(sets[pools[to][*place]]));
        let comes = fits.min_by_key(|place| (busy(hosts[pools[to][*place]]), *place));
        let Some(comes) = comes else { continue };
        let (mut one, mut other) = (pools[from].clone(), pools[to].clone());
        std::mem::swap(&mut one[leaves], &mut other[comes]);
        let before = restarts(&pools[from], hosts) + restarts(&pools[to], hosts);
        if restarts(&one, hosts) + restarts(&other, hosts) < before {
            return Some((leaves, comes));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Featureset;

    fn host(name: &str, vms: usize) -> PlanHost {
        let set: Featureset = "ffffffff".parse().unwrap();
        PlanHost {
            name: name.to_owned(),
            uuid: String::new(),
            source: String::new(),
            vendor: "GenuineIntel".to_owned(),
            release: None,
            model: String::new(),
            features: set.clone(),
            pv: None,
            most: set.clone(),
            shape: crate::cpu::levelling::Shape::DefaultOnly,
            running: Some(vec![set; vms]),
            coordinator: false,
        }
    }

    #[test]
    fn a_busy_host_founds_where_it_can() {
        let all = [host("a", 9), host("b", 7), host("c", 1), host("d", 0), host("e", 2), host("f", 1)];
        let hosts: Vec<&PlanHost> = all.iter().collect();
        // The last two hosts lack a feature that the first pool has.
        let (full, less) = (Bits::of(2, [0, 1]), Bits::of(2, [0]));
        let sets = [&full, &full, &full, &full, &less, &less];
        let mut pools = vec![vec![0, 1, 2], vec![3, 4, 5]];
        let all_of = |pools: &[Vec<usize>]| pools.iter().map(|pool| restarts(pool, &hosts)).sum::<usize>();
        assert_eq!(all_of(&pools), 7 + 1 + 1);
        exchange(&mut pools, &hosts, &sets);
        assert_eq!(pools, vec![vec![0, 3, 2], vec![1, 4, 5]]);
        assert_eq!(all_of(&pools), fewest(hosts.iter().copied(), 2));
        // What would take a feature from a pool stays where it is.
        let sets = [&full, &full, &full, &less, &less, &less];
        let mut pools = vec![vec![0, 1, 2], vec![3, 4, 5]];
        exchange(&mut pools, &hosts, &sets);
        assert_eq!(pools, vec![vec![0, 1, 2], vec![3, 4, 5]]);
    }
}
