//! `poolgate quote`, and `poolgate check --quote`: servers that are not bought yet, judged by what hardware alone decides.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::Exit;
use super::args::{Check, Quote, QuoteInit};
use super::check;
use super::error::CliError;
use super::output::{complain, print, write_file};
use super::rules::load_for;
use super::targets::collect_sides;
use crate::collect::{TEMPLATE, read_quote};
use crate::rules::assume::{assume, release_named};
use crate::rules::{Finding, Judgement, Outcome, Phase, Policy, Severity, Side, judge_sequence};

pub(super) fn run(args: &Quote) -> Result<Exit, CliError> {
    match args {
        Quote::Init(args) => init(args),
    }
}

fn init(args: &QuoteInit) -> Result<Exit, CliError> {
    if args.file.as_os_str() == "-" {
        return print(TEMPLATE).map(|()| Exit::Done);
    }
    if args.overwrite {
        let existed = args.file.exists();
        write_file(&args.file, TEMPLATE)?;
        let what = if existed { "replaced" } else { "written" };
        complain(&format!("poolgate: {} {what}", args.file.display()));
        return Ok(Exit::Done);
    }
    match create(&args.file) {
        Ok(()) => {
            complain(&format!("poolgate: {} written", args.file.display()));
            Ok(Exit::Done)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(CliError::Usage(format!(
            "{}: exists, and is left as it is; name another file, or say --overwrite",
            args.file.display()
        ))),
        Err(source) => Err(CliError::Write { path: args.file.clone(), source }),
    }
}

/// Writes a new file whole or not at all.
fn create(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(folder)?;
    file.write_all(TEMPLATE.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

/// `poolgate check --quote`.
pub(super) fn run_check(args: &Check) -> Result<Exit, CliError> {
    let pool = collect_sides(std::slice::from_ref(&args.pool), None, &args.live)?;
    let Some(pool) = pool.into_iter().next() else {
        return Err(CliError::Usage("no pool".to_owned()));
    };
    let mut joiners = Vec::new();
    let mut releases: Vec<&'static str> = Vec::new();
    for path in &args.quote {
        let quote = read_quote(path)?;
        let product = match (quote.release, args.as_release.as_deref()) {
            (Some(product), None) => product,
            (None, Some(name)) => release_named(name)?,
            (Some(product), Some(name)) if release_named(name)?.name == product.name => product,
            (Some(product), Some(name)) => {
                let file = path.display();
                return Err(CliError::Usage(format!("{file} is for {}, --as-release says {name}", product.name)));
            }
            (None, None) => {
                let file = path.display();
                return Err(CliError::Usage(format!(
                    "{file}: no release; write `release = \"xcp-ng-8.3\"`, or say --as-release"
                )));
            }
        };
        releases.push(product.name);
        for collected in quote.servers {
            let mut snapshot = collected.snapshot;
            let assumed = assume(&mut snapshot, product);
            let notes = collected.notes.into_iter().chain(assumed.notes).collect();
            joiners.push(Side { target: path.display().to_string(), snapshot, assumed: assumed.paths, notes });
        }
    }
    releases.dedup();
    let policy = Policy { max_hosts: args.max_hosts, as_release: releases.first().map(|name| (*name).to_owned()) };
    let rules = load_for(Phase::Procurement, &args.rules.folders)?;
    let judged = check::judge(args, &pool, &joiners, &rules, Phase::Procurement, &policy)?;
    let of_join = load_for(Phase::Join, &args.rules.folders)?;
    let open = judge_sequence(&pool, &joiners, &of_join, Phase::Join, &policy);
    for ((joiner, judgement), open) in joiners.iter_mut().zip(&judged.judgements).zip(&open) {
        joiner.notes.extend(condition(judgement, open));
    }
    check::finish(args, &pool, &joiners, judged, policy)
}

/// What only the installed host will show: rules of a join that the quote leaves undecided, and those that would refuse
/// what is assumed of a fresh installation.
fn condition(judged: &Judgement, join: &Judgement) -> Option<String> {
    let decided_here = |finding: &&Finding| judged.findings.iter().any(|other| other.rule == finding.rule);
    let names = |wanted: &dyn Fn(&Finding) -> bool| {
        let found = join.findings.iter().filter(|finding| wanted(finding)).filter(|finding| !decided_here(finding));
        found.map(|finding| finding.rule.as_str()).collect::<Vec<_>>()
    };
    let open = names(&|finding| finding.outcome == Outcome::Unknown);
    let refused = names(&|finding| finding.outcome == Outcome::Fail && finding.severity == Severity::Blocker);
    let mut parts = Vec::new();
    if !open.is_empty() {
        let rules = if open.len() == 1 { "rule" } else { "rules" };
        parts.push(format!(
            "{} {rules} of a join can only be decided by the installed host: {}",
            open.len(),
            open.join(", ")
        ));
    }
    if !refused.is_empty() {
        parts.push(format!("a fresh installation as assumed would be refused by {}", refused.join(", ")));
    }
    (!parts.is_empty()).then(|| format!("an answer on condition: {}; check the host again then", parts.join("; ")))
}
