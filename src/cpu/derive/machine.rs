//! What the joiner's machine can do, and how like the coordinator's it is.

use super::Sides;
use crate::cpu::levelling::{Guest, Shape, default_set, hvm_capable, label, max_set, named, vendors_differ};
use crate::cpu::{masking, names};
use crate::facts::{Known, Reason};
use crate::snapshot::{HostCpu, Pool};

impl Sides<'_> {
    /// The server's view of its capabilities, and whether the sets for HVM guests have anything in them: without
    /// virtualisation in firmware they hold only what Xen always grants, and not the FPU.
    pub(super) fn joiner_hvm(&self) -> Known<bool> {
        if self.predicted() {
            let capable = self.joiner.clone().and_then(hvm_capable);
            if capable == Known::Yes(false) {
                return capable;
            }
            // A prediction takes virtualisation as on; only firmware knows.
            return self.joiner.clone().and_then(|host| {
                let firmware = host.hardware.as_ref().and_then(|hardware| hardware.virtualisation_enabled.clone());
                named(firmware, || format!("host {}, hardware.virtualisation_enabled", label(host)))
            });
        }
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

    /// As firmware leaves it; else whether any set that the joiner shows has it. What was captured of a CPU, and what is
    /// predicted from that, may lack words, and in a guest shows what its hypervisor lends: its absence there says nothing.
    pub(super) fn joiner_nx(&self) -> Known<bool> {
        const NX: usize = 2 * 32 + 20;
        let firmware = self
            .joiner
            .clone()
            .and_then(|host| host.hardware.as_ref().and_then(|hardware| hardware.nx_enabled.clone()));
        if firmware.get().is_some() {
            return firmware;
        }
        self.joiner_cpu.clone().and_then(|cpu| {
            // CPUID shows the bit as the firmware left it; the words of a catalogue are those of the model.
            let untold = of_catalogue(cpu);
            let predicted = self.predicted();
            let legacy = [&cpu.physical_features, &cpu.features].map(|set| set.as_ref().map(masking::from_legacy));
            let modern = [&cpu.features_pv, &cpu.features_pv_host, &cpu.features_hvm].map(Clone::clone);
            let modern = modern.into_iter().filter(|_| !(untold && predicted)).map(|set| (set, !predicted));
            let raw = (!untold).then(|| (cpu.raw.clone(), false));
            let shown = legacy.into_iter().map(|set| (set, true)).chain(modern).chain(raw);
            let known: Vec<_> = shown.filter_map(|(set, tells)| Some((set.get()?.has(NX), tells))).collect();
            if known.iter().any(|(has, _)| *has) {
                return Known::Yes(true);
            }
            if known.iter().any(|(_, tells)| *tells) {
                return Known::Yes(false);
            }
            match &cpu.raw {
                Known::Yes(_) => {
                    self.of_joiner(&Known::No(firmware.unknown().cloned().unwrap_or_default()), "nx_enabled")
                }
                Known::No(_) => self.of_joiner(&Known::default(), "features_pv"),
            }
        })
    }

    /// Vendor, family, model and stepping as the coordinator's.
    pub(super) fn same_model(&self) -> Known<bool> {
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

    /// Twins by name that are started with other features.
    pub(super) fn same_model_differs(&self, shape: Shape) -> Known<bool> {
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

/// Whether one host of the pool can run HVM guests.
pub(super) fn pool_hvm(pool: &Pool) -> Known<bool> {
    named(pool.hosts.as_ref(), || "the pool's hosts".to_owned()).and_then(|hosts| {
        let capable: Vec<_> = hosts.iter().map(hvm_capable).collect();
        if capable.iter().any(|capable| capable.get() == Some(&true)) {
            return Known::Yes(true);
        }
        capable.into_iter().find(|capable| capable.get().is_none()).unwrap_or(Known::Yes(false))
    })
}

/// Whether a CPU is one of the catalogue and of no machine: then it has no groups, and none that were not collected.
fn of_catalogue(cpu: &HostCpu) -> bool {
    cpu.groups.unknown().is_some_and(|why| why.reason == Reason::NotApplicable)
}

/// Whether all hold: one that does not decides, else one that is unknown.
fn all<const N: usize>(facts: [Known<bool>; N]) -> Known<bool> {
    if facts.iter().any(|fact| fact.get() == Some(&false)) {
        return Known::Yes(false);
    }
    facts.into_iter().find(|fact| fact.get().is_none()).unwrap_or(Known::Yes(true))
}
