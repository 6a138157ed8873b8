//! The live management API: one session with one server, over HTTPS or the toolstack's own socket, trusted before
//! anything secret is sent, and always logged out. `collect` reads records through it, `gate` acts through it; `cli`
//! opens the sessions.

mod address;
mod client;
mod error;
mod https;
mod known_hosts;
mod password;
mod pin;
mod read;
mod session;
mod sessions;
mod socket;
mod transport;
mod trust;
mod wire;

pub use address::{Address, AddressError};
pub use client::{Client, Knock, Limits};
pub use error::{CONSOLE, TrustProblem, XapiError};
pub use known_hosts::{KnownHosts, KnownHostsError};
pub use password::Password;
pub use pin::{Fingerprint, FingerprintError};
pub use read::read_session;
pub use session::Session;
pub(crate) use sessions::ending_signals;
pub use sessions::{log_out_now, log_out_on_signals};
pub use socket::read_http;
pub use trust::{AuthorityError, Trust, TrustStore};

use read::retry;

use std::time::Duration;

use serde_json::Value;

/// One parameter of a call.
#[derive(Clone, Copy)]
pub enum Param<'a> {
    /// A plain value.
    Value(&'a Value),
    /// A secret: goes into the body at the last moment, from there into nothing else, and is wiped with it.
    Secret(&'a Password),
}

/// One logged-in session with a server. A trait, so that tests can stand in for the server.
pub trait Server: Send {
    /// Calls a method; the session's reference is put before the parameters. Never sent twice.
    fn call_with(&mut self, method: &str, params: &[Param<'_>]) -> Result<Value, XapiError>;

    /// Calls a method whose parameters are all plain.
    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, XapiError> {
        let params: Vec<_> = params.iter().map(Param::Value).collect();
        self.call_with(method, &params)
    }

    /// How long each of the next calls may take. A join takes minutes, a record seconds.
    fn set_limit(&mut self, limit: Duration);

    /// Where the session is: the coordinator, when a member sent us there.
    fn address(&self) -> &Address;

    /// The certificate that the server showed; none on the local socket.
    fn fingerprint(&self) -> Option<Fingerprint>;
}
