//! What changed between the plan and the act: rules that say something else, and facts that rules read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::plan::{Change, Plan, PlannedFinding, Predicted, Step};
use crate::rules::{FactRead, Outcome};

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

/// Compares a plan with one that was made of what is seen now, at one step of each.
pub fn compare(was: (&Plan, &Step), is: (&Plan, &Step), basis: Basis) -> Vec<Drift> {
    let mut drift = servers(was, is);
    drift.extend(rules(was.1, is.1, basis));
    drift.extend(waivers(was.1, is.1));
    drift.extend(foreseen(was.1, is.1, basis));
    let counted = |read: &&FactRead| basis == Basis::Same || is_joiners(&read.fact);
    let old: BTreeMap<_, _> =
        was.1.facts.iter().filter(counted).map(|read| ((&read.fact, &read.key), read)).collect();
    let new: BTreeMap<_, _> = is.1.facts.iter().filter(counted).map(|read| ((&read.fact, &read.key), read)).collect();
    for (key, was) in &old {
        let is = new.get(key);
        if is.is_none_or(|is| is.value != was.value) {
            drift.push(changed(was, Some(was), is.copied()));
        }
    }
    drift.extend(new.iter().filter(|(key, _)| !old.contains_key(*key)).map(|(_, is)| changed(is, None, Some(is))));
    drift
}

/// Who takes part, and what would be called.
fn servers(was: (&Plan, &Step), is: (&Plan, &Step)) -> Vec<Drift> {
    let of = |(plan, step): (&Plan, &Step)| {
        let coordinator = &plan.pool.coordinator;
        [
            ("the pool", plan.pool.uuid.clone()),
            ("the coordinator", coordinator.uuid.clone()),
            ("the coordinator's address", coordinator.address.clone()),
            ("the coordinator's certificate", coordinator.fingerprint.clone()),
            ("the host", step.host.uuid.clone()),
            ("the host's address", step.host.address.clone()),
            ("the host's certificate", step.host.fingerprint.clone()),
            ("the call", format!("{} at {} {:?}", step.call.method, step.call.server, step.call.params)),
            ("the rules", plan.rules.clone()),
            ("the largest pool allowed", plan.max_hosts.to_string()),
        ]
    };
    let pairs = of(was).into_iter().zip(of(is));
    let differing = pairs.filter(|((_, was), (_, is))| was != is);
    differing.map(|((what, was), (_, is))| Drift::Other { what: what.to_owned(), was, is }).collect()
}

fn rules(was: &Step, is: &Step, basis: Basis) -> Vec<Drift> {
    let mut drift = Vec::new();
    let names: BTreeSet<_> = was.outcomes.keys().chain(is.outcomes.keys()).collect();
    for rule in names {
        let (was, now) = (was.outcomes.get(rule).copied(), is.outcomes.get(rule).copied());
        let stops = match (basis, was, now) {
            (Basis::AfterJoins, Some(was), Some(now)) => weight(now) > weight(was),
            _ => was != now,
        };
        if stops {
            let message =
                is.findings.iter().find(|finding| finding.rule == *rule).map(|finding| finding.message.clone());
            drift.push(Drift::Rule { rule: rule.clone(), was, is: now, message: message.unwrap_or_default() });
        }
    }
    drift
}

/// Findings that are waived otherwise than the plan has it: somebody agreed to these waivers and no others. Where the rule
/// itself says something else, that is told already.
fn waivers(was: &Step, is: &Step) -> Vec<Drift> {
    let shown = |finding: &PlannedFinding| {
        finding.waived.as_ref().map_or_else(
            || "not waived".to_owned(),
            |waived| format!("waived by {} until {}: {}", waived.owner, waived.expires, waived.reason),
        )
    };
    let pairs = was.findings.iter().filter_map(|was| {
        let is = is.findings.iter().find(|is| is.rule == was.rule && is.outcome == was.outcome)?;
        Some((was, is))
    });
    pairs
        .map(|(was, is)| (format!("rule {}", was.rule), shown(was), shown(is)))
        .filter(|(_, was, is)| was != is)
        .map(|(what, was, is)| Drift::Other { what, was, is })
        .collect()
}

