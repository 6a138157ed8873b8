//! `poolgate plan`: servers into the fewest pools whose hosts lose the fewest CPU features.

use std::path::Path;
use std::time::Instant;

use super::Exit;
use super::args::{Plan, PlanFormat};
use super::error::CliError;
use super::fleet::{Fleet, tell_apart};
use super::limits::{WEIGHTS, read_text};
use super::output::emit;
use super::signals::end_in_order;
use crate::plan::{KeptPool, PlanTable, Question, Weights, plan, to_html, to_json, to_markdown, to_table};

pub(super) fn run(args: &Plan) -> Result<Exit, CliError> {
    end_in_order();
    let until = args.time.and_then(|time| Instant::now().checked_add(*time));
    if args.targets.iter().chain(&args.keep).filter(|word| *word == "-").count() > 1 {
        return Err(CliError::Usage("standard input (-) can be only one of the targets".to_owned()));
    }
    let weights = args.weights.as_deref().map(read_weights).transpose()?.unwrap_or_default();
    let as_release = args.as_release.as_deref();
    let mut keep = Vec::new();
    let mut notes = Vec::new();
    for word in &args.keep {
        let pool = Fleet::read(std::slice::from_ref(word), as_release, &args.live)?;
        notes.extend(pool.notes);
        let name = pool.pool.unwrap_or_else(|| word.clone());
        keep.push(KeptPool { name, members: pool.hosts, unplanned: pool.left_out });
    }
    let mut fleet = Fleet::read(&args.targets, as_release, &args.live)?;
    notes.append(&mut fleet.notes);
    notes.extend(fleet.remarks(args.max_hosts as usize));
    // A host of a kept pool is where it is.
    fleet.hosts.retain(|host| {
        let holder = keep
            .iter()
            .find(|pool| !host.uuid.is_empty() && pool.members.iter().any(|member| member.uuid == host.uuid));
        if let Some(holder) = holder {
            notes.push(format!("{} is in the kept pool {} already", host.name, holder.name));
        }
        holder.is_none()
    });
    tell_apart(fleet.hosts.iter_mut().chain(keep.iter_mut().flat_map(|pool| &mut pool.members)));
    if fleet.hosts.is_empty() && fleet.left_out.is_empty() && keep.is_empty() {
        return Err(CliError::Usage("no host among the targets".to_owned()));
    }
    let question = Question {
        hosts: fleet.hosts,
        left_out: fleet.left_out,
        keep,
        limit: args.max_hosts as usize,
        spare: args.spare as usize,
        together: groups("--together", &args.together)?,
        apart: groups("--apart", &args.apart)?,
        weights,
        // With a clock, the clock alone ends the search.
        effort: if until.is_some() { u64::MAX } else { args.effort },
        until,
    };
    let mut found = plan(&question)?;
    notes.sort();
    notes.dedup();
    found.notes.splice(0..0, notes);
    emit(&args.output, |style| match style.format {
        PlanFormat::Json => to_json(&found, &question.weights),
        PlanFormat::Markdown => to_markdown(&found),
        PlanFormat::Html => to_html(&found, &question.weights),
        PlanFormat::Table => to_table(&found, PlanTable { width: style.width, quiet: args.quiet }),
    })?;
    // A plan without some hosts is not the plan that was asked for.
    Ok(if found.left_out.is_empty() { Exit::Done } else { Exit::Undecided })
}

fn groups(option: &str, words: &[String]) -> Result<Vec<Vec<String>>, CliError> {
    words
        .iter()
        .map(|word| {
            let names: Vec<String> =
                word.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
            if names.len() < 2 {
                return Err(CliError::Usage(format!(
                    "{option} {word}: expected two hosts or more, by name or uuid, with commas between them"
                )));
            }
            Ok(names)
        })
        .collect()
}

fn read_weights(path: &Path) -> Result<Weights, CliError> {
    let text = read_text("weights", path, WEIGHTS)?;
    Weights::with(&text).map_err(|source| CliError::Weights { path: path.to_owned(), source })
}
