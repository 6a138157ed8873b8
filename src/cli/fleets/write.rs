//! Where the report on a fleet goes: to standard output or to files, lines of hosts while they are judged.

use crate::cli::Exit;
use crate::cli::args::{FailOn, FileFormat as _, Output, ReportFormat};
use crate::cli::error::CliError;
use crate::cli::output::{Staged, complain, format_for, put, safe, style_of_output};
use crate::cli::signals::end_in_order;
use crate::fleet::{FleetLine, FleetReport};
use crate::report::{
    TableOptions, fleet_to_github, fleet_to_json, fleet_to_junit, fleet_to_markdown, fleet_to_table,
};

/// All places that the operator named.
pub(super) struct Sheets {
    sheets: Vec<Sheet>,
    color: bool,
    width: u16,
}

struct Sheet {
    format: ReportFormat,
    /// A file that is replaced once it is whole; none for standard output.
    file: Option<Staged>,
}

impl Sheets {
    /// Opens them. A format that says nothing of a fleet is refused before anything is read.
    pub(super) fn open(output: &Output<ReportFormat>) -> Result<Self, CliError> {
        // Before the first file is begun.
        end_in_order();
        let (color, width) = style_of_output(output.no_color);
        let format = output.format;
        let mut places = Vec::new();
        for file in &output.files {
            places.push((format_for(file, format.as_ref())?, file));
        }
        let formats = places.iter().map(|(format, _)| *format).chain(format);
        formats.into_iter().try_for_each(offered)?;
        let mut sheets = Vec::new();
        for (format, path) in places {
            sheets.push(Sheet { format, file: Some(Staged::open(path)?) });
        }
        if sheets.is_empty() {
            sheets.push(Sheet { format: format.unwrap_or_default(), file: None });
        }
        Ok(Self { sheets, color: color && output.files.is_empty(), width })
    }

    /// Whether a line for each host is wanted.
    pub(super) fn wants_rows(&self) -> bool {
        self.sheets.iter().any(|sheet| sheet.format == ReportFormat::Ndjson)
    }

    /// Lines of hosts, in their order.
    pub(super) fn rows(&mut self, rows: &str) -> Result<(), CliError> {
        if rows.is_empty() {
            return Ok(());
        }
        let wanting = self.sheets.iter_mut().filter(|sheet| sheet.format == ReportFormat::Ndjson);
        wanting.into_iter().try_for_each(|sheet| sheet.write(rows))
    }

    /// The report, and the files in their places.
    pub(super) fn finish(self, report: &FleetReport, fail_on: Option<FailOn>, quiet: bool) -> Result<(), CliError> {
        let Self { sheets, color, width } = self;
        // Who reads a table sees what cannot be read there.
        let shown = sheets.iter().any(|sheet| sheet.file.is_none() && sheet.format == ReportFormat::Table && !quiet);
        if !shown {
            report.unreadable.iter().for_each(|line| complain(&format!("poolgate: {}", line.message)));
        }
        for mut sheet in sheets {
            let text = match sheet.format {
                ReportFormat::Json => fleet_to_json(report),
                ReportFormat::Ndjson => FleetLine::Summary(Box::new(report.clone())).to_json(),
                ReportFormat::Markdown => fleet_to_markdown(report),
                ReportFormat::Junit => fleet_to_junit(report, fail_on.is_some()),
                ReportFormat::Github => fleet_to_github(report),
                _ => fleet_to_table(report, TableOptions { width, color, all: false, quiet }),
            };
            sheet.write(&safe(sheet.format.dress(), &text, color && sheet.file.is_none()))?;
            if let Some(file) = sheet.file {
                file.commit()?;
            }
        }
        Ok(())
    }
}

impl Sheet {
    fn write(&mut self, text: &str) -> Result<(), CliError> {
        match &mut self.file {
            Some(file) => file.write(text),
            None => put(text),
        }
    }
}

fn offered(format: ReportFormat) -> Result<(), CliError> {
    let name = match format {
        ReportFormat::Sarif => "sarif",
        ReportFormat::Html => "html",
        ReportFormat::Gitlab => "gitlab",
        _ => return Ok(()),
    };
    Err(CliError::Usage(format!(
        "a fleet has no report as {name}; use table, json, ndjson, markdown, junit or github, \
         or check one of its pools with --pool and --host"
    )))
}

/// How the process ends: what could not be read comes first, then the worst verdict.
pub(super) fn exit_of(report: &FleetReport, fail_on: Option<FailOn>) -> Result<Exit, CliError> {
    let verdict = match report.verdict {
        Some(verdict) => Exit::of(verdict, fail_on),
        // A part of a fleet may be empty; a fleet in which nothing can join is a mistake.
        None if report.shard.is_some() => Exit::Done,
        None if report.read.lines == 0 && report.read.unreadable == 0 => {
            return Err(CliError::Usage(format!("{}: it holds no line; a fleet has a host a line", report.fleet)));
        }
        None => {
            return Err(CliError::Usage(format!(
                "{}: no joiner: every line is a pool by itself; lines of one pool follow each other and say so \
                 with the same \"group\", or with hosts' names that are the same up to the last hyphen",
                report.fleet
            )));
        }
    };
    Ok(if report.read.unreadable > 0 { verdict.worse(Exit::Usage) } else { verdict })
}
