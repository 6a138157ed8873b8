//! Reading files and streams with limits: the first piece decides whether the rest is worth loading.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use super::CollectError;
use super::limits::{HEAD, ROOM, TARGET};

/// A text without the mark that some editors put before UTF-8.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// What stands under a path.
pub(crate) enum Opened {
    /// A document, its head read.
    File(Document<'static>),
    /// A folder.
    Folder,
}

/// What is left of [`TARGET`]; shared by the files of one folder.
pub(crate) struct Budget(u64);

impl Budget {
    /// All of it.
    pub(crate) const fn new() -> Self {
        Self(TARGET)
    }
}

/// A document of which only the head is in memory.
pub(crate) struct Document<'a> {
    name: String,
    head: Vec<u8>,
    whole: bool,
    left: u64,
    rest: Box<dyn Read + 'a>,
}

impl<'a> Document<'a> {
    /// Reads the head of a stream.
    pub(crate) fn from_reader(
        name: String,
        reader: impl Read + 'a,
        budget: &mut Budget,
    ) -> Result<Self, CollectError> {
        Self::sized(name, reader, 0, budget)
    }

    /// Reads the head of a stream that is likely to have `size` bytes: room for all of it is made once.
    fn sized(name: String, reader: impl Read + 'a, size: usize, budget: &Budget) -> Result<Self, CollectError> {
        let head = Vec::with_capacity(size);
        let mut document = Self { name, head, whole: false, left: budget.0, rest: Box::new(reader) };
        let read = (&mut document.rest).take(HEAD as u64).read_to_end(&mut document.head);
        read.map_err(|source| CollectError::Io { name: document.name.clone(), source })?;
        document.whole = document.head.len() < HEAD;
        Ok(document)
    }

    /// The target as errors name it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the head is all there is.
    pub(crate) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// All bytes, up to the limit.
    pub(crate) fn read_all(self) -> Result<Vec<u8>, CollectError> {
        let Self { name, head: mut bytes, left, rest, .. } = self;
        // One byte more than allowed tells a full file from one that is too large.
        let more = (left + 1).saturating_sub(bytes.len() as u64);
        match rest.take(more).read_to_end(&mut bytes) {
            Err(source) => Err(CollectError::Io { name, source }),
            Ok(_) if bytes.len() as u64 > left => Err(CollectError::TooLarge { name, limit: TARGET }),
            Ok(_) => Ok(bytes),
        }
    }
}

/// Opens what stands under a path, and reads the head of a file.
pub(crate) fn open(path: &Path) -> Result<Opened, CollectError> {
    let name = path.display().to_string();
    let meta = fs::metadata(path).map_err(|source| match refused(path, &name, source) {
        CollectError::NotFound { name, nearest, .. } => CollectError::NotFound { name, nearest, target: true },
        other => other,
    })?;
    if meta.is_dir() {
        return Ok(Opened::Folder);
    }
    read_head(path, name, &meta, &mut Budget::new()).map(Opened::File)
}

/// Loads a file of a folder and takes its size from the budget.
pub(crate) fn load(path: &Path, budget: &mut Budget) -> Result<Vec<u8>, CollectError> {
    let name = path.display().to_string();
    let meta = fs::metadata(path).map_err(|source| refused(path, &name, source))?;
    if meta.is_dir() {
        return Err(CollectError::NotAFile { name, kind: "a folder" });
    }
    let bytes = read_head(path, name, &meta, budget)?.read_all()?;
    budget.0 -= bytes.len() as u64;
    Ok(bytes)
}

fn read_head(
    path: &Path,
    name: String,
    meta: &fs::Metadata,
    budget: &mut Budget,
) -> Result<Document<'static>, CollectError> {
    plain(path, &name, meta)?;
    if meta.len() > budget.0 {
        return Err(CollectError::TooLarge { name, limit: TARGET });
    }
    let file = File::open(path).map_err(|source| refused(path, &name, source))?;
    // One byte more shows the end of the file without growing. Room for a large file is made only once its head
    // shows that it is worth reading.
    let size = usize::try_from(meta.len() + 1).unwrap_or(0).min(ROOM);
    Document::sized(name, file, size, budget)
}

/// Refuses what only looks like a file.
fn plain(path: &Path, name: &str, meta: &fs::Metadata) -> Result<(), CollectError> {
    let kind = meta.file_type();
    let odd = [
        (kind.is_fifo() && !is_handed_over(path), "a named pipe"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device(), "a device"),
        (kind.is_block_device(), "a device"),
    ];
    if let Some((_, kind)) = odd.into_iter().find(|(found, _)| *found) {
        return Err(CollectError::NotAFile { name: name.to_owned(), kind });
    }
    Ok(())
}

/// Opens a file that is read as a stream, whatever its size, and says how many bytes it has.
pub(crate) fn open_stream(path: &Path) -> Result<(File, u64), CollectError> {
    let name = path.display().to_string();
    let meta = fs::metadata(path).map_err(|source| refused(path, &name, source))?;
    if meta.is_dir() {
        return Err(CollectError::NotAFile { name, kind: "a folder" });
    }
    plain(path, &name, &meta)?;
    let file = File::open(path).map_err(|source| refused(path, &name, source))?;
    Ok((file, meta.len()))
}

/// Whether a pipe came open from the shell, as in `<(command)`: its other end exists, so reading it ends. Opening a
/// pipe in the file system may wait for a writer forever.
pub(crate) fn is_handed_over(path: &Path) -> bool {
    path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") || path == Path::new("/dev/stdin")
}

/// Why a file cannot be opened.
pub fn refused(path: &Path, name: &str, source: io::Error) -> CollectError {
    let name = name.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            CollectError::NotFound { name, nearest: nearest(path), target: false }
        }
        io::ErrorKind::PermissionDenied => CollectError::Permission { name },
        _ => CollectError::Io { name, source },
    }
}

/// The file beside a missing one whose name is most like it.
fn nearest(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_string_lossy();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    // Names are few compared with files; a folder of millions is not worth the search.
    let names = entries.take(10_000).flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let like = |name: &String| strsim::damerau_levenshtein(name, &wanted);
    let best = names.map(|name| (like(&name), name)).min()?;
    let close = best.0 <= (wanted.chars().count() / 3).clamp(1, 4);
    close.then(|| folder.map_or_else(|| best.1.clone(), |folder| folder.join(&best.1).display().to_string()))
}
