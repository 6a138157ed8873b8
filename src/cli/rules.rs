//! `poolgate rules`: the knowledge, readable; a user's own rules checked.

use std::fs;
use std::path::{Path, PathBuf};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use serde_json::json;

use super::Exit;
use super::args::{Format, Output, PageFormat, Rules};
use super::error::CliError;
use super::limits::{RULE, RULES, read_text};
use super::output::{emit, print};
use crate::rules::{self, Phase, Registry, Rule, RuleSource, SeveritySource, run_examples};
use crate::text::{self, wrapped_at};

pub(super) fn run(args: &Rules) -> Result<Exit, CliError> {
    match args {
        Rules::List { rules, output } => list(&load_whole(&rules.folders)?, output),
        Rules::Explain { id, rules, output } => explain(&load_whole(&rules.folders)?, id, output),
        Rules::Test { dir } => test(dir.as_deref()),
        Rules::Schema { output } => schema(output),
    }
}

/// The rules of one phase.
pub(super) fn load_for(phase: Phase, folders: &[PathBuf]) -> Result<Registry, CliError> {
    let own = read_folders(folders)?;
    let registry = Registry::load_for(phase, &own.rules).and_then(|rules| rules.with_severities(&own.severities));
    registry.map_err(CliError::Rules)
}

fn load_whole(folders: &[PathBuf]) -> Result<Registry, CliError> {
    read_folders(folders)?.load_whole()
}

/// What folders of a user's own hold.
#[derive(Default)]
struct Own {
    rules: Vec<RuleSource>,
    severities: Vec<SeveritySource>,
}

impl Own {
    fn load_whole(&self) -> Result<Registry, CliError> {
        let registry = Registry::load_whole(&self.rules);
        registry.and_then(|rules| rules.with_severities(&self.severities)).map_err(CliError::Rules)
    }
}

fn read_folders(folders: &[PathBuf]) -> Result<Own, CliError> {
    let mut own = Own::default();
    for folder in folders {
        let more = read_folder(folder)?;
        own.rules.extend(more.rules);
        own.severities.extend(more.severities);
    }
    Ok(own)
}

/// With fewer columns a table of rules would be a column of syllables.
const NARROW: u16 = 72;

/// The file of a folder that is no rule.
const SEVERITIES: &str = "severity.toml";

fn read_folder(folder: &Path) -> Result<Own, CliError> {
    let wrong = |path: &Path, source| CliError::RuleFolder { path: path.to_owned(), source };
    let mut own = Own::default();
    // Below the folder, one level: the phases, as in the built-in rules.
    let phases: [(&str, Phase); 4] =
        [("", Phase::Join), ("join", Phase::Join), ("eject", Phase::Eject), ("procurement", Phase::Procurement)];
    for (name, phase) in phases {
        let inner = folder.join(name);
        if !name.is_empty() && !inner.is_dir() {
            continue;
        }
        let mut paths = Vec::new();
        for entry in fs::read_dir(&inner).map_err(|source| wrong(&inner, source))? {
            let path = entry.map_err(|source| wrong(&inner, source))?.path();
            if is_rule(&path) && path.is_file() {
                paths.push(path);
                if paths.len() > RULES {
                    return Err(CliError::Usage(format!(
                        "{}: more than {RULES} files of rules, the most that are read; is it the right folder?",
                        inner.display()
                    )));
                }
            } else if name.is_empty()
                && path.is_dir()
                && !phases.iter().any(|(phase, _)| !phase.is_empty() && path.ends_with(phase))
            {
                refuse_strange_folder(&path)?;
            }
        }
        paths.sort();
        for path in paths {
            let text = read_text("rules", &path, RULE)?;
            if name.is_empty() && path.file_name().is_some_and(|name| name == SEVERITIES) {
                own.severities.push(SeveritySource { path: path.display().to_string(), text });
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            own.rules.push(RuleSource { path: path.display().to_string(), stem, phase, text });
        }
    }
    if own.rules.is_empty() && own.severities.is_empty() {
        return Err(CliError::Usage(format!(
            "{}: no rules there; a rule is a .toml file in the folder itself or in join/, eject/, procurement/ below it",
            folder.display()
        )));
    }
    Ok(own)
}

fn is_rule(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// A folder that is no phase may hold anything but rules: those would never be read, and nobody would know.
fn refuse_strange_folder(folder: &Path) -> Result<(), CliError> {
    let wrong = |source| CliError::RuleFolder { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if is_rule(&path) {
            return Err(CliError::Usage(format!(
                "{}: rules are not read from there; move it to the folder itself, or to join/, eject/ or procurement/ below it",
                path.display()
            )));
        }
    }
    Ok(())
}

/// The rules that foretell a refusal of the server with this code: what an operator has at hand after one.
fn refusing_with<'r>(registry: &'r Registry, code: &str) -> Vec<&'r Rule> {
    // As it is copied from a terminal: with what follows it, in any letters.
    let code = code.split([':', ' ', '[', '(']).next().unwrap_or(code);
    let same = |known: &str| known.eq_ignore_ascii_case(code);
    let has = |rule: &&Rule| rule.server.is_some() && rule.refusals().iter().any(|refusal| same(&refusal.code));
    registry.all().filter(has).collect()
}

