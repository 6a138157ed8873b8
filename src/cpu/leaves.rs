//! From CPUID leaves to feature words and identity: the one function for the live CPU and for every dump, fed
//! through raw-cpuid's reader trait.

use raw_cpuid::{CpuIdReader, CpuIdResult};

use crate::facts::Featureset;

/// How many feature words upstream Xen knows (4.21 and newer).
pub const WORDS: usize = 19;
/// The words of MSR_ARCH_CAPABILITIES, which CPUID does not give.
pub const ARCH_CAPABILITIES_WORDS: [usize; 2] = [16, 17];

/// 7:0 edx 29: the MSR exists.
const ARCH_CAPS: usize = 9 * 32 + 29;
const XSAVE: usize = 32 + 26;
const HYPERVISOR: usize = 32 + 31;
/// Mirrors of CR4, so they say what the kernel did and not what the CPU can: OSXSAVE and OSPKE.
const MIRRORS: [usize; 2] = [32 + 27, 6 * 32 + 4];

#[derive(Clone, Copy)]
enum Register {
    Eax,
    Ebx,
    Ecx,
    Edx,
}

/// Leaf, subleaf, and which register is which word.
type FeatureLeaf = (u32, u32, &'static [(Register, usize)]);

/// Each leaf is read once.
const FEATURE_LEAVES: [FeatureLeaf; 9] = [
    (0x1, 0, &[(Register::Edx, 0), (Register::Ecx, 1)]),
    (0x8000_0001, 0, &[(Register::Edx, 2), (Register::Ecx, 3)]),
    (0xd, 1, &[(Register::Eax, 4)]),
    (0x7, 0, &[(Register::Ebx, 5), (Register::Ecx, 6), (Register::Edx, 9)]),
    (0x8000_0007, 0, &[(Register::Edx, 7)]),
    (0x8000_0008, 0, &[(Register::Ebx, 8)]),
    (0x7, 1, &[(Register::Eax, 10), (Register::Ebx, 12), (Register::Ecx, 14), (Register::Edx, 15)]),
    (0x8000_0021, 0, &[(Register::Eax, 11), (Register::Ecx, 18)]),
    (0x7, 2, &[(Register::Edx, 13)]),
];

/// What CPUID says of one logical CPU. `None` is what the CPU has no leaf for, or what was not captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// The vendor string, 12 characters, trailing NULs dropped; others than printable ASCII are `?`.
    pub vendor: Option<String>,
    /// Family, model and stepping.
    pub signature: Option<Signature>,
    /// The brand text, runs of blanks made one; others than printable ASCII are `?`.
    pub brand: Option<String>,
    /// The words in upstream's layout, OSXSAVE and OSPKE cleared. SYSCALL stands as given: a 32-bit reader on Intel
    /// does not see it.
    pub words: Featureset,
    /// Indices of words that were not captured and are zero in `words`, ascending.
    pub unknown_words: Vec<usize>,
    /// Width of physical addresses, bits.
    pub physical_address_bits: Option<u8>,
    /// Width of linear addresses, bits.
    pub linear_address_bits: Option<u8>,
    /// Bytes that XSAVE needs for all state components that the CPU supports (0xd:0 ecx).
    pub xsave_size: Option<u32>,
}

impl Cpu {
    /// Adds MSR_ARCH_CAPABILITIES. Without ARCH_CAPS in CPUID the register means nothing and is left out.
    pub fn set_arch_capabilities(&mut self, value: u64) {
        if self.unknown_words.contains(&(ARCH_CAPS / 32)) || !self.words.has(ARCH_CAPS) {
            return;
        }
        let mut words = self.words.words().to_vec();
        words[ARCH_CAPABILITIES_WORDS[0]] = (value & 0xffff_ffff) as u32;
        words[ARCH_CAPABILITIES_WORDS[1]] = (value >> 32) as u32;
        self.words = Featureset::new(words);
        self.unknown_words.retain(|word| !ARCH_CAPABILITIES_WORDS.contains(word));
    }

    /// Whether CPUID announces a hypervisor (1:ecx 31).
    pub fn announces_hypervisor(&self) -> bool {
        self.words.has(HYPERVISOR)
    }
}

/// Family, model and stepping, extended parts included, as Xen and Linux count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature {
    /// Base family; plus the extended family where the base is 15.
    pub family: u32,
    /// Model; with the extended model from family 6 on, whoever the vendor is (Zhaoxin's family 7 needs it).
    pub model: u32,
    /// Stepping.
    pub stepping: u32,
}

