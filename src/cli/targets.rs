//! Targets to sides: collects each, says what is assumed, and predicts what Xen would offer where it does not run.

use std::io;
use std::panic::resume_unwind;
use std::thread;

use super::args::LiveArgs;
use super::error::CliError;
use super::live::Live;
use super::output::complain;
use crate::collect::{Collected, Target, local, read_target};
use crate::cpu::releases::Product;
use crate::rules::Side;
use crate::rules::assume::{assume, release_named};
use crate::snapshot::Snapshot;

/// Collects targets, live ones at once, and gives them in order. Standard input can be named once.
pub(super) fn collect_sides(
    words: &[String],
    as_release: Option<&str>,
    live: &LiveArgs,
) -> Result<Vec<Side>, CliError> {
    let product = as_release.map(release_named).transpose()?;
    let collected = collect_all(words, live)?;
    let side = |(word, found): (&String, _)| side(word, found, product);
    Ok(words.iter().zip(collected).map(side).collect())
}

/// A target's snapshot as a side, with what is assumed of it.
pub(super) fn side(word: &str, found: (Snapshot, Vec<String>), product: Option<&'static Product>) -> Side {
    let (mut snapshot, mut notes) = found;
    let assumed = product.map(|product| assume(&mut snapshot, product)).unwrap_or_default();
    notes.extend(assumed.notes);
    Side { target: word.to_owned(), snapshot, assumed: assumed.paths, notes }
}

/// Collects targets in order; every one that fails is named.
pub(super) fn collect_all(words: &[String], live: &LiveArgs) -> Result<Vec<(Snapshot, Vec<String>)>, CliError> {
    let inputs = words.iter().filter(|word| *word == "-").count();
    if inputs > 1 {
        return Err(CliError::Usage("standard input (-) can be only one of the targets".to_owned()));
    }
    if inputs > 0 && live.password_stdin {
        return Err(CliError::Usage("standard input is a target (-) and cannot hold passwords too".to_owned()));
    }
    let targets: Vec<Target> = words.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
    let far: Vec<Target> = targets.iter().filter(|target| is_live(target)).cloned().collect();
    if far.is_empty() {
        return all(words.iter().zip(&targets).map(|(word, target)| near_one(word, target)));
    }
    let doors = Live::new(live, &far)?;
    let (near, far) = thread::scope(|scope| {
        let far = scope.spawn(|| doors.collect(&far));
        let near: Vec<_> = words.iter().zip(&targets).filter(|(_, target)| !is_live(target)).collect();
        let near: Vec<_> = near.into_iter().map(|(word, target)| near_one(word, target)).collect();
        (near, far.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let (mut near, mut far) = (near.into_iter(), far.into_iter());
    all(words.iter().zip(&targets).filter_map(|(word, target)| {
        if is_live(target) { far.next().map(|found| found.map(|found| known(word, found))) } else { near.next() }
    }))
}

const fn is_live(target: &Target) -> bool {
    matches!(target, Target::Url { .. } | Target::XapiLocal)
}

/// All results, or all errors.
fn all<T>(results: impl Iterator<Item = Result<T, CliError>>) -> Result<Vec<T>, CliError> {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => found.push(one),
            Err(error) => errors.push(error),
        }
    }
    match errors.pop() {
        None => Ok(found),
        Some(only) if errors.is_empty() => Err(only),
        Some(last) => {
            errors.push(last);
            Err(CliError::Several(errors))
        }
    }
}

/// Collects a target that is no server.
fn near_one(word: &str, target: &Target) -> Result<(Snapshot, Vec<String>), CliError> {
    if *target == Target::Local {
        return Ok((local::collect()?, Vec::new()));
    }
    Ok(known(word, read_target(target, &mut io::stdin().lock())?))
}

/// Keys that nobody knows are remarked on, not dropped in silence.
pub(super) fn known(word: &str, mut collected: Collected) -> (Snapshot, Vec<String>) {
    if !collected.strangers.is_empty() {
        const SHOWN: usize = 8;
        let shown = collected.strangers.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = collected.strangers.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let remark = format!("{word}: keys that this version does not know are left out: {shown}{more}");
        complain(&format!("poolgate: {remark}"));
        collected.notes.push(remark);
    }
    (collected.snapshot, collected.notes)
}
