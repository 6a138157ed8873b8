//! `poolgate cpu`: features by name: what is there, what differs, what levelling leaves.

use serde::Serialize;

use super::Exit;
use super::args::{Cpu, CpuSearch, CpuTargets, Format};
use super::error::CliError;
use super::fleets::{Levels, level};
use super::output::{complain, emit};
use super::targets::{collect_sides, known, side};
use crate::collect::Target;
use crate::cpu::catalogue::find_all;
use crate::cpu::matrix::{self, Decoded, Diff, Labelled, Levelled, decode, diff};
use crate::rules::Side;
use crate::rules::assume::release_named;
use crate::text::plain;

/// The JSON of all three, with its own version.
#[derive(Serialize)]
struct CpuV1<T> {
    format: &'static str,
    version: &'static str,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize)]
struct Hosts {
    hosts: Vec<Decoded>,
}

pub(super) fn run(args: &Cpu) -> Result<Exit, CliError> {
    match args {
        Cpu::Decode(targets) => decode_all(targets),
        Cpu::Diff(targets) => diff_all(targets),
        Cpu::Level(args) => level_all(&args.targets, args.threads),
        Cpu::Search(words) => search_for(words),
    }
}

fn decode_all(targets: &CpuTargets) -> Result<Exit, CliError> {
    let sides = sides(targets)?;
    let hosts: Vec<_> = labelled(&sides)?.iter().map(decode).collect();
    emit(&targets.output, |style| match style.format {
        Format::Json => json(Hosts { hosts: hosts.clone() }),
        Format::Table => {
            hosts.iter().map(|host| host.to_table(usize::from(style.width))).collect::<Vec<_>>().join("\n")
        }
    })?;
    Ok(Exit::Done)
}

fn diff_all(targets: &CpuTargets) -> Result<Exit, CliError> {
    let sides = sides(targets)?;
    let hosts = labelled(&sides)?;
    if hosts.len() < 2 {
        return Err(CliError::Usage("a difference needs two hosts; name another target".to_owned()));
    }
    let found: Diff = diff(&hosts);
    emit(&targets.output, |style| match style.format {
        Format::Json => json(&found),
        Format::Table => found.to_table(usize::from(style.width)),
    })?;
    Ok(match (found.is_empty(), found.has_gaps()) {
        (false, _) => Exit::Refused,
        (true, true) => Exit::Undecided,
        (true, false) => Exit::Done,
    })
}

fn level_all(targets: &CpuTargets, threads: Option<u16>) -> Result<Exit, CliError> {
    let product = targets.as_release.as_deref().map(release_named).transpose()?;
    let parsed: Vec<Target> = targets.targets.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
    once(&parsed)?;
    let read = match level(&targets.targets, &parsed, product, threads)? {
        Levels::Each(read) => read,
        Levels::Fleet(found, bad) => {
            emit(&targets.output, |style| match style.format {
                Format::Json => json(&found),
                Format::Table => found.to_table(usize::from(style.width)),
            })?;
            return match (bad, found.hosts) {
                (0, 0) => Err(CliError::Usage("no host among the targets".to_owned())),
                (0, _) if found.gaps.is_empty() => Ok(Exit::Done),
                (0, _) => Ok(Exit::Undecided),
                _ => Ok(Exit::Usage),
            };
        }
    };
    let others: Vec<String> =
        targets.targets.iter().zip(&read).filter(|(_, read)| read.is_none()).map(|(word, _)| word.clone()).collect();
    let mut others = collect_sides(&others, targets.as_release.as_deref(), &targets.live)?.into_iter();
    let mut sides = Vec::new();
    for (word, read) in targets.targets.iter().zip(read) {
        sides.extend(match read {
            Some(collected) => Some(side(word, known(word, collected), product)),
            None => others.next(),
        });
    }
    tell_notes(&sides);
    let found: Levelled = matrix::level(&labelled(&sides)?);
    emit(&targets.output, |style| match style.format {
        Format::Json => json(&found),
        Format::Table => found.to_table(usize::from(style.width)),
    })?;
    Ok(if found.gaps.is_empty() { Exit::Done } else { Exit::Undecided })
}

/// Standard input can be read once.
fn once(targets: &[Target]) -> Result<(), CliError> {
    if targets.iter().filter(|target| **target == Target::Stdin).count() > 1 {
        return Err(CliError::Usage("standard input (-) can be only one of the targets".to_owned()));
    }
    Ok(())
}

fn search_for(args: &CpuSearch) -> Result<Exit, CliError> {
    let found = find_all(&args.words.join(" "));
    emit(&args.output, |style| match style.format {
        Format::Json => json(&found),
        Format::Table => found.to_table(usize::from(style.width)),
    })?;
    Ok(if found.exact { Exit::Done } else { Exit::Usage })
}

fn json<T: Serialize>(body: T) -> String {
    crate::text::json(&CpuV1 { format: "poolgate-cpu", version: "1.0", body })
}

fn sides(targets: &CpuTargets) -> Result<Vec<Side>, CliError> {
    let sides = collect_sides(&targets.targets, targets.as_release.as_deref(), &targets.live)?;
    tell_notes(&sides);
    Ok(sides)
}

fn tell_notes(sides: &[Side]) {
    // What these are is no part of what a CPU has, and must not be lost: a model that is not listed, a dump that breaks off.
    let foreign = |side: &&Side| matches!(side.snapshot.source.kind.text(), Some("dump" | "catalogue"));
    for side in sides.iter().filter(foreign) {
        side.notes.iter().for_each(|note| complain(&format!("poolgate: {}: {note}", side.target)));
    }
}

/// Every host of every target, by its name; a name that several have gets the target before it.
fn labelled<'a>(sides: &'a [Side]) -> Result<Vec<Labelled<'a>>, CliError> {
    let mut hosts = Vec::new();
    for side in sides {
        for host in side.snapshot.pool.hosts.each() {
            let name = host.name_label.text().filter(|name| !name.is_empty()).unwrap_or(&side.target);
            let labelled = Labelled::of(plain(name).into_owned(), host).ok_or_else(|| {
                let why = host.cpu.unknown().map(ToString::to_string).unwrap_or_default();
                CliError::Usage(format!("{}: the CPU of {name} is not known ({why})", side.target))
            })?;
            hosts.push((labelled, side.target.as_str()));
        }
    }
    if hosts.is_empty() {
        return Err(CliError::Usage("no host among the targets".to_owned()));
    }
    let names: Vec<_> = hosts.iter().map(|(host, _)| host.name.clone()).collect();
    let many = |name: &str| names.iter().filter(|other| *other == name).count() > 1;
    let label = |(mut host, target): (Labelled<'a>, &str)| {
        if many(&host.name) {
            host.name = format!("{target}: {}", host.name);
        }
        host
    };
    Ok(hosts.into_iter().map(label).collect())
}
