//! Logging in and out. Refusals take as long as at the server, by the lab's clock.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::answer::{Answer, ApiError};
use super::super::db::NULL;
use super::super::random;
use super::super::world::{Pool, Role, Session, Shared, User};
use super::Context;

/// How many sessions one originator of one user may have; the one that rested longest ends for another.
const MOST: usize = 500;
/// How long the server lets somebody wait who gave a wrong password, in seconds.
const REFUSAL: f64 = 5.0;

pub(super) fn login(shared: &Shared, host: usize, params: &[Value]) -> Answer {
    let method = "session.login_with_password";
    let [user, password, rest @ ..] = params else { return Err(count(method, params)) };
    if rest.len() > 2 {
        return Err(count(method, params));
    }
    let (Some(user), Some(password)) = (user.as_str(), password.as_str()) else {
        return Err(ApiError::internal("Failure(\"Expected string\")"));
    };
    let originator = rest.get(1).and_then(Value::as_str).unwrap_or("");
    {
        let world = shared.world();
        if !world.is_coordinator(host) {
            return Err(ApiError::new("HOST_IS_SLAVE", [world.coordinator_address(host)]));
        }
    }
    admit(shared, host, user, password, originator, false)
}

pub(super) fn local_login(shared: &Shared, host: usize, params: &[Value]) -> Answer {
    let [Value::String(user), Value::String(password)] = params else {
        return Err(count("session.slave_local_login_with_password", params));
    };
    admit(shared, host, user, password, "", true)
}

fn admit(shared: &Shared, host: usize, user: &str, password: &str, originator: &str, local: bool) -> Answer {
    let found: Option<User> = shared.world().users_of(host).iter().find(|known| known.name == user).cloned();
    let role = match found {
        Some(known) if *known.password == password => known.role,
        found => {
            shared.pass(REFUSAL);
            let words = match found {
                Some(_) => "Authentication failure",
                None => "User not known to the underlying authentication module",
            };
            return Err(ApiError::new("SESSION_AUTHENTICATION_FAILED", [user, words]));
        }
    };
    let session = Session {
        uuid: random::uuid(),
        user: user.to_owned(),
        role,
        originator: originator.to_owned(),
        used: Instant::now(),
        local: local.then_some(host),
    };
    let reference = random::reference();
    let mut world = shared.world();
    let pool = world.pool_of_mut(host);
    make_room(pool, &session, shared.session_life);
    pool.sessions.insert(reference.clone(), session);
    Ok(json!(reference))
}

fn make_room(pool: &mut Pool, new: &Session, life: Duration) {
    pool.sessions.retain(|_, session| session.used.elapsed() < life);
    let alike: Vec<_> = pool
        .sessions
        .iter()
        .filter(|(_, old)| old.user == new.user && old.originator == new.originator)
        .map(|(reference, old)| (old.used, reference.clone()))
        .collect();
    if alike.len() >= MOST
        && let Some((_, oldest)) = alike.into_iter().min()
    {
        pool.sessions.remove(&oldest);
    }
}

/// The session of a call. A member knows no sessions but its local ones.
pub(super) fn find(shared: &Shared, host: usize, reference: &str) -> Result<Session, ApiError> {
    let mut world = shared.world();
    let coordinator = world.is_coordinator(host);
    let address = world.coordinator_address(host);
    let life = shared.session_life;
    let pool = world.pool_of_mut(host);
    pool.sessions.retain(|_, session| session.used.elapsed() < life);
    let session = pool.sessions.get_mut(reference).filter(|session| session.local.is_none_or(|at| at == host));
    match session {
        Some(session) if coordinator || session.local.is_some() => {
            session.used = Instant::now();
            Ok(session.clone())
        }
        _ if !coordinator => Err(ApiError::new("HOST_IS_SLAVE", [address])),
        _ => Err(ApiError::new("SESSION_INVALID", [reference])),
    }
}

/// Ends all sessions of a host's pool.
pub(in crate::lab) fn end_all(shared: &Shared, host: usize) {
    shared.world().pool_of_mut(host).sessions.clear();
}

pub(super) fn answer(context: &Context<'_>, message: &str) -> Answer {
    let Context { shared, host, session, caller, .. } = context;
    let own = |value: Value| {
        if context.text(0)? == *session {
            Ok(value)
        } else {
            Err(ApiError::handle_invalid("session", context.text(0)?))
        }
    };
    match message {
        "logout" | "local_logout" => {
            shared.world().pool_of_mut(*host).sessions.remove(*session);
            Ok(json!(""))
        }
        "get_this_host" => own(json!(shared.world().hosts[*host].reference)),
        "get_this_user" | "get_subject" | "get_parent" => own(json!(NULL)),
        "get_pool" => own(json!(shared.world().db(*host).pool().0)),
        "get_uuid" => own(json!(caller.uuid)),
        "get_originator" => own(json!(caller.originator)),
        "get_auth_user_name" => own(json!(caller.user)),
        "get_auth_user_sid" => own(json!("")),
        "get_is_local_superuser" => own(json!(caller.role == Role::PoolAdmin)),
        "get_rbac_permissions" | "get_tasks" => own(json!([])),
        "get_other_config" => own(json!({})),
        "get_all_subject_identifiers" => Ok(json!([])),
        "get_record" => {
            let world = shared.world();
            own(json!({
                "uuid": caller.uuid,
                "this_host": world.hosts[*host].reference,
                "this_user": NULL,
                "last_active": super::hosts::now(),
                "pool": world.db(*host).pool().0.to_owned(),
                "other_config": {},
                "is_local_superuser": caller.role == Role::PoolAdmin,
                "subject": NULL,
                "validation_time": "19700101T00:00:00Z",
                "auth_user_sid": "",
                "auth_user_name": caller.user,
                "rbac_permissions": [],
                "tasks": [],
                "parent": NULL,
                "originator": caller.originator,
                "client_certificate": false,
            }))
        }
        _ => Err(context.unknown()),
    }
}

/// Too many or too few parameters, counted as the server counts them: without the session.
pub(super) fn count(method: &str, params: &[Value]) -> ApiError {
    let expected = if method.ends_with("slave_local_login_with_password") { 2 } else { 4 };
    ApiError::new(
        "MESSAGE_PARAMETER_COUNT_MISMATCH",
        [method.to_owned(), expected.to_string(), params.len().to_string()],
    )
}
