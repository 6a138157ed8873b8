//! What Xen would offer to guests on hardware that does not run it yet, as far as plain CPUID can tell.
//! Source: Xen `xen/arch/x86/cpu-policy.c` and its featureset masks.

use super::names;
use super::releases::{Product, XenRelease};
use crate::facts::{Featureset, Known};
use crate::snapshot::{Host, HostCpu};

/// Predicted guest sets, and what they cannot know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicted {
    /// What a PV guest may have at most.
    pub pv_max: Featureset,
    /// What a PV guest is started with.
    pub pv_default: Featureset,
    /// What an HVM guest may have at most.
    pub hvm_max: Featureset,
    /// What an HVM guest is started with.
    pub hvm_default: Featureset,
    /// Kinds of bits that the prediction cannot know, in words for the operator.
    pub unpredictable: Vec<String>,
}

/// The provenance of sets that were predicted.
pub const PREDICTED: &str = "predicted";
/// The provenance of sets that a server gave.
pub const OBSERVED: &str = "observed";

/// What this Xen release would offer on a CPU with these raw words. `unknown_words` were not captured and count as
/// zero; `virtualisation` is whether firmware leaves it on, taken as on when not known, and then named.
pub fn predict(
    raw: &Featureset,
    vendor: &str,
    unknown_words: &[usize],
    xen: &XenRelease,
    virtualisation: &Known<bool>,
) -> Predicted {
    let maker = Maker::of(vendor);
    let host = host_policy(raw, maker, xen);
    let (pv_max, pv_default) = guest_policies(&host, raw, maker, xen, false);
    let (hvm_max, hvm_default) = if virtualisation.get() == Some(&false) {
        // Without it Xen has no HVM guests; their sets hold nothing, the FPU included.
        (Featureset::default().zero_extend(xen.words()), Featureset::default().zero_extend(xen.words()))
    } else {
        guest_policies(&host, raw, maker, xen, true)
    };
    let unpredictable = unpredictable(unknown_words, virtualisation);
    Predicted { pv_max, pv_default, hvm_max, hvm_default, unpredictable }
}

/// Predicts the guest sets of a host that has raw words and no sets of its own, as if `product` were installed.
/// Returns what the prediction cannot know; nothing when there was nothing to predict from or no need to.
pub fn fill(host: &mut Host, product: &Product) -> Vec<String> {
    let virtualisation = virtualisation(host);
    let (Some(xen), Some(cpu)) = (product.xen(), host.cpu.get_mut()) else { return Vec::new() };
    let sets = [&cpu.features_pv, &cpu.features_hvm, &cpu.features_pv_host, &cpu.features_hvm_host];
    let observed = sets.into_iter().any(|set| set.get().is_some());
    let (Some(raw), Some(vendor), false) = (cpu.raw.get(), cpu.vendor.text(), observed) else { return Vec::new() };
    let predicted = predict(raw, vendor, &unknown_words(cpu), xen, &virtualisation);
    let unpredictable = predicted.unpredictable.clone();
    install(cpu, predicted, product);
    unpredictable
}

/// What a prediction for this host could not know.
pub(super) fn unpredictable_of(host: &Host, cpu: &HostCpu) -> Vec<String> {
    unpredictable(&unknown_words(cpu), &virtualisation(host))
}

fn virtualisation(host: &Host) -> Known<bool> {
    host.hardware.as_ref().and_then(|hardware| hardware.virtualisation_enabled.clone())
}

fn unknown_words(cpu: &HostCpu) -> Vec<usize> {
    cpu.raw_unknown_words.each().filter_map(|word| usize::try_from(*word).ok()).collect()
}

fn install(cpu: &mut HostCpu, predicted: Predicted, product: &Product) {
    cpu.provenance = PREDICTED.to_owned().into();
    cpu.predicted_for = format!("Xen {} ({})", product.xen, product.title).into();
    if product.two_sets {
        cpu.features_pv = predicted.pv_max.into();
        cpu.features_hvm = predicted.hvm_max.into();
        cpu.features_pv_host = predicted.pv_default.into();
        cpu.features_hvm_host = predicted.hvm_default.into();
    } else {
        // These releases know one set of each kind: what a guest may have is what it is started with.
        cpu.features_pv = predicted.pv_max.into();
        cpu.features_hvm = predicted.hvm_max.into();
        cpu.features_pv_host = Known::absent();
        cpu.features_hvm_host = Known::absent();
    }
}

