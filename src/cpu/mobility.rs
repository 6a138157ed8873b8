//! Whether a VM that is not halted could move to a host, with the server's semantics
//! (xapi `cpuid_helpers.ml`, `assert_vm_is_compatible`).

use super::levelling::{Guest, absent, label, max_set, named};
use super::masking::{self, MaskingFacts};
use crate::facts::{Featureset, Known};
use crate::snapshot::{Host, Vm};

/// Why a VM may not move to a host, in the server's words where it has some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Started on a CPU of another vendor.
    Vendor,
    /// Started with features that the host cannot give; these.
    Features(Featureset),
    /// The host's record lacks the set to compare with.
    NoKeys,
}

impl Refusal {
    /// The reason that `VM_INCOMPATIBLE_WITH_THIS_HOST` carries.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::Vendor => "VM last booted on a host which had a CPU from a different vendor.",
            Self::Features(_) => "VM last booted on a CPU with features this host's CPU does not have.",
            Self::NoKeys => "Host does not have new leveling feature keys - not comparing VM's flags",
        }
    }
}

/// Whether a VM may move to a host: refused, allowed, or not known for lack of a fact. A halted VM always may.
pub fn may_move(vm: &Vm, host: &Host) -> Known<Option<Refusal>> {
    match vm.power_state.text() {
        Some("Halted") => return Known::Yes(None),
        Some(_) => {}
        None => return named(vm.power_state.clone().map(|_| None), || "power_state".to_owned()),
    }
    either(vendor_refusal(vm, host), features_refusal(vm, host))
}

/// The move of a VM under masking: what it was started with must be the joiner's, where bits count
/// (5.6–6.5: vendor equal, and VM AND host equal to VM under the pool's mask).
pub(super) fn may_move_masked(
    vm: &Vm,
    joiner_vendor: &Known<String>,
    facts: &MaskingFacts,
) -> Known<Option<Refusal>> {
    let started_on = named(vm.last_boot_vendor.as_ref(), || "last_boot_vendor".to_owned());
    let vendor = started_on.and_then(|started_on| match started_on {
        None => Known::Yes(None),
        Some(started_on) => joiner_vendor.as_ref().map(|vendor| (vendor != started_on).then_some(Refusal::Vendor)),
    });
    let started_with = named(vm.last_boot_features.as_ref(), || "last_boot_features".to_owned());
    let features = started_with.and_then(|started_with| match started_with {
        None => Known::Yes(None),
        Some(features) => masking::missing(&Known::Yes(features.clone()), facts)
            .map(|missing| (!missing.has_none()).then_some(Refusal::Features(missing))),
    });
    either(vendor, features)
}

/// The vendor's refusal first, then the features'; where neither is known, why.
fn either(vendor: Known<Option<Refusal>>, features: Known<Option<Refusal>>) -> Known<Option<Refusal>> {
    match (vendor, features) {
        (Known::Yes(Some(refusal)), _) | (_, Known::Yes(Some(refusal))) => Known::Yes(Some(refusal)),
        (Known::Yes(None), rest) => rest,
        (Known::No(unknown), _) => Known::No(unknown),
    }
}

/// Whether a VM is of those that may have to move: not halted, and a VM of the operator's.
pub(super) fn may_have_to_move(vm: &Vm) -> bool {
    matches!(vm.power_state.text(), Some("Running" | "Paused" | "Suspended") | None)
        && ![&vm.is_control_domain, &vm.is_a_template, &vm.is_a_snapshot]
            .into_iter()
            .any(|is| is.get() == Some(&true))
}

/// What a VM runs as, hence which sets are compared; decided by its boot policy before domain types existed.
pub fn guest_of(vm: &Vm) -> Known<Guest> {
    [&vm.current_domain_type, &vm.domain_type]
        .into_iter()
        .find_map(|domain_type| domain_type.text().and_then(Guest::of_domain_type))
        .map_or_else(
            || {
                named(vm.hvm_boot_policy.as_ref(), || "domain_type and HVM_boot_policy".to_owned())
                    .map(|policy| if policy.is_empty() { Guest::Pv } else { Guest::Hvm })
            },
            Known::Yes,
        )
}

fn vendor_refusal(vm: &Vm, host: &Host) -> Known<Option<Refusal>> {
    let started_on = match named(vm.last_boot_vendor.as_ref(), || "last_boot_vendor".to_owned()) {
        Known::Yes(Some(vendor)) => vendor,
        Known::Yes(None) => return Known::Yes(None),
        Known::No(unknown) => return Known::No(unknown),
    };
    host.cpu
        .as_ref()
        .and_then(|cpu| named(cpu.vendor.as_ref(), || format!("host {}, cpu.vendor", label(host))))
        .map(|vendor| (vendor != started_on).then_some(Refusal::Vendor))
}

fn features_refusal(vm: &Vm, host: &Host) -> Known<Option<Refusal>> {
    let started_with = match named(vm.last_boot_features.as_ref(), || "last_boot_features".to_owned()) {
        Known::Yes(Some(features)) => features,
        Known::Yes(None) => return Known::Yes(None),
        Known::No(unknown) => return Known::No(unknown),
    };
    guest_of(vm).and_then(|guest| {
        named(host.cpu.as_ref(), || format!("host {}, cpu", label(host))).and_then(|cpu| {
            let (key, offered) = max_set(cpu, guest);
            if absent(offered) {
                return Known::Yes(Some(Refusal::NoKeys));
            }
            named(offered.as_ref(), || format!("host {}, cpu.{key}", label(host))).map(|offered| {
                let missing = || started_with.zero_extend(offered.words().len()).diff(offered);
                (!started_with.is_compatible_with(offered)).then(|| Refusal::Features(missing()))
            })
        })
    })
}
