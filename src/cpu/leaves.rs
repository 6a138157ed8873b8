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
