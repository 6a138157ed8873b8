//! A run: several joiners as a sequence, each judged against the pool as the earlier ones leave it.

use std::borrow::Cow;

use super::case::{Case, Judged as _, Policy, Seen, Side, derive, derive_some};
use super::checks::CHECKS;
use super::derived::{Setting, SharedSr};
use super::evidence::Sources;
use super::judge::{Decided, decide, finding_of, judge};
use super::outcome::{Finding, Refusal, ServerAnswer, Verdict};
use super::reading::{self, FactRead};
use super::recall::Mentions;
use super::registry::Registry;
use super::release::release_of;
use super::rule::{Phase, Rule};
use super::server::{Existing, Prediction, predict, predict_from};
use crate::cpu::{CpuFacts, WORDS};
use crate::facts::{Featureset, Known};
use crate::network::{NetworkFacts, RepairFacts};
use crate::snapshot::Pool;

/// What the rules say of one joiner.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What each rule said, by rule id.
    pub findings: Vec<Finding>,
    /// What the server would answer; none where there is no server to ask, or its release is unknown.
    pub server: Option<Prediction>,
    /// What the join does to the CPU level.
    pub cpu: CpuFacts,
    /// Where the joiner's network will land.
    pub network: NetworkFacts,
    /// The pool's shared storage, which must admit the joiner.
    pub storage: Known<Vec<SharedSr>>,
    /// Features of the pool's licence that the joiner's takes from it.
    pub features_lost: Known<Vec<String>>,
    /// Settings of the joiner that the join loses or replaces.
    pub settings: Known<Vec<Setting>>,
    /// The joiner's release, where known.
    pub release: String,
}

/// Judges joiners in their order. One that must not join does not change the pool for those after it; one that may, or
/// that is undecided, does.
///
/// ```
/// use poolgate::rules::{Phase, Policy, Registry, Side, Verdict, judge_sequence};
/// use poolgate::snapshot::read_snapshot;
///
/// let side = |target: &str| {
///     let (snapshot, _) = read_snapshot(&std::fs::read(target).unwrap()).unwrap();
///     Side { target: target.to_owned(), snapshot, assumed: vec![], notes: vec![] }
/// };
/// let pool = side("fixtures/xcp-ng-8.3-5-hosts.json");
/// let joiners = [side("fixtures/candidate-good.json"), side("fixtures/candidate-twin.json")];
/// let rules = Registry::load_for(Phase::Join, &[]).unwrap();
/// let of = |max_hosts| {
///     let policy = Policy { max_hosts, as_release: None };
///     judge_sequence(&pool, &joiners, &rules, Phase::Join, &policy).iter().map(|one| one.verdict).collect::<Vec<_>>()
/// };
/// assert_eq!(of(16), [Verdict::Go, Verdict::Go]);
/// // The pool has five hosts: there is room for the first alone.
/// assert_eq!(of(6), [Verdict::Go, Verdict::NoGo]);
/// ```
pub fn judge_sequence(
    pool: &Side,
    joiners: &[Side],
    rules: &Registry,
    phase: Phase,
    policy: &Policy,
) -> Vec<Judgement> {
    judge_sequence_with(pool, joiners, rules, phase, policy, |_, _, _| {})
}

/// The same, with a last word on each joiner's findings before its verdict is taken: waivers. `settle` gets the joiner's
/// index, its release (empty when unknown) and its findings.
pub fn judge_sequence_with(
    pool: &Side,
    joiners: &[Side],
    rules: &Registry,
    phase: Phase,
    policy: &Policy,
    settle: impl FnMut(usize, &str, &mut [Finding]),
) -> Vec<Judgement> {
    let judged = judge_each(pool, joiners, rules, phase, policy, settle, |_| ());
    judged.into_iter().map(|(judgement, ())| judgement).collect()
}

/// The same with the facts that the rules of the phase read of each joiner's case, and nothing waived.
pub fn read_sequence(
    pool: &Side,
    joiners: &[Side],
    rules: &Registry,
    phase: Phase,
    policy: &Policy,
) -> Vec<(Judgement, Vec<FactRead>)> {
    read_sequence_with(pool, joiners, rules, phase, policy, |_, _, _| {})
}

