//! The report for a terminal: the verdict first, one row a rule that has something to say, then each finding with its
//! evidence, the server's answer and the commands that mend it.

mod eject;

use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, Width, presets};
use std::fmt::Write as _;

use super::parts::{is_telling, mark, overridden, waived};
use super::{JoinerReport, Report, network, parts, plural, waived_count};
use crate::facts::Known;
use crate::rules::{Evidence, Finding, FixStep, Outcome, Prediction, Refusal, Severity, Verdict};
use crate::text::{cut, plain, shell_word, wrapped};

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

/// How many facts a finding shows before it counts the rest; JSON has them all.
const EVIDENCE: usize = 6;
/// The longest text of a table's cell; a message beyond it is cut there and whole below.
const LONGEST: usize = 1_000;
/// How many items of a list a finding shows before it counts the rest.
const ITEMS: usize = 12;

/// Writes the report.
pub fn to_table(report: &Report, options: TableOptions) -> String {
    let mut page = Page { out: String::new(), options, new_member: report.member.is_none() };
    if let Some(member) = &report.member {
        page.member(report, member);
    } else {
        page.heading(report);
        if !options.quiet {
            for (index, joiner) in report.joiners.iter().enumerate() {
                page.joiner(report, joiner, index);
            }
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

impl Page {
    fn heading(&mut self, report: &Report) {
        let pool = &report.pool;
        let hosts = pool.hosts.map_or_else(|| "host count unknown".to_owned(), |hosts| plural(hosts, "host"));
        let release = if pool.release.is_empty() { String::new() } else { format!(", {}", pool.release) };
        let names: Vec<_> = report.joiners.iter().map(|joiner| joiner.name.as_str()).collect();
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

    fn joiner(&mut self, report: &Report, joiner: &JoinerReport, index: usize) {
        if report.joiners.len() > 1 {
            let verdict = self.styled(verdict_style(joiner.verdict), joiner.verdict.words());
            let _ = write!(self.out, "\n── {}. {} ", index + 1, plain(&joiner.name));
            let _ = writeln!(self.out, "── {verdict}");
        }
        let _ = writeln!(self.out);
        self.wrapped("", &summary(&joiner.name, &joiner.release, &joiner.findings));
        let pool = read_from("pool", &report.pool.target, &report.pool.seen);
        self.wrapped("", &format!("{}, {pool}", read_from("joiner", &joiner.target, &joiner.seen)));
        for note in &joiner.notes {
            self.wrapped("note: ", note);
        }
        self.rows(&joiner.findings);
        self.server(joiner);
        self.cpu(joiner);
        self.network(joiner);
        self.storage(joiner);
        for finding in joiner.telling() {
            self.finding(finding);
        }
        self.next(report, joiner);
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

    fn server(&mut self, joiner: &JoinerReport) {
        let Some(server) = &joiner.server else {
            self.section("The server's answer");
            self.wrapped("  ", "none to predict: no XenServer or XCP-ng was seen running on the joiner");
            return;
        };
        self.section("The server's answer");
        let answer = |refusal: &Option<Refusal>, call: &str| match refusal {
            Some(refusal) => format!("{call} refuses with {} [{}]", refusal.code, refusal.params.join("; ")),
            None if server.undecided.is_empty() => format!("{call} passes its checks"),
            None => format!("{call} is not known to refuse"),
        };
        let plain = answer(&server.first, "pool.join");
        self.wrapped("  ", &plain);
        let forced = answer(&server.first_with_force, "pool.join_force");
        if server.first != server.first_with_force {
            self.wrapped("  ", &format!("{forced}; it skips assert_hosts_homogeneous, which is no reason to use it"));
        }
        let later: Vec<_> = server
            .failing
            .iter()
            .filter(|check| {
                server.first.as_ref().is_none_or(|first| (&first.code, &first.params) != (&check.code, &check.params))
            })
            .map(|check| format!("{} ({})", check.code, check.check))
            .collect();
        if !later.is_empty() {
            self.wrapped("  then, one by one: ", &later.join(", "));
        }
        if !server.undecided.is_empty() {
            self.wrapped("  cannot tell: ", &server.undecided.join(", "));
        }
    }

    fn cpu(&mut self, joiner: &JoinerReport) {
        let cpu = &joiner.cpu;
        let groups = |groups: &Known<Vec<String>>| match groups {
            Known::Yes(groups) if groups.is_empty() => "nothing".to_owned(),
            Known::Yes(groups) => groups.join("; "),
            Known::No(unknown) => format!("unknown ({unknown})"),
        };
        self.section("CPU level");
        self.wrapped("  the pool loses: ", &groups(&cpu.lost_groups));
        self.wrapped("  hidden on the joiner: ", &groups(&cpu.hidden_groups));
        let stuck = match (&cpu.stranded_vms, &cpu.undecided_vms) {
            (Known::Yes(vms), Known::Yes(unsure)) if unsure.is_empty() => vms.len().to_string(),
            (Known::Yes(vms), Known::Yes(unsure)) => format!("{}, not known of {}", vms.len(), unsure.len()),
            (Known::No(unknown), _) | (_, Known::No(unknown)) => format!("unknown ({unknown})"),
        };
        self.wrapped("  VMs that could not move to the joiner: ", &stuck);
        if cpu.joiner_provenance.text() == Some("predicted") {
            self.wrapped("  ", "the joiner's guest features are predicted from raw CPUID, not observed under Xen");
        }
    }

    fn network(&mut self, joiner: &JoinerReport) {
        self.section("Network");
        for line in network::table(&joiner.network, self.options.width).lines() {
            let _ = writeln!(self.out, "{}", line.trim_end());
        }
        for (label, text) in network::remarks(&joiner.network) {
            self.wrapped(&format!("  {label}: "), &text);
        }
        for (title, steps) in network::scripts(&joiner.network) {
            self.section(title);
            for step in &steps {
                self.step(step);
            }
        }
    }

    /// No check can look at a storage from outside, so this is for the operator to see to.
    fn storage(&mut self, joiner: &JoinerReport) {
        let Known::Yes(srs) = &joiner.storage else { return };
        if srs.is_empty() {
            return;
        }
        self.section("Storage that must admit the joiner");
        for sr in srs {
            let name = sr.name_label.text().or_else(|| sr.uuid.text()).unwrap_or("an SR");
            let at = if sr.location.is_empty() { String::new() } else { format!(" at {}", sr.location) };
            let kind = sr.kind.text().unwrap_or("driver not known");
            self.wrapped("  ", &format!("{name} ({kind}{at}): {}", sr.admit));
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let heading = format!("{}: {}", mark(finding), finding.rule);
        let heading = self.styled(outcome_style(finding), &heading);
        let _ = writeln!(self.out, "\n{heading}");
        if finding.outcome == Outcome::Unknown {
            // The row above says what cannot be told; here is what would decide it.
            self.needs(&finding.evidence);
        } else {
            self.wrapped("  ", &finding.message);
            for remark in waived(finding).into_iter().chain(overridden(finding)) {
                self.wrapped("  ", &remark);
            }
            self.items(&finding.items);
            for evidence in finding.evidence.iter().take(EVIDENCE) {
                self.wrapped("  seen: ", &witness(evidence));
            }
        }
        let hidden = finding.evidence.len().saturating_sub(EVIDENCE) + finding.evidence_left_out;
        if hidden > 0 {
            let _ = writeln!(self.out, "  {} more in the JSON report", plural(hidden, "fact"));
        }
        for step in &finding.fix {
            self.step(step);
        }
    }

    /// What would decide, each reason once.
    fn needs(&mut self, evidence: &[Evidence]) {
        let mut reasons: Vec<(&Evidence, usize)> = Vec::new();
        for fact in evidence {
            match reasons.iter_mut().find(|(first, _)| first.value == fact.value) {
                Some((_, more)) => *more += 1,
                None => reasons.push((fact, 0)),
            }
        }
        for (fact, more) in reasons.iter().take(EVIDENCE) {
            let more = if *more > 0 { format!(" (and {} like it)", plural(*more, "fact")) } else { String::new() };
            self.wrapped("  needs: ", &format!("{}{}: {}{more}", fact.fact, object(fact), fact.value));
        }
    }

    /// One line an item; items of one shape, "what: who", share a line when they say the same.
    fn items(&mut self, items: &[String]) {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for item in items {
            let (what, who) = item.rsplit_once(": ").unwrap_or((item, ""));
            match groups.iter_mut().find(|(group, _)| *group == what) {
                Some((_, members)) if !who.is_empty() => members.push(who),
                _ => groups.push((what, vec![who])),
            }
        }
        for (what, who) in groups.iter().take(ITEMS) {
            let more = if who.len() > ITEMS { format!(" and {} more", who.len() - ITEMS) } else { String::new() };
            let names = who.iter().copied().take(ITEMS).collect::<Vec<_>>().join(", ");
            let line = if names.is_empty() { (*what).to_owned() } else { format!("{what}: {names}{more}") };
            self.wrapped("  • ", &line);
        }
        if groups.len() > ITEMS {
            let _ = writeln!(self.out, "  • and {} more", groups.len() - ITEMS);
        }
    }

    fn step(&mut self, step: &FixStep) {
        let label = match step.place.as_str() {
            "anywhere" => "  mend: ".to_owned(),
            "firmware" | "cabling" => format!("  mend in the {}: ", step.place),
            "member" if self.new_member => "  mend on the new member: ".to_owned(),
            "pool" => "  mend in the pool: ".to_owned(),
            place => format!("  mend on the {place}: "),
        };
        if step.run.is_empty() {
            self.wrapped(&label, &step.note);
        } else {
            // Commands are copied: they are never wrapped.
            let _ = writeln!(self.out, "{label}{}", plain(&step.run));
            if !step.note.is_empty() {
                self.wrapped("    ", &step.note);
            }
        }
        if !step.loses.is_empty() {
            self.wrapped("    loses: ", &step.loses);
        }
    }

    /// Nothing stands in the way: then the command that joins is what the operator wants to read.
    fn next(&mut self, report: &Report, joiner: &JoinerReport) {
        if matches!(joiner.verdict, Verdict::Go | Verdict::GoWithWarnings) && joiner.server.is_some() {
            let address = if report.pool.address.is_empty() { "COORDINATOR" } else { &report.pool.address };
            self.section("Next, on the joiner");
            let address = plain(address).into_owned();
            let _ =
                writeln!(self.out, "  xe pool-join master-address={} master-username=root \\", shell_word(&address));
            // Where the server refuses and the verdict is GO, its check is waived, which only one that force skips can be.
            let forced = |server: &Prediction| server.first.is_some() && server.first_with_force.is_none();
            let force = if joiner.server.as_ref().is_some_and(forced) { " force=true" } else { "" };
            let _ = writeln!(self.out, "    master-password=POOL_ROOT_PASSWORD{force}");
            self.wrapped("  ", "root's password on the joiner is the pool's from then on");
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

fn witness(evidence: &Evidence) -> String {
    let mut text = format!("{} = {}{}", evidence.fact, elided(&evidence.value), object(evidence));
    if evidence.assumed {
        text.push_str(" (assumed)");
    }
    text
}

fn read_from(side: &str, target: &str, seen: &str) -> String {
    if seen.is_empty() {
        format!("{side} read from {target}")
    } else {
        format!("{side} read from {target} (seen {seen})")
    }
}

/// A long value without spaces, such as feature words, with its middle left out; JSON has it whole.
fn elided(value: &str) -> String {
    const LONGEST: usize = 48;
    let length = value.chars().count();
    if length <= LONGEST || value.contains(' ') {
        return value.to_owned();
    }
    let head: String = value.chars().take(26).collect();
    let tail: String = value.chars().skip(length - 9).collect();
    format!("{head}…{tail}")
}

/// The object of a fact, where it has a name of its own.
fn object(evidence: &Evidence) -> String {
    if evidence.object.contains(' ') { format!(" [{}]", evidence.object) } else { String::new() }
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
