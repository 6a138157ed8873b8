//! Why a server gave no answer, or what it answered instead.

use std::time::Duration;

use super::{Address, Fingerprint};

/// Why a call to a server failed. Says where; never holds a password or a session's reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XapiError {
    /// The server answered with one of its errors.
    #[error("{place}: {method} answered {code}{}", shown(params))]
    Api {
        /// The server.
        place: String,
        /// The method that was called.
        method: String,
        /// The error's code.
        code: String,
        /// The error's parameters, without what may be secret.
        params: Vec<String>,
    },
    /// No connection, or it broke.
    #[error("{place}: {why}{}", remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default())]
    Unreachable {
        /// The server.
        place: String,
        /// What the system said.
        why: String,
        /// What to do.
        remedy: Option<&'static str>,
        /// Whether a request may have reached the server before it broke.
        sent: bool,
    },
    /// The certificate is not trusted.
    #[error("{place}: {problem}{}", problem.advice(place))]
    Trust {
        /// The server.
        place: Address,
        /// What is wrong with its certificate.
        problem: TrustProblem,
    },
    /// The server speaks only what is no longer considered secure.
    #[error(
        "{place}: no common way to encrypt ({why}); this server may speak only TLS 1.0 or 1.1, RSA key exchange, or \
         show an X.509 v1 certificate, which poolgate refuses. Run the static poolgate binary in its control domain \
         with the target xapi-local, or take a dump of its records there as docs/records.md shows"
    )]
    Legacy {
        /// The server.
        place: String,
        /// What the TLS library said.
        why: String,
    },
    /// The server knows the user or the password not.
    #[error("{place}: login as {user} refused ({code}); check the user and the password")]
    Login {
        /// The server.
        place: String,
        /// The user.
        user: String,
        /// The server's code.
        code: String,
    },
    /// No answer in time.
    #[error("{place}: {doing}: no answer within {}; --timeout allows more", humantime::format_duration(rounded(*limit)))]
    Timeout {
        /// The server.
        place: String,
        /// What was being done.
        doing: String,
        /// How long was waited.
        limit: Duration,
        /// Whether the request may have reached the server.
        sent: bool,
    },
    /// Something answered that is no XenAPI, or broke off.
    #[error("{place}: {doing}: {why}")]
    Protocol {
        /// The server.
        place: String,
        /// What was being done.
        doing: String,
        /// What came instead.
        why: String,
    },
    /// The process was told to end; sessions are being logged out.
    #[error("interrupted; sessions were logged out")]
    Interrupted,
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustProblem {
    /// Nobody has said yet what to expect.
    #[error("its certificate is not known yet: SHA-256 {found}")]
    Unknown {
        /// The certificate that was shown.
        found: Fingerprint,
    },
    /// Another certificate than the one expected.
    #[error(
        "its certificate is not the expected one: expected SHA-256 {}, found {found}. Somebody may be in \
         between, or the certificate was replaced: compare on the host's console, then {remedy}",
        expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
    )]
    Changed {
        /// What would be trusted.
        expected: Vec<Fingerprint>,
        /// The certificate that was shown.
        found: Fingerprint,
        /// Where the expectation stands, and how to change it.
        remedy: String,
    },
    /// No trusted authority vouches for it.
    #[error("no authority of --ca-file vouches for its certificate ({why}): SHA-256 {found}")]
    Authority {
        /// What the verification said.
        why: String,
        /// The certificate that was shown.
        found: Fingerprint,
    },
}

impl TrustProblem {
    /// What to do for an address about which nothing was said.
    fn advice(&self, place: &Address) -> String {
        match self {
            Self::Unknown { found } => format!(
                ". Compare it on the host's console ({CONSOLE}), then add --tls-fingerprint {place}={}",
                found.plain()
            ),
            Self::Changed { .. } | Self::Authority { .. } => String::new(),
        }
    }
}

/// Shows a host's certificate on its own console.
pub const CONSOLE: &str = "openssl x509 -in /etc/xensource/xapi-ssl.pem -noout -fingerprint -sha256";

impl XapiError {
    /// The server's code, where it answered with an error.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Api { code, .. } | Self::Login { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the server no longer knows the session, as after a restart of its toolstack. What only asks may be asked
    /// again in a new one.
    pub fn is_forgotten_session(&self) -> bool {
        self.code() == Some("SESSION_INVALID")
    }

    /// Whether the server may have carried out the call although no answer came.
    pub const fn may_have_acted(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } | Self::Timeout { sent, .. } => *sent,
            Self::Protocol { .. } | Self::Interrupted => true,
            Self::Api { .. } | Self::Trust { .. } | Self::Legacy { .. } | Self::Login { .. } => false,
        }
    }
}

fn shown(params: &[String]) -> String {
    if params.is_empty() { String::new() } else { format!(" [{}]", params.join(", ")) }
}

/// Whole seconds are enough for a person. Up, as a little of what was allowed is gone before a call begins.
fn rounded(limit: Duration) -> Duration {
    let up = |nanos: u128, unit: u128| u64::try_from(nanos.div_ceil(unit)).unwrap_or(u64::MAX);
    if limit <= Duration::from_millis(900) {
        Duration::from_millis(up(limit.as_nanos(), 1_000_000).max(1))
    } else {
        Duration::from_secs(up(limit.as_nanos(), 1_000_000_000))
    }
}
