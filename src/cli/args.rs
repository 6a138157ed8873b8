//! The command line's grammar, a file for commands of a kind.

mod check;
mod fleet;
mod format;
mod gate;
mod lab;
mod live;
mod plan;
mod read;
mod rules;
mod shell;
mod words;

use clap::{Parser, Subcommand};

pub(super) use check::{Check, CheckPhase, FailOn, OwnRules, WaiverFile};
pub(super) use fleet::{CpuLevel, FleetArgs, Merge};
pub(super) use format::{Dress, FileFormat, Format, Output, PageFormat, PlanFormat, ReportFormat};
pub(super) use gate::{Eject, GateArgs, Join, Journal};
pub(super) use lab::Lab;
pub(super) use live::LiveArgs;
pub(super) use plan::Plan;
pub(super) use read::{Collect, Cpu, CpuSearch, CpuTargets, Diff, Quote, QuoteInit};
pub(super) use rules::{Rules, Schema, SchemaOf};
pub(super) use shell::{Completions, Man};

/// What to type first.
const FIRST_STEPS: &str = "\
First steps:
  poolgate lab --demo
      A join, played on simulated servers
  poolgate check --pool https://10.0.0.1 --host https://10.0.0.9
      May that host join that pool?";

/// Pre-flight checker and gate for adding servers to XenServer / XCP-ng resource pools.
///
/// Exit status: 0 GO or done, 1 NO-GO or differences, 2 bad usage or input, 3 UNDECIDED, 4 target not
/// reached, 5 started and not confirmed.
#[derive(Debug, Parser)]
#[command(name = "poolgate", version, long_version = super::version::long(), disable_help_subcommand = true, after_help = FIRST_STEPS)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// May these hosts join that pool, in this order? What would a member's leaving destroy?
    Check(Check),
    /// Let hosts join a pool: check, plan, confirm, check again, pool.join, verify
    Join(Box<Join>),
    /// Let a member leave its pool, in the same steps. What is on its local disks is lost
    Eject(Box<Eject>),
    /// The journal of what was done
    #[command(subcommand)]
    Journal(Journal),
    /// Take a snapshot of one host or pool, to keep, compare or send
    Collect(Collect),
    /// CPU features by name: what is there, what differs, what levelling leaves
    #[command(subcommand)]
    Cpu(Cpu),
    /// Servers that are not bought yet
    #[command(subcommand)]
    Quote(Quote),
    /// What changed between two snapshots or two JSON reports; status 1 when anything did
    Diff(Diff),
    /// Group servers into the fewest pools whose hosts lose the fewest CPU features
    Plan(Plan),
    /// The reports on the parts of a fleet into the report on all of it
    Merge(Merge),
    /// The knowledge, readable; a user's own rules checked
    #[command(subcommand)]
    Rules(Rules),
    /// A simulated pool on loopback, to rehearse on
    Lab(Lab),
    /// Print the JSON Schema of snapshots, reports, plans or differences
    Schema(Schema),
    /// Print what completes commands, options and values in a shell
    Completions(Completions),
    /// Print a manual page, or write all of them
    Man(Man),
}
