//! A rule whose every expression was checked against the model. Evaluation accepts nothing else.

use super::checks;
use super::expr::Expr;
use super::file::Example;
use super::outcome::Severity;
use super::says::{Refusal, Says};

/// What is being asked of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// May these hosts join?
    Join,
    /// What would leaving destroy?
    Eject,
    /// May these be bought?
    Procurement,
}

impl Phase {
    /// The folder of `rules/` and the word of `phases`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Eject => "eject",
            Self::Procurement => "procurement",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Join, Self::Eject, Self::Procurement].into_iter().find(|phase| phase.word() == word)
    }
}

/// The sides on which a fix may be done.
pub(super) const PLACES: [&str; 7] = ["joiner", "coordinator", "pool", "member", "firmware", "cabling", "anywhere"];

/// A checked rule.
#[derive(Debug)]
pub struct Rule {
    /// Its id: the file's stem.
    pub id: String,
    /// What holds when it passes.
    pub title: String,
    /// Why it matters.
    pub why: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What it weighs by itself, where a user's rules set another severity.
    pub severity_was: Option<Severity>,
    /// Whether its failure leaves nothing else to mend.
    pub sole_fix: bool,
    /// Whether somebody may answer for its failure.
    pub waivable: bool,
    /// When it is asked.
    pub phases: Vec<Phase>,
    /// Where it is written.
    pub references: Vec<String>,
    /// Cases that show it.
    pub examples: Vec<Example>,
    /// The file that it came from.
    pub origin: String,
    pub(super) applies: Option<Expr>,
    pub(super) each: Option<Each>,
    pub(super) require: Expr,
    pub(super) says: Says,
    /// The server's own check behind it.
    pub server: Option<Server>,
    /// The condition as written, for `rules explain`.
    pub condition: String,
    /// When the rule has a say, as written; always, where there is none.
    pub applicability: Option<String>,
}

#[derive(Debug)]
pub(super) struct Each {
    pub(super) name: String,
    pub(super) list: Expr,
    /// The list's path, where it is one: evidence then names `joiner.vms[3]` and not only `vm`.
    pub(super) path: Option<String>,
}

/// The server's own check behind a rule.
#[derive(Debug)]
pub struct Server {
    /// The check in the server's source.
    pub check: &'static checks::ServerCheck,
    /// Its place in the server's order.
    pub place: usize,
    /// The place among several rules of one check.
    pub part: u32,
    pub(super) beyond: bool,
}

impl Rule {
    /// What the server answers where the rule fails: the first whose condition holds.
    pub fn refusals(&self) -> &[Refusal] {
        &self.says.get().refusals
    }

    /// The facts that the rule's condition reads, sorted: `joiner.vms[].power_state`.
    pub fn facts(&self) -> Vec<String> {
        let lists = self.each.iter().flat_map(|each| each.list.facts());
        let applies = self.applies.iter().flat_map(Expr::facts);
        let mut facts: Vec<_> = self.require.facts().into_iter().chain(lists).chain(applies).collect();
        facts.sort();
        facts.dedup();
        facts
    }

    /// The facts that its outcome and the server's answer behind it may depend on.
    pub(super) fn deciding_facts(&self) -> Vec<String> {
        let answers = self.refusals().iter().flat_map(|refusal| {
            let exprs = refusal.when.iter().chain(&refusal.params).chain(&refusal.param_list);
            exprs.flat_map(Expr::facts)
        });
        self.facts().into_iter().chain(answers).collect()
    }
}

/// What is wrong with a rule file: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rendered}")]
pub struct RuleError {
    /// The file.
    pub file: String,
    /// Place, message and remedy, ready to print.
    pub rendered: String,
}
