//! The grammar of the commands that act.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::live::duration;
use super::{FailOn, LiveArgs, Output, OwnRules};

/// What joining and ejecting have in common.
#[derive(Debug, Args)]
pub(in crate::cli) struct GateArgs {
    /// Write the plan and do nothing; format by extension (.json for --plan, .md, .txt); repeatable
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["plan", "yes", "resume"])]
    pub(in crate::cli) plan_out: Vec<PathBuf>,
    /// Carry out this plan, which --plan-out wrote; what has changed since stops it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "resume")]
    pub(in crate::cli) plan: Option<PathBuf>,
    /// Do not ask; only with --plan, which somebody has reviewed
    #[arg(long, requires = "plan")]
    pub(in crate::cli) yes: bool,
    /// Tell what became of a run that broke off. Sends nothing
    #[arg(long, conflicts_with_all = ["yes", "fail_on", "waivers", "folders"])]
    pub(in crate::cli) resume: bool,
    /// How long to wait for the host to come up
    #[arg(long, value_name = "DURATION", default_value = "15min", value_parser = duration)]
    pub(in crate::cli) wait: Duration,
    /// The journal [default: ~/.local/state/poolgate/journal-POOL.jsonl]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) journal: Option<PathBuf>,
    /// How many hosts a pool may have
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(i64).range(1..))]
    pub(in crate::cli) max_hosts: i64,
    /// End with status 1, and do nothing, also for GO WITH WARNINGS
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(in crate::cli) fail_on: Option<FailOn>,
    #[command(flatten)]
    pub(in crate::cli) rules: OwnRules,
    /// Waive what this TOML file says, as of today; no refusal of the server, which nothing forces here
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) waivers: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) output: Output,
    #[command(flatten)]
    pub(in crate::cli) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Join {
    /// The pool: https://[USER@]ADDRESS of any member
    #[arg(long, value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) pool: String,
    /// A host that joins: https://[USER@]ADDRESS, or xapi-local; repeat for several, which join in this order
    #[arg(long, value_name = "TARGET", value_hint = ValueHint::AnyPath, required = true)]
    pub(in crate::cli) host: Vec<String>,
    /// The address that the hosts use for the coordinator, where it is not the coordinator's own
    #[arg(long, value_name = "ADDRESS", value_parser = server_address, conflicts_with = "resume")]
    pub(in crate::cli) coordinator_address: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) gate: GateArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Eject {
    /// The pool: https://[USER@]ADDRESS of any member, or xapi-local on the coordinator
    #[arg(long, value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(in crate::cli) pool: String,
    /// The host that leaves
    #[arg(long, value_name = "NAME|UUID")]
    pub(in crate::cli) member: String,
    /// The script that gives the host its network back [default: beside the journal]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "resume")]
    pub(in crate::cli) restore_out: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) gate: GateArgs,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum Journal {
    /// Check that no line was changed, taken out or added; status 1 when one was
    Verify {
        /// The journal
        file: PathBuf,
        /// The hash of its last line as a run printed it: tells whether lines were taken off the end
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
        #[command(flatten)]
        output: Output,
    },
}

/// An address or a name of a server: root's password goes there.
fn server_address(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let name = text.len() <= 253 && text.split('.').all(label) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    if text.parse::<IpAddr>().is_ok() || name {
        return Ok(text.to_owned());
    }
    Err("no address and no name of a server; write for example 192.0.2.10, 2001:db8::10 or pool.example.com"
        .to_owned())
}
