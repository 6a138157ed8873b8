//! Keeps a run from writing over what it reads: one slip of a name, and a pool's only snapshot is gone.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use clap::{ArgMatches, Command};

use super::error::CliError;
use crate::collect::is_answer;

/// Options that name files to be written.
const WRITTEN: [&str; 3] = ["output", "plan-out", "restore-out"];

/// Refuses a command line that names one file to be read and to be written.
pub(super) fn refuse(command: &Command, matches: &ArgMatches) -> Result<(), CliError> {
    let (mut command, mut matches) = (command, matches);
    while let Some((name, inner)) = matches.subcommand() {
        let Some(next) = command.find_subcommand(name) else { break };
        (command, matches) = (next, inner);
    }
    let (mut written, mut read, mut folders) = (Vec::new(), Vec::new(), Vec::new());
    for argument in command.get_arguments() {
        let Ok(Some(values)) = matches.try_get_raw(argument.get_id().as_str()) else { continue };
        let is_output = argument.get_long().is_some_and(|long| WRITTEN.contains(&long));
        for value in values {
            // What is no regular file (`/dev/null`, a pipe) is not replaced, and may be named twice.
            match identity(value, fs::Metadata::is_file) {
                Some(file) if is_output => written.push((value, file)),
                Some(file) => read.push(file),
                None if is_output => {}
                None => folders.extend(identity(value, fs::Metadata::is_dir)),
            }
        }
    }
    let is_read = |name: &OsStr, file: &Identity| read.contains(file) || is_read_within(name, &folders);
    match written.iter().find(|(name, file)| is_read(name, file)) {
        None => Ok(()),
        Some((name, _)) => Err(CliError::Usage(format!(
            "{}: this run also reads that file, and would write over it; name another one for what it writes",
            Path::new(name).display()
        ))),
    }
}

/// What tells an existing file or folder from all others: device and inode.
type Identity = (u64, u64);

fn identity(value: &OsStr, wanted: impl Fn(&fs::Metadata) -> bool) -> Option<Identity> {
    let found = fs::metadata(value).ok().filter(wanted)?;
    Some((found.dev(), found.ino()))
}

/// Whether a file is one that is read of a folder which the run names: a rule, which may lie in a folder of its phase, or an
/// answer of the server.
fn is_read_within(name: &OsStr, folders: &[Identity]) -> bool {
    let path = Path::new(name);
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let is_rule = file.ends_with(".toml");
    if !is_rule && !is_answer(path) {
        return false;
    }
    let Ok(path) = path.canonicalize() else { return false };
    let above = path.ancestors().skip(1).take(if is_rule { 2 } else { 1 });
    above.filter_map(|folder| identity(folder.as_os_str(), fs::Metadata::is_dir)).any(|of| folders.contains(&of))
}
