//! The hosts of one vendor and release line: what is asked of the solvers, and what their answers mean.

use std::collections::{BTreeMap, HashMap};

use super::arrange::{Arranger, Item, Outcome};
use super::blocks::Block;
use super::found;
use super::model::{Group, KeptPool, OneMore, PlanError, Question};
use super::restarts;
use super::solve::bits::Bits;
use super::solve::lattice::{Kind, Lattice};
use super::solve::meter::Meter;
use super::solve::{Placement, solve};
use super::{PlanHost, Weights};
use crate::facts::Featureset;

/// Levels that are listed at most; a fleet with more is arranged host by host.
const LEVELS: usize = 4_000;

/// What is planned together.
pub(super) struct GroupWork<'q> {
    vendor: &'q str,
    release: Option<&'q str>,
    /// All its hosts but those of closed pools.
    pub(super) hosts: Vec<&'q PlanHost>,
    pub(super) weights: &'q Weights,
    keep: &'q [KeptPool],
    closed: Vec<&'q KeptPool>,
    /// Blocks of places in `hosts`.
    blocks: Vec<Block>,
    items: Vec<Item>,
    /// Weight of each feature that counts and differs.
    counted: Vec<i64>,
    lattice: Option<Lattice>,
    /// For each kind of the lattice its hosts, where no block ties them.
    alike: Vec<Vec<usize>>,
    limit: usize,
    /// What hosts lose to those that they are tied to, however they are placed.
    tied: i64,
}

/// Pools for a number of pools.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Places in the hosts of the work, pool by pool; none where none were found.
    pub(super) pools: Option<Vec<Vec<usize>>>,
    pub(super) loss: i64,
    pub(super) bound: i64,
    /// Whether it is certain that there are none.
    pub(super) impossible: bool,
    pub(super) by_clock: bool,
}

impl<'q> GroupWork<'q> {
    pub(super) fn new(
        question: &'q Question,
        hosts: &'q [PlanHost],
        all: &[Block],
        part: &[usize],
        closed: Vec<&'q KeptPool>,
        (vendor, release): (&'q str, Option<&'q str>),
    ) -> Self {
        let mut own = Vec::new();
        let place: HashMap<usize, usize> = part.iter().enumerate().map(|(place, block)| (*block, place)).collect();
        let blocks: Vec<Block> = part
            .iter()
            .map(|index| {
                let block = &all[*index];
                let start = own.len();
                own.extend(block.hosts.iter().map(|host| &hosts[*host]));
                // Hosts of other vendors and releases are apart anyhow.
                let apart = block.apart.iter().filter_map(|other| place.get(other).copied()).collect();
                Block { hosts: (start..own.len()).collect(), keep: block.keep, apart }
            })
            .collect();
        let (counted, sets) = counted(&own, &question.weights);
        let weigh = |set: &Bits| set.iter().map(|feature| counted[feature]).sum::<i64>();
        let mut tied = 0;
        let items: Vec<Item> = blocks
            .iter()
            .map(|block| {
                let mut common = sets[block.hosts[0]].clone();
                for host in &block.hosts {
                    common = common.and(&sets[*host]);
                }
                tied += block.hosts.iter().map(|host| weigh(&sets[*host]) - weigh(&common)).sum::<i64>();
                Item { set: common, size: block.hosts.len(), apart: block.apart.clone() }
            })
            .collect();
        let mut kinds: BTreeMap<&Bits, Vec<usize>> = BTreeMap::new();
        for (item, block) in items.iter().zip(&blocks) {
            kinds.entry(&item.set).or_default().extend(&block.hosts);
        }
        let alike: Vec<Vec<usize>> = kinds.values().cloned().collect();
        let kinds: Vec<Kind> = kinds
            .into_iter()
            .map(|(set, hosts)| Kind { set: set.clone(), weight: weigh(set), count: hosts.len() })
            .collect();
        let lattice = Lattice::new(kinds, &counted, question.limit, LEVELS);
        Self {
            vendor,
            release,
            hosts: own,
            weights: &question.weights,
            keep: &question.keep,
            closed,
            blocks,
            items,
            counted,
            lattice,
            alike,
            limit: question.limit,
            tied,
        }
    }

    pub(super) fn refuse_oversized(&self, limit: usize) -> Result<(), PlanError> {
        match self.items.iter().zip(&self.blocks).find(|(item, _)| item.size > limit) {
            Some((item, block)) => Err(PlanError::Contradiction(format!(
                "{} hosts must be together with {}, and a pool may have {limit}",
                item.size, self.hosts[block.hosts[0]].name
            ))),
            None => Ok(()),
        }
    }

    /// Whether some hosts are tied or parted, so that kinds alone do not say which pools are possible.
    fn is_tied(&self) -> bool {
        self.items
            .iter()
            .zip(&self.blocks)
            .any(|(item, block)| item.size > 1 || !item.apart.is_empty() || block.keep.is_some())
    }

