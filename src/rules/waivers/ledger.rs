//! Applies waivers to findings, and keeps account of which did what: what is expired, unmatched, over-broad or cannot
//! be waived is a finding itself.

use super::{Date, Waiver, Waivers};
use crate::rules::outcome::{Evidence, Finding, FixStep, Outcome, ServerAnswer, Severity, Waived};
use crate::rules::registry::Registry;
use crate::snapshot::{Host, Pool};

/// The longest that a waiver should hold, days.
const LONG: u64 = 366;

/// Whom a set of findings is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The pool.
    pub pool: &'a Pool,
    /// The host that joins or leaves, where it is known.
    pub host: Option<&'a Host>,
    /// What the report calls it.
    pub name: &'a str,
    /// Whether the host's release is known, and with it which checks its server has.
    pub release_known: bool,
    /// Whether others of the run come before it: what they bring about does not fail on it any more.
    pub after_others: bool,
}

/// The waivers of a run, and what became of each.
#[derive(Debug)]
pub struct Ledger<'w> {
    waivers: &'w Waivers,
    today: Date,
    /// Whether a check that force skips may be waived: only where somebody may force.
    forceable: bool,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    /// Hosts that it covers.
    covered: Vec<String>,
    /// Whether one of them comes first in the run.
    first: bool,
    /// Hosts on which it waived its rule.
    waived: usize,
    /// Hosts on which it did not, and why.
    refused: Vec<(String, String)>,
}

impl<'w> Ledger<'w> {
    /// An account in which nothing is written yet. Waivers are judged as of `today`.
    pub fn new(waivers: &'w Waivers, today: Date) -> Self {
        Self { waivers, today, forceable: true, entries: vec![Entry::default(); waivers.list.len()] }
    }

    /// The day as of which waivers are judged.
    pub const fn today(&self) -> Date {
        self.today
    }

    /// For a run that never forces: then no refusal of the server is waived at all.
    #[must_use]
    pub fn unforced(mut self) -> Self {
        self.forceable = false;
        self
    }

    /// Marks the findings that are waived. A missing fact is never waived, nor a refusal of the server that force does
    /// not skip: the join would fail all the same.
    pub fn settle(&mut self, subject: Subject<'_>, rules: &Registry, findings: &mut [Finding]) {
        for (waiver, entry) in self.waivers.list.iter().zip(&mut self.entries) {
            if !covers(waiver, subject) {
                continue;
            }
            entry.covered.push(subject.name.to_owned());
            entry.first |= !subject.after_others;
            let open = findings.iter_mut().filter(|finding| finding.rule == waiver.rule && finding.waived.is_none());
            for finding in open {
                match finding.outcome {
                    Outcome::Pass | Outcome::NotApplicable => {}
                    // It has its own finding.
                    _ if waiver.expires < self.today => {}
                    Outcome::Unknown => {
                        let why = "it is undecided, and a missing fact is no finding to waive";
                        entry.refused.push((subject.name.to_owned(), why.to_owned()));
                    }
                    Outcome::Fail => match stands(finding, rules, subject.release_known, self.forceable) {
                        Some(why) => entry.refused.push((subject.name.to_owned(), why)),
                        None => {
                            entry.waived += 1;
                            finding.waived = Some(Waived {
                                reason: waiver.reason.clone(),
                                owner: waiver.owner.clone(),
                                expires: waiver.expires.to_string(),
                                waiver: format!("{}:{}", self.waivers.file, waiver.line),
                            });
                        }
                    },
                }
            }
        }
    }

