//! The rule engine: loads rules as data, checks their expressions against the model, judges a case with them.
//! Pure; called by `cli`. Knows `facts`, `snapshot` and `cpu`.

pub mod expr;

pub mod assume;

mod case;
mod checks;
mod derived;
mod evidence;
mod examples;
mod explain;
mod file;
#[cfg(test)]
mod forgetting;
mod judge;
mod load;
mod outcome;
mod registry;
mod release;
mod rule;
mod sequence;
mod server;
mod written;

pub use case::{Case, Policy, Seen, Side};
pub use checks::{CHECKS, LICENCE_CHECK, ServerCheck};
pub use derived::{
    CaConflict, CertificateFact, ClusterFacts, DriverFact, EditionFacts, JoinFacts, SecretUse, SeedClash, Setting,
    SharedSr, SilentFacts, StuckVm, TrustedConflict, UpdateGap, VlanFact, VmClash,
};
pub use examples::{ExampleError, example_sides, run_examples};
pub use explain::{explain, missing_examples, rule_schema, vocabulary};
pub use file::Example;
pub use outcome::{Evidence, Finding, FixStep, Outcome, Refusal, ServerAnswer, Severity, Verdict};
pub use registry::{Registry, RuleSource};
pub use release::{RELEASES, Release, ReleaseLine, at_least, compare_versions, release_of};
pub use rule::{Phase, Rule, RuleError};
pub use sequence::{Judgement, judge_sequence, release_name};
pub use server::{FailingCheck, Prediction};

/// A check's place in the server's order, by the name in the server's source.
pub fn check_place(name: &str) -> Option<usize> {
    checks::find(name).map(|(place, _)| place)
}
