//! A case of phase eject: one member of a pool, with what its leaving destroys. What rules of that phase read.

use super::case::{Judged, Policy, Side, management_of};
use super::checks::EJECT_CHECKS;
use super::evidence::Sources;
use super::judge::judge;
use super::outcome::{Finding, Verdict};
use super::reading::{self, FactRead};
use super::registry::Registry;
use super::release::{Release, release_of};
use super::rule::Phase;
use super::server::{Prediction, predict};
use crate::eject::{self, EjectFacts};
use crate::facts::{Known, facts};
use crate::snapshot::{Host, Pool};

facts! {
    /// One member that is to leave its pool.
    pub struct EjectCase<'a> as "eject_case" {
        /// The pool with the member.
        pub pool: &'a Pool,
        /// The host that is to leave.
        pub member: &'a Host,
        /// The pool's coordinator.
        pub coordinator: Known<&'a Host>,
        /// What its leaving destroys, and what stays.
        pub eject: EjectFacts,
        /// The member's release, whose checks the server runs.
        pub release: Release,
        /// What the operator asked for.
        pub policy: Policy,
    }
}

impl Judged for EjectCase<'_> {
    fn xapi(&self) -> &Known<String> {
        &self.release.xapi
    }
}

/// What the rules say of a member that is to leave.
#[derive(Clone, Debug)]
pub struct EjectJudgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What each rule said, by rule id.
    pub findings: Vec<Finding>,
    /// What the server would answer; none where there is no server to ask, or its release is unknown.
    pub server: Option<Prediction>,
    /// What is destroyed, and what stays.
    pub facts: EjectFacts,
    /// The member's release, where known.
    pub release: String,
}

/// Judges the leaving of a member, which is one of the pool's hosts (`eject::find_member`).
///
/// ```
/// use poolgate::eject::find_member;
/// use poolgate::rules::{Phase, Policy, Registry, Side, Verdict, judge_eject};
/// use poolgate::snapshot::read_snapshot;
///
/// let target = "fixtures/xcp-ng-8.3-5-hosts.json";
/// let (snapshot, _) = read_snapshot(&std::fs::read(target).unwrap()).unwrap();
/// let pool = Side { target: target.to_owned(), snapshot, assumed: vec![], notes: vec![] };
/// let member = find_member(&pool.snapshot.pool, "xcp-05").unwrap();
/// let rules = Registry::load_for(Phase::Eject, &[]).unwrap();
/// let judged = judge_eject(&pool, member, &rules, &Policy { max_hosts: 16, as_release: None });
/// assert_eq!(judged.verdict, Verdict::NoGo);
/// // What leaving would destroy, by name.
/// for vdi in judged.facts.vdis.each() {
///     println!("{} on {}: {}", vdi.name, vdi.sr, vdi.fate);
/// }
/// ```
pub fn judge_eject(pool: &Side, member: &Host, rules: &Registry, policy: &Policy) -> EjectJudgement {
    let case = derive(&pool.snapshot.pool, member, policy);
    let findings = judge(&case, Sources { pool, joiner: pool }, rules.of(Phase::Eject));
    let asked = case.release.xapi.get().filter(|_| pool.has_server());
    EjectJudgement {
        verdict: Verdict::over(&findings),
        server: asked.map(|xapi| predict(EJECT_CHECKS, &findings, xapi)),
        findings,
        release: case.release.name.text().unwrap_or_default().to_owned(),
        facts: case.eject,
    }
}

/// The facts that the rules read of a member that is to leave.
pub fn read_eject(pool: &Side, member: &Host, rules: &Registry, policy: &Policy) -> Vec<FactRead> {
    reading::read(&derive(&pool.snapshot.pool, member, policy), rules.of(Phase::Eject))
}

/// Derives a case.
pub(super) fn derive<'a>(pool: &'a Pool, member: &'a Host, policy: &Policy) -> EjectCase<'a> {
    let management = management_of(pool, &Known::Yes(member));
    EjectCase {
        pool,
        member,
        coordinator: pool.coordinator_host(),
        eject: eject::derive(pool, member, &management),
        release: release_of(member),
        policy: policy.clone(),
    }
}
