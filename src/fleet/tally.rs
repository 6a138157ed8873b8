//! Counts what is said of a fleet. Two tallies of two parts add up to that of both, in any order.

use std::collections::{BTreeMap, BTreeSet};

use super::reasons::Reasons;
use super::returns::{Heard, returned};
use super::row::{BadLine, JoinerRow, PoolRow};
use super::top::Top;
use super::{
    FORMAT, FleetPolicy, FleetReport, MissingCount, ReadCounts, RefusalCount, RuleCount, UnknownKeys, VERSION,
    VerdictCounts,
};
use crate::rules::{Severity, Verdict};

/// Lines that cannot be read and are told.
const BAD: usize = 20;
/// Keys that nobody knows and are told.
const KEYS: usize = 32;

/// What was counted so far.
#[derive(Clone, Debug)]
pub struct Tally {
    pub(super) read: ReadCounts,
    pub(super) joiners: VerdictCounts,
    pub(super) pools: VerdictCounts,
    pub(super) rules: BTreeMap<String, RuleTally>,
    pub(super) refusals: BTreeMap<String, u64>,
    pub(super) reasons: Reasons,
    pub(super) worst_pools: Top<PoolRow>,
    pub(super) worst_joiners: Top<JoinerRow>,
    pub(super) unreadable: Top<BadLine>,
    /// What all pools are recognised by.
    pub(super) heard: Vec<Heard>,
    keys: BTreeSet<String>,
    more_keys: bool,
}

/// How often a rule failed or could not be decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleTally {
    pub(super) severity: Severity,
    pub(super) failed: u64,
    pub(super) undecided: u64,
    pub(super) pools: u64,
}

impl Tally {
    /// Nothing yet; so many of the worst are kept.
    pub fn new(worst: usize) -> Self {
        Self {
            read: ReadCounts::default(),
            joiners: VerdictCounts::default(),
            pools: VerdictCounts::default(),
            rules: BTreeMap::new(),
            refusals: BTreeMap::new(),
            reasons: Reasons::default(),
            worst_pools: Top::new(worst),
            worst_joiners: Top::new(worst),
            unreadable: Top::new(BAD),
            heard: Vec::new(),
            keys: BTreeSet::new(),
            more_keys: false,
        }
    }

    /// Lines that cannot be read, so far.
    pub const fn unreadable(&self) -> u64 {
        self.read.unreadable
    }

    /// Lines that were read, so far.
    pub const fn lines(&self) -> u64 {
        self.read.lines
    }

    /// What its pools are recognised by, in the order of the fleet.
    pub fn heard(&self) -> Vec<Heard> {
        let mut heard = self.heard.clone();
        heard.sort_unstable_by_key(|heard| (heard.line, !heard.own));
        heard
    }

    /// A line that cannot be read.
    pub(super) fn add_bad(&mut self, line: BadLine) {
        self.read.unreadable += 1;
        self.unreadable.add(line);
    }

    /// Keys that nobody knows.
    pub(super) fn add_keys(&mut self, keys: impl IntoIterator<Item = String>) {
        for key in keys {
            if self.keys.contains(&key) {
                continue;
            }
            self.keys.insert(key);
            if self.keys.len() > KEYS {
                self.keys.pop_last();
                self.more_keys = true;
            }
        }
    }

    /// Adds what another part came to.
    pub fn join(&mut self, other: Self) {
        let (read, more) = (&mut self.read, other.read);
        read.lines += more.lines;
        read.unreadable += more.unreadable;
        read.pools += more.pools;
        read.alone += more.alone;
        read.doubtful += more.doubtful;
        read.not_judged += more.not_judged;
        self.joiners.join(other.joiners);
        self.pools.join(other.pools);
        for (rule, more) in other.rules {
            let RuleTally { severity, .. } = more;
            let rule = self.rules.entry(rule).or_insert(RuleTally { severity, failed: 0, undecided: 0, pools: 0 });
            rule.failed += more.failed;
            rule.undecided += more.undecided;
            rule.pools += more.pools;
        }
        for (code, joiners) in other.refusals {
            *self.refusals.entry(code).or_default() += joiners;
        }
        self.reasons.join(other.reasons);
        other.worst_pools.into_vec().into_iter().for_each(|row| self.worst_pools.add(row));
        other.worst_joiners.into_vec().into_iter().for_each(|row| self.worst_joiners.add(row));
        other.unreadable.into_vec().into_iter().for_each(|row| self.unreadable.add(row));
        self.heard.extend(other.heard);
        self.add_keys(other.keys);
        self.more_keys |= other.more_keys;
    }

