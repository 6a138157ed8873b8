//! `poolgate check --fleet`: every pool of a fleet, its further hosts as joiners to its first.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::num::NonZero;
use std::path::Path;
use std::thread;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::pump::{self, Work};
use super::write::{Sheets, exit_of};
use crate::cli::Exit;
use crate::cli::args::Check;
use crate::cli::error::CliError;
use crate::cli::rules::load_for;
use crate::collect::{Block, Blocks, Region, Target, is_packed, open_fleet, open_region, read_target};
use crate::fleet::{FleetJudge, Heard, Shard, ShardOf, Tally, Wanted, Worker};
use crate::rules::assume::release_named;
use crate::rules::{Phase, Policy, Registry};
use crate::text::shell_word;

impl Work for Worker<'_> {
    fn block(&mut self, block: &Block) -> String {
        self.judge(block)
    }
}

/// A fleet that is open.
struct Opened {
    reader: Box<dyn Read + Send>,
    /// How many bytes there are to read; none for standard input.
    bytes: Option<u64>,
    region: Option<Region>,
}

pub(in crate::cli) fn run(args: &Check, fleet: &str) -> Result<Exit, CliError> {
    let sheets = Sheets::open(&args.output)?;
    let product = args.as_release.as_deref().map(release_named).transpose()?;
    let rules = load_for(Phase::Join, &args.rules.folders)?;
    let Opened { reader, bytes, region } = open(fleet, args.fleet.shard)?;
    let policy = Policy { max_hosts: args.max_hosts, as_release: args.as_release.clone() };
    let wanted = Wanted { worst: args.fleet.worst, rows: sheets.wants_rows() };
    let judge = FleetJudge::new(fleet.to_owned(), &rules, policy, product, wanted);
    let (line, doubtful) = region.as_ref().map_or((1, false), |region| (region.line, region.doubtful));
    let blocks = Blocks::new(fleet.to_owned(), reader, line, doubtful);
    let workers = (0..threads(args.fleet.threads)).map(|_| judge.worker()).collect();
    let bar = progress(bytes);
    let mut sheets = sheets;
    let mut broken = None;
    let done = pump::run(blocks, workers, &mut |rows, size| {
        bar.inc(size as u64);
        sheets.rows(&rows).map_err(|error| broken = Some(error)).is_ok()
    });
    bar.finish_and_clear();
    if let Some(error) = broken {
        return Err(error);
    }
    let mut tally = Tally::new(args.fleet.worst);
    done?.into_iter().for_each(|worker| tally.join(worker.finish()));
    let heard = if region.is_some() { tally.heard() } else { Vec::new() };
    let mut report = tally.report(fleet.to_owned(), judge.policy());
    if report.read.lines == 0 && report.read.unreadable > 0 && region.is_none() {
        return Err(no_fleet(fleet));
    }
    report.shard = region.zip(args.fleet.shard).map(|(region, shard)| shard_of(region, shard, &rules, heard));
    sheets.finish(&report, args.fail_on, args.quiet)?;
    exit_of(&report, args.fail_on)
}

/// What a file is of which no line can be read.
fn no_fleet(fleet: &str) -> CliError {
    const WANTED: &str = "a fleet is a file with a host or pool a line (NDJSON)";
    let why = match fleet.parse::<Target>() {
        Ok(target @ Target::File(_)) => match read_target(&target, &mut io::empty()) {
            Ok(_) => format!(
                "it holds one pool or host, and no fleet: name it with --pool or --host, or make a line of it with `jq -c . {}`",
                shell_word(fleet)
            ),
            Err(_) if is_packed(Path::new(fleet)) => {
                format!("it is packed: `zcat {} | poolgate check --fleet -`", shell_word(fleet))
            }
            Err(error) => format!("no line of it can be read ({error}); {WANTED}"),
        },
        _ => format!("no line of it can be read; {WANTED}"),
    };
    CliError::Usage(format!("{fleet}: {why}"))
}

fn open(fleet: &str, shard: Option<ShardOf>) -> Result<Opened, CliError> {
    match (fleet.parse()?, shard) {
        (Target::Stdin, None) => Ok(Opened { reader: Box::new(io::stdin()), bytes: None, region: None }),
        (Target::Stdin, Some(_)) => Err(CliError::Usage(
            "--shard needs a file whose size is known; write standard input to one first".to_owned(),
        )),
        (Target::File(path), None) => {
            let (file, bytes) = open_fleet(&path)?;
            Ok(Opened { reader: Box::new(file), bytes: Some(bytes), region: None })
        }
        (Target::File(path), Some(shard)) => open_shard(&path, shard),
        _ => Err(CliError::Usage(format!(
            "--fleet {fleet}: a fleet is a file with a host or pool a line (NDJSON), or -; \
             `poolgate collect` makes a line of any other target"
        ))),
    }
}

fn open_shard(path: &Path, shard: ShardOf) -> Result<Opened, CliError> {
    let (file, region): (io::Take<File>, Region) = open_region(path, shard.index, shard.of)?;
    Ok(Opened { reader: Box::new(file), bytes: Some(region.to - region.from), region: Some(region) })
}

fn shard_of(region: Region, shard: ShardOf, rules: &Registry, heard: Vec<Heard>) -> Shard {
    let Region { from, to, bytes, head, .. } = region;
    Shard { index: shard.index, of: shard.of, bytes, from, to, head, rules: rules.digest(), heard }
}

/// As many as were asked for, else one a core.
pub(super) fn threads(wanted: Option<u16>) -> usize {
    wanted.map_or_else(|| thread::available_parallelism().map_or(1, NonZero::get), usize::from)
}

pub(super) fn progress(bytes: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(bytes, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
