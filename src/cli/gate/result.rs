//! How a run ended, for the operator and for programs.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value as Json, json};

use crate::cli::Exit;
use crate::gate::journal::{Act, Named};
use crate::gate::verify::Difference;
use crate::gate::{End, Turn};
use crate::rules::Verdict;
use crate::text::{plain, wrapped};

/// The exit status of a turn.
pub(super) const fn exit_of(end: &End) -> Exit {
    match end {
        End::Done { differences, .. } if differences.is_empty() => Exit::Done,
        End::NotReached => Exit::Done,
        End::Verdict(Verdict::Undecided) => Exit::Undecided,
        End::Done { .. }
        | End::Drifted(_)
        | End::Verdict(_)
        | End::Busy(_)
        | End::Refused { .. }
        | End::NoEffect { .. } => Exit::Refused,
        End::Unreachable(_) => Exit::Unreachable,
        End::Interrupted => Exit::Usage,
        End::Unconfirmed { .. } => Exit::Unconfirmed,
    }
}

/// A run that has ended.
pub(super) struct Told<'a> {
    pub(super) act: Act,
    pub(super) pool: &'a Named,
    pub(super) turns: &'a [Turn],
    pub(super) journal: &'a Path,
    pub(super) head: &'a str,
    pub(super) exit: Exit,
    /// The targets as the operator named them, as words for a shell.
    pub(super) words: &'a str,
}

impl Told<'_> {
    pub(super) fn to_text(&self, width: u16) -> String {
        let mut out = String::new();
        for turn in self.turns {
            self.turn(&mut out, turn, width);
        }
        let _ = writeln!(out, "\njournal {}", self.journal.display());
        let _ = writeln!(out, "  last hash {}", self.head);
        out
    }

    fn turn(&self, out: &mut String, turn: &Turn, width: u16) {
        let (word, sentence) = self.sentence(turn);
        out.push_str(&wrapped(&format!("{word}  "), &sentence, width));
        let mut lines = |lines: &[String]| {
            for line in lines {
                out.push_str(&wrapped("  - ", line, width));
            }
        };
        match &turn.end {
            End::Done { differences, notes } => {
                for difference in differences {
                    show_difference(out, difference, width);
                }
                for note in notes {
                    out.push_str(&wrapped("  ", note, width));
                }
            }
            End::Drifted(drift) => {
                lines(&drift.iter().map(ToString::to_string).collect::<Vec<_>>());
                out.push_str(&wrapped("  ", "Look at what changed, and make the plan anew.", width));
            }
            End::Busy(operations) => lines(operations),
            End::NoEffect { .. } => {
                let again = format!(
                    "It was not sent again. `poolgate {}` with the same targets checks everything anew first.",
                    self.act.word()
                );
                out.push_str(&wrapped("  ", &again, width));
            }
            End::Unconfirmed { advice, .. } => {
                if !advice.is_empty() {
                    out.push_str(&wrapped("  ", advice, width));
                }
                out.push_str(&wrapped("  ", "To look again, which sends nothing:", width));
                // A command is copied: never broken.
                let _ = writeln!(out, "  poolgate {} --resume {}", self.act.word(), plain(self.words));
            }
            End::Refused { left, .. } => {
                lines(left);
                let advice = format!(
                    "Why, and whether anything had begun, stands in /var/log/xensource.log on the {}, about {}. \
                     `poolgate check` with the same targets judges both anew.",
                    if self.act == Act::Join { "joiner and the coordinator" } else { "coordinator and the member" },
                    self.act.method()
                );
                out.push_str(&wrapped("  ", &advice, width));
            }
            _ => {}
        }
    }

    /// The first word of a turn, and what it means.
    fn sentence(&self, turn: &Turn) -> (&'static str, String) {
        let (host, pool, method) = (&turn.host.name, &self.pool.name, self.act.method());
        let is = match self.act {
            Act::Join => format!("{host} is a member of {pool}"),
            Act::Eject => format!("{host} has left {pool}"),
        };
        match &turn.end {
            End::Done { differences, .. } if differences.is_empty() => ("DONE", format!("{is}, as predicted")),
            End::Done { differences, .. } => {
                let count = differences.len();
                (
                    "DONE",
                    format!("{is}, and {count} thing{} not as predicted:", if count == 1 { " is" } else { "s are" }),
                )
            }
            End::Drifted(_) => ("STOPPED", format!("{host}: nothing was sent; since the plan this has changed:")),
            End::Verdict(verdict) => {
                ("STOPPED", format!("{host}: nothing was sent; the verdict is {} now", verdict.words()))
            }
            End::Busy(_) => (
                "STOPPED",
                format!("{host}: nothing was sent; something else is in progress, wait until it is done:"),
            ),
            End::Unreachable(why) => ("STOPPED", format!("{host}: nothing was sent; {why}")),
            End::Interrupted => ("STOPPED", format!("{host}: nothing was sent; interrupted")),
            End::NotReached => ("NOT STARTED", format!("{host}: an earlier host did not end well")),
            End::Refused { code, params, .. } => {
                ("REFUSED", format!("{host}: the server refused {method} with {code} [{}]", params.join(", ")))
            }
            End::NoEffect { about } => {
                ("NO EFFECT", format!("{host}: {method} was sent and did not take effect: {about}"))
            }
            End::Unconfirmed { about, .. } => {
                ("NOT CONFIRMED", format!("{host}: {method} was sent and its end is not known: {about}"))
            }
        }
    }

    pub(super) fn to_json(&self) -> String {
        let turns: Vec<_> = self.turns.iter().map(turn_json).collect();
        let json = json!({
            "format": "poolgate-run",
            "version": "1.0",
            "act": self.act.word(),
            "pool": {"name": self.pool.name, "uuid": self.pool.uuid},
            "turns": turns,
            "journal": {"file": self.journal.display().to_string(), "head": self.head},
            "exit": self.exit as u8,
        });
        crate::text::json(&json)
    }
}

fn turn_json(turn: &Turn) -> Json {
    let differences: Vec<_> = match &turn.end {
        End::Done { differences, .. } => differences
            .iter()
            .map(|difference| {
                json!({
                    "about": difference.about, "severity": difference.severity, "message": difference.message,
                    "fix": difference.fix,
                })
            })
            .collect(),
        _ => Vec::new(),
    };
    let advice = match &turn.end {
        End::Unconfirmed { advice, .. } => advice.as_str(),
        _ => "",
    };
    json!({
        "host": {"name": turn.host.name, "uuid": turn.host.uuid, "address": turn.host.address},
        "outcome": turn.end.outcome(),
        "about": turn.end.about(),
        "differences": differences,
        "advice": advice,
    })
}

fn show_difference(out: &mut String, difference: &Difference, width: u16) {
    out.push_str(&wrapped("  - ", &difference.message, width));
    for fix in &difference.fix {
        if !fix.run.is_empty() {
            // A command is copied: never broken.
            let _ = writeln!(out, "    on the {}: {}", fix.place, plain(&fix.run));
        }
        if !fix.note.is_empty() {
            out.push_str(&wrapped("      ", &fix.note, width));
        }
    }
}
