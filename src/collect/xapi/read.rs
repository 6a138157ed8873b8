//! A snapshot from a session: one call a class, nothing changed on the server.

use std::thread;
use std::time::{Instant, SystemTime};

use super::client::Limits;
use super::{Server, Session, XapiError};
use crate::collect::Collected;
use crate::collect::limits::PAUSES;
use crate::collect::records::answers::{Answers, ServerError, wanted};
use crate::collect::records::map;
use crate::snapshot::SourceKind;

/// Does what changes nothing again where the connection broke, with pauses, while there is time.
pub(super) fn retry<T>(limits: &Limits, mut ask: impl FnMut() -> Result<T, XapiError>) -> Result<T, XapiError> {
    for pause in PAUSES {
        match ask() {
            Err(XapiError::Unreachable { .. }) if limits.until.is_none_or(|until| Instant::now() + pause < until) => {
                thread::sleep(pause);
            }
            done => return done,
        }
    }
    ask()
}

/// Reads all records that the model has room for. `target` is the target as the operator named it.
pub fn read_session(session: &mut Session, target: &str) -> Result<Collected, XapiError> {
    let limits = *session.limits();
    let seen = crate::collect::local::clock::timestamp(SystemTime::now());
    let mut answers = Answers::default();
    for class in wanted() {
        let method = format!("{class}.get_all_records");
        match retry(&limits, || session.call(&method, &[])) {
            Ok(records) => answers.add(class.to_owned(), Ok(records)),
            Err(XapiError::Api { code, .. }) if is_about_class(class, &code) => {
                answers.add(class.to_owned(), Err(ServerError::new(code)));
            }
            // A class that the server stumbles over is unknown; the others are not.
            Err(XapiError::Protocol { why, .. }) if !is_base(class) => {
                answers.add(class.to_owned(), Err(ServerError::new(why)));
            }
            Err(error) => return Err(error),
        }
    }
    let mut collected = map(target, SourceKind::Xapi, seen.into(), answers).map_err(|error| XapiError::Protocol {
        place: session.address().to_string(),
        doing: "reading its records".to_owned(),
        why: error.to_string(),
    })?;
    if let Some(member) = session.sent_here_by() {
        let note = format!("{member} is a member of a pool; read from its coordinator {}", session.address());
        collected.notes.insert(0, note);
    }
    Ok(collected)
}

/// Without these there is nothing to judge.
fn is_base(class: &str) -> bool {
    matches!(class, "pool" | "host")
}

/// Whether an error says something of the class, and not that the session or the server is in no state to answer.
fn is_about_class(class: &str, code: &str) -> bool {
    let of_server = ["SESSION_INVALID", "HOST_IS_SLAVE", "HOST_STILL_BOOTING", "HOST_UNKNOWN_TO_MASTER"];
    let refused = matches!(code, "RBAC_PERMISSION_DENIED");
    !of_server.contains(&code) && (!is_base(class) || refused)
}
