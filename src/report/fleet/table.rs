//! The report on a fleet for a terminal: the verdict first, counts by verdict and by rule, and the worst by name.

use std::fmt::Write as _;

use super::{gaps, many, matter, missing, read_line, verdict_words};
use crate::fleet::{FleetReport, JoinerRow, VerdictCounts};
use crate::report::TableOptions;
use crate::report::table::verdict_style;
use crate::rules::{Severity, Verdict};
use crate::text::{cut, plain, wrapped, wrapped_at};

/// Rules that are shown; JSON has them all.
const RULES: usize = 20;
/// Reasons that are shown.
const REASONS: usize = 8;
/// Messages of a joiner that are shown.
const MESSAGES: usize = 3;

/// Writes the report.
pub fn fleet_to_table(report: &FleetReport, options: TableOptions) -> String {
    let mut page = Page { out: String::new(), options };
    page.heading(report);
    if !options.quiet {
        page.counts(report);
        page.rules(report);
        page.missing(report);
        page.refusals(report);
        page.pools(report);
        page.joiners(report);
        page.unreadable(report);
    }
    page.out
}

struct Page {
    out: String,
    options: TableOptions,
}

impl Page {
    fn heading(&mut self, report: &FleetReport) {
        let words = verdict_words(report.verdict);
        let words = match report.verdict {
            Some(verdict) => self.styled(verdict, words),
            None => words.to_owned(),
        };
        let _ = writeln!(self.out, "{words}");
        self.wrapped("", &read_line(report));
        for gap in gaps(report) {
            self.wrapped("  note: ", &gap);
        }
        let keys = &report.unknown_keys;
        if !keys.keys.is_empty() {
            let more = if keys.more { " and more" } else { "" };
            self.wrapped(
                "  note: ",
                &format!("keys that this version does not know are left out: {}{more}", keys.keys.join(", ")),
            );
        }
    }

    fn counts(&mut self, report: &FleetReport) {
        let column = (usize::from(self.options.width).saturating_sub(18) / 2).clamp(8, 12);
        let _ = writeln!(self.out, "\n{:<18}{:>column$}{:>column$}", "Verdict", "joiners", "pools");
        let of = |counts: &VerdictCounts| [counts.no_go, counts.undecided, counts.go_with_warnings, counts.go];
        let order = [Verdict::NoGo, Verdict::Undecided, Verdict::GoWithWarnings, Verdict::Go];
        let counts = of(&report.joiners).into_iter().zip(of(&report.pools));
        for (verdict, (joiners, pools)) in order.into_iter().zip(counts) {
            let pad = " ".repeat(18 - verdict.words().len());
            let words = self.styled(verdict, verdict.words());
            let _ = writeln!(self.out, "{words}{pad}{joiners:>column$}{pools:>column$}");
        }
    }

    fn rules(&mut self, report: &FleetReport) {
        let telling: Vec<_> = report.rules.iter().filter(|rule| rule.severity != Severity::Note).collect();
        if telling.is_empty() {
            return;
        }
        if self.is_narrow() {
            self.out.push_str("\nRules\n");
        } else {
            let _ = writeln!(self.out, "\n{:<42}{:>9}{:>10}{:>11}{:>8}", "Rule", "", "failed", "undecided", "pools");
        }
        for rule in telling.iter().take(RULES) {
            let (name, severity) = (plain(&rule.rule), rule.severity.word());
            let (failed, undecided, pools) = (rule.failed, rule.undecided, rule.pools);
            if self.is_narrow() {
                let pools = many(pools, "pool");
                self.wrapped("  ", &format!("{name} ({severity}): failed {failed}, undecided {undecided}, {pools}"));
            } else {
                let name = cut(&name, 41);
                let _ = writeln!(self.out, "{name:<42}{severity:>9}{failed:>10}{undecided:>11}{pools:>8}");
            }
        }
        if telling.len() > RULES {
            let _ = writeln!(self.out, "and {} in the JSON report", many((telling.len() - RULES) as u64, "rule"));
        }
    }

