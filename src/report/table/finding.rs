//! One finding with what was seen, and the commands that mend it.

use std::fmt::Write as _;

use super::{Page, outcome_style};
use crate::report::parts::{about, mark, overridden, waived};
use crate::report::plural;
use crate::rules::{Evidence, Finding, FixStep, Outcome};
use crate::text::plain;

/// How many facts a finding shows before it counts the rest; JSON has them all.
const EVIDENCE: usize = 6;
/// How many items of a list a finding shows before it counts the rest.
const ITEMS: usize = 12;

impl Page {
    pub(super) fn finding(&mut self, finding: &Finding) {
        let heading = format!("{}: {}", mark(finding), finding.rule);
        let heading = self.styled(outcome_style(finding), &heading);
        let _ = writeln!(self.out, "\n{heading}");
        if finding.outcome == Outcome::Unknown {
            // The row above says what cannot be told; here is what would decide it.
            self.needs(&finding.evidence);
        } else {
            self.wrapped("  ", &finding.message);
            for remark in waived(finding).into_iter().chain(overridden(finding)) {
                self.wrapped("  ", &remark);
            }
            self.items(&finding.items);
            for evidence in finding.evidence.iter().take(EVIDENCE) {
                self.wrapped("  seen: ", &witness(evidence));
            }
        }
        let hidden = finding.evidence.len().saturating_sub(EVIDENCE) + finding.evidence_left_out;
        if hidden > 0 {
            let _ = writeln!(self.out, "  {} more in the JSON report", plural(hidden, "fact"));
        }
        for step in &finding.fix {
            self.step(step);
        }
    }

    /// What would decide, each reason once.
    fn needs(&mut self, evidence: &[Evidence]) {
        let mut reasons: Vec<(&Evidence, usize)> = Vec::new();
        for fact in evidence {
            match reasons.iter_mut().find(|(first, _)| first.value == fact.value) {
                Some((_, more)) => *more += 1,
                None => reasons.push((fact, 0)),
            }
        }
        for (fact, more) in reasons.iter().take(EVIDENCE) {
            let more = if *more > 0 { format!(" (and {} like it)", plural(*more, "fact")) } else { String::new() };
            let text = format!("{}{}: {}{}{more}", fact.fact, object(fact), fact.value, about(fact));
            self.wrapped("  needs: ", &text);
        }
    }

    /// One line an item; items of one shape, "what: who", share a line when they say the same.
    fn items(&mut self, items: &[String]) {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for item in items {
            let (what, who) = item.rsplit_once(": ").unwrap_or((item, ""));
            match groups.iter_mut().find(|(group, _)| *group == what) {
                Some((_, members)) if !who.is_empty() => members.push(who),
                _ => groups.push((what, vec![who])),
            }
        }
        for (what, who) in groups.iter().take(ITEMS) {
            let more = if who.len() > ITEMS { format!(" and {} more", who.len() - ITEMS) } else { String::new() };
            let names = who.iter().copied().take(ITEMS).collect::<Vec<_>>().join(", ");
            let line = if names.is_empty() { (*what).to_owned() } else { format!("{what}: {names}{more}") };
            self.wrapped("  • ", &line);
        }
        if groups.len() > ITEMS {
            let _ = writeln!(self.out, "  • and {} more", groups.len() - ITEMS);
        }
    }

    pub(super) fn step(&mut self, step: &FixStep) {
        let label = match step.place.as_str() {
            "anywhere" => "  mend: ".to_owned(),
            "firmware" | "cabling" => format!("  mend in the {}: ", step.place),
            "member" if self.new_member => "  mend on the new member: ".to_owned(),
            "pool" => "  mend in the pool: ".to_owned(),
            place => format!("  mend on the {place}: "),
        };
        if step.run.is_empty() {
            self.wrapped(&label, &step.note);
        } else {
            // Commands are copied: they are never wrapped.
            let _ = writeln!(self.out, "{label}{}", plain(&step.run));
            if !step.note.is_empty() {
                self.wrapped("    ", &step.note);
            }
        }
        if !step.loses.is_empty() {
            self.wrapped("    loses: ", &step.loses);
        }
    }
}

fn witness(evidence: &Evidence) -> String {
    let mut text = format!("{} = {}{}", evidence.fact, elided(&evidence.value), object(evidence));
    if evidence.assumed {
        text.push_str(" (assumed)");
    }
    text
}

/// A long value without spaces, such as feature words, with its middle left out; JSON has it whole.
fn elided(value: &str) -> String {
    const LONGEST: usize = 48;
    let length = value.chars().count();
    if length <= LONGEST || value.contains(' ') {
        return value.to_owned();
    }
    let head: String = value.chars().take(26).collect();
    let tail: String = value.chars().skip(length - 9).collect();
    format!("{head}…{tail}")
}

/// The object of a fact, where it has a name of its own.
fn object(evidence: &Evidence) -> String {
    if evidence.object.contains(' ') { format!(" [{}]", evidence.object) } else { String::new() }
}