    /// What a report holds.
    pub(super) fn of(report: FleetReport) -> Self {
        let mut tally = Self::new(report.policy.worst);
        tally.read = report.read;
        tally.joiners = report.joiners;
        tally.pools = report.pools;
        for RuleCount { rule, severity, failed, undecided, pools } in report.rules {
            tally.rules.insert(rule, RuleTally { severity, failed, undecided, pools });
        }
        report.missing.into_iter().for_each(|count| tally.reasons.put_many(count.reason, count.joiners));
        tally.refusals = report.refusals.into_iter().map(|count| (count.code, count.joiners)).collect();
        report.worst_pools.into_iter().for_each(|row| tally.worst_pools.add(row));
        report.worst_joiners.into_iter().for_each(|row| tally.worst_joiners.add(row));
        report.unreadable.into_iter().for_each(|row| tally.unreadable.add(row));
        tally.heard = report.shard.map(|shard| shard.heard).unwrap_or_default();
        tally.add_keys(report.unknown_keys.keys);
        tally.more_keys = report.unknown_keys.more;
        tally
    }

    /// The report of it.
    pub fn report(mut self, fleet: String, policy: FleetPolicy) -> FleetReport {
        let mut returned = returned(&self.heard);
        self.read.returned = returned.len() as u64;
        returned.truncate(BAD);
        let verdict = self.verdict();
        let count = |(rule, tally): (String, RuleTally)| RuleCount {
            rule,
            severity: tally.severity,
            failed: tally.failed,
            undecided: tally.undecided,
            pools: tally.pools,
        };
        let mut rules: Vec<_> = self.rules.into_iter().map(count).collect();
        rules.sort_by(|a, b| {
            let weight = |rule: &RuleCount| (rule.severity, rule.failed, rule.undecided);
            weight(b).cmp(&weight(a)).then_with(|| a.rule.cmp(&b.rule))
        });
        let mut refusals: Vec<_> =
            self.refusals.into_iter().map(|(code, joiners)| RefusalCount { code, joiners }).collect();
        refusals.sort_by(|a, b| b.joiners.cmp(&a.joiners).then_with(|| a.code.cmp(&b.code)));
        FleetReport {
            format: FORMAT.to_owned(),
            version: VERSION.to_owned(),
            tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")).to_owned(),
            verdict,
            fleet,
            policy,
            read: self.read,
            joiners: self.joiners,
            pools: self.pools,
            rules,
            refusals,
            missing: self
                .reasons
                .into_vec()
                .into_iter()
                .map(|(reason, joiners)| MissingCount { reason, joiners })
                .collect(),
            worst_pools: self.worst_pools.into_vec(),
            worst_joiners: self.worst_joiners.into_vec(),
            unreadable: self.unreadable.into_vec(),
            returned,
            unknown_keys: UnknownKeys { keys: self.keys.into_iter().collect(), more: self.more_keys },
            shard: None,
        }
    }

    /// A host that was not read or not judged is never part of a GO.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        let gaps = self.read.unreadable > 0 || self.read.not_judged > 0 || self.read.returned > 0;
        let gaps = if gaps { Some(Verdict::Undecided) } else { None };
        match (self.joiners.worst(), gaps) {
            (Some(worst), Some(gaps)) => Some(worst.and(gaps)),
            (worst, gaps) => worst.or(gaps),
        }
    }
}
