//! Where text goes: standard output, or files that are replaced whole or not at all. The only place that prints.

use std::borrow::Cow;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::args::{Dress, FileFormat, Format, Output};
use super::error::CliError;
use crate::text::{json_text, lines};

/// Columns where no terminal tells, and in files.
const WIDTH: u16 = 80;
/// The fewest and the most columns that text is laid out for: below, words would stand alone; above, lines are hard to follow.
const WIDTHS: RangeInclusive<u16> = 40..=200;

/// How to write one rendering.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style<F = Format> {
    pub(super) format: F,
    pub(super) color: bool,
    pub(super) width: u16,
}

/// Whether standard output is coloured, and how wide text is.
pub(super) fn style_of_output(no_color: bool) -> (bool, u16) {
    (!no_color && colorful(), width())
}

/// The places that the operator named, found to be writable before there is anything to write.
pub(super) struct Places<F = Format> {
    /// None is standard output.
    places: Vec<(Option<Staged>, F)>,
    no_color: bool,
}

impl<F: FileFormat> Places<F> {
    /// Opens them. All formats first: a file that cannot have one stops the run before another is begun.
    pub(super) fn open(output: &Output<F>) -> Result<Self, CliError> {
        let Output { files, format: asked, no_color } = output;
        let formats: Vec<_> = files.iter().map(|file| format_for(file, asked.as_ref())).collect::<Result<_, _>>()?;
        let mut places = Vec::new();
        for (file, format) in files.iter().zip(formats) {
            places.push((Some(Staged::open(file)?), format));
        }
        if places.is_empty() {
            places.push((None, asked.clone().unwrap_or_default()));
        }
        Ok(Self { places, no_color: *no_color })
    }

    /// Renders once for each. A file is put in its place when all are written.
    pub(super) fn emit(self, render: impl Fn(Style<F>) -> String) -> Result<(), CliError> {
        let mut whole = Vec::new();
        for (file, format) in self.places {
            let dress = format.dress();
            match file {
                Some(mut file) => {
                    file.write(&safe(dress, &render(Style { format, color: false, width: WIDTH }), false))?;
                    whole.push(file);
                }
                None => {
                    let (color, width) = style_of_output(self.no_color);
                    put(&safe(dress, &render(Style { format, color, width }), color))?;
                }
            }
        }
        whole.into_iter().try_for_each(Staged::commit)
    }
}

/// Renders once for each place that the operator named, or for standard output.
pub(super) fn emit<F: FileFormat>(output: &Output<F>, render: impl Fn(Style<F>) -> String) -> Result<(), CliError> {
    Places::open(output)?.emit(render)
}

/// Whether standard output is to have colour: what the operator says for all programs goes before what it is.
fn colorful() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    let dumb = set("TERM").is_some_and(|value| value == "dumb");
    let off = set("CLICOLOR").is_some_and(|value| value == "0");
    !dumb && !off && io::stdout().is_terminal()
}

/// The columns of standard output: of a terminal as the operator says or as it says itself; 80 of a pipe, which nothing of
/// the terminal changes.
pub(super) fn width() -> u16 {
    if !io::stdout().is_terminal() {
        return WIDTH;
    }
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<u32>().ok());
    let said = said.filter(|columns| *columns > 0).map(|columns| u16::try_from(columns).unwrap_or(u16::MAX));
    let seen = || rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| size.ws_col);
    let seen = || seen().filter(|columns| *columns > 0);
    said.or_else(seen).unwrap_or(WIDTH).clamp(*WIDTHS.start(), *WIDTHS.end())
}

/// The format for a file: the one that was asked for, which its extension must not deny, else that of its extension.
pub(super) fn format_for<F: FileFormat>(file: &Path, asked: Option<&F>) -> Result<F, CliError> {
    let Some(asked) = asked else { return format_of(file) };
    let same = |other: &F| std::mem::discriminant(other) == std::mem::discriminant(asked);
    let own = F::EXTENSIONS.iter().find(|(_, format)| same(format));
    let by_name = F::EXTENSIONS.iter().find(|(known, _)| extension(file) == *known);
    match (own, by_name) {
        // JSON of any kind may go by that name.
        (Some((own, _)), Some((other, named)))
            if !same(named) && (named.dress(), asked.dress()) != (Dress::Json, Dress::Json) =>
        {
            Err(CliError::Usage(format!(
                "{}: --format asks for another format than .{other} names; leave --format out, or use .{own}",
                file.display()
            )))
        }
        _ => Ok(asked.clone()),
    }
}

