//! Many pools at once: what the rules say of every joiner of a fleet, counted; the worst by name; parts of a fleet put
//! together again. Pure; called by `cli`. Knows `collect`'s pools and `rules`; `report` writes it down.

mod judge;
mod lines;
mod merge;
mod reasons;
mod returns;
mod row;
mod shard;
mod tally;
mod top;

use serde::{Deserialize, Serialize};

use crate::rules::{Severity, Verdict};

pub use judge::{FleetJudge, Wanted, Worker};
pub use lines::LineCounts;
pub use merge::{MergeError, Part, merge};
pub use returns::{Heard, Returned};
pub use row::{BadLine, FailedRule, FleetLine, JoinerRow, PoolRow, ServerRow, UndecidedRule, Unjudged};
pub use shard::{Shard, ShardError, ShardOf};
pub use tally::Tally;

/// The value of `format`.
pub const FORMAT: &str = "poolgate-fleet";
/// The value of `version`.
pub const VERSION: &str = "1.0";

/// A judged fleet, or a part of one. Holds as much for a million hosts as for a hundred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetReport {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: String,
    /// Who judged: program and version.
    pub tool: String,
    /// The verdict over all joiners; none where none was judged.
    pub verdict: Option<Verdict>,
    /// The fleet as the operator named it.
    pub fleet: String,
    /// What the operator asked for.
    pub policy: FleetPolicy,
    /// What was read.
    pub read: ReadCounts,
    /// The joiners by verdict.
    pub joiners: VerdictCounts,
    /// The pools by the worst verdict among their joiners; those without joiners are not among them.
    pub pools: VerdictCounts,
    /// What each rule said, where it failed or could not be decided; the weightiest first.
    pub rules: Vec<RuleCount>,
    /// What the servers would answer first, the most frequent first.
    pub refusals: Vec<RefusalCount>,
    /// Why facts are missing that blockers need, the most frequent reason first.
    #[serde(default)]
    pub missing: Vec<MissingCount>,
    /// The worst pools, the worst first.
    pub worst_pools: Vec<PoolRow>,
    /// The worst joiners, the worst first.
    pub worst_joiners: Vec<JoinerRow>,
    /// The first lines that cannot be read.
    pub unreadable: Vec<BadLine>,
    /// The first pools that come again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<Returned>,
    /// Keys of the input that this version does not know.
    pub unknown_keys: UnknownKeys,
    /// Which part of the fleet this is; none for a whole one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// What the operator asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetPolicy {
    /// How many hosts a pool may have.
    pub max_hosts: i64,
    /// The release that candidates without the product are judged as.
    pub as_release: Option<String>,
    /// How many of the worst are kept.
    pub worst: usize,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadCounts {
    /// Lines that hold a host or a pool.
    pub lines: u64,
    /// Lines that cannot be read.
    pub unreadable: u64,
    /// Pools.
    pub pools: u64,
    /// Pools of one line, which has nothing to join.
    pub alone: u64,
    /// Pools right after a line that cannot be read and may have been their first: no GO is said in them.
    pub doubtful: u64,
    /// Joiners that were not judged, because the first line of their pool cannot be read.
    pub not_judged: u64,
    /// Pools that were there before: their lines do not stand together, and no GO is said of the fleet.
    #[serde(default)]
    pub returned: u64,
}

/// How many have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictCounts {
    /// GO.
    pub go: u64,
    /// GO WITH WARNINGS.
    pub go_with_warnings: u64,
    /// NO-GO.
    pub no_go: u64,
    /// UNDECIDED.
    pub undecided: u64,
}

impl VerdictCounts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.go + self.go_with_warnings + self.no_go + self.undecided
    }

    /// The same where it may be more than there is room for.
    pub(super) fn checked_total(&self) -> Option<u64> {
        let Self { go, go_with_warnings, no_go, undecided } = *self;
        [go, go_with_warnings, no_go, undecided].into_iter().try_fold(0, u64::checked_add)
    }

    /// One more.
    pub const fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Go => self.go += 1,
            Verdict::GoWithWarnings => self.go_with_warnings += 1,
            Verdict::NoGo => self.no_go += 1,
            Verdict::Undecided => self.undecided += 1,
        }
    }

    /// The worst of them; none where there are none.
    pub const fn worst(&self) -> Option<Verdict> {
        match self {
            Self { no_go: 1.., .. } => Some(Verdict::NoGo),
            Self { undecided: 1.., .. } => Some(Verdict::Undecided),
            Self { go_with_warnings: 1.., .. } => Some(Verdict::GoWithWarnings),
            Self { go: 1.., .. } => Some(Verdict::Go),
            _ => None,
        }
    }

    /// Those of another part too.
    pub const fn join(&mut self, other: Self) {
        self.go += other.go;
        self.go_with_warnings += other.go_with_warnings;
        self.no_go += other.no_go;
        self.undecided += other.undecided;
    }
}

/// How often a rule failed or could not be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleCount {
    /// The rule's id.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
    /// Joiners on which it failed.
    pub failed: u64,
    /// Joiners on which a fact that it needs is missing.
    pub undecided: u64,
    /// Pools with such joiners.
    pub pools: u64,
}

/// How often servers would answer with an error first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalCount {
    /// The error's code.
    pub code: String,
    /// Joiners that would be refused with it.
    pub joiners: u64,
}

/// Why a fact is missing that a blocker needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingCount {
    /// Why, in words.
    pub reason: String,
    /// How many joiners it keeps from a verdict.
    pub joiners: u64,
}

/// Keys of the input that this version does not know: the first of them in the order of the alphabet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnknownKeys {
    /// The keys.
    pub keys: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}
