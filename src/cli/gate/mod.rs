//! `poolgate join` and `poolgate eject`: check, plan, confirm, check again, act, verify. Here is the operator's side of it;
//! `crate::gate` is the rest.

mod confirm;
mod eject;
mod join;
mod open;
mod result;
mod resume;
mod signals;
mod world;

pub(super) use eject::run as eject;
pub(super) use join::run as join;

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::Exit;
use super::args::{FailOn, Format, GateArgs};
use super::error::CliError;
use super::limits::{PLAN, read_text};
use super::live::Live;
use super::output::{Places, complain, emit, print, width, write_file};
use crate::collect::Target;
use crate::collect::xapi::log_out_now;
use crate::gate::drift::{Basis, compare};
use crate::gate::journal::{Act, Event, Journal, Named, default_folder, forget};
use crate::gate::lock::Lock;
use crate::gate::plan::{FORMAT, Plan, read_plan, to_markdown, to_table};
use crate::gate::{Replan, Run, Trouble, Turn, Waits, World as _, named};
use crate::report::{self, Report, TableOptions};
use crate::rules::Verdict;
use crate::text::{lines, plain, shell_word};

use open::{note_journal, refuse_busy, refuse_half_way, refuse_open_call, refuse_open_elsewhere};
use signals::Interrupt;
use world::{LiveWorld, Renewals};

/// A target of a server that can be acted on.
fn acting_target(word: &str, act: Act) -> Result<Target, CliError> {
    let target: Target = word.parse()?;
    match target {
        Target::Url { .. } | Target::XapiLocal => Ok(target),
        Target::Local | Target::File(_) | Target::Stdin | Target::Cpu(_) => {
            let (check, what) = match act {
                Act::Join => ("poolgate check --pool POOL --host HOST", "joined"),
                Act::Eject => ("poolgate check --phase eject --pool POOL --member NAME", "ejected from"),
            };
            Err(CliError::Usage(format!(
                "{word}: only a live server can be {what}; name it as https://[USER@]ADDRESS, or check it alone with `{check}`"
            )))
        }
    }
}

/// The world of live servers.
fn world<'a>(
    live: &'a Live<'a>,
    interrupt: Interrupt,
    args: &GateArgs,
    act: Act,
    pool: Target,
    hosts: Vec<Target>,
) -> LiveWorld<'a> {
    let named = hosts.iter().map(|host| format!(" --host {}", shell_word(&host.to_string())));
    // A command to copy works from any folder.
    let whole = args.journal.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    let journal = whole.iter().map(|path| format!(" --journal {}", shell_word(&path.display().to_string())));
    LiveWorld {
        words: format!(
            "--pool {}{}{}",
            shell_word(&pool.to_string()),
            named.collect::<String>(),
            journal.collect::<String>()
        ),
        restore: None,
        live,
        act,
        pool,
        hosts,
        member: None,
        interrupt,
        wait: args.wait,
        began: Instant::now(),
        watch: None,
        renewals: Renewals::default(),
    }
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

fn unreachable(trouble: Trouble) -> CliError {
    CliError::Unreachable(trouble.what)
}

/// Whether a verdict lets the gate go on, and the exit status when it does not.
const fn stopped_by(verdict: Verdict, fail_on: Option<FailOn>) -> Option<Exit> {
    match Exit::of(verdict, fail_on) {
        Exit::Done => None,
        exit => Some(exit),
    }
}

/// The plan that somebody has reviewed, or the one that was just made.
fn agreed_plan(args: &GateArgs, fresh: Plan) -> Result<Plan, CliError> {
    let Some(path) = &args.plan else { return Ok(fresh) };
    let text = read_text("plans", path, PLAN)?;
    let plan = read_plan(&text).map_err(|source| CliError::JoinPlan { path: path.clone(), source })?;
    let hosts = |plan: &Plan| plan.steps.iter().map(|step| step.host.uuid.clone()).collect::<Vec<_>>();
    if plan.act != fresh.act || plan.pool.uuid != fresh.pool.uuid || hosts(&plan) != hosts(&fresh) {
        // The names may be the same, as those of a host that was installed anew.
        let about = |plan: &Plan| {
            let known = |name: &str, uuid: &str| format!("{} ({uuid})", plain(name));
            let names: Vec<_> = plan.steps.iter().map(|step| known(&step.host.name, &step.host.uuid)).collect();
            let pool = known(&plan.pool.name, &plan.pool.uuid);
            format!("{} of {} with pool {pool}", plan.act.word(), names.join(", "))
        };
        return Err(CliError::Usage(format!(
            "{} is a plan for another run: {}; this run is the {}. Look which of them is meant, and make the plan anew",
            path.display(),
            about(&plan),
            about(&fresh)
        )));
    }
    Ok(plan)
}

