//! Logging in: the server is trusted first, its encoding found, a member's word followed to the coordinator once.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::https::Https;
use super::session::{Call, Session};
use super::sessions::{LoggingIn, Open};
use super::socket::Socket;
use super::transport::Transport;
use super::wire::{Encoding, Lead};
use super::{Address, Fingerprint, Param, Password, TrustStore, XapiError, retry};

/// The name of our sessions in the server's list and log.
const ORIGINATOR: &str = "poolgate";
/// Where the toolstack listens inside dom0.
const SOCKET: &str = "/var/lib/xcp/xapi";

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To connect.
    pub connect: Duration,
    /// One call.
    pub call: Duration,
    /// Everything.
    pub until: Option<Instant>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), call: Duration::from_secs(60), until: None }
    }
}

impl Limits {
    /// When a call that begins now must be done.
    pub(super) fn deadline(&self) -> Instant {
        let call = Instant::now() + self.call;
        self.until.map_or(call, |until| until.min(call))
    }
}

/// A server that nobody is logged in to yet.
#[derive(Clone, Debug)]
pub struct Client {
    way: Way,
    limits: Limits,
}

#[derive(Clone, Debug)]
enum Way {
    Https { address: Address, trust: Arc<TrustStore> },
    Socket(PathBuf),
}

impl Client {
    /// A server by its address.
    pub const fn new(address: Address, trust: Arc<TrustStore>, limits: Limits) -> Self {
        Self { way: Way::Https { address, trust }, limits }
    }

    /// The toolstack of the machine that this runs on, by its socket.
    pub fn local(limits: Limits) -> Self {
        let path = std::env::var_os("POOLGATE_XAPI_SOCKET").map_or_else(|| SOCKET.into(), PathBuf::from);
        Self { way: Way::Socket(path), limits }
    }

    /// Logs in. A member sends us to its coordinator, on the same port; the password goes there only when its
    /// certificate is trusted too. On the local socket root needs no password: the user and the password may be empty.
    pub fn log_in(&self, user: &str, password: &Password) -> Result<Session, XapiError> {
        let (transport, address): (Arc<dyn Transport>, _) = match &self.way {
            Way::Socket(path) => (Arc::new(Socket::new(path.clone())), "localhost".parse()),
            Way::Https { address, trust } => {
                let https = Https::new(address.clone(), trust.at(address), self.limits.connect)?;
                (Arc::new(https), Ok(address.clone()))
            }
        };
        let address: Address = address.map_err(|error: super::AddressError| XapiError::Protocol {
            place: transport.place(),
            doing: "naming it".to_owned(),
            why: error.to_string(),
        })?;
        let member = match self.log_in_at(&transport, &address, user, password)? {
            Login::Done(session) => return Ok(*session),
            Login::Member(member) => member,
        };
        let Way::Https { trust, .. } = &self.way else { return Err(member.error(&address)) };
        let coordinator = match address.at(&member.coordinator) {
            Ok(coordinator) if coordinator != address => coordinator,
            _ => return Err(member.error(&address)),
        };
        drop(transport);
        let trusted = trust.at(&coordinator).or_named_by(&address, member.thumbprint);
        let https = Https::new(coordinator.clone(), trusted, self.limits.connect)?;
        let transport: Arc<dyn Transport> = Arc::new(https);
        match self.log_in_at(&transport, &coordinator, user, password)? {
            Login::Done(session) => Ok(session.sent_by(address)),
            Login::Member(other) => Err(other.error(&coordinator)),
        }
    }

    /// Logs in at this very server and nowhere else: a member is told from a server that stands alone. `named` is a
    /// certificate that a trusted server vouches for, where nothing was said of this address.
    pub fn knock(&self, user: &str, password: &Password, named: Option<Fingerprint>) -> Result<Knock, XapiError> {
        let Way::Https { address, trust } = &self.way else {
            return self.log_in(user, password).map(|session| Knock::Alone(Box::new(session)));
        };
        let trusted = trust.at(address).or_named_by(address, named);
        let https = Https::new(address.clone(), trusted, self.limits.connect)?;
        let transport: Arc<dyn Transport> = Arc::new(https);
        Ok(match self.log_in_at(&transport, address, user, password)? {
            Login::Done(session) => Knock::Alone(session),
            Login::Member(member) => Knock::Member { coordinator: member.coordinator },
        })
    }

