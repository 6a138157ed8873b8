//! The report on a fleet for a pull request.

use std::fmt::Write as _;

use super::{gaps, matter, missing, read_line, verdict_words};
use crate::fleet::FleetReport;
use crate::report::markdown::sign;
use crate::rules::{Severity, Verdict};
use crate::text::md;

/// The report as Markdown.
pub fn fleet_to_markdown(report: &FleetReport) -> String {
    let mut out = match report.verdict {
        Some(verdict) => format!("## {} {}\n\n", sign(verdict), verdict.words()),
        None => format!("## {}\n\n", verdict_words(None)),
    };
    let _ = writeln!(out, "{}\n", md(&read_line(report)));
    for gap in gaps(report) {
        let _ = writeln!(out, "> {}\n", md(&gap));
    }
    verdicts(&mut out, report);
    rules(&mut out, report);
    let reasons = missing(report);
    if !reasons.is_empty() {
        out.push_str("### What blockers lack\n\n| Joiners | Why |\n|--:|---|\n");
        for (joiners, reason) in &reasons {
            let _ = writeln!(out, "| {joiners} | {} |", md(reason));
        }
        out.push('\n');
    }
    worst(&mut out, report);
    if !report.unreadable.is_empty() {
        out.push_str("### Lines that cannot be read\n\n");
        for line in &report.unreadable {
            let _ = writeln!(out, "- {}", md(&line.message));
        }
        let more = report.read.unreadable.saturating_sub(report.unreadable.len() as u64);
        if more > 0 {
            let _ = writeln!(out, "- and {more} more");
        }
        out.push('\n');
    }
    let _ = writeln!(out, "<sub>judged by {}</sub>", md(&report.tool));
    out
}

fn verdicts(out: &mut String, report: &FleetReport) {
    out.push_str("| Verdict | Joiners | Pools |\n|---|--:|--:|\n");
    let (joiners, pools) = (&report.joiners, &report.pools);
    for (verdict, joiners, pools) in [
        (Verdict::NoGo, joiners.no_go, pools.no_go),
        (Verdict::Undecided, joiners.undecided, pools.undecided),
        (Verdict::GoWithWarnings, joiners.go_with_warnings, pools.go_with_warnings),
        (Verdict::Go, joiners.go, pools.go),
    ] {
        let _ = writeln!(out, "| {} {} | {joiners} | {pools} |", sign(verdict), verdict.words());
    }
    out.push('\n');
}

fn rules(out: &mut String, report: &FleetReport) {
    let telling: Vec<_> = report.rules.iter().filter(|rule| rule.severity != Severity::Note).collect();
    if telling.is_empty() {
        return;
    }
    out.push_str("<details><summary>By rule</summary>\n\n");
    out.push_str("| Rule | Severity | Failed | Undecided | Pools |\n|---|---|--:|--:|--:|\n");
    for rule in telling {
        let (severity, failed, undecided, pools) = (rule.severity.word(), rule.failed, rule.undecided, rule.pools);
        let _ = writeln!(out, "| {} | {severity} | {failed} | {undecided} | {pools} |", md(&rule.rule));
    }
    out.push_str("\n</details>\n\n");
}

fn worst(out: &mut String, report: &FleetReport) {
    if report.worst_joiners.is_empty() {
        return;
    }
    out.push_str("### Worst joiners\n\n| | Line | Host | Pool | What | First |\n|---|--:|---|---|---|---|\n");
    for row in &report.worst_joiners {
        let name = if row.name.is_empty() { &row.uuid } else { &row.name };
        let first = row.failed.first().map(|rule| format!("{}: {}", rule.rule, rule.message)).unwrap_or_default();
        let first: String = first.chars().take(200).collect();
        let _ = writeln!(
            out,
            "| {} {} | {} | {} | {} | {} | {} |",
            sign(row.verdict),
            row.verdict.words(),
            row.line,
            md(name),
            md(&row.pool),
            matter(row),
            md(&first)
        );
    }
    out.push('\n');
}
