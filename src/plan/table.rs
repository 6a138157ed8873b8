//! A plan for people, at a width.

use std::fmt::Write as _;

use super::model::{Plan, PlannedPool};
use super::words;
use crate::text::wrapped_at;

/// How to write it.
#[derive(Clone, Copy, Debug)]
pub struct PlanTable {
    /// Columns.
    pub width: u16,
    /// Only what the plan comes to.
    pub quiet: bool,
}

/// Forced losses that are told of a pool.
const FORCED: usize = 3;

/// The plan as text.
pub fn to_table(plan: &Plan, options: PlanTable) -> String {
    let mut out = Text { out: String::new(), width: options.width };
    out.wrapped("", &words::heading(plan));
    for remark in words::remarks(plan) {
        out.wrapped("", &remark);
    }
    for group in &plan.groups {
        out.line("");
        out.wrapped("", &format!("{}: {}", words::title(group), words::makeup(group)));
        for aim in words::aims(group, plan.spare) {
            out.wrapped("  ", &aim);
        }
        if !options.quiet {
            for pool in &group.pools {
                out.pool(pool);
            }
        }
    }
    if !plan.left_out.is_empty() {
        out.line("");
        out.line("In no pool, for lack of a fact");
        for host in &plan.left_out {
            out.wrapped("  ", &format!("{} ({}): {}", host.name, host.source, host.reason));
        }
    }
    if !plan.notes.is_empty() {
        out.line("");
    }
    for note in &plan.notes {
        out.wrapped("note: ", note);
    }
    out.out
}

struct Text {
    out: String,
    width: u16,
}

impl Text {
    fn pool(&mut self, pool: &PlannedPool) {
        self.line("");
        self.wrapped("  ", &format!("{}: {}", pool.name, words::pool(pool)));
        for (places, alike) in words::alike(pool) {
            let Some(first) = alike.first() else { continue };
            let model = if first.host.model.is_empty() { String::new() } else { format!(" ({})", first.host.model) };
            let names = alike.iter().map(|member| member.host.name.as_str()).collect::<Vec<_>>().join(", ");
            let label = format!("    {places:>5}. {:<6} ", words::step(first.step));
            self.wrapped(&label, &format!("{names}{model}: {}", words::loses(alike)));
        }
        for forced in pool.forced.iter().take(FORCED) {
            self.wrapped("    ", &words::forced(pool, forced));
        }
        if let Some(pv) = words::pv(pool) {
            self.wrapped("    ", &pv);
        }
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Text behind a label, wrapped, later lines two columns further in than the label's own indent.
    fn wrapped(&mut self, label: &str, text: &str) {
        let indent = label.len() - label.trim_start().len();
        let pad = if label.contains('.') { 11 } else { indent + 2 };
        self.out.push_str(&wrapped_at(label, pad, text, self.width));
    }
}
