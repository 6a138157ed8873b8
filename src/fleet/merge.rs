//! Puts the parts of a fleet together again. What is missing, there twice or of another run is refused by name.

use std::collections::BTreeMap;

use super::tally::Tally;
use super::{FleetReport, Shard};

/// A part, and the file that it was read from.
#[derive(Clone, Debug)]
pub struct Part {
    /// The file.
    pub file: String,
    /// What it holds.
    pub report: FleetReport,
}

/// Why parts do not make a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Nothing to merge.
    #[error("no part; name the JSON or NDJSON reports of all shards")]
    None,
    /// A report on a whole fleet.
    #[error("{file}: the report on a whole fleet, not on a part; merge what `check --fleet … --shard I/N` wrote")]
    Whole {
        /// The file.
        file: String,
    },
    /// A part of another run.
    #[error(
        "{file}: of another run than {first}: {what} differs ({here}, there {there}); merge parts of one run only"
    )]
    Foreign {
        /// The file.
        file: String,
        /// The file that it was compared with.
        first: String,
        /// What differs.
        what: &'static str,
        /// What it is in this file.
        here: String,
        /// What it is in the other.
        there: String,
    },
    /// A part that is there twice.
    #[error("{file}: part {index}/{of} is there twice, also in {first}; name each part once")]
    Twice {
        /// The file.
        file: String,
        /// The file that holds it too.
        first: String,
        /// Which part.
        index: u32,
        /// Of how many.
        of: u32,
    },
    /// Parts that are not there.
    #[error("{}; run `check --fleet … --shard I/{of}` for each and name all of the reports", missing(.parts, *.of))]
    Missing {
        /// Which.
        parts: Vec<u32>,
        /// Of how many.
        of: u32,
    },
    /// Parts that do not meet: the fleet was changed between two runs.
    #[error(
        "{file}: begins at byte {from} of the fleet, but the part before it, {before}, ends at byte {to}; \
         the fleet was changed in between: judge all parts again"
    )]
    Gap {
        /// The file.
        file: String,
        /// Where it begins.
        from: u64,
        /// The file of the part before it.
        before: String,
        /// Where that ends.
        to: u64,
    },
}

fn missing(parts: &[u32], of: u32) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<_> = parts.iter().take(SHOWN).map(|part| format!("{part}/{of}")).collect();
    let more = parts.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let word = if parts.len() == 1 { "part" } else { "parts" };
    format!("missing {word} {}{more}", shown.join(", "))
}

/// The report on the whole fleet, and the parts' places among those given, in the order of the fleet.
pub fn merge(parts: Vec<Part>) -> Result<(FleetReport, Vec<usize>), MergeError> {
    let mut by_index: BTreeMap<u32, (usize, Part, Shard)> = BTreeMap::new();
    let mut first: Option<(String, Shard, FleetReport)> = None;
    for (place, part) in parts.into_iter().enumerate() {
        let Some(shard) = part.report.shard.clone() else { return Err(MergeError::Whole { file: part.file }) };
        match &first {
            None => first = Some((part.file.clone(), shard.clone(), part.report.clone())),
            Some((file, other, report)) => same_run(file, (report, other), &part, &shard)?,
        }
        if let Some((_, twice, _)) = by_index.get(&shard.index) {
            let first = twice.file.clone();
            return Err(MergeError::Twice { file: part.file, first, index: shard.index, of: shard.of });
        }
        by_index.insert(shard.index, (place, part, shard));
    }
    let Some((_, Shard { of, bytes, .. }, _)) = first else { return Err(MergeError::None) };
    let missing: Vec<_> = (1..=of).filter(|index| !by_index.contains_key(index)).collect();
    if !missing.is_empty() {
        return Err(MergeError::Missing { parts: missing, of });
    }
    let (mut order, mut tally, mut end) = (Vec::new(), None::<Tally>, ("the fleet's beginning".to_owned(), 0));
    let mut head = None;
    for (place, part, shard) in by_index.into_values() {
        if shard.from != end.1 {
            return Err(MergeError::Gap { file: part.file, from: shard.from, before: end.0, to: end.1 });
        }
        end = (part.file, shard.to);
        order.push(place);
        head.get_or_insert_with(|| (part.report.fleet.clone(), part.report.policy.clone()));
        let more = Tally::of(part.report);
        match &mut tally {
            None => tally = Some(more),
            Some(tally) => tally.join(more),
        }
    }
    if end.1 != bytes {
        return Err(MergeError::Gap { file: "the fleet's end".to_owned(), from: bytes, before: end.0, to: end.1 });
    }
    match (tally, head) {
        (Some(tally), Some((fleet, policy))) => Ok((tally.report(fleet, policy), order)),
        _ => Err(MergeError::None),
    }
}

/// Whether two parts are of one fleet, judged by one program, one set of rules and one policy.
fn same_run(
    first: &str,
    (there, other): (&FleetReport, &Shard),
    part: &Part,
    shard: &Shard,
) -> Result<(), MergeError> {
    let here = &part.report;
    let policy = |report: &FleetReport| {
        let release = report.policy.as_release.as_deref().unwrap_or("none");
        format!("max hosts {}, as release {release}, worst {}", report.policy.max_hosts, report.policy.worst)
    };
    let facts = [
        ("the program", here.tool.clone(), there.tool.clone()),
        ("the fleet's name", here.fleet.clone(), there.fleet.clone()),
        ("the number of parts", shard.of.to_string(), other.of.to_string()),
        ("the fleet's size", shard.bytes.to_string(), other.bytes.to_string()),
        ("the fleet's beginning", shard.head.clone(), other.head.clone()),
        ("the rules", shard.rules.clone(), other.rules.clone()),
        ("what was asked", policy(here), policy(there)),
    ];
    match facts.into_iter().find(|(_, here, there)| here != there) {
        None => Ok(()),
        Some((what, here, there)) => {
            Err(MergeError::Foreign { file: part.file.clone(), first: first.to_owned(), what, here, there })
        }
    }
}
