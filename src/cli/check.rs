//! `poolgate check`: may these hosts join, in this order? What would a member's leaving destroy?

use std::panic::resume_unwind;
use std::thread;

use super::Exit;
use super::args::{Check, CheckPhase, FailOn, Format};
use super::error::CliError;
use super::output::emit;
use super::rules::load_for;
use super::targets::collect_sides;
use crate::eject::find_member;
use crate::report::{self, JoinerReport, MemberReport, PoolSummary, Report, TableOptions};
use crate::rules::{
    EjectJudgement, Judgement, Phase, Policy, Side, Verdict, judge_eject, judge_sequence, release_name,
};
use crate::snapshot::Host;

pub(super) fn run(args: &Check) -> Result<Exit, CliError> {
    let usage = |message: &str| Err(CliError::Usage(message.to_owned()));
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
    let judgement = judge_eject(&pool, member, &rules, &policy);
    let report = eject_report(&pool, member, judgement, policy);
    print(args, &report)?;
    let exit = exit_of(report.verdict, args.fail_on);
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
    let judgements = judge_sequence(&pool, &joiners, &rules, Phase::Join, &policy);
    let report = report_of(&pool, &joiners, judgements, policy);
    print(args, &report)?;
    let exit = exit_of(report.verdict, args.fail_on);
    // The process ends here: taking the model apart piece by piece would cost a tenth of the run.
    std::mem::forget((pool, joiners, report, rules));
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

fn print(args: &Check, report: &Report) -> Result<(), CliError> {
    emit(&args.output, |style| match style.format {
        Format::Json => report::to_json(report, args.all),
        Format::Table => report::to_table(
            report,
            TableOptions { width: style.width, color: style.color, all: args.all, quiet: args.quiet },
        ),
    })
}

const fn exit_of(verdict: Verdict, fail_on: Option<FailOn>) -> Exit {
    match (verdict, fail_on) {
        (Verdict::NoGo, _) | (Verdict::GoWithWarnings, Some(FailOn::Warning)) => Exit::Refused,
        (Verdict::Undecided, _) => Exit::Undecided,
        (Verdict::Go | Verdict::GoWithWarnings, _) => Exit::Done,
    }
}

/// The report on joiners.
pub(super) fn report_of(pool: &Side, joiners: &[Side], judgements: Vec<Judgement>, policy: Policy) -> Report {
    let verdict = judgements.iter().fold(Verdict::Go, |verdict, judgement| verdict.and(judgement.verdict));
    let joiners = joiners.iter().zip(judgements).map(|(side, judgement)| joiner_of(side, judgement)).collect();
    Report { verdict, pool: pool_of(pool), policy, joiners, member: None }
}

/// The report on a member that is to leave.
pub(super) fn eject_report(pool: &Side, member: &Host, judgement: EjectJudgement, policy: Policy) -> Report {
    Report {
        verdict: judgement.verdict,
        pool: pool_of(pool),
        policy,
        joiners: Vec::new(),
        member: Some(Box::new(member_of(member, judgement))),
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
    report::sort(&mut findings);
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
    report::sort(&mut findings);
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
