//! `poolgate check`: may these hosts join, in this order? What would a member's leaving destroy?

use std::panic::resume_unwind;
use std::thread;

use super::Exit;
use super::args::{Check, CheckPhase, ReportFormat};
use super::error::CliError;
use super::fleets;
use super::output::emit;
use super::quote;
use super::rules::load_for;
use super::targets::collect_sides;
use super::waivers::RunWaivers;
use crate::eject::find_member;
use crate::report::{self, JoinerReport, MemberReport, Pictures, PoolSummary, Report, TableOptions, WaiverReport};
use crate::rules::{
    EjectJudgement, Finding, Judgement, Ledger, Phase, Policy, Registry, Side, Subject, Verdict, judge_eject,
    judge_sequence_with, release_name, weightiest_first,
};
use crate::snapshot::Host;

pub(super) fn run(args: &Check) -> Result<Exit, CliError> {
    let usage = |message: &str| Err(CliError::Usage(message.to_owned()));
    if let Some(fleet) = &args.fleet.file {
        return fleets::check(args, fleet);
    }
    if !args.quote.is_empty() {
        return quote::run_check(args);
    }
    match (args.phase, &args.member) {
        (CheckPhase::Eject, _) if !args.host.is_empty() => {
            usage("--host is a joiner, and --phase eject has none; name the host that is to leave with --member")
        }
        (CheckPhase::Eject, _) if args.as_release.is_some() => {
            usage("--as-release is for joiners without the product; a member of a pool has it")
        }
        (CheckPhase::Eject, Some(member)) => run_eject(args, member),
        (CheckPhase::Eject, None) => {
            usage("--phase eject needs --member, the name or uuid of the host that is to leave")
        }
        (CheckPhase::Join, Some(_)) => usage("--member is the host that is to leave; say --phase eject with it"),
        (CheckPhase::Join, None) if args.host.is_empty() => {
            usage("--phase join needs --host, a host that is to join")
        }
        (CheckPhase::Join, None) => run_join(args),
    }
}

fn run_eject(args: &Check, wanted: &str) -> Result<Exit, CliError> {
    let rules = load_for(Phase::Eject, &args.rules.folders)?;
    let pool = collect_sides(std::slice::from_ref(&args.pool), None, &args.live)?;
    let Some(pool) = pool.into_iter().next() else {
        return Err(CliError::Usage("no pool".to_owned()));
    };
    let policy = Policy { max_hosts: args.max_hosts, as_release: None };
    let member = find_member(&pool.snapshot.pool, wanted)?;
    let waivers = RunWaivers::load(&args.waivers, &rules)?;
    let mut ledger = waivers.ledger();
    let mut judgement = judge_eject(&pool, member, &rules, &policy);
    settle_member(&mut ledger, &pool, member, &rules, &mut judgement);
    let report = eject_report(&pool, member, judgement, policy, waivers.report(&ledger));
    print(args, &report, || Pictures::new(&pool.snapshot.pool, []))?;
    let exit = Exit::of(report.verdict, args.fail_on);
    std::mem::forget((pool, report, rules));
    Ok(exit)
}

fn run_join(args: &Check) -> Result<Exit, CliError> {
    let as_release = args.as_release.as_deref();
    // The rules load while the targets are read: each takes a good part of the run. A pool of bare machines can be
    // judged too: one that is still to be built.
    let (rules, sides) = beside(
        || load_for(Phase::Join, &args.rules.folders),
        || {
            let words: Vec<_> = std::iter::once(&args.pool).chain(&args.host).cloned().collect();
            collect_sides(&words, as_release, &args.live)
        },
    );
    let rules = rules?;
    let mut sides = sides?.into_iter();
    let pool = sides.next();
    let mut joiners: Vec<_> = sides.collect();
    for joiner in joiners.iter_mut().filter(|joiner| args.as_release.is_some() && joiner.assumed.is_empty()) {
        joiner.notes.push("runs the product already: --as-release changes nothing for it".to_owned());
    }
    let policy = Policy { max_hosts: args.max_hosts, as_release: args.as_release.clone() };
    let Some(pool) = pool else {
        return Err(CliError::Usage("no pool".to_owned()));
    };
    note_swapped(&pool, &mut joiners);
    let judged = judge(args, &pool, &joiners, &rules, Phase::Join, &policy)?;
    let exit = finish(args, &pool, &joiners, judged, policy)?;
    // The process ends here: taking the model apart piece by piece would cost a tenth of the run.
    std::mem::forget((pool, joiners, rules));
    Ok(exit)
}

