//! Pools out of a fleet: the fewest, then those whose hosts lose the least, then those for which the fewest VMs restart.
//! Pure functions: no I/O, and no clock unless one is asked for. Called by `cli`; knows `facts`, `snapshot`, `cpu` and the
//! release lines of `rules`.

mod arrange;
mod blocks;
mod found;
mod group;
mod host;
mod json;
mod markdown;
mod model;
mod page;
mod restarts;
mod schema;
mod share;
mod solve;
mod table;
mod weights;
mod words;

pub use host::{LeftOut, PlanHost};
pub use json::to_json;
pub use markdown::to_markdown;
pub use model::{Forced, Group, KeptPool, Member, OneMore, Plan, PlanError, PlannedPool, PvLoss, Question, Step};
pub use page::to_html;
pub use schema::json_schema;
pub use table::{PlanTable, to_table};
pub use weights::{Weights, WeightsError};

use std::collections::BTreeMap;

use blocks::{Block, blocks};
use group::GroupWork;

/// Plans pools. The same question gives the same plan, in whatever order its hosts come, unless a clock is set.
///
/// ```
/// use poolgate::plan::{PlanHost, Question, Weights, plan};
/// use poolgate::snapshot::read_snapshot;
///
/// let (mut hosts, mut left_out) = (Vec::new(), Vec::new());
/// for source in ["fixtures/xcp-ng-8.3-5-hosts.json", "fixtures/candidate-older-intel.json"] {
///     let pool = read_snapshot(&std::fs::read(source).unwrap()).unwrap().0.pool;
///     for host in pool.hosts.each() {
///         match PlanHost::read(&pool, host, source) {
///             Ok(host) => hosts.push(host),
///             // Without a vendor or features nothing is planned, and it is said why.
///             Err(out) => left_out.push(out),
///         }
///     }
/// }
/// let question = Question {
///     hosts,
///     left_out,
///     keep: vec![],
///     limit: 4,
///     spare: 0,
///     together: vec![],
///     apart: vec![],
///     weights: Weights::default(),
///     effort: 1,
///     until: None,
/// };
/// let planned = plan(&question).unwrap();
/// let pools: Vec<_> = planned.groups.iter().flat_map(|group| &group.pools).collect();
/// assert_eq!(pools.len(), 2);
/// assert!(pools.iter().all(|pool| pool.members.len() <= 4));
/// ```
pub fn plan(question: &Question) -> Result<Plan, PlanError> {
    let mut notes = Vec::new();
    let mut left_out = question.left_out.clone();
    let mut hosts = question.hosts.clone();
    // The order of the input must not matter.
    hosts.sort_by(|a, b| (&a.name, &a.uuid, &a.source).cmp(&(&b.name, &b.uuid, &b.source)));
    let mut owner: Vec<Option<usize>> = vec![None; hosts.len()];
    let mut closed: Vec<(usize, &KeptPool)> = Vec::new();
    for (index, pool) in question.keep.iter().enumerate() {
        left_out.extend(pool.unplanned.iter().cloned());
        if let Some(why) = why_closed(pool, question.limit) {
            notes.push(format!("{} stays as it is: {why}", pool.name));
            closed.push((index, pool));
            continue;
        }
        let mut members = pool.members.clone();
        members.sort_by(|a, b| (&a.name, &a.uuid).cmp(&(&b.name, &b.uuid)));
        owner.extend(members.iter().map(|_| Some(index)));
        hosts.extend(members);
    }
    left_out.sort_by(|a, b| (&a.name, &a.uuid, &a.source).cmp(&(&b.name, &b.uuid, &b.source)));
    let blocks = blocks(&hosts, &owner, &question.keep, &left_out, &question.together, &question.apart)?;
    let works = works(question, &hosts, &blocks, &closed);
    for work in &works {
        work.refuse_oversized(question.limit)?;
    }
    let answers = share::answers(&works, question);
    let by_clock = answers.iter().flatten().any(|answer| answer.by_clock);
    let chosen = share::choose(&answers, question.spare);
    let mut groups = Vec::new();
    let mut number = 0;
    for ((work, answers), chosen) in works.iter().zip(&answers).zip(chosen) {
        let group = work.finish(answers, chosen, &mut number);
        let Some(group) = group else {
            return Err(PlanError::Contradiction(format!(
                "no pools of at most {} hosts were found that keep --together, --apart and --keep",
                question.limit
            )));
        };
        if group.release.is_none() {
            notes.push(format!(
                "the release of {} is not known: they are planned among themselves only",
                words::count(group.hosts, &format!("{} host", group.vendor))
            ));
        }
        groups.push(group);
    }
    Ok(Plan { limit: question.limit, spare: question.spare, groups, left_out, by_clock, notes })
}

/// Why nothing can join a kept pool.
fn why_closed(pool: &KeptPool, limit: usize) -> Option<String> {
    let hosts = pool.members.len() + pool.unplanned.len();
    let alike = |a: &PlanHost, b: &PlanHost| (&a.vendor, &a.release) == (&b.vendor, &b.release);
    if let Some(out) = pool.unplanned.first() {
        return Some(format!("its member {} cannot be planned: {}", out.name, out.reason));
    }
    if pool.members.is_empty() {
        return Some("it shows no hosts".to_owned());
    }
    if pool.members.windows(2).any(|pair| !alike(&pair[0], &pair[1])) {
        return Some("its members differ in vendor or release".to_owned());
    }
    (hosts >= limit).then(|| format!("it has {} already", words::count(hosts, "host")))
}

/// Blocks of a group, and its pools that stay as they are.
type Part<'q> = (Vec<usize>, Vec<&'q KeptPool>);

/// The hosts of one vendor and release line each.
fn works<'q>(
    question: &'q Question,
    hosts: &'q [PlanHost],
    blocks: &[Block],
    closed: &[(usize, &'q KeptPool)],
) -> Vec<GroupWork<'q>> {
    let mut parts: BTreeMap<(&str, Option<&str>), Part<'q>> = BTreeMap::new();
    for (index, block) in blocks.iter().enumerate() {
        let host = &hosts[block.hosts[0]];
        parts.entry((&host.vendor, host.release.as_deref())).or_default().0.push(index);
    }
    for (_, pool) in closed {
        if let Some(host) = pool.members.first() {
            parts.entry((&host.vendor, host.release.as_deref())).or_default().1.push(pool);
        }
    }
    parts
        .into_iter()
        .map(|((vendor, release), (part, closed))| {
            GroupWork::new(question, hosts, blocks, &part, closed, (vendor, release))
        })
        .collect()
}
