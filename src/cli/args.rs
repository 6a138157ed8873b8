//! The command line's grammar.

mod fleet;
mod gate;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::rules::Date;
pub(super) use fleet::{CpuLevel, FleetArgs, Merge};
pub(super) use gate::{Eject, GateArgs, Join, Journal};

/// Pre-flight checker and gate for adding servers to XenServer / XCP-ng resource pools.
///
/// Exit status: 0 GO or done, 1 NO-GO or differences, 2 bad usage or input, 3 UNDECIDED, 4 target not
/// reached, 5 started and not confirmed.
#[derive(Debug, Parser)]
#[command(name = "poolgate", version, disable_help_subcommand = true)]
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
    /// Print the JSON Schema of snapshots, reports or plans
    Schema(Schema),
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The pool: https://[USER@]ADDRESS of any member, xapi-local, a snapshot, a dump of XenAPI records, or -
    #[arg(
        long,
        value_name = "TARGET",
        required_unless_present = "fleet",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) pool: String,
    /// A joiner: https://[USER@]ADDRESS, `local`, a snapshot, a dump of XenAPI records or of a CPU, cpu:NAME, or -; repeat
    /// for several, judged in this order
    #[arg(long, value_name = "TARGET", required_unless_present_any = ["phase", "member", "quote", "fleet"])]
    pub(super) host: Vec<String>,
    /// Servers that are not bought yet, judged by what hardware alone decides; a file that `quote init` makes, repeatable
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "phase", "member"])]
    pub(super) quote: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) fleet: FleetArgs,
    /// What is asked: may hosts join, or what would a member's leaving refuse and destroy
    #[arg(long, value_enum, value_name = "PHASE", default_value_t)]
    pub(super) phase: CheckPhase,
    /// The host of the pool that is to leave, with --phase eject
    #[arg(long, value_name = "NAME|UUID")]
    pub(super) member: Option<String>,
    /// How many hosts a pool may have
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(i64).range(1..))]
    pub(super) max_hosts: i64,
    /// Judge a candidate without the product as if this release were installed, for example xcp-ng-8.3
    #[arg(long, value_name = "NAME")]
    pub(super) as_release: Option<String>,
    /// End with status 1 also for GO WITH WARNINGS
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(super) fail_on: Option<FailOn>,
    #[command(flatten)]
    pub(super) rules: OwnRules,
    #[command(flatten)]
    pub(super) waivers: WaiverFile,
    /// Show also the rules that passed or had no say
    #[arg(long)]
    pub(super) all: bool,
    /// Print the verdicts only
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) output: Output<ReportFormat>,
    #[command(flatten)]
    pub(super) live: LiveArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckPhase {
    /// Before hosts join
    #[default]
    Join,
    /// Before a member leaves
    Eject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Warnings fail the check
    Warning,
}

#[derive(Debug, Args)]
pub(super) struct OwnRules {
    /// Add the rules of this folder to the built-in ones; repeatable
    #[arg(long = "rules", value_name = "DIR")]
    pub(super) folders: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct WaiverFile {
    /// Waive what this TOML file says: rule, scope, reason, owner and last day of each waiver
    #[arg(long = "waivers", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Judge waivers as of this day instead of the system's, for runs that can be repeated
    #[arg(long, value_name = "YYYY-MM-DD", requires = "file")]
    pub(super) today: Option<Date>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people, 80 columns
    #[default]
    Table,
    /// For programs, versioned
    Json,
}

/// A set of formats of which a command offers one.
pub(super) trait FileFormat: ValueEnum + Default + Send + Sync + 'static {
    /// The extensions by which `-o` picks one.
    const EXTENSIONS: &'static [(&'static str, Self)];
}

impl FileFormat for Format {
    const EXTENSIONS: &'static [(&'static str, Self)] = &[("json", Self::Json), ("txt", Self::Table)];
}

/// The formats of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people, 80 columns
    #[default]
    Table,
    /// For programs, versioned
    Json,
    /// For programs, a line a host
    Ndjson,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, a case for each rule and host
    Junit,
    /// For a pull request
    Markdown,
    /// One page with pictures, to send and to print
    Html,
    /// Annotations in a GitHub Actions log
    Github,
    /// GitLab code quality
    Gitlab,
}

