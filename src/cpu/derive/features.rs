//! Features that one side has and the other will not see.

use std::borrow::Cow;

use super::Sides;
use crate::cpu::facts::{FeatureFact, FeatureName};
use crate::cpu::levelling::{Guest, Level, default_set, hvm_capable};
use crate::cpu::names;
use crate::facts::{Featureset, Known};
use crate::snapshot::Pool;

/// What a pool loses.
pub(super) struct Lost {
    pub(super) features: Known<Vec<FeatureFact>>,
    /// Those that are known to be lost, as word × 32 + bit.
    pub(super) numbers: Vec<usize>,
    /// Those of which the joiner's words say nothing.
    pub(super) undecided: Known<Vec<FeatureFact>>,
}

impl Sides<'_> {
    /// What the pool loses, and of what the joiner's words say nothing. Where the server adds bits up over the pool
    /// none of those is lost.
    pub(super) fn lost(&self, before: &Level, after: &Level) -> Lost {
        let (ours, theirs) = (self.pool_vendor(), self.joiner_cpu.clone().and_then(|cpu| cpu.vendor.clone()));
        let differing =
            differing(ours.text().or(theirs.text()), |guest| (before.default_of(guest), after.default_of(guest)));
        let differing = match differing {
            Known::Yes(differing) => differing,
            Known::No(unknown) => {
                let no = || Known::No(unknown.clone());
                return Lost { features: no(), numbers: Vec::new(), undecided: no() };
            }
        };
        let (undecided, lost): (Vec<_>, Vec<_>) = differing
            .into_iter()
            .filter(|(feature, _)| !before.shape.adds_up(*feature))
            .partition(|(feature, _)| self.unreadable(*feature));
        let numbers = lost.iter().map(|(feature, _)| *feature).collect();
        let facts = |features: Vec<Differing>| {
            features.into_iter().map(|(feature, sets)| self.fact(feature, sets)).collect::<Vec<_>>()
        };
        Lost { features: Known::Yes(facts(lost)), numbers, undecided: Known::Yes(facts(undecided)) }
    }

    pub(super) fn hidden(&self, after: &Level) -> Known<Vec<FeatureFact>> {
        let cpu = match &self.joiner_cpu {
            Known::Yes(cpu) => *cpu,
            Known::No(unknown) => return Known::No(unknown.clone()),
        };
        let hvm = self.joiner.clone().and_then(hvm_capable);
        let own = |guest| {
            let (key, set) = default_set(cpu, after.shape, guest);
            match (guest, &hvm) {
                // A host that is left out of the HVM level has nothing to hide from HVM guests.
                (Guest::Hvm, Known::Yes(false)) => Known::Yes(Featureset::default()),
                _ => self.of_joiner(set, key),
            }
        };
        let own = [own(Guest::Hvm), own(Guest::Pv)];
        let of = |guest| &own[usize::from(guest == Guest::Pv)];
        differing(cpu.vendor.text(), |guest| (of(guest), after.default_of(guest)))
            .map(|features| features.into_iter().map(|(feature, sets)| self.fact(feature, sets)).collect())
    }

    pub(super) fn fact(&self, feature: usize, sets: &'static [&'static str]) -> FeatureFact {
        let group = names::group(feature);
        FeatureFact {
            name: FeatureName(feature),
            group: Cow::Borrowed(group),
            sets,
            provisional: self.predicted() && group == names::MITIGATIONS_GROUP,
        }
    }

    /// Whether a predicted joiner's word that holds this feature was not readable.
    pub(super) fn unreadable(&self, feature: usize) -> bool {
        self.predicted()
            && self
                .joiner_cpu
                .get()
                .and_then(|cpu| cpu.raw_unknown_words.get())
                .is_some_and(|words| words.iter().any(|word| usize::try_from(*word).ok() == Some(feature / 32)))
    }
}

/// A feature, and the kinds of guests for which it differs.
pub(super) type Differing = (usize, &'static [&'static str]);

/// The features that `from` has and `to` lacks, made comparable for people.
pub(super) fn differing<'a>(
    vendor: Option<&str>,
    sets: impl Fn(Guest) -> (&'a Known<Featureset>, &'a Known<Featureset>),
) -> Known<Vec<Differing>> {
    const KINDS: [[&[&str]; 2]; 2] = [[&[], &["pv"]], [&["hvm"], &["hvm", "pv"]]];
    let differing = |guest| match sets(guest) {
        (Known::Yes(from), Known::Yes(to)) => {
            Known::Yes(names::comparable(from, vendor).diff(&names::comparable(to, vendor)))
        }
        (Known::No(unknown), _) | (_, Known::No(unknown)) => Known::No(unknown.clone()),
    };
    let (hvm, pv) = match (differing(Guest::Hvm), differing(Guest::Pv)) {
        (Known::Yes(hvm), Known::Yes(pv)) => (hvm, pv),
        (Known::No(unknown), _) | (_, Known::No(unknown)) => return Known::No(unknown),
    };
    let kinds = |feature| KINDS[usize::from(hvm.has(feature))][usize::from(pv.has(feature))];
    Known::Yes(hvm.union(&pv).features().map(|feature| (feature, kinds(feature))).collect())
}

/// Where pool.cpu_info and the hosts' sets disagree; unknown when one of them is. Bits that add up over a pool do not
/// count where the server adds them up.
pub(super) fn disagreement(pool: &Pool, server: &Level) -> Known<String> {
    let hosts = Level::of_hosts(pool, |_| true);
    let mut texts = Vec::new();
    for guest in [Guest::Hvm, Guest::Pv] {
        let (said, found) = match (server.default_of(guest), hosts.default_of(guest)) {
            (Known::Yes(said), Known::Yes(found)) => (said, found),
            (Known::No(unknown), _) | (_, Known::No(unknown)) => return Known::No(unknown.clone()),
        };
        let differing = said.diff(found).union(&found.diff(said));
        let differing: Vec<_> =
            differing.features().filter(|feature| !server.shape.adds_up(*feature)).map(names::name).collect();
        if !differing.is_empty() {
            texts.push(format!("{}: {}", guest.word(), differing.join(", ")));
        }
    }
    Known::Yes(texts.join("; "))
}

/// Where the level comes from, in a word for rules.
pub(super) fn level_source(pool: &Pool, before: &Level) -> &'static str {
    let hosts = Level::of_hosts(pool, |_| true);
    let same = |guest| hosts.default_of(guest) == before.default_of(guest);
    if same(Guest::Hvm) && same(Guest::Pv) { "hosts" } else { "pool.cpu_info" }
}

/// Features by group, for a sentence.
pub(super) fn group_texts(features: &[FeatureFact]) -> Vec<String> {
    let labels: Vec<_> = features.iter().map(|feature| (&feature.group, feature.name.label())).collect();
    names::grouped(labels.iter().map(|(group, name)| (&***group, &**name)))
}
