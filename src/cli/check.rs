//! `poolgate check`: may these hosts join, in this order?

use super::Exit;
use super::args::{Check, FailOn, Format};
use super::error::CliError;
use super::output::emit;
use super::rules::load;
use super::targets::collect_sides;
use crate::report::{self, JoinerReport, PoolSummary, Report, TableOptions};
use crate::rules::{Judgement, Phase, Policy, Side, Verdict, judge_sequence, release_name};

pub(super) fn run(args: &Check) -> Result<Exit, CliError> {
    if args.pool == "-" && args.host.iter().any(|host| host == "-") {
        return Err(CliError::Usage("standard input (-) can be only one of the targets".to_owned()));
    }
    let rules = load(&args.rules.folders)?;
    // A pool of bare machines can be judged too: one that is still to be built.
    let pool = collect_sides(std::slice::from_ref(&args.pool), args.as_release.as_deref())?;
    let mut joiners = collect_sides(&args.host, args.as_release.as_deref())?;
    for joiner in joiners.iter_mut().filter(|joiner| args.as_release.is_some() && joiner.assumed.is_empty()) {
        joiner.notes.push("runs the product already: --as-release changes nothing for it".to_owned());
    }
    let policy = Policy { max_hosts: args.max_hosts, as_release: args.as_release.clone() };
    let Some(pool) = pool.into_iter().next() else {
        return Err(CliError::Usage("no pool".to_owned()));
    };
    let judgements = judge_sequence(&pool, &joiners, &rules, Phase::Join, &policy);
    let report = report_of(&pool, &joiners, judgements, policy);
    emit(&args.output, |style| match style.format {
        Format::Json => report::to_json(&report, args.all),
        Format::Table => report::to_table(
            &report,
            TableOptions { width: style.width, color: style.color, all: args.all, quiet: args.quiet },
        ),
    })?;
    let exit = exit_of(report.verdict, args.fail_on);
    // The process ends here: taking the model apart piece by piece would cost a tenth of the run.
    std::mem::forget((pool, joiners, report, rules));
    Ok(exit)
}

const fn exit_of(verdict: Verdict, fail_on: Option<FailOn>) -> Exit {
    match (verdict, fail_on) {
        (Verdict::NoGo, _) | (Verdict::GoWithWarnings, Some(FailOn::Warning)) => Exit::Refused,
        (Verdict::Undecided, _) => Exit::Undecided,
        (Verdict::Go | Verdict::GoWithWarnings, _) => Exit::Done,
    }
}

fn report_of(pool: &Side, joiners: &[Side], judgements: Vec<Judgement>, policy: Policy) -> Report {
    let verdict = judgements.iter().fold(Verdict::Go, |verdict, judgement| verdict.and(judgement.verdict));
    let joiners = joiners.iter().zip(judgements).map(|(side, judgement)| joiner_of(side, judgement)).collect();
    let snapshot = &pool.snapshot.pool;
    Report {
        verdict,
        pool: PoolSummary {
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
        },
        policy,
        joiners,
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
