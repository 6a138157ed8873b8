//! One host's turn: the call, what comes of it, and whether it is as predicted.

use std::time::Duration;

use super::end::{End, Waits};
use super::journal::{Act, Event, Journal, JournalError, Named, Sent};
use super::look::{self, Phase, Standing};
use super::plan::{Predicted, Step};
use super::verify::{Difference, after_eject, after_join, left_by_eject};
use super::world::World;

/// How often a host must look stuck before it counts as stuck.
const STUCK: usize = 2;
/// How often it must look untouched before it counts as untouched, whatever the clocks say.
const UNTOUCHED: usize = 3;

/// What a server answers to a session that it does not know: any more, or one of its own on the way.
const FORGOTTEN: &str = "SESSION_INVALID";

/// What the server said to the call.
#[derive(Clone, Copy)]
enum Answer<'a> {
    /// That it is done.
    Done,
    /// An error: the call is over, and what it had begun may be there.
    Error(&'a str),
    /// Nothing: it may still be at it.
    Nothing,
}

/// The turn of one host.
pub(super) struct Turning<'a> {
    pub(super) world: &'a mut dyn World,
    pub(super) journal: &'a mut Journal,
    pub(super) act: Act,
    /// Its place in the plan.
    pub(super) place: usize,
    pub(super) host: Named,
    pub(super) waits: Waits,
}

