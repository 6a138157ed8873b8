//! A run: hosts one after another, each judged anew against the pool as it then is. The first that does not end well
//! stops the rest.

use std::ops::Range;

use super::act::Turning;
use super::drift::{Basis, compare};
use super::end::{End, Turn, Waits};
use super::journal::{Act, Event, Journal, JournalError, Named, Outcome};
use super::plan::{Party, Plan, Step};
use super::world::{Collected, Trouble, World};
use crate::facts::{Known, Reason};
use crate::rules::{Side, Verdict};

/// Judges what is seen now, and makes a plan of it: of these hosts against this pool.
pub type Replan<'a> = dyn FnMut(&Collected, &[Collected]) -> Result<Plan, Trouble> + 'a;

/// A plan of what is seen now, and what is in progress on each of its hosts and the pool.
struct Seen {
    now: Plan,
    busy: Vec<Vec<String>>,
}

/// What was seen, or the place in the plan at which the run ends, and how.
type Looked = Result<Seen, (usize, End)>;

/// What was collected of one side.
type Found = Result<Collected, Trouble>;

/// What a run needs.
pub struct Run<'a> {
    /// The servers and the operator.
    pub world: &'a mut dyn World,
    /// The journal.
    pub journal: &'a mut Journal,
    /// The plan that was agreed on.
    pub plan: &'a Plan,
    /// Judges anew.
    pub replan: &'a mut Replan<'a>,
    /// How long things may take.
    pub waits: Waits,
}

