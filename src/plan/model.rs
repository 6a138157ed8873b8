//! What is asked of a plan, and the plan.

use super::{LeftOut, PlanHost, Weights};
use crate::facts::Featureset;

/// A pool that exists and may only grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPool {
    /// What it is called.
    pub name: String,
    /// Its members; more than the limit where it has outgrown it.
    pub members: Vec<PlanHost>,
    /// Members that cannot be planned: then nothing joins this pool.
    pub unplanned: Vec<LeftOut>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The hosts to be planned, none of them in a kept pool.
    pub hosts: Vec<PlanHost>,
    /// Hosts that cannot be planned.
    pub left_out: Vec<LeftOut>,
    /// Pools that may only grow.
    pub keep: Vec<KeptPool>,
    /// How many hosts a pool may have.
    pub limit: usize,
    /// How many pools more than the fewest are allowed.
    pub spare: usize,
    /// Groups of hosts, by name or uuid, that go into one pool.
    pub together: Vec<Vec<String>>,
    /// Groups of hosts of which no two go into one pool.
    pub apart: Vec<Vec<String>>,
    /// What the loss of a feature counts.
    pub weights: Weights,
    /// How hard to search: a multiple of the usual number of steps.
    pub effort: u64,
    /// When to stop by the clock, whatever the number of steps.
    pub until: Option<std::time::Instant>,
}

/// Why a question has no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A name in `--together` or `--apart` that no host has.
    #[error("{option}: no host is called {name:?}{}", nearest.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default())]
    NoHost {
        /// `--together` or `--apart`.
        option: &'static str,
        /// The name.
        name: String,
        /// The host whose name is most like it.
        nearest: Option<String>,
    },
    /// A name that stands for a host that cannot be planned.
    #[error("{option}: {name} is left out: {reason}")]
    IsLeftOut {
        /// `--together` or `--apart`.
        option: &'static str,
        /// The name.
        name: String,
        /// Why it is left out.
        reason: String,
    },
    /// Wishes that no plan can keep.
    #[error("{0}")]
    Contradiction(String),
}

/// Pools for all hosts that can be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many hosts a pool may have.
    pub limit: usize,
    /// How many pools more than the fewest were allowed.
    pub spare: usize,
    /// Hosts of one vendor and release line, planned for themselves.
    pub groups: Vec<Group>,
    /// Hosts that are in no pool of the plan.
    pub left_out: Vec<LeftOut>,
    /// Whether the clock ended a search: then another run may end elsewhere.
    pub by_clock: bool,
    /// Remarks.
    pub notes: Vec<String>,
}

/// Hosts that may be pooled with each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The CPU vendor.
    pub vendor: String,
    /// The release line; none when not known.
    pub release: Option<String>,
    /// How many hosts it has.
    pub hosts: usize,
    /// How many featuresets differ in what counts.
    pub kinds: usize,
    /// Levels that a pool can have; none when there are too many to list.
    pub levels: Option<usize>,
    /// Its pools, that with the best level first.
    pub pools: Vec<PlannedPool>,
    /// No plan has fewer pools than this.
    pub fewest: usize,
    /// What its hosts lose together.
    pub loss: i64,
    /// No plan with so many pools loses less than this.
    pub bound: i64,
    /// What one pool more would do.
    pub one_more: Option<OneMore>,
    /// No plan with so many pools restarts fewer of the VMs that are known.
    pub fewest_restarts: usize,
}

/// The same hosts in one pool more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneMore {
    /// What its hosts would lose.
    pub loss: i64,
    /// No plan with one pool more loses less than this.
    pub bound: i64,
}

/// A pool of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPool {
    /// What it is called: a kept pool's own name, else `pool 1`, …
    pub name: String,
    /// Whether it exists and grows.
    pub kept: bool,
    /// What HVM guests in it are started with.
    pub level: Featureset,
    /// Its hosts: those that are there or found it first, then the joins in their order.
    pub members: Vec<Member>,
    /// What its hosts lose together.
    pub loss: i64,
    /// Which hosts force a loss: the dearest first.
    pub forced: Vec<Forced>,
    /// What PV guests lose: said, not weighed.
    pub pv: PvLoss,
}

/// What PV guests lose in a pool. Their sets are levelled beside those of HVM guests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PvLoss {
    /// What PV guests in the pool are started with; none when no host shows it.
    pub level: Option<Featureset>,
    /// The features that PV guests of some host lose.
    pub hidden: Vec<usize>,
    /// What the hosts lose together, by the same weights.
    pub loss: i64,
    /// Hosts that do not show what PV guests are started with on them.
    pub unknown: usize,
}

/// What a host does in a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is a member of the kept pool.
    Stays,
    /// The pool starts with it.
    Founds,
    /// It joins.
    Joins,
}

/// A host in a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The host.
    pub host: PlanHost,
    /// What it does.
    pub step: Step,
    /// What its guests lose, weighed.
    pub loss: i64,
    /// The features that its guests lose.
    pub hidden: Vec<usize>,
    /// VMs that must be restarted for it, or none where its VMs are not known.
    pub restarts: Option<usize>,
}

/// Hosts alike that keep the others of a pool from features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forced {
    /// Their names.
    pub hosts: Vec<String>,
    /// What the pool would keep without them.
    pub features: Vec<usize>,
    /// What the hosts that stay would lose less.
    pub saves: i64,
}

impl Group {
    /// Whether no plan of this group loses less with so many pools.
    pub const fn is_optimal(&self) -> bool {
        self.loss == self.bound
    }

    /// VMs that must be restarted, of the hosts whose VMs are known.
    pub fn restarts(&self) -> usize {
        self.pools.iter().map(|pool| pool.restarts().0).sum()
    }

    /// Whether no plan of this group has fewer pools, but for the spare ones that were allowed.
    pub fn is_fewest(&self, spare: usize) -> bool {
        self.pools.len() <= self.fewest + spare
    }
}

impl PlannedPool {
    /// The features that PV guests of some host lose and HVM guests do not.
    pub fn lost_by_pv_alone(&self) -> Vec<usize> {
        let hvm = |feature: &usize| self.members.iter().any(|member| member.hidden.contains(feature));
        self.pv.hidden.iter().copied().filter(|feature| !hvm(feature)).collect()
    }

    /// VMs that must be restarted, of the hosts whose VMs are known, and hosts whose VMs are not.
    pub fn restarts(&self) -> (usize, usize) {
        let known = self.members.iter().filter_map(|member| member.restarts).sum();
        (known, self.members.iter().filter(|member| member.restarts.is_none()).count())
    }
}
