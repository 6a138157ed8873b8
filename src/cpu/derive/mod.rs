//! Derives the CPU facts of a join or an eject: both schemes, the sides looked up once, nothing unknown taken for
//! granted. Called through `cpu::derive` and `cpu::eject` by whoever builds the facts of a case.

mod eject;
mod features;
mod gone;
mod machine;
mod vms;

pub use eject::eject;

use features::{Lost, disagreement, group_texts, level_source};
use machine::pool_hvm;

use super::facts::CpuFacts;
use super::levelling::{Guest, Level, label, named, vendors_differ};
use super::masking::{self, MaskingFacts};
use super::mobility::{guest_of, may_move, may_move_masked};
use super::{groups, predict};
use crate::facts::{Featureset, Known, Reason, Unknown};
use crate::snapshot::{Host, HostCpu, Pool, Vm};

/// What is needed of both sides, looked up once.
struct Sides<'a> {
    pool: &'a Pool,
    coordinator: Known<&'a Host>,
    joiner: Known<&'a Host>,
    joiner_cpu: Known<&'a HostCpu>,
    words: bool,
}

/// Facts that the built-in rules speak of and never decide by: costly, and of no use to who only counts outcomes.
pub const WORDS: [&str; 9] = [
    "level_source",
    "level_agrees",
    "level_disagreement",
    "lost_groups",
    "gone_features",
    "hidden_groups",
    "predicted_for",
    "unpredictable",
    "core_groups",
];

/// The CPU facts of a joiner (a pool of one) against a pool.
pub fn derive(pool: &Pool, joiner: &Pool) -> CpuFacts {
    derive_some(pool, joiner, true)
}

/// The same; without `words` what only messages speak of ([`WORDS`]) is left unknown.
pub fn derive_some(pool: &Pool, joiner: &Pool, words: bool) -> CpuFacts {
    let joiner = sole_host(joiner);
    let joiner_cpu =
        joiner.clone().and_then(|host| named(host.cpu.as_ref(), || format!("host {}, cpu", label(host))));
    let sides = Sides { pool, coordinator: pool.coordinator_host(), joiner, joiner_cpu, words };
    let scheme = scheme(pool);
    let mut facts = match scheme.text() {
        Some("masking") => sides.masked(),
        Some(_) => sides.levelled(),
        None => sides.common(&scheme.unknown().cloned().unwrap_or_default()),
    };
    facts.scheme = scheme;
    facts
}

/// The host that a joiner is; of a pool of several its coordinator.
pub fn sole_host(joiner: &Pool) -> Known<&Host> {
    match &joiner.hosts {
        Known::Yes(hosts) if hosts.len() == 1 => Known::Yes(&hosts[0]),
        Known::Yes(_) => joiner.coordinator_host(),
        Known::No(unknown) => Known::No(Unknown::because(unknown.reason, "the joiner's host")),
    }
}

/// Which scheme a pool's release uses, by what its hosts say of their CPUs, else by their version.
fn scheme(pool: &Pool) -> Known<String> {
    if pool.cpu_info.get().is_some_and(|cpu| cpu.vendor.get().is_some() || cpu.features_hvm_host.get().is_some()) {
        return Known::Yes("levelling".to_owned());
    }
    let cpus = || pool.hosts.each().filter_map(|host| host.cpu.get());
    let has = |set: fn(&HostCpu) -> bool| cpus().any(set);
    let levelling = has(|cpu| {
        [&cpu.features_hvm, &cpu.features_pv, &cpu.features_hvm_host, &cpu.features_pv_host]
            .into_iter()
            .any(|set| set.get().is_some())
    });
    let masking = has(|cpu| {
        cpu.maskable.get().is_some()
            || cpu.physical_features.get().is_some()
            || cpu.features.get().is_some_and(|features| features.words().len() == 4)
    });
    let by_version = || {
        let versions = pool.hosts.each().filter_map(|host| host.software_version.get()?.get("product_version"));
        versions.filter_map(|version| version.split('.').next()?.parse::<u32>().ok()).min()
    };
    let word = match (levelling, masking) {
        (true, _) => "levelling",
        (false, true) => "masking",
        (false, false) => match by_version() {
            Some(5 | 6) => "masking",
            Some(7..) => "levelling",
            _ => return Known::no(Reason::NotCollected, "the CPUs of the pool's hosts and their product version"),
        },
    };
    Known::Yes(word.to_owned())
}

