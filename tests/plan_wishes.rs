//! Small fleets with wishes against every possible plan, and what holds of any plan.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use poolgate::cpu::levelling::Shape;
use poolgate::facts::Featureset;
use poolgate::plan::{KeptPool, Plan, PlanError, PlanHost, Question, Weights, plan};
use proptest::prelude::*;

/// Features that count differently: sse3, pclmulqdq, fma, aes, avx, rdrand of word 1, and some of word 5.
const FEATURES: [usize; 6] = [32, 33, 44, 57, 60, 5 * 32 + 16];

#[derive(Clone, Debug)]
struct Small {
    sets: Vec<u8>,
    limit: usize,
    together: Vec<(usize, usize)>,
    apart: Vec<(usize, usize)>,
    keep: usize,
}

fn small() -> impl Strategy<Value = Small> {
    let pair = || (0_usize..7, 0_usize..7);
    let pairs = || prop::collection::vec(pair(), 0..2);
    (prop::collection::vec(0_u8..64, 2..8), 2_usize..4, pairs(), pairs(), 0_usize..3).prop_map(
        |(sets, limit, together, apart, keep)| {
            let last = sets.len() - 1;
            let within = |pairs: Vec<(usize, usize)>| {
                pairs.into_iter().map(|(a, b)| (a.min(last), b.min(last))).filter(|(a, b)| a != b).collect()
            };
            let keep = keep.min(last).min(limit - 1);
            Small { together: within(together), apart: within(apart), sets, limit, keep }
        },
    )
}

fn host(index: usize, set: u8) -> PlanHost {
    let mut features = Featureset::new(vec![1, 0, 1 << 29, 0, 0, 0]);
    for (bit, feature) in FEATURES.iter().enumerate() {
        features.set(*feature, set >> bit & 1 == 1);
    }
    PlanHost {
        name: name(index),
        uuid: String::new(),
        source: "test".to_owned(),
        vendor: "GenuineIntel".to_owned(),
        release: Some("XCP-ng 8.3".to_owned()),
        model: String::new(),
        pv: None,
        most: features.clone(),
        features,
        running: None,
        coordinator: false,
        shape: Shape::DefaultOnly,
    }
}

fn name(index: usize) -> String {
    format!("host-{index}")
}

/// The first `keep` hosts are a kept pool.
fn question(small: &Small) -> Question {
    let hosts: Vec<_> = small.sets.iter().enumerate().map(|(index, set)| host(index, *set)).collect();
    let (kept, free) = hosts.split_at(small.keep);
    let names = |pairs: &[(usize, usize)]| pairs.iter().map(|(a, b)| vec![name(*a), name(*b)]).collect();
    let pool = KeptPool { name: "kept".to_owned(), members: kept.to_vec(), unplanned: Vec::new() };
    Question {
        hosts: free.to_vec(),
        left_out: Vec::new(),
        keep: if kept.is_empty() { Vec::new() } else { vec![pool] },
        limit: small.limit,
        spare: 0,
        together: names(&small.together),
        apart: names(&small.apart),
        weights: Weights::default(),
        effort: 1,
        until: None,
    }
}

/// The fewest pools and the least loss of every plan that keeps the wishes; none where there is no plan.
fn brute(small: &Small) -> Option<(usize, i64)> {
    fn go(small: &Small, at: &mut Vec<usize>, best: &mut Option<(usize, i64)>) {
        if at.len() == small.sets.len() {
            let fits = (1..small.keep).all(|host| at[host] == at[0])
                && small.together.iter().all(|(a, b)| at[*a] == at[*b])
                && small.apart.iter().all(|(a, b)| at[*a] != at[*b]);
            let found = (at.iter().max().unwrap() + 1, loss(small, at));
            if fits && best.is_none_or(|best| found < best) {
                *best = Some(found);
            }
            return;
        }
        let pools = at.iter().max().map_or(0, |last| last + 1);
        for pool in 0..=pools {
            if at.iter().filter(|other| **other == pool).count() < small.limit {
                at.push(pool);
                go(small, at, best);
                at.pop();
            }
        }
    }
    let mut best = None;
    go(small, &mut Vec::new(), &mut best);
    best
}

fn weigh(set: u8) -> i64 {
    let weights = Weights::default();
    FEATURES.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, feature)| weights.of(*feature)).sum()
}

fn loss(small: &Small, at: &[usize]) -> i64 {
    let common = |pool: usize| {
        small.sets.iter().zip(at).filter(|(_, other)| **other == pool).fold(255_u8, |common, (set, _)| common & set)
    };
    small.sets.iter().zip(at).map(|(set, pool)| weigh(*set) - weigh(common(*pool) & 63)).sum()
}

/// The pool of each host in a plan.
fn places(plan: &Plan, hosts: usize) -> Vec<usize> {
    let pools: Vec<_> = plan.groups.iter().flat_map(|group| &group.pools).collect();
    (0..hosts)
        .map(|host| {
            let mut holding = (0..pools.len())
                .filter(|pool| pools[*pool].members.iter().any(|member| member.host.name == name(host)));
            let pool = holding.next().unwrap();
            assert_eq!(holding.next(), None, "host {host} is in two pools");
            pool
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn wishes_are_kept_at_the_least_loss(small in small()) {
        let best = brute(&small);
        let found = match plan(&question(&small)) {
            Ok(found) => found,
            Err(PlanError::Contradiction(_)) => {
                prop_assert_eq!(best, None);
                return Ok(());
            }
            Err(other) => panic!("{other}"),
        };
        let (pools, least) = best.unwrap();
        let at = places(&found, small.sets.len());
        let group = &found.groups[0];
        prop_assert!(group.pools.iter().all(|pool| pool.members.len() <= small.limit));
        prop_assert!(small.together.iter().all(|(a, b)| at[*a] == at[*b]));
        prop_assert!(small.apart.iter().all(|(a, b)| at[*a] != at[*b]));
        prop_assert!((1..small.keep).all(|host| at[host] == at[0]));
        prop_assert_eq!(group.loss, loss(&small, &at));
        prop_assert_eq!(group.pools.iter().map(|pool| pool.loss).sum::<i64>(), group.loss);
        prop_assert_eq!((group.pools.len(), group.loss, group.bound), (pools, least, least));
        prop_assert!(group.fewest <= pools);
    }

    #[test]
    fn the_order_of_hosts_does_not_matter(small in small(), turn in 0_usize..7) {
        let question = question(&small);
        let mut turned = question.clone();
        let hosts = turned.hosts.len();
        if hosts > 0 {
            turned.hosts.rotate_left(turn % hosts);
        }
        prop_assert_eq!(plan(&question), plan(&turned));
    }
}
