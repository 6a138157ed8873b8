//! What a plan says, in sentences that all formats for people share.

use std::cmp::Ordering;

use super::model::{Forced, Group, Member, Plan, PlannedPool, Step};
use crate::cpu::names;

/// Hosts alike that are named in a sentence.
const NAMED: usize = 4;

/// A number with its word.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// What the plan comes to, in one line.
pub(super) fn heading(plan: &Plan) -> String {
    let hosts: usize = plan.groups.iter().map(|group| group.hosts).sum();
    let pools: usize = plan.groups.iter().map(|group| group.pools.len()).sum();
    let loss: i64 = plan.groups.iter().map(|group| group.loss).sum();
    let out = match plan.left_out.len() {
        0 => String::new(),
        out => format!("; {} left out", count(out, "host")),
    };
    format!(
        "{} in {} of at most {}, losing {loss} in weighted CPU features{out}",
        count(hosts, "host"),
        count(pools, "pool"),
        plan.limit
    )
}

/// Remarks on the whole plan.
pub(super) fn remarks(plan: &Plan) -> Vec<String> {
    let mut remarks = Vec::new();
    let saves = plan.groups.iter().filter_map(|group| group.one_more.map(|more| (group, group.loss - more.loss)));
    let most = saves.max_by_key(|(_, saves)| *saves).filter(|(_, saves)| *saves > 0);
    if let (Some((group, saves)), [_, _, ..]) = (most, plan.groups.as_slice()) {
        remarks.push(format!("One more pool would save most for {}: {saves}", title(group)));
    }
    if plan.by_clock {
        remarks.push("Stopped by the clock: another run may end elsewhere; what is said to be proved is.".to_owned());
    }
    remarks
}

/// The vendor and the release line.
pub(super) fn title(group: &Group) -> String {
    format!("{}, {}", group.vendor, group.release.as_deref().unwrap_or("release not known"))
}

/// What a group is made of.
pub(super) fn makeup(group: &Group) -> String {
    let levels = group
        .levels
        .map_or_else(|| "more levels than are listed".to_owned(), |levels| count(levels, "possible level"));
    format!("{}, {}, {levels}", count(group.hosts, "host"), count(group.kinds, "featureset"))
}

/// What is known of the three aims, and of one pool more.
pub(super) fn aims(group: &Group, spare: usize) -> Vec<String> {
    let mut aims = Vec::new();
    let fewest = match (group.pools.len().cmp(&group.fewest), group.is_fewest(spare)) {
        (Ordering::Greater, true) => format!(", {} of them spare", group.pools.len() - group.fewest),
        (_, true) => ", the fewest".to_owned(),
        (_, false) => format!("; fewer than {} are impossible, between is not known", group.fewest),
    };
    aims.push(format!("{}{fewest}", count(group.pools.len(), "pool")));
    let proof = if group.is_optimal() {
        "no plan with so many loses less".to_owned()
    } else {
        let below = percent(group.loss - group.bound, group.loss);
        format!("the least is not proved: no plan loses less than {}, {below} below", group.bound)
    };
    aims.push(format!("losing {}: {proof}", group.loss));
    let restarts = group.restarts();
    if restarts > 0 {
        let proof = if restarts == group.fewest_restarts {
            "no plan with so many pools restarts fewer".to_owned()
        } else {
            format!("at least {} with so many pools", group.fewest_restarts)
        };
        let unknown: usize = group.pools.iter().map(|pool| pool.restarts().1).sum();
        let unknown = if unknown > 0 { format!(", not known of {}", count(unknown, "host")) } else { String::new() };
        aims.push(format!("{} to restart{unknown}: {proof}", count(restarts, "VM")));
    }
    if let Some(more) = group.one_more {
        let saves = group.loss - more.loss;
        aims.push(match (saves, more.loss == more.bound) {
            (0, true) => "one more pool would save nothing".to_owned(),
            (0, false) => format!("one more pool: nothing found, at most {}", group.loss - more.bound),
            (_, true) => format!("one more pool would save {saves}"),
            (_, false) => format!("one more pool would save {saves}, perhaps up to {}", group.loss - more.bound),
        });
    }
    aims
}

/// What a pool comes to, without its name.
pub(super) fn pool(pool: &PlannedPool) -> String {
    let kept = if pool.kept { ", kept" } else { "" };
    let (restarts, unknown) = pool.restarts();
    let vms = match (restarts, unknown) {
        (0, 0) => String::new(),
        (known, 0) => format!(", {} to restart", count(known, "VM")),
        (0, _) if unknown == pool.members.len() => String::new(),
        (known, unknown) => format!(", {} to restart, not known of {}", count(known, "VM"), count(unknown, "host")),
    };
    format!("{}{kept}, loses {}{vms}", count(pool.members.len(), "host"), pool.loss)
}

/// What a step is called.
pub(super) const fn step(step: Step) -> &'static str {
    match step {
        Step::Stays => "stays",
        Step::Founds => "founds",
        Step::Joins => "joins",
    }
}

/// Members that come one after the other and are alike in everything but their names, with the places they have.
pub(super) fn alike(pool: &PlannedPool) -> Vec<(String, &[Member])> {
    let mut before = 0;
    let members = pool.members.chunk_by(|a, b| {
        let key = |member: &Member| (member.step, member.loss, member.restarts);
        key(a) == key(b) && a.hidden == b.hidden && a.host.model == b.host.model
    });
    members
        .map(|members| {
            let (first, last) = (before + 1, before + members.len());
            before = last;
            (if first == last { first.to_string() } else { format!("{first}-{last}") }, members)
        })
        .collect()
}

/// What members that are alike lose each.
pub(super) fn loses(members: &[Member]) -> String {
    let Some(first) = members.first() else { return String::new() };
    let each = if members.len() > 1 { "each " } else { "" };
    let loses = match first.loss {
        0 => format!("{each}loses nothing"),
        loss => {
            format!("{each}loses {loss} in {}: {}", count(first.hidden.len(), "feature"), features(&first.hidden))
        }
    };
    match first.restarts {
        Some(vms) if vms > 0 => format!("{loses}; {} to restart", count(vms, "VM")),
        _ => loses,
    }
}

/// Which hosts keep the others of a pool from what.
pub(super) fn forced(pool: &PlannedPool, forced: &Forced) -> String {
    let names = forced.hosts.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = match forced.hosts.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more alike"),
    };
    let keeps = features(&forced.features);
    format!("without {names}{more} {} keeps {keeps} (saves {})", pool.name, forced.saves)
}

/// What PV guests lose that HVM guests do not, where there is anything.
pub(super) fn pv(pool: &PlannedPool) -> Option<String> {
    let alone = pool.lost_by_pv_alone();
    (!alone.is_empty()).then(|| format!("PV guests lose also {} (not weighed)", features(&alone)))
}

/// Features by name, group by group.
pub(super) fn features(features: &[usize]) -> String {
    let named: Vec<_> = features.iter().map(|feature| (names::group(*feature), names::name(*feature))).collect();
    names::grouped(named.iter().map(|(group, name)| (*group, name.as_str()))).join("; ")
}

fn percent(part: i64, whole: i64) -> String {
    if whole == 0 {
        return "0 %".to_owned();
    }
    let tenths = part * 1000 / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}
