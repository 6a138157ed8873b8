//! Makes a plan of what was judged.

use std::collections::BTreeMap;

use super::predict::Predicted;
use super::{Call, FORMAT, MAJOR, MINOR, Party, Plan, PlanError, PlannedFinding, PlannedPool, Step, changes};
use crate::gate::digest;
use crate::gate::journal::Act;
use crate::gate::lock::file_name;
use crate::rules::{
    EjectJudgement, FactRead, Finding, FixStep, Judgement, Outcome, Policy, Prediction, Side, Verdict, release_name,
    weightiest_first,
};
use crate::snapshot::Host;
use crate::text::shell_word;

/// How the servers were reached and found to be the right ones.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// The pinned certificate's SHA-256; empty on the toolstack's own socket.
    pub fingerprint: String,
}

/// What a plan of joins is made of.
#[derive(Clone, Copy, Debug)]
pub struct JoinPlan<'a> {
    /// The pool.
    pub pool: &'a Side,
    /// How it was reached.
    pub pool_sought: &'a Sought,
    /// The hosts, in order.
    pub joiners: &'a [Side],
    /// How they were reached.
    pub sought: &'a [Sought],
    /// What was judged of each, and the facts that were read.
    pub judged: &'a [(Judgement, Vec<FactRead>)],
    /// What the operator asked for.
    pub policy: &'a Policy,
    /// Digest of the rules.
    pub rules: &'a str,
    /// What is wrong with the waivers.
    pub waivers: &'a [Finding],
    /// The address that the hosts will use for the coordinator, where it is not the coordinator's own.
    pub coordinator_address: Option<&'a str>,
    /// The user of the pool that the hosts log in as.
    pub user: &'a str,
    /// Now.
    pub made_at: &'a str,
}

/// What a plan of an eject is made of.
#[derive(Clone, Copy, Debug)]
pub struct EjectPlan<'a> {
    /// The pool.
    pub pool: &'a Side,
    /// How it was reached.
    pub sought: &'a Sought,
    /// The member.
    pub member: &'a Host,
    /// What was judged.
    pub judged: &'a EjectJudgement,
    /// The facts that were read.
    pub facts: &'a [FactRead],
    /// What the operator asked for.
    pub policy: &'a Policy,
    /// Digest of the rules.
    pub rules: &'a str,
    /// What is wrong with the waivers.
    pub waivers: &'a [Finding],
    /// Now.
    pub made_at: &'a str,
}

/// Makes the plan of joins, one after another.
pub fn join_plan(of: &JoinPlan<'_>) -> Result<Plan, PlanError> {
    let steps: Vec<_> = of
        .joiners
        .iter()
        .zip(of.judged)
        .enumerate()
        .map(|(index, (side, judged))| join_step(of, side, of.sought.get(index), &judged.0, &judged.1, index))
        .collect();
    finish(Act::Join, of.pool, of.pool_sought, of.policy, (of.rules, of.waivers), of.made_at, steps)
}

/// Makes the plan of an eject.
pub fn eject_plan(of: &EjectPlan<'_>) -> Result<Plan, PlanError> {
    let step = eject_step(of);
    finish(Act::Eject, of.pool, of.sought, of.policy, (of.rules, of.waivers), of.made_at, vec![step])
}

fn finish(
    act: Act,
    pool: &Side,
    sought: &Sought,
    policy: &Policy,
    (rules, waivers): (&str, &[Finding]),
    made_at: &str,
    steps: Vec<Step>,
) -> Result<Plan, PlanError> {
    let records = &pool.snapshot.pool;
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        version: format!("{MAJOR}.{MINOR}"),
        tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")).to_owned(),
        made_at: made_at.to_owned(),
        act,
        verdict: steps.iter().fold(Verdict::over(waivers), |verdict, step| verdict.and(step.verdict)),
        pool: PlannedPool {
            name: records.label(),
            uuid: records.uuid.text().unwrap_or_default().to_owned(),
            hosts: records.hosts.get().map(Vec::len),
            release: release_name(pool),
            coordinator: party(pool, records.coordinator_host().get().copied(), Some(sought)),
        },
        max_hosts: policy.max_hosts,
        rules: rules.to_owned(),
        waivers: telling(waivers),
        steps,
        digest: String::new(),
    };
    plan.digest = plan.compute_digest()?;
    Ok(plan)
}