fn unpredictable(unknown_words: &[usize], virtualisation: &Known<bool>) -> Vec<String> {
    let mut kinds = vec![
        "speculation controls, immunities and TSX, which microcode and firmware change".to_owned(),
        "immunities that Xen adds from what it knows of the model (gds-no, rfds-no, its-no, btc-no, sbpb, ibpb-brtype)"
            .to_owned(),
        "what Xen's command line switches (cpuid=, spec-ctrl=, tsx=)".to_owned(),
    ];
    if !unknown_words.is_empty() {
        let sources = unknown_words.iter().map(|word| {
            names::words()
                .get(*word)
                .map_or_else(|| format!("word {word}"), |known| format!("{} ({})", known.short, known.source))
        });
        kinds.push(format!("words that could not be read: {}", sources.collect::<Vec<_>>().join(", ")));
    }
    if virtualisation.get().is_none() {
        kinds.push("whether firmware leaves virtualisation on: taken as on".to_owned());
    }
    kinds
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    Intel,
    /// AMD and Hygon, which Xen treats alike here.
    Amd,
    Other,
}

impl Maker {
    fn of(vendor: &str) -> Self {
        match vendor {
            "GenuineIntel" => Self::Intel,
            "AuthenticAMD" | "HygonGenuine" => Self::Amd,
            _ => Self::Other,
        }
    }
}

/// Features that Xen treats one by one.
mod bit {
    pub(super) const APIC: usize = 9;
    pub(super) const SEP: usize = 11;
    pub(super) const HTT: usize = 28;
    pub(super) const X2APIC: usize = 32 + 21;
    pub(super) const OSXSAVE: usize = 32 + 27;
    pub(super) const HYPERVISOR: usize = 32 + 31;
    pub(super) const SYSCALL: usize = 2 * 32 + 11;
    pub(super) const LM: usize = 2 * 32 + 29;
    pub(super) const CMP_LEGACY: usize = 3 * 32 + 1;
    pub(super) const ERMS: usize = 5 * 32 + 9;
    pub(super) const OSPKE: usize = 6 * 32 + 4;
    pub(super) const IBPB: usize = 8 * 32 + 12;
    pub(super) const IBRS: usize = 8 * 32 + 14;
    pub(super) const AMD_STIBP: usize = 8 * 32 + 15;
    pub(super) const NO_LMSL: usize = 8 * 32 + 20;
    pub(super) const AMD_SSBD: usize = 8 * 32 + 24;
    pub(super) const VIRT_SSBD: usize = 8 * 32 + 25;
    pub(super) const MD_CLEAR: usize = 9 * 32 + 10;
    pub(super) const IBRSB: usize = 9 * 32 + 26;
    pub(super) const STIBP: usize = 9 * 32 + 27;
    pub(super) const ARCH_CAPS: usize = 9 * 32 + 29;
    pub(super) const VERW_CLEAR: usize = 11 * 32 + 5;
    pub(super) const RSBA: usize = 16 * 32 + 2;
    pub(super) const FB_CLEAR: usize = 16 * 32 + 17;
    pub(super) const RRSBA: usize = 16 * 32 + 19;
    pub(super) const RFDS_CLEAR: usize = 16 * 32 + 28;
}

/// Up to this minor version Xen repeats what e1d has in common with 1d in the sets of all vendors, and lets a toolstack set
/// what describes topology (`sanitise_featureset`, `calculate_hvm_featureset`); seen on Intel hosts of 7.0 and 8.2.
const LAST_WITH_REPEATS: u32 = 13;

/// The words that only mean something when ARCH_CAPS is set (MSR 0x10a).
const ARCH_CAPS_WORDS: [usize; 2] = [16, 17];

/// The host's own policy: what the release knows, without what Xen refuses.
fn host_policy(raw: &Featureset, maker: Maker, xen: &XenRelease) -> Featureset {
    let mut words = raw.zero_extend(xen.words()).words().to_vec();
    if !raw.has(bit::ARCH_CAPS) {
        for word in ARCH_CAPS_WORDS {
            words.get_mut(word).into_iter().for_each(|word| *word = 0);
        }
    }
    let mut host = Featureset::new(words);
    if maker == Maker::Intel && host.has(bit::LM) {
        // Intel shows it only in 64-bit mode, and Xen runs in no other.
        host.set(bit::SYSCALL, true);
    }
    let mut host = host.intersect(&xen.known());
    if maker == Maker::Amd {
        host.set(bit::SEP, false);
    }
    host.set(bit::OSXSAVE, false);
    host.set(bit::OSPKE, false);
    host
}

