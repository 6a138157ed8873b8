//! A case: one joiner against a pool, with everything derived from the two. What rules read.

use super::derived::{JoinFacts, MachineFacts, Parts, SilentFacts, look_up, machine, silent};
use super::release::{Release, release_of};
use crate::cpu::CpuFacts;
use crate::facts::{Fact, Known, Object, Reason, Type, Value, facts};
use crate::network::NetworkFacts;
use crate::snapshot::{Host, Pif, Pool, Snapshot};

/// A pool or joiner with what reports say of where its facts came from.
#[derive(Clone, Debug)]
pub struct Side {
    /// The target as the operator named it.
    pub target: String,
    /// What was seen.
    pub snapshot: Snapshot,
    /// Paths inside the pool whose facts are assumed and not seen (`--as-release`): `hosts[0].software_version`.
    pub assumed: Vec<String>,
    /// Remarks of the collector, for the report.
    pub notes: Vec<String>,
}

impl Side {
    /// When it was seen, where the source says.
    pub fn seen(&self) -> &str {
        self.snapshot.source.collected_at.text().unwrap_or_default()
    }

    /// Whether a server of the product answered, so that there is an answer to predict.
    pub fn has_server(&self) -> bool {
        self.assumed.is_empty()
            && !matches!(self.snapshot.source.kind.text(), Some("local" | "dump" | "catalogue" | "quote"))
    }
}

impl Seen {
    /// From the sources of the two sides.
    pub(super) fn of(pool: &Side, joiner: &Side) -> Self {
        let at = |side: &Side| side.snapshot.source.collected_at.get().cloned();
        Self { pool: at(pool), joiner: at(joiner) }
    }
}

facts! {
    /// What the operator asked for.
    pub struct Policy as "policy" {
        /// How many hosts a pool may have.
        pub max_hosts: i64,
        /// The release that a candidate without the product is judged as, or null.
        pub as_release: Option<String>,
    }

    /// When the two sides were seen: what rules count ages from, because a judgement has no clock of its own.
    pub struct Seen as "seen" {
        /// When the pool was seen, `YYYY-MM-DDThh:mm:ssZ`, or null where its source does not say.
        [volatile] pub pool: Option<String>,
        /// The same of the joiner.
        [volatile] pub joiner: Option<String>,
    }

    /// What the server compares of a host's software (`host.software_version`, read as its checks read it).
    pub struct Software as "software" {
        /// `platform_version`, or null when the host has none.
        pub platform_version: Known<Option<String>>,
        /// `product_brand`, else `platform_name`, else null: what the server compares as the product.
        pub compatible_name: Known<Option<String>>,
        /// `xapi`, or null.
        pub xapi: Known<Option<String>>,
        /// `xapi_build`, else `xapi`, or null: for messages.
        pub xapi_build: Known<Option<String>>,
        /// `git_id`, or null.
        pub git_id: Known<Option<String>>,
        /// `build_number`, or null.
        pub build_number: Known<Option<String>>,
        /// Whether the Linux supplemental pack is installed (`xs:linux` is a key).
        pub linux_pack: Known<bool>,
        /// `db_schema`; empty when the host has none, as the server reads it.
        pub db_schema: Known<String>,
        /// `network_backend`; `bridge` when the host has none, as the server reads it.
        pub network_backend: Known<String>,
    }

    /// One joiner against a pool.
    pub struct Case<'a> as "case" {
        /// The pool, as earlier joiners of the same run leave it.
        pub pool: &'a Pool,
        /// The joiner, which the server sees as a pool of one.
        pub joiner: &'a Pool,
        /// The pool's coordinator.
        pub coordinator: Known<&'a Host>,
        /// The joining host.
        pub host: Known<&'a Host>,
        /// What the join does to the pool's CPU level.
        pub cpu: CpuFacts,
        /// Where the joiner's NICs, bonds, VLANs and VM networks will land.
        pub network: NetworkFacts,
        /// What the server's join checks look up on the way to their answer.
        pub join: JoinFacts<'a>,
        /// What goes wrong although the server's checks let the join pass.
        pub silent: SilentFacts,
        /// The size of the joiner's machine, for rules of an organisation.
        pub machine: MachineFacts,
        /// The joiner's management interface, or null.
        pub management: Known<Option<&'a Pif>>,
        /// The coordinator's management interface, or null.
        pub pool_management: Known<Option<&'a Pif>>,
        /// The joiner's software as the server compares it.
        pub software: Known<Software>,
        /// The coordinator's software as the server compares it.
        pub pool_software: Known<Software>,
        /// The joiner's release, whose checks the server runs.
        pub release: Release,
        /// The coordinator's release, on which commands in the pool are run.
        pub pool_release: Release,
        /// Whether the product is assumed to run on the joiner (`--as-release`) and was not seen there.
        pub assumed: bool,
        /// What the operator asked for.
        pub policy: Policy,
        /// The joiner's place in this run, from 1.
        pub place: i64,
        /// When the two sides were seen.
        pub seen: Seen,
    }
}

