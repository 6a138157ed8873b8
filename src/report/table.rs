//! The report for a terminal: the verdict first, one row a rule that has something to say, then each finding with its
//! evidence, the server's answer and the commands that mend it.

mod eject;
mod finding;
mod join;

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};
use std::borrow::Cow;
use std::fmt::Write as _;

use super::alike::alike;
use super::parts::{is_telling, mark};
use super::{Report, parts, plural, waived_count};
use crate::rules::{Finding, Outcome, Severity, Verdict};
use crate::text::{cut, plain, wrapped};

/// How to write for a terminal.
#[derive(Clone, Copy, Debug)]
pub struct TableOptions {
    /// Columns; lines are wrapped to fit.
    pub width: u16,
    /// Whether to colour.
    pub color: bool,
    /// Also the rules that passed or had no say.
    pub all: bool,
    /// Only the verdicts.
    pub quiet: bool,
}

/// The longest text of a table's cell; a message beyond it is cut there and whole below.
const LONGEST: usize = 1_000;

/// With fewer columns a table's would be too narrow for words: ids, which are copied, would be broken.
const NARROW: u16 = 72;

/// Writes the report.
pub fn to_table(report: &Report, options: TableOptions) -> String {
    let mut page = Page { out: String::new(), options, new_member: report.member.is_none() };
    if let Some(member) = &report.member {
        page.member(report, member);
    } else {
        page.heading(report);
        if !options.quiet {
            page.joiners(report);
        }
    }
    if !options.quiet {
        page.waivers(report);
    }
    page.out
}

struct Page {
    out: String,
    options: TableOptions,
    /// Whether the member that a fix is for is one that joins.
    new_member: bool,
}

/// How many joiners a heading names.
const NAMED: usize = 8;

impl Page {
    fn heading(&mut self, report: &Report) {
        let pool = &report.pool;
        let hosts = pool.hosts.map_or_else(|| "host count unknown".to_owned(), |hosts| plural(hosts, "host"));
        let release = if pool.release.is_empty() { String::new() } else { format!(", {}", pool.release) };
        let mut names: Vec<_> =
            report.joiners.iter().take(NAMED).map(|joiner| Cow::Borrowed(joiner.name.as_str())).collect();
        if report.joiners.len() > NAMED {
            names.push(format!("and {} more", report.joiners.len() - NAMED).into());
        }
        let verdict = self.styled(verdict_style(report.verdict), report.verdict.words());
        let line = format!("{} → pool {} ({hosts}{release})", names.join(", "), pool.name);
        let _ = writeln!(self.out, "{verdict}");
        self.wrapped("", &line);
        self.waived(report.joiners.iter().map(|joiner| joiner.findings.as_slice()));
        for note in &pool.notes {
            self.wrapped("  note: ", note);
        }
        if report.joiners.len() > 1 {
            for joiner in &report.joiners {
                let verdict = self.styled(verdict_style(joiner.verdict), joiner.verdict.words());
                let _ = writeln!(self.out, "  {verdict}  {}", plain(&joiner.name));
            }
        }
    }

    /// What is said of each joiner; once where the same is said of several in a row.
    fn joiners(&mut self, report: &Report) {
        let before = std::mem::take(&mut self.out);
        let said: Vec<_> = report
            .joiners
            .iter()
            .map(|joiner| {
                self.joiner(report, joiner);
                (joiner.name.as_str(), std::mem::take(&mut self.out))
            })
            .collect();
        self.out = before;
        for group in alike(said) {
            let first = group.hosts.start;
            if report.joiners.len() > 1 {
                self.joiner_heading(&report.joiners, first..first + 1);
            }
            self.out.push_str(&group.text);
            if group.hosts.len() > 1 {
                self.joiner_heading(&report.joiners, first + 1..group.hosts.end);
                let name = plain(&report.joiners[first].name).into_owned();
                let text = format!("the same as {}. {name}, each judged after those before it", first + 1);
                self.out.push('\n');
                self.wrapped("", &text);
            }
        }
    }