fn party(side: &Side, host: Option<&Host>, sought: Option<&Sought>) -> Party {
    let text = |fact: Option<&str>| fact.unwrap_or_default().to_owned();
    Party {
        name: text(
            host.and_then(|host| host.name_label.text())
                .filter(|name| !name.is_empty())
                .or_else(|| host?.uuid.text()),
        ),
        uuid: text(host.and_then(|host| host.uuid.text())),
        address: text(host.and_then(|host| host.address.text())),
        target: side.target.clone(),
        fingerprint: sought.map(|sought| sought.fingerprint.clone()).unwrap_or_default(),
        snapshot: digest::of_snapshot(&side.snapshot),
        seen: side.seen().to_owned(),
    }
}

fn join_step(
    of: &JoinPlan<'_>,
    side: &Side,
    sought: Option<&Sought>,
    judgement: &Judgement,
    facts: &[FactRead],
    place: usize,
) -> Step {
    let (pool, joiner) = (&of.pool.snapshot.pool, &side.snapshot.pool);
    let host = joiner.coordinator_host();
    let host = party(side, host.get().copied(), sought);
    let own = pool.coordinator_host().get().and_then(|host| host.address.text()).unwrap_or_default().to_owned();
    let coordinator = of.coordinator_address.map_or_else(|| own.clone(), ToOwned::to_owned);
    let mut predicted = Predicted::join(pool, joiner, &judgement.cpu, &judgement.network);
    // The hosts before this one have joined by then.
    predicted.hosts = predicted.hosts.map(|hosts| hosts + place);
    let params = [("master_address", coordinator.clone()), ("master_username", of.user.to_owned())];
    Step {
        verdict: judgement.verdict,
        release: judgement.release.clone(),
        findings: telling(&judgement.findings),
        refusal: first_refusal(judgement.server.as_ref()),
        call: Call {
            method: Act::Join.method().to_owned(),
            server: host.address.clone(),
            params: params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            secret: vec!["master_password".to_owned()],
        },
        changes: changes::join(pool, joiner, judgement, &predicted),
        risks: join_risks(&coordinator, &own, of.user),
        before: vec![dump(pool.uuid.text().unwrap_or_default(), &host.name)],
        by_hand: join_by_hand(&coordinator, of.user),
        undo: join_undo(&host.uuid, pool.uuid.text().unwrap_or_default(), &host.name),
        outcomes: outcomes(&judgement.findings),
        facts: facts.to_vec(),
        predicted,
        host,
    }
}

fn eject_step(of: &EjectPlan<'_>) -> Step {
    let pool = &of.pool.snapshot.pool;
    let host = party(of.pool, Some(of.member), Some(of.sought));
    let predicted = Predicted::eject(pool, of.member, &of.judged.facts.cpu);
    let coordinator = pool.coordinator_host();
    let server = coordinator.get().and_then(|host| host.address.text()).unwrap_or_default().to_owned();
    Step {
        verdict: of.judged.verdict,
        release: of.judged.release.clone(),
        findings: telling(&of.judged.findings),
        refusal: first_refusal(of.judged.server.as_ref()),
        call: Call {
            method: Act::Eject.method().to_owned(),
            server,
            params: BTreeMap::from([("host".to_owned(), host.uuid.clone())]),
            secret: Vec::new(),
        },
        changes: changes::eject(pool, of.member, &of.judged.facts, &predicted),
        risks: vec![
            "Nothing brings back what was on the host's local disks: there is no undo.".to_owned(),
            "The host comes back without its bonds and VLANs. Have its console or its management controller at hand."
                .to_owned(),
        ],
        before: vec![dump(pool.uuid.text().unwrap_or_default(), &host.name)],
        by_hand: vec![
            fix("coordinator", format!("xe host-disable uuid={}", shell_word(&host.uuid)), ""),
            fix(
                "coordinator",
                format!("xe pool-eject host-uuid={}", shell_word(&host.uuid)),
                "xe lists the disks that are lost and asks.",
            ),
        ],
        undo: vec![fix(
            "member",
            String::new(),
            "An eject cannot be undone. The restore script makes the host's network again; then it can join like any other host.",
        )],
        outcomes: outcomes(&of.judged.findings),
        facts: of.facts.to_vec(),
        predicted,
        host,
    }
}

