//! The CPU facts of one joiner against one pool, as rules read them. `derive` fills them.

use std::borrow::Cow;

use super::masking::MaskingFacts;
use super::names;
use crate::facts::{Fact, Featureset, Known, Type, Value, facts};

/// A feature (word × 32 + bit) that is read as its name; most facts are never read, and then nobody needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureName(pub usize);

impl FeatureName {
    /// The name, or `<word>:<bit>`.
    pub fn label(self) -> Cow<'static, str> {
        names::label(self.0)
    }
}

impl Fact for FeatureName {
    const TYPE: Type = Type::Text;
    fn value(&self) -> Value<'_> {
        Value::Text(self.label())
    }
}

facts! {
    /// What the joiner's CPU means for the pool, and the pool for it.
    pub struct CpuFacts as "cpu_facts" {
        /// How pools of this release make CPUs alike: `levelling` (7.0 and newer) or `masking` (5.6–6.5).
        pub scheme: Known<String>,
        /// Where the joiner's guest sets come from: `observed` or `predicted`.
        pub joiner_provenance: Known<String>,
        /// The Xen that predicted sets are for: `Xen 4.17 (XCP-ng 8.3)`; empty when they were observed.
        pub predicted_for: Known<String>,
        /// Kinds of bits that a prediction cannot know; empty when the sets were observed.
        pub unpredictable: Known<Vec<String>>,
        /// The vendor that the server compares the joiner's with.
        pub pool_vendor: Known<String>,
        /// The joiner's vendor.
        pub joiner_vendor: Known<String>,
        /// Whether the two differ, as plain text.
        pub vendors_differ: Known<bool>,
        /// Where the level before the join comes from: `hosts` or `pool.cpu_info`.
        pub level_source: Known<String>,
        /// What HVM guests of the pool are started with.
        pub level_before_hvm: Known<Featureset>,
        /// What PV guests of the pool are started with.
        pub level_before_pv: Known<Featureset>,
        /// What HVM guests will be started with after the join.
        pub level_after_hvm: Known<Featureset>,
        /// What PV guests will be started with after the join.
        pub level_after_pv: Known<Featureset>,
        /// What every host of the pool can give an HVM guest at most.
        pub level_before_hvm_max: Known<Featureset>,
        /// What every host of the pool can give a PV guest at most.
        pub level_before_pv_max: Known<Featureset>,
        /// What every host will be able to give an HVM guest at most.
        pub level_after_hvm_max: Known<Featureset>,
        /// What every host will be able to give a PV guest at most.
        pub level_after_pv_max: Known<Featureset>,
        /// Whether pool.cpu_info says what its hosts' sets amount to.
        pub level_agrees: Known<bool>,
        /// Where it does not: the set, and the features in which they differ; empty when they agree.
        pub level_disagreement: Known<String>,
        /// Hosts of the pool that the server leaves out because their records lack a key that it needs.
        pub level_skipped_hosts: Vec<String>,
        /// Hosts of the pool that cannot run HVM guests and do not count for the HVM level.
        pub hosts_without_hvm: Vec<String>,
        /// Whether the server would leave the joiner out of the level for lack of a key.
        pub joiner_skipped: bool,
        /// Features that guests of the pool can no longer be started with.
        pub lost_by_pool: Known<Vec<FeatureFact>>,
        /// The same by group, for a sentence: `AVX-512 (avx512f, avx512bw, …)`.
        pub lost_groups: Known<Vec<String>>,
        /// Since which generation CPUs of the joiner's line lack lost features, by the catalogue: `mpx since Ice Lake-SP`.
        pub gone_features: Known<Vec<String>>,
        /// Features of which it is not known whether the pool loses them: the joiner's words were not readable.
        pub lost_undecided: Known<Vec<FeatureFact>>,
        /// Whether no guest of the pool loses anything: what PV guests alone lose counts where the pool has some. Not known
        /// while a feature is undecided and none is known to be lost.
        pub level_kept: Known<bool>,
        /// Features that the joiner has and guests on it will not see.
        pub hidden_on_joiner: Known<Vec<FeatureFact>>,
        /// The same by group.
        pub hidden_groups: Known<Vec<String>>,
        /// VMs of the pool that run, are paused or suspended, and could not move to the joiner.
        pub stranded_vms: Known<Vec<VmFact>>,
        /// VMs of which it is not known whether they could.
        pub undecided_vms: Known<Vec<VmFact>>,
        /// Whether the joiner can run HVM guests.
        pub joiner_hvm: Known<bool>,
        /// Whether at least one host of the pool can.
        pub pool_hvm: Known<bool>,
        /// Whether the joiner has no-execute switched on.
        pub joiner_nx: Known<bool>,
        /// Whether the joiner's logical CPUs differ from each other.
        pub cores_differ: Known<bool>,
        /// Which of them are alike, and what they are: one text a group.
        pub core_groups: Known<Vec<String>>,
        /// Whether the joiner is the same vendor, family, model and stepping as the coordinator.
        pub same_model: Known<bool>,
        /// Whether it is, and still has other features: a sign of other firmware settings or other microcode.
        pub same_model_differs: Known<bool>,
        /// Masking on 5.6–6.5.
        pub masking: MaskingFacts,
    }

    /// What ejecting a host would do to the pool's level (7.0 and newer).
    pub struct EjectCpuFacts as "eject_cpu_facts" {
        /// What HVM guests of the pool are started with.
        pub level_before_hvm: Known<Featureset>,
        /// What PV guests of the pool are started with.
        pub level_before_pv: Known<Featureset>,
        /// What HVM guests would be started with once the host is gone.
        pub level_after_hvm: Known<Featureset>,
        /// What PV guests would be started with once the host is gone.
        pub level_after_pv: Known<Featureset>,
        /// Features that guests could then be started with again.
        pub regained: Known<Vec<FeatureFact>>,
        /// The same by group, for a sentence.
        pub regained_groups: Known<Vec<String>>,
    }

    /// A feature that one side has and the other will not see.
    pub struct FeatureFact as "feature" {
        /// Its name, or `<word>:<bit>`.
        pub name: FeatureName,
        /// What operators call its kind.
        pub group: Cow<'static, str>,
        /// The kinds of guests concerned: `hvm`, `pv`.
        pub sets: &'static [&'static str],
        /// Whether other microcode or firmware settings may change this: a speculation control of a predicted set.
        pub provisional: bool,
    }

    /// A VM and why it could not move to the joiner.
    pub struct VmFact as "vm_mobility" {
        /// Its name.
        pub name_label: String,
        /// Its uuid.
        pub uuid: String,
        /// `Running`, `Paused` or `Suspended`.
        pub power_state: String,
        /// The server's reference.
        pub reference: String,
        /// The features that it was started with and the joiner cannot give, by name.
        pub missing: Vec<FeatureName>,
        /// Why, in the server's words; or which fact is missing.
        pub reason: Cow<'static, str>,
        /// Whether it could; for those that are listed, no or not known.
        pub can_move: Known<bool>,
        /// Whether the verdict rests on predicted speculation controls alone, which microcode may change.
        pub provisional: bool,
    }
}
