//! Judges the pools of a fleet, each pool's further hosts as joiners to its first, and counts what comes out.

use super::returns::heard;
use super::row::{BadLine, FailedRule, FleetLine, JoinerRow, PoolRow, ServerRow, UndecidedRule, Unjudged, Weight};
use super::tally::{RuleTally, Tally};
use super::{FleetPolicy, VerdictCounts};
use crate::collect::{Block, Collected, FleetHost, FleetPool, Found, Said, read_block};
use crate::cpu::releases::Product;
use crate::rules::assume::assume;
use crate::rules::{Asked, Joined, Outcome, Phase, Policy, Registry, Severity, Side, Verdict};
use crate::snapshot::Pool;

/// What is asked of a fleet.
#[derive(Debug)]
pub struct FleetJudge<'r> {
    /// The fleet's name, as lines are called by: `NAME:17`.
    fleet: String,
    asked: Asked<'r>,
    policy: Policy,
    product: Option<&'static Product>,
    worst: usize,
    rows: bool,
}

/// What is wanted beside the summary.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How many of the worst pools and joiners.
    pub worst: usize,
    /// Whether a line for each host.
    pub rows: bool,
}

impl<'r> FleetJudge<'r> {
    /// A judge for joins. `product` is what candidates without the product are judged as.
    pub fn new(
        fleet: String,
        rules: &'r Registry,
        policy: Policy,
        product: Option<&'static Product>,
        wanted: Wanted,
    ) -> Self {
        let Wanted { worst, rows } = wanted;
        Self { fleet, asked: Asked::new(rules, Phase::Join), policy, product, worst, rows }
    }

    /// One who judges blocks, one after another; several may work side by side.
    pub fn worker(&self) -> Worker<'_> {
        let none = |severity| RuleTally { severity, failed: 0, undecided: 0, pools: 0 };
        let rules = self.asked.rules().iter().map(|rule| none(rule.severity)).collect();
        Worker { judge: self, tally: Tally::new(self.worst), rules, rows: Vec::new(), last: [None; 2] }
    }

    /// What the report says of what was asked.
    pub fn policy(&self) -> FleetPolicy {
        FleetPolicy {
            max_hosts: self.policy.max_hosts,
            as_release: self.policy.as_release.clone(),
            worst: self.worst,
        }
    }
}

/// Judges blocks.
#[derive(Debug)]
pub struct Worker<'j> {
    judge: &'j FleetJudge<'j>,
    tally: Tally,
    /// By the place of each rule.
    rules: Vec<RuleTally>,
    /// Lines of the report by the lines that they are about.
    rows: Vec<(usize, String)>,
    /// What the pool before was recognised by: what others may be too, and what it is itself.
    last: [Option<u64>; 2],
}

