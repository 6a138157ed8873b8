//! Keeps a run from writing over what it reads: one slip of a name, and a pool's only snapshot is gone.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use clap::{ArgMatches, Command};

use super::error::CliError;

/// Options that name files to be written.
const WRITTEN: [&str; 3] = ["output", "plan-out", "restore-out"];

/// Refuses a command line that names one file to be read and to be written.
pub(super) fn refuse(command: &Command, matches: &ArgMatches) -> Result<(), CliError> {
    let (mut command, mut matches) = (command, matches);
    while let Some((name, inner)) = matches.subcommand() {
        let Some(next) = command.find_subcommand(name) else { break };
        (command, matches) = (next, inner);
    }
    let (mut written, mut read) = (Vec::new(), Vec::new());
    for argument in command.get_arguments() {
        let Ok(Some(values)) = matches.try_get_raw(argument.get_id().as_str()) else { continue };
        let is_output = argument.get_long().is_some_and(|long| WRITTEN.contains(&long));
        for value in values {
            // What is no regular file (`/dev/null`, a pipe) is not replaced, and may be named twice.
            let Some(file) = regular(value) else { continue };
            if is_output { &mut written } else { &mut read }.push((value, file));
        }
    }
    match written.iter().find(|(_, file)| read.iter().any(|(_, other)| other == file)) {
        None => Ok(()),
        Some((name, _)) => Err(CliError::Usage(format!(
            "{}: this run also reads that file, and would write over it; name another one for what it writes",
            Path::new(name).display()
        ))),
    }
}

/// What tells an existing regular file from all others.
fn regular(value: &OsStr) -> Option<(u64, u64)> {
    let found = fs::metadata(value).ok().filter(fs::Metadata::is_file)?;
    Some((found.dev(), found.ino()))
}