impl Turning<'_> {
    /// Sends the call and follows it to its end. Fails only when nothing was sent, because the journal could not be
    /// written.
    pub(super) fn act(&mut self, step: &Step) -> Result<End, JournalError> {
        self.journal.write(Event::Sending {
            host: self.host.clone(),
            method: step.call.method.clone(),
            server: step.call.server.clone(),
            params: step.call.params.clone(),
            predicted: Box::new(step.predicted.clone()),
        })?;
        self.world.tell(&format!("{} is sent for {}; this can take minutes", step.call.method, self.host.name));
        let sent = self.world.send(self.place, &step.call);
        self.note_renewed();
        self.note(Event::Answered { host: self.host.uuid.clone(), sent: sent.clone() });
        Ok(self.conclude(Some(&sent), &step.predicted, Duration::ZERO))
    }

    /// What became of a call that was sent so long ago and answered so, if it was.
    pub(super) fn conclude(&mut self, sent: Option<&Sent>, predicted: &Predicted, ago: Duration) -> End {
        let end = match sent {
            Some(Sent::NotSent { .. }) if self.world.interrupted() => End::Interrupted,
            Some(Sent::NotSent { why }) => End::Unreachable(why.clone()),
            Some(Sent::Refused { code, params }) => match self.look(predicted).standing {
                Standing::Arrived | Standing::Halfway => self.follow(predicted, Answer::Error(code), ago),
                // Said of the call's own session or of one that the call itself had: only a look tells how far it came.
                _ if code == FORGOTTEN => self.follow(predicted, Answer::Error(code), ago),
                _ => {
                    let left = if self.act == Act::Eject { self.left_behind(predicted, params) } else { Vec::new() };
                    End::Refused { code: code.clone(), params: params.clone(), left }
                }
            },
            Some(Sent::Done) => self.follow(predicted, Answer::Done, ago),
            Some(Sent::Lost { .. }) | None => self.follow(predicted, Answer::Nothing, ago),
        };
        self.note(Event::Ended { host: self.host.uuid.clone(), outcome: end.outcome(), about: end.about() });
        end
    }

    /// Waits for the host to arrive, and verifies.
    fn follow(&mut self, predicted: &Predicted, answer: Answer<'_>, ago: Duration) -> End {
        let began = self.world.elapsed();
        let mut word = "";
        let (mut stuck, mut untouched, mut halfway) = (0, 0, 0);
        loop {
            let mut phase = self.look(predicted);
            if phase.word != word {
                word = phase.word;
                self.world.tell(&format!("{}: {}", self.host.name, phase.about));
                self.note(Event::Looked {
                    host: self.host.uuid.clone(),
                    phase: phase.word.to_owned(),
                    about: phase.about.clone(),
                });
            }
            let passed = self.world.elapsed().saturating_sub(began);
            stuck = if phase.standing == Standing::Stuck { stuck + 1 } else { 0 };
            untouched = if phase.standing == Standing::Untouched { untouched + 1 } else { 0 };
            halfway = if phase.standing == Standing::Halfway { halfway + 1 } else { 0 };
            if let (Answer::Error(code), true) = (answer, phase.standing != Standing::Arrived) {
                phase.about = format!("the server answered {code}; {}", phase.about);
            }
            let settled = match answer {
                Answer::Done => false,
                Answer::Error(_) => true,
                Answer::Nothing => ago + passed >= self.waits.settle,
            };
            match phase.standing {
                Standing::Arrived => return self.verify(predicted, began),
                Standing::Untouched if settled && untouched >= UNTOUCHED => {
                    return End::NoEffect { about: phase.about };
                }
                Standing::Halfway if settled && halfway >= UNTOUCHED => return unconfirmed(phase),
                _ if stuck >= STUCK || passed >= self.waits.wait => return unconfirmed(phase),
                _ if self.world.interrupted() => {
                    let about = format!("interrupted after {} was sent; {}", self.act.method(), phase.about);
                    return unconfirmed(Phase { about, ..phase });
                }
                _ => self.world.pause(self.waits.poll),
            }
        }
    }

    fn look(&mut self, predicted: &Predicted) -> Phase {
        let pool = self.world.look_pool();
        let phase = match self.act {
            Act::Join => {
                let (world, place) = (&mut *self.world, self.place);
                look::of_join(&pool, &predicted.host, || world.look_host(place))
            }
            Act::Eject => look::of_eject(&pool, &predicted.host, || self.world.is_pool_busy()),
        };
        self.note_renewed();
        phase
    }

    /// What an eject that failed may have begun: it unplugs the member's storage one by one before it asks the member.
    fn left_behind(&mut self, predicted: &Predicted, params: &[String]) -> Vec<String> {
        let found = self.world.collect_pool();
        self.note_renewed();
        match found {
            Ok((side, _)) => left_by_eject(&side.snapshot.pool, &predicted.host, params),
            Err(trouble) => vec![format!("the pool could not be read, so it is not known what had begun: {trouble}")],
        }
    }

    /// Compares the pool with the prediction; what comes up late gets its time.
    fn verify(&mut self, predicted: &Predicted, began: Duration) -> End {
        let arrived = self.world.elapsed();
        loop {
            let (differences, patience) = match (self.world.collect_pool(), self.act) {
                (Ok((side, _)), Act::Join) => (after_join(&side.snapshot.pool, predicted), self.waits.grace),
                (Ok((side, _)), Act::Eject) => (after_eject(&side.snapshot.pool, predicted), self.waits.grace),
                // A pool that does not answer for a moment says nothing of the host.
                (Err(trouble), _) => (vec![unread(&trouble.what)], self.waits.wait),
            };
            self.note_renewed();
            let late = self.world.elapsed().saturating_sub(arrived) >= patience;
            if differences.is_empty() || late || self.world.interrupted() {
                let (notes, missing) =
                    if self.act == Act::Eject { self.wait_for_return(began) } else { (Vec::new(), None) };
                return End::Done { differences: differences.into_iter().chain(missing).collect(), notes };
            }
            self.world.pause(self.waits.poll);
        }
    }

    /// An ejected host restarts and is set up anew, which takes minutes; the eject itself is done. What is seen of its return,
    /// or that it has not returned.
    fn wait_for_return(&mut self, began: Duration) -> (Vec<String>, Option<Difference>) {
        let mut told = String::new();
        loop {
            let (back, about) = look::of_return(&self.world.look_host(self.place));
            self.note_renewed();
            if about != told {
                self.world.tell(&format!("{}: {about}", self.host.name));
                told.clone_from(&about);
            }
            if back {
                return (vec![about], None);
            }
            let passed = self.world.elapsed().saturating_sub(began);
            if passed >= self.waits.wait || self.world.interrupted() {
                let message = format!(
                    "{about}; reach it at {} or at its console, with the pool's root password",
                    self.host.address
                );
                let severity = crate::rules::Severity::Warning;
                return (Vec::new(), Some(Difference { about: "return", severity, message, fix: Vec::new() }));
            }
            self.world.pause(self.waits.poll);
        }
    }

    fn note_renewed(&mut self) {
        for renewed in self.world.renewed() {
            self.note(renewed.into());
        }
    }

    /// Writes what happened after the call. A journal that fails now must not stop the watch over the host.
    fn note(&mut self, event: Event) {
        if let Err(error) = self.journal.write(event) {
            self.world
                .tell(&format!("warning: {}; the call was sent, and what becomes of it is looked at", error.what()));
        }
    }
}

fn unconfirmed(phase: Phase) -> End {
    End::Unconfirmed { about: phase.about, advice: phase.advice }
}

fn unread(why: &str) -> Difference {
    Difference {
        about: "pool",
        severity: crate::rules::Severity::Warning,
        message: format!("the pool could not be read, so it is not known whether all is as predicted: {why}"),
        fix: Vec::new(),
    }
}
