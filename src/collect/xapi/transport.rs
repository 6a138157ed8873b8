//! A request to a server and its answer, over HTTPS or the local socket.

use std::io::Read;
use std::time::Instant;

use zeroize::Zeroizing;

use super::XapiError;
use crate::collect::limits::ANSWER;

/// Asks a member for the certificate of its coordinator.
pub(super) const ASK_THUMBPRINT: (&str, &str) = ("x-xenapi-request-host-certificate-thumbprint", "sha-256:master");
/// Where a member answers it.
pub(super) const THUMBPRINT: &str = "x-xenapi-response-host-certificate-thumbprint";

/// An answer of HTTP.
pub(super) struct Reply {
    pub(super) status: u16,
    /// The coordinator's certificate, where a member names it.
    pub(super) thumbprint: Option<String>,
    pub(super) body: Vec<u8>,
}

/// A request of HTTP, always POST.
pub(super) struct Post<'a> {
    pub(super) path: &'a str,
    pub(super) content_type: &'static str,
    /// Wiped after it was sent.
    pub(super) body: Zeroizing<Vec<u8>>,
    /// Whether the body holds a secret.
    pub(super) secret: bool,
    pub(super) deadline: Instant,
    /// What is being done, for errors: the method.
    pub(super) doing: &'a str,
}

/// Carries requests to one server.
pub(super) trait Transport: Send + Sync {
    /// Sends one request, once.
    fn post(&self, post: Post<'_>) -> Result<Reply, XapiError>;

    /// The certificate that the server showed.
    fn fingerprint(&self) -> Option<super::Fingerprint>;

    /// The server as errors name it.
    fn place(&self) -> String;
}

/// Why a body could not be read.
pub(super) enum BodyError {
    Io(std::io::Error),
    Late,
    TooLarge,
}

/// Reads a body within limits of size and time.
pub(super) fn read_body(mut from: impl Read, expected: Option<u64>, deadline: Instant) -> Result<Vec<u8>, BodyError> {
    const PIECE: usize = 64 << 10;
    if expected.is_some_and(|expected| expected > ANSWER as u64) {
        return Err(BodyError::TooLarge);
    }
    // Room is made as the body comes: a server may announce more than it sends.
    let mut body = Vec::with_capacity(expected.and_then(|size| usize::try_from(size).ok()).unwrap_or(0).min(4 << 20));
    let mut piece = vec![0; PIECE];
    loop {
        let read = from.read(&mut piece).map_err(BodyError::Io)?;
        if read == 0 {
            return Ok(body);
        }
        if body.len() + read > ANSWER {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&piece[..read]);
        if Instant::now() >= deadline {
            return Err(BodyError::Late);
        }
    }
}

/// The error of an answer that is too large.
pub(super) fn too_large(place: String, doing: &str) -> XapiError {
    let why = format!(
        "the answer is larger than {} MiB, the most that is read; is this a XenServer or XCP-ng host? If it is, take its \
         records as docs/records.md shows, without classes that a join does not need",
        ANSWER >> 20
    );
    XapiError::Protocol { place, doing: doing.to_owned(), why }
}