    /// Pools at least, for the hosts that are not in closed pools.
    pub(super) fn fewest(&self) -> usize {
        let kept = self.blocks.iter().filter(|block| block.keep.is_some()).count();
        // Items of which no two may meet: a greedy choice is enough for a bound.
        let mut parted: Vec<usize> = Vec::new();
        let mut order: Vec<usize> =
            (0..self.items.len()).filter(|item| !self.items[*item].apart.is_empty()).collect();
        order.sort_by_key(|item| (std::cmp::Reverse(self.items[*item].apart.len()), *item));
        for item in order {
            if parted.iter().all(|other| self.items[item].apart.contains(other)) {
                parted.push(item);
            }
        }
        self.hosts.len().div_ceil(self.limit).max(kept).max(parted.len())
    }

    /// The most pools that make a difference.
    pub(super) fn most(&self) -> usize {
        self.items.len()
    }

    /// Plans the hosts in so many pools.
    pub(super) fn answer(&self, pools: usize, meter: &mut Meter) -> Answer {
        let solved = self.lattice.as_ref().map(|lattice| solve(lattice, pools, meter));
        let bound = solved.as_ref().map_or_else(|| self.bound_by_feature(pools), |solved| solved.bound);
        let bound = bound.saturating_add(self.tied);
        if let (Some(Some(placement)), false) = (solved.as_ref().map(|solved| &solved.placement), self.is_tied()) {
            let mut pools = found::spread(placement, &self.alike, &self.hosts, self.limit);
            // Untied, each host is an item of its own.
            let mut sets: Vec<(usize, &Bits)> =
                self.blocks.iter().zip(&self.items).map(|(block, item)| (block.hosts[0], &item.set)).collect();
            sets.sort_by_key(|(host, _)| *host);
            let sets: Vec<&Bits> = sets.into_iter().map(|(_, set)| set).collect();
            restarts::exchange(&mut pools, &self.hosts, &sets);
            return Answer {
                pools: Some(pools),
                loss: placement.loss + self.tied,
                bound,
                impossible: false,
                by_clock: meter.by_clock,
            };
        }
        let start = solved.and_then(|solved| solved.placement).and_then(|placement| self.untied(&placement, pools));
        let arranger = Arranger { items: &self.items, weights: &self.counted, limit: self.limit };
        let own: i64 = self
            .items
            .iter()
            .map(|item| {
                let weight: i64 = item.set.iter().map(|feature| self.counted[feature]).sum();
                weight * i64::try_from(item.size).unwrap_or(i64::MAX)
            })
            .sum();
        match arranger.arrange(pools, start, meter) {
            Outcome::Found(arranged) => {
                let loss = own - arranged.keeps + self.tied;
                let hosts = |pool: &Vec<usize>| {
                    pool.iter().flat_map(|item| self.blocks[*item].hosts.iter().copied()).collect::<Vec<_>>()
                };
                Answer {
                    pools: Some(arranged.pools.iter().map(hosts).filter(|pool| !pool.is_empty()).collect()),
                    loss,
                    bound: if arranged.exhaustive { loss } else { bound.min(loss) },
                    impossible: false,
                    by_clock: meter.by_clock,
                }
            }
            Outcome::Impossible => {
                Answer { pools: None, loss: 0, bound: 0, impossible: true, by_clock: meter.by_clock }
            }
            Outcome::Unknown => {
                Answer { pools: None, loss: 0, bound: 0, impossible: false, by_clock: meter.by_clock }
            }
        }
    }

    /// What every plan loses, feature by feature: hosts without it need pools, and the rest of the pools has room for so many.
    fn bound_by_feature(&self, pools: usize) -> i64 {
        let hosts = self.hosts.len();
        let lost = |feature: usize| {
            let with: usize = self.items.iter().filter(|item| item.set.has(feature)).map(|item| item.size).sum();
            let free = pools.saturating_sub((hosts - with).div_ceil(self.limit));
            self.counted[feature] * i64::try_from(with.saturating_sub(free * self.limit)).unwrap_or(i64::MAX)
        };
        (0..self.counted.len()).map(lost).sum()
    }

