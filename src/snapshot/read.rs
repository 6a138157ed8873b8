//! The file around a snapshot: its version, its source, and how one is read from text.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess};

use super::Pool;
use crate::facts::{Known, Record, RecordVisitor, model, split_path, strangers_of};
use crate::text::json;

/// The value of `format` in every snapshot.
pub const FORMAT: &str = "poolgate-snapshot";
/// Major version of the format: a reader refuses a newer one.
pub const MAJOR: u32 = 1;
/// Minor version of the format: grows when fields are added.
pub const MINOR: u32 = 1;

/// The most objects and lists that a snapshot may hold: several times those of the largest pools (16 hosts and 200 VMs
/// have 4,000). An empty object of three bytes becomes a record of thousands: without a limit a small file fills the
/// memory.
const MOST: usize = 500_000;

model! {
    /// Where a snapshot was taken.
    pub struct Source as "source" {
        /// `local`, `records`, `xapi`, `dump`, `catalogue`, `quote`, `fixture`.
        pub kind: Known<String>,
        /// The target as the operator named it, without credentials.
        pub target: Known<String>,
        /// When it was seen, `YYYY-MM-DDThh:mm:ssZ`.
        [volatile] pub collected_at: Known<String>,
        /// Who wrote it: program and version.
        pub tool: Known<String>,
    }
}

/// The kinds of source that a snapshot names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// The machine that poolgate ran on.
    Local,
    /// A dump of XenAPI records.
    Records,
    /// A live server.
    Xapi,
    /// What another tool wrote down of a CPU.
    Dump,
    /// The CPU catalogue.
    Catalogue,
    /// A quote for a machine that is not bought yet.
    Quote,
}

impl SourceKind {
    /// The word used in files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Records => "records",
            Self::Xapi => "xapi",
            Self::Dump => "dump",
            Self::Catalogue => "catalogue",
            Self::Quote => "quote",
        }
    }
}

/// A pool, and where and when it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Where and when.
    pub source: Source,
    /// What.
    pub pool: Pool,
}

#[derive(serde::Serialize)]
struct FileOut<'a> {
    format: &'static str,
    version: String,
    source: &'a Source,
    pool: &'a Pool,
}

#[derive(Default)]
struct FileIn {
    format: String,
    version: String,
    source: Source,
    pool: Option<Pool>,
}

impl<'de> Record<'de> for FileIn {
    const WORD: &'static str = "snapshot";

    fn read_field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "format" => self.format = map.next_value()?,
            "version" => self.version = map.next_value()?,
            "source" => self.source = map.next_value()?,
            "pool" => self.pool = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for FileIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor(PhantomData))
    }
}

#[derive(serde::Deserialize)]
struct Header {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: String,
}

/// Why a text is no snapshot that this version can read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// It is a snapshot of a later format.
    #[error(
        "snapshot format {found} is newer than {MAJOR}.{MINOR}, the newest that this poolgate reads; \
         use a newer poolgate, or collect the snapshot again with this one"
    )]
    Newer {
        /// The version that the file names.
        found: String,
    },
    /// The version is no version.
    #[error("\"{found}\" is not a snapshot version; expected \"{MAJOR}.{MINOR}\"")]
    Version {
        /// What stands there.
        found: String,
    },
    /// It has a header and nothing else.
    #[error("there is no \"pool\" in it; collect the snapshot again")]
    NoPool,
    /// It is larger than any pool.
    #[error("{found} objects and lists are more than any pool has (at most {MOST}); collect the snapshot again")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// It is some other format.
    #[error("\"format\" is \"{found}\", expected \"{FORMAT}\"")]
    Format {
        /// What stands there.
        found: String,
    },
    /// It is JSON of the wrong shape, or no JSON.
    #[error("line {line}, column {column}: {field}{message}")]
    Shape {
        /// Line of the text, from 1.
        line: usize,
        /// Column of the line, from 1.
        column: usize,
        /// The path of the field and a colon, or nothing.
        field: String,
        /// What was found and what was expected.
        message: String,
    },
}

/// Reads a snapshot. Returns it with the keys that this version does not know (`host.nick_name`), so that they can be
/// reported and are not silently dropped.
///
/// ```
/// use poolgate::snapshot::read_snapshot;
///
/// let (snapshot, strangers) = read_snapshot(&std::fs::read("fixtures/xcp-ng-8.3-5-hosts.json")?)?;
/// assert!(strangers.is_empty());
/// let pool = &snapshot.pool;
/// assert_eq!(pool.name_label.text(), Some("production"));
/// assert_eq!(pool.hosts.each().count(), 5);
/// // A fact that is not known keeps its reason.
/// let (bare, _) = read_snapshot(&std::fs::read("fixtures/candidate-unknown.json")?)?;
/// println!("{:?}", bare.pool.ha_enabled);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_snapshot(text: &[u8]) -> Result<(Snapshot, Vec<String>), ReadError> {
    if text.len() > MOST {
        let found = openings(text);
        if found > MOST {
            return Err(ReadError::TooMany { found });
        }
    }
    // Checked once as a whole, because checking every string on its own costs more than the rest of the reading.
    let (read, strangers) = strangers_of(|| match std::str::from_utf8(text) {
        Ok(text) => serde_json::from_str::<FileIn>(text),
        // For the place of the bad byte.
        Err(_) => serde_json::from_slice(text),
    });
    let file = read.map_err(|error| explain(text, &error))?;
    check_header(&file.format, &file.version)?;
    let pool = file.pool.ok_or(ReadError::NoPool)?;
    Ok((Snapshot { source: file.source, pool }, strangers))
}

