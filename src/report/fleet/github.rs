//! Annotations on a fleet for a GitHub Actions log: one for each of the worst joiners and each line that cannot be read.

use std::fmt::Write as _;

use super::{comes_again, gaps, many, matter, read_line, verdict_words};
use crate::fleet::{FleetReport, JoinerRow};
use crate::report::github::{data, inert, property};
use crate::rules::Verdict;
use crate::text::plain;

/// The counts in plain words, then a command for each of the worst.
pub fn fleet_to_github(report: &FleetReport) -> String {
    let mut out = format!("{}: {}\n", verdict_words(report.verdict), inert(&read_line(report)));
    let counts = &report.joiners;
    let _ = writeln!(
        out,
        "joiners: {} NO-GO, {} UNDECIDED, {} GO WITH WARNINGS, {} GO",
        counts.no_go, counts.undecided, counts.go_with_warnings, counts.go
    );
    for gap in gaps(report) {
        let _ = writeln!(out, "{}", inert(&gap));
    }
    for line in &report.unreadable {
        let place = place(&report.fleet, line.line);
        let _ = writeln!(out, "::error {place}title=unreadable::{}", data(&plain(&line.message)));
    }
    for again in &report.returned {
        let (place, text) = (place(&report.fleet, again.line), comes_again(again));
        let _ = writeln!(out, "::error {place}title=UNDECIDED: a pool comes again::{}", data(&text));
    }
    for row in &report.worst_joiners {
        out.push_str(&command(&report.fleet, row));
    }
    let shown = report.worst_joiners.len() as u64;
    let all = counts.total() - counts.go;
    if all > shown {
        let _ = writeln!(out, "{} more in the NDJSON report", many(all - shown, "joiner"));
    }
    out
}

fn command(fleet: &str, row: &JoinerRow) -> String {
    let command = match row.verdict {
        Verdict::NoGo | Verdict::Undecided => "error",
        Verdict::GoWithWarnings => "warning",
        Verdict::Go => "notice",
    };
    let name = if row.name.is_empty() { &row.uuid } else { &row.name };
    let title = format!("{} {} → {}", row.verdict.words(), plain(name), plain(&row.pool));
    let mut lines = vec![matter(row)];
    lines.extend(row.failed.iter().map(|rule| format!("{}: {}", rule.rule, plain(&rule.message))));
    format!("::{command} {}title={}::{}\n", place(fleet, row.line), property(&title), data(&lines.join("\n")))
}

/// A file is named only where there is one to look at.
fn place(fleet: &str, line: usize) -> String {
    if fleet == "-" { String::new() } else { format!("file={},line={line},", property(fleet)) }
}
