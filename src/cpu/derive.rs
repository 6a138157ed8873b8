//! Derives the CPU facts: both schemes, the sides looked up once, and nothing unknown taken for granted.

use std::collections::BTreeMap;

use super::facts::{CpuFacts, FeatureFact, VmFact};
use super::levelling::{Guest, Level, Shape, default_set, hvm_capable, label, max_set, named, vendors_differ};
use super::masking::{self, MaskingFacts};
use super::mobility::{Refusal, may_have_to_move, may_move, may_move_masked};
use super::{groups, names};
use crate::facts::{Featureset, Known, Reason, Unknown};
use crate::snapshot::{Host, HostCpu, Pool, Vm};

/// What is needed of both sides, looked up once.
struct Sides<'a> {
    pool: &'a Pool,
    coordinator: Known<&'a Host>,
    joiner: Known<&'a Host>,
    joiner_cpu: Known<&'a HostCpu>,
}

/// The CPU facts of a joiner (a pool of one) against a pool.
pub fn derive(pool: &Pool, joiner: &Pool) -> CpuFacts {
    let joiner = sole_host(joiner);
    let joiner_cpu =
        joiner.clone().and_then(|host| named(host.cpu.as_ref(), || format!("host {}, cpu", label(host))));
    let sides = Sides { pool, coordinator: pool.coordinator_host(), joiner, joiner_cpu };
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
    if pool.cpu_info.get().is_some() {
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
            joiner_provenance: self
                .joiner_cpu
                .clone()
                .map(|cpu| cpu.provenance.text().unwrap_or("observed").to_owned()),
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
            lost_undecided: no(rest),
            hidden_on_joiner: no(rest),
            hidden_groups: no(rest),
            stranded_vms: no(rest),
            undecided_vms: no(rest),
            joiner_hvm: self.joiner_hvm(),
            pool_hvm: pool_hvm(self.pool),
            joiner_nx: self.joiner_nx(),
            cores_differ: self.joiner.clone().and_then(groups::differ),
            core_groups: self.joiner.clone().and_then(groups::describe),
            same_model: self.same_model(),
            same_model_differs: no(rest),
            masking: MaskingFacts::not_applicable("pools of this release level their CPUs instead of masking them"),
        }
    }

    fn levelled(&self) -> CpuFacts {
        let before = Level::of_pool(self.pool);
        let server = Level::of_server(self.pool);
        let (after, joiner_skipped) = match &self.joiner {
            Known::Yes(host) => {
                let after = before.clone().with(host);
                let skipped = after.skipped.len() > before.skipped.len();
                (after, skipped)
            }
            Known::No(unknown) => (before.clone().unknown(unknown), false),
        };
        let disagreement = disagreement(self.pool, &server);
        let (lost, lost_undecided) = self.lost(&before, &after);
        let hidden = self.hidden(&after);
        let (stranded, undecided) = self.vms(|vm| self.joiner.clone().and_then(|host| may_move(vm, host)));
        CpuFacts {
            level_source: Known::Yes(level_source(self.pool, &before).to_owned()),
            level_agrees: disagreement.as_ref().map(String::is_empty),
            level_disagreement: disagreement,
            lost_groups: lost.as_ref().map(|features| group_texts(features)),
            lost_by_pool: lost,
            lost_undecided,
            hidden_groups: hidden.as_ref().map(|features| group_texts(features)),
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

    fn masked(&self) -> CpuFacts {
        let facts = masking::derive(self.pool, &self.coordinator, &self.joiner);
        let shared = masking::common(&facts);
        let by_name = |from: &Known<Featureset>| {
            from.as_ref().and_then(|from| {
                shared.as_ref().map(|shared| {
                    let missing = masking::from_legacy(&from.diff(shared));
                    missing.features().map(|feature| self.fact(feature, vec!["all".to_owned()])).collect::<Vec<_>>()
                })
            })
        };
        let lost = by_name(&facts.pool_features);
        let hidden = by_name(&facts.joiner_physical);
        let vendor = self.joiner_cpu.clone().and_then(|cpu| cpu.vendor.clone());
        let (stranded, undecided) = self.vms(|vm| may_move_masked(vm, &vendor, &facts));
        CpuFacts {
            lost_groups: lost.as_ref().map(|features| group_texts(features)),
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
        self.joiner_cpu.get().is_some_and(|cpu| cpu.provenance.text() == Some("predicted"))
    }

    fn unreadable(&self, feature: usize) -> bool {
        self.predicted()
            && self
                .joiner_cpu
                .get()
                .and_then(|cpu| cpu.raw_unknown_words.get())
                .is_some_and(|words| words.iter().any(|word| usize::try_from(*word).ok() == Some(feature / 32)))
    }

    fn fact(&self, feature: usize, sets: Vec<String>) -> FeatureFact {
        let group = names::group(feature);
        FeatureFact {
            name: names::name(feature),
            group: group.to_owned(),
            sets,
            provisional: self.predicted() && group == names::MITIGATIONS_GROUP,
        }
    }

    /// What the pool loses, and of what the joiner's words say nothing. Where the server adds bits up over the pool
    /// none of those is lost.
    fn lost(&self, before: &Level, after: &Level) -> (Known<Vec<FeatureFact>>, Known<Vec<FeatureFact>>) {
        let (ours, theirs) = (self.pool_vendor(), self.joiner_cpu.clone().and_then(|cpu| cpu.vendor.clone()));
        let differing =
            differing(ours.text().or(theirs.text()), |guest| (before.default_of(guest), after.default_of(guest)));
        let differing = match differing {
            Known::Yes(differing) => differing,
            Known::No(unknown) => return (Known::No(unknown.clone()), Known::No(unknown)),
        };
        let (undecided, lost): (Vec<_>, Vec<_>) = differing
            .into_iter()
            .filter(|(feature, _)| before.shape != Shape::DefaultOnly || !names::adds_up(*feature))
            .partition(|(feature, _)| self.unreadable(*feature));
        let facts = |features: Vec<(usize, Vec<String>)>| {
            features.into_iter().map(|(feature, sets)| self.fact(feature, sets)).collect::<Vec<_>>()
        };
        (Known::Yes(facts(lost)), Known::Yes(facts(undecided)))
    }

    fn hidden(&self, after: &Level) -> Known<Vec<FeatureFact>> {
        let cpu = match &self.joiner_cpu {
            Known::Yes(cpu) => *cpu,
            Known::No(unknown) => return Known::No(unknown.clone()),
        };
        let hvm = self.joiner.clone().and_then(hvm_capable);
        let own = |guest| {
            let (key, set) = default_set(cpu, after.shape, guest);
            match (guest, &hvm) {
                // A host that is left out of the HVM level has nothing to hide from HVM guests.
                (Guest::Hvm, Known::Yes(false)) => Known::Yes(Featureset::default()),
                _ => self.of_joiner(set, key),
            }
        };
        let own = [own(Guest::Hvm), own(Guest::Pv)];
        let of = |guest| &own[usize::from(guest == Guest::Pv)];
        differing(cpu.vendor.text(), |guest| (of(guest), after.default_of(guest)))
            .map(|features| features.into_iter().map(|(feature, sets)| self.fact(feature, sets)).collect())
    }

    fn vms(&self, judge: impl Fn(&Vm) -> Known<Option<Refusal>>) -> (Known<Vec<VmFact>>, Known<Vec<VmFact>>) {
        let vms = match named(self.pool.vms.as_ref(), || "the pool's VMs".to_owned()) {
            Known::Yes(vms) => vms,
            Known::No(unknown) => return (Known::No(unknown.clone()), Known::No(unknown)),
        };
        let (mut stranded, mut undecided) = (Vec::new(), Vec::new());
        for vm in vms.iter().filter(|vm| may_have_to_move(vm)) {
            match judge(vm) {
                Known::Yes(None) => {}
                Known::Yes(Some(Refusal::Features(missing))) => {
                    let (blank, sure): (Vec<_>, Vec<_>) =
                        missing.features().partition(|feature| self.unreadable(*feature));
                    let (list, reason) = if sure.is_empty() {
                        (&mut undecided, "the joiner's words that hold these features were not readable")
                    } else {
                        (&mut stranded, Refusal::Features(Featureset::default()).text())
                    };
                    let named = if sure.is_empty() { blank } else { sure };
                    let provisional = self.predicted()
                        && named.iter().all(|feature| names::group(*feature) == names::MITIGATIONS_GROUP);
                    let missing = named.into_iter().map(names::name).collect();
                    list.push(VmFact { provisional, ..vm_fact(vm, missing, reason) });
                }
                Known::Yes(Some(refusal)) => stranded.push(vm_fact(vm, Vec::new(), refusal.text())),
                Known::No(unknown) => undecided.push(vm_fact(vm, Vec::new(), &unknown.to_string())),
            }
        }
        (Known::Yes(stranded), Known::Yes(undecided))
    }

    /// The server's view of its capabilities, and whether the sets for HVM guests have anything in them: without
    /// virtualisation in firmware they hold only what Xen always grants, and not the FPU.
    fn joiner_hvm(&self) -> Known<bool> {
        let capable = self.joiner.clone().and_then(hvm_capable);
        let fpu = self.joiner_cpu.clone().and_then(|cpu| {
            let (key, set) = max_set(cpu, Guest::Hvm);
            self.of_joiner(set, key).map(|set| set.has(0))
        });
        match (capable, fpu) {
            (Known::Yes(false), _) | (_, Known::Yes(false)) => Known::Yes(false),
            (Known::Yes(true), _) => Known::Yes(true),
            (Known::No(_), Known::Yes(true)) => Known::Yes(true),
            (unknown, _) => unknown,
        }
    }

    fn joiner_nx(&self) -> Known<bool> {
        const NX: usize = 2 * 32 + 20;
        let firmware = self
            .joiner
            .clone()
            .and_then(|host| host.hardware.as_ref().and_then(|hardware| hardware.nx_enabled.clone()));
        if firmware.get().is_some() {
            return firmware;
        }
        self.joiner_cpu.clone().and_then(|cpu| {
            let legacy = [&cpu.physical_features, &cpu.features].map(|set| set.as_ref().map(masking::from_legacy));
            let modern = [&cpu.features_pv, &cpu.features_pv_host, &cpu.features_hvm, &cpu.raw].map(Clone::clone);
            let known: Vec<_> = modern.into_iter().chain(legacy).filter_map(|set| Some(set.get()?.has(NX))).collect();
            if known.is_empty() {
                return self.of_joiner(&Known::default(), "features_pv");
            }
            Known::Yes(known.contains(&true))
        })
    }

    fn same_model(&self) -> Known<bool> {
        self.coordinator.clone().and_then(|host| {
            let ours = named(host.cpu.as_ref(), || format!("host {}, cpu", label(host)));
            ours.and_then(|ours| {
                self.joiner_cpu.clone().and_then(|theirs| {
                    let number = |key: fn(&HostCpu) -> &Known<i64>, name: &str| {
                        let ours = named(key(ours).as_ref(), || format!("host {}, cpu.{name}", label(host)));
                        let theirs = self.of_joiner(key(theirs), name);
                        ours.and_then(|ours| theirs.map(|theirs| *ours == theirs))
                    };
                    let vendor = vendors_differ(&theirs.vendor, &ours.vendor).map(|differ| !differ);
                    all([
                        vendor,
                        number(|cpu| &cpu.family, "family"),
                        number(|cpu| &cpu.model, "model"),
                        number(|cpu| &cpu.stepping, "stepping"),
                    ])
                })
            })
        })
    }

    fn same_model_differs(&self, shape: Shape) -> Known<bool> {
        self.same_model().and_then(|same| {
            if !same {
                return Known::Yes(false);
            }
            self.coordinator.clone().and_then(|host| {
                named(host.cpu.as_ref(), || format!("host {}, cpu", label(host))).and_then(|ours| {
                    self.joiner_cpu.clone().and_then(|theirs| {
                        let of = |cpu: &HostCpu| {
                            let (key, set) = default_set(cpu, shape, Guest::Hvm);
                            self.of_joiner(set, key).map(|set| names::comparable(&set, cpu.vendor.text()))
                        };
                        let (ours, theirs) = (of(ours), of(theirs));
                        ours.and_then(|ours| theirs.map(|theirs| !ours.is_equal(&theirs)))
                    })
                })
            })
        })
    }
}

/// A feature, and the kinds of guests for which `from` has it and `to` lacks it, made comparable for people.
fn differing<'a>(
    vendor: Option<&str>,
    sets: impl Fn(Guest) -> (&'a Known<Featureset>, &'a Known<Featureset>),
) -> Known<Vec<(usize, Vec<String>)>> {
    let mut found: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for guest in [Guest::Hvm, Guest::Pv] {
        match sets(guest) {
            (Known::Yes(from), Known::Yes(to)) => {
                for feature in names::comparable(from, vendor).diff(&names::comparable(to, vendor)).features() {
                    found.entry(feature).or_default().push(guest.word().to_owned());
                }
            }
            (Known::No(unknown), _) | (_, Known::No(unknown)) => return Known::No(unknown.clone()),
        }
    }
    Known::Yes(found.into_iter().collect())
}

/// Where pool.cpu_info and the hosts' sets disagree; unknown when one of them is. Bits that add up over a pool do not
/// count where the server adds them up.
fn disagreement(pool: &Pool, server: &Level) -> Known<String> {
    let hosts = Level::of_hosts(pool, |_| true);
    let mut texts = Vec::new();
    for guest in [Guest::Hvm, Guest::Pv] {
        let (said, found) = match (server.default_of(guest), hosts.default_of(guest)) {
            (Known::Yes(said), Known::Yes(found)) => (said, found),
            (Known::No(unknown), _) | (_, Known::No(unknown)) => return Known::No(unknown.clone()),
        };
        let differing = said.diff(found).union(&found.diff(said));
        let differing: Vec<_> = differing
            .features()
            .filter(|feature| server.shape != Shape::DefaultOnly || !names::adds_up(*feature))
            .map(names::name)
            .collect();
        if !differing.is_empty() {
            texts.push(format!("{}: {}", guest.word(), differing.join(", ")));
        }
    }
    Known::Yes(texts.join("; "))
}

fn level_source(pool: &Pool, before: &Level) -> &'static str {
    let hosts = Level::of_hosts(pool, |_| true);
    let same = |guest| hosts.default_of(guest) == before.default_of(guest);
    if same(Guest::Hvm) && same(Guest::Pv) { "hosts" } else { "pool.cpu_info" }
}

