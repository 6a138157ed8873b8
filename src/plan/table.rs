//! A plan for people, at a width.

use std::fmt::Write as _;

use super::model::{Group, Member, Plan, PlannedPool, Step};
use crate::cpu::names;
use crate::text::wrapped_at;

/// How to write it.
#[derive(Clone, Copy, Debug)]
pub struct PlanTable {
    /// Columns.
    pub width: u16,
    /// Only what the plan comes to.
    pub quiet: bool,
}

/// Hosts alike that are named in a sentence.
const NAMED: usize = 4;
/// Forced losses that are told of a pool.
const FORCED: usize = 3;

/// A number with its word.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// The plan as text.
pub fn to_table(plan: &Plan, options: PlanTable) -> String {
    let mut out = Text { out: String::new(), width: options.width };
    out.heading(plan);
    for group in &plan.groups {
        out.group(group, plan.spare);
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
    fn heading(&mut self, plan: &Plan) {
        let hosts: usize = plan.groups.iter().map(|group| group.hosts).sum();
        let pools: usize = plan.groups.iter().map(|group| group.pools.len()).sum();
        let loss: i64 = plan.groups.iter().map(|group| group.loss).sum();
        let out = if plan.left_out.is_empty() {
            String::new()
        } else {
            format!("; {} left out", count(plan.left_out.len(), "host"))
        };
        self.wrapped(
            "",
            &format!(
                "{} in {} of at most {}, losing {loss}{out}",
                count(hosts, "host"),
                count(pools, "pool"),
                plan.limit
            ),
        );
        if let [first, .., last] = plan.groups.as_slice() {
            let most = plan
                .groups
                .iter()
                .filter_map(|group| group.one_more.map(|more| (group, group.loss - more.loss)))
                .max_by_key(|(_, saves)| *saves)
                .filter(|(_, saves)| *saves > 0);
            if let Some((group, saves)) = most
                && first != last
            {
                self.wrapped("", &format!("One more pool would save most for {}: {saves}", title(group)));
            }
        }
        if plan.by_clock {
            self.wrapped("", "Stopped by the clock: another run may end elsewhere; what is said to be proved is.");
        }
    }

    fn group(&mut self, group: &Group, spare: usize) {
        self.line("");
        let levels = group
            .levels
            .map_or_else(|| "more levels than are listed".to_owned(), |levels| count(levels, "possible level"));
        self.wrapped(
            "",
            &format!(
                "{}: {}, {}, {levels}",
                title(group),
                count(group.hosts, "host"),
                count(group.kinds, "featureset"),
            ),
        );
        let fewest = match (group.pools.len().cmp(&group.fewest), group.is_fewest(spare)) {
            (std::cmp::Ordering::Greater, true) => format!(", {} of them spare", group.pools.len() - group.fewest),
            (_, true) => ", the fewest".to_owned(),
            (_, false) => format!("; fewer than {} are impossible, between is not known", group.fewest),
        };
        let proof = if group.is_optimal() {
            "no plan with so many loses less".to_owned()
        } else {
            format!(
                "the least is not proved: no plan loses less than {}, {} below",
                group.bound,
                percent(group.loss - group.bound, group.loss)
            )
        };
        self.wrapped("  ", &format!("{}{fewest}", count(group.pools.len(), "pool")));
        self.wrapped("  ", &format!("losing {}: {proof}", group.loss));
        if let Some(more) = group.one_more {
            let saves = group.loss - more.loss;
            let text = match (saves, more.loss == more.bound) {
                (0, true) => "one more pool would save nothing".to_owned(),
                (0, false) => format!("one more pool: nothing found, at most {}", group.loss - more.bound),
                (_, true) => format!("one more pool would save {saves}"),
                (_, false) => {
                    format!("one more pool would save {saves}, perhaps up to {}", group.loss - more.bound)
                }
            };
            self.wrapped("  ", &text);
        }
    }

    fn pool(&mut self, pool: &PlannedPool) {
        self.line("");
        let kept = if pool.kept { ", kept" } else { "" };
        let (restarts, unknown) = pool.restarts();
        let vms = match (restarts, unknown) {
            (0, 0) => String::new(),
            (known, 0) => format!(", {} to restart", count(known, "VM")),
            (0, _) if unknown == pool.members.len() => String::new(),
            (known, unknown) => {
                format!(", {} to restart, not known of {}", count(known, "VM"), count(unknown, "host"))
            }
        };
        self.wrapped(
            "  ",
            &format!("{}: {}{kept}, loses {}{vms}", pool.name, count(pool.members.len(), "host"), pool.loss),
        );
        let mut first = 0;
        for alike in pool.members.chunk_by(alike) {
            self.members(first + 1, alike);
            first += alike.len();
        }
        for forced in pool.forced.iter().take(FORCED) {
            let names = forced.hosts.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = forced.hosts.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more alike") } else { String::new() };
            self.wrapped(
                "    ",
                &format!(
                    "without {names}{more} {} keeps {} (saves {})",
                    pool.name,
                    grouped(&forced.features).join("; "),
                    forced.saves
                ),
            );
        }
    }

    /// Hosts that come one after the other and are alike in everything but their names.
    fn members(&mut self, place: usize, members: &[Member]) {
        let Some(first) = members.first() else { return };
        let step = match first.step {
            Step::Stays => "stays",
            Step::Founds => "founds",
            Step::Joins => "joins",
        };
        let each = if members.len() > 1 { "each " } else { "" };
        let loses = if first.loss == 0 {
            format!("{each}loses nothing")
        } else {
            format!("{each}loses {}: {}", first.loss, grouped(&first.hidden).join("; "))
        };
        let vms = match first.restarts {
            Some(vms) if vms > 0 => format!("; {} to restart", count(vms, "VM")),
            _ => String::new(),
        };
        let model = if first.host.model.is_empty() { String::new() } else { format!(" ({})", first.host.model) };
        let names = members.iter().map(|member| member.host.name.as_str()).collect::<Vec<_>>().join(", ");
        let places =
            if members.len() > 1 { format!("{place}-{}", place + members.len() - 1) } else { place.to_string() };
        self.wrapped(&format!("    {places:>5}. {step:<6} "), &format!("{names}{model}: {loses}{vms}"));
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

fn alike(a: &Member, b: &Member) -> bool {
    (a.step, a.loss, a.restarts, &a.hidden, &a.host.model) == (b.step, b.loss, b.restarts, &b.hidden, &b.host.model)
}

fn title(group: &Group) -> String {
    format!("{}, {}", group.vendor, group.release.as_deref().unwrap_or("release not known"))
}

fn grouped(features: &[usize]) -> Vec<String> {
    let named: Vec<_> = features.iter().map(|feature| (names::group(*feature), names::name(*feature))).collect();
    names::grouped(named.iter().map(|(group, name)| (*group, name.as_str())))
}

fn percent(part: i64, whole: i64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let tenths = part * 1000 / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}
