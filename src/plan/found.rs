//! From kinds and numbers to hosts by name: who is in which pool, who founds it, in which order the others join, what each
//! loses and who forces it.

use std::collections::BTreeMap;

use super::model::{Forced, KeptPool, Member, PlannedPool, PvLoss, Step};
use super::solve::Placement;
use super::{PlanHost, Weights};
use crate::facts::Featureset;

/// Pools up to which founders are matched; beyond, each pool takes the first that fits.
const MATCHED: usize = 500;

/// The hosts of each pool of a placement. Hosts alike are exchangeable, so those with most running VMs are put in pools of
/// their own where they can be: a founder's VMs keep running.
pub(super) fn spread(
    placement: &Placement,
    alike: &[Vec<usize>],
    hosts: &[&PlanHost],
    limit: usize,
) -> Vec<Vec<usize>> {
    let mut pools: Vec<Vec<(usize, usize)>> = Vec::new();
    for (_, count, kinds) in &placement.groups {
        // Alike hosts next to each other, so that a pool has no more kinds than it must.
        let mut own: Vec<Vec<(usize, usize)>> = Vec::new();
        let mut room = 0;
        for (kind, left) in kinds {
            let mut left = *left;
            while left > 0 {
                if room == 0 && own.len() < *count {
                    own.push(Vec::new());
                    room = limit;
                }
                let taken = left.min(room.max(1));
                if let Some(pool) = own.last_mut() {
                    pool.push((*kind, taken));
                }
                left -= taken;
                room = room.saturating_sub(taken);
            }
        }
        pools.extend(own);
    }
    let busy = |host: usize| hosts[host].running.as_ref().map_or(0, Vec::len);
    let mut free: Vec<Vec<usize>> = alike.to_vec();
    for hosts in &mut free {
        // The last is taken first.
        hosts.sort_by(|a, b| busy(*a).cmp(&busy(*b)).then(b.cmp(a)));
    }
    let founders = founders(&pools, &free, busy);
    let mut found: Vec<Vec<usize>> = Vec::with_capacity(pools.len());
    for founder in &founders {
        let mut pool = Vec::new();
        if let Some(kind) = founder {
            pool.extend(free[*kind].pop());
        }
        found.push(pool);
    }
    for ((pool, founder), hosts) in pools.iter().zip(&founders).zip(&mut found) {
        for (kind, count) in pool {
            let own = count - usize::from(*founder == Some(*kind));
            for _ in 0..own {
                hosts.extend(free[*kind].pop());
            }
        }
    }
    found
}

/// For each pool the kind that its founder is of: the hosts with most running VMs each found one, as far as that is possible.
fn founders(pools: &[Vec<(usize, usize)>], free: &[Vec<usize>], busy: impl Fn(usize) -> usize) -> Vec<Option<usize>> {
    let mut founder: Vec<Option<usize>> = vec![None; pools.len()];
    if pools.len() > MATCHED {
        return founder;
    }
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (kind, hosts) in free.iter().enumerate() {
        order.extend(hosts.iter().map(|host| (busy(*host), kind)).filter(|(busy, _)| *busy > 0));
    }
    order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut left = pools.len();
    for (_, kind) in order {
        if left == 0 {
            break;
        }
        let mut seen = vec![false; pools.len()];
        left -= usize::from(settle(kind, pools, &mut founder, &mut seen));
    }
    founder
}

/// Finds a pool for a founder of this kind; others may move to another pool for it.
fn settle(kind: usize, pools: &[Vec<(usize, usize)>], founder: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for pool in 0..pools.len() {
        let has = pools[pool].iter().any(|(other, count)| *other == kind && *count > 0);
        if !has || seen[pool] {
            continue;
        }
        seen[pool] = true;
        let settled = match founder[pool] {
            None => true,
            Some(other) => settle(other, pools, founder, seen),
        };
        if settled {
            founder[pool] = Some(kind);
            return true;
        }
    }
    false
}