fn extension(file: &Path) -> &str {
    file.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

/// The format that a file's extension names.
pub(super) fn format_of<F: FileFormat>(file: &Path) -> Result<F, CliError> {
    let found = F::EXTENSIONS.iter().find(|(known, _)| *known == extension(file));
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
pub(super) fn safe(dress: Dress, text: &str, color: bool) -> Cow<'_, str> {
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
pub(super) fn put(text: &str) -> Result<(), CliError> {
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

/// Replaces a file whole: what was there stays until the new text is on disk. Keeps the file's mode, writes through a
/// symbolic link, and writes into what is no regular file (`/dev/null`, a pipe) instead of replacing it.
pub(super) fn write_file(path: &Path, text: &str) -> Result<(), CliError> {
    replace(path, text).map_err(|source| CliError::Write { path: path.to_owned(), source })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = Staging::begin(path)?;
    file.file().write_all(text.as_bytes())?;
    file.end()
}

/// A file that is written piece by piece; what was there stays until it is whole.
pub(super) struct Staged {
    path: PathBuf,
    staging: Staging,
}

impl Staged {
    /// Begins it.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        match Staging::begin(path) {
            Ok(staging) => Ok(Self { path: path.to_owned(), staging }),
            Err(source) => Err(CliError::Write { path: path.to_owned(), source }),
        }
    }

    /// Writes more.
    pub(super) fn write(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.staging.file().write_all(text.as_bytes());
        written.map_err(|source| CliError::Write { path: self.path.clone(), source })
    }

    /// Puts it in its place.
    pub(super) fn commit(self) -> Result<(), CliError> {
        let Self { path, staging } = self;
        staging.end().map_err(|source| CliError::Write { path, source })
    }
}

/// The files that were begun, by the names that they have until they are whole.
static BEGUN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn begun() -> MutexGuard<'static, Vec<PathBuf>> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what was begun and is not whole, for a process that is being ended: from now on nothing is begun, and nothing
/// put in its place.
pub(super) fn sweep() {
    let begun = begun();
    for path in begun.iter() {
        // What is in its place by now, or was given up, is gone from here.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(begun);
}

/// What the system said, without the name that nobody gave.
fn without_name(error: io::Error) -> io::Error {
    let said = error.to_string();
    said.rsplit_once(" at path ").map_or(error, |(said, _)| io::Error::other(said))
}

enum Staging {
    /// What is no regular file is written into.
    Through(fs::File),
    /// Beside the file that it is to replace.
    Beside(Box<tempfile::NamedTempFile>, PathBuf),
}

impl Staging {
    fn begin(path: &Path) -> io::Result<Self> {
        let found = match fs::metadata(path) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if found.as_ref().is_some_and(|found| !found.is_file()) {
            return fs::OpenOptions::new().write(true).open(path).map(Self::Through);
        }
        let path = if found.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        // A new file gets what the user's mask leaves of this.
        let mode = found.map_or_else(|| fs::Permissions::from_mode(0o666), |found| found.permissions());
        let mut begun = begun();
        let file = tempfile::Builder::new().permissions(mode).tempfile_in(folder).map_err(without_name)?;
        begun.push(file.path().to_owned());
        drop(begun);
        Ok(Self::Beside(Box::new(file), path))
    }

    fn file(&mut self) -> &mut fs::File {
        match self {
            Self::Through(file) => file,
            Self::Beside(file, _) => file.as_file_mut(),
        }
    }

    fn end(self) -> io::Result<()> {
        if let Self::Beside(file, path) = self {
            file.as_file().sync_all()?;
            let mut begun = begun();
            begun.retain(|name| *name != file.path());
            file.persist(&path).map_err(|error| error.error)?;
        }
        Ok(())
    }
}
