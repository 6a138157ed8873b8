//! Small fleets against every possible placement.

use proptest::prelude::*;

use super::bits::Bits;
use super::cuts::Needs;
use super::lattice::{Kind, Lattice};
use super::meter::Meter;
use super::price::Pattern;
use super::rounding::{Effort, Fractions};
use super::{Solved, solve};

const FEATURES: usize = 6;

#[derive(Clone, Debug)]
struct Small {
    kinds: Vec<(u8, usize)>,
    weights: Vec<i64>,
    limit: usize,
    more: usize,
}

fn small() -> impl Strategy<Value = Small> {
    let kinds = prop::collection::btree_map(0_u8..1 << FEATURES, 1_usize..4, 1..6);
    (kinds, prop::collection::vec(1_i64..9, FEATURES), 1_usize..5, 0_usize..2)
        .prop_map(|(kinds, weights, limit, more)| Small { kinds: kinds.into_iter().collect(), weights, limit, more })
        .prop_filter("few enough to try all", |small| small.kinds.iter().map(|(_, count)| count).sum::<usize>() <= 9)
}

fn lattice(small: &Small) -> Lattice {
    let kinds = small.kinds.iter().map(|(set, count)| {
        let set = Bits::of(FEATURES, (0..FEATURES).filter(|bit| set >> bit & 1 == 1));
        let weight = set.iter().map(|feature| small.weights[feature]).sum();
        Kind { set, weight, count: *count }
    });
    Lattice::new(kinds.collect(), &small.weights, small.limit, 1000).unwrap()
}

fn pools(small: &Small) -> usize {
    small.kinds.iter().map(|(_, count)| count).sum::<usize>().div_ceil(small.limit) + small.more
}

/// The least loss of all ways to put hosts into so many pools, one host after the other.
fn brute(small: &Small) -> i64 {
    let hosts: Vec<u8> = small.kinds.iter().flat_map(|(set, count)| std::iter::repeat_n(*set, *count)).collect();
    let weigh = |set: u8| (0..FEATURES).filter(|bit| set >> bit & 1 == 1).map(|bit| small.weights[bit]).sum::<i64>();
    fn go(
        hosts: &[u8],
        open: &mut Vec<(u8, i64, usize)>,
        left: usize,
        small: &Small,
        weigh: &dyn Fn(u8) -> i64,
    ) -> i64 {
        let Some((host, rest)) = hosts.split_first() else {
            return open.iter().map(|(set, own, count)| own - weigh(*set) * *count as i64).sum();
        };
        let mut best = i64::MAX;
        for index in 0..open.len() {
            let (set, own, count) = open[index];
            if count < small.limit {
                open[index] = (set & host, own + weigh(*host), count + 1);
                best = best.min(go(rest, open, left, small, weigh));
                open[index] = (set, own, count);
            }
        }
        if left > 0 {
            open.push((*host, weigh(*host), 1));
            best = best.min(go(rest, open, left - 1, small, weigh));
            open.pop();
        }
        best
    }
    go(&hosts, &mut Vec::new(), pools(small), small, &weigh)
}

fn solved(small: &Small, steps: u64) -> Solved {
    solve(&lattice(small), pools(small), &mut Meter::new(steps, None))
}

/// A placement holds every host once, in pools that are no larger than allowed, at levels that it has.
fn assert_sound(small: &Small, solved: &Solved) {
    let lattice = lattice(small);
    let placement = solved.placement.as_ref().unwrap();
    let mut left: Vec<usize> = lattice.kinds.iter().map(|kind| kind.count).collect();
    let mut loss = 0;
    for (level, pools, hosts) in &placement.groups {
        assert!(hosts.iter().map(|(_, count)| count).sum::<usize>() <= pools * small.limit);
        for (kind, count) in hosts {
            assert!(lattice.levels[*level].kinds.has(*kind));
            left[*kind] -= count;
            loss += *count as i64 * (lattice.kinds[*kind].weight - lattice.levels[*level].weight);
        }
    }
    assert!(left.iter().all(|left| *left == 0));
    assert!(placement.groups.iter().map(|(_, pools, _)| pools).sum::<usize>() <= pools(small));
    assert_eq!(placement.loss, loss);
    assert!(solved.bound <= placement.loss, "the bound {} is above {}", solved.bound, placement.loss);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_least_loss_is_found_and_proved(small in small()) {
        let solved = solved(&small, 50_000_000);
        assert_sound(&small, &solved);
        prop_assert_eq!(solved.placement.as_ref().unwrap().loss, brute(&small));
        prop_assert_eq!(solved.bound, brute(&small));
    }

    #[test]
    fn a_search_that_is_cut_short_claims_no_more_than_it_knows(small in small(), steps in 0_u64..20_000) {
        let solved = solved(&small, steps);
        assert_sound(&small, &solved);
        prop_assert!(solved.bound <= brute(&small));
    }
}