impl Signature {
    /// From 1:eax.
    pub const fn from_eax(eax: u32) -> Self {
        let base = eax >> 8 & 0xf;
        let family = if base == 0xf { base + (eax >> 20 & 0xff) } else { base };
        let extended = if family >= 6 { eax >> 16 & 0xf } else { 0 };
        Self { family, model: extended << 4 | eax >> 4 & 0xf, stepping: eax & 0xf }
    }
}

/// What the leaves that belong to hypervisors say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HypervisorLeaves {
    /// Whether CPUID announces a hypervisor (1:ecx 31). The signatures do not depend on it.
    pub present: bool,
    /// The signatures, Xen's first, else in the order of their leaves: a nested or mimicking hypervisor has several.
    pub signatures: Vec<String>,
    /// Xen's version, major and minor.
    pub xen_version: Option<(u16, u16)>,
}

/// Reads a CPU that answers every leaf.
pub fn read<R: CpuIdReader>(reader: &R) -> Cpu {
    read_captured(reader, |_, _| true)
}

/// Reads a dump. `captured` says whether a leaf and subleaf is in it: one that the CPU has and the dump lacks makes
/// its words unknown.
pub fn read_captured<R: CpuIdReader>(reader: &R, captured: impl Fn(u32, u32) -> bool) -> Cpu {
    let leaves = Leaves::new(reader, captured);
    let mut words = vec![0; WORDS];
    let mut unknown = Vec::new();
    for (leaf, subleaf, registers) in FEATURE_LEAVES {
        match leaves.get(leaf, subleaf) {
            Leaf::Read(result) => registers.iter().for_each(|(from, word)| words[*word] = register(result, *from)),
            Leaf::Beyond => {}
            Leaf::NotCaptured => unknown.extend(registers.iter().map(|(_, word)| *word)),
        }
    }
    let mut words = Featureset::new(words);
    MIRRORS.into_iter().for_each(|bit| words.set(bit, false));
    if words.has(ARCH_CAPS) || unknown.contains(&(ARCH_CAPS / 32)) {
        unknown.extend(ARCH_CAPABILITIES_WORDS);
    }
    unknown.sort_unstable();

    let sizes = leaves.read(0x8000_0008, 0).map(|leaf| leaf.eax);
    let xsave = if words.has(XSAVE) { leaves.read(0xd, 0) } else { None };
    Cpu {
        vendor: leaves.read(0, 0).map(|leaf| vendor(&leaf)),
        signature: leaves.read(1, 0).map(|leaf| Signature::from_eax(leaf.eax)),
        brand: leaves.brand(),
        words,
        unknown_words: unknown,
        physical_address_bits: sizes.map(|eax| (eax & 0xff) as u8).filter(|bits| *bits > 0),
        linear_address_bits: sizes.map(|eax| (eax >> 8 & 0xff) as u8).filter(|bits| *bits > 0),
        xsave_size: xsave.map(|leaf| leaf.ecx).filter(|size| *size > 0),
    }
}

/// Reads the hypervisor leaves. Each question is a trap under a hypervisor, so that no more bases are asked than may
/// answer: none where neither the bit nor the first base announces one, and none after the first gap, since
/// hypervisors stack their blocks without gaps. Where the bit is set and the first base is mute, all 256 are asked.
pub fn hypervisor<R: CpuIdReader>(reader: &R) -> HypervisorLeaves {
    let present =
        Leaves::new(reader, |_, _| true).read(1, 0).is_some_and(|leaf| leaf.ecx >> (HYPERVISOR % 32) & 1 == 1);
    let first = signature_at(reader, FIRST_BASE);
    let mut found = HypervisorLeaves { present, ..HypervisorLeaves::default() };
    if !present && first.is_none() {
        return found;
    }
    for base in (FIRST_BASE..=LAST_BASE).step_by(0x100) {
        let Some(signature) = signature_at(reader, base) else {
            if found.signatures.is_empty() {
                continue;
            }
            break;
        };
        if signature == XEN {
            if found.xen_version.is_none() {
                let version = reader.cpuid2(base + 1, 0).eax;
                found.xen_version = Some(((version >> 16) as u16, (version & 0xffff) as u16));
            }
            found.signatures.retain(|known| *known != XEN);
            found.signatures.insert(0, signature);
        } else if !found.signatures.contains(&signature) {
            found.signatures.push(signature);
        }
    }
    found
}

const FIRST_BASE: u32 = 0x4000_0000;
const LAST_BASE: u32 = 0x4000_ff00;
/// The signature of Xen.
pub const XEN: &str = "XenVMMXenVMM";

