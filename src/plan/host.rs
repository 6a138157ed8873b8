//! What a plan needs of a host, and why some cannot be planned.

use super::Weights;
use crate::cpu::levelling::{Guest, Shape, default_set, hvm_capable, label};
use crate::cpu::mobility::guest_of;
use crate::cpu::names;
use crate::facts::{Featureset, Known};
use crate::rules::release_of;
use crate::snapshot::{Host, Pool};

/// A host that can be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanHost {
    /// What it is called; unique within a plan.
    pub name: String,
    /// Its uuid; empty where there is none.
    pub uuid: String,
    /// Where it was read: the target, with the line in a fleet.
    pub source: String,
    /// The CPU vendor.
    pub vendor: String,
    /// The release line; none when not known.
    pub release: Option<String>,
    /// The CPU's brand text; may be empty.
    pub model: String,
    /// What HVM guests are started with on it alone.
    pub features: Featureset,
    /// What PV guests are started with on it alone; none when not known.
    pub pv: Option<Featureset>,
    /// The most that an HVM guest may have on it.
    pub most: Featureset,
    /// How its server levels a pool.
    pub shape: Shape,
    /// The features that each HVM VM running on it was started with; none when the VMs are not known.
    pub running: Option<Vec<Featureset>>,
    /// Whether it is its pool's coordinator.
    pub coordinator: bool,
}

/// A host that cannot be planned, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is called.
    pub name: String,
    /// Its uuid; empty where there is none.
    pub uuid: String,
    /// Where it was read.
    pub source: String,
    /// Why, and what would help.
    pub reason: String,
}

impl PlanHost {
    /// Reads a host of a snapshot. A missing fact is never a pass: without vendor or features nothing is planned.
    pub fn read(pool: &Pool, host: &Host, source: &str) -> Result<Self, LeftOut> {
        let name = label(host);
        let uuid = host.uuid.text().unwrap_or_default().to_owned();
        let out =
            |reason: String| LeftOut { name: name.clone(), uuid: uuid.clone(), source: source.to_owned(), reason };
        let cpu = host.cpu.get().ok_or_else(|| out(missing("the CPU", &host.cpu)))?;
        let vendor = cpu.vendor.text().ok_or_else(|| out(missing("the CPU's vendor", &cpu.vendor)))?.to_owned();
        // Hosts of no vendor at all are not hosts of one vendor.
        if vendor.trim().is_empty() {
            return Err(out("the CPU's vendor is empty: collect the host again".into()));
        }
        match hvm_capable(host) {
            Known::Yes(true) => {}
            Known::Yes(false) => {
                return Err(out("runs no HVM guests: turn virtualisation on in its firmware".into()));
            }
            unknown @ Known::No(_) => return Err(out(missing("whether it runs HVM guests", &unknown))),
        }
        let (key, set) = default_set(cpu, Shape::Both, Guest::Hvm);
        let Known::Yes(features) = set else {
            let mut reason = missing(&format!("cpu.{key}"), set);
            reason.push_str(match (cpu.physical_features.get(), cpu.raw.get()) {
                (Some(_), _) => "; releases before 7.0 mask CPUs and do not level them, see `poolgate check`",
                (_, Some(_)) => "; --as-release NAME predicts it",
                _ => "",
            });
            return Err(out(reason));
        };
        if features.has_none() {
            return Err(out(format!("cpu.{key} holds no feature")));
        }
        let (_, most) = crate::cpu::levelling::max_set(cpu, Guest::Hvm);
        Ok(Self {
            vendor: vendor.clone(),
            release: release(host),
            model: cpu.model_name.text().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
            features: features.clone(),
            pv: default_set(cpu, Shape::Both, Guest::Pv).1.get().filter(|set| !set.has_none()).cloned(),
            most: most.get().unwrap_or(features).clone(),
            shape: Shape::of(pool),
            running: running(pool, host),
            coordinator: pool.coordinator_host().get().is_some_and(|other| std::ptr::eq(*other, host)),
            name,
            uuid,
            source: source.to_owned(),
        })
    }

    /// What the VMs that run on the host with this reference were started with; nothing for PV guests. None where it is not
    /// known of a VM whether it runs there, or what it was started with.
    pub fn running_on(pool: &Pool, reference: &str) -> Option<Vec<Featureset>> {
        let mut running = Vec::new();
        for vm in pool.vms.get()?.iter().filter(|vm| vm.is_control_domain.get() != Some(&true)) {
            let runs = matches!(vm.power_state.get()?.as_str(), "Running" | "Paused");
            if !runs || vm.resident_on.get()?.as_deref() != Some(reference) {
                continue;
            }
            running.push(match guest_of(vm) {
                Known::Yes(Guest::Pv) => Featureset::default(),
                _ => vm.last_boot_features.get()?.clone().unwrap_or_default(),
            });
        }
        Some(running)
    }

    /// The features that count for people.
    pub(super) fn comparable(&self) -> Featureset {
        self.counted(&self.features)
    }

    /// The features of PV guests that count for people.
    pub(super) fn comparable_pv(&self) -> Option<Featureset> {
        self.pv.as_ref().map(|set| self.counted(set))
    }

    /// Of a set what a pool can lose.
    fn counted(&self, set: &Featureset) -> Featureset {
        names::comparable(set, Some(&self.vendor)).without(|feature| self.shape.adds_up(feature))
    }

    /// What all its features weigh.
    pub(super) fn weight(&self, weights: &Weights) -> i64 {
        weights.sum(&self.comparable())
    }
}

/// The release line under the host's own brand: hosts of two brands never form a pool.
fn release(host: &Host) -> Option<String> {
    let line = release_of(host).name;
    let line = line.text()?;
    let brand = host.software_version.get().and_then(|said| said.get("product_brand"));
    let own = brand.and_then(|brand| line.split(" / ").find(|name| name.starts_with(brand.as_str())));
    Some(match (own, brand) {
        (Some(own), _) => own.to_owned(),
        (None, Some(brand)) => format!("{line} ({brand})"),
        (None, None) => line.to_owned(),
    })
}

fn missing<T>(what: &str, known: &Known<T>) -> String {
    let why = known.unknown().map(ToString::to_string).unwrap_or_default();
    format!("{what} is not known ({why})")
}

/// The VMs that run on a host.
fn running(pool: &Pool, host: &Host) -> Option<Vec<Featureset>> {
    PlanHost::running_on(pool, host.reference.text()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_vendor_is_left_out_and_said() {
        let host = Host {
            cpu: Known::Yes(crate::snapshot::HostCpu { vendor: Known::Yes(" ".to_owned()), ..Default::default() }),
            ..Default::default()
        };
        let left = PlanHost::read(&Pool::default(), &host, "fleet.ndjson:1").unwrap_err();
        assert_eq!(left.reason, "the CPU's vendor is empty: collect the host again");
    }
}