/// The same with a last word on each joiner's findings, as [`judge_sequence_with`] has it.
pub fn read_sequence_with(
    pool: &Side,
    joiners: &[Side],
    rules: &Registry,
    phase: Phase,
    policy: &Policy,
    settle: impl FnMut(usize, &str, &mut [Finding]),
) -> Vec<(Judgement, Vec<FactRead>)> {
    judge_each(pool, joiners, rules, phase, policy, settle, |case| reading::read(case, rules.of(phase)))
}

fn judge_each<T>(
    pool: &Side,
    joiners: &[Side],
    rules: &Registry,
    phase: Phase,
    policy: &Policy,
    mut settle: impl FnMut(usize, &str, &mut [Finding]),
    also: impl Fn(&Case<'_>) -> T,
) -> Vec<(Judgement, T)> {
    let mut now = Cow::Borrowed(&pool.snapshot.pool);
    let mut judgements = Vec::with_capacity(joiners.len());
    for (index, joiner) in joiners.iter().enumerate() {
        let place = i64::try_from(index + 1).unwrap_or(i64::MAX);
        let case = derive(&now, &joiner.snapshot.pool, policy, place, Seen::of(pool, joiner));
        let mut findings = judge(&case, Sources { pool, joiner }, rules.of(phase));
        let release = case.release.name.text().unwrap_or_default().to_owned();
        settle(index, &release, &mut findings);
        let verdict = Verdict::over(&findings);
        let asked = case.release.xapi.get().filter(|_| joiner.has_server());
        let server = asked.map(|xapi| predict(CHECKS, &findings, xapi));
        let more = also(&case);
        let mut network = case.network;
        if findings.iter().any(|finding| finding.sole) {
            // What would mend the network of a host that joins nothing changes somebody else's.
            network.repair = RepairFacts { before: Vec::new(), after: Vec::new() };
        }
        let judgement = Judgement {
            verdict,
            findings,
            server,
            release,
            cpu: case.cpu,
            network,
            storage: case.silent.shared_srs,
            features_lost: case.silent.features_lost,
            settings: case.silent.settings,
        };
        if verdict != Verdict::NoGo && index + 1 < joiners.len() {
            let mut next = now.admit(&joiner.snapshot.pool);
            relevel(&mut next, &judgement.cpu);
            now = Cow::Owned(next);
        }
        judgements.push((judgement, more));
    }
    judgements
}

/// The rules of a phase, made ready to be asked of many joiners.
#[derive(Debug)]
pub struct Asked<'r> {
    rules: Vec<&'r Rule>,
    /// Whether a rule decides by what usually only messages speak of.
    words: bool,
    mentions: Mentions,
}

/// What the rules say of one joiner of many: outcomes at once, the rest where it is asked for.
pub struct Joined<'c> {
    /// Its place among the joiners, from 0.
    pub index: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// What each rule said, in the order of [`Asked::rules`].
    pub decided: &'c [Decided],
    rules: &'c [&'c Rule],
    sources: Sources<'c>,
    /// The checks that the server would make; none where there is no server to ask, or its release is unknown.
    asked: Option<&'c Existing>,
    now: &'c Pool,
    policy: &'c Policy,
}

impl Joined<'_> {
    /// All that rules say, by their places.
    pub fn findings(&self, rules: &[usize]) -> Vec<Finding> {
        if rules.is_empty() {
            return Vec::new();
        }
        // Messages speak of more than what decides.
        let place = i64::try_from(self.index + 1).unwrap_or(i64::MAX);
        let Sources { pool, joiner } = self.sources;
        let case = derive(self.now, &joiner.snapshot.pool, self.policy, place, Seen::of(pool, joiner));
        let values = case.values();
        rules.iter().map(|rule| finding_of(self.rules[*rule], &case, self.sources, &values)).collect()
    }

    /// The joiner.
    pub fn joiner(&self) -> &Pool {
        &self.sources.joiner.snapshot.pool
    }

    /// What the server would answer; none where there is no server to ask, or its release is unknown.
    pub fn server(&self) -> Option<Prediction> {
        let answers = self.decided.iter().filter_map(|decided| decided.server.as_ref());
        self.asked.map(|existing| predict_from(CHECKS, answers, existing.xapi()))
    }

    /// The first refusal of it.
    pub fn first_refusal(&self) -> Option<&Refusal> {
        let answers = self.rules.iter().zip(self.decided).filter_map(|(rule, decided)| answer_at(rule, decided));
        self.asked?.first_refusal(answers)
    }
}

