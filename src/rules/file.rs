//! A rule file as it is written, before anything in it is checked. `rules schema` prints the same shape.

use std::collections::BTreeMap;

use super::written::Written;
use serde::Deserialize;

/// One rule file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    /// The file's stem.
    pub(crate) id: Written,
    /// What holds when the rule passes, in one line.
    pub(crate) title: String,
    /// Why it matters, for `rules explain`.
    #[serde(default)]
    pub(crate) why: String,
    /// `blocker`, `warning`, `note`.
    pub(crate) severity: Written,
    /// Further phases than the folder's: `join`, `eject`, `procurement`.
    #[serde(default)]
    pub(crate) phases: Vec<Written>,
    /// When the rule has a say at all (bool); always, when left out.
    pub(crate) applies: Option<Written>,
    /// Judge each element of a list.
    pub(crate) each: Option<Each>,
    /// What must hold (bool).
    pub(crate) require: Written,
    /// What to say when it does not hold. `{expression}` is filled in.
    pub(crate) message: Written,
    /// A line for each failing element, after the message.
    pub(crate) item: Option<Written>,
    /// Facts to show as evidence instead of those that the condition read: for conditions over derived facts.
    #[serde(default)]
    pub(crate) evidence: Vec<Written>,
    /// What mends it, in the order in which to do it.
    #[serde(default)]
    pub(crate) fix: Vec<Fix>,
    /// Whether its failure leaves nothing else to mend: what other rules find is then not told how to mend.
    #[serde(default)]
    pub(crate) sole_fix: bool,
    /// Whether somebody may answer for its failure: not where a server fails later than in its checks, which nothing skips.
    #[serde(default = "yes")]
    pub(crate) waivable: bool,
    /// What the server itself does about it.
    pub(crate) server: Option<Server>,
    /// Where it is written.
    #[serde(default)]
    pub(crate) references: Vec<String>,
    /// Cases that show it.
    #[serde(default)]
    pub(crate) example: Vec<Example>,
}

const fn yes() -> bool {
    true
}

/// What a rule says when it has something to say: the part of a built-in rule's file that is embedded apart, and read only then.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SaysFile {
    pub(crate) message: Written,
    pub(crate) item: Option<Written>,
    #[serde(default)]
    pub(crate) evidence: Vec<Written>,
    #[serde(default)]
    pub(crate) fix: Vec<Fix>,
    /// What the server answers: `[[server.refusal]]`.
    #[serde(default)]
    pub(crate) refusal: Vec<Refusal>,
}

/// `[each]`: the list and the name of its element.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Each {
    pub(crate) name: Written,
    #[serde(rename = "in")]
    pub(crate) list: Written,
}

/// `[[fix]]`: a step that mends it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fix {
    /// On which side: `joiner`, `coordinator`, `pool`, `member`, `firmware`, `cabling`, `anywhere`.
    #[serde(rename = "where")]
    pub(crate) place: Written,
    /// The command, ready to run.
    pub(crate) run: Option<Written>,
    /// What to know or to do where no command does it.
    pub(crate) note: Option<Written>,
    /// What the step loses.
    pub(crate) loses: Option<String>,
    /// Once for each failing element.
    #[serde(default)]
    pub(crate) each: bool,
    /// Only when this holds (bool): other commands on other releases. Where it is unknown, the step is shown and says so.
    pub(crate) when: Option<Written>,
}

/// `[server]`: the server's own check.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    /// The check's name in `rules/data/join-checks.toml`.
    pub(crate) check: Written,
    /// The place among several rules of one check; 1 when there is only one.
    #[serde(default = "first")]
    pub(crate) part: u32,
    /// Keeps the rule in force on releases whose server has no such check.
    #[serde(default)]
    pub(crate) beyond: bool,
    /// What it answers; the first whose `when` holds.
    pub(crate) refusal: Vec<Refusal>,
}

const fn first() -> u32 {
    1
}

/// `[[server.refusal]]`: an error code with parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refusal {
    /// When it is given (bool); when the rule fails, if left out.
    pub(crate) when: Option<Written>,
    /// The code.
    pub(crate) code: String,
    /// The parameters: each an expression of type text.
    #[serde(default)]
    pub(crate) params: Vec<Written>,
    /// All parameters at once: an expression of type list of text.
    pub(crate) param_list: Option<Written>,
}

/// `[[example]]`: the baseline case with changes, and what the rule says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// `pass`, `fail`, `unknown`, `not-applicable`.
    pub expect: String,
    /// Facts that differ from the baseline, by path: `joiner.vms[0].power_state`; `[+]` adds to a list.
    #[serde(default)]
    pub set: BTreeMap<String, toml::Value>,
    /// Facts that are missing, by path.
    #[serde(default)]
    pub forget: Vec<String>,
    /// The message, where it is worth fixing.
    pub message: Option<String>,
    /// The server's code and parameters, where it refuses.
    pub refusal: Option<Vec<String>>,
}
