//! HTTP/1.1 as the server speaks it: small heads, bodies by length, connections kept, pages for what is no call.

use std::io::{Read, Write};

/// The longest head that is read.
const HEAD: usize = 64 * 1024;
/// The longest body that is read: calls to the server are small.
const BODY: usize = 8 * 1024 * 1024;

/// A request, read whole.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Vec<u8>,
    /// Whether the client keeps the connection.
    pub(super) keep: bool,
    /// `x-xenapi-request-host-certificate-thumbprint`.
    pub(super) thumbprint: Option<String>,
}

/// A response.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    pub(super) keep: bool,
}

/// Reads the next request; none at the end of the connection. `buffer` keeps what came after the last one.
pub(super) fn read(stream: &mut impl Read, buffer: &mut Vec<u8>) -> std::io::Result<Option<Request>> {
    let odd = |text: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, text.to_owned());
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(buffer) {
            Ok(httparse::Status::Complete(head)) => {
                let header = |name: &str| {
                    let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
                    std::str::from_utf8(found.value).ok().map(str::trim)
                };
                let length = header("content-length").map_or(Some(0), |text| text.parse().ok());
                let length: usize = length.filter(|length| *length <= BODY).ok_or_else(|| odd("body too long"))?;
                let keep = parsed.version == Some(1) && header("connection") != Some("close");
                let mut request = Request {
                    method: parsed.method.unwrap_or("").to_owned(),
                    path: parsed.path.unwrap_or("").split('?').next().unwrap_or("").to_owned(),
                    body: Vec::new(),
                    keep,
                    thumbprint: header("x-xenapi-request-host-certificate-thumbprint").map(str::to_owned),
                };
                if header("expect").is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue")) && length > 0 {
                    return Err(odd("100-continue is not spoken"));
                }
                while buffer.len() < head + length {
                    if !fill(stream, buffer)? {
                        return Ok(None);
                    }
                }
                request.body = buffer[head..head + length].to_vec();
                buffer.drain(..head + length);
                return Ok(Some(request));
            }
            Ok(httparse::Status::Partial) if buffer.len() < HEAD => {
                if !fill(stream, buffer)? {
                    return Ok(None);
                }
            }
            Ok(httparse::Status::Partial) => return Err(odd("head too long")),
            Err(error) => return Err(odd(&error.to_string())),
        }
    }
}

fn fill(stream: &mut impl Read, buffer: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut chunk = [0; 8192];
    let read = stream.read(&mut chunk)?;
    buffer.extend_from_slice(&chunk[..read]);
    Ok(read > 0)
}

impl Response {
    /// An answer to a call.
    pub(super) fn answer(content_type: &'static str, body: String, keep: bool) -> Self {
        let headers = vec![
            ("content-type", content_type.to_owned()),
            ("Access-Control-Allow-Origin", "*".to_owned()),
            ("Access-Control-Allow-Headers", "X-Requested-With".to_owned()),
        ];
        Self { status: "200 OK", headers, body, keep }
    }

    /// What the server says where it does not understand; the connection ends with it.
    pub(super) fn broken(details: &str) -> Self {
        let details =
            details.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&apos;").replace('<', "&lt;");
        let body = format!(
            "<html><body><h1>HTTP 500 internal server error</h1>An unexpected error occurred; please wait a while and \
             try again. If the problem persists, please contact your support representative.<h1> Additional \
             information </h1>{details}</body></html>"
        );
        Self::page("500 Internal Error", body)
    }

    /// A page of its own; the connection ends with it.
    pub(super) fn page(status: &'static str, body: String) -> Self {
        Self { status, headers: vec![("content-type", "text/html".to_owned())], body, keep: false }
    }

    /// Status, headers and body as bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 256);
        let connection = if self.keep { "keep-alive" } else { "close" };
        let length = self.body.len();
        // Writing to memory does not fail.
        let _ = write!(out, "HTTP/1.1 {}\r\ncontent-length: {length}\r\nconnection: {connection}\r\n", self.status);
        let _ = write!(out, "cache-control: no-cache, no-store\r\n");
        for (name, value) in &self.headers {
            let _ = write!(out, "{name}: {value}\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.body.as_bytes());
        out
    }
}