/// Where a reviewed plan no longer leads to a GO: what has changed since it was made, before the report says the rest.
fn tell_changes(args: &GateArgs, fresh: &Plan) {
    if args.plan.is_none() {
        return;
    }
    // What is seen may no longer even tell which pool it is: then the report says so.
    let Ok(plan) = agreed_plan(args, fresh.clone()) else { return };
    let drift =
        plan.steps.iter().zip(&fresh.steps).flat_map(|(was, is)| compare((&plan, was), (fresh, is), Basis::Same));
    for drift in drift {
        complain(&format!("changed since the plan: {drift}"));
    }
}

/// Prints the report of a check that stops the run.
fn show_report(args: &GateArgs, report: &Report) -> Result<(), CliError> {
    emit(&args.output, |style| match style.format {
        Format::Json => report::to_json(report, false),
        Format::Table => report::to_table(
            report,
            TableOptions { width: style.width, color: style.color, all: false, quiet: false },
        ),
    })
}

/// Writes the plan to each file that the operator named, in the format of its extension.
fn write_plan(plan: &Plan, files: &[PathBuf]) -> Result<(), CliError> {
    const WIDTH: u16 = 80;
    let mut texts = Vec::new();
    files.iter().try_for_each(|file| refuse_other_json(file))?;
    for file in files {
        let text = match file.extension().and_then(|extension| extension.to_str()) {
            Some("json") => plan.to_json().map_err(|source| CliError::JoinPlan { path: file.clone(), source })?,
            Some("md") => lines(&to_markdown(plan), false).into_owned(),
            Some("txt") => lines(&to_table(plan, WIDTH), false).into_owned(),
            _ => {
                return Err(CliError::Usage(format!(
                    "--plan-out {}: no format goes by that extension; use .json, .md or .txt",
                    file.display()
                )));
            }
        };
        texts.push((file, text));
    }
    texts.into_iter().try_for_each(|(file, text)| write_file(file, &text))
}

/// A plan takes the place of a plan, and of nothing else that this program wrote: a snapshot of the same name may be wanted yet.
fn refuse_other_json(file: &Path) -> Result<(), CliError> {
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let Some(text) = is_json.then(|| std::fs::read(file).ok()).flatten() else { return Ok(()) };
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(&text) else { return Ok(()) };
    let Some(format) = json.get("format").and_then(|format| format.as_str()) else { return Ok(()) };
    // Plans of fleets go by the same name, and have no steps.
    if format == FORMAT && json.get("steps").is_some() {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "--plan-out {}: that file is a {}; name another, or remove it first",
        file.display(),
        plain(format)
    )))
}

/// What a run holds before it acts: the lock on the pool, its journal, and where it is told how the run ended.
struct Held {
    journal: Journal,
    places: Places,
    _lock: Lock,
}

fn hold(args: &GateArgs, pool: &Named, act: Act, hosts: &[Named]) -> Result<Held, CliError> {
    let names: Vec<_> = hosts.iter().map(|host| host.name.as_str()).collect();
    let lock = Lock::take(&default_folder()?, &pool.uuid, act, &names.join(", "))?;
    let places = Places::open(&args.output)?;
    Ok(Held { journal: Journal::open(&journal_path(args, &pool.uuid)?)?, places, _lock: lock })
}

fn journal_path(args: &GateArgs, pool: &str) -> Result<PathBuf, CliError> {
    match &args.journal {
        Some(path) => Ok(path.clone()),
        None => Ok(default_folder()?.join(crate::gate::journal_name(pool))),
    }
}

/// Carries an agreed plan out, and tells how it ended.
fn carry_out(
    args: &GateArgs,
    world: &mut LiveWorld<'_>,
    mut held: Held,
    plan: &Plan,
    replan: &mut Replan<'_>,
    by: &str,
) -> Result<Exit, CliError> {
    let pool = pool_of(plan);
    note_journal(args, &pool.uuid, &held.journal)?;
    // Of sessions that were renewed while it was planned, the operator has heard.
    world.renewed();
    held.journal.write(Event::Begun {
        act: plan.act,
        tool: plan.tool.clone(),
        process: std::process::id(),
        machine: machine(),
        pool: pool.clone(),
        hosts: plan.steps.iter().map(|step| named(&step.host)).collect(),
        plan: plan.digest.clone(),
        rules: plan.rules.clone(),
    })?;
    for step in &plan.steps {
        for finding in &step.findings {
            if let Some(waived) = &finding.waived {
                let (rule, waived) = (finding.rule.clone(), waived.clone());
                held.journal.write(Event::Waived { host: named(&step.host), rule, waived })?;
            }
        }
    }
    held.journal.write(Event::Confirmed { by: by.to_owned() })?;
    let waits = Waits::within(args.wait);
    let run = Run { world: &mut *world, journal: &mut held.journal, plan, replan, waits };
    let (turns, done) = run.carry_out();
    let mut least = Exit::Done;
    if let Err(error) = done {
        complain(&format!("poolgate: {error}"));
        least = Exit::Usage;
    }
    Ok(close(world, held, plan.act, &pool, &turns, least))
}

