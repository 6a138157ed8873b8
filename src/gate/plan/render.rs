//! A plan for people: as a table for a terminal, and as Markdown for a review.

use std::fmt::Write as _;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::{Plan, PlannedFinding, Step};
use crate::rules::{FixStep, Outcome, Severity, Waived};
use crate::text::{code, cut, md, plain, wrapped};

/// The longest text of a table's cell.
const LONGEST: usize = 600;

/// The plan for a terminal of this width.
pub fn to_table(plan: &Plan, width: u16) -> String {
    let mut page = Page { out: String::new(), width };
    page.heading(plan);
    for (index, step) in plan.steps.iter().enumerate() {
        if plan.steps.len() > 1 {
            let _ = writeln!(page.out, "\n── {}. {} ── {}", index + 1, plain(&step.host.name), step.verdict.words());
        }
        page.step(plan, step);
    }
    page.out
}

struct Page {
    out: String,
    width: u16,
}

impl Page {
    fn heading(&mut self, plan: &Plan) {
        let _ = writeln!(self.out, "Plan: {}", plan.verdict.words());
        self.wrapped("", &subject(plan));
        self.wrapped("  made ", &format!("{} by {}, digest {}", plan.made_at, plan.tool, short(&plan.digest)));
        if !plan.waivers.is_empty() {
            self.section("Waivers");
            self.findings(&plan.waivers);
        }
    }

    fn step(&mut self, plan: &Plan, step: &Step) {
        self.section("The call");
        self.wrapped("  ", &call(step));
        for (what, text) in certificates(plan, step) {
            self.wrapped(&format!("  {what} "), &text);
        }
        self.section("What the rules say");
        if step.findings.is_empty() {
            self.wrapped("  ", "nothing: every rule that has a say passes");
        }
        self.findings(&step.findings);
        self.section("What it changes");
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width)
            .force_no_tty()
            .set_header(["On", "What", "Becomes"]);
        for change in &step.changes {
            table.add_row([
                plain(&change.place).into_owned(),
                plain(&cut(&change.what, LONGEST)).into_owned(),
                plain(&cut(&change.becomes, LONGEST)).into_owned(),
            ]);
        }
        if let Some(column) = table.column_mut(0) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Percentage(45)));
        }
        for line in table.to_string().lines() {
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
        self.section("What nobody can make safe from here");
        for risk in &step.risks {
            self.wrapped("  - ", risk);
        }
        self.fixes("First", &step.before);
        self.fixes("The same by hand", &step.by_hand);
        self.fixes("To undo it", &step.undo);
    }

    fn findings(&mut self, findings: &[PlannedFinding]) {
        for finding in findings {
            self.wrapped("  ", &format!("{} {}: {}", mark(finding), finding.rule, finding.message));
            if let Some(waived) = &finding.waived {
                self.wrapped("    ", &answer(waived));
            }
        }
    }

    fn fixes(&mut self, title: &str, fixes: &[FixStep]) {
        self.section(title);
        for fix in fixes {
            if !fix.run.is_empty() {
                // A command is copied: never broken.
                let _ = writeln!(self.out, "  on the {}: {}", plain(&fix.place), plain(&fix.run));
            }
            if !fix.loses.is_empty() {
                self.wrapped("    loses ", &fix.loses);
            }
            if !fix.note.is_empty() {
                self.wrapped("    ", &fix.note);
            }
        }
    }

    fn section(&mut self, title: &str) {
        let _ = writeln!(self.out, "\n{title}");
    }

    fn wrapped(&mut self, label: &str, text: &str) {
        self.out.push_str(&wrapped(label, text, self.width));
    }
}

fn subject(plan: &Plan) -> String {
    let hosts: Vec<_> = plan.steps.iter().map(|step| step.host.name.as_str()).collect();
    let count = plan
        .pool
        .hosts
        .map_or_else(String::new, |hosts| format!("{hosts} host{}, ", if hosts == 1 { "" } else { "s" }));
    format!(
        "{} of {} {} pool {} ({count}{})",
        plan.act.word(),
        hosts.join(", "),
        match plan.act {
            crate::gate::journal::Act::Join => "to",
            crate::gate::journal::Act::Eject => "from",
        },
        plan.pool.name,
        if plan.pool.release.is_empty() { "release unknown" } else { &plan.pool.release }
    )
}

