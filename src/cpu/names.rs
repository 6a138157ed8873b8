//! The name of every feature bit, for people: never used by the server's own algebra. The tables come from
//! `rules/data/features.toml` when the program is built.

use std::borrow::Cow;

use crate::facts::Featureset;

/// A word of a featureset.
#[derive(Debug)]
pub struct Word {
    /// What its unnamed bits are called after: `1d`, `7b0`.
    pub short: &'static str,
    /// Where the CPU says it: `CPUID 0x00000007:0 ebx`.
    pub source: &'static str,
    bits: [Option<Bit>; 32],
}

#[derive(Debug)]
struct Bit {
    name: &'static str,
    aliases: &'static [&'static str],
    offered: &'static str,
    group: &'static str,
}

static WORDS: [Word; 19] = include!(concat!(env!("OUT_DIR"), "/cpu_features.rs"));

/// The first word whose meaning depends on who built Xen: vendors' patches number it and what follows differently.
pub const FIRST_OPAQUE_WORD: usize = 18;

/// The bits of word 2 (e1d) that repeat word 0 on AMD, and in sets of old releases on Intel too.
pub const E1D_DUPLICATES: u32 = 0x0183_f3ff;

const E1D: usize = 2;
const SYSCALL: usize = E1D * 32 + 11;
const LM: usize = E1D * 32 + 29;
const OSXSAVE: usize = 32 + 27;
const OSPKE: usize = 6 * 32 + 4;

/// The group of bits that have no name.
pub const UNNAMED_GROUP: &str = "unnamed";
/// The group of bits in words whose meaning depends on who built Xen.
pub const OPAQUE_GROUP: &str = "build-specific words";
/// The group of speculation controls and immunities, which come and go with microcode and firmware.
pub const MITIGATIONS_GROUP: &str = "mitigations";

/// The words that have names, word 0 first.
pub fn words() -> &'static [Word] {
    &WORDS
}

/// The name of a feature (word × 32 + bit): Xen's, else `<word>:<bit>`.
pub fn name(feature: usize) -> String {
    label(feature).into_owned()
}

/// The same, without a copy where it is Xen's.
pub fn label(feature: usize) -> Cow<'static, str> {
    let (word, bit) = (feature / 32, feature % 32);
    match entry(feature) {
        Some(named) if !named.name.is_empty() => Cow::Borrowed(named.name),
        _ => WORDS.get(word).map_or_else(|| format!("w{word}:{bit}"), |word| format!("{}:{bit}", word.short)).into(),
    }
}

/// The names of all features of a set, in the order of the words.
pub fn names(set: &Featureset) -> Vec<String> {
    set.features().map(name).collect()
}

/// Other names of a feature, as Xen's tool of 4.17 prints it.
pub fn aliases(feature: usize) -> &'static [&'static str] {
    entry(feature).map_or(&[], |bit| bit.aliases)
}

/// To whom Xen offers a feature, as its header writes it: `A`, `S`, `H`, lower case for the maximum policy only, `!`,
/// `|`; empty for nobody.
pub fn offered(feature: usize) -> &'static str {
    entry(feature).map_or("", |bit| bit.offered)
}

/// What operators call the kind of a feature: `AVX-512`, `TSX`, `mitigations`, …
pub fn group(feature: usize) -> &'static str {
    if feature / 32 >= FIRST_OPAQUE_WORD {
        return OPAQUE_GROUP;
    }
    entry(feature).map(|bit| bit.group).filter(|group| !group.is_empty()).unwrap_or(UNNAMED_GROUP)
}

/// Whether a feature adds up over a pool (newer servers OR it) instead of being intersected.
pub fn adds_up(feature: usize) -> bool {
    offered(feature).contains('|')
}

/// The feature with this name: Xen's own name first, then an alias that only one feature has, then `<word>:<bit>`
/// (`7b0:16`, `w5:16`). Case, `-`, `_` and `.` do not matter.
pub fn find(text: &str) -> Option<usize> {
    let wanted = squash(text);
    let by = |has: &dyn Fn(&Bit) -> bool| {
        let mut found = numbered().filter(|(_, bit)| has(bit)).map(|(feature, _)| feature);
        found.next().filter(|_| found.next().is_none())
    };
    by(&|bit| !bit.name.is_empty() && letters(bit.name).eq(wanted.chars()))
        .or_else(|| by(&|bit| bit.aliases.iter().any(|alias| letters(alias).eq(wanted.chars()))))
        .or_else(|| find_bit(text))
}

/// The features that a word of a search means: in their name, an alias or their group.
pub fn search(text: &str) -> Vec<usize> {
    let wanted = squash(text);
    numbered()
        .filter(|(feature, bit)| {
            let texts = [bit.name, group(*feature)];
            texts.into_iter().chain(bit.aliases.iter().copied()).any(|text| squash(text).contains(&wanted))
        })
        .map(|(feature, _)| feature)
        .collect()
}

/// A set in which e1d says again what it has in common with 1d.
pub fn with_repeats(set: &Featureset) -> Featureset {
    let mut words = set.words().to_vec();
    let repeated = words.first().copied().unwrap_or(0) & E1D_DUPLICATES;
    words.get_mut(E1D).into_iter().for_each(|word| *word |= repeated);
    Featureset::new(words)
}