    /// How many findings do not count, right below the verdict that they would have changed.
    fn waived<'a>(&mut self, findings: impl Iterator<Item = &'a [Finding]>) {
        let count: usize = findings.map(waived_count).sum();
        if count > 0 {
            self.wrapped("  ", &format!("{} waived", plural(count, "finding")));
        }
    }

    /// What is wrong with the waivers of the run.
    fn waivers(&mut self, report: &Report) {
        let Some(waivers) = report.waivers.as_ref().filter(|waivers| !waivers.findings.is_empty()) else { return };
        self.section("Waivers");
        self.wrapped("  ", &format!("{}, judged on {}", waivers.file, waivers.today));
        self.rows(&waivers.findings);
        for finding in &waivers.findings {
            self.finding(finding);
        }
    }

    fn rows(&mut self, findings: &[Finding]) {
        let shown: Vec<_> = findings.iter().filter(|finding| self.options.all || is_telling(finding)).collect();
        if shown.is_empty() {
            return;
        }
        if self.options.width < NARROW {
            for finding in shown {
                let mark = self.styled(outcome_style(finding), mark(finding));
                let _ = writeln!(self.out, "{mark}  {}", finding.rule);
                self.wrapped("  ", &cut(&finding.message, LONGEST));
            }
            return;
        }
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.options.width)
            .set_header(["", "Rule", "What it says"]);
        if self.options.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        for finding in shown {
            let cell = Cell::new(mark(finding)).fg(color(finding)).add_attribute(Attribute::Bold);
            table.add_row(vec![cell, Cell::new(&finding.rule), Cell::new(plain(&cut(&finding.message, LONGEST)))]);
        }
        if let Some(column) = table.column_mut(0) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(30)));
        }
        for line in table.to_string().lines() {
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
    }

    fn section(&mut self, title: &str) {
        let title = self.styled(Style::new().bold(), title);
        let _ = writeln!(self.out, "\n{title}");
    }

    /// Writes text behind a label, wrapped to the width, later lines indented as far as the label's own indent.
    fn wrapped(&mut self, label: &str, text: &str) {
        self.out.push_str(&wrapped(label, text, self.options.width));
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.options.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

fn summary(name: &str, release: &str, findings: &[Finding]) -> String {
    let release = if release.is_empty() { String::new() } else { format!(" ({release})") };
    format!("{name}{release}: {}", parts::summary(findings))
}

fn read_from(side: &str, target: &str, seen: &str) -> String {
    if seen.is_empty() {
        format!("{side} read from {target}")
    } else {
        format!("{side} read from {target} (seen {seen})")
    }
}

const fn color(finding: &Finding) -> Color {
    match (finding.outcome, finding.severity) {
        (Outcome::Fail, _) if finding.waived.is_some() => Color::DarkGrey,
        (Outcome::Fail, Severity::Blocker) => Color::Red,
        (Outcome::Fail, Severity::Warning) => Color::Yellow,
        (Outcome::Fail, Severity::Note) => Color::Cyan,
        (Outcome::Unknown, _) => Color::Magenta,
        (Outcome::Pass, _) => Color::Green,
        (Outcome::NotApplicable, _) => Color::DarkGrey,
    }
}

fn outcome_style(finding: &Finding) -> Style {
    let color = match (finding.outcome, finding.severity) {
        (Outcome::Fail, Severity::Blocker) => AnsiColor::Red,
        (Outcome::Fail, Severity::Warning) => AnsiColor::Yellow,
        (Outcome::Unknown, _) => AnsiColor::Magenta,
        _ => AnsiColor::Cyan,
    };
    Style::new().bold().fg_color(Some(color.into()))
}

pub(super) fn verdict_style(verdict: Verdict) -> Style {
    let color = match verdict {
        Verdict::Go => AnsiColor::Green,
        Verdict::GoWithWarnings => AnsiColor::Yellow,
        Verdict::NoGo => AnsiColor::Red,
        Verdict::Undecided => AnsiColor::Magenta,
    };
    Style::new().bold().fg_color(Some(color.into()))
}
