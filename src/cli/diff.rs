//! `poolgate diff`: what changed between two snapshots or two JSON reports.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::Exit;
use super::args::{Diff, Format};
use super::error::CliError;
use super::limits::{REPORT, REPORT_VALUES, read};
use super::output::emit;
use super::targets::collect_all;
use crate::collect::Target;
use crate::diff::{Side, diff};
use crate::text::json;

pub(super) fn run(args: &Diff) -> Result<Exit, CliError> {
    let (old, new) = sides(args)?;
    let found = diff(&old, &new, args.volatile)?;
    emit(&args.output, |style| match style.format {
        Format::Json => json(&found),
        Format::Table => found.to_table(style.width),
    })?;
    Ok(if found.differences.is_empty() { Exit::Done } else { Exit::Refused })
}

/// Both sides: reports where the files are ones, else what the targets give, collected together.
fn sides(args: &Diff) -> Result<(Side, Side), CliError> {
    let report = |word: &String| -> Result<Option<Side>, CliError> {
        match word.parse()? {
            Target::File(path) if is_report(&path) => read_report(word, &path).map(Some),
            _ => Ok(None),
        }
    };
    let reports = [report(&args.old)?, report(&args.new)?];
    let words = [&args.old, &args.new];
    let targets: Vec<String> = words
        .into_iter()
        .zip(&reports)
        .filter(|(_, report)| report.is_none())
        .map(|(word, _)| word.clone())
        .collect();
    let mut collected = targets.iter().zip(collect_all(&targets, &args.live)?);
    let [old, new] = reports.map(|report| {
        report.or_else(|| collected.next().map(|(word, (snapshot, _))| Side::of_snapshot(word, &snapshot)))
    });
    match (old, new) {
        (Some(old), Some(new)) => Ok((old, new)),
        _ => Err(CliError::Usage("diff needs two targets".to_owned())),
    }
}

/// Whether a file begins as poolgate's reports do. What cannot be opened is left to the collector, which says why.
fn is_report(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(256).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains("\"poolgate-report\"")
}

fn read_report(word: &str, path: &Path) -> Result<Side, CliError> {
    let text = read("reports", path, REPORT)?;
    // What separates values, in texts too: cheap, and never too few.
    let values = text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if values > REPORT_VALUES {
        return Err(CliError::Usage(format!(
            "{word}: holds more than {REPORT_VALUES} values, the most that is read of a report; compare the hosts of a \
             fleet pool by pool"
        )));
    }
    let report = serde_json::from_slice(&text).map_err(|error| {
        CliError::Usage(format!("{word}: {error}; `poolgate diff` reads reports written with --format json"))
    })?;
    Ok(Side::of_report(word, &report)?)
}