/// What remains of a set when two of them are compared for people: without what a set says twice (the repeated bits
/// of e1d) or what mirrors the moment (OSXSAVE, OSPKE); SYSCALL, which Intel hides outside long mode, follows LM.
pub fn comparable(set: &Featureset, vendor: Option<&str>) -> Featureset {
    let mut words = set.words().to_vec();
    if let Some(word) = words.get_mut(E1D) {
        *word &= !E1D_DUPLICATES;
    }
    let mut set = Featureset::new(words);
    set.set(OSXSAVE, false);
    set.set(OSPKE, false);
    if vendor == Some("GenuineIntel") && set.has(LM) {
        set.set(SYSCALL, true);
    }
    set
}

/// Features as operators read them: `AVX-512 (avx512f, avx512bw, …)`, one text a group, in the order of the words.
pub fn grouped<'a>(features: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    const SHOWN: usize = 4;
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (group, name) in features {
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, names)) => names.push(name),
            None => groups.push((group, vec![name])),
        }
    }
    groups
        .into_iter()
        .map(|(group, names)| {
            let more = if names.len() > SHOWN { ", …" } else { "" };
            format!("{group} ({}{more})", names[..names.len().min(SHOWN)].join(", "))
        })
        .collect()
}

fn entry(feature: usize) -> Option<&'static Bit> {
    WORDS.get(feature / 32)?.bits[feature % 32].as_ref()
}

fn numbered() -> impl Iterator<Item = (usize, &'static Bit)> {
    WORDS.iter().enumerate().flat_map(|(word, entry)| {
        entry.bits.iter().enumerate().filter_map(move |(bit, named)| Some((word * 32 + bit, named.as_ref()?)))
    })
}

fn find_bit(text: &str) -> Option<usize> {
    let (word, bit) = text.trim().rsplit_once(':')?;
    let bit: usize = bit.parse().ok().filter(|bit| *bit < 32)?;
    let index = WORDS.iter().position(|known| known.short.eq_ignore_ascii_case(word));
    let index = index.or_else(|| word.strip_prefix(['w', 'W'])?.parse().ok().filter(|index| *index < 1024))?;
    Some(index * 32 + bit)
}

fn squash(text: &str) -> String {
    letters(text).collect()
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.trim().chars().filter(|letter| !matches!(letter, '-' | '_' | '.')).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_name_is_found_again_and_is_alone() {
        let mut seen = BTreeMap::new();
        for feature in 0..24 * 32 {
            assert_eq!(find(&name(feature)), Some(feature), "{}", name(feature));
            assert_eq!(seen.insert(squash(&name(feature)), feature), None, "{}", name(feature));
        }
    }

    #[test]
    fn other_spellings_and_aliases_are_understood() {
        assert_eq!(name(5 * 32 + 16), "avx512f");
        assert_eq!(find("AVX512_VBMI2"), find("avx512-vbmi2"));
        assert_eq!(find("sse4.2"), Some(32 + 20));
        assert_eq!(find("sse42"), Some(32 + 20));
        assert_eq!(find("lzcnt"), find("abm"));
        assert_eq!(find("w5:16"), Some(5 * 32 + 16));
        assert_eq!(find("7B0:16"), Some(5 * 32 + 16));
        assert_eq!(find("ppin"), None, "two features are called so");
        assert_eq!(find("avx1024"), None);
        assert_eq!(find("7b0:32"), None);
        assert_eq!(name(18), "1d:18");
        assert_eq!(find("psn"), Some(18));
        assert_eq!(name(19 * 32 + 3), "w19:3");
    }

    #[test]
    fn groups_are_the_operators_own() {
        assert_eq!(group(5 * 32 + 16), "AVX-512");
        assert_eq!(group(32 + 25), "AES and crypto");
        assert_eq!(group(5 * 32 + 11), "TSX");
        assert_eq!(group(9 * 32 + 26), MITIGATIONS_GROUP);
        assert_eq!(group(18 * 32 + 1), OPAQUE_GROUP);
        assert_eq!(group(7), "base");
        assert_eq!(group(18), UNNAMED_GROUP);
        assert_eq!(search("avx512").len(), 19);
        assert!(search("avx-512").contains(&(9 * 32 + 8)));
    }

    #[test]
    fn bits_that_add_up() {
        let all: Vec<_> = (0..19 * 32).filter(|feature| adds_up(*feature)).map(name).collect();
        assert_eq!(all, ["no-lmsl", "md-clear", "fs-gs-ns", "verw-clear", "fb-clear", "rfds-clear"]);
    }

    #[test]
    fn people_do_not_see_what_only_looks_different() {
        let intel: Featureset = "0-8000000-20100000-0-0-0-10".parse().unwrap();
        let other: Featureset = "0-0-2193fbff-0-0-0-0".parse().unwrap();
        let vendor = Some("GenuineIntel");
        assert_eq!(comparable(&intel, vendor), comparable(&other, vendor));
        assert!(!comparable(&intel, Some("AuthenticAMD")).has(SYSCALL));
        assert_eq!(comparable(&Featureset::default(), vendor), Featureset::default());
    }

    #[test]
    fn groups_name_their_first_features() {
        let features = [("AVX", "avx2"), ("TSX", "rtm"), ("AVX", "fma"), ("AVX", "f16c"), ("AVX", "a"), ("AVX", "b")];
        assert_eq!(grouped(features), ["AVX (avx2, fma, f16c, a, …)", "TSX (rtm)"]);
    }
}
