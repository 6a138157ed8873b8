//! Where text goes: standard output, or files that are replaced whole or not at all. The only place that prints.

use std::borrow::Cow;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::args::{Dress, FileFormat, Format, Output};
use super::error::CliError;
use crate::text::{json_text, lines};

/// Columns where no terminal tells.
const WIDTH: u16 = 80;

/// How to write one rendering.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style<F = Format> {
    pub(super) format: F,
    pub(super) color: bool,
    pub(super) width: u16,
}

/// Renders once for each place that the operator named, or for standard output.
pub(super) fn emit<F: FileFormat>(output: &Output<F>, render: impl Fn(Style<F>) -> String) -> Result<(), CliError> {
    if output.files.is_empty() {
        let color = !output.no_color && std::env::var_os("NO_COLOR").is_none() && io::stdout().is_terminal();
        let format = output.format.clone().unwrap_or_default();
        let dress = format.dress();
        return put(&safe(dress, &render(Style { format, color, width: WIDTH }), color));
    }
    // All formats first: a file that cannot have one stops the run before another is written.
    let formats: Vec<_> = output
        .files
        .iter()
        .map(|file| output.format.clone().map_or_else(|| format_of(file), Ok))
        .collect::<Result<_, _>>()?;
    for (file, format) in output.files.iter().zip(formats) {
        let dress = format.dress();
        write_file(file, &safe(dress, &render(Style { format, color: false, width: WIDTH }), false))?;
    }
    Ok(())
}

fn format_of<F: FileFormat>(file: &Path) -> Result<F, CliError> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let found = F::EXTENSIONS.iter().find(|(known, _)| *known == extension);
    found.map(|(_, format)| format.clone()).ok_or_else(|| {
        let known: Vec<_> = F::EXTENSIONS.iter().map(|(known, _)| format!(".{known}")).collect();
        let (last, first) = known
            .split_last()
            .map_or((String::new(), String::new()), |(last, first)| (last.clone(), first.join(", ")));
        CliError::Usage(format!(
            "{}: no format goes by that extension; use {first} or {last}, or say --format",
            file.display()
        ))
    })
}

/// The last look at a text before it leaves: whatever a renderer let through does nothing on a terminal and in a log.
fn safe(dress: Dress, text: &str, color: bool) -> Cow<'_, str> {
    match dress {
        Dress::Lines => lines(text, color),
        Dress::Json => json_text(text),
        Dress::Commands => Cow::Borrowed(text),
    }
}

/// Prints lines for people.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    put(&lines(text, false))
}

/// Writes to standard output. A reader that went away (`| head`) is no error.
fn put(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Usage(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a remark or an error for the operator.
pub(super) fn complain(text: &str) {
    let mut err = io::stderr().lock();
    // Where standard error is closed there is nobody left to tell.
    let _ = writeln!(err, "{}", lines(text.trim_end_matches('\n'), false));
}

/// Asks the operator something, on the line where the answer is typed.
pub(super) fn ask(question: &str) {
    let mut err = io::stderr().lock();
    let _ = write!(err, "{} ", lines(question, false)).and_then(|()| err.flush());
}

/// Replaces a file whole: what was there stays until the new text is on disk. Keeps the file's mode, writes through a
/// symbolic link, and writes into what is no regular file (`/dev/null`, a pipe) instead of replacing it.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), CliError> {
    replace(path, text).map_err(|source| CliError::Write { path: path.to_owned(), source })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let found = match fs::metadata(path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if found.as_ref().is_some_and(|found| !found.is_file()) {
        return fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes());
    }
    let path = if found.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // A new file gets what the user's mask leaves of this.
    let mode = found.map_or_else(|| fs::Permissions::from_mode(0o666), |found| found.permissions());
    let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}
