//! A server that exists only by its CPU's name: `cpu:"Intel Xeon Gold 6330"`.

use super::dumps::collected;
use super::quote::unfiltered;
use super::{CollectError, Collected};
use crate::cpu::catalogue::{Choice, Common, Entry, common, find};
use crate::cpu::names;
use crate::facts::{Known, Reason};
use crate::snapshot::{Host, HostCpu, SourceKind};

/// Looks a CPU up. The host has the CPU and nothing else.
pub(super) fn read(name: &str) -> Result<Collected, CollectError> {
    let (cpu, notes) = cpu(name)?;
    let host = Host { cpu: cpu.into(), hypervisor: unfiltered().into(), ..Host::default() };
    Ok(collected(&format!("cpu:{name}"), SourceKind::Catalogue, host, notes))
}

/// A CPU of this name, and what to know of where its words come from.
pub(super) fn cpu(name: &str) -> Result<(HostCpu, Vec<String>), CollectError> {
    let choice = find(name).map_err(CollectError::Cpu)?;
    let (entries, model_name, mut notes) = match &choice {
        Choice::Listed { brand, entries } => {
            let sources: Vec<_> = entries.iter().map(|entry| entry.source).collect();
            let note = format!("CPU catalogue: {brand}, from {}", sources.join(" and "));
            (entries.clone(), Known::Yes((*brand).to_owned()), vec![note])
        }
        Choice::Generation(generation) => {
            let entries: Vec<&Entry> = generation.entries().collect();
            let note = format!(
                "CPU catalogue: {name} is not listed; taken for what {} have in common, of which {} are",
                generation.name,
                entries.len(),
            );
            (entries, Known::Yes(name.to_owned()), vec![note])
        }
    };
    let Some(Common { words, unknown_words, differing }) = common(entries.iter().copied()) else {
        return Ok((HostCpu::default(), notes));
    };
    if !differing.has_none() {
        let what = if matches!(choice, Choice::Listed { .. }) {
            "its records differ by stepping, microcode or firmware"
        } else {
            "they differ among themselves"
        };
        notes.push(format!(
            "{what} in {}: only what all have is counted",
            names::grouped(
                differing
                    .features()
                    .map(|feature| (names::group(feature), names::name(feature)))
                    .collect::<Vec<_>>()
                    .iter()
                    .map(|(group, name)| (*group, name.as_str()))
            )
            .join("; "),
        ));
    }
    let same = |part: fn(&Entry) -> i64, what: &str| {
        let first = entries.first().map(|entry| part(entry));
        match first.filter(|first| entries.iter().all(|entry| part(entry) == *first)) {
            Some(number) => Known::Yes(number),
            None => Known::no(Reason::NotApplicable, format!("the records have several {what}")),
        }
    };
    let stepping = match &choice {
        Choice::Listed { .. } => same(|entry| entry.stepping, "steppings"),
        Choice::Generation(_) => Known::no(Reason::NotApplicable, "the model is not listed"),
    };
    let cpu = HostCpu {
        vendor: entries.first().map_or_else(Known::default, |entry| entry.vendor.to_owned().into()),
        model_name,
        family: same(|entry| entry.family, "families"),
        model: same(|entry| entry.model, "models"),
        stepping,
        raw: words.into(),
        raw_unknown_words: unknown_words.iter().map(|word| *word as i64).collect::<Vec<_>>().into(),
        groups: Known::no(Reason::NotApplicable, "a catalogue has no machine whose CPUs could differ"),
        ..HostCpu::default()
    };
    Ok((cpu, notes))
}