/// A signature is text, and its eax names the block's last leaf (old KVM: zero). Bare Intel answers these leaves with
/// the data of its highest basic leaf, which is neither.
fn signature_at<R: CpuIdReader>(reader: &R, base: u32) -> Option<String> {
    let leaf = reader.cpuid2(base, 0);
    if leaf.eax != 0 && !(base..base + 0x100).contains(&leaf.eax) {
        return None;
    }
    let bytes = registers_text(&[leaf.ebx, leaf.ecx, leaf.edx]);
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    let is_text = text.len() >= 4 && text.iter().all(|byte| (0x20..0x7f).contains(byte));
    (is_text && rest.iter().all(|byte| *byte == 0)).then(|| printable(text))
}

enum Leaf {
    Read(CpuIdResult),
    /// Beyond the last leaf that this CPU has.
    Beyond,
    NotCaptured,
}

struct Leaves<'a, R, C> {
    reader: &'a R,
    captured: C,
    last_basic: Option<u32>,
    last_extended: Option<u32>,
    last_of_7: Option<u32>,
}

impl<'a, R: CpuIdReader, C: Fn(u32, u32) -> bool> Leaves<'a, R, C> {
    fn new(reader: &'a R, captured: C) -> Self {
        let eax = |leaf| captured(leaf, 0).then(|| reader.cpuid2(leaf, 0).eax);
        let last_basic = eax(0);
        // A CPU without extended leaves answers with something else, often with its highest basic leaf.
        let last_extended = eax(0x8000_0000).map(|last| if last >> 16 == 0x8000 { last } else { 0 });
        let last_of_7 = if last_basic.is_some_and(|last| last < 7) { Some(0) } else { eax(7) };
        Self { reader, captured, last_basic, last_extended, last_of_7 }
    }

    fn get(&self, leaf: u32, subleaf: u32) -> Leaf {
        let last = if leaf >= 0x8000_0000 { self.last_extended } else { self.last_basic };
        let beyond =
            last.is_some_and(|last| leaf > last) || (leaf == 7 && self.last_of_7.is_some_and(|last| subleaf > last));
        if beyond {
            Leaf::Beyond
        } else if (self.captured)(leaf, subleaf) {
            Leaf::Read(self.reader.cpuid2(leaf, subleaf))
        } else {
            Leaf::NotCaptured
        }
    }

    fn read(&self, leaf: u32, subleaf: u32) -> Option<CpuIdResult> {
        match self.get(leaf, subleaf) {
            Leaf::Read(result) => Some(result),
            Leaf::Beyond | Leaf::NotCaptured => None,
        }
    }

    fn brand(&self) -> Option<String> {
        let mut bytes = Vec::with_capacity(48);
        for leaf in 0x8000_0002..=0x8000_0004 {
            let result = self.read(leaf, 0)?;
            bytes.extend(registers_text(&[result.eax, result.ebx, result.ecx, result.edx]));
        }
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        let brand = printable(&bytes[..end]).split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        (!brand.is_empty()).then_some(brand)
    }
}

const fn register(result: CpuIdResult, from: Register) -> u32 {
    match from {
        Register::Eax => result.eax,
        Register::Ebx => result.ebx,
        Register::Ecx => result.ecx,
        Register::Edx => result.edx,
    }
}

fn vendor(leaf: &CpuIdResult) -> String {
    let bytes = registers_text(&[leaf.ebx, leaf.edx, leaf.ecx]);
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    printable(&bytes[..end])
}

fn registers_text(registers: &[u32]) -> Vec<u8> {
    registers.iter().flat_map(|register| register.to_le_bytes()).collect()
}

