//! The part of the table that is about a member that is to leave.

use std::fmt::Write as _;

use super::{Page, read_from, summary, verdict_style};
use crate::eject::EjectFacts;
use crate::facts::{Known, Unknown};
use crate::report::losses::losses;
use crate::report::{MemberReport, Report, plural, telling};
use crate::rules::Verdict;
use crate::text::shell_word;

impl Page {
    /// The whole report of an eject.
    pub(super) fn member(&mut self, report: &Report, member: &MemberReport) {
        let pool = &report.pool;
        let hosts = pool.hosts.map_or_else(|| "host count unknown".to_owned(), |hosts| plural(hosts, "host"));
        let release = if pool.release.is_empty() { String::new() } else { format!(", {}", pool.release) };
        let verdict = self.styled(verdict_style(report.verdict), report.verdict.words());
        let _ = writeln!(self.out, "{verdict}");
        self.wrapped("", &format!("{} leaves pool {} ({hosts}{release})", member.name, pool.name));
        self.waived(std::iter::once(member.findings.as_slice()));
        for note in &pool.notes {
            self.wrapped("  note: ", note);
        }
        if self.options.quiet {
            return;
        }
        let _ = writeln!(self.out);
        self.wrapped("", &summary(&member.name, &member.release, &member.findings));
        self.wrapped("", &read_from("pool", &pool.target, &pool.seen));
        self.rows(&member.findings);
        self.eject_answer(member);
        self.losses(&member.facts);
        self.remains(&member.facts);
        for finding in telling(&member.findings) {
            self.finding(finding);
        }
        self.next_eject(member);
    }

    fn eject_answer(&mut self, member: &MemberReport) {
        self.section("The server's answer");
        let Some(server) = &member.server else {
            self.wrapped("  ", "none to predict: no server of a known release was seen");
            return;
        };
        let answer = match &server.first {
            Some(first) => format!("pool.eject refuses with {} [{}]", first.code, first.params.join("; ")),
            None if server.undecided.is_empty() => "pool.eject passes its checks".to_owned(),
            None => "pool.eject is not known to refuse".to_owned(),
        };
        self.wrapped("  ", &answer);
        let later: Vec<_> =
            server.failing.iter().skip(1).map(|check| format!("{} ({})", check.code, check.check)).collect();
        if !later.is_empty() {
            self.wrapped("  then, one by one: ", &later.join(", "));
        }
        if !server.undecided.is_empty() {
            self.wrapped("  cannot tell: ", &server.undecided.join(", "));
        }
    }

    fn losses(&mut self, facts: &EjectFacts) {
        self.section("What is lost");
        for lost in losses(facts) {
            if !lost.remark.is_empty() {
                self.wrapped("  ", &format!("{}: {}", lost.what, lost.remark));
                continue;
            }
            let _ = writeln!(self.out, "  {}:", lost.what);
            for name in &lost.names {
                self.wrapped("    • ", name);
            }
            if lost.more > 0 {
                let _ = writeln!(self.out, "    • and {} more", lost.more);
            }
        }
    }

    fn remains(&mut self, facts: &EjectFacts) {
        self.section("What stays");
        let management = match &facts.management {
            Known::No(unknown) => missing(unknown),
            Known::Yes(None) => "none".to_owned(),
            Known::Yes(Some(kept)) => kept.in_words(),
        };
        self.wrapped("  on the host, management: ", &management);
        self.wrapped("  on the host: ", "the pool's root password; certificate verification is off");
        self.wrapped("  ", "have its console (IPMI) at hand: only this one interface comes back");
        let capacity = &facts.capacity;
        let memory = match (&capacity.memory_gib, &capacity.needed_gib, &capacity.hosts) {
            (Known::Yes(memory), Known::Yes(needed), Known::Yes(hosts)) => {
                let hosts = plural(usize::try_from(*hosts).unwrap_or_default(), "host");
                format!("{hosts} with {memory} GiB for running VMs that may take {needed} GiB")
            }
            (Known::No(unknown), _, _) | (_, Known::No(unknown), _) | (_, _, Known::No(unknown)) => missing(unknown),
        };
        self.wrapped("  in the pool: ", &memory);
        let gained = match &facts.cpu.regained_groups {
            Known::Yes(groups) if groups.is_empty() => "nothing".to_owned(),
            Known::Yes(groups) => groups.join("; "),
            Known::No(unknown) => missing(unknown),
        };
        self.wrapped("  CPU features that the pool gets back: ", &gained);
    }

    fn next_eject(&mut self, member: &MemberReport) {
        if matches!(member.verdict, Verdict::Go | Verdict::GoWithWarnings)
            && member.server.is_some()
            && !member.uuid.is_empty()
        {
            self.section("Next, on the coordinator");
            let _ = writeln!(self.out, "  xe host-disable uuid={}", shell_word(&member.uuid));
            let _ = writeln!(self.out, "  xe pool-eject host-uuid={}", shell_word(&member.uuid));
        }
    }
}

fn missing(unknown: &Unknown) -> String {
    format!("unknown ({unknown})")
}
