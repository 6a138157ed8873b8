//! The grammar of the commands that read and compare.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::format::new_file;
use super::words::releases;
use super::{CpuLevel, LiveArgs, Output};

#[derive(Debug, Args)]
pub(in crate::cli) struct Collect {
    /// https://[USER@]ADDRESS, xapi-local, `local`, a dump of XenAPI records (file or folder) or of a CPU, a server's database
    /// or status report, cpu:NAME, a snapshot, or -
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) target: String,
    /// Write to this file instead of standard output
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = new_file())]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Only JSON: a snapshot has no other form
    #[arg(long, value_parser = ["json"], default_value = "json", hide_default_value = true)]
    pub(in crate::cli) format: String,
    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Cpu {
    /// What a CPU has: identity, words, features by name
    Decode(CpuTargets),
    /// Which features differ between hosts; status 1 when any does
    Diff(CpuTargets),
    /// What levelling leaves of these hosts, or of fleets with a host or pool a line
    Level(CpuLevel),
    /// Server CPUs of the catalogue by name; status 2 when none has these words
    Search(CpuSearch),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CpuSearch {
    /// Words of the name, or how they begin: "gold 63"
    #[arg(required = true, value_name = "WORDS")]
    pub(in crate::cli) words: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) output: Output,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CpuTargets {
    /// Hosts or pools: https://[USER@]ADDRESS, xapi-local, `local`, snapshots, dumps of XenAPI records or of CPUs, cpu:NAME, or -
    #[arg(required = true, value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) targets: Vec<String>,
    /// Predict what Xen would offer on hosts without it, for example xcp-ng-8.3
    #[arg(long, value_name = "NAME", value_parser = releases(), hide_possible_values = true)]
    pub(in crate::cli) as_release: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Quote {
    /// Write a template of a quote, with comments
    Init(QuoteInit),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct QuoteInit {
    /// The file to write, or - for standard output
    #[arg(default_value = "quote.toml")]
    pub(in crate::cli) file: PathBuf,
    /// Replace a file that exists
    #[arg(long)]
    pub(in crate::cli) overwrite: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Diff {
    /// The older: a JSON report, or any target that gives a snapshot
    #[arg(value_name = "OLD", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) old: String,
    /// The newer, of the same kind
    #[arg(value_name = "NEW", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) new: String,
    /// Show also what changes by its nature: clocks, counters, links, what is in progress, who is live
    #[arg(long)]
    pub(in crate::cli) volatile: bool,
    #[command(flatten)]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
}
