//! The report for a pull request: the verdict, what stops the join, and folds for the rest. GitHub-flavoured Markdown,
//! in which a name from a server can neither format, link, mention nor hide anything.

use std::fmt::Write as _;

use super::alike::alike;
use super::losses::losses;
use super::parts::{Part, PartKind, evidence, is_telling, mark, overridden, place, refusal, waived};
use super::{Report, plural};
use crate::eject::EjectFacts;
use crate::rules::{Finding, Outcome, Severity, Verdict};
use crate::text::{fenced, html, md};

/// The report as Markdown. `all` adds the rules that passed or had no say.
pub fn to_markdown(report: &Report, all: bool) -> String {
    let mut out = format!("## {} {}\n\n", sign(report.verdict), report.verdict.words());
    let hosts = report.pool.hosts.map(|hosts| format!(" ({})", plural(hosts, "host"))).unwrap_or_default();
    let _ = writeln!(out, "{}{hosts}\n", md(&report.question()));
    let parts = report.parts();
    let several = parts.len() > 1;
    if several {
        out.push_str("| | Host | Findings |\n|---|---|---|\n");
        for part in &parts {
            let verdict = match part.kind {
                PartKind::Run => String::new(),
                _ => format!("{} {}", sign(part.verdict), part.verdict.words()),
            };
            let _ = writeln!(out, "| {verdict} | {} | {} |", md(part.name), part.summary());
        }
        out.push('\n');
    }
    let said = parts.iter().map(|part| {
        let mut text = String::new();
        write_part(&mut text, part, several, all);
        (part.name, text)
    });
    for group in alike(said) {
        out.push_str(&group.text);
        if group.hosts.len() > 1 {
            let [first, next, last] =
                [group.hosts.start, group.hosts.start + 1, group.hosts.end - 1].map(|place| &parts[place]);
            let names =
                if group.hosts.len() > 2 { format!("{} to {}", md(next.name), md(last.name)) } else { md(next.name) };
            let (sign, verdict) = (sign(next.verdict), next.verdict.words());
            let _ = writeln!(
                out,
                "### {sign} {names}: {verdict}\n\nThe same as {}, each judged after those before it.\n",
                md(first.name)
            );
        }
    }
    let _ = writeln!(
        out,
        "<sub>pool read from {}{}, judged by poolgate {}</sub>",
        md(&report.pool.target),
        when(&report.pool.seen),
        env!("CARGO_PKG_VERSION")
    );
    out
}

fn write_part(out: &mut String, part: &Part<'_>, several: bool, all: bool) {
    if several {
        let _ = match part.kind {
            PartKind::Run => writeln!(out, "### {}\n", md(part.name)),
            _ => writeln!(out, "### {} {}: {}\n", sign(part.verdict), md(part.name), part.verdict.words()),
        };
    }
    let release = if part.release.is_empty() { String::new() } else { format!(" ({})", md(part.release)) };
    let _ = writeln!(
        out,
        "{}{release}: {}. Read from {}{}.\n",
        md(part.name),
        part.summary(),
        md(part.source),
        when(part.seen)
    );
    for note in part.notes {
        let _ = writeln!(out, "> {}\n", md(note));
    }
    if let Some(answer) = part.answer() {
        let _ = writeln!(out, "**The server's answer:** {}\n", md(&answer));
    }
    if let Some(facts) = part.eject {
        write_losses(out, facts);
    }
    let stops =
        |finding: &&Finding| is_telling(finding) && finding.severity == Severity::Blocker && finding.waived.is_none();
    for finding in part.findings.iter().filter(stops) {
        let _ = writeln!(out, "#### {}: `{}`\n", mark(finding), finding.rule);
        body(out, part.kind, finding);
    }
    let rest = part.shown(all).filter(|finding| !stops(finding));
    for finding in rest {
        let line: String = finding.message.chars().take(200).collect();
        let _ = writeln!(
            out,
            "<details><summary>{}: <code>{}</code> {}</summary>\n",
            mark(finding),
            finding.rule,
            html(&line)
        );
        body(out, part.kind, finding);
        out.push_str("</details>\n\n");
    }
}

/// What goes with the host, in sight: nobody should have to unfold it.
fn write_losses(out: &mut String, facts: &EjectFacts) {
    out.push_str("**What is lost:**\n\n");
    for lost in losses(facts) {
        if !lost.remark.is_empty() {
            let _ = writeln!(out, "- **{}**: {}", lost.what, md(&lost.remark));
            continue;
        }
        let _ = writeln!(out, "- **{}**:", lost.what);
        for name in &lost.names {
            let _ = writeln!(out, "  - {}", md(name));
        }
        if lost.more > 0 {
            let _ = writeln!(out, "  - and {} more", lost.more);
        }
    }
    out.push('\n');
}

fn body(out: &mut String, kind: PartKind, finding: &Finding) {
    /// How many items are shown before the rest is folded away.
    const ITEMS: usize = 12;
    let _ = writeln!(out, "{}\n", md(&finding.message));
    for remark in [waived(finding), overridden(finding), refusal(finding)].into_iter().flatten() {
        let _ = writeln!(out, "*{}*\n", md(&remark));
    }
    for item in finding.items.iter().take(ITEMS) {
        let _ = writeln!(out, "- {}", md(item));
    }
    if finding.items.len() > ITEMS {
        let _ = writeln!(out, "- and {} more", finding.items.len() - ITEMS);
    }
    if !finding.items.is_empty() {
        out.push('\n');
    }
    if !is_telling(finding) {
        return;
    }
    let (facts, more) = evidence(finding);
    if !facts.is_empty() {
        let label = if finding.outcome == Outcome::Unknown { "Needs" } else { "Seen" };
        let _ = writeln!(out, "{label}:\n");
        for fact in facts {
            let _ = writeln!(out, "- {}", md(&fact));
        }
        if more > 0 {
            let _ = writeln!(out, "- {} more in the JSON report", plural(more, "fact"));
        }
        out.push('\n');
    }
    for step in &finding.fix {
        let loses = if step.loses.is_empty() { String::new() } else { format!(" **Loses:** {}", md(&step.loses)) };
        let (place, note) = (md(&place(kind, step)), md(&step.note));
        if step.run.is_empty() {
            let _ = writeln!(out, "Mend {place}: {note}{loses}\n");
            continue;
        }
        // The note says what comes after the command, and stands after it.
        let _ = writeln!(out, "Mend {place}:{loses}\n");
        out.push_str(&fenced(&step.run));
        if !note.is_empty() {
            let _ = writeln!(out, "{note}\n");
        }
    }
}

fn when(seen: &str) -> String {
    if seen.is_empty() { String::new() } else { format!(" (seen {})", md(seen)) }
}

pub(super) const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Go => "✅",
        Verdict::GoWithWarnings => "⚠️",
        Verdict::NoGo => "⛔",
        Verdict::Undecided => "❓",
    }
}
