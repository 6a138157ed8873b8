//! The JSON of a report, version 1: private mirrors, so that the inner types may change without breaking readers.

use std::borrow::Cow;

use serde::Serialize;

use super::eject::{MemberV1, member_v1};
use super::{JoinerReport, Report};
use crate::cpu::FeatureFact;
use crate::facts::{Fact, Known, Value};
use crate::rules::{Evidence, Finding, FixStep, Outcome, Prediction, Severity, SharedSr, Verdict, Waived};
use crate::text::json;

/// The value of `format`.
pub(super) const FORMAT: &str = "poolgate-report";
/// The value of `version`.
pub(super) const VERSION: &str = "1.0";

#[derive(Serialize)]
struct ReportV1<'a> {
    format: &'static str,
    version: &'static str,
    tool: &'static str,
    verdict: Verdict,
    phase: &'static str,
    pool: PoolV1<'a>,
    policy: PolicyV1<'a>,
    joiners: Vec<JoinerV1<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberV1<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waivers: Option<WaiversV1<'a>>,
}

/// The file of waivers, and what is wrong with them.
#[derive(Serialize)]
pub(super) struct WaiversV1<'a> {
    file: &'a str,
    today: &'a str,
    findings: Vec<FindingV1<'a>>,
}

#[derive(Serialize)]
pub(super) struct PoolV1<'a> {
    name: &'a str,
    uuid: &'a str,
    hosts: Option<usize>,
    release: &'a str,
    source: &'a str,
    seen: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
}

#[derive(Serialize)]
pub(super) struct PolicyV1<'a> {
    max_hosts: i64,
    as_release: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct JoinerV1<'a> {
    name: &'a str,
    uuid: &'a str,
    verdict: Verdict,
    source: &'a str,
    seen: &'a str,
    release: &'a str,
    server: Option<&'a Prediction>,
    cpu: CpuV1<'a>,
    network: serde_json::Value,
    storage: Option<Vec<StorageV1<'a>>>,
    findings: Vec<FindingV1<'a>>,
    summary: SummaryV1,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    assumed: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
}

#[derive(Serialize)]
struct StorageV1<'a> {
    name: Option<&'a str>,
    uuid: Option<&'a str>,
    kind: Option<&'a str>,
    location: &'a str,
    admit: &'a str,
}

#[derive(Serialize)]
struct CpuV1<'a> {
    scheme: serde_json::Value,
    provenance: serde_json::Value,
    lost_by_pool: Option<Vec<LossV1<'a>>>,
    hidden_on_joiner: Option<Vec<LossV1<'a>>>,
    stranded_vms: Option<Vec<StrandedV1<'a>>>,
    level_before: LevelV1,
    level_after: LevelV1,
}

#[derive(Serialize)]
pub(super) struct LossV1<'a> {
    name: Cow<'static, str>,
    group: &'a str,
    sets: &'static [&'static str],
}

#[derive(Serialize)]
struct StrandedV1<'a> {
    name: &'a str,
    uuid: &'a str,
    power_state: &'a str,
    missing: Vec<Cow<'static, str>>,
    reason: &'a str,
}

#[derive(Serialize)]
pub(super) struct LevelV1 {
    pub(super) pv: serde_json::Value,
    pub(super) hvm: serde_json::Value,
}

#[derive(Serialize)]
pub(super) struct FindingV1<'a> {
    rule: &'a str,
    title: &'a str,
    outcome: Outcome,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity_was: Option<Severity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<&'a Waived>,
    message: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    items: &'a [String],
    evidence: &'a [Evidence],
    #[serde(skip_serializing_if = "is_zero")]
    evidence_left_out: usize,
    fix: &'a [FixStep],
    server_check: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct SummaryV1 {
    blockers: usize,
    warnings: usize,
    notes: usize,
    undecided: usize,
    #[serde(skip_serializing_if = "is_zero")]
    waived: usize,
    passed: usize,
    not_applicable: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The report as indented JSON with a final newline. `all` adds the rules that passed or had no say.
pub fn to_json(report: &Report, all: bool) -> String {
    let mirror = ReportV1 {
        format: FORMAT,
        version: VERSION,
        tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")),
        verdict: report.verdict,
        phase: phase(report),
        pool: pool_v1(report),
        policy: policy_v1(report),
        joiners: report.joiners.iter().map(|joiner| joiner_v1(joiner, all)).collect(),
        member: report.member.as_deref().map(|member| member_v1(member, all)),
        waivers: waivers_v1(report, all),
    };
    json(&mirror)
}

pub(super) const fn phase(report: &Report) -> &'static str {
    if report.member.is_some() { "eject" } else { "join" }
}

pub(super) fn pool_v1(report: &Report) -> PoolV1<'_> {
    PoolV1 {
        name: &report.pool.name,
        uuid: &report.pool.uuid,
        hosts: report.pool.hosts,
        release: &report.pool.release,
        source: &report.pool.target,
        seen: &report.pool.seen,
        notes: &report.pool.notes,
    }
}