/// Where the sides look as if they were named the wrong way round, their joiner says so: the rules alone would tell how a
/// pool is taken apart.
pub(super) fn note_swapped(pool: &Side, joiners: &mut [Side]) {
    let count = |side: &Side| side.snapshot.pool.hosts.get().map_or(0, Vec::len);
    if count(pool) != 1 {
        return;
    }
    for joiner in joiners {
        let hosts = count(joiner);
        if hosts > 1 {
            joiner.notes.insert(
                0,
                format!(
                    "--host names a pool of {hosts} hosts, and --pool a single one: are they the wrong way round?"
                ),
            );
        }
    }
}

/// What a phase's rules say of joiners, waivers settled.
pub(super) struct Judged {
    pub(super) judgements: Vec<Judgement>,
    waivers: Option<WaiverReport>,
}

/// Judges joiners one after another, and settles what is waived.
pub(super) fn judge(
    args: &Check,
    pool: &Side,
    joiners: &[Side],
    rules: &Registry,
    phase: Phase,
    policy: &Policy,
) -> Result<Judged, CliError> {
    let waivers = RunWaivers::load(&args.waivers, rules)?;
    let mut ledger = waivers.ledger();
    let judgements = judge_sequence_with(pool, joiners, rules, phase, policy, |index, release, findings| {
        settle_joiner(&mut ledger, pool, (index, &joiners[index]), release, rules, findings);
    });
    Ok(Judged { judgements, waivers: waivers.report(&ledger) })
}

/// Settles the findings on a joiner, who has its place in the run, from 0.
pub(super) fn settle_joiner(
    ledger: &mut Ledger<'_>,
    pool: &Side,
    (place, joiner): (usize, &Side),
    release: &str,
    rules: &Registry,
    findings: &mut [Finding],
) {
    let host = joiner.snapshot.pool.coordinator_host();
    let name = host.get().and_then(|host| host.name_label.text()).unwrap_or(&joiner.target);
    let (pool, release_known) = (&pool.snapshot.pool, !release.is_empty());
    let subject = Subject { pool, host: host.get().copied(), name, release_known, after_others: place > 0 };
    ledger.settle(subject, rules, findings);
}

/// Settles the findings on a member that is to leave.
pub(super) fn settle_member(
    ledger: &mut Ledger<'_>,
    pool: &Side,
    member: &Host,
    rules: &Registry,
    judgement: &mut EjectJudgement,
) {
    let name = member.name_label.text().or_else(|| member.uuid.text()).unwrap_or_default();
    let (pool, release_known) = (&pool.snapshot.pool, !judgement.release.is_empty());
    let subject = Subject { pool, host: Some(member), name, release_known, after_others: false };
    ledger.settle(subject, rules, &mut judgement.findings);
    judgement.verdict = Verdict::over(&judgement.findings);
}

/// Prints the report of a judgement, and says how the process ends.
pub(super) fn finish(
    args: &Check,
    pool: &Side,
    joiners: &[Side],
    judged: Judged,
    policy: Policy,
) -> Result<Exit, CliError> {
    let report = report_of(pool, joiners, judged.judgements, policy, judged.waivers);
    print(args, &report, || Pictures::new(&pool.snapshot.pool, joiners.iter().map(|joiner| &joiner.snapshot.pool)))?;
    let exit = Exit::of(report.verdict, args.fail_on);
    std::mem::forget(report);
    Ok(exit)
}

