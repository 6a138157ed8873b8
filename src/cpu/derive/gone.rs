//! Since when CPUs of the joiner's line have lacked what the pool would lose: newer is not a superset.

use std::collections::BTreeMap;

use super::Sides;
use crate::cpu::catalogue::{Generation, generation_of, generation_of_sku, gone_since};
use crate::cpu::facts::FeatureFact;
use crate::cpu::names;
use crate::facts::Known;
use crate::snapshot::HostCpu;

impl Sides<'_> {
    /// `mpx since Ice Lake-SP`: one text a generation, in the order of the generations; empty where the catalogue does
    /// not show it, as for features that firmware or microcode took away.
    pub(super) fn gone(&self, lost: &Known<Vec<FeatureFact>>) -> Known<Vec<String>> {
        let lost = match lost {
            Known::Yes(lost) if lost.is_empty() => return Known::Yes(Vec::new()),
            Known::Yes(lost) => lost,
            Known::No(unknown) => return Known::No(unknown.clone()),
        };
        let Some(now) = self.joiner_cpu.get().and_then(|cpu| generation(cpu)) else { return Known::Yes(Vec::new()) };
        let mut since: BTreeMap<(u32, &str), Vec<&str>> = BTreeMap::new();
        for feature in lost {
            if let Some(first) = names::find(&feature.name).and_then(|number| gone_since(number, now)) {
                since.entry((first.order, first.name)).or_default().push(&feature.name);
            }
        }
        let text = |((_, name), features): ((u32, &str), Vec<&str>)| format!("{} since {name}", features.join(", "));
        Known::Yes(since.into_iter().map(text).collect())
    }
}

/// By what CPUID says; where the stepping is not known, by the model's name.
fn generation(cpu: &HostCpu) -> Option<&'static Generation> {
    let vendor = cpu.vendor.text()?;
    match (cpu.family.get(), cpu.model.get(), cpu.stepping.get()) {
        (Some(family), Some(model), Some(stepping)) => generation_of(vendor, *family, *model, *stepping),
        _ => generation_of_sku(cpu.model_name.text()?).filter(|generation| generation.vendor == vendor),
    }
}
