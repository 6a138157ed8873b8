//! The facts that decided, with the side, the source and the time that each was seen.

use super::case::Side;
use super::expr::Read;
use super::outcome::{Evidence, Finding, Outcome};

/// Where the two sides' facts came from, for evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    /// The pool's side.
    pub(super) pool: &'a Side,
    /// The joiner's side.
    pub(super) joiner: &'a Side,
}

/// Lists facts as a finding's evidence, each once, and counts those beyond the first.
pub(super) fn list(finding: &mut Finding, sources: Sources<'_>, reads: Vec<Read>) {
    const LISTED: usize = 24;
    let mut listed: Vec<Evidence> = Vec::new();
    for read in reads {
        let mut evidence = witness(sources, read);
        if finding.outcome != Outcome::Unknown {
            evidence.about.clear();
        }
        if listed.contains(&evidence) {
            continue;
        }
        if listed.len() < LISTED {
            listed.push(evidence);
        } else {
            finding.evidence_left_out += 1;
        }
    }
    finding.evidence = listed;
}

fn witness(sources: Sources<'_>, read: Read) -> Evidence {
    let root = read.path.split(['.', '[']).next().unwrap_or_default();
    let side = match root {
        "pool" | "coordinator" | "member" | "pool_management" | "pool_software" => Some(sources.pool),
        "joiner" | "host" | "management" | "software" | "release" | "machine" | "assumed" => Some(sources.joiner),
        _ => None,
    };
    let assumed = side.is_some_and(|side| is_assumed(&side.assumed, &read.path));
    Evidence {
        missing: read.unknown.is_some(),
        about: if read.unknown.is_some() { read.about } else { String::new() },
        fact: read.path,
        object: read.object,
        value: read.unknown.map_or(read.value, |unknown| unknown.to_string()),
        source: side.map_or_else(|| "derived".to_owned(), |side| side.target.clone()),
        seen: side.map(|side| side.seen().to_owned()).unwrap_or_default(),
        assumed,
    }
}

/// Whether a fact of the case lies below an assumed path of its side. `host` and `coordinator` are the first host.
fn is_assumed(assumed: &[String], path: &str) -> bool {
    let inner = match path.split_once('.') {
        Some(("host" | "coordinator", rest)) => format!("hosts[0].{rest}"),
        Some(("software" | "pool_software", _)) => "hosts[0].software_version".to_owned(),
        Some((_, rest)) => rest.to_owned(),
        None => return false,
    };
    assumed.iter().any(|prefix| {
        inner.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}
