//! The grammar of fleets: `check --fleet`, `merge` and `cpu level`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{CpuTargets, FailOn, Output, ReportFormat};
use crate::fleet::ShardOf;

/// A fleet instead of one pool.
#[derive(Debug, Args)]
pub(in crate::cli) struct FleetArgs {
    /// Many pools, a host or pool a line (NDJSON), or -: each pool's further lines are joiners to its first
    #[arg(long = "fleet", id = "fleet", value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["pool", "host", "quote", "phase", "member", "all", "file", "today", "tls_fingerprint", "ca_file", "known_hosts", "password_file", "password_env", "password_stdin", "timeout", "total_timeout", "jobs"])]
    pub(in crate::cli) file: Option<String>,
    /// Judge only the I-th of N parts of the fleet; `merge` puts the JSON or NDJSON reports together
    #[arg(long, value_name = "I/N", requires = "fleet", conflicts_with = "pool")]
    pub(in crate::cli) shard: Option<ShardOf>,
    /// How many threads judge a fleet [default: one a core]
    #[arg(long, value_name = "N", requires = "fleet", conflicts_with = "pool", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(in crate::cli) threads: Option<u16>,
    /// How many of a fleet's worst pools and joiners are shown
    #[arg(long, value_name = "N", default_value = "20", conflicts_with = "pool", value_parser = worst)]
    pub(in crate::cli) worst: usize,
}

fn worst(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count <= 1_000 => Ok(count),
        _ => Err("expected a number up to 1000".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Merge {
    /// The JSON or NDJSON report of each part, in any order
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) parts: Vec<PathBuf>,
    /// End with status 1 also for GO WITH WARNINGS, in JUnit too; whether the parts were judged so does not count
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(in crate::cli) fail_on: Option<FailOn>,
    /// Print the verdict only; other formats than table stay whole
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) output: Output<ReportFormat>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CpuLevel {
    #[command(flatten)]
    pub(in crate::cli) targets: CpuTargets,
    /// How many threads read a fleet [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(in crate::cli) threads: Option<u16>,
}
