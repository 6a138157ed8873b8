//! `poolgate diff`: what changed between two snapshots or two JSON reports.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::Exit;
use super::args::{Diff, Format};
use super::error::CliError;
use super::limits::{REPORT, REPORT_VALUES, read};
use super::output::emit;
use super::targets::{collect_all, known};
use crate::collect::{Target, is_handed_over, read_target, refused};
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

/// Both sides: reports where there are ones, else what the targets give, collected together. What can be read only once is read
/// first.
fn sides(args: &Diff) -> Result<(Side, Side), CliError> {
    let words = [&args.old, &args.new];
    // Two of standard input, or one beside passwords there, are refused with the other targets.
    let input_is_free = !args.live.password_stdin && words.iter().filter(|word| **word == "-").count() == 1;
    let early = |word: &String| -> Result<Option<Side>, CliError> {
        match word.parse()? {
            Target::Stdin if input_is_free => read_stream(word, &mut io::stdin().lock()).map(Some),
            Target::File(path) => match fs::metadata(&path) {
                Ok(found) if found.is_file() => read_report(word, &path),
                // Another pipe, which may wait for a writer forever, is refused by the collector.
                Ok(_) if is_handed_over(&path) => {
                    let opened = File::open(&path).map_err(|source| refused(&path, word, source))?;
                    read_stream(word, &mut BufReader::new(opened)).map(Some)
                }
                // What cannot be opened is left to the collector, which says why.
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    };
    let early = [early(&args.old)?, early(&args.new)?];
    let late = words.into_iter().zip(&early).filter(|(_, side)| side.is_none());
    let targets: Vec<String> = late.map(|(word, _)| word.clone()).collect();
    let mut collected = targets.iter().zip(collect_all(&targets, &args.live)?);
    let [old, new] = early.map(|side| {
        side.or_else(|| collected.next().map(|(word, (snapshot, _))| Side::of_snapshot(word, &snapshot)))
    });
    match (old, new) {
        (Some(old), Some(new)) => Ok((old, new)),
        _ => Err(CliError::Usage("diff needs two targets".to_owned())),
    }
}

/// How many bytes tell a report from anything else.
const HEAD: u64 = 256;

/// Whether a file begins as poolgate's reports do.
fn is_report(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).contains("\"poolgate-report\"")
}

/// A report or a snapshot out of what can be read only once.
fn read_stream(word: &str, input: &mut dyn Read) -> Result<Side, CliError> {
    let wrong = |source| CliError::Read { what: "a target", path: word.into(), source };
    let mut text = Vec::new();
    input.take(HEAD).read_to_end(&mut text).map_err(wrong)?;
    if is_report(&text) {
        input.take(REPORT + 1 - HEAD).read_to_end(&mut text).map_err(wrong)?;
        if text.len() as u64 > REPORT {
            let most = REPORT >> 20;
            return Err(CliError::Usage(format!(
                "{word}: larger than {most} MiB, the most that is read of a report"
            )));
        }
        return report_of(word, &text);
    }
    let (snapshot, _) = known(word, read_target(&Target::Stdin, &mut text.chain(input))?);
    Ok(Side::of_snapshot(word, &snapshot))
}

/// A report out of a file; none where it holds something else.
fn read_report(word: &str, path: &Path) -> Result<Option<Side>, CliError> {
    let mut head = Vec::new();
    let read_head = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    if read_head.is_err() || !is_report(&head) {
        return Ok(None);
    }
    report_of(word, &read("reports", path, REPORT)?).map(Some)
}

fn report_of(word: &str, text: &[u8]) -> Result<Side, CliError> {
    // What separates values, in texts too: cheap, and never too few.
    let values = text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
    if values > REPORT_VALUES {
        return Err(CliError::Usage(format!(
            "{word}: holds more than {REPORT_VALUES} values, the most that is read of a report; compare the hosts of a \
             fleet pool by pool"
        )));
    }
    let report = serde_json::from_slice(text).map_err(|error| {
        CliError::Usage(format!("{word}: {error}; `poolgate diff` reads reports written with --format json"))
    })?;
    Ok(Side::of_report(word, &report)?)
}
