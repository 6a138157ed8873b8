//! From CPUID leaves to words and identity, on CPUs that are tables of leaves.

use std::collections::BTreeMap;

use poolgate::cpu::leaves::{
    ARCH_CAPABILITIES_WORDS, HypervisorLeaves, Signature, WORDS, XEN, hypervisor, read, read_captured,
};
use proptest::prelude::*;
use raw_cpuid::CpuIdResult;

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
    let rows = [intel(1), (1, 0, [0; 4]), signature(0x4000_0000, 0, [le(*b"KVMK"), le(*b"VMKV"), le(*b"M\0\0\0")])];
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
