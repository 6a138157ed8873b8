//! `xen-cpuid`: sets with their names (`Raw  bfebfbff:77faf3ff:…`), of the running Xen or of a set to decode, and policies
//! (`-p`), which are leaves. Xen's own masks (`Static sets`) are of the release, not of the machine.

use std::collections::BTreeMap;

use super::captured::Leaves;
use super::machine::{collected, raw_words};
use super::text::{hex, lines, take, take_hex, take_word, text};
use super::{Dump, nothing};
use crate::collect::limits::XEN_WORDS;
use crate::collect::local::known_part;
use crate::collect::{CollectError, Collected};
use crate::cpu::leaves::{Cpu, read as read_cpu};
use crate::cpu::predict::OBSERVED;
use crate::facts::{Featureset, Known, Reason};
use crate::snapshot::{Hardware, Host, HostCpu, SourceKind};

/// The subleaf of a leaf that has none.
const NO_SUBLEAF: u32 = u32::MAX;
const ARCH_CAPABILITIES: u32 = 0x10a;
const ANONYMOUS: &str = "sets do not say who the CPU is; xen-cpuid -p does";
/// What AMD repeats of 1:edx in 0x80000001:edx, which a set does not hold.
const E1D_DUPLICATES: u32 = 0x0183_f3ff;

/// Whether a line is one of this format's.
pub(super) fn is_line(line: &[u8]) -> bool {
    set(line).is_some_and(|(_, words)| words.len() >= 4) || policy(line).is_some()
}

/// What stood under one heading.
#[derive(Default)]
struct Policy {
    leaves: Leaves,
    /// Whether something follows its leaves, so that none of them is cut off. Zero leaves are not printed.
    closed: bool,
    arch_capabilities: Option<u64>,
}

/// Sets and policies by what Xen calls them.
#[derive(Default)]
struct Found {
    sets: BTreeMap<String, Featureset>,
    policies: BTreeMap<String, Policy>,
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Collected, CollectError> {
    let found = gather(bytes);
    let raw_policy = found.policies.get("raw").filter(|policy| policy.leaves.len() > 0);
    let machine = raw_policy.map(Policy::cpu);
    let raw = match (found.sets.get("raw"), &machine) {
        (Some(set), _) => Some(raw_words(set)),
        (None, Some(cpu)) => Some((cpu.words.clone(), cpu.unknown_words.iter().map(|word| *word as i64).collect())),
        (None, None) => None,
    };
    let guests = ["pv max", "hvm max", "pv default", "hvm default", "pv", "hvm"];
    if raw.is_none() && !guests.iter().any(|guest| found.known(guest)) {
        return Err(nothing(name, Dump::XenCpuid, "it holds none of this machine's sets (Raw, PV, HVM)"));
    }
    let observed = guests.iter().any(|guest| found.known(guest));
    let no_set = || Known::no(Reason::NotCollected, "xen-cpuid printed no such set");
    let set = |names: [&str; 2]| names.into_iter().find_map(|name| found.set(name)).map_or_else(no_set, Known::Yes);
    let who = machine.as_ref();
    let told = |text: Option<&String>| match text {
        Some(text) => Known::Yes(text.clone()),
        None => Known::no(Reason::NotCollected, ANONYMOUS),
    };
    let part = |part: fn(&crate::cpu::leaves::Signature) -> u32| match who {
        Some(cpu) => known_part(cpu, part),
        None => Known::no(Reason::NotCollected, ANONYMOUS),
    };
    let size = |size: Option<u32>| size.map_or_else(Known::default, |size| i64::from(size).into());
    let (words, missing) = raw.unzip();
    let host = Host {
        cpu: HostCpu {
            vendor: told(who.and_then(|cpu| cpu.vendor.as_ref())),
            model_name: told(who.and_then(|cpu| cpu.brand.as_ref())),
            family: part(|signature| signature.family),
            model: part(|signature| signature.model),
            stepping: part(|signature| signature.stepping),
            features_pv: set(["pv max", "pv"]),
            features_hvm: set(["hvm max", "hvm"]),
            features_pv_host: set(["pv default", "pv default"]),
            features_hvm_host: set(["hvm default", "hvm default"]),
            raw: words.map_or_else(no_set, Known::Yes),
            raw_unknown_words: missing.map_or_else(Known::default, Known::Yes),
            provenance: if observed { Known::Yes(OBSERVED.to_owned()) } else { Known::default() },
            predicted_for: if observed { Known::no(Reason::NotApplicable, OBSERVED) } else { Known::default() },
            ..HostCpu::default()
        }
        .into(),
        hardware: Hardware {
            physical_address_bits: size(who.and_then(|cpu| cpu.physical_address_bits).map(u32::from)),
            linear_address_bits: size(who.and_then(|cpu| cpu.linear_address_bits).map(u32::from)),
            xsave_size: size(who.and_then(|cpu| cpu.xsave_size)),
            ..Hardware::default()
        }
        .into(),
        ..Host::default()
    };
    let note = match (machine.is_some(), observed) {
        (_, true) => "what the running Xen gives guests, as it says itself",
        (true, false) => "what Xen reads of the CPU",
        (false, false) => "feature words without a CPU's name",
    };
    Ok(collected(name, SourceKind::Dump, host, vec![format!("{}: {note}", Dump::XenCpuid.title())]))
}

impl Policy {
    /// Of a policy that is not cut off, a leaf that is not printed is zero.
    fn cpu(&self) -> Cpu {
        let mut cpu = if self.closed { read_cpu(&self.leaves) } else { self.leaves.cpu() };
        if let Some(value) = self.arch_capabilities {
            cpu.set_arch_capabilities(value);
        }
        cpu
    }
}

impl Found {
    fn known(&self, name: &str) -> bool {
        self.set(name).is_some()
    }