impl Run<'_> {
    /// Carries the plan out. Stops where the journal cannot be written, and then nothing more was sent.
    pub fn carry_out(mut self) -> (Vec<Turn>, Result<(), JournalError>) {
        let mut turns = Vec::new();
        let done = self.take_turns(&mut turns);
        (turns, done)
    }

    fn take_turns(&mut self, turns: &mut Vec<Turn>) -> Result<(), JournalError> {
        let plan = self.plan;
        let mut looked = self.first_look()?;
        for (place, planned) in plan.steps.iter().enumerate() {
            let seen = match looked {
                Ok(seen) => seen,
                Err((place, end)) => {
                    return self.stop(turns, place, end);
                }
            };
            // The first look is at all hosts, later ones at one.
            let at = if place == 0 { 0 } else { seen.now.steps.len() - 1 };
            let end = match seen.now.steps.get(at) {
                None => End::Unreachable("the host is not in what was judged".to_owned()),
                Some(step) => {
                    self.turn(place, planned, step, seen.busy.get(at).map(Vec::as_slice).unwrap_or_default())?
                }
            };
            // What is not as predicted on one host is looked at before the next follows it.
            if end.outcome() != Outcome::Done {
                // Where it came to a call, the turn itself has written how it ended.
                if end.outcome() == Outcome::NotStarted {
                    self.stop(turns, place, end)?;
                } else {
                    turns.push(Turn { host: named(&planned.host), end });
                    self.rest(turns, place + 1)?;
                }
                return Ok(());
            }
            turns.push(Turn { host: named(&planned.host), end });
            looked = match plan.steps.get(place + 1) {
                Some(next) => self.look_again(place + 1, next)?,
                None => break,
            };
        }
        Ok(())
    }

    /// All of the plan against all that is seen now.
    fn first_look(&mut self) -> Result<Looked, JournalError> {
        let trouble = |trouble: Trouble| (0, End::Unreachable(trouble.what));
        let joiners = if self.plan.act == Act::Join { self.plan.steps.len() } else { 0 };
        let (pool, found) = self.collect(0..joiners)?;
        let pool = match pool {
            Ok(pool) => pool,
            Err(error) => return Ok(Err(trouble(error))),
        };
        let mut hosts = Vec::new();
        for (place, host) in found.into_iter().enumerate() {
            match host {
                Ok(host) => hosts.push(host),
                Err(error) => return Ok(Err((place, End::Unreachable(error.what)))),
            }
        }
        let now = match (self.replan)(&pool, &hosts) {
            Ok(now) => now,
            Err(error) => return Ok(Err(trouble(error))),
        };
        for (place, (was, is)) in self.plan.steps.iter().zip(&now.steps).enumerate() {
            let drift = compare((self.plan, was), (&now, is), Basis::Same);
            self.journal.write(compared(was, is, &now, &drift))?;
            if !drift.is_empty() {
                return Ok(Err((place, End::Drifted(drift))));
            }
        }
        let busy =
            (0..self.plan.steps.len()).map(|place| busy(&pool.0, hosts.get(place).map(|(side, _)| side))).collect();
        Ok(Ok(Seen { now, busy }))
    }

    /// One more host against the pool as it is now.
    fn look_again(&mut self, place: usize, was: &Step) -> Result<Looked, JournalError> {
        let (pool, mut host) = self.collect(place..place + 1)?;
        let looked = pool.and_then(|pool| Ok((pool, host.pop().transpose()?)));
        let (pool, host) = match looked {
            Ok((pool, Some(host))) => (pool, host),
            Ok((_, None)) => return Ok(Err((place, End::Unreachable("the host was not collected".to_owned())))),
            Err(error) => return Ok(Err((place, End::Unreachable(error.what)))),
        };
        let busy = busy(&pool.0, Some(&host.0));
        let now = match (self.replan)(&pool, &[host]) {
            Ok(now) => now,
            Err(error) => return Ok(Err((place, End::Unreachable(error.what)))),
        };
        let Some(is) = now.steps.first() else {
            return Ok(Err((place, End::Unreachable("the host is not in what was judged".to_owned()))));
        };
        let drift = compare((self.plan, was), (&now, is), Basis::AfterJoins);
        self.journal.write(compared(was, is, &now, &drift))?;
        Ok(if drift.is_empty() { Ok(Seen { now, busy: vec![busy] }) } else { Err((place, End::Drifted(drift))) })
    }

    /// Collects the pool and hosts of the plan anew.
    fn collect(&mut self, places: Range<usize>) -> Result<(Found, Vec<Found>), JournalError> {
        let found = self.world.collect_all(places);
        for renewed in self.world.renewed() {
            self.journal.write(renewed.into())?;
        }
        Ok(found)
    }

    fn turn(&mut self, place: usize, planned: &Step, step: &Step, busy: &[String]) -> Result<End, JournalError> {
        if !matches!(step.verdict, Verdict::Go | Verdict::GoWithWarnings) {
            return Ok(End::Verdict(step.verdict));
        }
        if !busy.is_empty() {
            return Ok(End::Busy(busy.to_vec()));
        }
        if self.world.interrupted() {
            return Ok(End::Interrupted);
        }
        let mut turning = Turning {
            world: &mut *self.world,
            journal: &mut *self.journal,
            act: self.plan.act,
            place,
            host: named(&planned.host),
            waits: self.waits,
        };
        turning.act(step)
    }

    /// Ends the run at a host before anything was sent to it, and with that for those after it.
    fn stop(&mut self, turns: &mut Vec<Turn>, place: usize, end: End) -> Result<(), JournalError> {
        let plan = self.plan;
        for (at, step) in plan.steps.iter().enumerate().skip(turns.len()) {
            let end = if at == place { end.clone() } else { End::NotReached };
            self.end(turns, step, end)?;
        }
        Ok(())
    }

    fn rest(&mut self, turns: &mut Vec<Turn>, from: usize) -> Result<(), JournalError> {
        let plan = self.plan;
        plan.steps.iter().skip(from).try_for_each(|step| self.end(turns, step, End::NotReached))
    }

    fn end(&mut self, turns: &mut Vec<Turn>, step: &Step, end: End) -> Result<(), JournalError> {
        self.journal.write(Event::Ended {
            host: step.host.uuid.clone(),
            outcome: end.outcome(),
            about: end.about(),
        })?;
        turns.push(Turn { host: named(&step.host), end });
        Ok(())
    }
}

/// A party as the journal names it.
pub fn named(party: &Party) -> Named {
    Named {
        name: party.name.clone(),
        uuid: party.uuid.clone(),
        address: party.address.clone(),
        target: party.target.clone(),
    }
}

fn compared(was: &Step, is: &Step, now: &Plan, drift: &[super::drift::Drift]) -> Event {
    Event::Compared {
        host: named(&was.host),
        pool: now.pool.coordinator.snapshot.clone(),
        joiner: if now.act == Act::Join { is.host.snapshot.clone() } else { String::new() },
        changes: drift.iter().map(ToString::to_string).collect(),
    }
}

/// What is in progress on the pool's or the joiner's own pool record: no time to change either.
fn busy(pool: &Side, joiner: Option<&Side>) -> Vec<String> {
    let sides = [("the pool", Some(pool)), ("the joiner", joiner)];
    let mut busy = Vec::new();
    for (name, side) in sides {
        match side.map(|side| &side.snapshot.pool.current_operations) {
            Some(Known::Yes(operations)) => {
                busy.extend(operations.values().map(|operation| format!("{operation} on {name}")));
            }
            Some(Known::No(why)) if why.reason != Reason::AbsentOnRelease => {
                busy.push(format!("something that cannot be seen on {name} (current_operations: {why})"));
            }
            Some(Known::No(_)) | None => {}
        }
    }
    busy
}
