//! Targets that may be fleets, to hosts that can be planned.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::args::LiveArgs;
use super::error::CliError;
use super::output::complain;
use super::targets::collect_sides;
use crate::collect::{Collected, Piece, Target, read_fleet};
use crate::cpu::releases::Product;
use crate::facts::Featureset;
use crate::plan::{LeftOut, PlanHost};
use crate::rules::assume::{assume, release_named};
use crate::snapshot::{Pool, Snapshot};

/// The hosts of some targets.
#[derive(Debug, Default)]
pub(super) struct Fleet {
    /// Those that can be planned.
    pub(super) hosts: Vec<PlanHost>,
    /// Those that cannot.
    pub(super) left_out: Vec<LeftOut>,
    /// What the operator should know.
    pub(super) notes: Vec<String>,
    /// What the pool of the first snapshot is called.
    pub(super) pool: Option<String>,
    /// Pools of several hosts, with how many.
    pub(super) pools: Vec<(String, usize)>,
    /// Hosts whose licence stops a pool at [`FREE_POOL`] hosts.
    pub(super) restricted: usize,
    /// Of records that stand on one host's line and name others: the VMs of hosts by reference.
    running: BTreeMap<String, Vec<Featureset>>,
    /// The references of `hosts`, in their order.
    references: Vec<String>,
}

/// How many hosts a pool may have whose licence restricts its size (xapi `xapi_pool.ml`, `assert_pool_size_unrestricted`).
const FREE_POOL: usize = 3;
/// Pools that are named in a remark.
const NAMED: usize = 8;
/// Lines of a fleet whose faults are told.
const TOLD: usize = 20;

impl Fleet {
    /// Reads all targets; those that are no files together, live ones at once.
    pub(super) fn read(words: &[String], as_release: Option<&str>, live: &LiveArgs) -> Result<Self, CliError> {
        let product = as_release.map(release_named).transpose()?;
        let targets: Vec<Target> = words.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
        let is_text = |target: &Target| matches!(target, Target::File(_) | Target::Stdin);
        let others: Vec<String> =
            words.iter().zip(&targets).filter(|(_, target)| !is_text(target)).map(|(word, _)| word.clone()).collect();
        let mut others = collect_sides(&others, as_release, live)?.into_iter();
        let mut fleet = Self::default();
        for (word, target) in words.iter().zip(&targets) {
            if is_text(target) {
                fleet.read_target(target, word, product)?;
            } else if let Some(side) = others.next() {
                fleet.add(&side.snapshot, word);
                fleet.notes.extend(side.notes);
            }
        }
        fleet.settle();
        Ok(fleet)
    }

    fn read_target(
        &mut self,
        target: &Target,
        word: &str,
        product: Option<&'static Product>,
    ) -> Result<(), CliError> {
        let (mut bad, mut more) = (Vec::new(), 0);
        let mut strangers: BTreeMap<String, usize> = BTreeMap::new();
        read_fleet(target, &mut io::stdin().lock(), |piece| {
            let (source, read) = match piece {
                Piece::One(collected) => (word.to_owned(), Ok(collected)),
                Piece::Line(number, read) => (format!("{word}:{number}"), read),
            };
            match read {
                Ok(collected) => {
                    // The collector's other remarks are about what only a join depends on.
                    let Collected { mut snapshot, strangers: unknown, .. } = *collected;
                    for key in unknown {
                        *strangers.entry(key).or_default() += 1;
                    }
                    if let Some(product) = product {
                        self.notes.extend(assume(&mut snapshot, product).notes);
                    }
                    self.add(&snapshot, &source);
                }
                Err(error) if bad.len() < TOLD => bad.push(error),
                Err(_) => more += 1,
            }
        })?;
        if !strangers.is_empty() {
            const SHOWN: usize = 8;
            let shown = strangers.keys().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let rest = strangers.len().saturating_sub(SHOWN);
            let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            let remark = format!("{word}: keys that this version does not know are left out: {shown}{rest}");
            complain(&format!("poolgate: {remark}"));
            self.notes.push(remark);
        }
        if bad.is_empty() { Ok(()) } else { Err(CliError::Lines { target: word.to_owned(), lines: bad, more }) }
    }

