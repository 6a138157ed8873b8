//! The plan as one HTML page that needs nothing else, in the style of the reports: what each pool has and loses as a
//! picture, who is in it and in which order, and who forces a loss. The template escapes every text; [`text`] has taken
//! out what would act before.

mod levels;

use serde::Serialize;

use super::model::{Group, Member, Plan, PlannedPool};
use super::{Weights, words};
use crate::cpu::names;
use crate::page::text;
use levels::{Levels, levels};

const PAGE: &str = include_str!("page.html");
/// What only this page has.
const STYLE: &str = include_str!("style.css");

#[derive(Serialize)]
struct Page {
    title: String,
    version: &'static str,
    /// What the plan comes to, as words and as the name of their colour.
    outcome: (&'static str, &'static str),
    remarks: Vec<String>,
    meta: Vec<(&'static str, String)>,
    groups: Vec<HtmlGroup>,
    left_out: Vec<(String, String, String)>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct HtmlGroup {
    id: String,
    title: String,
    makeup: String,
    aims: Vec<String>,
    levels: Option<Levels>,
    pools: Vec<HtmlPool>,
}

#[derive(Serialize)]
struct HtmlPool {
    id: String,
    name: String,
    kept: bool,
    summary: String,
    level: String,
    features: String,
    members: Vec<Row>,
    forced: Vec<String>,
    pv: Vec<String>,
}

/// Members that are alike.
#[derive(Serialize)]
struct Row {
    places: String,
    step: &'static str,
    names: String,
    model: String,
    loss: i64,
    hidden: String,
    restarts: String,
}

/// The plan as a page.
pub fn to_html(plan: &Plan, weights: &Weights) -> String {
    let outcome = if plan.left_out.is_empty() { ("ALL PLANNED", "go") } else { ("SOME LEFT OUT", "unsure") };
    let page = Page {
        title: text(&words::heading(plan)),
        version: env!("CARGO_PKG_VERSION"),
        outcome,
        remarks: words::remarks(plan).iter().map(|remark| text(remark)).collect(),
        meta: meta(plan, weights),
        groups: plan
            .groups
            .iter()
            .enumerate()
            .map(|(place, group)| html_group(plan, group, place, weights))
            .collect(),
        left_out: plan
            .left_out
            .iter()
            .map(|host| (text(&host.name), text(&host.source), text(&host.reason)))
            .collect(),
        notes: plan.notes.iter().map(|note| text(note)).collect(),
    };
    crate::page::page(PAGE, STYLE, &page)
}

fn meta(plan: &Plan, weights: &Weights) -> Vec<(&'static str, String)> {
    let mut meta = vec![("Hosts a pool", format!("at most {}", plan.limit))];
    if plan.spare > 0 {
        meta.push(("Spare pools", plan.spare.to_string()));
    }
    if *weights != Weights::default() {
        meta.push(("Weights", "not the built-in ones; the JSON plan shows them".to_owned()));
    }
    meta
}

fn html_group(plan: &Plan, group: &Group, place: usize, weights: &Weights) -> HtmlGroup {
    let id = format!("group-{}", place + 1);
    HtmlGroup {
        title: text(&words::title(group)),
        makeup: words::makeup(group),
        aims: words::aims(group, plan.spare),
        levels: levels(group, weights),
        pools: group.pools.iter().enumerate().map(|(pool, it)| html_pool(it, format!("{id}-{}", pool + 1))).collect(),
        id,
    }
}

fn html_pool(pool: &PlannedPool, id: String) -> HtmlPool {
    HtmlPool {
        id,
        name: text(&pool.name),
        kept: pool.kept,
        summary: words::pool(pool),
        level: pool.level.to_string(),
        features: names::names(&pool.level).join(" "),
        members: words::alike(pool).into_iter().filter_map(|(places, members)| row(places, members)).collect(),
        forced: pool.forced.iter().map(|forced| text(&words::forced(pool, forced))).collect(),
        pv: pv(pool),
    }
}

fn row(places: String, members: &[Member]) -> Option<Row> {
    let first = members.first()?;
    let names = members.iter().map(|member| text(&member.host.name)).collect::<Vec<_>>().join(", ");
    Some(Row {
        places,
        step: words::step(first.step),
        names,
        model: text(&first.host.model),
        loss: first.loss,
        hidden: words::features(&first.hidden),
        restarts: first.restarts.map_or_else(|| "not known".to_owned(), |vms| vms.to_string()),
    })
}

/// What PV guests are started with and lose, in sentences.
fn pv(pool: &PlannedPool) -> Vec<String> {
    let mut said = Vec::new();
    if pool.pv.level.is_some() {
        said.push(match pool.pv.loss {
            0 => "PV guests lose nothing".to_owned(),
            loss => format!("PV guests lose {loss}, which is not weighed: {}", words::features(&pool.pv.hidden)),
        });
    }
    if pool.pv.unknown > 0 {
        said.push(format!("what PV guests lose is not known of {}", words::count(pool.pv.unknown, "host")));
    }
    said
}