fn call(step: &Step) -> String {
    let mut params: Vec<_> = step.call.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    params.extend(step.call.secret.iter().map(|name| format!("{name}=(not shown)")));
    let refusal = step.refusal.as_ref().map_or_else(
        || "; no check of the server is known to refuse it".to_owned(),
        |refusal| format!("; the server would refuse it with {} [{}]", refusal.code, refusal.params.join(", ")),
    );
    format!("{} at {}: {}{refusal}", step.call.method, step.call.server, params.join(" "))
}

fn certificates(plan: &Plan, step: &Step) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut add = |what, party: &super::Party| {
        let print = if party.fingerprint.is_empty() {
            "no certificate (the toolstack's own socket)".to_owned()
        } else {
            format!("SHA-256 {}", party.fingerprint)
        };
        lines.push((what, format!("{} at {}: {print}", party.name, party.address)));
    };
    add("coordinator", &plan.pool.coordinator);
    if plan.act == crate::gate::journal::Act::Join {
        add("joiner", &step.host);
    }
    lines
}

const fn mark(finding: &PlannedFinding) -> &'static str {
    match (finding.severity, finding.outcome) {
        _ if finding.waived.is_some() => "waived",
        (_, Outcome::Unknown) => "UNKNOWN",
        (Severity::Blocker, _) => "BLOCKER",
        (Severity::Warning, _) => "WARNING",
        (Severity::Note, _) => "NOTE",
    }
}

/// Who answers for a waived finding.
fn answer(waived: &Waived) -> String {
    format!("waived by {} until {}: {} ({})", waived.owner, waived.expires, waived.reason, waived.waiver)
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// The plan as Markdown.
pub fn to_markdown(plan: &Plan) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# Plan: {}\n", plan.verdict.words());
    let _ = writeln!(out, "{}\n", md(&subject(plan)));
    let _ = writeln!(
        out,
        "Made {} by {}. Digest {}, rules {}.",
        md(&plan.made_at),
        md(&plan.tool),
        code(&plan.digest),
        code(&plan.rules)
    );
    if !plan.waivers.is_empty() {
        let _ = writeln!(out, "\n## Waivers\n");
        findings_markdown(&mut out, &plan.waivers);
    }
    for step in &plan.steps {
        let _ = writeln!(out, "\n## {}: {}\n", md(&step.host.name), step.verdict.words());
        let _ = writeln!(out, "{}\n", md(&call(step)));
        for (what, text) in certificates(plan, step) {
            let _ = writeln!(out, "- {what}: {}", md(&text));
        }
        let _ = writeln!(
            out,
            "- snapshots: pool {}, host {}",
            code(&plan.pool.coordinator.snapshot),
            code(&step.host.snapshot)
        );
        let _ = writeln!(out, "\n### What the rules say\n");
        if step.findings.is_empty() {
            let _ = writeln!(out, "Nothing: every rule that has a say passes.");
        }
        findings_markdown(&mut out, &step.findings);
        let _ = writeln!(out, "\n### What it changes\n\n| on | what | becomes |\n|---|---|---|");
        for change in &step.changes {
            let _ = writeln!(out, "| {} | {} | {} |", cell(&change.place), cell(&change.what), cell(&change.becomes));
        }
        let _ = writeln!(out, "\n### What nobody can make safe from here\n");
        for risk in &step.risks {
            let _ = writeln!(out, "- {}", md(risk));
        }
        for (title, fixes) in
            [("First", &step.before), ("The same by hand", &step.by_hand), ("To undo it", &step.undo)]
        {
            let _ = writeln!(out, "\n### {title}\n");
            for fix in fixes {
                if !fix.run.is_empty() {
                    let _ = writeln!(out, "On the {}:\n\n    {}\n", md(&fix.place), plain(&fix.run));
                }
                if !fix.loses.is_empty() {
                    let _ = writeln!(out, "Loses {}.", md(&fix.loses));
                }
                if !fix.note.is_empty() {
                    let _ = writeln!(out, "{}", md(&fix.note));
                }
            }
        }
    }
    out
}

fn findings_markdown(out: &mut String, findings: &[PlannedFinding]) {
    for finding in findings {
        let waived = finding.waived.as_ref().map(|waived| format!("; {}", md(&answer(waived)))).unwrap_or_default();
        let _ = writeln!(out, "- **{}** {}: {}{waived}", mark(finding), code(&finding.rule), md(&finding.message));
    }
}

fn cell(text: &str) -> String {
    md(&cut(text, LONGEST))
}
