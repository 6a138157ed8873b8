//! The grammar of `plan`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::words::releases;
use super::{LiveArgs, Output, PlanFormat};

#[derive(Debug, Args)]
pub(in crate::cli) struct Plan {
    /// Hosts: `local`, snapshots, dumps of XenAPI records, fleets with one of these or a host's record a line, or -
    #[arg(required_unless_present = "keep", value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) targets: Vec<String>,
    /// How many hosts a pool may have
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(in crate::cli) max_hosts: u32,
    /// A pool that exists and may only grow; repeatable
    #[arg(long, value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) keep: Vec<String>,
    /// How many pools more than the fewest are allowed
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=64))]
    pub(in crate::cli) spare: u32,
    /// Hosts, by name or uuid, that go into one pool; repeatable
    #[arg(long, value_name = "A,B,…")]
    pub(in crate::cli) together: Vec<String>,
    /// Hosts, by name or uuid, of which no two go into one pool; repeatable
    #[arg(long, value_name = "A,B,…")]
    pub(in crate::cli) apart: Vec<String>,
    /// What the loss of a feature counts, by group: a TOML file over the built-in numbers
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) weights: Option<PathBuf>,
    /// Predict what Xen would offer on hosts without it, for example xcp-ng-8.3
    #[arg(long, value_name = "NAME", value_parser = releases(), hide_possible_values = true)]
    pub(in crate::cli) as_release: Option<String>,
    /// Search so many times longer before leaving the least loss unproved; the same on any machine
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(in crate::cli) effort: u64,
    /// Stop searching by the clock, for example 3s; then another run may end elsewhere
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) time: Option<humantime::Duration>,
    /// Print what the plan comes to, without its pools
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
    #[command(flatten)]
    pub(in crate::cli) output: Output<PlanFormat>,
    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
}
