//! Blocks of hosts into pools, one by one: for wishes that tie or part hosts, which the search over kinds does not know.
//! Exhaustive where there are few, else the best of placing and exchanging.

use super::solve::bits::Bits;
use super::solve::meter::Meter;

/// A block as this search sees it.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// The features that all its hosts have.
    pub(super) set: Bits,
    /// How many hosts it has.
    pub(super) size: usize,
    /// Items that must not be in its pool.
    pub(super) apart: Vec<usize>,
}

/// Which items are in which pool, and what all hosts keep; pools may be empty.
#[derive(Clone, Debug)]
pub(super) struct Arranged {
    pub(super) pools: Vec<Vec<usize>>,
    pub(super) keeps: i64,
    /// Whether every arrangement was looked at.
    pub(super) exhaustive: bool,
}

/// What was found for a number of pools.
pub(super) enum Outcome {
    Found(Arranged),
    /// There is none.
    Impossible,
    /// None was found; there may be one.
    Unknown,
}

pub(super) struct Arranger<'a> {
    pub(super) items: &'a [Item],
    pub(super) weights: &'a [i64],
    pub(super) limit: usize,
}

/// Up to so many items every arrangement is tried.
const FEW: usize = 14;
/// Arrangements that are looked at at most, in parts.
const NODES: u64 = 2_000_000;