    /// The pools of a placement of single hosts as items: blocks in the pool of their first host, single hosts where they
    /// fit. None where something fits nowhere.
    fn untied(&self, placement: &Placement, pools: usize) -> Option<Vec<Vec<usize>>> {
        let spread = found::spread(placement, &self.alike, &self.hosts, self.limit);
        let mut at = vec![0; self.hosts.len()];
        for (pool, hosts) in spread.iter().enumerate() {
            for host in hosts {
                at[*host] = pool;
            }
        }
        let mut found: Vec<Vec<usize>> = vec![Vec::new(); pools];
        let mut sizes = vec![0; pools];
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by_key(|item| (std::cmp::Reverse(self.items[*item].size), *item));
        for item in order {
            let wanted = at[self.blocks[item].hosts[0]];
            let fits = |pool: &usize| {
                sizes[*pool] + self.items[item].size <= self.limit
                    && found[*pool].iter().all(|other| !self.items[item].apart.contains(other))
            };
            let pool = std::iter::once(wanted).chain(0..pools).find(fits)?;
            found[pool].push(item);
            sizes[pool] += self.items[item].size;
        }
        Some(found)
    }

    /// The group as it is reported: `chosen` of the answers, of which the first is for the fewest pools.
    pub(super) fn finish(&self, answers: &[Answer], chosen: Option<usize>, number: &mut usize) -> Option<Group> {
        let answer = &answers[chosen?];
        let pools = answer.pools.as_ref()?;
        let kept = |hosts: &[usize]| {
            self.blocks.iter().find(|block| block.keep.is_some() && hosts.contains(&block.hosts[0])).map(|block| {
                let stays = match block.keep {
                    Some(index) => &self.keep[index],
                    None => return None,
                };
                Some(stays)
            })
        };
        let mut planned: Vec<_> = pools
            .iter()
            .map(|hosts| {
                let members: Vec<&PlanHost> = hosts.iter().map(|host| self.hosts[*host]).collect();
                found::pool(&members, kept(hosts).flatten(), self.weights)
            })
            .collect();
        let closed_loss: i64 = self
            .closed
            .iter()
            .map(|pool| {
                let members: Vec<&PlanHost> = pool.members.iter().collect();
                let pool = found::pool(&members, Some(pool), self.weights);
                let loss = pool.loss;
                planned.push(pool);
                loss
            })
            .sum();
        let weight = |level: &Featureset| self.weights.sum(level);
        planned.sort_by(|a, b| {
            weight(&b.level).cmp(&weight(&a.level)).then_with(|| a.members[0].host.name.cmp(&b.members[0].host.name))
        });
        for pool in planned.iter_mut().filter(|pool| !pool.kept) {
            *number += 1;
            pool.name = format!("pool {number}");
        }
        let founded = planned.iter().filter(|pool| !pool.kept).count();
        let free = self.blocks.iter().filter(|block| block.keep.is_none()).flat_map(|block| &block.hosts);
        let joined = self.blocks.iter().filter_map(|block| Some((block, &self.keep[block.keep?])));
        // Hosts that are tied to a kept pool are in its block.
        let joined = joined.flat_map(|(block, pool)| {
            block.hosts.iter().filter(|host| !pool.members.contains(self.hosts[**host])).collect::<Vec<_>>()
        });
        let fewest_restarts = restarts::fewest(free.chain(joined).map(|host| self.hosts[*host]), founded);
        let closed_hosts: usize = self.closed.iter().map(|pool| pool.members.len()).sum();
        let first = answers.iter().position(|answer| !answer.impossible).unwrap_or(0);
        let one_more = answers.get(chosen? + 1).filter(|more| more.pools.is_some()).map(|more| OneMore {
            loss: more.loss.min(answer.loss) + closed_loss,
            bound: more.bound.min(answer.loss) + closed_loss,
        });
        Some(Group {
            vendor: self.vendor.to_owned(),
            release: self.release.map(str::to_owned),
            hosts: self.hosts.len() + closed_hosts,
            kinds: self.alike.len(),
            levels: self.lattice.as_ref().map(|lattice| lattice.levels.len()),
            fewest: if self.hosts.is_empty() { 0 } else { self.fewest() + first } + self.closed.len(),
            loss: answer.loss + closed_loss,
            bound: answer.bound + closed_loss,
            pools: planned,
            one_more,
            fewest_restarts,
        })
    }
}

/// The features that count and differ between the hosts: their weights, and each host's own.
fn counted(hosts: &[&PlanHost], weights: &Weights) -> (Vec<i64>, Vec<Bits>) {
    let sets: Vec<Featureset> = hosts.iter().map(|host| host.comparable()).collect();
    let mut any = Featureset::default();
    let mut all: Option<Featureset> = None;
    for set in &sets {
        any = any.union(set);
        all = Some(all.map_or_else(|| set.clone(), |all| all.intersect(set)));
    }
    let differ: Vec<usize> =
        any.diff(&all.unwrap_or_default()).features().filter(|feature| weights.of(*feature) > 0).collect();
    let counted = differ.iter().map(|feature| weights.of(*feature)).collect();
    let own = |set: &Featureset| Bits::of(differ.len(), (0..differ.len()).filter(|place| set.has(differ[*place])));
    (counted, sets.iter().map(own).collect())
}