fn pool_hvm(pool: &Pool) -> Known<bool> {
    named(pool.hosts.as_ref(), || "the pool's hosts".to_owned()).and_then(|hosts| {
        let capable: Vec<_> = hosts.iter().map(hvm_capable).collect();
        if capable.iter().any(|capable| capable.get() == Some(&true)) {
            return Known::Yes(true);
        }
        capable.into_iter().find(|capable| capable.get().is_none()).unwrap_or(Known::Yes(false))
    })
}

/// Whether all hold: one that does not decides, else one that is unknown.
fn all<const N: usize>(facts: [Known<bool>; N]) -> Known<bool> {
    if facts.iter().any(|fact| fact.get() == Some(&false)) {
        return Known::Yes(false);
    }
    facts.into_iter().find(|fact| fact.get().is_none()).unwrap_or(Known::Yes(true))
}

fn group_texts(features: &[FeatureFact]) -> Vec<String> {
    names::grouped(features.iter().map(|feature| (feature.group.as_str(), feature.name.as_str())))
}

fn vm_fact(vm: &Vm, missing: Vec<String>, reason: &str) -> VmFact {
    let text = |known: &Known<String>| known.text().unwrap_or_default().to_owned();
    VmFact {
        name_label: text(&vm.name_label),
        uuid: text(&vm.uuid),
        power_state: text(&vm.power_state),
        reference: text(&vm.reference),
        missing,
        reason: reason.to_owned(),
        provisional: false,
    }
}
