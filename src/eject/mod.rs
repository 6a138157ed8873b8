//! What ejecting a member would destroy and what stays: storage, VMs, networks, management, capacity, CPU level.
//! Pure functions from a pool's snapshot to derived facts; `rules` calls them. Knows `facts`, `snapshot` and `cpu`.

mod capacity;
mod facts;
mod member;
mod network;
mod plugs;
mod storage;

use crate::cpu;
use crate::facts::{Found, Known, Reason, Unknown, known, need};
use crate::snapshot::{Host, Pif, Pool};

pub use facts::{
    Capacity, ClusterAfter, EjectFacts, HeldDisk, Interface, LosingMemory, LosingVm, LostNetwork, LostSr, LostVdi,
    Management, Operation, Plug, PoolSr, UnreachableSr,
};
pub use member::{MemberError, find_member};

/// Derives what the member's leaving means. `management` is its management interface, or null.
pub fn derive(pool: &Pool, member: &Host, management: &Known<Option<&Pif>>) -> EjectFacts {
    let reference = need(&member.reference);
    let of = |find: &dyn Fn(&str) -> Found<bool>| known(|| find(reference.clone()?));
    let srs = known(|| storage::lost_srs(pool, reference.clone()?));
    let vms = known(|| storage::losing_vms(pool, need(&srs)?));
    EjectFacts {
        is_coordinator: of(&|reference| Ok(need(&pool.coordinator_host())?.reference.text() == Some(reference))),
        operations: known(|| operations(pool)),
        management: known(|| network::management(pool, *need(management)?)),
        vdis: known(|| storage::lost_vdis(pool, need(&srs)?)),
        suspended: known(|| storage::suspended(pool, need(&srs)?)),
        unreachable: known(|| storage::unreachable(pool, reference.clone()?, need(&srs)?)),
        pool_srs: known(|| storage::pool_srs(pool, need(&srs)?)),
        plugs: known(|| plugs::plugs(pool, reference.clone()?, need(&srs)?)),
        held: known(|| plugs::held(pool, reference.clone()?)),
        refuge: known(|| storage::refuge(pool, reference.clone()?, need(&srs)?)),
        networks: known(|| network::lost_networks(pool, reference.clone()?)),
        interfaces: known(|| network::interfaces(pool, reference.clone()?)),
        cluster: known(|| capacity::cluster(pool, reference.clone()?)),
        capacity: capacity::capacity(pool, member),
        successor: known(|| capacity::successor(pool, reference.clone()?)),
        cpu: match &reference {
            Ok(reference) => cpu::eject(pool, reference),
            // Without its reference the member cannot be told from the others: the level is that of nobody.
            Err(_) => cpu::eject(&Pool::default(), ""),
        },
        srs,
        vms,
    }
}

fn operations(pool: &Pool) -> Found<Vec<Operation>> {
    let operations = need(&pool.current_operations)?.iter();
    Ok(operations.map(|(task, name)| Operation { task: task.clone(), name: name.clone() }).collect())
}

/// A list of the pool; where it is missing, by its name.
fn list<'a, T>(list: &'a Known<Vec<T>>, name: &str) -> Found<&'a [T]> {
    need(list).map(Vec::as_slice).map_err(|unknown| match unknown.detail() {
        "" => Unknown::because(unknown.reason, format!("pool.{name}")),
        _ => unknown,
    })
}

/// The record that a reference leads to.
fn follow<'a, T>(
    list: &'a Known<Vec<T>>,
    reference: fn(&T) -> &Known<String>,
    wanted: &str,
    class: &str,
) -> Found<&'a T> {
    self::list(list, &format!("{}s", class.to_lowercase()))?
        .iter()
        .find(|record| reference(record).text() == Some(wanted))
        .ok_or_else(|| Unknown::because(Reason::Unreadable, format!("{class} {wanted} is not among the records")))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What people call a record: its name, else its uuid, else its reference.
fn label(name: &Known<String>, uuid: &Known<String>, reference: &Known<String>) -> String {
    let texts = [name.text(), uuid.text(), reference.text()];
    texts.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or("(unnamed)").to_owned()
}