/// A case that rules judge: its fields are what expressions may start with.
pub(super) trait Judged: Object {
    /// The version of xapi whose checks count.
    fn xapi(&self) -> &Known<String>;

    /// The values of [`variables`], in the same order.
    fn values(&self) -> Vec<Value<'_>> {
        (0..self.def().fields.len()).map(|index| self.field(index)).collect()
    }
}

impl Judged for Case<'_> {
    fn xapi(&self) -> &Known<String> {
        &self.release.xapi
    }
}

/// The names that expressions of a case's rules may start with, and their types.
pub(super) fn variables<C: Fact>() -> impl Iterator<Item = (&'static str, Type)> {
    let Type::Object(def) = C::TYPE else { unreachable!("a case is an object") };
    def.fields.iter().map(|field| (field.name, field.ty))
}

/// Derives a case.
pub(super) fn derive<'a>(pool: &'a Pool, joiner: &'a Pool, policy: &Policy, place: i64, seen: Seen) -> Case<'a> {
    derive_some(pool, joiner, policy, place, seen, true)
}

/// The same; without `words` what only messages speak of is left unknown.
pub(super) fn derive_some<'a>(
    pool: &'a Pool,
    joiner: &'a Pool,
    policy: &Policy,
    place: i64,
    seen: Seen,
    words: bool,
) -> Case<'a> {
    let coordinator = pool.coordinator_host();
    let host = joiner.coordinator_host();
    let release_of = |host: &Known<&Host>| match host {
        Known::Yes(host) => release_of(host),
        Known::No(unknown) => Release {
            name: Known::No(unknown.clone()),
            xapi: Known::No(unknown.clone()),
            documented_hosts: Known::No(unknown.clone()),
        },
    };
    let (release, pool_release) = (release_of(&host), release_of(&coordinator));
    let cpu = crate::cpu::derive_some(pool, joiner, words);
    let parts = Parts { pool, joiner, coordinator: &coordinator, host: &host };
    let (management, pool_management) = (management_of(joiner, &host), management_of(pool, &coordinator));
    Case {
        join: look_up(parts),
        silent: silent::look_up(parts, &seen, [&management, &pool_management]),
        machine: machine(&host),
        management,
        pool_management,
        software: software_of(&host),
        pool_software: software_of(&coordinator),
        cpu,
        network: crate::network::derive(pool, joiner),
        pool,
        joiner,
        coordinator,
        release,
        pool_release,
        assumed: host.get().is_some_and(|host| host.assumed_release.get().is_some()),
        host,
        policy: policy.clone(),
        place,
        seen,
    }
}

/// The management interface of a host. Where several claim it, the server takes the one with the highest reference.
pub(super) fn management_of<'a>(pool: &'a Pool, host: &Known<&'a Host>) -> Known<Option<&'a Pif>> {
    let reference = match host {
        Known::No(unknown) => return Known::No(unknown.clone()),
        Known::Yes(host) => match &host.reference {
            Known::No(unknown) => return Known::No(unknown.clone()),
            Known::Yes(reference) => reference,
        },
    };
    let pifs = match &pool.pifs {
        Known::No(unknown) => return Known::No(unknown.clone()),
        Known::Yes(pifs) => pifs,
    };
    let mut found: Option<&Pif> = None;
    for pif in pifs.iter().filter(|pif| pif.host.get().is_none_or(|host| host == reference)) {
        match (&pif.management, &pif.host) {
            (Known::Yes(false), _) => {}
            (Known::Yes(true), Known::Yes(_)) => {
                if found.is_none_or(|found| found.reference.text() < pif.reference.text()) {
                    found = Some(pif);
                }
            }
            (Known::No(unknown), _) | (_, Known::No(unknown)) => return Known::No(unknown.clone()),
        }
    }
    Known::Yes(found)
}

fn software_of(host: &Known<&Host>) -> Known<Software> {
    let assumed = host.get().is_some_and(|host| host.assumed_release.get().is_some());
    let versions = host.as_ref().and_then(|host| host.software_version.as_ref());
    versions.map(|versions| {
        let text = |key: &str| match versions.get(key) {
            Some(value) => Known::Yes(Some(value.clone())),
            None if assumed => {
                Known::no(Reason::NotCollected, format!("{key} is known once the release is installed"))
            }
            None => Known::Yes(None),
        };
        let or = |first: &str, second: &str| if versions.contains_key(first) { text(first) } else { text(second) };
        Software {
            platform_version: text("platform_version"),
            compatible_name: or("product_brand", "platform_name"),
            xapi: text("xapi"),
            xapi_build: or("xapi_build", "xapi"),
            git_id: text("git_id"),
            build_number: text("build_number"),
            linux_pack: text("xs:linux").map(|pack| pack.is_some()),
            db_schema: text("db_schema").map(Option::unwrap_or_default),
            network_backend: text("network_backend").map(|backend| backend.unwrap_or_else(|| "bridge".to_owned())),
        }
    })
}