impl Sides<'_> {
    /// What both schemes share; the rest unknown for this reason.
    fn common(&self, rest: &Unknown) -> CpuFacts {
        fn no<T>(rest: &Unknown) -> Known<T> {
            Known::No(rest.clone())
        }
        let pool_vendor = self.pool_vendor();
        let joiner_vendor = self.joiner_cpu.clone().and_then(|cpu| self.of_joiner(&cpu.vendor, "vendor"));
        CpuFacts {
            scheme: Known::default(),
            // A prediction always says that it is one.
            joiner_provenance: self
                .joiner_cpu
                .clone()
                .map(|cpu| cpu.provenance.text().unwrap_or(predict::OBSERVED).to_owned()),
            predicted_for: self.worded(|| self.predicted_for()),
            unpredictable: self.worded(|| self.unpredictable()),
            vendors_differ: vendors_differ(&joiner_vendor, &pool_vendor),
            pool_vendor,
            joiner_vendor,
            level_source: no(rest),
            level_before_hvm: no(rest),
            level_before_pv: no(rest),
            level_after_hvm: no(rest),
            level_after_pv: no(rest),
            level_before_hvm_max: no(rest),
            level_before_pv_max: no(rest),
            level_after_hvm_max: no(rest),
            level_after_pv_max: no(rest),
            level_agrees: no(rest),
            level_disagreement: no(rest),
            level_skipped_hosts: Vec::new(),
            hosts_without_hvm: Vec::new(),
            joiner_skipped: false,
            lost_by_pool: no(rest),
            lost_groups: no(rest),
            gone_features: no(rest),
            lost_undecided: no(rest),
            level_kept: no(rest),
            hidden_on_joiner: no(rest),
            hidden_groups: no(rest),
            stranded_vms: no(rest),
            undecided_vms: no(rest),
            joiner_hvm: self.joiner_hvm(),
            pool_hvm: pool_hvm(self.pool),
            joiner_nx: self.joiner_nx(),
            cores_differ: self.joiner.clone().and_then(groups::differ),
            core_groups: self.worded(|| self.joiner.clone().and_then(groups::describe)),
            same_model: self.same_model(),
            same_model_differs: no(rest),
            masking: MaskingFacts::not_applicable("pools of this release level their CPUs instead of masking them"),
        }
    }

    /// What only messages speak of.
    fn worded<T>(&self, fact: impl FnOnce() -> Known<T>) -> Known<T> {
        if self.words { fact() } else { Known::default() }
    }

    fn levelled(&self) -> CpuFacts {
        let before = Level::of_pool(self.pool);
        let (after, joiner_skipped) = match &self.joiner {
            Known::Yes(host) => {
                let after = before.clone().with(host);
                let skipped = after.skipped.len() > before.skipped.len();
                (after, skipped)
            }
            Known::No(unknown) => (before.clone().unknown(unknown), false),
        };
        let disagreement = self.worded(|| disagreement(self.pool, &Level::of_server(self.pool)));
        let Lost { features: lost, numbers, undecided: lost_undecided } = self.lost(&before, &after);
        let hidden = self.hidden(&after);
        let (stranded, undecided) = self.vms(|vm| self.joiner.clone().and_then(|host| may_move(vm, host)));
        CpuFacts {
            level_source: self.worded(|| Known::Yes(level_source(self.pool, &before).to_owned())),
            level_agrees: disagreement.as_ref().map(String::is_empty),
            level_disagreement: disagreement,
            lost_groups: self.worded(|| lost.as_ref().map(|features| group_texts(features))),
            gone_features: self.worded(|| self.gone(&lost, &numbers)),
            level_kept: self
                .compared(&before, joiner_skipped)
                .and_then(|()| level_kept(&lost, &lost_undecided, || pv_guests(self.pool))),
            lost_by_pool: lost,
            lost_undecided,
            hidden_groups: self.worded(|| hidden.as_ref().map(|features| group_texts(features))),
            hidden_on_joiner: hidden,
            stranded_vms: stranded,
            undecided_vms: undecided,
            same_model_differs: self.same_model_differs(before.shape),
            level_before_hvm: before.hvm_default,
            level_before_pv: before.pv_default,
            level_before_hvm_max: before.hvm_max,
            level_before_pv_max: before.pv_max,
            level_after_hvm: after.hvm_default,
            level_after_pv: after.pv_default,
            level_after_hvm_max: after.hvm_max,
            level_after_pv_max: after.pv_max,
            level_skipped_hosts: before.skipped,
            hosts_without_hvm: before.without_hvm,
            joiner_skipped,
            ..self.common(&Unknown::default())
        }
    }

    /// Whether there was anything to compare: a pool that shows a level, and a joiner that counts for it.
    fn compared(&self, before: &Level, joiner_skipped: bool) -> Known<()> {
        let blank = |set: &Known<Featureset>| set.get().is_some_and(Featureset::is_identity);
        if blank(&before.hvm_default) && blank(&before.pv_default) {
            return Known::no(Reason::NotCollected, "neither the pool nor its hosts show a CPU level");
        }
        if joiner_skipped {
            let why = "the joiner's records lack the feature sets that the pool's level is made of";
            return Known::no(Reason::NotCollected, why);
        }
        Known::Yes(())
    }

    fn masked(&self) -> CpuFacts {
        let facts = masking::derive(self.pool, &self.coordinator, &self.joiner);
        let by_name = |from: &Known<Featureset>| {
            masking::missing(from, &facts)
                .map(|missing| missing.features().map(|feature| self.fact(feature, &["all"])).collect::<Vec<_>>())
        };
        let lost = by_name(&facts.pool_features);
        let numbers =
            masking::missing(&facts.pool_features, &facts).map(|missing| missing.features().collect::<Vec<_>>());
        let numbers = numbers.get().map(Vec::as_slice).unwrap_or_default();
        let hidden = by_name(&facts.joiner_physical);
        let vendor = self.joiner_cpu.clone().and_then(|cpu| cpu.vendor.clone());
        let (stranded, undecided) = self.vms(|vm| may_move_masked(vm, &vendor, &facts));
        CpuFacts {
            lost_groups: lost.as_ref().map(|features| group_texts(features)),
            gone_features: self.gone(&lost, numbers),
            level_kept: lost.as_ref().map(|lost| lost.is_empty()),
            lost_by_pool: lost,
            lost_undecided: Known::Yes(Vec::new()),
            hidden_groups: hidden.as_ref().map(|features| group_texts(features)),
            hidden_on_joiner: hidden,
            stranded_vms: stranded,
            undecided_vms: undecided,
            same_model_differs: self.same_model().and_then(|same| facts.equal.as_ref().map(|equal| same && !*equal)),
            masking: facts,
            ..self.common(&Unknown::because(Reason::NotApplicable, "levelling came with 7.0"))
        }
    }

    /// What the server compares with: its own pool.cpu_info, before 7.0 the coordinator's CPU.
    fn pool_vendor(&self) -> Known<String> {
        if let Known::Yes(cpu) = &self.pool.cpu_info {
            return named(cpu.vendor.clone(), || "pool.cpu_info.vendor".to_owned());
        }
        self.coordinator.clone().and_then(|host| {
            let vendor = host.cpu.as_ref().and_then(|cpu| cpu.vendor.clone());
            named(vendor, || format!("pool.cpu_info; host {}, cpu.vendor", label(host)))
        })
    }

    fn of_joiner<T: Clone>(&self, known: &Known<T>, field: &str) -> Known<T> {
        named(known.clone(), || {
            let host = self.joiner.get().map_or_else(|| "the joiner".to_owned(), |host| label(host));
            format!("host {host}, cpu.{field}")
        })
    }

    fn predicted(&self) -> bool {
        self.joiner_cpu.get().is_some_and(|cpu| cpu.provenance.text() == Some(predict::PREDICTED))
    }

    fn predicted_for(&self) -> Known<String> {
        if !self.predicted() {
            return self.joiner_cpu.clone().map(|_| String::new());
        }
        self.joiner_cpu.clone().and_then(|cpu| self.of_joiner(&cpu.predicted_for, "predicted_for"))
    }

    fn unpredictable(&self) -> Known<Vec<String>> {
        self.joiner_cpu.clone().and_then(|cpu| {
            self.joiner
                .clone()
                .map(|host| if self.predicted() { predict::unpredictable_of(host, cpu) } else { Vec::new() })
        })
    }
}

