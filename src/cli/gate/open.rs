//! What an earlier run has left: a call whose end is not known goes before anything new, in whichever journal it stands.

use std::path::Path;

use super::{default_folder, journal_path};
use crate::cli::args::GateArgs;
use crate::cli::error::CliError;
use crate::cli::limits::read as read_file;
use crate::cli::output::complain;
use crate::gate::journal::{Journal, MOST, Reading, list, noted, others, read, remember};
use crate::gate::lock::Lock;
use crate::gate::{Call, Left, left_open};
use crate::text::{plain, shell_word};

/// A journal of one's own is noted where the next run finds it, as long as a run is open in it.
pub(super) fn note_journal(args: &GateArgs, pool: &str, journal: &Journal) -> Result<(), CliError> {
    if args.journal.is_none() {
        return Ok(());
    }
    let folder = default_folder()?;
    remember(&folder, pool, journal.path()).map_err(|source| CliError::Write { path: list(&folder, pool), source })
}

/// A run that broke off after its call goes first: its host may be half-way.
pub(super) fn refuse_open_call(args: &GateArgs, journal: &Journal, pool: &str) -> Result<(), CliError> {
    refuse_open_elsewhere(args, pool)?;
    let Some(left) = left_open(journal.before()) else { return Ok(()) };
    let Some(call) = &left.call else {
        complain(&left.broke_off());
        return Ok(());
    };
    Err(open_call(&left, call, journal.path()))
}

/// Before anything is judged: whether another run acts on the pool now, or the call of an earlier one is open.
pub(super) fn refuse_busy(args: &GateArgs, pool: &str) -> Result<(), CliError> {
    // Whoever only plans needs no place for locks and journals.
    let Ok(folder) = default_folder() else { return Ok(()) };
    Lock::look(&folder, pool)?;
    refuse_open_elsewhere(args, pool)?;
    refuse_open_in(&journal_path(args, pool)?, pool)
}

/// The same of the pool's other journals than this run's: another journal does not make a call undone.
pub(super) fn refuse_open_elsewhere(args: &GateArgs, pool: &str) -> Result<(), CliError> {
    let Ok(folder) = default_folder() else { return Ok(()) };
    let notes = list(&folder, pool);
    let unread = |source| CliError::Read { what: "the list of journals", path: notes.clone(), source };
    let whole = |path: &Path| std::fs::canonicalize(path).ok();
    let own = whole(&journal_path(args, pool)?);
    let usual = folder.join(crate::gate::journal_name(pool));
    let others = others(&folder, pool).map_err(unread)?;
    if let Some(gone) = others.iter().find(|path| !path.exists()) {
        return Err(CliError::OpenCall(format!(
            "an earlier run on this pool has its journal in {}, which is not there: whether its call has come to its end is not known. \
             Bring it back and see with --resume --journal; where it is lost, look at the servers, and take its line out of {}",
            gone.display(),
            notes.display()
        )));
    }
    let all = std::iter::once(usual).chain(others);
    all.filter(|path| own.is_none() || whole(path) != own).try_for_each(|path| refuse_open_in(&path, pool))
}

/// Before a host is judged as a joiner: whether the call of an earlier run to another pool is open for it. It may be half-way there.
pub(super) fn refuse_half_way(hosts: &[&str]) -> Result<(), CliError> {
    let Ok(folder) = default_folder() else { return Ok(()) };
    let unread = |source| CliError::Read { what: "the folder of journals", path: folder.clone(), source };
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(unread)?,
    };
    let mut journals = Vec::new();
    for entry in entries {
        let path = entry.map_err(unread)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("journal-") && name.ends_with(".jsonl") {
            journals.push(path);
        } else if name.starts_with("journals-") && name.ends_with(".txt") {
            journals.extend(noted(&path).map_err(unread)?.into_iter().filter(|path| path.exists()));
        }
    }
    journals.sort();
    for path in journals {
        let left = left_open(&reading(&path)?.entries);
        let open = left.as_ref().and_then(|left| Some((left, left.call.as_ref()?)));
        if let Some((left, call)) = open.filter(|(_, call)| hosts.contains(&call.host.uuid.as_str())) {
            return Err(open_call(left, call, &path));
        }
    }
    Ok(())
}

/// The same of a journal that is only read.
fn refuse_open_in(path: &Path, pool: &str) -> Result<(), CliError> {
    if !path.exists() {
        return Ok(());
    }
    let reading = reading(path)?;
    if let Some(fault) = &reading.fault {
        return Err(CliError::OpenCall(format!(
            "{}: line {}: {}; the journal was changed, so that nobody can tell by it whether a call has come to its end. Look at the \
             servers (`xe host-list`, `xe task-list`), find out who changed it, and then move it to another place: the next run \
             begins a new one",
            path.display(),
            fault.line,
            fault.what
        )));
    }
    let left = left_open(&reading.entries);
    match left.as_ref().filter(|left| left.pool.uuid == pool).and_then(|left| Some((left, left.call.as_ref()?))) {
        Some((left, call)) => Err(open_call(left, call, path)),
        None => Ok(()),
    }
}

/// A journal, only read.
fn reading(path: &Path) -> Result<Reading, CliError> {
    Ok(read(&read_file("journals", path, MOST)?))
}

fn open_call(left: &Left, call: &Call, journal: &Path) -> CliError {
    CliError::OpenCall(format!(
        "{} was sent for {} at {} and its end is not known; see first with `poolgate {} --resume --journal {}` and the same targets, pool {}",
        left.act.method(),
        call.host.name,
        call.at,
        left.act.word(),
        shell_word(&journal.display().to_string()),
        plain(&left.pool.name)
    ))
}
