//! `poolgate merge`: the reports on the parts of a fleet into the report on all of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::write::{Sheets, exit_of};
use crate::cli::Exit;
use crate::cli::args::Merge;
use crate::cli::error::CliError;
use crate::collect::refused;
use crate::fleet::{FORMAT, FleetLine, FleetReport, LineCounts, Part, VERSION, merge};

/// The largest summary, bytes: counts and at most a thousand pools and joiners with their messages.
const MOST: u64 = 64 << 20;

pub(in crate::cli) fn run(args: &Merge) -> Result<Exit, CliError> {
    let mut sheets = Sheets::open(&args.output)?;
    let rows = sheets.wants_rows();
    let read: Vec<_> = args.parts.iter().map(|path| read_part(path)).collect::<Result<_, _>>()?;
    if let Some((path, _)) = args.parts.iter().zip(&read).find(|(_, part)| rows && part.lines.is_none()) {
        return Err(CliError::Usage(format!(
            "{}: JSON has no lines of hosts; for ndjson let each part write ndjson too",
            path.display()
        )));
    }
    let (report, order) = merge(read)?;
    if rows {
        for place in order {
            copy_rows(&args.parts[place], &mut sheets)?;
        }
    }
    sheets.finish(&report, args.fail_on, args.quiet)?;
    exit_of(&report, args.fail_on)
}

/// The report in a file, and what the lines of hosts before it come to.
fn read_part(path: &Path) -> Result<Part, CliError> {
    let file = path.display().to_string();
    let read = |source| CliError::Read { what: "a part", path: path.to_owned(), source };
    let opened = File::open(path).map_err(|source| refused(path, &file, source))?;
    let mut reader = BufReader::with_capacity(1 << 20, opened);
    let wrong = |why: &str| {
        Err(CliError::Usage(format!(
            "{file}: {why}; expected the JSON or NDJSON report of `poolgate check --fleet … --shard I/N`"
        )))
    };
    let mut first = Vec::new();
    (&mut reader).take(MOST).read_until(b'\n', &mut first).map_err(read)?;
    let mut lines = None;
    let report: Result<FleetReport, _> = if first.starts_with(b"{\"type\":") {
        let mut counts = LineCounts::default();
        let (last, odd) = last_line(first, reader, &mut counts).map_err(read)?;
        lines = Some(counts);
        match serde_json::from_slice(&last) {
            Ok(FleetLine::Summary(_)) if let Some((at, why)) = odd => {
                return wrong(&format!("line {at} was not written by poolgate: {why}"));
            }
            Ok(FleetLine::Summary(report)) => Ok(*report),
            Ok(_) => return wrong("the last line is no summary: the file breaks off"),
            Err(error) => Err(error),
        }
    } else {
        let mut text = first;
        reader.take(MOST).read_to_end(&mut text).map_err(read)?;
        serde_json::from_slice(&text)
    };
    match report {
        Ok(report) if report.format != FORMAT => wrong("is no report on a fleet"),
        Ok(report) if report.version != VERSION => wrong(&format!("is of version {}, not {VERSION}", report.version)),
        Ok(report) => Ok(Part { file, report, lines }),
        Err(error) => wrong(&format!("cannot be read as a report on a fleet: {error}")),
    }
}

/// The first line that poolgate did not write, by its number, and why.
type Odd = Option<(u64, String)>;

/// The last line. The others are counted; the first of them that is no line of a host is told, by its number.
fn last_line(first: Vec<u8>, mut reader: impl BufRead, counts: &mut LineCounts) -> std::io::Result<(Vec<u8>, Odd)> {
    let (mut last, mut next, mut at, mut odd) = (first, Vec::new(), 0, None);
    loop {
        next.clear();
        at += 1;
        if (&mut reader).take(MOST).read_until(b'\n', &mut next)? == 0 {
            return Ok((last, odd));
        }
        if odd.is_none() {
            odd = counts.add(&last).err().map(|why| (at, why));
        }
        std::mem::swap(&mut last, &mut next);
    }
}

/// Hands on all lines but the last, the summary.
fn copy_rows(path: &Path, sheets: &mut Sheets) -> Result<(), CliError> {
    let read = |source| CliError::Read { what: "a part", path: path.to_owned(), source };
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(read)?);
    let (mut line, mut next) = (String::new(), String::new());
    reader.read_line(&mut line).map_err(read)?;
    loop {
        next.clear();
        if reader.read_line(&mut next).map_err(read)? == 0 {
            return Ok(());
        }
        sheets.rows(&line)?;
        std::mem::swap(&mut line, &mut next);
    }
}
