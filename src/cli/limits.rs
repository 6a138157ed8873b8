//! How much is read of the files that a command is given beside its targets, in one place, and how they are read. The
//! limits of targets and of servers are in `collect::limits`; `docs/limits.md` has all of them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::error::CliError;
use crate::collect::refused;

/// Bytes of a rule or a file of severities: a page, not a book.
pub(super) const RULE: u64 = 1 << 20;
/// Files of rules in one folder.
pub(super) const RULES: usize = 10_000;
/// Bytes of a file of waivers; each is a few lines.
pub(super) const WAIVERS: u64 = 1 << 20;
/// Bytes of a file of weights; there are some twenty groups.
pub(super) const WEIGHTS: u64 = 1 << 20;
/// Bytes of a plan of a join or an eject.
pub(super) const PLAN: u64 = 64 << 20;
/// Bytes of a JSON report.
pub(super) const REPORT: u64 = 256 << 20;
/// Values of a JSON report.
pub(super) const REPORT_VALUES: usize = 5_000_000;
/// Bytes of a password.
pub(super) const PASSWORD: usize = 4096;

/// Reads a file, or standard input where it is `-`, whole and no more than the limit: what the operator names may be a device
/// without end.
pub(super) fn read(what: &'static str, path: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    let wrong = |source| CliError::Read { what, path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let mut input: Box<dyn io::Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(File::open(path).map_err(|source| refused(path, &path.display().to_string(), source))?),
    };
    input.by_ref().take(most + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > most {
        return Err(CliError::Usage(format!(
            "{}: larger than {} MiB, the most that is read of a file of {what}; is it the right one?",
            path.display(),
            most >> 20
        )));
    }
    Ok(bytes)
}

/// The same for a text.
pub(super) fn read_text(what: &'static str, path: &Path, most: u64) -> Result<String, CliError> {
    String::from_utf8(read(what, path, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let source =
            io::Error::new(io::ErrorKind::InvalidData, format!("not UTF-8 from byte {at} on; save it as UTF-8"));
        CliError::Read { what, path: path.to_owned(), source }
    })
}
