//! `poolgate eject`.

use std::path::{Path, PathBuf};

use super::confirm::confirmed;
use super::signals::Interrupt;
use super::{
    acting_target, agreed_plan, beside, carry_out, hold, now, pool_of, refuse_busy, refuse_open_call, resume,
    show_plan, show_report, show_written, stopped_by, tell_changes, unreachable, world, write_plan,
};
use crate::cli::Exit;
use crate::cli::args::Eject;
use crate::cli::check::{eject_report, settle_member};
use crate::cli::error::CliError;
use crate::cli::live::Live;
use crate::cli::output::{complain, write_file};
use crate::cli::rules::load_for;
use crate::cli::waivers::RunWaivers;
use crate::collect::Target;
use crate::collect::xapi::{Address, Fingerprint};
use crate::eject::find_member;
use crate::facts::Known;
use crate::gate::journal::Act;
use crate::gate::plan::{EjectPlan, Plan, PlanError, eject_plan};
use crate::gate::{Collected, Trouble, World as _, is_restore_script, named, restore_script};
use crate::report::WaiverReport;
use crate::rules::{EjectJudgement, Phase, Policy, Registry, judge_eject, read_eject};
use crate::snapshot::{Host, Pool};
use crate::text::shell_word;

pub(in crate::cli) fn run(args: &Eject) -> Result<Exit, CliError> {
    let target = acting_target(&args.pool, Act::Eject)?;
    // Before the first question, which an interruption ends too.
    let interrupt = Interrupt::watch()?;
    let live = Live::open(&args.gate.live, std::slice::from_ref(&target))?;
    let mut world = world(&live, interrupt, &args.gate, Act::Eject, target.clone(), Vec::new());
    world.words.push_str(&format!(" --member {}", shell_word(&args.member)));
    live.meet(std::slice::from_ref(&target))?;
    let pool = world.collect_pool().map_err(unreachable)?;
    let records = &pool.0.snapshot.pool;
    if args.gate.resume {
        // Where it was, the member is looked for; it may be gone from the pool by now.
        world.member =
            find_member(records, &args.member).ok().and_then(|member| way_to(&live, &target, records, member));
        return resume::run(&args.gate, &mut world, std::slice::from_ref(&args.member));
    }
    refuse_busy(&args.gate, records.uuid.text().unwrap_or_default())?;
    let member = find_member(records, &args.member)?;
    world.member = way_to(&live, &target, records, member);
    let rules = load_for(Phase::Eject, &args.gate.rules.folders)?;
    let judge = Judge {
        waivers: RunWaivers::load_to_act(args.gate.waivers.as_deref(), &rules)?,
        rules,
        policy: Policy { max_hosts: args.gate.max_hosts, as_release: None },
        uuid: member.uuid.text().unwrap_or(&args.member).to_owned(),
    };
    let judged = judge.judge(&pool, member);
    let plan = judge.plan(&pool, member, &judged).map_err(|error| CliError::Usage(error.to_string()))?;
    if let Some(exit) = stopped_by(plan.verdict, args.gate.fail_on) {
        tell_changes(&args.gate, &plan);
        let report = eject_report(&pool.0, member, judged.0, judge.policy.clone(), judged.1);
        show_report(&args.gate, &report)?;
        return Ok(exit);
    }
    if let Some(path) = &args.restore_out {
        refuse_other_script(path, &judge.uuid)?;
    }
    if !args.gate.plan_out.is_empty() {
        write_plan(&plan, &args.gate.plan_out)?;
        return show_written(&args.gate, &plan);
    }
    let plan = agreed_plan(&args.gate, plan)?;
    show_plan(&args.gate, &plan)?;
    let hosts: Vec<_> = plan.steps.iter().map(|step| named(&step.host)).collect();
    let held = hold(&args.gate, &pool_of(&plan), Act::Eject, &hosts)?;
    refuse_open_call(&args.gate, &held.journal, &plan.pool.uuid)?;
    let by = confirmed(&args.gate, &plan)?;
    let restore = restore_path(args, held.journal.path(), &judge.uuid);
    refuse_other_script(&restore, &judge.uuid)?;
    write_file(&restore, &restore_script(records, member, pool.0.seen()))?;
    complain(&format!("the script that gives the host its network back is {}: keep it", restore.display()));
    world.restore = Some(restore);
    let mut replan = |pool: &Collected, _: &[Collected]| {
        let trouble = |what: String| Trouble { what };
        let member = find_member(&pool.0.snapshot.pool, &judge.uuid).map_err(|error| trouble(error.to_string()))?;
        let judged = judge.judge(pool, member);
        judge.plan(pool, member, &judged).map_err(|error| trouble(error.to_string()))
    };
    carry_out(&args.gate, &mut world, held, &plan, &mut replan, by)
}

