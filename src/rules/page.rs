//! The knowledge as Markdown: a page for each rule and a list of all, for an organisation's own documentation.

use std::fmt::Write as _;

use super::explain::range_text;
use super::outcome::Severity;
use super::rule::{Phase, Rule};
use crate::text::{md, plain};

/// Everything about a rule, as a Markdown page.
pub fn explain_markdown(rule: &Rule) -> String {
    let phases: Vec<_> = rule.phases.iter().map(|phase| phase.word()).collect();
    let mut out = format!("# {}\n\n{}.\n\n", rule.id, one_line(&rule.title));
    let was = rule.severity_was.map(|was| format!(" (by your rules; the rule itself says {})", was.word()));
    let _ = writeln!(out, "| | |\n|---|---|");
    let _ = writeln!(out, "| Severity | {}{} |", rule.severity.word(), was.unwrap_or_default());
    let _ = writeln!(out, "| Asked at | {} |", phases.join(", "));
    let _ = writeln!(out, "| The server | {} |", server(rule));
    let _ = writeln!(out, "| File | {} |\n", span(&rule.origin));
    if !rule.why.trim().is_empty() {
        let _ = writeln!(out, "## Why\n\n{}\n", prose(rule.why.trim()));
    }
    if let Some(applies) = &rule.applicability {
        let _ = writeln!(out, "## Has a say when\n\n{}", code("", applies));
    }
    let _ = writeln!(out, "## Passes when\n\n{}", code("", &rule.condition));
    let facts: String = rule.facts().iter().map(|fact| format!("- {}\n", span(fact))).collect();
    let _ = writeln!(out, "It reads\n\n{facts}");
    if !rule.says.get().fix.is_empty() {
        out.push_str("## What mends it\n\n");
        for (index, fix) in rule.says.get().fix.iter().enumerate() {
            let [run, note] = &fix.written;
            let note = if note.is_empty() { String::new() } else { format!(" {}", one_line(note)) };
            let _ = writeln!(out, "{}. {}:{note}", index + 1, place(&fix.place));
            if !run.is_empty() {
                let _ = writeln!(out, "\n{}", code("sh", run));
            }
            if !fix.loses.is_empty() {
                let _ = writeln!(out, "   **Loses:** {}", one_line(&fix.loses));
            }
        }
        out.push('\n');
    }
    if let Some(checked) = &rule.server {
        let _ = writeln!(
            out,
            "## What the server does\n\nCheck `{}`, number {} in its order. It refuses with {}.\n",
            checked.check.name,
            checked.place,
            rule.refusals().iter().map(|refusal| span(&refusal.code)).collect::<Vec<_>>().join(" or ")
        );
    }
    if !rule.references.is_empty() {
        let list: String = rule.references.iter().map(|reference| format!("- {}\n", one_line(reference))).collect();
        let _ = writeln!(out, "## See\n\n{list}");
    }
    if !rule.examples.is_empty() {
        out.push_str("## Examples\n\n| Answer | Case |\n|---|---|\n");
        for example in &rule.examples {
            let _ = writeln!(out, "| {} | {} |", md(&example.expect), one_line(&example.name));
        }
    }
    format!("{}\n", out.trim_end())
}

/// All rules as a Markdown list, by phase and severity.
pub fn list_markdown<'r>(rules: impl Iterator<Item = &'r Rule>) -> String {
    let mut rules: Vec<_> = rules.collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.severity), rule.id.as_str()));
    let mut out = String::from("# Rules\n");
    for phase in [Phase::Join, Phase::Eject, Phase::Procurement] {
        let of: Vec<_> = rules.iter().filter(|rule| rule.phases.contains(&phase)).collect();
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "\n## {}\n\n| Rule | Severity | Passes when | The server |\n|---|---|---|---|",
            phase.word()
        );
        for rule in of {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} |",
                rule.id,
                word(rule.severity),
                one_line(&rule.title),
                rule.server.as_ref().map_or("does not check", |_| "checks too")
            );
        }
    }
    out
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => "**blocker**",
        severity => severity.word(),
    }
}

fn server(rule: &Rule) -> String {
    let Some(server) = &rule.server else { return "does not check this".to_owned() };
    let versions: Vec<_> = server.check.versions.iter().map(|range| range_text(*range)).collect();
    let force = match (server.check.force_skips, rule.phases.contains(&Phase::Eject)) {
        (_, true) => "nothing forces it",
        (true, _) => "`pool.join_force` skips it",
        (false, _) => "`pool.join_force` does not skip it",
    };
    format!("checks it in {}; {force}", versions.join(" and "))
}

/// A name as code, where it can be.
fn span(name: &str) -> String {
    if name.contains('`') { md(name) } else { format!("`{}`", plain(name).replace('|', "\\|")) }
}

fn place(place: &str) -> String {
    match place {
        "anywhere" => "Anywhere".to_owned(),
        "firmware" | "cabling" | "pool" => format!("In the {place}"),
        place => format!("On the {place}"),
    }
}

fn code(language: &str, text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: Vec<_> = text.trim().lines().map(plain).collect();
    format!("{fence}{language}\n{}\n{fence}\n", lines.join("\n"))
}

/// Prose of a rule file: what it writes between backticks stays code and an address stays a link, the rest is text.
fn prose(text: &str) -> String {
    text.lines().map(prose_line).collect::<Vec<_>>().join("\n")
}

/// The same where a line's end would end more than the line: in cells, items and headings.
fn one_line(text: &str) -> String {
    prose_line(&text.lines().map(str::trim).collect::<Vec<_>>().join(" "))
}

fn prose_line(line: &str) -> String {
    // Ticks side by side are a fence of their own, which no single tick closes.
    if line.contains("``") {
        return md(line);
    }
    let parts: Vec<_> = line.split('`').collect();
    let mut out = String::with_capacity(line.len() + 8);
    for (index, part) in parts.iter().enumerate() {
        // A backtick without another is one.
        if index % 2 == 1 && index + 1 < parts.len() {
            let _ = write!(out, "`{}`", plain(part).replace('|', "\\|"));
            continue;
        }
        if index % 2 == 1 {
            out.push_str("\\`");
        }
        // What is special at the beginning of a line is so there only.
        let words = if index == 0 { md(part) } else { md(&format!("x{part}")).split_off(1) };
        out.push_str(&words.replace("&#58;//", "://"));
    }
    out
}