/// The maximum and the default set of one kind of guest.
fn guest_policies(
    host: &Featureset,
    raw: &Featureset,
    maker: Maker,
    xen: &XenRelease,
    hvm: bool,
) -> (Featureset, Featureset) {
    let [max_mask, default_mask] = if hvm { xen.hvm() } else { xen.pv() };
    let tolerated = tolerated(maker, xen);

    let mut max = host.intersect(&max_mask);
    for feature in [bit::APIC, bit::X2APIC, bit::HYPERVISOR].into_iter().chain(tolerated.iter().copied()) {
        max.set(feature, true);
    }
    let implied = [(bit::IBRSB, bit::STIBP), (bit::IBRSB, bit::IBPB), (bit::IBRS, bit::AMD_STIBP)];
    for (has, gives) in implied {
        if max.has(has) && max_mask.has(gives) {
            max.set(gives, true);
        }
    }
    if hvm {
        max.set(bit::NO_LMSL, max_mask.has(bit::NO_LMSL));
        if maker == Maker::Amd && raw.has(bit::SEP) {
            // Usable by HVM guests in protected mode, though not under Xen itself.
            max.set(bit::SEP, true);
        }
        if maker == Maker::Amd && xen.minor() >= 17 && max.has(bit::AMD_SSBD) {
            // Emulated for guests that come from where SSBD had no architectural interface.
            max.set(bit::VIRT_SSBD, true);
        }
    }
    xen.close(&mut max);

    let mut default = max.intersect(&default_mask);
    for feature in tolerated {
        // By default guests are told the truth about what a move would tolerate.
        let offered = default_mask.has(feature) || matches!(feature, bit::RSBA | bit::RRSBA);
        default.set(feature, offered && host.has(feature) && max.has(feature));
    }
    xen.close(&mut default);
    if xen.minor() <= LAST_WITH_REPEATS {
        max = names::with_repeats(&max);
    }
    (max, default)
}

