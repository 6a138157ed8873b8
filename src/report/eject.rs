//! The `member` of a JSON report: a host that is to leave, what its leaving destroys, what stays.

use serde::Serialize;
use serde_json::Value as Json;

use super::MemberReport;
use super::json::{FindingV1, LevelV1, LossV1, SummaryV1, findings_v1, losses, plain, summary_v1};
use crate::eject::{Interface, LosingVm, LostNetwork, LostSr, LostVdi, Management};
use crate::facts::{Fact, Known, Value};
use crate::rules::{FailingCheck, Refusal, Verdict};

#[derive(Serialize)]
pub(super) struct MemberV1<'a> {
    name: &'a str,
    uuid: &'a str,
    release: &'a str,
    verdict: Verdict,
    server: Option<ServerV1<'a>>,
    findings: Vec<FindingV1<'a>>,
    summary: SummaryV1,
    loses: LosesV1<'a>,
    keeps: KeepsV1<'a>,
    capacity: CapacityV1,
    cpu: CpuV1<'a>,
}

/// Nothing forces an eject: there is one answer.
#[derive(Serialize)]
struct ServerV1<'a> {
    first: Option<&'a Refusal>,
    failing: &'a [FailingCheck],
    undecided: &'a [&'static str],
}

/// Each null when it is not known.
#[derive(Serialize)]
struct LosesV1<'a> {
    vdis: Option<Vec<Json>>,
    vms: Option<Vec<Json>>,
    srs: Option<Vec<Json>>,
    networks: Option<Vec<Json>>,
    interfaces: Option<Vec<Json>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unknown: Vec<&'a str>,
}

#[derive(Serialize)]
struct KeepsV1<'a> {
    management: Option<Json>,
    root_password: &'a str,
    console_needed: bool,
    tls_verification: bool,
}

#[derive(Serialize)]
struct CapacityV1 {
    hosts: Json,
    memory: Json,
    needed: Json,
    fits: Json,
}

#[derive(Serialize)]
struct CpuV1<'a> {
    gained: Option<Vec<LossV1<'a>>>,
    level_before: LevelV1,
    level_after: LevelV1,
}

pub(super) fn member_v1(member: &MemberReport, all: bool) -> MemberV1<'_> {
    let (facts, cpu) = (&member.facts, &member.facts.cpu);
    MemberV1 {
        name: &member.name,
        uuid: &member.uuid,
        release: &member.release,
        verdict: member.verdict,
        server: member.server.as_ref().map(|server| ServerV1 {
            first: server.first.as_ref(),
            failing: &server.failing,
            undecided: &server.undecided,
        }),
        findings: findings_v1(&member.findings, all),
        summary: summary_v1(&member.findings),
        loses: LosesV1 {
            vdis: each(&facts.vdis, vdi),
            vms: each(&facts.vms, vm),
            srs: each(&facts.srs, sr),
            networks: each(&facts.networks, network),
            interfaces: each(&facts.interfaces, interface),
            unknown: [
                ("vdis", facts.vdis.get().is_none()),
                ("vms", facts.vms.get().is_none()),
                ("srs", facts.srs.get().is_none()),
                ("networks", facts.networks.get().is_none()),
                ("interfaces", facts.interfaces.get().is_none()),
            ]
            .into_iter()
            .filter_map(|(name, missing)| missing.then_some(name))
            .collect(),
        },
        keeps: KeepsV1 {
            management: facts.management.get().and_then(Option::as_ref).map(management),
            root_password: "the pool's",
            console_needed: true,
            tls_verification: false,
        },
        capacity: CapacityV1 {
            hosts: scalar(&facts.capacity.hosts),
            memory: scalar(&facts.capacity.memory),
            needed: scalar(&facts.capacity.needed),
            fits: scalar(&facts.capacity.fits),
        },
        cpu: CpuV1 {
            gained: losses(&cpu.regained),
            level_before: LevelV1 { pv: plain(&cpu.level_before_pv), hvm: plain(&cpu.level_before_hvm) },
            level_after: LevelV1 { pv: plain(&cpu.level_after_pv), hvm: plain(&cpu.level_after_hvm) },
        },
    }
}

fn each<T>(list: &Known<Vec<T>>, one: fn(&T) -> Json) -> Option<Vec<Json>> {
    list.get().map(|list| list.iter().map(one).collect())
}

fn vdi(vdi: &LostVdi) -> Json {
    serde_json::json!({
        "name": vdi.name, "uuid": plain(&vdi.uuid), "sr": vdi.sr, "sr_uuid": plain(&vdi.sr_uuid), "fate": vdi.fate,
        "size": scalar(&vdi.virtual_size), "vms": texts(&vdi.vms),
    })
}

fn vm(vm: &LosingVm) -> Json {
    serde_json::json!({
        "name": vm.name, "uuid": plain(&vm.uuid), "kind": vm.kind, "power_state": plain(&vm.power_state),
        "lost_disks": vm.lost, "disks": vm.disks, "diskless": vm.diskless,
    })
}

fn sr(sr: &LostSr) -> Json {
    serde_json::json!({"name": sr.name(), "uuid": plain(&sr.uuid), "kind": plain(&sr.kind), "fate": sr.fate})
}

fn network(network: &LostNetwork) -> Json {
    serde_json::json!({
        "name": network.name, "uuid": plain(&network.uuid), "bridge": plain(&network.bridge),
        "vms": texts(&network.vms),
    })
}

fn interface(part: &Interface) -> Json {
    serde_json::json!({
        "kind": part.kind, "device": part.device, "about": part.about, "network": part.network,
        "network_uuid": plain(&part.network_uuid),
    })
}

fn management(kept: &Management) -> Json {
    serde_json::json!({
        "device": kept.device, "vlan": kept.vlan, "bond": kept.bond, "mode": plain(&kept.mode),
        "ip": plain(&kept.ip), "netmask": plain(&kept.netmask), "gateway": plain(&kept.gateway),
        "dns": plain(&kept.dns), "ipv6_mode": plain(&kept.ipv6_mode), "ipv6": texts(&kept.ipv6),
    })
}

fn texts(list: &Known<Vec<String>>) -> Json {
    list.get().map_or(Json::Null, |list| list.as_slice().into())
}

/// A number or a truth; null when it is not known.
fn scalar(fact: &impl Fact) -> Json {
    match fact.value() {
        Value::Int(number) => number.into(),
        Value::Bool(truth) => truth.into(),
        _ => Json::Null,
    }
}
