//! Hosts that must be placed as one, and those that must not meet: what `--together`, `--apart` and `--keep` ask for.

use super::model::{KeptPool, PlanError};
use super::{LeftOut, PlanHost};

/// Hosts that go into one pool.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Places in the list of all hosts.
    pub(super) hosts: Vec<usize>,
    /// The kept pool that they are in or go into.
    pub(super) keep: Option<usize>,
    /// Blocks that must not be in its pool.
    pub(super) apart: Vec<usize>,
}

/// Makes blocks of all hosts: `owner[i]` is the kept pool of host i.
pub(super) fn blocks(
    hosts: &[PlanHost],
    owner: &[Option<usize>],
    keep: &[KeptPool],
    left_out: &[LeftOut],
    together: &[Vec<String>],
    apart: &[Vec<String>],
) -> Result<Vec<Block>, PlanError> {
    let find = |option: &'static str, name: &str| find(hosts, left_out, option, name);
    let mut leader: Vec<usize> = (0..hosts.len()).collect();
    let mut first: Vec<Option<usize>> = vec![None; keep.len()];
    for (host, pool) in owner.iter().enumerate() {
        if let Some(pool) = pool {
            join(&mut leader, *first[*pool].get_or_insert(host), host);
        }
    }
    for group in together {
        let found = group.iter().map(|name| find("--together", name)).collect::<Result<Vec<_>, _>>()?;
        for host in &found {
            let (a, b) = (&hosts[found[0]], &hosts[*host]);
            if (&a.vendor, &a.release) != (&b.vendor, &b.release) {
                return Err(PlanError::Contradiction(format!(
                    "--together: {} ({}) and {} ({}) can never be in one pool",
                    a.name,
                    kind(a),
                    b.name,
                    kind(b)
                )));
            }
            join(&mut leader, found[0], *host);
        }
    }
    let mut number: Vec<Option<usize>> = vec![None; hosts.len()];
    let mut blocks: Vec<Block> = Vec::new();
    for (host, owner) in owner.iter().enumerate() {
        let root = root(&mut leader, host);
        let place = *number[root].get_or_insert_with(|| {
            blocks.push(Block { hosts: Vec::new(), keep: None, apart: Vec::new() });
            blocks.len() - 1
        });
        let block = &mut blocks[place];
        block.hosts.push(host);
        match (block.keep, *owner) {
            (Some(one), Some(other)) if one != other => {
                return Err(PlanError::Contradiction(format!(
                    "--together: hosts of the kept pools {} and {} cannot move to one pool",
                    keep[one].name, keep[other].name
                )));
            }
            (None, other) => block.keep = other,
            _ => {}
        }
    }
    let mut of = vec![0; hosts.len()];
    for (index, block) in blocks.iter().enumerate() {
        for host in &block.hosts {
            of[*host] = index;
        }
    }
    for group in apart {
        let found = group.iter().map(|name| find("--apart", name)).collect::<Result<Vec<_>, _>>()?;
        for (place, a) in found.iter().enumerate() {
            for b in &found[..place] {
                if of[*a] == of[*b] {
                    let why = if a == b { "are one host" } else { "must be together" };
                    return Err(PlanError::Contradiction(format!(
                        "--apart: {} and {} {why}",
                        hosts[*b].name, hosts[*a].name
                    )));
                }
                separate(&mut blocks, of[*a], of[*b]);
            }
        }
    }
    let kept: Vec<usize> = (0..blocks.len()).filter(|block| blocks[*block].keep.is_some()).collect();
    for (place, a) in kept.iter().enumerate() {
        for b in &kept[..place] {
            separate(&mut blocks, *a, *b);
        }
    }
    Ok(blocks)
}

fn kind(host: &PlanHost) -> String {
    format!("{}, {}", host.vendor, host.release.as_deref().unwrap_or("release not known"))
}

fn separate(blocks: &mut [Block], a: usize, b: usize) {
    if !blocks[a].apart.contains(&b) {
        blocks[a].apart.push(b);
        blocks[b].apart.push(a);
    }
}

fn root(leader: &mut [usize], mut host: usize) -> usize {
    while leader[host] != host {
        leader[host] = leader[leader[host]];
        host = leader[host];
    }
    host
}

fn join(leader: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(leader, a), root(leader, b));
    leader[a.max(b)] = a.min(b);
}

fn find(hosts: &[PlanHost], left_out: &[LeftOut], option: &'static str, name: &str) -> Result<usize, PlanError> {
    let fits = |host: &PlanHost| host.uuid == name || host.name == name;
    if let Some(found) = hosts.iter().position(fits) {
        return Ok(found);
    }
    // A name that several have got their uuids beside it.
    let several: Vec<_> = hosts.iter().filter(|host| host.name.starts_with(&format!("{name} ("))).collect();
    if let [first, second, ..] = several.as_slice() {
        return Err(PlanError::Contradiction(format!(
            "{option}: several hosts are called {name:?}; use a uuid: {}, {}",
            first.uuid, second.uuid
        )));
    }
    if let Some(out) = left_out.iter().find(|out| out.uuid == name || out.name == name) {
        return Err(PlanError::IsLeftOut { option, name: name.to_owned(), reason: out.reason.clone() });
    }
    let like = |host: &&PlanHost| strsim::jaro_winkler(&host.name, name);
    let nearest = hosts.iter().max_by(|a, b| like(a).total_cmp(&like(b))).filter(|host| like(host) > 0.8);
    Err(PlanError::NoHost { option, name: name.to_owned(), nearest: nearest.map(|host| host.name.clone()) })
}
