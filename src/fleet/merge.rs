//! Puts the parts of a fleet together again. What is missing, there twice or of another run is refused by name.

use std::collections::BTreeMap;

use super::tally::Tally;
use super::{FleetReport, LineCounts, Shard, ShardError, ShardOf};
use crate::rules::Verdict;

/// A part, and the file that it was read from.
#[derive(Clone, Debug)]
pub struct Part {
    /// The file.
    pub file: String,
    /// What it holds.
    pub report: FleetReport,
    /// What its lines of hosts come to; none where it has none of them.
    pub lines: Option<LineCounts>,
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
    /// A part that contradicts itself.
    #[error("{file}: {what}; poolgate did not write that: judge the part again")]
    Unsound {
        /// The file.
        file: String,
        /// What in it cannot be.
        what: String,
    },
    /// A part of another run.
    #[error("{file}: of another run than {first}: {what} ({here}, there {there}); merge parts of one run only")]
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
        let against = |lines: &LineCounts| lines.contradiction(&part.report);
        if let Some(what) = unsound(&part.report, &shard).or_else(|| part.lines.as_ref().and_then(against)) {
            return Err(MergeError::Unsound { file: part.file, what });
        }
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

/// What contradicts itself in a part. Nothing was counted more often than the part has bytes, so sums of parts that meet
/// do not overflow; and a verdict is that of the counts.
fn unsound(report: &FleetReport, shard: &Shard) -> Option<String> {
    let Shard { index, of, bytes, from, to, .. } = shard;
    if !(1..=*of).contains(index) || *of > ShardOf::MOST {
        return Some(format!("part {index}/{of}: {ShardError}"));
    }
    if from > to || to > bytes {
        return Some(format!("bytes {from} to {to} of {bytes} are no part of a fleet"));
    }
    let (read, length) = (&report.read, to - from);
    let joiners = report.joiners.checked_total();
    let rules = report.rules.iter().flat_map(|rule| [rule.failed, rule.undecided, rule.pools]);
    let counts = [read.lines, read.unreadable, read.pools, read.alone, read.doubtful, read.not_judged, read.returned]
        .into_iter()
        .chain(rules)
        .chain(report.refusals.iter().map(|refusal| refusal.joiners))
        .chain(report.missing.iter().map(|missing| missing.joiners))
        .map(Some)
        .chain([joiners, report.pools.checked_total()]);
    if counts.into_iter().any(|count| count.is_none_or(|count| count > length)) {
        return Some(format!("counts more than its {length} bytes of the fleet can hold"));
    }
    let words = |verdict: Option<Verdict>| verdict.map_or("nothing", Verdict::words);
    let counted = Tally::of(report.clone()).verdict();
    (counted != report.verdict)
        .then(|| format!("says {}, but its counts say {}", words(report.verdict), words(counted)))
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
    let short = |digest: &str| digest.chars().take(12).collect::<String>();
    let facts = [
        ("the program differs", here.tool.clone(), there.tool.clone()),
        ("the fleet's name differs", here.fleet.clone(), there.fleet.clone()),
        ("the number of parts differs", shard.of.to_string(), other.of.to_string()),
        ("the fleet's size differs", shard.bytes.to_string(), other.bytes.to_string()),
        ("the fleet's beginning differs", shard.head.clone(), other.head.clone()),
        ("the rules differ, by `--rules` or by the program", short(&shard.rules), short(&other.rules)),
        ("what was asked differs", policy(here), policy(there)),
    ];
    match facts.into_iter().find(|(_, here, there)| here != there) {
        None => Ok(()),
        Some((what, here, there)) => {
            Err(MergeError::Foreign { file: part.file.clone(), first: first.to_owned(), what, here, there })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::FleetPolicy;
    use super::*;

    /// A part with one joiner that may not join.
    fn part(index: u32, change: impl FnOnce(&mut FleetReport, &mut Shard)) -> Part {
        let mut tally = Tally::new(1);
        tally.joiners.add(Verdict::NoGo);
        tally.read.lines = 2;
        let mut report = tally.report("fleet".to_owned(), FleetPolicy { max_hosts: 16, as_release: None, worst: 1 });
        let (from, to) = (100 * u64::from(index - 1), 100 * u64::from(index));
        let mut shard =
            Shard { index, of: 2, bytes: 200, from, to, head: "a".to_owned(), rules: "b".to_owned(), heard: vec![] };
        change(&mut report, &mut shard);
        report.shard = Some(shard);
        Part { file: format!("{index}.json"), report, lines: None }
    }

    #[test]
    fn the_whole_is_no_better_than_its_parts() {
        let (whole, order) = merge(vec![part(2, |_, _| {}), part(1, |_, _| {})]).unwrap();
        assert_eq!((whole.verdict, whole.joiners.no_go, order), (Some(Verdict::NoGo), 2, vec![1, 0]));
    }

    #[test]
    fn lines_are_held_against_the_summary() {
        let counted = |lines: &[&str]| {
            let mut counts = LineCounts::default();
            lines.iter().try_for_each(|line| counts.add(line.as_bytes())).map(|()| counts)
        };
        let first = r#"{"type":"first","line":1,"name":"a","uuid":"","pool":"p"}"#;
        let joiner = r#"{"type":"joiner","line":2,"verdict":"NO-GO","failed":[],"undecided":[]}"#;
        let go = r#"{"type":"joiner","line":2,"verdict":"GO","failed":[],"undecided":[]}"#;
        let ruled = r#"{"type":"joiner","line":2,"verdict":"NO-GO","failed":[{"rule":"x"}],"undecided":[]}"#;
        let merged = |lines: &[&str]| {
            let lines = Some(counted(lines).unwrap());
            let whole = |report: &mut FleetReport, _: &mut Shard| report.read.pools = 1;
            merge(vec![Part { lines, ..part(1, whole) }, part(2, whole)]).map(|(whole, _)| whole.verdict)
        };
        assert_eq!(merged(&[first, joiner]), Ok(Some(Verdict::NoGo)));
        for (lines, message) in [
            (&[first] as &[_], "its summary counts 1 joiners with NO-GO, its lines 0"),
            (&[first, go], "its summary counts 0 joiners with GO, its lines 1"),
            (&[joiner], "its summary counts 1 pools, its lines 0"),
            (&[first, ruled], "its summary counts x as failed 0 and undecided 0 times, its lines 1 and 0"),
        ] {
            let error = merged(lines).unwrap_err().to_string();
            assert!(error.starts_with("1.json: ") && error.contains(message), "{error}");
        }
        for odd in [
            &[joiner, joiner] as &[_],
            &["{"],
            &[r#"{"type":"summary","line":9}"#],
            &[r#"{"type":"joiner","line":9}"#],
        ] {
            assert!(counted(odd).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_no_part() {
        type Change = fn(&mut FleetReport, &mut Shard);
        let cases: [(Change, &str); 8] = [
            // Together with another part this was none at all, and the whole was GO.
            (|report, _| report.joiners.no_go = u64::MAX, "counts more than its 100 bytes of the fleet can hold"),
            (|report, _| (report.joiners.go, report.joiners.no_go) = (u64::MAX, 1), "counts more than"),
            (|report, _| report.read.lines = 101, "counts more than"),
            (|report, _| report.verdict = Some(Verdict::Go), "says GO, but its counts say NO-GO"),
            (|report, _| (report.joiners.no_go, report.joiners.go) = (0, 1), "says NO-GO, but its counts say GO"),
            // Each part that is missing was told, by name.
            (|_, shard| shard.of = u32::MAX, "part 1/4294967295: expected I/N with 1 \u{2264} I"),
            (|_, shard| shard.index = 3, "part 3/2: expected I/N"),
            (|_, shard| shard.to = 201, "bytes 0 to 201 of 200 are no part of a fleet"),
        ];
        for (change, message) in cases {
            let error = merge(vec![part(1, change), part(2, |_, _| {})]).unwrap_err().to_string();
            assert!(error.starts_with("1.json: ") && error.contains(message), "{error}");
        }
    }
}
