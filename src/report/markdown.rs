//! The report for a pull request: the verdict, what stops the join, and folds for the rest. GitHub-flavoured Markdown,
//! in which a name from a server can neither format, link, mention nor hide anything.

use std::fmt::Write as _;

use super::losses::losses;
use super::parts::{Part, PartKind, evidence, is_telling, mark, overridden, place, refusal, waived};
use super::{Report, plural};
use crate::eject::EjectFacts;
use crate::rules::{Finding, Outcome, Severity, Verdict};
use crate::text::plain;

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
    for part in &parts {
        write_part(&mut out, part, several, all);
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
        let note = if step.note.is_empty() { String::new() } else { format!(" {}", md(&step.note)) };
        let _ = writeln!(out, "Mend {}:{note}{loses}\n", md(&place(kind, step)));
        if !step.run.is_empty() {
            out.push_str(&fenced(&step.run));
        }
    }
}

fn when(seen: &str) -> String {
    if seen.is_empty() { String::new() } else { format!(" (seen {})", md(seen)) }
}

const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Go => "✅",
        Verdict::GoWithWarnings => "⚠️",
        Verdict::NoGo => "⛔",
        Verdict::Undecided => "❓",
    }
}

/// A command to copy, between fences longer than any in it.
fn fenced(command: &str) -> String {
    let command = plain(command);
    let longest = command.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}sh\n{command}\n{fence}\n\n")
}

/// A text in which nothing is Markdown or HTML: signs that format are escaped; those of tags, mentions, issues, links
/// and tables are written as entities, which no later pass takes up again.
pub(crate) fn md(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in plain(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    // `http://…` and `www.…` become links by themselves.
    out = out.replace("://", "&#58;//").replace("www.", "www&#46;").replace("WWW.", "WWW&#46;");
    // At the start of a line these would begin a list or a heading.
    let digits = out.bytes().take_while(u8::is_ascii_digit).count();
    match out.as_bytes().get(digits) {
        Some(b'.' | b')') if digits > 0 => out.insert(digits, '\\'),
        Some(b'-' | b'+' | b'=') if digits == 0 => out.insert(0, '\\'),
        _ => {}
    }
    out
}

/// A text inside an HTML element, where Markdown is not read.
fn html(text: &str) -> String {
    let text = plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('@', "&#64;").replace('#', "&#35;").replace("://", "&#58;//")
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

        #[test]
        fn no_text_leaves_its_place(name in "(\\PC|\\n|\\r|[<>`*_|#@\\[\\]()!~$-]|://|\u{202e}){0,40}") {
            let (text, tag) = (md(&name), html(&name));
            for sign in ['<', '>', '|', '@', '#', '\n', '\r', '\u{202e}'] {
                assert!(!text.replace("&#", "").contains(sign), "{text:?}");
            }
            assert!(!tag.contains(['<', '>', '"', '\n']) && !text.contains("://") && !tag.contains("://"));
        }
    }

    #[test]
    fn names_are_only_names() {
        assert_eq!(md("**bold** _it_ `x`"), "\\*\\*bold\\*\\* \\_it\\_ \\`x\\`");
        assert_eq!(md("<img src=x> @root #12 a|b"), "&lt;img src=x&gt; &#64;root &#35;12 a&#124;b");
        assert_eq!(md("[a](http://evil) www.evil"), "\\[a\\](http&#58;//evil) www&#46;evil");
        assert_eq!(md("1. one"), "1\\. one");
        assert_eq!(md("- one"), "\\- one");
        assert_eq!(md("a\nb\u{202e}"), "a\\\\u{a}b\\\\u{202e}");
        assert_eq!(html("</summary><script>\n"), "&lt;/summary&gt;&lt;script&gt;\\u{a}");
    }

    #[test]
    fn a_fence_is_longer_than_any_inside() {
        assert_eq!(fenced("echo ````x"), "`````sh\necho ````x\n`````\n\n");
        assert_eq!(fenced("ls"), "```sh\nls\n```\n\n");
    }
}