impl Worker<'_> {
    /// Judges a block. Gives the lines of the report about it, where these are wanted.
    pub fn judge(&mut self, block: &Block) -> String {
        read_block(&self.judge.fleet, block, |found| match found {
            Found::Unreadable(line, error) => self.bad(BadLine { line, message: error.to_string() }),
            Found::Pool(pool) => self.pool(pool),
        });
        self.rows.sort_by_key(|(line, _)| *line);
        self.rows.drain(..).map(|(_, row)| row).collect()
    }

    /// What all blocks came to.
    pub fn finish(mut self) -> Tally {
        for (rule, tally) in self.judge.asked.rules().iter().zip(self.rules) {
            if tally.pools > 0 {
                self.tally.rules.insert(rule.id.clone(), tally);
            }
        }
        self.tally
    }

    fn row(&mut self, line: usize, row: &FleetLine) {
        if self.judge.rows {
            self.rows.push((line, row.to_json()));
        }
    }

    fn bad(&mut self, line: BadLine) {
        self.row(line.line, &FleetLine::Unreadable(line.clone()));
        self.tally.add_bad(line);
    }

    fn pool(&mut self, pool: FleetPool) {
        let FleetPool { line, said, doubtful, first, others } = pool;
        self.hear(&said, line, doubtful);
        self.tally.read.lines += u64::from(first.is_some()) + others.len() as u64;
        let Some(first) = first else { return self.headless(line, others) };
        self.tally.read.pools += 1;
        let first = self.side(first);
        let name = first.snapshot.pool.label();
        let coordinator = host_of(&first.snapshot.pool);
        let (host, uuid) = coordinator.clone();
        self.row(line, &FleetLine::First(Unjudged { line, name: host, uuid, pool: name.clone() }));
        if others.is_empty() {
            self.tally.read.alone += 1;
            return;
        }
        self.tally.read.doubtful += u64::from(doubtful);
        let lines: Vec<_> = others.iter().map(|host| host.line).collect();
        let others: Vec<_> = others.into_iter().map(|host| self.side(host)).collect();
        let mut counts = VerdictCounts::default();
        let mut touched = vec![false; self.rules.len()];
        let about = About { pool: &name, pool_line: line, doubtful };
        let (asked, policy) = (&self.judge.asked, &self.judge.policy);
        asked.judge(first, others, policy, |joined| {
            let (line, verdict) = (lines[joined.index], about.verdict(joined.verdict));
            counts.add(verdict);
            let weight = self.count(joined, &mut touched);
            if self.judge.rows {
                let row = self.joiner(joined, about, line);
                self.row(line, &FleetLine::Joiner(row.clone()));
                self.worst(row);
            } else if verdict != Verdict::Go && self.tally.worst_joiners.takes(&weight.rank(verdict, line)) {
                let row = self.joiner(joined, about, line);
                self.worst(row);
            }
        });
        for (rule, touched) in self.rules.iter_mut().zip(touched) {
            rule.pools += u64::from(touched);
        }
        self.tally.joiners.join(counts);
        if let Some(verdict) = counts.worst() {
            self.tally.pools.add(verdict);
            if verdict != Verdict::Go {
                let (coordinator, _) = coordinator;
                self.tally.worst_pools.add(PoolRow { line, name, coordinator, verdict, joiners: counts });
            }
        }
    }

    /// Notes by what a pool is recognised. Lines that cannot be read in its midst do not make two of it, nor is what its
    /// neighbours share noted for each of them.
    fn hear(&mut self, said: &Said, line: usize, doubtful: bool) {
        for one in heard(said, line) {
            let last = &mut self.last[usize::from(one.own)];
            if last.replace(one.name) != Some(one.name) || one.own && !doubtful {
                self.tally.heard.push(one);
            }
        }
    }

    fn worst(&mut self, row: JoinerRow) {
        if row.verdict != Verdict::Go {
            self.tally.worst_joiners.add(row);
        }
    }

    /// Joiners to a host that cannot be read.
    fn headless(&mut self, line: usize, others: Vec<FleetHost>) {
        self.tally.read.not_judged += others.len() as u64;
        for host in others {
            let at = host.line;
            let (name, uuid) = host_of(&host.collected.snapshot.pool);
            let pool = format!("that of line {line}");
            self.row(at, &FleetLine::NotJudged(Unjudged { line: at, name, uuid, pool }));
        }
    }

    fn side(&mut self, host: FleetHost) -> Side {
        let Collected { mut snapshot, strangers, notes } = *host.collected;
        if !strangers.is_empty() {
            self.tally.add_keys(strangers);
        }
        let assumed = self.judge.product.map(|product| assume(&mut snapshot, product)).unwrap_or_default();
        Side { target: format!("{}:{}", self.judge.fleet, host.line), snapshot, assumed: assumed.paths, notes }
    }

    fn count(&mut self, joined: &Joined<'_>, touched: &mut [bool]) -> Weight {
        let mut weight = Weight::default();
        self.tally.reasons.next_joiner();
        let named = self.judge.asked.rules();
        for (at, ((decided, rule), touched)) in joined.decided.iter().zip(&mut self.rules).zip(touched).enumerate() {
            match decided.outcome {
                Outcome::Pass | Outcome::NotApplicable => continue,
                Outcome::Fail => rule.failed += 1,
                Outcome::Unknown => {
                    rule.undecided += 1;
                    if let (Severity::Blocker, Some(unknown)) = (rule.severity, &decided.unknown) {
                        self.tally.reasons.add(unknown, &named[at].id);
                    }
                }
            }
            *touched = true;
            weight.add(rule.severity, decided.outcome);
        }
        if let Some(refusal) = joined.first_refusal() {
            match self.tally.refusals.get_mut(&refusal.code) {
                Some(count) => *count += 1,
                None => drop(self.tally.refusals.insert(refusal.code.clone(), 1)),
            }
        }
        weight
    }

    /// All that is said of a joiner.
    fn joiner(&self, joined: &Joined<'_>, about: About<'_>, line: usize) -> JoinerRow {
        let rules = self.judge.asked.rules();
        let of = |wanted: Outcome| {
            let mut found: Vec<_> = (0..rules.len()).filter(|at| joined.decided[*at].outcome == wanted).collect();
            found.sort_by_key(|at| (std::cmp::Reverse(rules[*at].severity), *at));
            found
        };
        let failed = joined.findings(&of(Outcome::Fail)).into_iter().map(|finding| FailedRule {
            rule: finding.rule,
            severity: finding.severity,
            message: finding.message,
        });
        let undecided = |at: usize| UndecidedRule { rule: rules[at].id.clone(), severity: rules[at].severity };
        let (name, uuid) = host_of(joined.joiner());
        JoinerRow {
            line,
            name,
            uuid,
            pool: about.pool.to_owned(),
            pool_line: about.pool_line,
            verdict: about.verdict(joined.verdict),
            doubtful: about.doubtful,
            server: joined.server().map(|server| ServerRow {
                first: server.first,
                undecided: server.undecided.iter().map(|check| (*check).to_owned()).collect(),
            }),
            failed: failed.collect(),
            undecided: of(Outcome::Unknown).into_iter().map(undecided).collect(),
        }
    }
}

/// The pool that joiners are judged against.
#[derive(Clone, Copy)]
struct About<'a> {
    pool: &'a str,
    pool_line: usize,
    doubtful: bool,
}

impl About<'_> {
    /// Where another host may be the pool's first, nothing is a GO.
    fn verdict(&self, verdict: Verdict) -> Verdict {
        if self.doubtful { verdict.and(Verdict::Undecided) } else { verdict }
    }
}

/// The name and uuid of the host that a line is about; empty where they are unknown.
fn host_of(pool: &Pool) -> (String, String) {
    let host = pool.coordinator_host();
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let host = host.get();
    (text(host.and_then(|host| host.name_label.text())), text(host.and_then(|host| host.uuid.text())))
}
