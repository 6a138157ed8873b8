//! Good plans fast: fractions to whole pools, pools of hosts in a row, and changes of one pool's level.

use super::bits::Bits;
use super::lattice::Lattice;
use super::meter::Meter;
use super::transport::{Placement, place};

/// Whole numbers of pools near these fractions, `total` together, in some ways: each rounded down, then up where most is
/// missing; and summed from the lowest level up, so that weak hosts have pools.
pub(super) fn round(pools: &[f64], total: usize) -> Vec<Vec<(usize, usize)>> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers of pools are small and not negative"
    )]
    let down = |number: f64| (number + 1e-3).floor().max(0.0) as usize;
    let mut whole: Vec<usize> = pools.iter().map(|number| down(*number)).collect();
    #[expect(clippy::cast_precision_loss, reason = "numbers of pools are small")]
    let rest = |level: usize| pools[level] - down(pools[level]) as f64;
    let mut order: Vec<usize> = (0..pools.len()).filter(|level| rest(*level) > 1e-3).collect();
    order.sort_by(|a, b| rest(*b).total_cmp(&rest(*a)).then(a.cmp(b)));
    let missing = total.saturating_sub(whole.iter().sum());
    for level in order.into_iter().take(missing) {
        whole[level] += 1;
    }
    let mut ways = vec![whole];
    for start in [0.95, 0.8, 0.65, 0.5, 0.35] {
        let (mut sum, mut given) = (start, 0);
        let mut whole = vec![0; pools.len()];
        // The last level is the lightest.
        for level in (0..pools.len()).rev() {
            sum += pools[level];
            let now = down(sum).min(total);
            whole[level] = now.saturating_sub(given);
            given = given.max(now);
        }
        if !ways.contains(&whole) {
            ways.push(whole);
        }
    }
    let sparse = |whole: Vec<usize>| whole.into_iter().enumerate().filter(|(_, count)| *count > 0).collect();
    ways.into_iter().map(sparse).collect()
}

/// The levels at which fractions of pools are, most first: where a better plan is likely to have pools.
pub(super) fn likely(pools: &[f64]) -> Vec<usize> {
    const MOST: usize = 24;
    let mut likely: Vec<usize> = (0..pools.len()).filter(|level| pools[*level] > 1e-6).collect();
    likely.sort_by(|a, b| pools[*b].total_cmp(&pools[*a]).then(a.cmp(b)));
    likely.truncate(MOST);
    likely
}

/// Changes the level of one pool at a time, as long as that loses less.
pub(super) fn improve(lattice: &Lattice, mut best: Placement, candidates: &[usize], meter: &mut Meter) -> Placement {
    loop {
        best = tighten(lattice, best);
        let pools: Vec<(usize, usize)> = best.groups.iter().map(|(level, count, _)| (*level, *count)).collect();
        let mut better: Option<Placement> = None;
        for (place_out, (level, _)) in pools.iter().enumerate() {
            for candidate in candidates.iter().filter(|candidate| *candidate != level) {
                if meter.is_spent() {
                    return better.unwrap_or(best);
                }
                let mut changed = pools.clone();
                changed[place_out].1 -= 1;
                match changed.iter_mut().find(|(level, _)| level == candidate) {
                    Some((_, count)) => *count += 1,
                    None => changed.push((*candidate, 1)),
                }
                meter.spend((changed.len() * lattice.kinds.len() * 16) as u64);
                if let Some(found) = place(lattice, &changed)
                    && found.loss < better.as_ref().map_or(best.loss, |better| better.loss)
                {
                    better = Some(found);
                }
            }
        }
        match better {
            Some(better) => best = better,
            None => return best,
        }
    }
}

/// Where only one pool is at a level, its hosts may have more in common than that: raises the level to it.
fn tighten(lattice: &Lattice, placement: Placement) -> Placement {
    let pools: Vec<(usize, usize)> = placement
        .groups
        .iter()
        .map(|(level, count, hosts)| {
            let common =
                hosts.iter().map(|(kind, _)| &lattice.kinds[*kind].set).fold(None, |common: Option<Bits>, set| {
                    Some(common.map_or_else(|| set.clone(), |common| common.and(set)))
                });
            let raised = common.and_then(|common| lattice.levels.iter().position(|level| level.set == common));
            (raised.unwrap_or(*level), *count)
        })
        .collect();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (level, count) in pools {
        match merged.iter_mut().find(|(known, _)| *known == level) {
            Some((_, more)) => *more += count,
            None => merged.push((level, count)),
        }
    }
    place(lattice, &merged).filter(|better| better.loss <= placement.loss).unwrap_or(placement)
}