/// What would become of host and pool otherwise than the plan has it, though no rule speaks of it: a NIC that has another
/// address, a VLAN of another tag.
fn foreseen(was: &Step, is: &Step, basis: Basis) -> Vec<Drift> {
    let mut drift = Vec::new();
    if basis == Basis::Same {
        let of = |step: &Step| -> Vec<(String, String)> {
            let said =
                |change: &Change| (format!("on the {}, {}", change.place, change.what), change.becomes.clone());
            step.changes.iter().map(said).collect()
        };
        drift.extend(differing(&of(was), &of(is)));
    }
    let (old, new) = (predicted(&was.predicted, basis), predicted(&is.predicted, basis));
    drift.extend(differing(&old, &new));
    drift
}

/// What is predicted, by what it is about. Of a pool that has grown since, what the joiner brings.
fn predicted(predicted: &Predicted, basis: Basis) -> Vec<(String, String)> {
    let level = |level: &Option<String>| level.clone().unwrap_or_else(|| "not known".to_owned());
    let mut all = Vec::new();
    if basis == Basis::Same {
        all.push(("predicted CPU level (HVM)".to_owned(), level(&predicted.level_hvm)));
        all.push(("predicted CPU level (PV)".to_owned(), level(&predicted.level_pv)));
    }
    for nic in &predicted.nics {
        let network = nic.network.as_deref().unwrap_or("no network");
        all.push((format!("predicted NIC {}", nic.device), format!("{} on {} of {network}", nic.mac, nic.bridge)));
    }
    for bond in &predicted.bonds {
        let (name, network, mut members) = (&bond.name, &bond.network, bond.members.clone());
        // In whatever order the server lists them.
        members.sort_unstable();
        let about = format!("predicted bond {name} of {network}");
        all.push((about, format!("{} {}", bond.mode, members.join(", "))));
    }
    for vlan in &predicted.vlans {
        let (name, network) = (&vlan.name, &vlan.network);
        let made = if vlan.created { "made" } else { "not made" };
        all.push((format!("predicted VLAN {name} of {network}"), format!("tag {}, {made}", vlan.tag)));
    }
    let things = [("SR", &predicted.srs), ("VM", &predicted.vms)];
    for (kind, thing) in things.into_iter().flat_map(|(kind, things)| things.iter().map(move |thing| (kind, thing))) {
        all.push((format!("predicted {kind} {}", thing.uuid), thing.name.clone()));
    }
    all.push(("predicted management interface".to_owned(), predicted.management.clone()));
    all
}

/// What differs between two lists of what there is to say, by what it is about.
fn differing(was: &[(String, String)], is: &[(String, String)]) -> Vec<Drift> {
    let of = |list: &[(String, String)], what: &str| {
        let said: Vec<_> = list.iter().filter(|(about, _)| about == what).map(|(_, said)| said.clone()).collect();
        if said.is_empty() { "not there".to_owned() } else { said.join("; ") }
    };
    let about: BTreeSet<_> = was.iter().chain(is).map(|(about, _)| about).collect();
    let pairs = about.into_iter().map(|what| (what.clone(), of(was, what), of(is, what)));
    pairs.filter(|(_, was, is)| was != is).map(|(what, was, is)| Drift::Other { what, was, is }).collect()
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
    matches!(root, "joiner" | "host" | "management" | "software" | "release" | "machine" | "assumed")
}

fn changed(named: &FactRead, was: Option<&FactRead>, is: Option<&FactRead>) -> Drift {
    Drift::Fact {
        fact: named.fact.clone(),
        of: named.of.clone(),
        was: was.map(|read| read.value.clone()),
        is: is.map(|read| read.value.clone()),
    }
}
