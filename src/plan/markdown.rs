//! A plan for a pull request: what it comes to, a table of the pools of each group, and folds for who is in them.
//! GitHub-flavoured Markdown, in which a name from a server can neither format, link, mention nor hide anything.

use std::fmt::Write as _;

use super::model::{Group, Plan, PlannedPool};
use super::words;
use crate::text::{html, md};

/// The plan as Markdown.
pub fn to_markdown(plan: &Plan) -> String {
    let sign = if plan.left_out.is_empty() { "✅" } else { "❓" };
    let mut out = format!("## {sign} {}\n\n", md(&words::heading(plan)));
    for remark in words::remarks(plan) {
        let _ = writeln!(out, "{}\n", md(&remark));
    }
    for note in &plan.notes {
        let _ = writeln!(out, "> {}\n", md(note));
    }
    for group in &plan.groups {
        write_group(&mut out, group, plan.spare);
    }
    if !plan.left_out.is_empty() {
        out.push_str("### In no pool, for lack of a fact\n\n");
        for host in &plan.left_out {
            let _ = writeln!(out, "- **{}** ({}): {}", md(&host.name), md(&host.source), md(&host.reason));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "<sub>planned by poolgate {}</sub>", env!("CARGO_PKG_VERSION"));
    out
}

fn write_group(out: &mut String, group: &Group, spare: usize) {
    let _ = writeln!(out, "### {}\n\n{}.\n", md(&words::title(group)), md(&words::makeup(group)));
    for aim in words::aims(group, spare) {
        let _ = writeln!(out, "- {}", md(&aim));
    }
    out.push_str("\n| Pool | Hosts | Loses | VMs to restart |\n|---|---|---|---|\n");
    for pool in &group.pools {
        let kept = if pool.kept { " (kept)" } else { "" };
        let vms = match pool.restarts() {
            (0, unknown) if unknown == pool.members.len() => "not known".to_owned(),
            (known, 0) => known.to_string(),
            (known, unknown) => format!("{known}, not known of {}", words::count(unknown, "host")),
        };
        let _ = writeln!(out, "| {}{kept} | {} | {} | {vms} |", md(&pool.name), pool.members.len(), pool.loss);
    }
    out.push('\n');
    for pool in &group.pools {
        write_pool(out, pool);
    }
}

fn write_pool(out: &mut String, pool: &PlannedPool) {
    let _ = writeln!(out, "<details><summary>{}: {}</summary>\n", html(&pool.name), words::pool(pool));
    for (places, alike) in words::alike(pool) {
        let Some(first) = alike.first() else { continue };
        let names = alike.iter().map(|member| md(&member.host.name)).collect::<Vec<_>>().join(", ");
        let model = if first.host.model.is_empty() { String::new() } else { format!(" ({})", md(&first.host.model)) };
        let step = words::step(first.step);
        let _ = writeln!(out, "- {places}: {step} **{names}**{model}: {}", md(&words::loses(alike)));
    }
    for line in pool.forced.iter().map(|forced| words::forced(pool, forced)).chain(words::pv(pool)) {
        let _ = writeln!(out, "- {}", md(&line));
    }
    out.push_str("\n</details>\n\n");
}
