//! The toolstack's own socket inside dom0: HTTP/1.1 without encryption, one connection a call.

use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Instant;

use zeroize::Zeroizing;

use super::transport::{ASK_THUMBPRINT, BodyError, Post, Reply, THUMBPRINT, Transport, read_body, too_large};
use super::{Fingerprint, XapiError};
use crate::collect::limits::ANSWER_HEAD;

pub(super) struct Socket {
    path: PathBuf,
}

impl Socket {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    fn connect(&self) -> Result<UnixStream, XapiError> {
        UnixStream::connect(&self.path).map_err(|error| {
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => {
                    "xapi-local works in a host's control domain only, while the toolstack runs"
                }
                io::ErrorKind::PermissionDenied => "run it as root",
                _ => "is the toolstack running? (xe-toolstack-restart)",
            };
            let why = format!("{}: {error}", self.path.display());
            XapiError::Unreachable { place: self.place(), why, remedy: Some(remedy), sent: false }
        })
    }
}

impl Transport for Socket {
    fn post(&self, post: Post<'_>) -> Result<Reply, XapiError> {
        let limit = post.deadline.saturating_duration_since(Instant::now());
        let stream = self.connect()?;
        let broke = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                XapiError::Timeout { place: self.place(), doing: post.doing.to_owned(), limit, sent: true }
            }
            _ => {
                let why = format!("the connection broke ({error})");
                XapiError::Unreachable { place: self.place(), why, remedy: None, sent: true }
            }
        };
        let timed = Timed { stream, deadline: post.deadline };
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}: {}\r\nConnection: close\r\n\r\n",
            post.path,
            post.content_type,
            post.body.len(),
            ASK_THUMBPRINT.0,
            ASK_THUMBPRINT.1,
        );
        timed.write(head.as_bytes()).and_then(|()| timed.write(&post.body)).map_err(broke)?;
        drop::<Zeroizing<Vec<u8>>>(post.body);
        read_reply(timed, post.deadline).map_err(|error| match error {
            ReplyError::Io(error) => broke(error),
            ReplyError::Late => broke(io::ErrorKind::TimedOut.into()),
            ReplyError::TooLarge => too_large(self.place(), post.doing),
            ReplyError::Http(why) => XapiError::Protocol { place: self.place(), doing: post.doing.to_owned(), why },
        })
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        None
    }

    fn place(&self) -> String {
        "xapi-local".to_owned()
    }
}

/// A stream whose every read and write ends with the deadline.
struct Timed {
    stream: UnixStream,
    deadline: Instant,
}

impl Timed {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        (&self.stream).write_all(bytes)
    }

    fn left(&self) -> io::Result<std::time::Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(into)
    }
}

/// Why no answer of HTTP could be read.
enum ReplyError {
    Io(io::Error),
    Late,
    TooLarge,
    /// Something that is no HTTP.
    Http(String),
}

/// Reads an answer of HTTP: its head, then its body as the head says that it comes.
fn read_reply(from: impl Read, deadline: Instant) -> Result<Reply, ReplyError> {
    let mut reader = BufReader::new(from);
    let head = read_head(&mut reader).map_err(ReplyError::Io)?;
    let head = parse(&head).map_err(ReplyError::Http)?;
    let body = match head.length {
        Some(length) => read_body(reader.take(length), Some(length), deadline),
        None if head.chunked => read_body(Chunks { from: reader, left: 0, ended: false }, None, deadline),
        None => read_body(reader, None, deadline),
    };
    let body = body.map_err(|error| match error {
        BodyError::TooLarge => ReplyError::TooLarge,
        BodyError::Late => ReplyError::Late,
        BodyError::Io(error) => ReplyError::Io(error),
    })?;
    if head.length.is_some_and(|length| (body.len() as u64) < length) {
        return Err(ReplyError::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off")));
    }
    Ok(Reply { status: head.status, thumbprint: head.thumbprint, body })
}

/// Reads an answer of HTTP as it comes over the local socket: its status and its body.
///
/// # Errors
/// Where it is no HTTP, breaks off, or is more than is read; in words.
pub fn read_http(from: impl Read, until: Instant) -> Result<(u16, Vec<u8>), String> {
    match read_reply(from, until) {
        Ok(reply) => Ok((reply.status, reply.body)),
        Err(ReplyError::Io(error)) => Err(error.to_string()),
        Err(ReplyError::Late) => Err("it took too long".to_owned()),
        Err(ReplyError::TooLarge) => Err("it is too large".to_owned()),
        Err(ReplyError::Http(why)) => Err(why),
    }
}

/// Everything up to and with the empty line.
fn read_head(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let line = from.by_ref().take((ANSWER_HEAD - head.len()) as u64).read_until(b'\n', &mut head)?;
        if line == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the head of the answer broke off"));
        }
    }
    Ok(head)
}

struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
    thumbprint: Option<String>,
}

fn parse(head: &[u8]) -> Result<Head, String> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err("the head of the answer breaks off".to_owned()),
        Err(error) => return Err(format!("no answer of HTTP ({error})")),
    }
    let text = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok().map(|text| text.trim().to_owned())
    };
    let length = match text("content-length") {
        None => None,
        Some(length) => Some(length.parse().map_err(|_| "its Content-Length is no number".to_owned())?),
    };
    Ok(Head {
        status: response.code.unwrap_or_default(),
        length,
        chunked: text("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked")),
        thumbprint: text(THUMBPRINT),
    })
}

/// A body in chunks.
struct Chunks<R> {
    from: R,
    left: u64,
    ended: bool,
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        if self.left == 0 {
            self.left = next_chunk(&mut self.from)?;
            if self.left == 0 {
                self.ended = true;
                return Ok(0);
            }
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let read = self.from.read(&mut into[..most])?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// The size of the next chunk; the end of the one before it is passed over.
fn next_chunk(from: &mut impl BufRead) -> io::Result<u64> {
    loop {
        let mut line = Vec::new();
        if from.by_ref().take(1024).read_until(b'\n', &mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off"));
        }
        let line = String::from_utf8_lossy(&line);
        let size = line.split(';').next().unwrap_or_default().trim();
        if !size.is_empty() {
            return u64::from_str_radix(size, 16)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a chunk without a size"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_chunks() {
        let head = parse(
            b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nX-XenAPI-Response-Host-Certificate-Thumbprint: AB\r\n\r\n",
        );
        let head = head.unwrap();
        assert_eq!((head.status, head.length, head.thumbprint.as_deref()), (200, Some(12), Some("AB")));
        assert!(parse(b"hello\r\n\r\n").is_err());
        let mut text = String::new();
        let chunks = io::Cursor::new(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n".to_vec());
        Chunks { from: chunks, left: 0, ended: false }.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcde");
        let cut = io::Cursor::new(b"5\r\nab".to_vec());
        assert!(Chunks { from: cut, left: 0, ended: false }.read_to_string(&mut text).is_err());
    }
}