impl FileFormat for ReportFormat {
    const EXTENSIONS: &'static [(&'static str, Self)] = &[
        ("json", Self::Json),
        ("ndjson", Self::Ndjson),
        ("sarif", Self::Sarif),
        ("xml", Self::Junit),
        ("md", Self::Markdown),
        ("html", Self::Html),
        ("txt", Self::Table),
    ];
}

/// The formats of what is read and not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PageFormat {
    /// For people, 80 columns
    #[default]
    Table,
    /// For programs, versioned
    Json,
    /// For a documentation page
    Markdown,
}

impl FileFormat for PageFormat {
    const EXTENSIONS: &'static [(&'static str, Self)] =
        &[("json", Self::Json), ("md", Self::Markdown), ("txt", Self::Table)];
}

#[derive(Debug, Args)]
pub(super) struct Output<F: FileFormat = Format> {
    /// How to print
    #[arg(long, value_enum)]
    pub(super) format: Option<F>,
    /// Write to this file instead of standard output; repeatable, format by extension
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// No colour, also on a terminal
    #[arg(long)]
    pub(super) no_color: bool,
}

/// How live targets are trusted, logged in to and waited for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live targets")]
pub(super) struct LiveArgs {
    /// Trust this certificate, at ADDRESS or at all live targets; with or without colons; repeatable
    #[arg(long, value_name = "[ADDRESS=]SHA256")]
    pub(super) tls_fingerprint: Vec<String>,
    /// Trust certificates that these authorities vouch for (PEM)
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// Certificates that you have confirmed [default: ~/.config/poolgate/known_hosts]
    #[arg(long, value_name = "FILE")]
    pub(super) known_hosts: Option<PathBuf>,
    /// Read a target's password, or that of all, from a file that only you can read; repeatable
    #[arg(long, value_name = "[TARGET=]FILE")]
    pub(super) password_file: Vec<String>,
    /// Take a target's password, or that of all, from a variable of the environment; repeatable
    #[arg(long, value_name = "[TARGET=]VAR")]
    pub(super) password_env: Vec<String>,
    /// Read the passwords from standard input, a line a target in their order
    #[arg(long)]
    pub(super) password_stdin: bool,
    /// How long one target may take
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(super) timeout: Duration,
    /// How long all targets may take together
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) total_timeout: Option<Duration>,
    /// How many targets are read at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: u16,
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("nothing can be done in no time; write for example 90s or 2min".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; write for example 90s or 2min")),
    }
}

#[derive(Debug, Args)]
pub(super) struct Collect {
    /// https://[USER@]ADDRESS, xapi-local, `local`, a dump of XenAPI records (file or folder) or of a CPU, a server's database
    /// or status report, cpu:NAME, a snapshot, or -
    pub(super) target: String,
    /// Write to this file instead of standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Only JSON: a snapshot has no other form
    #[arg(long, value_parser = ["json"], default_value = "json", hide_default_value = true)]
    pub(super) format: String,
    #[command(flatten)]
    pub(super) live: LiveArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Cpu {
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
pub(super) struct CpuSearch {
    /// Words of the name, or how they begin: "gold 63"
    #[arg(required = true, value_name = "WORDS")]
    pub(super) words: Vec<String>,
    #[command(flatten)]
    pub(super) output: Output,
}

#[derive(Debug, Args)]
pub(super) struct CpuTargets {
    /// Hosts or pools: https://[USER@]ADDRESS, xapi-local, `local`, snapshots, dumps of XenAPI records or of CPUs, cpu:NAME, or -
    #[arg(required = true, value_name = "TARGET")]
    pub(super) targets: Vec<String>,
    /// Predict what Xen would offer on hosts without it, for example xcp-ng-8.3
    #[arg(long, value_name = "NAME")]
    pub(super) as_release: Option<String>,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) live: LiveArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Quote {
    /// Write a template of a quote, with comments
    Init(QuoteInit),
}

#[derive(Debug, Args)]
pub(super) struct QuoteInit {
    /// The file to write, or - for standard output
    #[arg(default_value = "quote.toml")]
    pub(super) file: PathBuf,
    /// Replace a file that exists
    #[arg(long)]
    pub(super) overwrite: bool,
}

#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The older: a JSON report, or any target that gives a snapshot
    #[arg(value_name = "OLD")]
    pub(super) old: String,
    /// The newer, of the same kind
    #[arg(value_name = "NEW")]
    pub(super) new: String,
    /// Show also what changes by its nature: clocks, counters, ages
    #[arg(long)]
    pub(super) volatile: bool,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) live: LiveArgs,
}