fn telling(findings: &[Finding]) -> Vec<PlannedFinding> {
    let mut findings = findings.to_vec();
    weightiest_first(&mut findings);
    let says = |finding: &Finding| matches!(finding.outcome, Outcome::Fail | Outcome::Unknown);
    findings
        .into_iter()
        .filter(says)
        .map(|finding| PlannedFinding {
            rule: finding.rule,
            severity: finding.severity,
            outcome: finding.outcome,
            message: finding.message,
            waived: finding.waived,
        })
        .collect()
}

fn outcomes(findings: &[Finding]) -> BTreeMap<String, Outcome> {
    findings.iter().map(|finding| (finding.rule.clone(), finding.outcome)).collect()
}

fn first_refusal(server: Option<&Prediction>) -> Option<crate::rules::Refusal> {
    server.and_then(|server| server.first.clone())
}

fn fix(place: &str, run: String, note: &str) -> FixStep {
    FixStep { place: place.to_owned(), run, note: note.to_owned(), loses: String::new() }
}

/// The pool's database as a file, whose name holds nothing that a shell could read as more.
fn dump_name(pool: &str, host: &str) -> String {
    format!("/root/pool-{}-before-{}.db", file_name(pool), file_name(host))
}

fn dump(pool: &str, host: &str) -> FixStep {
    fix(
        "coordinator",
        format!("xe pool-dump-database file-name={}", dump_name(pool, host)),
        "Keep the file off the host: it holds the whole database.",
    )
}

fn join_by_hand(coordinator: &str, user: &str) -> Vec<FixStep> {
    let run = format!(
        "read -rs PW; xe pool-join master-address={} master-username={} master-password=\"$PW\"; unset PW",
        shell_word(coordinator),
        shell_word(user)
    );
    vec![fix("joiner", run, "Type the password of the pool. Without --force: force skips checks and mends nothing.")]
}

fn join_undo(host: &str, pool: &str, name: &str) -> Vec<FixStep> {
    let mut eject = fix(
        "coordinator",
        format!("xe pool-eject host-uuid={}", shell_word(host)),
        "Before the call nothing is changed and nothing is to be undone. The host keeps the pool's root password.",
    );
    eject.loses = "everything on the host's local disks, and its bonds and VLANs".to_owned();
    let mut restore = fix(
        "coordinator",
        format!("xe pool-restore-database file-name={} dry-run=true", dump_name(pool, name)),
        "Only if the pool's database itself is damaged; without dry-run=true it replaces the database and restarts the hosts.",
    );
    restore.loses = "every change of the pool since the dump".to_owned();
    vec![eject, restore]
}

fn join_risks(coordinator: &str, own: &str, user: &str) -> Vec<String> {
    let mut risks = vec![format!(
        "The host sends {user}'s password of the pool to {coordinator} over a first connection whose certificate it does not verify. Both certificates are pinned here, and that does not protect the host's own connection: join over the management network, and change the password afterwards where others may be on that network."
    )];
    if coordinator != own {
        risks.push(format!("--coordinator-address: the coordinator's own address is {own}, and the host will use {coordinator}. Make sure that it is the same server."));
    }
    risks.push("Where the call fails half-way the server does not undo what it did: certificates that were exchanged stay on both sides.".to_owned());
    risks
}
