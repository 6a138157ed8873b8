//! HTTPS, by reqwest: one connection kept open, no proxy, no redirect, everything with a limit.

use std::error::Error;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::blocking::{Body, Client};
use rustls::{AlertDescription, InvalidMessage};
use zeroize::Zeroizing;

use super::transport::{ASK_THUMBPRINT, BodyError, Post, Reply, THUMBPRINT, Transport, read_body, too_large};
use super::trust::{Seen, Trust, config};
use super::{Address, Fingerprint, XapiError};

pub(super) struct Https {
    address: Address,
    client: Client,
    seen: Arc<Seen>,
}

impl Https {
    pub(super) fn new(address: Address, trust: Trust, connect: Duration) -> Result<Self, XapiError> {
        let seen = Arc::new(Seen::default());
        let unusable = |why: String| XapiError::Protocol {
            place: address.to_string(),
            doing: "making ready for HTTPS".to_owned(),
            why,
        };
        let tls = config(trust, Arc::clone(&seen)).map_err(|error| unusable(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .tcp_nodelay(true)
            .pool_max_idle_per_host(1)
            .connect_timeout(connect)
            .timeout(None)
            .user_agent(concat!("poolgate/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self { address, client, seen })
    }

    /// What reqwest says, in our words. `sent` tells whether the request may have left.
    fn error(&self, error: &reqwest::Error, post: &Sent<'_>) -> XapiError {
        let place = self.place();
        if let Some(problem) = self.seen.problem() {
            return XapiError::Trust { place: self.address.clone(), problem };
        }
        if let Some(why) = self.seen.signature() {
            return XapiError::Legacy { place, why };
        }
        // A body that could not be handed over never left, and a server does not act on half a request.
        let sent = !error.is_connect() && !error.is_body();
        match cause::<rustls::Error>(error) {
            Some(
                tls @ (rustls::Error::PeerIncompatible(_)
                | rustls::Error::AlertReceived(
                    AlertDescription::ProtocolVersion
                    | AlertDescription::HandshakeFailure
                    | AlertDescription::InsufficientSecurity,
                )),
            ) if !sent => return XapiError::Legacy { place, why: tls.to_string() },
            Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                let why = "answers, but not with TLS".to_owned();
                return XapiError::Unreachable { place, why, remedy: Some("is the port right?"), sent };
            }
            _ => {}
        }
        if error.is_timeout() || Instant::now() >= post.deadline {
            return XapiError::Timeout { place, doing: post.doing.to_owned(), limit: post.limit, sent };
        }
        let (why, remedy) = explain(error);
        XapiError::Unreachable { place, why, remedy, sent }
    }
}

/// What is still known of a request after its body is gone.
struct Sent<'a> {
    doing: &'a str,
    deadline: Instant,
    limit: Duration,
}

impl Transport for Https {
    fn post(&self, post: Post<'_>) -> Result<Reply, XapiError> {
        let limit = post.deadline.saturating_duration_since(Instant::now());
        let sent = Sent { doing: post.doing, deadline: post.deadline, limit };
        let late = || XapiError::Timeout { place: self.place(), doing: post.doing.to_owned(), limit, sent: true };
        if limit.is_zero() {
            return Err(XapiError::Timeout { place: self.place(), doing: post.doing.to_owned(), limit, sent: false });
        }
        let length = post.body.len() as u64;
        // A reader's failure to hand over hides why the connection failed, so only secrets go through one.
        let body = if post.secret {
            Body::sized(Wiped(Cursor::new(post.body)), length)
        } else {
            Body::from(post.body.to_vec())
        };
        let request = self
            .client
            .post(self.address.url(post.path))
            .header("content-type", post.content_type)
            .header(ASK_THUMBPRINT.0, ASK_THUMBPRINT.1)
            .timeout(limit)
            .body(body);
        let response = request.send().map_err(|error| self.error(&error, &sent))?;
        let status = response.status().as_u16();
        let header =
            |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let thumbprint = header(THUMBPRINT);
        let expected = response.content_length();
        let body = match read_body(response, expected, post.deadline) {
            Ok(body) => body,
            Err(BodyError::TooLarge) => return Err(too_large(self.place(), post.doing)),
            Err(BodyError::Late) => return Err(late()),
            Err(BodyError::Io(_)) if Instant::now() >= post.deadline => return Err(late()),
            Err(BodyError::Io(error)) => {
                let why = format!("the answer broke off ({})", innermost(&error));
                return Err(XapiError::Unreachable { place: self.place(), why, remedy: None, sent: true });
            }
        };
        Ok(Reply { status, thumbprint, body })
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        self.seen.fingerprint()
    }

    fn place(&self) -> String {
        self.address.to_string()
    }
}

/// A body that is wiped when the last of it was read. What the library holds while sending is its own.
struct Wiped(Cursor<Zeroizing<Vec<u8>>>);

impl Read for Wiped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let from = self.0.position() as usize;
        let rest = self.0.get_ref().get(from..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.0.set_position((from + count) as u64);
        Ok(count)
    }
}

/// The first cause of a type.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        // An I/O error hides the error inside from its causes.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inside) => Some(inside as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// The last cause, which says most.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    loop {
        let inside = last.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match inside.map(|inside| inside as &(dyn Error + 'static)).or_else(|| last.source()) {
            Some(next) => last = next,
            None => return last.to_string(),
        }
    }
}

fn explain(error: &reqwest::Error) -> (String, Option<&'static str>) {
    let kind = cause::<io::Error>(error).map(io::Error::kind);
    let said = innermost(error);
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => {
            ("nothing listens there (connection refused)".to_owned(), Some("is the address right, and the host up?"))
        }
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof) => {
            (format!("the connection was cut ({said})"), None)
        }
        _ if error.is_body() => ("the connection was cut before the call was sent".to_owned(), None),
        _ if error.is_connect() => {
            (format!("cannot connect ({said})"), Some("is the address right, and the host up?"))
        }
        _ => (format!("the connection broke ({said})"), None),
    }
}