/// Hosts in a row, cut into pools where it loses the least: exact where each host has all that the next one has.
pub(super) fn in_a_row(lattice: &Lattice, pools: usize) -> Option<Placement> {
    // Kinds that others contain come late. Two orders; the better plan counts.
    let by_weight = |a: &usize, b: &usize| {
        let (a, b) = (&lattice.kinds[*a], &lattice.kinds[*b]);
        b.weight.cmp(&a.weight).then_with(|| b.set.cmp(&a.set))
    };
    let by_set = |a: &usize, b: &usize| lattice.kinds[*b].set.cmp(&lattice.kinds[*a].set);
    let plan = |compare: &dyn Fn(&usize, &usize) -> std::cmp::Ordering| {
        let mut order: Vec<usize> = (0..lattice.kinds.len()).collect();
        order.sort_by(compare);
        cut(lattice, &order, pools).and_then(|found| place(lattice, &found)).map(|found| tighten(lattice, found))
    };
    [plan(&by_weight), plan(&by_set)].into_iter().flatten().min_by_key(|found| found.loss)
}

/// Dynamic programming over where each pool ends. Pools of one kind alone lose nothing and are set aside first where there
/// are many, so that the table stays small.
fn cut(lattice: &Lattice, order: &[usize], pools: usize) -> Option<Vec<(usize, usize)>> {
    let position = |set: &Bits| lattice.levels.iter().position(|level| level.set == *set);
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut row: Vec<usize> = Vec::new();
    let mut left = pools;
    let many = lattice.hosts() > 4_000;
    for kind in order {
        let Some(level) = position(&lattice.kinds[*kind].set) else { continue };
        let full = if many { lattice.kinds[*kind].count / lattice.limit } else { 0 };
        if full > 0 {
            found.push((level, full));
            left = left.checked_sub(full)?;
        }
        row.extend(std::iter::repeat_n(*kind, lattice.kinds[*kind].count - full * lattice.limit));
    }
    let hosts = row.len();
    // least[pools][end]: the most weight kept by the first `end` hosts in so many pools, and where the last one starts.
    let mut kept: Vec<Option<i64>> = vec![None; hosts + 1];
    kept[0] = Some(0);
    let mut starts: Vec<Vec<usize>> = Vec::new();
    let mut done = None;
    let fewest = hosts.div_ceil(lattice.limit);
    // Common weights of each run of hosts, worked out once.
    let mut common: Vec<Vec<i64>> = Vec::with_capacity(hosts);
    for start in 0..hosts {
        let mut set = lattice.kinds[row[start]].set.clone();
        let mut weight = lattice.kinds[row[start]].weight;
        let mut line = vec![weight];
        for end in start + 1..hosts.min(start + lattice.limit) {
            if row[end] != row[end - 1] {
                set = set.and(&lattice.kinds[row[end]].set);
                weight = position(&set).map_or(0, |level| lattice.levels[level].weight);
            }
            line.push(weight);
        }
        common.push(line);
    }
    for count in 1..=left.min(hosts) {
        let mut next: Vec<Option<i64>> = vec![None; hosts + 1];
        let mut from = vec![0; hosts + 1];
        for start in 0..hosts {
            let Some(so_far) = kept[start] else { continue };
            for (more, weight) in common[start].iter().enumerate() {
                let end = start + more + 1;
                let value = so_far + weight * i64::try_from(more + 1).unwrap_or(0);
                if next[end].is_none_or(|known| value > known) {
                    next[end] = Some(value);
                    from[end] = start;
                }
            }
        }
        kept = next;
        starts.push(from);
        if count >= fewest && kept[hosts].is_some() {
            done = Some(count);
        }
    }
    let mut end = hosts;
    for count in (0..done.unwrap_or(0)).rev() {
        let start = starts[count][end];
        let set = row[start..end]
            .iter()
            .map(|kind| lattice.kinds[*kind].set.clone())
            .reduce(|common, set| common.and(&set))?;
        found.push((position(&set)?, 1));
        end = start;
    }
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (level, count) in found {
        match merged.iter_mut().find(|(known, _)| *known == level) {
            Some((_, more)) => *more += count,
            None => merged.push((level, count)),
        }
    }
    Some(merged)
}
