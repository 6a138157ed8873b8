//! `poolgate join`.

use std::path::PathBuf;
use std::sync::Arc;

use super::confirm::confirmed;
use super::eject::address_near;
use super::signals::Interrupt;
use super::{
    acting_target, agreed_plan, carry_out, hold, now, pool_of, refuse_busy, refuse_half_way, refuse_open_call,
    resume, show_plan, show_report, show_written, stopped_by, tell_changes, unreachable, world, write_plan,
};
use crate::cli::Exit;
use crate::cli::args::Join;
use crate::cli::check::{note_swapped, report_of, settle_joiner};
use crate::cli::error::CliError;
use crate::cli::live::Live;
use crate::cli::output::complain;
use crate::cli::rules::load_for;
use crate::cli::waivers::RunWaivers;
use crate::collect::Target;
use crate::collect::xapi::{Client, KnownHosts, TrustStore, XapiError};
use crate::gate::journal::Act;
use crate::gate::plan::{JoinPlan, Plan, PlanError, join_plan};
use crate::gate::{Collected, Trouble, World as _, named};
use crate::report::WaiverReport;
use crate::rules::{FactRead, Judgement, Phase, Policy, Registry, Side, read_sequence_with};

pub(in crate::cli) fn run(args: &Join) -> Result<Exit, CliError> {
    let pool: Target = acting_target(&args.pool, Act::Join)?;
    if pool == Target::XapiLocal {
        return Err(CliError::Usage(
            "a joiner needs the pool's password, which xapi-local has not; name the pool as https://[USER@]ADDRESS"
                .to_owned(),
        ));
    }
    let hosts: Vec<_> = args.host.iter().map(|word| acting_target(word, Act::Join)).collect::<Result<_, _>>()?;
    let all: Vec<_> = std::iter::once(pool.clone()).chain(hosts.iter().cloned()).collect();
    // Before the first question, which an interruption ends too.
    let interrupt = Interrupt::watch()?;
    let live = Live::open(&args.gate.live, &all)?;
    let mut world = world(&live, interrupt, &args.gate, Act::Join, pool.clone(), hosts.clone());
    if args.gate.resume {
        return resume::run(&args.gate, &mut world, &args.host);
    }
    live.meet(&all)?;
    let rules = load_for(Phase::Join, &args.gate.rules.folders)?;
    let judge = Judge {
        waivers: RunWaivers::load_to_act(args.gate.waivers.as_deref(), &rules)?,
        rules,
        policy: Policy { max_hosts: args.gate.max_hosts, as_release: None },
        coordinator_address: args.coordinator_address.clone(),
        user: live.user(&pool).to_owned(),
    };
    let pool_target = pool;
    let (pool, joiners) = world.collect_all(0..hosts.len());
    let pool = pool.map_err(unreachable)?;
    refuse_busy(&args.gate, pool.0.snapshot.pool.uuid.text().unwrap_or_default())?;
    let joiners: Vec<_> = joiners.into_iter().map(|joiner| joiner.map_err(unreachable)).collect::<Result<_, _>>()?;
    let uuids = joiners.iter().filter_map(|(side, _)| uuid_of(side));
    refuse_half_way(&uuids.collect::<Vec<_>>())?;
    refuse_own_address(args.coordinator_address.as_deref(), &joiners)?;
    if let Some(address) = &args.coordinator_address {
        refuse_other_server(&live, &pool_target, address, &pool.1.fingerprint)?;
    }
    let mut judged = judge.judge(&pool, &joiners);
    note_swapped(&pool.0, &mut judged.sides);
    let plan = judge.plan(&pool, &joiners, &judged).map_err(|error| CliError::Usage(error.to_string()))?;
    if let Some(exit) = stopped_by(plan.verdict, args.gate.fail_on) {
        tell_changes(&args.gate, &plan);
        let judgements = judged.read.into_iter().map(|(judgement, _)| judgement).collect();
        let report = report_of(&pool.0, &judged.sides, judgements, judge.policy, judged.waivers);
        show_report(&args.gate, &report)?;
        return Ok(exit);
    }
    if !args.gate.plan_out.is_empty() {
        write_plan(&plan, &args.gate.plan_out)?;
        return show_written(&args.gate, &plan);
    }
    let plan = agreed_plan(&args.gate, plan)?;
    show_plan(&args.gate, &plan)?;
    let hosts: Vec<_> = plan.steps.iter().map(|step| named(&step.host)).collect();
    let held = hold(&args.gate, &pool_of(&plan), Act::Join, &hosts)?;
    refuse_open_call(&args.gate, &held.journal, &plan.pool.uuid)?;
    let by = confirmed(&args.gate, &plan)?;
    let mut replan = |pool: &Collected, joiners: &[Collected]| {
        let judged = judge.judge(pool, joiners);
        judge.plan(pool, joiners, &judged).map_err(|error| Trouble { what: error.to_string() })
    };
    carry_out(&args.gate, &mut world, held, &plan, &mut replan, by)
}