/// The place and part of a rule's check in the server's order, and its answer.
fn answer_at<'d>(rule: &Rule, decided: &'d Decided) -> Option<(usize, u32, &'d ServerAnswer)> {
    let (_, part, answer) = decided.server.as_ref()?;
    Some((rule.server.as_ref()?.place, *part, answer))
}

impl<'r> Asked<'r> {
    /// The rules of a phase, by id.
    pub fn new(rules: &'r Registry, phase: Phase) -> Self {
        let rules: Vec<_> = rules.of(phase).collect();
        let worded = |fact: &str| {
            let fact = fact.strip_prefix("cpu.").and_then(|rest| rest.split(['.', '[']).next());
            fact.is_some_and(|fact| WORDS.contains(&fact))
        };
        let words = rules.iter().any(|rule| rule.deciding_facts().iter().any(|fact| worded(fact)));
        let mentions = Mentions::of(&rules);
        Self { rules, words, mentions }
    }

    /// The rules in the order in which they are asked.
    pub fn rules(&self) -> &[&'r Rule] {
        &self.rules
    }

    /// Judges joiners in their order, as [`judge_sequence`] does, and hands over each as it is judged.
    pub fn judge(&self, mut pool: Side, joiners: Vec<Side>, policy: &Policy, mut each: impl FnMut(&Joined<'_>)) {
        let mut now = std::mem::take(&mut pool.snapshot.pool);
        let mut looked_up: Option<Existing> = None;
        let mut recall = self.mentions.recall();
        let last = joiners.len().saturating_sub(1);
        for (index, joiner) in joiners.into_iter().enumerate() {
            let place = i64::try_from(index + 1).unwrap_or(i64::MAX);
            let seen = Seen::of(&pool, &joiner);
            let case = derive_some(&now, &joiner.snapshot.pool, policy, place, seen, self.words);
            let sources = Sources { pool: &pool, joiner: &joiner };
            let values = case.values();
            if let Some(xapi) = case.release.xapi.text()
                && looked_up.as_ref().is_none_or(|existing| existing.xapi() != xapi)
            {
                looked_up = Some(Existing::of(CHECKS, xapi));
            }
            let existing = looked_up.as_ref().filter(|_| case.release.xapi.get().is_some());
            let ask = |rule: usize| decide(self.rules[rule], &case, sources, &values, existing);
            let decided = recall.decide(&values, ask);
            let weights = self.rules.iter().zip(decided).map(|(rule, decided)| (rule.severity, decided.outcome));
            let verdict = Verdict::weigh(weights);
            let asked = existing.filter(|_| joiner.has_server());
            each(&Joined { index, verdict, decided, rules: &self.rules, sources, asked, now: &now, policy });
            if verdict != Verdict::NoGo && index < last {
                let cpu = case.cpu;
                now.take_in(joiner.snapshot.pool);
                relevel(&mut now, &cpu);
            }
        }
    }
}

/// The release line of a side's coordinator, for headings; empty when unknown.
pub fn release_name(side: &Side) -> String {
    match side.snapshot.pool.coordinator_host() {
        Known::Yes(host) => release_of(host).name.text().unwrap_or_default().to_owned(),
        Known::No(_) => String::new(),
    }
}

/// What `pool.cpu_info` will say after the join, in the keys that it has; older pools have none.
fn relevel(pool: &mut Pool, facts: &CpuFacts) {
    let Known::Yes(cpu) = &mut pool.cpu_info else { return };
    // The server's fold over the hosts keeps the vendor that it saw last.
    cpu.vendor.clone_from(&facts.joiner_vendor);
    let tells_both = cpu.features_hvm_host.get().is_some() || cpu.features_pv_host.get().is_some();
    let change = |set: &mut Known<Featureset>, level: &Known<Featureset>| {
        if set.get().is_some() {
            set.clone_from(level);
        }
    };
    change(&mut cpu.features_hvm_host, &facts.level_after_hvm);
    change(&mut cpu.features_pv_host, &facts.level_after_pv);
    change(&mut cpu.features_hvm, if tells_both { &facts.level_after_hvm_max } else { &facts.level_after_hvm });
    change(&mut cpu.features_pv, if tells_both { &facts.level_after_pv_max } else { &facts.level_after_pv });
}