#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Hosts: `local`, snapshots, dumps of XenAPI records, fleets with one of these or a host's record a line, or -
    #[arg(required_unless_present = "keep", value_name = "TARGET")]
    pub(super) targets: Vec<String>,
    /// How many hosts a pool may have
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) max_hosts: u32,
    /// A pool that exists and may only grow; repeatable
    #[arg(long, value_name = "TARGET")]
    pub(super) keep: Vec<String>,
    /// How many pools more than the fewest are allowed
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=64))]
    pub(super) spare: u32,
    /// Hosts, by name or uuid, that go into one pool; repeatable
    #[arg(long, value_name = "A,B,…")]
    pub(super) together: Vec<String>,
    /// Hosts, by name or uuid, of which no two go into one pool; repeatable
    #[arg(long, value_name = "A,B,…")]
    pub(super) apart: Vec<String>,
    /// What the loss of a feature counts, by group: a TOML file over the built-in numbers
    #[arg(long, value_name = "FILE")]
    pub(super) weights: Option<PathBuf>,
    /// Predict what Xen would offer on hosts without it, for example xcp-ng-8.3
    #[arg(long, value_name = "NAME")]
    pub(super) as_release: Option<String>,
    /// Search so many times longer before leaving the least loss unproved; the same on any machine
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(super) effort: u64,
    /// Stop searching by the clock, for example 3s; then another run may end elsewhere
    #[arg(long, value_name = "TIME")]
    pub(super) time: Option<humantime::Duration>,
    /// Print what the plan comes to, without its pools
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) output: Output,
    #[command(flatten)]
    pub(super) live: LiveArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    /// All rules, one a line
    List {
        #[command(flatten)]
        rules: OwnRules,
        #[command(flatten)]
        output: Output<PageFormat>,
    },
    /// All there is to know about one rule
    Explain {
        /// The rule's id
        id: String,
        #[command(flatten)]
        rules: OwnRules,
        #[command(flatten)]
        output: Output<PageFormat>,
    },
    /// Check rules and run their examples; status 1 when an example shows something else
    Test {
        /// A folder of rules of your own; the built-in ones when left out
        dir: Option<PathBuf>,
    },
    /// The facts and functions that rules may use, and the shape of rule files
    Schema {
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Of what
    #[arg(value_enum)]
    pub(super) of: SchemaOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
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
    /// Of plans of pools
    Plan,
}

#[derive(Debug, Args)]
pub(super) struct Lab {
    /// Play a join on a small lab of its own, from the first check to the end, and stop
    #[arg(long, conflicts_with_all = ["pool", "host", "port", "speed", "password_env", "fault"])]
    pub(super) demo: bool,
    /// Serve this pool: a snapshot, or XenAPI records in one file; repeatable
    #[arg(long, value_name = "FILE", required_unless_present_any = ["host", "demo"])]
    pub(super) pool: Vec<PathBuf>,
    /// Serve this standalone host; repeatable
    #[arg(long, value_name = "FILE")]
    pub(super) host: Vec<PathBuf>,
    /// Listen on this port, the same at every address; a free one when left out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,
    /// How many times faster than at a server time passes
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    pub(super) speed: f64,
    /// The environment variable that holds root's password; a new one is made up and printed when left out
    #[arg(long, value_name = "VAR")]
    pub(super) password_env: Option<String>,
    /// Let something go wrong: KIND[=VALUE][,endpoint=HOST][,method=NAME][,phase=PHASE][,after=N][,count=N]; repeatable
    #[arg(long, value_name = "SPEC")]
    pub(super) fault: Vec<crate::lab::Fault>,
}

/// A factor that time can be divided by.
fn speed(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|factor| factor.is_finite() && (0.01..=1e6).contains(factor));
    factor.ok_or_else(|| "expected a number from 0.01 to 1000000".to_owned())
}
