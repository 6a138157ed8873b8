//! `--resume`: what became of a run that broke off. Sends nothing that changes anything.

use super::{GateArgs, close, hold, refuse_open_elsewhere, tell, unreachable};
use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::cli::output::complain;
use crate::gate::journal::{Act, Entry, Event, Named, Outcome};
use crate::gate::{Left, Waits, World as _, left_open, resume};
use crate::text::plain;

use super::eject::address_near;
use super::world::LiveWorld;

/// Looks at the servers for what the journal does not tell. `words` are the hosts as the operator named them.
pub(super) fn run(args: &GateArgs, world: &mut LiveWorld<'_>, words: &[String]) -> Result<Exit, CliError> {
    world.interrupt.look_on();
    world.live.meet(std::slice::from_ref(&world.pool))?;
    let (pool, _) = world.collect_pool().map_err(unreachable)?;
    let records = &pool.snapshot.pool;
    let pool =
        Named { name: records.label(), uuid: records.uuid.text().unwrap_or_default().to_owned(), ..Named::default() };
    // Opened for a resumption a journal is one that is there: a name with a slip in it tells of no run.
    if let Some(path) = args.journal.as_ref().filter(|path| !path.exists()) {
        return Err(CliError::Usage(format!("--journal {}: no such file; nothing is resumed", path.display())));
    }
    let mut held = hold(args, &pool, world.act, &[])?;
    let Some(left) = left_open(held.journal.before()) else {
        refuse_open_elsewhere(args, &pool.uuid)?;
        let exit = last_exit(held.journal.before());
        let how = match exit {
            None => "it tells of none".to_owned(),
            Some(Exit::Done) => "every one that it tells of has come to its end".to_owned(),
            Some(exit) => {
                format!("the last one came to its end with status {}; it is not looked at again", exit as u8)
            }
        };
        complain(&format!("no run is open in {}: {how}", held.journal.path().display()));
        let exit = exit.unwrap_or(Exit::Done);
        // Programs read that no host had a turn; people have read it just now.
        let asked = !args.output.files.is_empty() || args.output.format.is_some();
        return Ok(if asked { tell(world, held, world.act, &pool, &[], exit) } else { exit });
    };
    if left.pool.uuid != pool.uuid {
        return Err(CliError::Usage(format!(
            "the run that broke off is on pool {} ({}), and --pool names {}; say the same --pool as then",
            plain(&left.pool.name),
            left.pool.uuid,
            plain(&pool.name)
        )));
    }
    let place = place_of(&left, world, words)?;
    if let (Act::Eject, None, Some(call)) = (left.act, &world.member, &left.call) {
        // The pool has forgotten it and vouches for nothing: it is only seen to answer.
        world.member = address_near(world.live, &world.pool, &call.host.address).map(|address| (address, None));
    }
    if left.call.is_some() {
        let wait = humantime::format_duration(args.wait);
        complain(&format!("looking for what became of it, for up to {wait} (--wait)"));
    }
    let told = resume(world, &mut held.journal, &left, place, Waits::within(args.wait));
    let Some(turn) = told.turn else {
        complain(&left.broke_off());
        let done = left.settled().iter().all(|(_, outcome)| *outcome == Outcome::Done);
        let least = if done && told.not_started.is_empty() { Exit::Done } else { Exit::Refused };
        let exit = close(world, held, left.act, &left.pool, &[], least);
        tell_not_started(&told.not_started);
        return Ok(exit);
    };
    let least = if told.not_started.is_empty() { Exit::Done } else { Exit::Refused };
    let exit = close(world, held, left.act, &left.pool, &[turn], least);
    tell_not_started(&told.not_started);
    Ok(exit)
}

/// The status with which the last run ended that the journal tells of.
fn last_exit(entries: &[Entry]) -> Option<Exit> {
    let closed = entries.iter().rev().find_map(|entry| match entry.event {
        Event::Closed { exit } => Some(exit),
        _ => None,
    })?;
    Exit::ALL.into_iter().find(|exit| *exit as u8 == closed)
}

fn tell_not_started(hosts: &[Named]) {
    if !hosts.is_empty() {
        let names: Vec<_> = hosts.iter().map(|host| host.name.as_str()).collect();
        complain(&format!("not started: {}; start anew", plain(&names.join(", "))));
    }
}

/// The place of the open call's host among those that the operator named.
fn place_of(left: &Left, world: &LiveWorld<'_>, words: &[String]) -> Result<usize, CliError> {
    if left.act != world.act {
        return Err(CliError::Usage(format!(
            "the run that broke off is {} {}: `poolgate {} --resume`",
            if left.act == Act::Join { "a" } else { "an" },
            left.act.word(),
            left.act.word()
        )));
    }
    let Some(call) = &left.call else { return Ok(0) };
    let host = &call.host;
    if left.act == Act::Eject {
        return match words.iter().any(|word| *word == host.name || word.eq_ignore_ascii_case(&host.uuid)) {
            true => Ok(0),
            false => Err(CliError::Usage(format!(
                "the eject that broke off is of {}; say --member {}",
                plain(&host.name),
                host.uuid
            ))),
        };
    }
    world.hosts.iter().position(|target| target.to_string() == host.target).ok_or_else(|| {
        CliError::Usage(format!("the join that broke off is of {}; say --host {}", plain(&host.name), host.target))
    })
}
