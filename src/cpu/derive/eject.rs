//! What leaving gives back.

use super::features::{differing, group_texts};
use crate::cpu::facts::{EjectCpuFacts, FeatureFact, FeatureName};
use crate::cpu::levelling::Level;
use crate::cpu::names;
use crate::snapshot::Pool;

/// The pool's level before and after ejecting the host with this reference.
pub fn eject(pool: &Pool, reference: &str) -> EjectCpuFacts {
    let (before, after) = (Level::of_pool(pool), Level::without(pool, reference));
    let vendor = pool.cpu_info.get().and_then(|cpu| cpu.vendor.text());
    let regained = differing(vendor, |guest| (after.default_of(guest), before.default_of(guest))).map(|features| {
        let fact = |(feature, sets)| FeatureFact {
            name: FeatureName(feature),
            group: names::group(feature).into(),
            sets,
            provisional: false,
        };
        features.into_iter().map(fact).collect::<Vec<_>>()
    });
    EjectCpuFacts {
        level_before_hvm: before.hvm_default,
        level_before_pv: before.pv_default,
        level_after_hvm: after.hvm_default,
        level_after_pv: after.pv_default,
        regained_groups: regained.as_ref().map(|features| group_texts(features)),
        regained,
    }
}