    /// A guest's set. A policy's words are those of its leaves, without what AMD's repeat.
    fn set(&self, name: &str) -> Option<Featureset> {
        if let Some(set) = self.sets.get(name) {
            return Some(set.clone());
        }
        let policy = self.policies.get(name).filter(|policy| policy.leaves.len() > 0 && policy.closed)?;
        let cpu = policy.cpu();
        if !cpu.unknown_words.is_empty() {
            return None;
        }
        let mut words = cpu.words.words().to_vec();
        words[2] &= !E1D_DUPLICATES;
        Some(Featureset::new(words))
    }
}

fn gather(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut static_sets = false;
    let mut now: Option<String> = None;
    for line in lines(bytes) {
        match line {
            b"Static sets:" => static_sets = true,
            b"Dynamic sets:" => static_sets = false,
            _ => {}
        }
        let heading = policy(line);
        if let Some(before) = now.as_ref().and_then(|now| found.policies.get_mut(now)) {
            before.closed |= heading.is_some() || line.trim_ascii() == b"MSRs:";
        }
        if let Some(policy) = heading {
            found.policies.entry(policy.clone()).or_default();
            now = Some(policy);
        } else if let Some((name, words)) = set(line) {
            if !static_sets {
                found.sets.entry(name).or_insert_with(|| Featureset::new(words));
            }
        } else if let Some(policy) = now.as_ref().and_then(|now| found.policies.get_mut(now)) {
            if let Some((leaf, subleaf, registers)) = row(line) {
                policy.leaves.add(leaf, Some(if subleaf == NO_SUBLEAF { 0 } else { subleaf }), registers);
            } else if let Some((ARCH_CAPABILITIES, value)) = register(line) {
                policy.arch_capabilities = Some(value);
            }
        }
    }
    found
}

/// `Raw        bfebfbff:77faf3ff:…`: a name at the start of the line, and words.
fn set(line: &[u8]) -> Option<(String, Vec<u32>)> {
    if !line.first()?.is_ascii_alphabetic() {
        return None;
    }
    let at = line.iter().rposition(|byte| *byte == b' ')?;
    let words: Vec<u32> = line[at + 1..]
        .split(|byte| *byte == b':')
        .map(|word| hex(word).filter(|_| word.len() == 8))
        .collect::<Option<_>>()?;
    let named = matches!(words.len(), 2..=XEN_WORDS) && line[..at].ends_with(b" ");
    named.then(|| (text(&line[..at]).to_ascii_lowercase(), words))
}

/// `Raw policy: 32 leaves, 2 MSRs`: what it is called.
fn policy(line: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(line).ok()?;
    let (name, rest) = line.split_once(" policy: ")?;
    let _: usize = rest.split_once(" leaves")?.0.parse().ok()?;
    Some(name.trim().to_ascii_lowercase())
}

/// `  00000007:00000000 -> 00000000:029c6fbb:00000000:9c000000`.
fn row(line: &[u8]) -> Option<(u32, u32, [u32; 4])> {
    let mut rest = line.trim_ascii_start();
    let leaf = take_word(&mut rest)?;
    take(&mut rest, b":")?;
    let subleaf = take_word(&mut rest)?;
    take(&mut rest, b" -> ")?;
    let mut registers = [0; 4];
    for (index, register) in registers.iter_mut().enumerate() {
        if index > 0 {
            take(&mut rest, b":")?;
        }
        *register = take_word(&mut rest)?;
    }
    Some((leaf, subleaf, registers))
}

/// `  0000010a -> 000000000d89fd6b`.
fn register(line: &[u8]) -> Option<(u32, u64)> {
    let mut rest = line.trim_ascii_start();
    let index = take_word(&mut rest)?;
    take(&mut rest, b" -> ")?;
    let (high, mut low) = rest.split_at_checked(8)?;
    let value = u64::from(hex(high)?) << 32 | u64::from(take_hex(&mut low)?);
    low.is_empty().then_some((index, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_kinds() {
        let named = set(b"HVM Max                         1fcbfbff:f7ba2223:2c100800:00000001").unwrap();
        assert_eq!((named.0.as_str(), named.1.len()), ("hvm max", 4));
        for odd in
            [&b"  [00] CPUID 0x00000001.edx     fpu vme"[..], b"Raw                    abc", b"deadbeef:deadbeef"]
        {
            assert_eq!(set(odd), None);
        }
        assert_eq!(policy(b"PV Max policy: 58 leaves, 2 MSRs"), Some("pv max".to_owned()));
        let line = b"  00000000:ffffffff -> 0000000d:756e6547:6c65746e:49656e69";
        assert_eq!(row(line), Some((0, NO_SUBLEAF, [13, 0x756e_6547, 0x6c65_746e, 0x4965_6e69])));
        assert_eq!(register(b"  0000010a -> 000000010d89fd6b"), Some((0x10a, 0x1_0d89_fd6b)));
    }
}