    fn log_in_at(
        &self,
        transport: &Arc<dyn Transport>,
        address: &Address,
        user: &str,
        password: &Password,
    ) -> Result<Login, XapiError> {
        let encoding = retry(&self.limits, || self.probe(&**transport))?;
        let under_way = LoggingIn::begin()?;
        let (user_value, version, originator) = (json!(user), json!("1.0"), json!(ORIGINATOR));
        let params =
            [Param::Value(&user_value), Param::Secret(password), Param::Value(&version), Param::Value(&originator)];
        let call = Call {
            transport: &**transport,
            encoding,
            lead: Lead::Nothing,
            method: "session.login_with_password",
            deadline: self.limits.deadline(),
        };
        let answer = match call.send(&params) {
            // Before 6.2 there was no originator; nothing was checked, so asking again is safe.
            Ok((Err(error), _)) if error.code() == Some("MESSAGE_PARAMETER_COUNT_MISMATCH") => {
                call.send(&params[..2])
            }
            answer => answer,
        };
        let (answer, thumbprint) = answer?;
        match answer {
            Ok(Value::String(reference)) if !reference.is_empty() => {
                let reference = Password::new(Zeroizing::new(reference));
                let open = Open { transport: Arc::clone(transport), encoding, reference };
                let ticket = under_way.done(open);
                Ok(Login::Done(Box::new(Session::new(ticket, address.clone(), self.limits))))
            }
            Ok(_) => Err(call.odd("it answered something else than a session")),
            Err(XapiError::Api { code, params, .. }) if code == "HOST_IS_SLAVE" => {
                let coordinator = params.into_iter().next().unwrap_or_default();
                let thumbprint = thumbprint.and_then(|text| text.parse().ok());
                Ok(Login::Member(Member { coordinator, thumbprint }))
            }
            Err(XapiError::Api { place, code, .. }) if is_login_code(&code) => {
                Err(XapiError::Login { place, user: user.to_owned(), code })
            }
            Err(error) => Err(error),
        }
    }

    /// Finds out how to speak with the server, and with that whether it is trusted, before a password is written into
    /// any body: asks something that needs no session and answers an error.
    fn probe(&self, transport: &dyn Transport) -> Result<Encoding, XapiError> {
        let mut last = None;
        for encoding in [Encoding::Json2, Encoding::Json1, Encoding::Xml] {
            let deadline = self.limits.deadline();
            let call = Call { transport, encoding, lead: Lead::Nothing, method: "pool.get_all", deadline };
            match call.ask() {
                Ok(found) => return Ok(found),
                Err(error @ XapiError::Protocol { .. }) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or(XapiError::Interrupted))
    }
}

/// What a server turns out to be.
pub enum Knock {
    /// The coordinator of its pool, or a host that stands alone; with a session.
    Alone(Box<Session>),
    /// A member of a pool.
    Member {
        /// The address of its coordinator.
        coordinator: String,
    },
}

enum Login {
    Done(Box<Session>),
    Member(Member),
}

/// What a member says of its coordinator.
struct Member {
    coordinator: String,
    thumbprint: Option<Fingerprint>,
}

impl Member {
    fn error(self, at: &Address) -> XapiError {
        XapiError::Api {
            place: at.to_string(),
            method: "session.login_with_password".to_owned(),
            code: "HOST_IS_SLAVE".to_owned(),
            params: vec![self.coordinator],
        }
    }
}

fn is_login_code(code: &str) -> bool {
    matches!(code, "SESSION_AUTHENTICATION_FAILED" | "SESSION_AUTHORIZATION_FAILED" | "RBAC_PERMISSION_DENIED")
}
