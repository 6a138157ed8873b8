//! Since when CPUs of the joiner's line have lacked what the pool would lose: newer is not a superset.

use std::borrow::Cow;
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
    pub(super) fn gone(&self, lost: &Known<Vec<FeatureFact>>, numbers: &[usize]) -> Known<Vec<String>> {
        if let Known::No(unknown) = lost {
            return Known::No(unknown.clone());
        }
        if numbers.is_empty() {
            return Known::Yes(Vec::new());
        }
        let Some(now) = self.joiner_cpu.get().and_then(|cpu| generation(cpu)) else { return Known::Yes(Vec::new()) };
        let mut since: BTreeMap<(u32, &str), Vec<Cow<'_, str>>> = BTreeMap::new();
        for feature in numbers {
            if let Some(first) = gone_since(*feature, now) {
                since.entry((first.order, first.name)).or_default().push(names::label(*feature));
            }
        }
        let text =
            |((_, name), features): ((u32, &str), Vec<Cow<'_, str>>)| format!("{} since {name}", features.join(", "));
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