/// Nothing lost is certain only when nothing is undecided. What PV guests alone lose counts where there are some.
fn level_kept(
    lost: &Known<Vec<super::FeatureFact>>,
    undecided: &Known<Vec<super::FeatureFact>>,
    pv_guests: impl FnOnce() -> Known<bool>,
) -> Known<bool> {
    let lost = match lost {
        Known::Yes(lost) => lost,
        Known::No(unknown) => return Known::No(unknown.clone()),
    };
    if lost.iter().any(|feature| feature.sets.contains(&"hvm")) {
        return Known::Yes(false);
    }
    if !lost.is_empty() {
        match pv_guests() {
            Known::Yes(false) => {}
            some => return some.map(|_| false),
        }
    }
    match undecided {
        Known::Yes(undecided) if undecided.is_empty() => Known::Yes(true),
        Known::Yes(undecided) => {
            let names: Vec<_> = undecided.iter().map(|feature| feature.name.label()).collect();
            let why = format!("the joiner's words that hold {} were not readable", names.join(", "));
            Known::No(Unknown::because(Reason::NotCollected, why))
        }
        Known::No(unknown) => Known::No(unknown.clone()),
    }
}

/// Whether the pool has a VM, or a template of its own, that is started as a PV guest.
fn pv_guests(pool: &Pool) -> Known<bool> {
    let mut gap = None;
    let vms = match &pool.vms {
        Known::Yes(vms) => vms,
        Known::No(unknown) => return Known::No(Unknown::because(unknown.reason, "the VMs of the pool")),
    };
    // Templates that come with the product are nobody's guests, and control domains start at no level.
    let own = |vm: &&Vm| vm.is_default_template.get() != Some(&true) && vm.is_control_domain.get() != Some(&true);
    for vm in vms.iter().filter(own) {
        match guest_of(vm) {
            Known::Yes(Guest::Pv) => return Known::Yes(true),
            Known::Yes(Guest::Hvm) => {}
            Known::No(unknown) => gap = gap.or(Some(unknown)),
        }
    }
    gap.map_or(Known::Yes(false), Known::No)
}