    /// What is wrong with the waivers, in the order of the file. Call it when all hosts are settled.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (waiver, entry) in self.waivers.list.iter().zip(&self.entries) {
            let what = format!("the waiver of {} for {}", waiver.rule, waiver.scope());
            let mut say = |rule: &str, severity, message: String, note: &str| {
                findings.push(self.finding(waiver, rule, severity, message, note));
            };
            if waiver.expires < self.today {
                let message = format!("{what} expired on {}: it no longer counts", waiver.expires);
                say(
                    "waiver-expired",
                    Severity::Warning,
                    message,
                    "Mend what it covered, or have its owner renew it.",
                );
                continue;
            }
            if entry.covered.is_empty() {
                let message = format!("{what} covers no host of this run");
                let note = "Correct the name, or remove the waiver if the host is gone.";
                say("waiver-unmatched", Severity::Note, message, note);
            } else if entry.waived == 0 && entry.refused.is_empty() && !entry.first {
                let message = format!("{what} has nothing to waive here, where others join first");
                let note = "Keep it if the rule fails when the host is judged without them, else remove it.";
                say("waiver-unmatched", Severity::Note, message, note);
            } else if entry.waived == 0 && entry.refused.is_empty() {
                let message = format!("{what} has nothing to waive: the rule does not fail there");
                say("waiver-unmatched", Severity::Warning, message, "Remove it: the next failure would pass unseen.");
            }
            for (host, why) in &entry.refused {
                let message = format!("{what} does not count on {host}: {why}");
                say("waiver-not-applied", Severity::Warning, message, "Mend the finding, and remove the waiver.");
            }
            if let Some(broad) = self.broad(waiver, entry) {
                say(
                    "waiver-broad",
                    Severity::Warning,
                    format!("{what} {broad}"),
                    "Name one host, and a day within a year.",
                );
            }
        }
        findings
    }

    fn broad(&self, waiver: &Waiver, entry: &Entry) -> Option<String> {
        let days = self.today.days_until(waiver.expires);
        if waiver.host.is_none() && waiver.serial.is_none() {
            Some("covers every host that ever joins that pool".to_owned())
        } else if entry.covered.len() > 1 {
            Some(format!("covers {} hosts of this run", entry.covered.len()))
        } else if days > LONG {
            Some(format!("holds for {days} more days"))
        } else {
            None
        }
    }

    fn finding(&self, waiver: &Waiver, rule: &str, severity: Severity, message: String, note: &str) -> Finding {
        let title = match rule {
            "waiver-expired" => "No waiver is expired",
            "waiver-unmatched" => "Every waiver waives something",
            "waiver-not-applied" => "What is waived can be waived",
            _ => "Every waiver is narrow and short",
        };
        Finding {
            rule: rule.to_owned(),
            title: title.to_owned(),
            outcome: Outcome::Fail,
            severity,
            message,
            items: Vec::new(),
            evidence: vec![Evidence {
                fact: "waiver".to_owned(),
                object: format!("owner {}", waiver.owner),
                value: format!("until {}, because: {}", waiver.expires, waiver.reason),
                missing: false,
                about: String::new(),
                source: format!("{}:{}", self.waivers.file, waiver.line),
                seen: self.today.to_string(),
                assumed: false,
            }],
            evidence_left_out: 0,
            fix: vec![FixStep {
                place: "anywhere".to_owned(),
                run: String::new(),
                note: note.to_owned(),
                loses: String::new(),
            }],
            server: None,
            unknown: None,
            waived: None,
            severity_was: None,
            sole: false,
        }
    }
}

fn covers(waiver: &Waiver, subject: Subject<'_>) -> bool {
    let named = |wanted: &Option<String>, names: [Option<&str>; 2]| {
        wanted.as_deref().is_none_or(|wanted| names.contains(&Some(wanted)))
    };
    let host = subject.host;
    let name = host.and_then(|host| host.name_label.text());
    let serial = host.and_then(|host| host.hardware.get()).and_then(|hardware| hardware.serial.text());
    named(&waiver.host, [name, host.and_then(|host| host.uuid.text())])
        && named(&waiver.pool, [subject.pool.name_label.text(), subject.pool.uuid.text()])
        && named(&waiver.serial, [serial, None])
}

/// Why a failed finding stands whatever a waiver says.
fn stands(finding: &Finding, rules: &Registry, release_known: bool, forceable: bool) -> Option<String> {
    let rule = rules.get(&finding.rule)?;
    if !rule.waivable {
        return Some("the server itself fails on it after its checks, which nothing skips".to_owned());
    }
    let check = rule.server.as_ref().map(|server| server.check)?;
    if check.force_skips && forceable {
        return None;
    }
    match &finding.server {
        Some((_, _, ServerAnswer::Refuses(refusal))) if check.force_skips => {
            Some(format!("the server refuses with {}, and nothing is forced here", refusal.code))
        }
        Some((_, _, ServerAnswer::Refuses(refusal))) => {
            Some(format!("the server refuses with {}, and force does not skip its check", refusal.code))
        }
        Some((_, _, ServerAnswer::Undecided)) => {
            Some(format!("what the server's check {} answers is not known", check.name))
        }
        None if !release_known => {
            Some(format!("the release is not known, and with it whether its server has the check {}", check.name))
        }
        Some((_, _, ServerAnswer::Passes)) | None => None,
    }
}
