//! `poolgate journal`: what was done, and whether its record was changed.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::Exit;
use super::args::{Format, Journal, Output};
use super::error::CliError;
use super::limits;
use super::output::emit;
use crate::gate::journal::{MOST, Reading, read};
use crate::gate::left_open;
use crate::text::plain;

pub(super) fn run(args: &Journal) -> Result<Exit, CliError> {
    let Journal::Verify { file, head, output } = args;
    verify(file, head.as_deref(), output)
}

fn verify(file: &Path, head: Option<&str>, output: &Output) -> Result<Exit, CliError> {
    let reading = read(&limits::read("journals", file, MOST)?);
    let other_head = head.filter(|head| !reading.head.eq_ignore_ascii_case(head));
    emit(output, |style| match style.format {
        Format::Json => as_json(&reading, other_head),
        Format::Table => as_text(file, &reading, other_head),
    })?;
    Ok(if reading.fault.is_some() || other_head.is_some() { Exit::Refused } else { Exit::Done })
}

fn as_json(reading: &Reading, other_head: Option<&str>) -> String {
    // Behind a fault nobody knows what was done.
    let open = left_open(&reading.entries).filter(|_| reading.fault.is_none());
    let json = json!({
        "format": "poolgate-journal-verification",
        "version": "1.0",
        "whole": reading.fault.is_none() && other_head.is_none(),
        "lines": reading.entries.len(),
        "head": reading.head,
        "expected_head": other_head,
        "fault": reading.fault.as_ref().map(|fault| json!({"line": fault.line, "what": fault.what})),
        "cut_off": reading.torn.as_ref().map(|torn| json!({"line": torn.line, "bytes": torn.bytes})),
        "recovered": reading.recovered,
        "open": open.map(|left| json!({
            "act": left.act.word(), "began": left.began, "pool": left.pool.name,
            "settled": left.settled().iter().map(|(host, outcome)| json!({"host": host.name, "outcome": outcome})).collect::<Vec<_>>(),
            "host": left.call.map(|call| call.host.name),
        })),
    });
    crate::text::json(&json)
}

fn as_text(file: &Path, reading: &Reading, other_head: Option<&str>) -> String {
    let mut out = String::new();
    let file = file.display();
    let count = reading.entries.len();
    match (&reading.fault, other_head) {
        (Some(fault), _) => {
            let _ = writeln!(out, "CHANGED  {file}: line {}: {}", fault.line, plain(&fault.what));
            let _ = writeln!(out, "  the {count} lines before it hold together");
        }
        (None, Some(head)) => {
            let _ = writeln!(
                out,
                "CHANGED  {file}: its last line has another hash than {}: lines were taken off or added",
                plain(head)
            );
        }
        (None, None) => {
            let _ = writeln!(out, "WHOLE  {file}: {count} lines, each follows on the one before");
        }
    }
    if !reading.head.is_empty() {
        let _ = writeln!(out, "  last hash {}", reading.head);
    }
    if let Some(torn) = &reading.torn {
        let _ = writeln!(
            out,
            "  line {} was cut off after {} bytes, as by a crash: what it was to announce was not done",
            torn.line, torn.bytes
        );
    }
    if reading.recovered > 0 {
        let _ = writeln!(out, "  earlier cut-off lines, each accounted for: {}", reading.recovered);
    }
    match left_open(&reading.entries) {
        Some(_) if reading.fault.is_some() => {
            let _ = writeln!(out, "  what was done after them is not known");
        }
        Some(left) => {
            let what = left.call.as_ref().map_or_else(
                || left.broke_off(),
                |call| {
                    format!(
                        "the {} that began at {} broke off: {} was sent for {} at {} and its end is not known",
                        left.act.word(),
                        left.began,
                        left.act.method(),
                        call.host.name,
                        call.at
                    )
                },
            );
            let _ = writeln!(out, "  {}; see with --resume", plain(&what));
        }
        None => {}
    }
    out
}