pub(super) fn policy_v1(report: &Report) -> PolicyV1<'_> {
    PolicyV1 { max_hosts: report.policy.max_hosts, as_release: report.policy.as_release.as_deref() }
}

pub(super) fn waivers_v1(report: &Report, all: bool) -> Option<WaiversV1<'_>> {
    report.waivers.as_ref().map(|waivers| WaiversV1 {
        file: &waivers.file,
        today: &waivers.today,
        findings: findings_v1(&waivers.findings, all),
    })
}

pub(super) fn joiner_v1(joiner: &JoinerReport, all: bool) -> JoinerV1<'_> {
    JoinerV1 {
        name: &joiner.name,
        uuid: &joiner.uuid,
        verdict: joiner.verdict,
        source: &joiner.target,
        seen: &joiner.seen,
        release: &joiner.release,
        server: joiner.server.as_ref(),
        cpu: cpu_v1(joiner),
        network: super::network::block(&joiner.network),
        storage: joiner.storage.get().map(|srs| srs.iter().map(storage_v1).collect()),
        findings: findings_v1(&joiner.findings, all),
        summary: summary_v1(&joiner.findings),
        assumed: &joiner.assumed,
        notes: &joiner.notes,
    }
}

/// The findings that have something to say; `all` adds the rest.
pub(super) fn findings_v1(findings: &[Finding], all: bool) -> Vec<FindingV1<'_>> {
    let telling = |finding: &&Finding| all || matches!(finding.outcome, Outcome::Fail | Outcome::Unknown);
    findings.iter().filter(telling).map(finding_v1).collect()
}

pub(super) fn summary_v1(findings: &[Finding]) -> SummaryV1 {
    let total = |outcome| findings.iter().filter(|finding| finding.outcome == outcome).count();
    SummaryV1 {
        blockers: super::count(findings, Severity::Blocker, Outcome::Fail),
        warnings: super::count(findings, Severity::Warning, Outcome::Fail),
        notes: super::count(findings, Severity::Note, Outcome::Fail),
        undecided: total(Outcome::Unknown),
        waived: super::waived_count(findings),
        passed: total(Outcome::Pass),
        not_applicable: total(Outcome::NotApplicable),
    }
}

fn finding_v1(finding: &Finding) -> FindingV1<'_> {
    FindingV1 {
        rule: &finding.rule,
        title: &finding.title,
        outcome: finding.outcome,
        severity: finding.severity,
        severity_was: finding.severity_was,
        waived: finding.waived.as_ref(),
        message: &finding.message,
        items: &finding.items,
        evidence: &finding.evidence,
        evidence_left_out: finding.evidence_left_out,
        fix: &finding.fix,
        server_check: finding.server.as_ref().map(|(check, _, _)| *check),
    }
}

fn storage_v1(sr: &SharedSr) -> StorageV1<'_> {
    StorageV1 {
        name: sr.name_label.text(),
        uuid: sr.uuid.text(),
        kind: sr.kind.text(),
        location: &sr.location,
        admit: &sr.admit,
    }
}

fn cpu_v1(joiner: &JoinerReport) -> CpuV1<'_> {
    let cpu = &joiner.cpu;
    let unsure = cpu.undecided_vms.get().is_none_or(|vms| !vms.is_empty());
    CpuV1 {
        scheme: plain(&cpu.scheme),
        provenance: plain(&cpu.joiner_provenance),
        lost_by_pool: losses(&cpu.lost_by_pool),
        hidden_on_joiner: losses(&cpu.hidden_on_joiner),
        // None seen, and some of which nobody knows, is not the same as none.
        stranded_vms: cpu.stranded_vms.get().filter(|vms| !vms.is_empty() || !unsure).map(|vms| {
            vms.iter()
                .map(|vm| StrandedV1 {
                    name: &vm.name_label,
                    uuid: &vm.uuid,
                    power_state: &vm.power_state,
                    missing: vm.missing.iter().map(|feature| feature.label()).collect(),
                    reason: &vm.reason,
                })
                .collect()
        }),
        level_before: LevelV1 { pv: plain(&cpu.level_before_pv), hvm: plain(&cpu.level_before_hvm) },
        level_after: LevelV1 { pv: plain(&cpu.level_after_pv), hvm: plain(&cpu.level_after_hvm) },
    }
}

pub(super) fn losses(losses: &Known<Vec<FeatureFact>>) -> Option<Vec<LossV1<'_>>> {
    let losses = losses.get()?;
    Some(losses.iter().map(|loss| LossV1 { name: loss.name.label(), group: &loss.group, sets: loss.sets }).collect())
}

pub(super) fn plain(fact: &impl Fact) -> serde_json::Value {
    match fact.value() {
        Value::Text(text) => text.into_owned().into(),
        Value::Features(set) => set.to_string().into(),
        _ => serde_json::Value::Null,
    }
}
