//! The grammar of `check`, and what other judging commands share with it.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::words::releases;
use super::{FleetArgs, LiveArgs, Output, ReportFormat};
use crate::rules::Date;

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// The pool: https://[USER@]ADDRESS of any member, xapi-local, a snapshot, a dump of XenAPI records, or -
    #[arg(long, value_name = "TARGET", value_hint = ValueHint::AnyPath, required_unless_present = "fleet", default_value = "", hide_default_value = true)]
    pub(in crate::cli) pool: String,
    /// A joiner: https://[USER@]ADDRESS, `local`, a snapshot, a dump of XenAPI records or of a CPU, cpu:NAME, or -; repeat
    /// for several, judged in this order
    #[arg(long, value_name = "TARGET", value_hint = ValueHint::AnyPath, required_unless_present_any = ["phase", "member", "quote", "fleet"])]
    pub(in crate::cli) host: Vec<String>,
    /// Servers that are not bought yet, judged by what hardware alone decides; a file that `quote init` makes, repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["host", "phase", "member"])]
    pub(in crate::cli) quote: Vec<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) fleet: FleetArgs,
    /// What is asked: may hosts join, or what would a member's leaving refuse and destroy
    #[arg(long, value_enum, value_name = "PHASE", default_value_t)]
    pub(in crate::cli) phase: CheckPhase,
    /// The host of the pool that is to leave, with --phase eject
    #[arg(long, value_name = "NAME|UUID")]
    pub(in crate::cli) member: Option<String>,
    /// How many hosts a pool may have
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(i64).range(1..))]
    pub(in crate::cli) max_hosts: i64,
    /// Judge a candidate without the product as if this release were installed, for example xcp-ng-8.3
    #[arg(long, value_name = "NAME", value_parser = releases(), hide_possible_values = true)]
    pub(in crate::cli) as_release: Option<String>,
    /// End with status 1 also for GO WITH WARNINGS; in JUnit warnings fail too
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(in crate::cli) fail_on: Option<FailOn>,
    #[command(flatten)]
    pub(in crate::cli) rules: OwnRules,
    #[command(flatten)]
    pub(in crate::cli) waivers: WaiverFile,
    /// Show also the rules that passed or had no say; junit always has them, github and gitlab never
    #[arg(long)]
    pub(in crate::cli) all: bool,
    /// Print the verdicts only; other formats than table stay whole
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) output: Output<ReportFormat>,
    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CheckPhase {
    /// Before hosts join
    #[default]
    Join,
    /// Before a member leaves
    Eject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum FailOn {
    /// Warnings fail the check
    Warning,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct OwnRules {
    /// Add the rules of this folder to the built-in ones; repeatable
    #[arg(long = "rules", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) folders: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WaiverFile {
    /// Waive what this TOML file says: rule, scope, reason, owner and last day of each waiver
    #[arg(long = "waivers", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Judge waivers as of this day instead of the system's, for runs that can be repeated
    #[arg(long, value_name = "YYYY-MM-DD", requires = "file")]
    pub(in crate::cli) today: Option<Date>,
}