    fn add(&mut self, snapshot: &Snapshot, source: &str) {
        let pool = &snapshot.pool;
        self.pool.get_or_insert_with(|| pool.label());
        let hosts = pool.hosts.each().as_slice().len();
        if hosts > 1 {
            self.pools.push((pool.label(), hosts));
        }
        let word = pool.restrictions.get().and_then(|restrictions| restrictions.get("restrict_pool_size"));
        if word.is_some_and(|word| word == "true") {
            self.restricted += hosts;
        }
        for host in pool.hosts.each() {
            match PlanHost::read(pool, host, source) {
                Ok(planned) => {
                    self.references.push(host.reference.text().unwrap_or_default().to_owned());
                    self.hosts.push(planned);
                }
                Err(out) => self.left_out.push(out),
            }
        }
        if pool.hosts.get().is_none_or(Vec::is_empty) {
            let why = pool.hosts.unknown().map_or_else(|| "it shows no hosts".to_owned(), ToString::to_string);
            self.left_out.push(LeftOut {
                name: source.to_owned(),
                uuid: String::new(),
                source: source.to_owned(),
                reason: why,
            });
        }
        self.others(pool);
    }

    /// What a plan for pools of at most so many hosts does not say of these: what they are in now, and what their licence allows.
    pub(super) fn remarks(&self, limit: usize) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.restricted > 0 && limit > FREE_POOL {
            let (hosts, have) = if self.restricted == 1 { ("host", "has") } else { ("hosts", "have") };
            remarks.push(format!(
                "{} {hosts} {have} a licence that stops a pool at {FREE_POOL} hosts: license them first, or plan with --max-hosts {FREE_POOL}",
                self.restricted
            ));
        }
        let mut pools: Vec<_> = self.pools.iter().map(|(name, hosts)| format!("{name} ({hosts} hosts)")).collect();
        pools.sort();
        let more = pools.len().saturating_sub(NAMED);
        pools.truncate(NAMED);
        if more > 0 {
            pools.push(format!("{more} more"));
        }
        if !pools.is_empty() {
            remarks.push(format!(
                "pools now: {}; a host that leaves one is ejected first, which wipes its disks (--keep holds a pool together)",
                pools.join(", ")
            ));
        }
        remarks
    }

    /// A fleet's line may hold the records of the whole pool beside one of its hosts: whose interfaces are there, that host's
    /// VMs are there too.
    fn others(&mut self, pool: &Pool) {
        if pool.vms.get().is_none() {
            return;
        }
        for reference in pool.pifs.each().filter_map(|pif| pif.host.text()) {
            if pool.host(reference).is_none()
                && !self.running.contains_key(reference)
                && let Some(vms) = PlanHost::running_on(pool, reference)
            {
                self.running.insert(reference.to_owned(), vms);
            }
        }
    }

    /// Hosts that are there twice count once; hosts of one name get their uuids beside it.
    fn settle(&mut self) {
        for (host, reference) in self.hosts.iter_mut().zip(&self.references) {
            if let Some(vms) = self.running.get(reference)
                && host.running.is_none()
            {
                host.running = Some(vms.clone());
            }
        }
        let mut hosts = std::mem::take(&mut self.hosts);
        hosts.sort_by(|a, b| (&a.uuid, &a.source, &a.name).cmp(&(&b.uuid, &b.source, &b.name)));
        let mut twice = Vec::new();
        hosts.dedup_by(|later, first| {
            let same = !first.uuid.is_empty() && later.uuid == first.uuid;
            if same {
                twice.push(format!(
                    "{} is there twice, in {} and {}: the first counts",
                    first.name, first.source, later.source
                ));
            }
            same
        });
        self.notes.extend(twice);
        self.hosts = hosts;
        let mut told = BTreeSet::new();
        self.left_out.retain(|out| out.uuid.is_empty() || told.insert(out.uuid.clone()));
    }
}

/// Gives hosts of one name their uuids, or what they were read from, beside it.
pub(super) fn tell_apart<'h>(hosts: impl Iterator<Item = &'h mut PlanHost>) {
    let mut by_name: BTreeMap<String, Vec<&mut PlanHost>> = BTreeMap::new();
    for host in hosts {
        by_name.entry(host.name.clone()).or_default().push(host);
    }
    for (name, hosts) in by_name {
        if hosts.len() > 1 {
            for host in hosts {
                let other = if host.uuid.is_empty() { &host.source } else { &host.uuid };
                host.name = format!("{name} ({other})");
            }
        }
    }
}
