//! The calls that the lab answers: who may, from which host, and what happens. Called by the lab's sockets, and by its
//! hosts among themselves.

mod events;
mod filter;
mod hosts;
mod methods;
mod records;
mod sessions;
mod tasks;
mod upheaval;

use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{Answer, ApiError};
use super::phase::Phase;
use super::world::{Call, Session, Shared};
use super::{eject, join};

pub(super) use sessions::end_all as end_sessions;
pub(super) use upheaval::{change_coordinator, swap_certificate, twist};

/// How a call ends.
#[derive(Debug)]
pub(super) enum Outcome {
    /// As the dispatch answers.
    Answer(Answer),
    /// As what stands before the dispatch answers.
    Outside(ApiError),
    /// The host went away meanwhile.
    Drop,
}

/// Why a long call ends early.
#[derive(Debug)]
pub(super) enum Halt {
    /// The server's error.
    Error(ApiError),
    /// The host that answers went away, or the lab did.
    Gone,
}

impl From<ApiError> for Halt {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

/// A call with who makes it.
pub(super) struct Context<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) host: usize,
    pub(super) method: &'a str,
    /// Without the session.
    pub(super) params: &'a [Value],
    pub(super) session: &'a str,
    pub(super) caller: Session,
}

/// Writes down that a method was called; never with what.
pub(super) fn note(shared: &Shared, endpoint: &str, method: &str, by_host: bool) {
    let call = Call { endpoint: endpoint.to_owned(), method: method.to_owned(), by_host };
    shared.world().calls.push(call);
}

/// Answers a call at a host.
pub(super) fn dispatch(shared: &Arc<Shared>, host: usize, method: &str, params: &[Value]) -> Outcome {
    if let Some(error) = outside(shared, host, method) {
        return Outcome::Outside(error);
    }
    match answer(shared, host, method, params) {
        Ok(value) => Outcome::Answer(Ok(value)),
        Err(Halt::Error(error)) => Outcome::Answer(Err(error)),
        Err(Halt::Gone) => Outcome::Drop,
    }
}

/// What a host in emergency mode, or one that still starts, says to nearly everything.
fn outside(shared: &Shared, host: usize, method: &str) -> Option<ApiError> {
    const ALWAYS: [&str; 4] = [
        "session.slave_local_login_with_password",
        "session.local_logout",
        "host.is_in_emergency_mode",
        "system.listMethods",
    ];
    if ALWAYS.contains(&method) {
        return None;
    }
    let world = shared.world();
    let host = &world.hosts[host];
    match host.phase {
        Phase::Starting | Phase::FirstBoot => {
            Some(host.emergency.clone().unwrap_or_else(|| ApiError::bare("HOST_STILL_BOOTING")))
        }
        _ => host.emergency.clone(),
    }
}

fn answer(shared: &Arc<Shared>, host: usize, method: &str, params: &[Value]) -> Result<Value, Halt> {
    match method {
        "system.listMethods" => return Ok(methods::list(&shared.world(), host)),
        "session.login_with_password" => return Ok(sessions::login(shared, host, params)?),
        "session.slave_local_login_with_password" => return Ok(sessions::local_login(shared, host, params)?),
        "host.is_in_emergency_mode" => return Ok(json!(shared.world().hosts[host].emergency.is_some())),
        _ => {}
    }
    let (plain, wait) = match method.strip_prefix("Async.") {
        Some(plain) => (plain, false),
        None => (method, true),
    };
    methods::check(&shared.world(), host, plain, params.len())?;
    let Some((session, rest)) = params.split_first() else {
        return Err(ApiError::internal("Failure(\"hd\")").into());
    };
    let Some(session) = session.as_str() else {
        return Err(ApiError::internal(format!("Failure(\"Expected string, got '{}'\")", repeated(session))).into());
    };
    let caller = sessions::find(shared, host, session)?;
    let context = Context { shared, host, method: plain, params: rest, session, caller };
    context.authorise()?;
    if wait { context.run() } else { Ok(tasks::start(&context)?) }
}

/// A value as the server repeats it in its complaints, secrets and all.
fn repeated(value: &Value) -> String {
    let join = |parts: Vec<String>| parts.join(";");
    match value {
        Value::Null => "N".to_owned(),
        Value::Bool(flag) => format!("B({flag})"),
        Value::Number(number) if number.is_f64() => format!("F({number})"),
        Value::Number(number) => format!("I({number})"),
        Value::String(text) => format!("S({text})"),
        Value::Array(items) => format!("[{}]", join(items.iter().map(repeated).collect())),
        Value::Object(fields) => {
            format!(
                "{{{}}}",
                join(fields.iter().map(|(name, value)| format!("{name}:{}", repeated(value))).collect())
            )
        }
    }
}

impl Context<'_> {
    /// Only users of a directory are held to their roles; root may do all.
    fn authorise(&self) -> Result<(), ApiError> {
        let needed = methods::role(self.method);
        if self.caller.role >= needed {
            return Ok(());
        }
        let words = "No permission in user session".to_owned();
        Err(ApiError::new("RBAC_PERMISSION_DENIED", [self.method.to_owned(), words]))
    }

    fn run(&self) -> Result<Value, Halt> {
        let Some((class, message)) = self.method.split_once('.') else { return Err(self.unknown().into()) };
        match (class, message) {
            ("pool", "join") => return join::join(self, false),
            ("pool", "join_force") => return join::join(self, true),
            ("pool", "eject") => return eject::eject(self),
            ("event", _) => return Ok(events::answer(self, message)?),
            ("session", _) => return Ok(sessions::answer(self, message)?),
            _ => {}
        }
        if let Some(answer) = hosts::answer(self, class, message) {
            return Ok(answer?);
        }
        Ok(records::answer(self, class, message)?)
    }

    /// What the server says of a method that it does not have.
    fn unknown(&self) -> ApiError {
        ApiError::new("MESSAGE_METHOD_UNKNOWN", [self.method])
    }

    /// A parameter as a text.
    pub(super) fn text(&self, index: usize) -> Result<&str, ApiError> {
        let value = self.params.get(index).unwrap_or(&Value::Null);
        value
            .as_str()
            .ok_or_else(|| ApiError::internal(format!("Failure(\"Expected string, got '{}'\")", repeated(value))))
    }
}