/// Ends a run: in the journal, and for the operator. It ends no better than `least`.
fn close(world: &mut LiveWorld<'_>, mut held: Held, act: Act, pool: &Named, turns: &[Turn], least: Exit) -> Exit {
    let exit = turns.iter().map(|turn| result::exit_of(&turn.end)).fold(least, Exit::worse);
    match held.journal.write(Event::Closed { exit: exit as u8 }) {
        Err(error) => complain(&format!("poolgate: {}", error.what())),
        Ok(()) if exit != Exit::Unconfirmed => {
            // What stays noted only costs the next run a look.
            let _ = default_folder().map(|folder| forget(&folder, &pool.uuid, held.journal.path()));
        }
        Ok(()) => {}
    }
    world.watch = None;
    if world.interrupt.is_set() {
        log_out_now();
    }
    let gone = |turn: &Turn| act == Act::Eject && turn.end.is_done();
    let exit = tell(world, held, act, pool, turns, exit);
    if let Some(script) = world.restore.as_ref().filter(|_| turns.iter().any(gone)) {
        complain(&format!(
            "for its network: once the host stands alone again, copy {0} to it and run it at its console with `sh {1}`",
            script.display(),
            shell_word(&script.file_name().unwrap_or_default().to_string_lossy())
        ));
    }
    exit
}

/// Tells the operator how a run ended. What cannot be written where it was to be written is printed: a call may have been sent.
fn tell(world: &LiveWorld<'_>, held: Held, act: Act, pool: &Named, turns: &[Turn], exit: Exit) -> Exit {
    let Held { journal, places, _lock } = held;
    let told =
        result::Told { act, pool, turns, journal: journal.path(), head: journal.head(), exit, words: &world.words };
    let emitted = places.emit(|style| match style.format {
        Format::Json => told.to_json(),
        Format::Table => told.to_text(style.width),
    });
    if let Err(error) = emitted {
        complain(&format!("poolgate: {error}"));
        // Where standard output is what failed, standard error is left.
        complain(&told.to_text(width()));
    }
    exit
}

fn pool_of(plan: &Plan) -> Named {
    Named { name: plan.pool.name.clone(), uuid: plan.pool.uuid.clone(), ..named(&plan.pool.coordinator) }
}

/// The name of this machine, for the journal.
fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The plan where the operator named a place or a form for what a run says, once it is written.
fn show_written(args: &GateArgs, plan: &Plan) -> Result<Exit, CliError> {
    if !args.output.files.is_empty() || args.output.format.is_some() {
        let json = plan.to_json().map_err(|source| CliError::JoinPlan { path: PathBuf::from("the plan"), source })?;
        emit(&args.output, |style| match style.format {
            Format::Json => json.clone(),
            Format::Table => to_table(plan, style.width),
        })?;
        return Ok(Exit::Done);
    }
    let names: Vec<_> = plan.steps.iter().map(|step| step.host.name.as_str()).collect();
    let files: Vec<_> = args.plan_out.iter().map(|file| file.display().to_string()).collect();
    let mut text =
        format!("{}: the plan of the {} of {} is in ", plan.verdict.words(), plan.act.word(), names.join(", "));
    text.push_str(&files.join(", "));
    if let Some(json) = args.plan_out.iter().find(|file| file.extension().is_some_and(|it| it == "json")) {
        let file = shell_word(&json.display().to_string());
        text.push_str(&format!("\nThe same command with --plan {file} instead of --plan-out carries it out.\n"));
    } else {
        text.push('\n');
    }
    print(&text)?;
    Ok(Exit::Done)
}

/// Shows the plan before anybody agrees to it; programs read it with --plan-out. Where standard output is not for people, whoever is
/// asked reads it where the question stands.
fn show_plan(args: &GateArgs, plan: &Plan) -> Result<(), CliError> {
    let table = || to_table(plan, width());
    if args.output.files.is_empty() && args.output.format.unwrap_or_default() == Format::Table {
        print(&format!("{}\n", table()))?;
    } else if !args.yes {
        complain(&table());
    }
    Ok(())
}

/// Where a file goes that nobody gave a place.
fn beside(path: &Path, name: &str) -> PathBuf {
    path.parent().map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
}