/// A script takes the place of one for the same host, and of no other file: it may be the only one that knows a host's network.
fn refuse_other_script(path: &Path, uuid: &str) -> Result<(), CliError> {
    let own = |path: &Path| std::fs::read_to_string(path).is_ok_and(|text| is_restore_script(&text, uuid));
    if path.is_file() && !own(path) {
        return Err(CliError::Usage(format!(
            "--restore-out {}: there is such a file, and it may be the only one that knows a host's network; name another",
            path.display()
        )));
    }
    Ok(())
}

/// By what a member is judged.
struct Judge {
    rules: Registry,
    waivers: RunWaivers,
    policy: Policy,
    uuid: String,
}

/// What was judged, waivers settled, and what is wrong with these.
type Judged = (EjectJudgement, Option<WaiverReport>);

impl Judge {
    fn judge(&self, pool: &Collected, member: &Host) -> Judged {
        let mut ledger = self.waivers.ledger();
        let mut judgement = judge_eject(&pool.0, member, &self.rules, &self.policy);
        settle_member(&mut ledger, &pool.0, member, &self.rules, &mut judgement);
        (judgement, self.waivers.report(&ledger))
    }

    fn plan(&self, pool: &Collected, member: &Host, (judged, waivers): &Judged) -> Result<Plan, PlanError> {
        eject_plan(&EjectPlan {
            pool: &pool.0,
            sought: &pool.1,
            member,
            judged,
            facts: &read_eject(&pool.0, member, &self.rules, &self.policy),
            policy: &self.policy,
            rules: &self.rules.digest(),
            waivers: waivers.as_ref().map(|waivers| waivers.findings.as_slice()).unwrap_or_default(),
            made_at: &now(),
        })
    }
}

/// Where the member answers by itself, and the certificate that its pool has recorded for it.
fn way_to(live: &Live<'_>, pool: &Target, records: &Pool, member: &Host) -> Option<(Address, Option<Fingerprint>)> {
    let host = member.address.text().filter(|address| !address.is_empty())?;
    let address = address_near(live, pool, host)?;
    let own = records.certificates.each().find(|certificate| {
        certificate.kind.text() == Some("host")
            && matches!(&certificate.host, Known::Yes(Some(host)) if Some(host.as_str()) == member.reference.text())
    });
    Some((address, own.and_then(|certificate| certificate.fingerprint_sha256.text()?.parse().ok())))
}

/// A host's address at the port of its pool.
pub(super) fn address_near(live: &Live<'_>, pool: &Target, host: &str) -> Option<Address> {
    match live.address(pool) {
        Some(address) => address.at(host).ok(),
        None if host.contains(':') => format!("[{host}]").parse().ok(),
        None => host.parse().ok(),
    }
}

/// A place where nothing is yet: an earlier script may be the only one that knows a network.
fn restore_path(args: &Eject, journal: &Path, uuid: &str) -> PathBuf {
    args.restore_out.clone().unwrap_or_else(|| {
        let stamp: String = now().chars().filter(char::is_ascii_alphanumeric).collect();
        beside(journal, &format!("restore-{}-{stamp}.sh", crate::gate::lock::file_name(uuid)))
    })
}