/// A pool of these hosts, as it is reported.
pub(super) fn pool(hosts: &[&PlanHost], kept: Option<&KeptPool>, weights: &Weights) -> PlannedPool {
    let stays = |host: &PlanHost| kept.is_some_and(|kept| kept.members.iter().any(|member| member == host));
    let busy = |host: &PlanHost| host.running.as_ref().map_or(0, Vec::len);
    let mut ordered: Vec<(&PlanHost, i64)> = hosts.iter().map(|host| (*host, host.weight(weights))).collect();
    // The weakest first: VMs started on the way then never hold what a later join would take.
    ordered.sort_by(|a, b| a.1.cmp(&b.1).then_with(|| (&a.0.name, &a.0.uuid).cmp(&(&b.0.name, &b.0.uuid))));
    let founder = (0..ordered.len()).rev().max_by_key(|place| busy(ordered[*place].0));
    match founder {
        Some(founder) if kept.is_none() => {
            let first = ordered.remove(founder);
            ordered.insert(0, first);
        }
        _ => ordered.sort_by_key(|(host, _)| (!stays(host), !host.coordinator && stays(host))),
    }
    let level = ordered.iter().fold(Featureset::default(), |level, (host, _)| level.intersect(&host.features));
    let sets: Vec<Featureset> = ordered.iter().map(|(host, _)| host.comparable()).collect();
    let common = sets.iter().fold(Featureset::default(), |level, set| level.intersect(set));
    let step = |place: usize| match (kept, place) {
        (Some(_), place) if stays(ordered[place].0) => Step::Stays,
        (None, 0) => Step::Founds,
        _ => Step::Joins,
    };
    let joining: Vec<&Featureset> =
        (0..ordered.len()).filter(|place| step(*place) == Step::Joins).map(|place| &ordered[place].0.most).collect();
    let members: Vec<Member> = ordered
        .iter()
        .zip(&sets)
        .enumerate()
        .map(|(place, ((host, _), set))| {
            let hidden: Vec<usize> =
                set.diff(&common).features().filter(|feature| weights.of(*feature) > 0).collect();
            let restarts = host.running.as_ref().map(|vms| match step(place) {
                // The server lets no host join with VMs running on it.
                Step::Joins => vms.len(),
                Step::Founds | Step::Stays => {
                    vms.iter().filter(|vm| joining.iter().any(|most| !vm.is_compatible_with(most))).count()
                }
            });
            Member {
                host: (*host).clone(),
                step: step(place),
                loss: hidden.iter().map(|feature| weights.of(*feature)).sum(),
                hidden,
                restarts,
            }
        })
        .collect();
    PlannedPool {
        name: kept.map(|kept| kept.name.clone()).unwrap_or_default(),
        kept: kept.is_some(),
        level,
        loss: members.iter().map(|member| member.loss).sum(),
        forced: forced(&members, &sets, &common, weights),
        pv: pv(&members, weights),
        members,
    }
}

/// What PV guests lose on hosts that show what they are started with.
fn pv(members: &[Member], weights: &Weights) -> PvLoss {
    let shown: Vec<(&Featureset, Featureset)> =
        members.iter().filter_map(|member| Some((member.host.pv.as_ref()?, member.host.comparable_pv()?))).collect();
    let level = shown.iter().map(|(set, _)| (*set).clone()).reduce(|level, set| level.intersect(&set));
    let common = shown.iter().map(|(_, set)| set.clone()).reduce(|level, set| level.intersect(&set));
    let common = common.unwrap_or_default();
    let mut lost = Featureset::default();
    let mut loss = 0;
    for (_, set) in &shown {
        let hidden = set.diff(&common);
        loss += weights.sum(&hidden);
        lost = lost.union(&hidden);
    }
    let hidden = lost.features().filter(|feature| weights.of(*feature) > 0).collect();
    PvLoss { level, hidden, loss, unknown: members.len() - shown.len() }
}

/// For each kind of hosts in a pool, what the others would keep without it.
fn forced(members: &[Member], sets: &[Featureset], common: &Featureset, weights: &Weights) -> Vec<Forced> {
    let mut kinds: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (place, set) in sets.iter().enumerate() {
        kinds.entry(set.features().filter(|feature| weights.of(*feature) > 0).collect()).or_default().push(place);
    }
    let mut forced: Vec<Forced> = kinds
        .values()
        .filter(|places| places.len() < members.len())
        .filter_map(|places| {
            let others = || (0..sets.len()).filter(|place| !places.contains(place));
            let without = others().fold(Featureset::default(), |level, place| level.intersect(&sets[place]));
            let features: Vec<usize> =
                without.diff(common).features().filter(|feature| weights.of(*feature) > 0).collect();
            let each: i64 = features.iter().map(|feature| weights.of(*feature)).sum();
            let saves = each * i64::try_from(others().count()).unwrap_or(i64::MAX);
            let hosts = places.iter().map(|place| members[*place].host.name.clone()).collect();
            (saves > 0).then_some(Forced { hosts, features, saves })
        })
        .collect();
    forced.sort_by(|a, b| b.saves.cmp(&a.saves).then_with(|| a.hosts.cmp(&b.hosts)));
    forced
}