/// Does two things at once: the first in a thread of its own.
fn beside<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        match first.join() {
            Ok(first) => (first, second),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// Writes the report. `pictures` are made only for a page that shows them.
fn print(args: &Check, report: &Report, pictures: impl Fn() -> Pictures) -> Result<(), CliError> {
    emit(&args.output, |style| match style.format {
        ReportFormat::Json => report::to_json(report, args.all),
        ReportFormat::Ndjson => report::to_ndjson(report, args.all),
        ReportFormat::Sarif => report::to_sarif(report, args.all),
        ReportFormat::Junit => report::to_junit(report, args.fail_on.is_some()),
        ReportFormat::Markdown => report::to_markdown(report, args.all),
        ReportFormat::Html => report::to_html(report, &pictures(), args.all),
        ReportFormat::Github => report::to_github(report),
        ReportFormat::Gitlab => report::to_gitlab(report),
        ReportFormat::Table => report::to_table(
            report,
            TableOptions { width: style.width, color: style.color, all: args.all, quiet: args.quiet },
        ),
    })
}

/// What is wrong with waivers is worth a warning, never more: what they do not cover counts by itself.
fn over_waivers(waivers: Option<&WaiverReport>) -> Verdict {
    waivers.map_or(Verdict::Go, |waivers| Verdict::over(&waivers.findings))
}

/// The report on joiners.
pub(super) fn report_of(
    pool: &Side,
    joiners: &[Side],
    judgements: Vec<Judgement>,
    policy: Policy,
    waivers: Option<WaiverReport>,
) -> Report {
    let verdict = judgements.iter().fold(Verdict::Go, |verdict, judgement| verdict.and(judgement.verdict));
    let joiners = joiners.iter().zip(judgements).map(|(side, judgement)| joiner_of(side, judgement)).collect();
    let verdict = verdict.and(over_waivers(waivers.as_ref()));
    Report { verdict, pool: pool_of(pool), policy, joiners, member: None, waivers }
}

/// The report on a member that is to leave.
pub(super) fn eject_report(
    pool: &Side,
    member: &Host,
    judgement: EjectJudgement,
    policy: Policy,
    waivers: Option<WaiverReport>,
) -> Report {
    Report {
        verdict: judgement.verdict.and(over_waivers(waivers.as_ref())),
        pool: pool_of(pool),
        policy,
        joiners: Vec::new(),
        member: Some(Box::new(member_of(member, judgement))),
        waivers,
    }
}

fn pool_of(pool: &Side) -> PoolSummary {
    let snapshot = &pool.snapshot.pool;
    PoolSummary {
        name: snapshot.label(),
        uuid: snapshot.uuid.text().unwrap_or_default().to_owned(),
        hosts: snapshot.hosts.get().map(Vec::len),
        release: release_name(pool),
        address: snapshot
            .coordinator_host()
            .get()
            .and_then(|host| host.address.text())
            .unwrap_or_default()
            .to_owned(),
        target: pool.target.clone(),
        seen: pool.seen().to_owned(),
        notes: pool.notes.clone(),
    }
}

fn member_of(host: &Host, judgement: EjectJudgement) -> MemberReport {
    let mut findings = judgement.findings;
    weightiest_first(&mut findings);
    let uuid = host.uuid.text().unwrap_or_default();
    MemberReport {
        name: host.name_label.text().filter(|name| !name.is_empty()).unwrap_or(uuid).to_owned(),
        uuid: uuid.to_owned(),
        release: judgement.release,
        verdict: judgement.verdict,
        server: judgement.server,
        facts: judgement.facts,
        findings,
    }
}

fn joiner_of(side: &Side, judgement: Judgement) -> JoinerReport {
    let host = side.snapshot.pool.coordinator_host();
    let text = |field: Option<&str>| field.unwrap_or_default().to_owned();
    let name = host.get().and_then(|host| host.name_label.text()).filter(|name| !name.is_empty());
    let mut findings = judgement.findings;
    weightiest_first(&mut findings);
    JoinerReport {
        name: name.unwrap_or(&side.target).to_owned(),
        uuid: text(host.get().and_then(|host| host.uuid.text())),
        target: side.target.clone(),
        seen: side.seen().to_owned(),
        release: judgement.release,
        verdict: judgement.verdict,
        server: judgement.server,
        cpu: judgement.cpu,
        network: judgement.network,
        storage: judgement.storage,
        findings,
        assumed: side.assumed.clone(),
        notes: side.notes.clone(),
    }
}