fn printable(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Row = (u32, u32, [u32; 4]);

    /// A CPU that answers what it does not know with the data of its highest basic leaf, as Intel's do.
    fn cpu(rows: &[Row]) -> impl Fn(u32, u32) -> CpuIdResult + Clone {
        let rows: BTreeMap<_, _> = rows.iter().map(|(leaf, subleaf, data)| ((*leaf, *subleaf), *data)).collect();
        move |leaf, subleaf| {
            let highest = rows.range(..(0x4000_0000, 0)).next_back().map(|(_, data)| *data);
            let [eax, ebx, ecx, edx] = rows.get(&(leaf, subleaf)).copied().or(highest).unwrap_or_default();
            CpuIdResult { eax, ebx, ecx, edx }
        }
    }

    const fn le(text: [u8; 4]) -> u32 {
        u32::from_le_bytes(text)
    }

    const fn intel(last: u32) -> Row {
        (0, 0, [last, le(*b"Genu"), le(*b"ntel"), le(*b"ineI")])
    }

    /// Family 6, model 106, stepping 6.
    const ICE_LAKE: u32 = 0x000606a6;

    #[test]
    fn each_word_comes_from_its_register() {
        let rows = [
            intel(0xd),
            (1, 0, [ICE_LAKE, 0, 0x0400_0002, 0x0000_0001]),
            (7, 0, [2, 0x0000_0050, 0x0000_0060, 0x2000_0090]),
            (7, 1, [0x100, 0x120, 0x140, 0x150]),
            (7, 2, [0, 0, 0, 0x130]),
            (0xd, 0, [0, 576, 2696, 0]),
            (0xd, 1, [0x4, 0, 0, 0]),
            (0x8000_0000, 0, [0x8000_0021, 0, 0, 0]),
            (0x8000_0001, 0, [0, 0, 0x30, 0x20]),
            (0x8000_0007, 0, [0, 0, 0, 0x70]),
            (0x8000_0008, 0, [0x3039, 0x80, 0, 0]),
            (0x8000_0021, 0, [0x110, 0, 0x180, 0]),
        ];
        let mut found = read(&cpu(&rows));
        insta::assert_snapshot!(
            found.words,
            @"00000001-04000002-00000020-00000030-00000004-00000050-00000060-00000070-00000080-20000090-00000100-00000110-00000120-00000130-00000140-00000150-00000000-00000000-00000180"
        );
        assert_eq!(found.signature, Some(Signature { family: 6, model: 106, stepping: 6 }));
        assert_eq!((found.physical_address_bits, found.linear_address_bits), (Some(57), Some(48)));
        assert_eq!(found.xsave_size, Some(2696));
        assert_eq!(found.unknown_words, ARCH_CAPABILITIES_WORDS);
        found.set_arch_capabilities(0x1600_0017);
        assert_eq!((found.words.word(16), found.unknown_words), (0x1600_0017, vec![]));
    }

    #[test]
    fn leaves_beyond_the_last_are_not_believed() {
        let capped = [intel(2), (1, 0, [0xf29, 0, 0x4400, 0xbfeb_fbff]), (2, 0, [0x665b_5001, 0, 0, 0x007a_7040])];
        let found = read(&cpu(&capped));
        assert_eq!(found.words.features().map(|feature| feature / 32).max(), Some(1));
        assert_eq!((found.brand, found.physical_address_bits), (None, None));
        assert!(found.unknown_words.is_empty(), "a leaf that the CPU lacks is known to hold nothing");

        let one_subleaf = [intel(7), (1, 0, [0; 4]), (7, 0, [0, 1, 2, 4])];
        assert_eq!(read(&cpu(&one_subleaf)).words.word(13), 0);
    }

    #[test]
    fn mirrors_of_cr4_are_cleared() {
        let rows = [intel(7), (1, 0, [0, 0, u32::MAX, 0]), (7, 0, [0, 0, u32::MAX, 0])];
        let words = read(&cpu(&rows)).words;
        assert_eq!((words.word(1), words.word(6)), (!(1 << 27), !(1 << 4)));
    }

    #[test]
    fn what_a_dump_lacks_is_unknown_and_what_the_cpu_lacks_is_not() {
        let rows = [intel(0xd), (1, 0, [0; 4]), (7, 0, [1, 0, 0, 0])];
        let kept = [(0, 0), (1, 0), (7, 0), (0x8000_0000, 0)];
        let found = read_captured(&cpu(&rows), |leaf, subleaf| kept.contains(&(leaf, subleaf)));
        assert_eq!(found.unknown_words, [4, 10, 12, 14, 15]);
    }

    #[test]
    fn arch_capabilities_without_its_bit_mean_nothing() {
        let mut found = read(&cpu(&[intel(7), (1, 0, [0; 4]), (7, 0, [0; 4])]));
        found.set_arch_capabilities(u64::MAX);
        assert!(found.words.has_none() && found.unknown_words.is_empty());
    }

    #[test]
    fn family_and_model_follow_xen() {
        let read = |eax| {
            let Signature { family, model, stepping } = Signature::from_eax(eax);
            (family, model, stepping)
        };
        assert_eq!(read(0x00a2_0f12), (25, 33, 2));
        assert_eq!(read(0x0000_0f4a), (15, 4, 10));
        assert_eq!(read(0x0001_07b5), (7, 27, 5), "Zhaoxin: extended model from family 6 on");
        assert_eq!(read(0x0001_0543), (5, 4, 3));
        assert_eq!(read(u32::MAX), (270, 255, 15));
    }

    #[test]
    fn texts_are_made_safe_to_print() {
        let rows = [
            (0, 0, [1, le(*b"Auth"), le(*b"\x1b[2J"), le(*b"enti")]),
            (0x8000_0000, 0, [0x8000_0004, 0, 0, 0]),
            (0x8000_0002, 0, [le(*b"   A"), le(*b"MD  "), le(*b"EPYC"), le(*b" \xff\x07\x7f")]),
            (0x8000_0003, 0, [le(*b" 768"), le(*b"1\0ju"), le(*b"nkju"), le(*b"nk  ")]),
            (0x8000_0004, 0, [0; 4]),
        ];
        let found = read(&cpu(&rows));
        assert_eq!(found.vendor.as_deref(), Some("Authenti?[2J"));
        assert_eq!(found.brand.as_deref(), Some("AMD EPYC ??? 7681"));
    }

    const XEN_REGISTERS: [u32; 3] = [le(*b"XenV"), le(*b"MMXe"), le(*b"nVMM")];

    fn signature(base: u32, last: u32, [ebx, ecx, edx]: [u32; 3]) -> Row {
        (base, 0, [last, ebx, ecx, edx])
    }

    #[test]
    fn xen_is_found_behind_the_signature_that_it_lends_to_windows() {
        let rows = [
            intel(1),
            (1, 0, [ICE_LAKE, 0, 1 << 31, 0]),
            signature(0x4000_0000, 0x4000_0006, [le(*b"Micr"), le(*b"osof"), le(*b"t Hv")]),
            signature(0x4000_0100, 0x4000_0105, XEN_REGISTERS),
            (0x4000_0101, 0, [4 << 16 | 17, 0, 0, 0]),
        ];
        let found = hypervisor(&cpu(&rows));
        assert_eq!(found.signatures, [XEN, "Microsoft Hv"]);
        assert_eq!(found.xen_version, Some((4, 17)));
        assert!(found.present);
    }

    #[test]
    fn a_signature_far_from_the_first_base_is_found_when_the_bit_is_set() {
        let far = signature(0x4000_0700, 0x4000_0705, XEN_REGISTERS);
        let rows = [intel(1), (1, 0, [ICE_LAKE, 0, 1 << 31, 0]), far, (0x4000_0701, 0, [4 << 16 | 13, 0, 0, 0])];
        let found = hypervisor(&cpu(&rows));
        assert_eq!((found.signatures, found.xen_version), (vec![XEN.to_owned()], Some((4, 13))));
    }

    #[test]
    fn a_bare_cpu_has_no_signature_even_when_it_repeats_its_highest_leaf() {
        let bare = [intel(0x16), (1, 0, [ICE_LAKE, 0, 0, 0]), (0x16, 0, [2200, 3400, 100, 0])];
        assert_eq!(hypervisor(&cpu(&bare)), HypervisorLeaves::default());
        let texty = [intel(0x16), (1, 0, [ICE_LAKE, 0, 0, 0]), (0x16, 0, [2200, le(*b"abcd"), le(*b"abcd"), 0])];
        assert!(hypervisor(&cpu(&texty)).signatures.is_empty());
    }

    #[test]
    fn a_signature_counts_without_the_bit() {
        let rows =
            [intel(1), (1, 0, [0; 4]), signature(0x4000_0000, 0, [le(*b"KVMK"), le(*b"VMKV"), le(*b"M\0\0\0")])];
        let found = hypervisor(&cpu(&rows));
        assert_eq!((found.present, found.signatures), (false, vec!["KVMKVMKVM".to_owned()]));
    }

    proptest! {
        #[test]
        fn hostile_answers_do_no_harm(seed: u64, mask: u32) {
            let reader = move |leaf: u32, subleaf: u32| {
                let mix = |salt: u32| {
                    let mixed = (seed ^ u64::from(leaf ^ subleaf.rotate_left(16) ^ salt)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    (mixed >> 32) as u32 | mask
                };
                CpuIdResult { eax: mix(1), ebx: mix(2), ecx: mix(3), edx: mix(4) }
            };
            let found = read(&reader);
            prop_assert_eq!(found.words.words().len(), WORDS);
            let texts = [found.vendor.unwrap_or_default(), found.brand.unwrap_or_default()];
            prop_assert!(texts.iter().all(|text| text.bytes().all(|byte| (0x20..0x7f).contains(&byte))));
            prop_assert!(hypervisor(&reader).signatures.len() <= 256);
        }
    }
}
