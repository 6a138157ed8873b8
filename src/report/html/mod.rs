//! The report as one HTML page that needs nothing else: no scripts, no fonts, no images from anywhere. The template
//! escapes every text; [`text`] has taken out what would act before.

mod matrix;
mod nics;
mod pictures;

use serde::Serialize;

use super::Report;
use super::losses::{Losses, losses};
use super::parts::{Part, PartKind, evidence, is_telling, mark, overridden, place, refusal, waived};
use crate::eject::EjectFacts;
use crate::page::text;
use crate::rules::{Finding, FixStep, Outcome, Verdict};
use matrix::{Matrix, matrix};
use nics::{NicMap, nic_map};

pub use pictures::Pictures;

const PAGE: &str = include_str!("page.html");

#[derive(Serialize)]
struct Page {
    title: String,
    version: &'static str,
    verdict: Shown,
    question: String,
    summary: Vec<String>,
    meta: Vec<(&'static str, String)>,
    several: bool,
    parts: Vec<HtmlPart>,
    matrix: Option<Matrix>,
    matrix_empty: String,
}

/// A verdict as words and as the name of its colour.
#[derive(Serialize)]
struct Shown {
    words: &'static str,
    class: &'static str,
}

#[derive(Serialize)]
struct HtmlPart {
    id: String,
    name: String,
    /// None for the run, whose verdict is that of the page.
    verdict: Option<Shown>,
    summary: String,
    facts: Vec<(&'static str, String)>,
    notes: Vec<String>,
    losses: Vec<HtmlLosses>,
    findings: Vec<HtmlFinding>,
    quiet: Vec<HtmlFinding>,
    nics: Option<NicMap>,
    remarks: Vec<(String, String)>,
    scripts: Vec<HtmlScript>,
}

/// One kind of what an eject destroys.
#[derive(Serialize)]
struct HtmlLosses {
    what: &'static str,
    remark: String,
    names: Vec<String>,
    more: usize,
}

#[derive(Serialize)]
struct HtmlScript {
    title: &'static str,
    steps: Vec<HtmlStep>,
}

#[derive(Serialize)]
struct HtmlFinding {
    host: String,
    rule: String,
    mark: &'static str,
    class: &'static str,
    title: String,
    message: String,
    remarks: Vec<String>,
    items: Vec<String>,
    more_items: usize,
    steps: Vec<HtmlStep>,
    facts_title: &'static str,
    facts: Vec<String>,
    more_facts: usize,
}

#[derive(Serialize)]
struct HtmlStep {
    place: String,
    run: String,
    note: String,
    loses: String,
}

/// The report as a page. `all` adds the rules that passed or had no say.
pub fn to_html(report: &Report, pictures: &Pictures, all: bool) -> String {
    let parts = report.parts();
    let page = Page {
        title: text(&format!("{}: {}", report.verdict.words(), report.question())),
        version: env!("CARGO_PKG_VERSION"),
        verdict: shown(report.verdict),
        question: text(&report.question()),
        summary: parts.iter().map(|part| text(&format!("{}: {}", part.name, part.summary()))).collect(),
        meta: meta(report),
        several: parts.len() > 1,
        matrix: pictures.features().and_then(|diff| matrix(report, diff, pictures)),
        matrix_empty: pictures.features().map(|diff| no_difference(diff.common, diff.has_gaps())).unwrap_or_default(),
        parts: parts.iter().enumerate().map(|(index, part)| html_part(report, part, index, pictures, all)).collect(),
    };
    crate::page::page(PAGE, "", &page)
}

const fn shown(verdict: Verdict) -> Shown {
    let class = match verdict {
        Verdict::Go => "go",
        Verdict::GoWithWarnings => "warn",
        Verdict::NoGo => "stop",
        Verdict::Undecided => "unsure",
    };
    Shown { words: verdict.words(), class }
}

fn no_difference(common: usize, gaps: bool) -> String {
    let among = if gaps { " among the hosts that show this set; the others were not compared" } else { "" };
    format!("No feature differs{among}; all have {common} in common.")
}

fn meta(report: &Report) -> Vec<(&'static str, String)> {
    let pool = &report.pool;
    let mut meta = vec![("Pool", text(&pool.name))];
    if !pool.release.is_empty() {
        meta.push(("Release", text(&pool.release)));
    }
    if let Some(hosts) = pool.hosts {
        meta.push(("Hosts", hosts.to_string()));
    }
    meta.push(("Read from", text(&pool.target)));
    if !pool.seen.is_empty() {
        meta.push(("Seen", text(&pool.seen)));
    }
    meta.push(("Limit", report.policy.max_hosts.to_string()));
    if let Some(release) = &report.policy.as_release {
        meta.push(("Judged as", text(release)));
    }
    if let Some(waivers) = &report.waivers {
        meta.push(("Waivers", text(&format!("{}, as of {}", waivers.file, waivers.today))));
    }
    meta
}

fn html_part(report: &Report, part: &Part<'_>, index: usize, pictures: &Pictures, all: bool) -> HtmlPart {
    let mut facts = Vec::new();
    if !part.release.is_empty() {
        facts.push(("Release", text(part.release)));
    }
    facts.push(("Read from", text(part.source)));
    if !part.seen.is_empty() {
        facts.push(("Seen", text(part.seen)));
    }
    if let Some(answer) = part.answer() {
        facts.push(("The server", text(&answer)));
    }
    let joiner = report.joiners.get(index).filter(|_| part.kind == PartKind::Joiner);
    let rest: Vec<_> = part.findings.iter().filter(|finding| all && !is_telling(finding)).collect();
    let said = joiner.map(|joiner| super::network::remarks(&joiner.network)).unwrap_or_default();
    let scripts = joiner.into_iter().flat_map(|joiner| super::network::scripts(&joiner.network));
    HtmlPart {
        id: format!("host-{}", index + 1),
        name: text(part.name),
        verdict: (part.kind != PartKind::Run).then(|| shown(part.verdict)),
        summary: part.summary(),
        facts,
        notes: part.notes.iter().map(|note| text(note)).collect(),
        losses: part.eject.map(html_losses).unwrap_or_default(),
        findings: part.shown(false).map(|finding| html_finding(part, finding)).collect(),
        quiet: rest.into_iter().map(|finding| html_finding(part, finding)).collect(),
        nics: joiner.and_then(|joiner| nic_map(joiner, pictures.before(index), index)),
        remarks: said.into_iter().map(|(label, said)| (text(&label), text(&said))).collect(),
        scripts: scripts
            .map(|(title, steps)| HtmlScript {
                title,
                steps: steps.iter().map(|step| html_step(part.kind, step)).collect(),
            })
            .collect(),
    }
}

fn html_losses(facts: &EjectFacts) -> Vec<HtmlLosses> {
    let shown = |lost: Losses| HtmlLosses {
        what: lost.what,
        remark: text(&lost.remark),
        names: lost.names.iter().map(|name| text(name)).collect(),
        more: lost.more,
    };
    losses(facts).into_iter().map(shown).collect()
}

fn html_finding(part: &Part<'_>, finding: &Finding) -> HtmlFinding {
    /// How many items are shown before the rest is counted.
    const ITEMS: usize = 40;
    let (facts, more_facts) = evidence(finding);
    let class = match mark(finding) {
        "BLOCKER" => "stop",
        "WARNING" => "warn",
        "UNDECIDED" | "unknown" => "unsure",
        "waived" => "waived",
        "pass" => "go",
        _ => "note",
    };
    let remarks = [waived(finding), overridden(finding), refusal(finding)];
    HtmlFinding {
        host: text(part.name),
        rule: finding.rule.clone(),
        mark: mark(finding),
        class,
        title: text(&finding.title),
        message: text(&finding.message),
        remarks: remarks.iter().flatten().map(|remark| text(remark)).collect(),
        items: finding.items.iter().take(ITEMS).map(|item| text(item)).collect(),
        more_items: finding.items.len().saturating_sub(ITEMS),
        steps: finding.fix.iter().map(|step| html_step(part.kind, step)).collect(),
        facts_title: if finding.outcome == Outcome::Unknown { "What would decide it" } else { "Facts behind it" },
        facts: facts.iter().map(|fact| text(fact)).collect(),
        more_facts,
    }
}

fn html_step(kind: PartKind, step: &FixStep) -> HtmlStep {
    HtmlStep { place: place(kind, step), run: text(&step.run), note: text(&step.note), loses: text(&step.loses) }
}
