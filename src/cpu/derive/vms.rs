//! VMs that could not move to the joiner.

use std::borrow::Cow;

use super::Sides;
use crate::cpu::facts::{FeatureName, VmFact};
use crate::cpu::levelling::named;
use crate::cpu::mobility::{Refusal, may_have_to_move};
use crate::cpu::names;
use crate::facts::{Featureset, Known, Reason, Unknown};
use crate::snapshot::Vm;

impl Sides<'_> {
    /// The VMs that this judge refuses, and those that it cannot judge.
    pub(super) fn vms(
        &self,
        judge: impl Fn(&Vm) -> Known<Option<Refusal>>,
    ) -> (Known<Vec<VmFact>>, Known<Vec<VmFact>>) {
        let vms = match named(self.pool.vms.as_ref(), || "the pool's VMs".to_owned()) {
            Known::Yes(vms) => vms,
            Known::No(unknown) => return (Known::No(unknown.clone()), Known::No(unknown)),
        };
        let (mut stranded, mut undecided) = (Vec::new(), Vec::new());
        let mut vms: Vec<_> = vms.iter().filter(|vm| may_have_to_move(vm)).collect();
        // However a server lists them, a report names them in one order.
        vms.sort_by_key(|vm| (vm.name_label.text(), vm.uuid.text(), vm.reference.text()));
        for vm in vms {
            match judge(vm) {
                Known::Yes(None) => {}
                Known::Yes(Some(Refusal::Features(missing))) => {
                    let (blank, sure): (Vec<_>, Vec<_>) =
                        missing.features().partition(|feature| self.unreadable(*feature));
                    let names = |features: &[usize]| features.iter().copied().map(FeatureName).collect();
                    if sure.is_empty() {
                        let why = "the joiner's words that hold these features were not readable";
                        undecided.push(undecided_fact(
                            vm,
                            names(&blank),
                            Unknown::because(Reason::NotCollected, why),
                        ));
                        continue;
                    }
                    let provisional = self.predicted()
                        && sure.iter().all(|feature| names::group(*feature) == names::MITIGATIONS_GROUP);
                    let reason = Refusal::Features(Featureset::default()).text();
                    stranded.push(VmFact { provisional, ..vm_fact(vm, names(&sure), reason) });
                }
                Known::Yes(Some(refusal)) => stranded.push(vm_fact(vm, Vec::new(), refusal.text())),
                Known::No(unknown) => undecided.push(undecided_fact(vm, Vec::new(), unknown)),
            }
        }
        (Known::Yes(stranded), Known::Yes(undecided))
    }
}

fn vm_fact(vm: &Vm, missing: Vec<FeatureName>, reason: impl Into<Cow<'static, str>>) -> VmFact {
    let text = |known: &Known<String>| known.text().unwrap_or_default().to_owned();
    VmFact {
        name_label: text(&vm.name_label),
        uuid: text(&vm.uuid),
        power_state: text(&vm.power_state),
        reference: text(&vm.reference),
        missing,
        reason: reason.into(),
        provisional: false,
        can_move: Known::Yes(false),
    }
}

/// A VM of which it is not known whether it could move, and why not.
fn undecided_fact(vm: &Vm, missing: Vec<FeatureName>, unknown: Unknown) -> VmFact {
    VmFact { can_move: Known::No(unknown.clone()), ..vm_fact(vm, missing, unknown.detail().to_owned()) }
}