impl Arranger<'_> {
    /// Arranges the items in so many pools; `start` is a first arrangement to improve on, where one is known.
    pub(super) fn arrange(&self, pools: usize, start: Option<Vec<Vec<usize>>>, meter: &mut Meter) -> Outcome {
        let start = start.filter(|start| self.is_allowed(start)).or_else(|| self.first_fit(pools));
        let mut best = start.map(|start| self.exchange(start, meter));
        if self.items.len() <= FEW {
            let mut search = Exhaustive {
                arranger: self,
                order: self.largest_first(),
                pools: vec![Vec::new(); pools],
                best: best.as_ref().map_or(i64::MIN, |best| best.keeps),
                found: None,
                nodes: NODES,
            };
            search.go(0);
            let exhaustive = search.nodes > 0;
            if let Some(found) = search.found {
                best = Some(Arranged { keeps: self.keeps(&found), pools: found, exhaustive });
            } else if let Some(best) = &mut best {
                best.exhaustive = exhaustive;
            } else if exhaustive {
                return Outcome::Impossible;
            }
        }
        best.map_or(Outcome::Unknown, Outcome::Found)
    }

    fn largest_first(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        let key = |item: &usize| (self.items[*item].size, self.items[*item].apart.len());
        order.sort_by(|a, b| {
            key(b).cmp(&key(a)).then_with(|| self.items[*b].set.cmp(&self.items[*a].set)).then(a.cmp(b))
        });
        order
    }

    fn common(&self, pool: &[usize]) -> Option<Bits> {
        let sets = pool.iter().map(|item| &self.items[*item].set);
        sets.fold(None, |common: Option<Bits>, set| {
            Some(common.map_or_else(|| set.clone(), |common| common.and(set)))
        })
    }

    fn size(&self, pool: &[usize]) -> usize {
        pool.iter().map(|item| self.items[*item].size).sum()
    }

    /// What the hosts of a pool keep.
    fn value(&self, pool: &[usize]) -> i64 {
        let weight: i64 = self.common(pool).map_or(0, |set| set.iter().map(|feature| self.weights[feature]).sum());
        weight * i64::try_from(self.size(pool)).unwrap_or(i64::MAX)
    }

    fn keeps(&self, pools: &[Vec<usize>]) -> i64 {
        pools.iter().map(|pool| self.value(pool)).sum()
    }

    fn fits(&self, item: usize, pool: &[usize]) -> bool {
        self.size(pool) + self.items[item].size <= self.limit
            && pool.iter().all(|other| !self.items[item].apart.contains(other))
    }

    fn is_allowed(&self, pools: &[Vec<usize>]) -> bool {
        pools.iter().all(|pool| {
            self.size(pool) <= self.limit
                && pool.iter().all(|a| pool.iter().all(|b| !self.items[*a].apart.contains(b)))
        })
    }

    /// The largest first, each where the least is lost.
    fn first_fit(&self, count: usize) -> Option<Vec<Vec<usize>>> {
        let mut pools: Vec<Vec<usize>> = vec![Vec::new(); count];
        for item in self.largest_first() {
            let mut best: Option<(i64, usize)> = None;
            for (index, pool) in pools.iter().enumerate() {
                if self.fits(item, pool) {
                    let mut with = pool.clone();
                    with.push(item);
                    let gain = self.value(&with) - self.value(pool);
                    if best.is_none_or(|(most, _)| gain > most) {
                        best = Some((gain, index));
                    }
                }
            }
            pools[best?.1].push(item);
        }
        Some(pools)
    }

    /// Moves single items, and exchanges two, as long as more is kept.
    fn exchange(&self, mut pools: Vec<Vec<usize>>, meter: &mut Meter) -> Arranged {
        let mut values: Vec<i64> = pools.iter().map(|pool| self.value(pool)).collect();
        let mut changed = true;
        while changed && !meter.is_spent() {
            changed = false;
            for a in 0..pools.len() {
                for b in 0..pools.len() {
                    if a == b {
                        continue;
                    }
                    let mut place = 0;
                    while place < pools[a].len() && !meter.is_spent() {
                        let item = pools[a][place];
                        let moved = self.try_move(&mut pools, &mut values, (a, place, item), b, meter);
                        changed |= moved;
                        place += usize::from(!moved);
                    }
                }
            }
        }
        Arranged { keeps: values.iter().sum(), pools, exhaustive: false }
    }

    /// Moves an item to another pool, alone or for one of that pool's; whether that was better.
    fn try_move(
        &self,
        pools: &mut [Vec<usize>],
        values: &mut [i64],
        (a, place, item): (usize, usize, usize),
        b: usize,
        meter: &mut Meter,
    ) -> bool {
        let mut rest = pools[a].clone();
        rest.remove(place);
        let before = values[a] + values[b];
        for swap in std::iter::once(None).chain((0..pools[b].len()).map(Some)) {
            meter.spend((pools[a].len() + pools[b].len()) as u64 * 20);
            let (mut left, mut right) = (rest.clone(), pools[b].clone());
            if let Some(other) = swap {
                let other = right.remove(other);
                if !self.fits(other, &left) {
                    continue;
                }
                left.push(other);
            }
            if !self.fits(item, &right) {
                continue;
            }
            right.push(item);
            let (value_a, value_b) = (self.value(&left), self.value(&right));
            if value_a + value_b > before {
                (pools[a], pools[b], values[a], values[b]) = (left, right, value_a, value_b);
                return true;
            }
        }
        false
    }
}

/// Every arrangement, without those that only number pools differently.
struct Exhaustive<'a> {
    arranger: &'a Arranger<'a>,
    order: Vec<usize>,
    pools: Vec<Vec<usize>>,
    best: i64,
    found: Option<Vec<Vec<usize>>>,
    nodes: u64,
}

impl Exhaustive<'_> {
    fn go(&mut self, next: usize) {
        if self.nodes == 0 {
            return;
        }
        self.nodes -= 1;
        // What is placed can only keep less, what is not can keep all it has.
        let alone = |item: &usize| self.arranger.value(std::slice::from_ref(item));
        let hope = self.arranger.keeps(&self.pools) + self.order[next..].iter().map(alone).sum::<i64>();
        if hope <= self.best {
            return;
        }
        let Some(item) = self.order.get(next).copied() else {
            self.best = hope;
            self.found = Some(self.pools.clone());
            return;
        };
        let mut tried_empty = false;
        for pool in 0..self.pools.len() {
            if self.pools[pool].is_empty() {
                if tried_empty {
                    continue;
                }
                tried_empty = true;
            }
            if self.arranger.fits(item, &self.pools[pool]) {
                self.pools[pool].push(item);
                self.go(next + 1);
                self.pools[pool].pop();
            }
        }
    }
}
