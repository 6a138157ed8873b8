//! The part of the table that is about one joiner.

use std::fmt::Write as _;
use std::ops::Range;

use super::{Page, read_from, summary, verdict_style};
use crate::facts::{Known, Reason};
use crate::report::{JoinerReport, Report, network};
use crate::rules::{Prediction, Refusal, Severity, Verdict};
use crate::text::{columns, plain, shell_word};

impl Page {
    /// The heading over a joiner, or over several in a row.
    pub(super) fn joiner_heading(&mut self, joiners: &[JoinerReport], places: Range<usize>) {
        let [first, last] = [places.start, places.end - 1].map(|place| (place + 1, plain(&joiners[place].name)));
        let heading = if first.0 == last.0 {
            format!("── {}. {} ──", first.0, first.1)
        } else {
            format!("── {} to {}. {} to {} ──", first.0, last.0, first.1, last.1)
        };
        let verdict = joiners[places.start].verdict;
        let room = columns(&heading) + 1 + verdict.words().len() <= usize::from(self.options.width);
        let verdict = self.styled(verdict_style(verdict), verdict.words());
        let _ = writeln!(self.out, "\n{heading}{}{verdict}", if room { " " } else { "\n   " });
    }

    pub(super) fn joiner(&mut self, report: &Report, joiner: &JoinerReport) {
        let _ = writeln!(self.out);
        self.wrapped("", &summary(&joiner.name, &joiner.release, &joiner.findings));
        let pool = read_from("pool", &report.pool.target, &report.pool.seen);
        self.wrapped("", &format!("{}, {pool}", read_from("joiner", &joiner.target, &joiner.seen)));
        for note in &joiner.notes {
            self.wrapped("note: ", note);
        }
        if joiner.server.is_none() && report.policy.as_release.is_none() {
            self.wrapped(
                "note: ",
                "no XenServer or XCP-ng was seen running on it: `--as-release` and the pool's release (xcp-ng-8.3, xenserver-8, …) judges it as if that were freshly installed",
            );
        }
        let sole = !self.options.all && joiner.findings.iter().any(|finding| finding.sole);
        self.rows(&joiner.findings);
        if sole {
            self.wrapped(
                "",
                "It is no host that could join as it is: the other findings only compare it. --all says more.",
            );
        } else {
            self.server(joiner);
            self.cpu(joiner);
            self.network(joiner);
            self.storage(joiner);
        }
        for finding in joiner.telling() {
            self.finding(finding);
        }
        self.undecided(joiner);
        self.next(report, joiner);
    }

    /// Where blockers cannot be decided: what keeps how many of them, and what helps.
    fn undecided(&mut self, joiner: &JoinerReport) {
        if joiner.verdict != Verdict::Undecided {
            return;
        }
        let blockers = joiner.findings.iter().filter(|finding| finding.severity == Severity::Blocker);
        let reasons: Vec<_> =
            blockers.filter_map(|finding| finding.unknown.as_ref().map(|unknown| unknown.reason)).collect();
        self.section("What would decide it");
        for reason in Reason::ALL {
            let count = reasons.iter().filter(|other| **other == reason).count();
            if count > 0 {
                let blockers = if count == 1 { "blocker lacks" } else { "blockers lack" };
                self.wrapped("  ", &format!("{count} {blockers} what {}", what_helps(reason)));
            }
        }
    }

    fn server(&mut self, joiner: &JoinerReport) {
        let Some(server) = &joiner.server else {
            self.section("The server's answer");
            self.wrapped("  ", "none to predict: no XenServer or XCP-ng was seen running on the joiner");
            return;
        };
        self.section("The server's answer");
        let answer = |refusal: &Option<Refusal>, call: &str| match refusal {
            Some(refusal) => format!("{call} refuses with {} [{}]", refusal.code, refusal.params.join("; ")),
            None if server.undecided.is_empty() => format!("{call} passes its checks"),
            None => format!("{call} is not known to refuse"),
        };
        let plain = answer(&server.first, "pool.join");
        self.wrapped("  ", &plain);
        let forced = answer(&server.first_with_force, "pool.join_force");
        if server.first != server.first_with_force {
            self.wrapped("  ", &format!("{forced}; it skips assert_hosts_homogeneous, which is no reason to use it"));
        }
        let later: Vec<_> = server
            .failing
            .iter()
            .filter(|check| {
                server.first.as_ref().is_none_or(|first| (&first.code, &first.params) != (&check.code, &check.params))
            })
            .map(|check| format!("{} ({})", check.code, check.check))
            .collect();
        if !later.is_empty() {
            self.wrapped("  then, one by one: ", &later.join(", "));
        }
        if !server.undecided.is_empty() {
            self.wrapped("  cannot tell: ", &server.undecided.join(", "));
        }
    }

