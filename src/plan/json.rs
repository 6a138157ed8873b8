//! The JSON of a plan, version 1.1: private mirrors, so that the inner types may change without breaking readers.

use serde::Serialize;

use super::model::{Group, Member, Plan, PlannedPool};
use super::{LeftOut, Weights, words};
use crate::cpu::names;
use crate::text::json;

/// The value of `format`.
pub(super) const FORMAT: &str = "poolgate-plan";
/// The value of `version`.
pub(super) const VERSION: &str = "1.1";

#[derive(Serialize)]
struct PlanV1<'a> {
    format: &'static str,
    version: &'static str,
    tool: &'static str,
    max_hosts: usize,
    spare: usize,
    hosts: usize,
    pools: usize,
    loss: i64,
    bound: i64,
    optimal: bool,
    by_clock: bool,
    weights: serde_json::Map<String, serde_json::Value>,
    groups: Vec<GroupV1<'a>>,
    left_out: Vec<LeftOutV1<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct GroupV1<'a> {
    vendor: &'a str,
    release: Option<&'a str>,
    hosts: usize,
    featuresets: usize,
    levels: Option<usize>,
    fewest_pools: usize,
    fewest_proved: bool,
    loss: i64,
    bound: i64,
    optimal: bool,
    one_more_pool: Option<OneMoreV1>,
    restarts: usize,
    restarts_bound: usize,
    pools: Vec<PoolV1<'a>>,
}

#[derive(Serialize)]
struct OneMoreV1 {
    loss: i64,
    bound: i64,
    saves: i64,
}

#[derive(Serialize)]
struct PoolV1<'a> {
    name: &'a str,
    kept: bool,
    level: String,
    features: Vec<String>,
    loss: i64,
    restarts: usize,
    restarts_unknown: usize,
    hosts: Vec<MemberV1<'a>>,
    forced: Vec<ForcedV1<'a>>,
    pv: PvV1,
}

#[derive(Serialize)]
struct PvV1 {
    level: Option<String>,
    loss: i64,
    hidden: Vec<FeatureV1>,
    unknown: usize,
}

#[derive(Serialize)]
struct MemberV1<'a> {
    name: &'a str,
    uuid: &'a str,
    source: &'a str,
    model: &'a str,
    step: &'static str,
    loss: i64,
    hidden: Vec<FeatureV1>,
    restarts: Option<usize>,
}

#[derive(Serialize)]
struct ForcedV1<'a> {
    hosts: &'a [String],
    keeps: Vec<FeatureV1>,
    saves: i64,
}

#[derive(Serialize)]
struct FeatureV1 {
    name: String,
    group: &'static str,
}

#[derive(Serialize)]
struct LeftOutV1<'a> {
    name: &'a str,
    uuid: &'a str,
    source: &'a str,
    reason: &'a str,
}

/// The plan as indented JSON with a final newline.
pub fn to_json(plan: &Plan, weights: &Weights) -> String {
    let sum = |of: fn(&Group) -> i64| plan.groups.iter().map(of).sum();
    let mirror = PlanV1 {
        format: FORMAT,
        version: VERSION,
        tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")),
        max_hosts: plan.limit,
        spare: plan.spare,
        hosts: plan.groups.iter().map(|group| group.hosts).sum(),
        pools: plan.groups.iter().map(|group| group.pools.len()).sum(),
        loss: sum(|group| group.loss),
        bound: sum(|group| group.bound),
        optimal: plan.spare == 0
            && plan.groups.iter().all(|group| group.is_optimal() && group.pools.len() <= group.fewest),
        by_clock: plan.by_clock,
        weights: weights.groups().map(|(group, weight)| (group.to_owned(), weight.into())).collect(),
        groups: plan.groups.iter().map(|group| group_v1(group, plan.spare)).collect(),
        left_out: plan.left_out.iter().map(left_out_v1).collect(),
        notes: &plan.notes,
    };
    json(&mirror)
}

fn group_v1(group: &Group, spare: usize) -> GroupV1<'_> {
    GroupV1 {
        vendor: &group.vendor,
        release: group.release.as_deref(),
        hosts: group.hosts,
        featuresets: group.kinds,
        levels: group.levels,
        fewest_pools: group.fewest,
        fewest_proved: group.is_fewest(spare),
        loss: group.loss,
        bound: group.bound,
        optimal: group.is_optimal(),
        one_more_pool: group.one_more.map(|more| OneMoreV1 {
            loss: more.loss,
            bound: more.bound,
            saves: group.loss - more.loss,
        }),
        restarts: group.restarts(),
        restarts_bound: group.fewest_restarts,
        pools: group.pools.iter().map(pool_v1).collect(),
    }
}

fn pool_v1(pool: &PlannedPool) -> PoolV1<'_> {
    let (restarts, restarts_unknown) = pool.restarts();
    PoolV1 {
        name: &pool.name,
        kept: pool.kept,
        level: pool.level.to_string(),
        features: names::names(&pool.level),
        loss: pool.loss,
        restarts,
        restarts_unknown,
        hosts: pool.members.iter().map(member_v1).collect(),
        forced: pool
            .forced
            .iter()
            .map(|forced| ForcedV1 {
                hosts: &forced.hosts,
                keeps: features_v1(&forced.features),
                saves: forced.saves,
            })
            .collect(),
        pv: PvV1 {
            level: pool.pv.level.as_ref().map(ToString::to_string),
            loss: pool.pv.loss,
            hidden: features_v1(&pool.pv.hidden),
            unknown: pool.pv.unknown,
        },
    }
}

fn member_v1(member: &Member) -> MemberV1<'_> {
    MemberV1 {
        name: &member.host.name,
        uuid: &member.host.uuid,
        source: &member.host.source,
        model: &member.host.model,
        step: words::step(member.step),
        loss: member.loss,
        hidden: features_v1(&member.hidden),
        restarts: member.restarts,
    }
}

fn features_v1(features: &[usize]) -> Vec<FeatureV1> {
    features.iter().map(|feature| FeatureV1 { name: names::name(*feature), group: names::group(*feature) }).collect()
}

fn left_out_v1(host: &LeftOut) -> LeftOutV1<'_> {
    LeftOutV1 { name: &host.name, uuid: &host.uuid, source: &host.source, reason: &host.reason }
}