/// A joiner's uuid.
fn uuid_of(joiner: &Side) -> Option<&str> {
    joiner.snapshot.pool.coordinator_host().get()?.uuid.text()
}

/// A host cannot join itself, which a slip of an address would have it try.
fn refuse_own_address(coordinator: Option<&str>, joiners: &[Collected]) -> Result<(), CliError> {
    let Some(coordinator) = coordinator else { return Ok(()) };
    let own = |(side, _): &&Collected| {
        let host = side.snapshot.pool.coordinator_host();
        host.get().is_some_and(|host| host.address.text() == Some(coordinator))
    };
    match joiners.iter().find(own) {
        None => Ok(()),
        Some((side, _)) => Err(CliError::Usage(format!(
            "--coordinator-address {coordinator}: that is the address of {}, which is to join",
            side.target
        ))),
    }
}

/// The address that the hosts are to use is the coordinator's, by its certificate: root's password goes there.
fn refuse_other_server(live: &Live<'_>, pool: &Target, coordinator: &str, fingerprint: &str) -> Result<(), CliError> {
    let unseen = |why: &str| {
        complain(&format!(
            "--coordinator-address {coordinator} cannot be looked at from here ({why}): make sure that it is the coordinator, root's password goes there"
        ));
    };
    let (Some(address), Ok(pinned)) = (address_near(live, pool, coordinator), fingerprint.parse()) else {
        unseen("the coordinator's certificate is not known");
        return Ok(());
    };
    let mut trust = TrustStore::new(KnownHosts::read(PathBuf::from("/dev/null"))?);
    trust.pin(Some(address.clone()), pinned);
    let Some(password) = live.password(pool) else {
        unseen("the pool's password is not known");
        return Ok(());
    };
    match Client::new(address.clone(), Arc::new(trust), live.limits()).knock(live.user(pool), password, None) {
        Err(XapiError::Trust { .. }) => Err(CliError::Usage(format!(
            "--coordinator-address {coordinator}: another server than the pool's coordinator answers at {address}, by its certificate, and root's \
             password would go to it; name an address of the coordinator, whose certificate is SHA-256 {pinned}"
        ))),
        Err(error) => {
            unseen(&error.to_string());
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// By what joiners are judged.
struct Judge {
    rules: Registry,
    waivers: RunWaivers,
    policy: Policy,
    coordinator_address: Option<String>,
    user: String,
}

/// What was judged, waivers settled.
struct Judged {
    sides: Vec<Side>,
    read: Vec<(Judgement, Vec<FactRead>)>,
    waivers: Option<WaiverReport>,
}

impl Judge {
    fn judge(&self, pool: &Collected, joiners: &[Collected]) -> Judged {
        let sides: Vec<_> = joiners.iter().map(|(side, _)| side.clone()).collect();
        let mut ledger = self.waivers.ledger();
        let rules = &self.rules;
        let read =
            read_sequence_with(&pool.0, &sides, rules, Phase::Join, &self.policy, |index, release, findings| {
                settle_joiner(&mut ledger, &pool.0, (index, &sides[index]), release, rules, findings);
            });
        let waivers = self.waivers.report(&ledger);
        Judged { sides, read, waivers }
    }

    fn plan(&self, pool: &Collected, joiners: &[Collected], judged: &Judged) -> Result<Plan, PlanError> {
        let sought: Vec<_> = joiners.iter().map(|(_, sought)| sought.clone()).collect();
        join_plan(&JoinPlan {
            pool: &pool.0,
            pool_sought: &pool.1,
            joiners: &judged.sides,
            sought: &sought,
            judged: &judged.read,
            policy: &self.policy,
            rules: &self.rules.digest(),
            waivers: judged.waivers.as_ref().map(|waivers| waivers.findings.as_slice()).unwrap_or_default(),
            coordinator_address: self.coordinator_address.as_deref(),
            user: &self.user,
            made_at: &now(),
        })
    }
}
