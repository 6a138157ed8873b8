//! The rule engine: loads rules as data, checks their expressions against the model, judges a case with them.
//! Pure. Knows `facts`, `snapshot`, `cpu`, `network` and `eject`.

pub mod expr;

pub mod assume;

mod case;
mod checks;
mod derived;
mod eject;
mod evidence;
mod examples;
mod explain;
mod file;
#[cfg(test)]
mod forgetting;
mod judge;
mod load;
mod outcome;
mod page;
mod reading;
mod recall;
mod registry;
mod release;
mod rule;
mod says;
mod sequence;
mod server;
mod severity;
mod waivers;
mod written;

pub use case::{Case, Policy, Seen, Side};
pub use checks::{CHECKS, EJECT_CHECKS, LICENCE_CHECK, ServerCheck};
pub use derived::{
    AddressClash, CaConflict, CertificateFact, ClusterFacts, DriverFact, EditionFacts, JoinFacts, MachineFacts,
    OddMember, SecretUse, SeedClash, Setting, SharedSr, SilentFacts, StuckVm, TrustedConflict, UpdateGap, VdiClash,
    VlanFact, VmClash,
};
pub use eject::{EjectCase, EjectJudgement, judge_eject, read_eject};
pub use examples::{ExampleError, example_eject, example_sides, run_examples, show_example};
pub use explain::{explain, missing_examples, rule_schema, vocabulary};
pub use file::Example;
pub use judge::Decided;
pub use outcome::{
    Evidence, Finding, FixStep, Outcome, Refusal, ServerAnswer, Severity, Verdict, Waived, weightiest_first,
};
pub use page::{explain_markdown, list_markdown};
pub use reading::FactRead;
pub use registry::{BUILT_IN_DIGEST, BUILT_IN_RULES, Registry, RuleSource, built_in_ids};
pub use release::{RELEASES, Release, ReleaseLine, at_least, compare_versions, release_of};
pub use rule::{Phase, Rule, RuleError};
pub use says::Refusal as RuleRefusal;
pub use sequence::{
    Asked, Joined, Judgement, judge_sequence, judge_sequence_with, read_sequence, read_sequence_with, release_name,
};
pub use server::{FailingCheck, Prediction};
pub use severity::SeveritySource;
pub use waivers::{Date, DateError, Ledger, Mistake, Subject, Waiver, WaiverError, Waivers};

/// A check's place in the server's order, by the name in the server's source.
pub fn check_place(name: &str) -> Option<usize> {
    checks::find(Phase::Join, name).or_else(|| checks::find(Phase::Eject, name)).map(|(place, _)| place)
}
