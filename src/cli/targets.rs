//! Targets to sides: collects each, says what is assumed, and predicts what Xen would offer where it does not run.

use std::io;

use super::error::CliError;
use super::output::complain;
use crate::collect::{Target, local, read_target};
use crate::cpu::releases::Product;
use crate::rules::Side;
use crate::rules::assume::{assume, release_named};
use crate::snapshot::Snapshot;

/// Collects targets, in order. Standard input can be named once.
pub(super) fn collect_sides(words: &[String], as_release: Option<&str>) -> Result<Vec<Side>, CliError> {
    let product = as_release.map(release_named).transpose()?;
    if words.iter().filter(|word| *word == "-").count() > 1 {
        return Err(CliError::Usage("standard input (-) can be only one of the targets".to_owned()));
    }
    words.iter().map(|word| collect_side(word, product)).collect()
}

fn collect_side(word: &str, product: Option<&'static Product>) -> Result<Side, CliError> {
    let (mut snapshot, mut notes) = collect(word)?;
    let assumed = product.map(|product| assume(&mut snapshot, product)).unwrap_or_default();
    notes.extend(assumed.notes);
    Ok(Side { target: word.to_owned(), snapshot, assumed: assumed.paths, notes })
}

/// Collects one target; keys that nobody knows are remarked on, not dropped in silence.
pub(super) fn collect(word: &str) -> Result<(Snapshot, Vec<String>), CliError> {
    let target: Target = word.parse()?;
    if target == Target::Local {
        return Ok((local::collect()?, Vec::new()));
    }
    let mut collected = read_target(&target, &mut io::stdin().lock())?;
    if !collected.strangers.is_empty() {
        const SHOWN: usize = 8;
        let shown = collected.strangers.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = collected.strangers.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let remark = format!("{word}: keys that this version does not know are left out: {shown}{more}");
        complain(&format!("poolgate: {remark}"));
        collected.notes.push(remark);
    }
    Ok((collected.snapshot, collected.notes))
}
