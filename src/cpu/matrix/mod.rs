//! CPUs side by side: what one has, where several differ, what a level leaves. Data with a text form and a JSON form;
//! for `cli` and `report`. Never judges.

mod decode;
mod diff;
mod distinct;
mod level;
mod running;
mod text;

pub use decode::{Decoded, NamedSet, decode};
pub use diff::{Column, Diff, Row, diff, diff_of};
pub use distinct::{Lack, Place};
pub use level::{Gap, HostLevel, Levelled, SetLevel, level};
pub use running::{FleetGap, FleetLevel, KindLevel, RunningLevel, VendorLevel};

use serde::Serialize;

use super::levelling::hvm_capable;
use crate::facts::{Featureset, Known};
use crate::snapshot::{Host, HostCpu};

/// A CPU among others.
#[derive(Clone, Debug)]
pub struct Labelled<'a> {
    /// What it is called: the target's name or the host's.
    pub name: String,
    /// The CPU.
    pub cpu: &'a HostCpu,
    /// Whether the server counts its host among those that run HVM guests; none where that is not known.
    pub runs_hvm: Option<bool>,
}

impl<'a> Labelled<'a> {
    /// The CPU of a host; none where it is not known.
    pub fn of(name: String, host: &'a Host) -> Option<Self> {
        Some(Self { name, cpu: host.cpu.get()?, runs_hvm: hvm_capable(host).get().copied() })
    }

    /// Whether this set of it cannot tell of a feature, since the word that holds it was not captured.
    fn cannot_tell(&self, set: SetKind, feature: usize) -> bool {
        let read = set == SetKind::Raw || self.cpu.provenance.text() == Some("predicted");
        read && self.cpu.raw_unknown_words.each().any(|word| usize::try_from(*word) == Ok(feature / 32))
    }
}

/// The kinds of sets that a CPU may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetKind {
    /// What HVM guests are started with.
    FeaturesHvmHost,
    /// What HVM guests may have at most.
    FeaturesHvm,
    /// What PV guests are started with.
    FeaturesPvHost,
    /// What PV guests may have at most.
    FeaturesPv,
    /// What the CPU itself says.
    Raw,
    /// The four words of 5.6–6.5, without a mask, in the order of a featureset.
    PhysicalFeatures,
    /// The four words of 5.6–6.5 now, in the order of a featureset.
    Features,
}

impl SetKind {
    /// All kinds, the most telling for levelling first.
    pub const ALL: [Self; 7] = [
        Self::FeaturesHvmHost,
        Self::FeaturesHvm,
        Self::Raw,
        Self::FeaturesPvHost,
        Self::FeaturesPv,
        Self::PhysicalFeatures,
        Self::Features,
    ];

    /// The key in `host.cpu_info` and in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::FeaturesHvmHost => "features_hvm_host",
            Self::FeaturesHvm => "features_hvm",
            Self::FeaturesPvHost => "features_pv_host",
            Self::FeaturesPv => "features_pv",
            Self::Raw => "raw",
            Self::PhysicalFeatures => "physical_features",
            Self::Features => "features",
        }
    }

    /// What it is, for a heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::FeaturesHvmHost => "what HVM guests are started with",
            Self::FeaturesHvm => "what HVM guests may have at most",
            Self::FeaturesPvHost => "what PV guests are started with",
            Self::FeaturesPv => "what PV guests may have at most",
            Self::Raw => "what the CPU itself says",
            Self::PhysicalFeatures => "what the CPU has without a mask (5.6-6.5)",
            Self::Features => "what the CPU shows now (5.6-6.5)",
        }
    }

    /// Whether it is levelled over the hosts that run HVM guests alone.
    const fn is_hvm(self) -> bool {
        matches!(self, Self::FeaturesHvmHost | Self::FeaturesHvm)
    }

    /// Of what guests may have at most, the kind that they start with.
    const fn starts(self) -> Option<Self> {
        match self {
            Self::FeaturesHvm => Some(Self::FeaturesHvmHost),
            Self::FeaturesPv => Some(Self::FeaturesPvHost),
            _ => None,
        }
    }

    /// This set of a CPU, in the order of a featureset.
    pub fn of(self, cpu: &HostCpu) -> Known<Featureset> {
        match self {
            Self::FeaturesHvmHost => cpu.features_hvm_host.clone(),
            Self::FeaturesHvm => cpu.features_hvm.clone(),
            Self::FeaturesPvHost => cpu.features_pv_host.clone(),
            Self::FeaturesPv => cpu.features_pv.clone(),
            Self::Raw => cpu.raw.clone(),
            Self::PhysicalFeatures => cpu.physical_features.as_ref().map(super::masking::from_legacy),
            Self::Features => cpu.features.as_ref().map(super::masking::from_legacy),
        }
    }

    /// The most telling kind that most of these CPUs show.
    pub fn common(hosts: &[Labelled<'_>]) -> Self {
        let shown = |kind: &Self| hosts.iter().filter(|host| kind.of(host.cpu).get().is_some()).count();
        // The last of equals wins, so the most telling kind comes last.
        Self::ALL.into_iter().rev().max_by_key(shown).unwrap_or(Self::Raw)
    }
}