/// Fractions of pools and hosts by level and kind, and numbers that put each host into a pool.
type Draw = (Vec<f64>, Vec<f64>, Vec<usize>);

fn draw() -> impl Strategy<Value = Draw> {
    let some = |count| prop::collection::vec(0.0_f64..3.0, count);
    (some(64), some(400), prop::collection::vec(0_usize..100, 12))
}

/// Hosts in pools as the numbers say, each pool at the level that its hosts have in common.
fn patterns(lattice: &Lattice, pools: usize, dice: &[usize]) -> Vec<Pattern> {
    let mut hosts: Vec<Vec<usize>> = vec![Vec::new(); pools];
    let all = lattice.kinds.iter().enumerate().flat_map(|(kind, it)| std::iter::repeat_n(kind, it.count));
    for (kind, number) in all.zip(dice.iter().cycle()) {
        let open: Vec<usize> = (0..pools).filter(|pool| hosts[*pool].len() < lattice.limit).collect();
        hosts[open[number % open.len()]].push(kind);
    }
    let filled = hosts.into_iter().filter(|hosts| !hosts.is_empty());
    filled
        .map(|hosts| {
            let set = hosts.iter().map(|kind| lattice.kinds[*kind].set.clone()).reduce(|a, b| a.and(&b)).unwrap();
            let level = lattice.levels.iter().position(|level| level.set == set).unwrap();
            let mut counts = std::collections::BTreeMap::new();
            hosts.iter().for_each(|kind| *counts.entry(*kind).or_insert(0) += 1);
            let cost = hosts.iter().map(|kind| lattice.kinds[*kind].weight - lattice.levels[level].weight).sum();
            Pattern { level, hosts: counts.into_iter().collect(), cost }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_keeps_the_rows_that_fractions_break(small in small(), (level, host, dice) in draw()) {
        let lattice = lattice(&small);
        let count = lattice.levels.len();
        let pools: Vec<f64> = (0..count).map(|place| if level[place % 64] < 1.5 { 0.0 } else { level[place % 64] - 1.5 }).collect();
        let kinds = lattice.kinds.len();
        let hosts: Vec<(usize, Vec<f64>)> = (0..count)
            .filter(|level| pools[*level] > 0.0)
            .map(|level| (level, (0..kinds).map(|kind| host[(level * kinds + kind) % 400] * 0.2).collect()))
            .collect();
        let needs = Needs::new(&lattice);
        let mut rows = needs.broken(&lattice, &pools, 50, true);
        let fractions = Fractions { lattice: &lattice, pools: &pools, hosts: &hosts };
        rows.extend(fractions.rounded(needs.levels(), Effort { rows: 50, refined: 50, pairs: true }).0);
        let plan = patterns(&lattice, super::tests::pools(&small), &dice);
        for row in rows {
            let sum: i64 = plan.iter().map(|pool| row.entry(pool)).sum();
            prop_assert!(if row.at_least { sum >= row.count } else { sum <= row.count }, "{row:?} is broken by {plan:?}");
        }
    }
}

/// A fleet that takes branching, from a fixed generator.
fn large(seed: u64) -> Lattice {
    let mut state = seed;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut sets = std::collections::BTreeMap::new();
    for _ in 0..26 {
        let generation = next(10);
        // Newer hosts have more, and some lack one or two things.
        let set = ((1_u64 << (2 * generation + 2)) - 1) & !(1 << next(22)) & !(1 << next(22));
        *sets.entry(set).or_insert(0) += 1 + next(9) as usize;
    }
    let weights: Vec<i64> = (0..22).map(|feature| 1 + feature % 4).collect();
    let kinds = sets.into_iter().map(|(set, count)| {
        let set = Bits::of(22, (0..22).filter(|bit| set >> bit & 1 == 1));
        let weight = set.iter().map(|feature| weights[feature]).sum();
        Kind { set, weight, count }
    });
    Lattice::new(kinds.collect(), &weights, 16, 4000).unwrap()
}

#[test]
fn a_longer_search_never_loses_more_and_never_proves_less() {
    for seed in 1..4 {
        let lattice = large(seed);
        let pools = lattice.hosts().div_ceil(16);
        let mut last: Option<Solved> = None;
        for steps in [0, 100_000, 4_000_000] {
            let now = solve(&lattice, pools, &mut Meter::new(steps, None));
            let loss = now.placement.as_ref().unwrap().loss;
            assert!(now.bound <= loss);
            if let Some(last) = &last {
                assert!(loss <= last.placement.as_ref().unwrap().loss, "seed {seed}, {steps} steps");
                // What one proves, no placement of another disproves.
                assert!(last.bound <= loss && now.bound <= last.placement.as_ref().unwrap().loss);
            }
            let again = solve(&lattice, pools, &mut Meter::new(steps, None));
            assert_eq!((again.placement, again.bound), (now.placement.clone(), now.bound));
            last = Some(now);
        }
    }
}