/// What a guest may be told although this CPU lacks it, so that it can move here: facts about topology and problems
/// that may exist elsewhere. Which of them a release tolerates shows in its masks, or in when it was taught to.
fn tolerated(maker: Maker, xen: &XenRelease) -> Vec<usize> {
    let special = xen.special();
    let decided: &[usize] = match maker {
        Maker::Intel => &[bit::ARCH_CAPS, bit::RSBA, bit::RRSBA, bit::MD_CLEAR, bit::FB_CLEAR, bit::RFDS_CLEAR],
        Maker::Amd => &[bit::VERW_CLEAR],
        Maker::Other => &[],
    };
    let mut tolerated: Vec<_> = decided.iter().copied().filter(|feature| special.has(*feature)).collect();
    if xen.minor() <= LAST_WITH_REPEATS || xen.minor() >= 19 {
        tolerated.extend([bit::HTT, bit::CMP_LEGACY]);
    }
    if xen.minor() >= 20 {
        tolerated.push(bit::ERMS);
    }
    tolerated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::names::find;
    use crate::cpu::releases::{product, products, release, release_of_version, releases};

    #[test]
    fn the_numbers_are_those_of_the_names() {
        for (feature, name) in [
            (bit::APIC, "apic"),
            (bit::SEP, "sep"),
            (bit::HTT, "htt"),
            (bit::X2APIC, "x2apic"),
            (bit::OSXSAVE, "osxsave"),
            (bit::HYPERVISOR, "hypervisor"),
            (bit::SYSCALL, "syscall"),
            (bit::LM, "lm"),
            (bit::CMP_LEGACY, "cmp-legacy"),
            (bit::ERMS, "erms"),
            (bit::OSPKE, "ospke"),
            (bit::IBPB, "ibpb"),
            (bit::IBRS, "ibrs"),
            (bit::AMD_STIBP, "amd-stibp"),
            (bit::NO_LMSL, "no-lmsl"),
            (bit::AMD_SSBD, "amd-ssbd"),
            (bit::VIRT_SSBD, "virt-ssbd"),
            (bit::MD_CLEAR, "md-clear"),
            (bit::IBRSB, "ibrsb"),
            (bit::STIBP, "stibp"),
            (bit::ARCH_CAPS, "arch-caps"),
            (bit::VERW_CLEAR, "verw-clear"),
            (bit::RSBA, "rsba"),
            (bit::FB_CLEAR, "fb-clear"),
            (bit::RRSBA, "rrsba"),
            (bit::RFDS_CLEAR, "rfds-clear"),
        ] {
            assert_eq!(find(name), Some(feature), "{name}");
        }
    }

    #[test]
    fn every_product_ships_a_xen_that_is_known() {
        for product in products() {
            assert!(product.xen().is_some(), "{}", product.name);
        }
        assert_eq!(release_of_version("4.17.5-13").map(|xen| xen.name), Some("4.17"));
        assert_eq!(release_of_version("3.4").map(|xen| xen.name), None);
    }

    #[test]
    fn products_are_found_as_operators_write_them() {
        assert_eq!(product("XCP-ng 8.3").map(|found| found.name), Ok("xcp-ng-8.3"));
        assert_eq!(product("xcp-ng-8.2.1").map(|found| found.name), Ok("xcp-ng-8.2"));
        assert_eq!(product("xenserver-8.4.0").map(|found| found.name), Ok("xenserver-8"));
        let error = product("xcpng-8.3").unwrap_err();
        assert_eq!(error.nearest, Some("xcp-ng-8.3"));
        assert!(error.to_string().starts_with("there is no release \"xcpng-8.3\" (did you mean xcp-ng-8.3?)"));
        assert_eq!(product("vsphere").unwrap_err().nearest, None);
    }

    #[test]
    fn what_needs_something_goes_with_it() {
        let xen = release("4.17").unwrap();
        let mut set = Featureset::default();
        for name in ["fpu", "xsave", "avx", "avx2", "avx512f", "avx512bw", "sse"] {
            set.set(find(name).unwrap(), true);
        }
        xen.close(&mut set);
        assert_eq!(names::names(&set), ["fpu", "xsave", "avx", "avx2", "avx512f", "avx512bw"], "sse needs fxsr");
        set.set(find("avx").unwrap(), false);
        xen.close(&mut set);
        assert_eq!(names::names(&set), ["fpu", "xsave"]);
    }

    #[test]
    fn guests_get_by_default_no_more_than_at_most() {
        let raw = Featureset::new(vec![u32::MAX; 20]);
        for xen in releases() {
            for vendor in ["GenuineIntel", "AuthenticAMD", "CentaurHauls"] {
                for raw in [&raw, &Featureset::default()] {
                    let found = predict(raw, vendor, &[], xen, &Known::Yes(true));
                    assert!(found.pv_default.diff(&found.pv_max).has_none(), "{} {vendor}", xen.name);
                    assert!(found.hvm_default.diff(&found.hvm_max).has_none(), "{} {vendor}", xen.name);
                    assert_eq!(found.hvm_max.words().len(), xen.words());
                }
            }
        }
    }

    #[test]
    fn without_virtualisation_there_is_nothing_for_hvm_guests() {
        let raw = Featureset::new(vec![u32::MAX; 18]);
        let xen = release("4.17").unwrap();
        let found = predict(&raw, "GenuineIntel", &[16, 17], xen, &Known::Yes(false));
        assert!(found.hvm_max.has_none() && !found.hvm_max.is_identity() && found.pv_max.has(0));
        assert!(found.unpredictable.iter().any(|kind| kind.contains("m10Al (MSR 0x0000010a lo32)")));
        let unsure = predict(&raw, "GenuineIntel", &[], xen, &Known::default());
        assert!(unsure.hvm_max.has(0) && unsure.unpredictable.iter().any(|kind| kind.contains("taken as on")));
    }

    #[test]
    fn older_releases_say_twice_what_they_tolerate() {
        // An Ivy Bridge under 8.2, whose own sets these are.
        let raw: Featureset =
            "bfebfbff-7fbee3ff-2c100800-00000001-00000001-00000281-00000000-00000000-00000000-9c000400"
                .parse()
                .unwrap();
        let of = |xen: &str| predict(&raw, "GenuineIntel", &[], release(xen).unwrap(), &Known::Yes(true));
        let old = of("4.13");
        assert_eq!((old.hvm_max.word(2), old.pv_max.word(2)), (0x2d93_fbff, 0x2991_cbf5));
        assert_eq!((old.hvm_default.word(2), old.pv_default.word(2)), (0x2c10_0800, 0x2810_0800));
        assert!(old.hvm_max.has(bit::CMP_LEGACY) && !old.hvm_default.has(bit::CMP_LEGACY));
        assert_eq!(of("4.17").hvm_max.word(2), 0x2c10_0800);
    }
}