fn list(registry: &Registry, output: &Output<PageFormat>) -> Result<Exit, CliError> {
    list_of(&registry.all().collect::<Vec<_>>(), output)
}

fn list_of(rules: &[&Rule], output: &Output<PageFormat>) -> Result<Exit, CliError> {
    emit(output, |style| match style.format {
        PageFormat::Markdown => rules::list_markdown(rules.iter().copied()),
        PageFormat::Json => {
            let rules: Vec<_> = rules.iter().copied().map(rule_json).collect();
            text::json(&json!({"format": "poolgate-rules", "version": "1.0", "rules": rules}))
        }
        PageFormat::Table if style.width < NARROW => {
            let rule = |rule: &Rule| {
                format!("{}\n  {}\n{}", rule.id, rule.severity.word(), wrapped_at("  ", 2, &rule.title, style.width))
            };
            format!("{}\n{} rules\n", rules.iter().copied().map(rule).collect::<String>(), rules.len())
        }
        PageFormat::Table => {
            let mut table = Table::new();
            table
                .load_style(presets::UTF8_HORIZONTAL_ONLY)
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(style.width)
                .force_no_tty()
                .set_header(["Rule", "Severity", "Passes when"]);
            for rule in rules {
                table.add_row([rule.id.as_str(), rule.severity.word(), rule.title.as_str()]);
            }
            if let Some(ids) = table.column_mut(0) {
                // Ids are copied: never broken.
                ids.set_constraint(ColumnConstraint::ContentWidth);
            }
            format!("{table}\n{} rules\n", rules.len())
        }
    })?;
    Ok(Exit::Done)
}

fn rule_json(rule: &Rule) -> serde_json::Value {
    json!({
        "id": rule.id,
        "title": rule.title,
        "why": rule.why.trim(),
        "severity": rule.severity.word(),
        "severity_was": rule.severity_was.map(rules::Severity::word),
        "phases": rule.phases.iter().map(|phase| phase.word()).collect::<Vec<_>>(),
        "require": rule.condition,
        "server": rule.server.as_ref().map(|server| json!({
            "check": server.check.name,
            "place": server.place,
            "codes": rule.refusals().iter().map(|refusal| refusal.code.as_str()).collect::<Vec<_>>(),
            "force_skips": server.check.force_skips,
        })),
        "facts": rule.facts(),
        "references": rule.references,
        "file": rule.origin,
    })
}

fn explain(registry: &Registry, id: &str, output: &Output<PageFormat>) -> Result<Exit, CliError> {
    let by_code = refusing_with(registry, id);
    let Some(rule) = registry.get(id).or(if let [only] = by_code.as_slice() { Some(*only) } else { None }) else {
        if !by_code.is_empty() {
            return list_of(&by_code, output);
        }
        const LIKE: f64 = 0.85;
        let codes = registry.all().filter(|rule| rule.server.is_some()).flat_map(Rule::refusals);
        let known = registry.all().map(|rule| rule.id.as_str()).chain(codes.map(|refusal| refusal.code.as_str()));
        let like = |known: &str| strsim::jaro_winkler(&known.to_lowercase(), &id.to_lowercase());
        let nearest = known.filter(|known| like(known) > LIKE).max_by(|a, b| like(a).total_cmp(&like(b)));
        let nearest = nearest.map(|nearest| format!(" (did you mean {nearest}?)")).unwrap_or_default();
        return Err(CliError::Usage(format!(
            "there is no rule and no refusal code \"{id}\"{nearest}; `poolgate rules list` shows all rules"
        )));
    };
    emit(output, |style| match style.format {
        PageFormat::Table => rules::explain(rule, style.width),
        PageFormat::Json => text::json(&rule_json(rule)),
        PageFormat::Markdown => rules::explain_markdown(rule),
    })?;
    Ok(Exit::Done)
}

fn test(dir: Option<&Path>) -> Result<Exit, CliError> {
    let own = dir.map(read_folder).transpose()?.unwrap_or_default();
    let names: Vec<_> = own.rules.iter().map(|source| source.stem.clone()).collect();
    let registry = own.load_whole()?;
    let rules: Vec<_> = registry.all().filter(|rule| dir.is_none() || names.contains(&rule.id)).collect();
    let mut told = String::new();
    let mut failures = 0;
    let mut examples = 0;
    for rule in &rules {
        examples += rule.examples.len();
        for lack in rules::missing_examples(rule) {
            failures += 1;
            told.push_str(&format!("{}: no example expects \"{lack}\"\n", rule.origin));
        }
        for error in run_examples(rule) {
            failures += 1;
            told.push_str(&format!("{}: {error}\n", rule.origin));
        }
    }
    let count = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    told.push_str(&format!(
        "{}, {}, {}\n",
        count(rules.len(), "rule"),
        count(examples, "example"),
        count(failures, "failure")
    ));
    print(&told)?;
    Ok(if failures == 0 { Exit::Done } else { Exit::Refused })
}

fn schema(output: &Output) -> Result<Exit, CliError> {
    emit(output, |style| match style.format {
        Format::Json => text::json(&rules::rule_schema()),
        Format::Table => rules::vocabulary(),
    })?;
    Ok(Exit::Done)
}
