//! What changed between the plan and the act: rules that say something else, and facts that rules read.

use std::collections::BTreeMap;
use std::fmt;

use super::plan::Step;
use crate::rules::{FactRead, Finding, Outcome};

/// Something that is not as the plan has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drift {
    /// A rule says something else.
    Rule {
        /// The rule.
        rule: String,
        /// What it said.
        was: Option<Outcome>,
        /// What it says now.
        is: Option<Outcome>,
        /// Why, in its words.
        message: String,
    },
    /// A fact has another value.
    Fact {
        /// Which.
        fact: String,
        /// Of what; empty outside lists.
        of: String,
        /// Its value in the plan; none where it was not there.
        was: Option<String>,
        /// Its value now; none where it is gone.
        is: Option<String>,
    },
    /// Something about the servers themselves.
    Other {
        /// What.
        what: String,
        /// In the plan.
        was: String,
        /// Now.
        is: String,
    },
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |outcome: &Option<Outcome>| outcome.map_or("no such rule", Outcome::word);
        match self {
            Self::Rule { rule, was, is, message } => {
                write!(f, "rule {rule}: {} → {}", word(was), word(is))?;
                if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
            }
            Self::Fact { fact, of, was, is } => {
                let of = if of.is_empty() { String::new() } else { format!(" of {of}") };
                let shown = |value: &Option<String>, none: &'static str| {
                    value.as_ref().map_or_else(|| none.to_owned(), |value| format!("\"{value}\""))
                };
                write!(f, "{fact}{of}: {} → {}", shown(was, "not there"), shown(is, "gone"))
            }
            Self::Other { what, was, is } => write!(f, "{what}: {was} → {is}"),
        }
    }
}

/// How much is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Everything: both looks are of the same pool.
    Same,
    /// Hosts of this run have joined since: the pool's own facts differ by that. Then the joiner's facts are compared, and
    /// no rule may say something worse.
    AfterJoins,
}

/// Compares a step with what was judged now.
pub fn compare(step: &Step, findings: &[Finding], facts: &[FactRead], basis: Basis) -> Vec<Drift> {
    let mut drift = rules(step, findings, basis);
    let counted = |read: &&FactRead| basis == Basis::Same || is_joiners(&read.fact);
    let old: BTreeMap<_, _> = step.facts.iter().filter(counted).map(|read| ((&read.fact, &read.key), read)).collect();
    let new: BTreeMap<_, _> = facts.iter().filter(counted).map(|read| ((&read.fact, &read.key), read)).collect();
    for (key, was) in &old {
        let is = new.get(key);
        if is.is_none_or(|is| is.value != was.value) {
            drift.push(changed(was, Some(was), is.copied()));
        }
    }
    drift.extend(new.iter().filter(|(key, _)| !old.contains_key(*key)).map(|(_, is)| changed(is, None, Some(is))));
    drift
}

fn rules(step: &Step, findings: &[Finding], basis: Basis) -> Vec<Drift> {
    let mut drift = Vec::new();
    for finding in findings {
        let was = step.outcomes.get(&finding.rule).copied();
        let stops = match basis {
            Basis::Same => was != Some(finding.outcome),
            Basis::AfterJoins => was.is_none_or(|was| weight(finding.outcome) > weight(was)),
        };
        if stops {
            let message = match finding.outcome {
                Outcome::Fail | Outcome::Unknown => finding.message.clone(),
                Outcome::Pass | Outcome::NotApplicable => String::new(),
            };
            drift.push(Drift::Rule { rule: finding.rule.clone(), was, is: Some(finding.outcome), message });
        }
    }
    for (rule, was) in &step.outcomes {
        if !findings.iter().any(|finding| finding.rule == *rule) {
            drift.push(Drift::Rule { rule: rule.clone(), was: Some(*was), is: None, message: String::new() });
        }
    }
    drift
}

const fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Pass | Outcome::NotApplicable => 0,
        Outcome::Unknown => 1,
        Outcome::Fail => 2,
    }
}

fn is_joiners(fact: &str) -> bool {
    let root = fact.split(['.', '[']).next().unwrap_or_default();
    matches!(root, "joiner" | "host" | "management" | "software" | "release")
}

fn changed(named: &FactRead, was: Option<&FactRead>, is: Option<&FactRead>) -> Drift {
    Drift::Fact {
        fact: named.fact.clone(),
        of: named.of.clone(),
        was: was.map(|read| read.value.clone()),
        is: is.map(|read| read.value.clone()),
    }
}