    fn cpu(&mut self, joiner: &JoinerReport) {
        let cpu = &joiner.cpu;
        let groups = |groups: &Known<Vec<String>>| match groups {
            Known::Yes(groups) if groups.is_empty() => "nothing".to_owned(),
            Known::Yes(groups) => groups.join("; "),
            Known::No(unknown) => format!("unknown ({unknown})"),
        };
        self.section("CPU level");
        let hvm =
            cpu.lost_by_pool.each().any(|feature| feature.sets.contains(&"hvm") || feature.sets.contains(&"all"));
        let alone = !hvm && !cpu.lost_by_pool.each().as_slice().is_empty();
        let label = if alone { "  the pool loses, for PV guests alone: " } else { "  the pool loses: " };
        self.wrapped(label, &groups(&cpu.lost_groups));
        self.wrapped("  hidden on the joiner: ", &groups(&cpu.hidden_groups));
        let stuck = match (&cpu.stranded_vms, &cpu.undecided_vms) {
            (Known::Yes(vms), Known::Yes(unsure)) if unsure.is_empty() => vms.len().to_string(),
            (Known::Yes(vms), Known::Yes(unsure)) => format!("{}, not known of {}", vms.len(), unsure.len()),
            (Known::No(unknown), _) | (_, Known::No(unknown)) => format!("unknown ({unknown})"),
        };
        self.wrapped("  VMs that could not move to the joiner: ", &stuck);
        if cpu.joiner_provenance.text() == Some("predicted") {
            self.wrapped("  ", "the joiner's guest features are predicted from raw CPUID, not observed under Xen");
        }
    }

    fn network(&mut self, joiner: &JoinerReport) {
        self.section("Network");
        for line in network::table(&joiner.network, self.options.width).lines() {
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
        for (label, text) in network::remarks(&joiner.network) {
            self.wrapped(&format!("  {label}: "), &text);
        }
        for (title, steps) in network::scripts(&joiner.network) {
            self.section(title);
            for step in &steps {
                self.step(step);
            }
        }
    }

    /// No check can look at a storage from outside, so this is for the operator to see to.
    fn storage(&mut self, joiner: &JoinerReport) {
        let Known::Yes(srs) = &joiner.storage else { return };
        if srs.is_empty() {
            return;
        }
        self.section("Storage that must admit the joiner");
        for sr in srs {
            let name = sr.name_label.text().or_else(|| sr.uuid.text()).unwrap_or("an SR");
            let at = if sr.location.is_empty() { String::new() } else { format!(" at {}", sr.location) };
            let kind = sr.kind.text().unwrap_or("driver not known");
            self.wrapped("  ", &format!("{name} ({kind}{at}): {}", sr.admit));
        }
    }

    /// Nothing stands in the way: then the command that joins is what the operator wants to read.
    fn next(&mut self, report: &Report, joiner: &JoinerReport) {
        if matches!(joiner.verdict, Verdict::Go | Verdict::GoWithWarnings) && joiner.server.is_some() {
            let address = if report.pool.address.is_empty() { "COORDINATOR" } else { &report.pool.address };
            // Where the server refuses and the verdict is GO, its check is waived, which only one that force skips can be.
            let forced = |server: &Prediction| server.first.is_some() && server.first_with_force.is_none();
            let forced = joiner.server.as_ref().is_some_and(forced);
            let live = |target: &str| target.starts_with("https://");
            if !forced && live(&report.pool.target) && live(&joiner.target) {
                self.section("Next");
                let (pool, host) = (shell_word(&report.pool.target), shell_word(&joiner.target));
                let _ = writeln!(self.out, "  poolgate join --pool {pool} --host {host}");
                self.wrapped("  ", "plans, asks, checks again, joins and compares; or by hand:");
            }
            self.section("Next, on the joiner");
            let address = plain(address).into_owned();
            let force = if forced { " force=true" } else { "" };
            let _ = writeln!(self.out, "  read -rs PW");
            let _ =
                writeln!(self.out, "  xe pool-join master-address={} master-username=root \\", shell_word(&address));
            let _ = writeln!(self.out, "    master-password=\"$PW\"{force}; unset PW");
            self.wrapped(
                "  ",
                "root's password on the joiner is the pool's from then on: that is what is typed at `read`",
            );
        }
    }
}

/// The rest of a sentence: what is missing for a reason, and what helps.
const fn what_helps(reason: Reason) -> &'static str {
    match reason {
        Reason::NotCollected => {
            "was not collected: give that side's records whole, or collect it live (`poolgate collect https://ADDRESS`)"
        }
        Reason::PermissionDenied => "this user may not read: collect as root, or as a user with the role pool-admin",
        Reason::Unreadable => "cannot be read as it stands: \"needs\" above says where and why",
        Reason::AbsentOnRelease => "this release does not have: \"needs\" above says what",
        Reason::NotApplicable => "a source of this kind cannot hold: look again once the server runs the product",
    }
}
