//! The grammar of the commands that show what poolgate knows and writes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::words::rule_ids;
use super::{Output, OwnRules, PageFormat};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Rules {
    /// All rules, one a line
    List {
        #[command(flatten)]
        rules: OwnRules,
        #[command(flatten)]
        output: Output<PageFormat>,
    },
    /// All there is to know about one rule
    Explain {
        /// The rule's id, or the code with which the server refused
        #[arg(value_parser = rule_ids(), hide_possible_values = true)]
        id: String,
        #[command(flatten)]
        rules: OwnRules,
        #[command(flatten)]
        output: Output<PageFormat>,
    },
    /// Check rules and run their examples; status 1 when an example shows something else
    Test {
        /// A folder of rules of your own; the built-in ones when left out
        #[arg(value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// The facts and functions that rules may use, and the shape of rule files
    Schema {
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Schema {
    /// Of what
    #[arg(value_enum)]
    pub(in crate::cli) of: SchemaOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    /// Of snapshots
    Snapshot,
    /// Of JSON reports
    Report,
    /// Of each line of NDJSON reports
    ReportLine,
    /// Of JSON reports on fleets
    Fleet,
    /// Of each line of NDJSON reports on fleets
    FleetLine,
    /// Of plans of joins and ejects
    JoinPlan,
    /// Of how a join or an eject ended
    Run,
    /// Of plans of pools
    Plan,
    /// Of what `diff` finds
    Diff,
}