/// How many objects and lists begin in a text. The two openings differ in one bit; counting a chunk at a time in a
/// byte lets the compiler count many at once.
fn openings(text: &[u8]) -> usize {
    let chunk = |chunk: &[u8]| chunk.iter().fold(0_u8, |count, byte| count + u8::from(byte | 0x20 == b'{'));
    text.chunks(usize::from(u8::MAX)).map(|bytes| usize::from(chunk(bytes))).sum()
}

fn check_header(format: &str, version: &str) -> Result<(), ReadError> {
    if format != FORMAT {
        return Err(ReadError::Format { found: format.to_owned() });
    }
    let major = version.split_once('.').and_then(|(major, minor)| {
        minor.parse::<u32>().ok()?;
        major.parse::<u32>().ok()
    });
    match major {
        None => Err(ReadError::Version { found: version.to_owned() }),
        Some(major) if major > MAJOR => Err(ReadError::Newer { found: version.to_owned() }),
        Some(_) => Ok(()),
    }
}

/// A later version explains any other shape; else the place and the field do.
fn explain(text: &[u8], error: &serde_json::Error) -> ReadError {
    if let Ok(header) = serde_json::from_slice::<Header>(text)
        && let Err(newer @ ReadError::Newer { .. }) = check_header(&header.format, &header.version)
    {
        return newer;
    }
    let whole = error.to_string();
    let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
    let (path, message) = split_path(message);
    // An error that carries a field's path has lost its category.
    let more = match message {
        message if message.starts_with("EOF while") => "; the file breaks off, save it again",
        // A fleet where one pool or host is wanted.
        "trailing characters" if error.line() > 1 && error.column() == 1 => super::MORE_DOCUMENTS,
        _ => "",
    };
    ReadError::Shape {
        line: error.line(),
        column: error.column(),
        field: if path.is_empty() { String::new() } else { format!("{path}: ") },
        message: format!("{message}{more}"),
    }
}

impl Snapshot {
    /// The snapshot as text: indented, in the order of the model, with a final newline.
    pub fn to_json(&self) -> String {
        let file =
            FileOut { format: FORMAT, version: format!("{MAJOR}.{MINOR}"), source: &self.source, pool: &self.pool };
        json(&file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Host;

    fn sample() -> Snapshot {
        let host = Host { name_label: "alpha".to_owned().into(), ..Host::default() };
        let pool = Pool { ha_enabled: false.into(), hosts: vec![host].into(), ..Pool::default() };
        Snapshot { source: Source::default(), pool }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = sample().to_json();
        let (again, strangers) = read_snapshot(text.as_bytes()).unwrap();
        assert_eq!(again, sample());
        assert!(strangers.is_empty());
    }

    #[test]
    fn objects_and_lists_are_counted() {
        assert_eq!(openings(b"{\"a\": [1, {\"b\": []}], \"c\": \"];}\"}"), 4);
        assert_eq!(openings(&[b'['; 1000]), 1000);
        assert_eq!(openings(b""), 0);
    }

    #[test]
    fn unknown_keys_are_named() {
        let text = sample().to_json().replace("\"name_label\"", "\"nick_name\"");
        let (_, strangers) = read_snapshot(text.as_bytes()).unwrap();
        assert_eq!(strangers, ["host.nick_name"]);
    }

    #[test]
    fn a_newer_major_version_is_refused_by_name_even_when_its_shape_changed() {
        let text = sample().to_json().replace(&format!("\"{MAJOR}.{MINOR}\""), "\"2.7\"").replace("false", "[]");
        let error = read_snapshot(text.as_bytes()).unwrap_err();
        assert_eq!(error, ReadError::Newer { found: "2.7".into() });
        assert!(
            read_snapshot(sample().to_json().replace(&format!("\"{MAJOR}.{MINOR}\""), "\"1.9\"").as_bytes()).is_ok()
        );
    }

    #[test]
    fn a_wrong_type_is_named_with_its_place() {
        let text = sample().to_json().replace("false", "\"off\"");
        let error = read_snapshot(text.as_bytes()).unwrap_err().to_string();
        insta::assert_snapshot!(error, @r#"line 6, column 23: pool.ha_enabled: invalid type: string "off", expected a boolean"#);
        let error = read_snapshot(b"{\"format\": \"poolgate-snapshot\",").unwrap_err().to_string();
        insta::assert_snapshot!(error, @"line 1, column 31: EOF while parsing a value; the file breaks off, save it again");
    }
}
