//! Given how many pools are at each level: which hosts go where, so that they lose the least.
//!
//! What a place is worth depends on its level alone, so the places that can be filled together form a matroid, and filling
//! the best levels first, with hosts changing places as needed, is exact.

use std::collections::VecDeque;

use super::lattice::Lattice;

/// A level, the number of pools at it, and how many hosts of each kind are in them (kind, count).
pub(in crate::plan) type PoolsAt = (usize, usize, Vec<(usize, usize)>);

/// Hosts of each kind at each level in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct Placement {
    /// What all hosts lose together.
    pub(in crate::plan) loss: i64,
    /// By level.
    pub(in crate::plan) groups: Vec<PoolsAt>,
}

/// Places all hosts in pools at these levels (level, number of pools); none when some host fits in no pool that has room.
pub(super) fn place(lattice: &Lattice, pools: &[(usize, usize)]) -> Option<Placement> {
    let mut used: Vec<(usize, usize)> = pools.iter().copied().filter(|(_, pools)| *pools > 0).collect();
    used.sort_unstable();
    let mut flow = Flow {
        lattice,
        at: vec![vec![0; lattice.kinds.len()]; used.len()],
        waiting: lattice.kinds.iter().map(|kind| kind.count).collect(),
        levels: used.iter().map(|(level, _)| *level).collect(),
    };
    // Levels are numbered heaviest first.
    for (index, (_, pools)) in used.iter().enumerate() {
        let mut room = pools * lattice.limit;
        while room > 0 {
            let moved = flow.fill(index, room);
            if moved == 0 {
                break;
            }
            room -= moved;
        }
    }
    if flow.waiting.iter().any(|waiting| *waiting > 0) {
        return None;
    }
    let mut loss = 0;
    let groups = used.iter().zip(&flow.at).map(|((level, pools), hosts)| {
        let hosts: Vec<_> =
            hosts.iter().enumerate().filter(|(_, count)| **count > 0).map(|(kind, count)| (kind, *count)).collect();
        for (kind, count) in &hosts {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            loss += count * (lattice.kinds[*kind].weight - lattice.levels[*level].weight);
        }
        (*level, *pools, hosts)
    });
    let groups = groups.collect();
    Some(Placement { loss, groups })
}

struct Flow<'l> {
    lattice: &'l Lattice,
    levels: Vec<usize>,
    /// Hosts by place in `levels` and by kind.
    at: Vec<Vec<usize>>,
    waiting: Vec<usize>,
}

impl Flow<'_> {
    /// Brings hosts that wait nowhere yet to a level, directly or by letting others change places; how many.
    fn fill(&mut self, start: usize, room: usize) -> usize {
        // For each kind the level that wants it, and for each level the kind that would leave it.
        let mut wanted: Vec<Option<usize>> = vec![None; self.waiting.len()];
        let mut leaves: Vec<Option<usize>> = vec![None; self.levels.len()];
        let mut seen = vec![false; self.levels.len()];
        seen[start] = true;
        let mut queue = VecDeque::from([start]);
        while let Some(place) = queue.pop_front() {
            for kind in self.lattice.levels[self.levels[place]].kinds.iter() {
                if wanted[kind].is_some() {
                    continue;
                }
                wanted[kind] = Some(place);
                if self.waiting[kind] > 0 {
                    return self.shift(start, room, kind, &wanted, &leaves);
                }
                for other in 0..self.levels.len() {
                    if !seen[other] && self.at[other][kind] > 0 {
                        seen[other] = true;
                        leaves[other] = Some(kind);
                        queue.push_back(other);
                    }
                }
            }
        }
        0
    }

    /// Walks back from a kind that waits, and moves as many hosts as every step allows.
    fn shift(
        &mut self,
        start: usize,
        room: usize,
        waits: usize,
        wanted: &[Option<usize>],
        leaves: &[Option<usize>],
    ) -> usize {
        let mut steps = Vec::new();
        let mut amount = room.min(self.waiting[waits]);
        let mut kind = waits;
        while let Some(place) = wanted[kind] {
            let next = if place == start { None } else { leaves[place] };
            steps.push((place, kind, next));
            let Some(next) = next else { break };
            amount = amount.min(self.at[place][next]);
            kind = next;
        }
        self.waiting[waits] -= amount;
        for (place, comes, goes) in steps {
            self.at[place][comes] += amount;
            if let Some(goes) = goes {
                self.at[place][goes] -= amount;
            }
        }
        amount
    }
}