    fn missing(&mut self, report: &FleetReport) {
        let reasons = missing(report);
        if reasons.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "\nWhat blockers lack");
        for (joiners, reason) in reasons.iter().take(REASONS) {
            self.wrapped("  ", &format!("{}: {reason}", many(*joiners, "joiner")));
        }
        if reasons.len() > REASONS {
            let _ =
                writeln!(self.out, "  and {} in the JSON report", many((reasons.len() - REASONS) as u64, "reason"));
        }
    }

    fn refusals(&mut self, report: &FleetReport) {
        if report.refusals.is_empty() {
            return;
        }
        if self.is_narrow() {
            self.out.push_str("\nFirst refusal of pool.join\n");
        } else {
            let _ = writeln!(self.out, "\n{:<60}{:>12}", "First refusal of pool.join", "joiners");
        }
        for refusal in report.refusals.iter().take(RULES) {
            let (code, joiners) = (plain(&refusal.code), refusal.joiners);
            if self.is_narrow() {
                self.wrapped("  ", &format!("{code}: {}", many(joiners, "joiner")));
            } else {
                let _ = writeln!(self.out, "{:<60}{joiners:>12}", cut(&code, 59));
            }
        }
    }

    fn pools(&mut self, report: &FleetReport) {
        if report.worst_pools.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "\nWorst pools");
        for pool in &report.worst_pools {
            let counts = &pool.joiners;
            let counts = [
                (counts.no_go, "NO-GO"),
                (counts.undecided, "UNDECIDED"),
                (counts.go_with_warnings, "GO WITH WARNINGS"),
                (counts.go, "GO"),
            ];
            let counts: Vec<_> = counts
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| format!("{count} {word}"))
                .collect();
            let first = if pool.coordinator == pool.name || pool.coordinator.is_empty() {
                String::new()
            } else {
                format!(" of {}", pool.coordinator)
            };
            self.wrapped("  ", &format!("line {}: {}{first}: {}", pool.line, pool.name, counts.join(", ")));
        }
    }

    fn joiners(&mut self, report: &FleetReport) {
        if report.worst_joiners.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "\nWorst joiners");
        for row in &report.worst_joiners {
            self.joiner(row);
        }
    }

    fn joiner(&mut self, row: &JoinerRow) {
        let verdict = self.styled(row.verdict, row.verdict.words());
        let name = if row.name.is_empty() { &row.uuid } else { &row.name };
        let head = format!("line {}: {name} → {}: {}", row.line, row.pool, matter(row));
        let label = format!("  {}  ", row.verdict.words());
        let text = wrapped_at(&label, 4, &head, self.options.width);
        let _ = write!(self.out, "{}", text.replacen(row.verdict.words(), &verdict, 1));
        if let Some(first) = row.server.as_ref().and_then(|server| server.first.as_ref()) {
            self.indented(&format!("pool.join refuses with {}", first.code));
        }
        let telling: Vec<_> = row.failed.iter().filter(|rule| rule.severity != Severity::Note).collect();
        for rule in telling.iter().take(MESSAGES) {
            self.indented(&format!("{}: {}", rule.rule, rule.message));
        }
        if telling.len() > MESSAGES {
            self.indented(&format!("and {} more", telling.len() - MESSAGES));
        }
    }

    fn unreadable(&mut self, report: &FleetReport) {
        if report.unreadable.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "\nLines that cannot be read");
        for line in &report.unreadable {
            self.wrapped("  ", &line.message);
        }
        let more = report.read.unreadable.saturating_sub(report.unreadable.len() as u64);
        if more > 0 {
            let _ = writeln!(self.out, "  and {more} more");
        }
    }

    /// Whether columns have no room.
    const fn is_narrow(&self) -> bool {
        self.options.width < 80
    }

    fn wrapped(&mut self, label: &str, text: &str) {
        self.out.push_str(&wrapped(label, text, self.options.width));
    }

    fn indented(&mut self, text: &str) {
        self.out.push_str(&wrapped_at("    ", 6, text, self.options.width));
    }

    fn styled(&self, verdict: Verdict, words: &str) -> String {
        if self.options.color {
            let style = verdict_style(verdict);
            format!("{style}{words}{style:#}")
        } else {
            words.to_owned()
        }
    }
}
