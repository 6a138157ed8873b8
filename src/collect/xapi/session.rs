//! One logged-in session: calls, one after another, over one connection.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::Limits;
use super::sessions::{self, Ticket};
use super::transport::{Post, Reply, Transport};
use super::wire::{Encoding, Lead};
use super::{Address, Fingerprint, Param, Server, XapiError};
use crate::collect::limits::{ERROR_PARAM, ERROR_PARAMS};

/// What stands where a secret was cut out.
const REMOVED: &str = "(removed)";

/// A session with a server; logs out when it is dropped.
pub struct Session {
    ticket: Ticket,
    address: Address,
    asked: Option<Address>,
    limits: Limits,
}

impl Session {
    pub(super) const fn new(ticket: Ticket, address: Address, limits: Limits) -> Self {
        Self { ticket, address, asked: None, limits }
    }

    pub(super) fn sent_by(self, member: Address) -> Self {
        Self { asked: Some(member), ..self }
    }

    /// The member that was asked, where it sent us on to its coordinator.
    pub const fn sent_here_by(&self) -> Option<&Address> {
        self.asked.as_ref()
    }

    /// Keeps the session when the operator interrupts: a server checks it when it gets to the call.
    pub fn set_aside(&self) {
        self.ticket.set_aside();
    }

    /// How long things may take.
    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl Server for Session {
    fn call_with(&mut self, method: &str, params: &[Param<'_>]) -> Result<Value, XapiError> {
        sessions::check()?;
        let open = &self.ticket.open;
        let call = Call {
            transport: &*open.transport,
            encoding: open.encoding,
            lead: Lead::Session(&open.reference),
            method,
            deadline: self.limits.deadline(),
        };
        let answer = call.send(params);
        sessions::check()?;
        answer?.0
    }

    fn set_limit(&mut self, limit: Duration) {
        self.limits.call = limit;
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        self.ticket.open.transport.fingerprint()
    }
}

/// One call, to be sent.
pub(super) struct Call<'a> {
    pub(super) transport: &'a dyn Transport,
    pub(super) encoding: Encoding,
    pub(super) lead: Lead<'a>,
    pub(super) method: &'a str,
    pub(super) deadline: Instant,
}

/// What the server answered, and the certificate of the coordinator where it names one.
type Answer = (Result<Value, XapiError>, Option<String>);

impl Call<'_> {
    /// Sends it, once.
    pub(super) fn send(&self, params: &[Param<'_>]) -> Result<Answer, XapiError> {
        let reply = self.post(params)?;
        if reply.status != 200 {
            return Err(self.odd(&format!("HTTP {} instead of an answer{}", reply.status, page(&reply.body))));
        }
        let answer = self.encoding.decode(&reply.body).map_err(|error| {
            let broken = format!("no answer of XenAPI: {error}{}", page(&reply.body));
            self.odd(&broken)
        })?;
        let answer = answer.map_err(|failure| {
            let (code, params_said) = failure.into_parts();
            XapiError::Api {
                place: self.transport.place(),
                method: self.method.to_owned(),
                params: self.without_secrets(&code, params_said, params),
                code,
            }
        });
        Ok((answer, reply.thumbprint))
    }

    /// Asks without parameters, and tells in which encoding the server answers. An older server answers 2.0 in 1.0.
    pub(super) fn ask(&self) -> Result<Encoding, XapiError> {
        let reply = self.post(&[])?;
        if reply.status != 200 {
            return Err(self.odd(&format!("HTTP {} instead of an answer{}", reply.status, page(&reply.body))));
        }
        if let Err(error) = self.encoding.decode(&reply.body) {
            return Err(self.odd(&format!("no answer of XenAPI: {error}{}", page(&reply.body))));
        }
        let names_itself = || reply.body.windows(9).any(|nine| nine == b"\"jsonrpc\"");
        Ok(if self.encoding == Encoding::Json2 && !names_itself() { Encoding::Json1 } else { self.encoding })
    }

    /// The error of an answer that is none.
    pub(super) fn odd(&self, why: &str) -> XapiError {
        XapiError::Protocol { place: self.transport.place(), doing: self.method.to_owned(), why: why.to_owned() }
    }

    fn post(&self, params: &[Param<'_>]) -> Result<Reply, XapiError> {
        self.transport.post(Post {
            path: self.encoding.path(),
            content_type: self.encoding.content_type(),
            body: self.encoding.encode(self.method, &self.lead, params),
            secret: matches!(self.lead, Lead::Session(_))
                || params.iter().any(|param| matches!(param, Param::Secret(_))),
            deadline: self.deadline,
            doing: self.method,
        })
    }

    /// The parameters of an error without the session's reference and the secrets of the call: servers repeat them.
    fn without_secrets(&self, code: &str, said: Vec<String>, params: &[Param<'_>]) -> Vec<String> {
        if code.starts_with("SESSION_") {
            return Vec::new();
        }
        let mut secrets: Vec<&str> = Vec::new();
        if let Lead::Session(reference) = &self.lead {
            secrets.push(reference.reveal());
        }
        for param in params {
            if let Param::Secret(secret) = param {
                secrets.push(secret.reveal());
            }
        }
        let clean = |text: String| {
            let held = secrets.iter().filter(|secret| !secret.is_empty());
            let text = held.fold(text, |text, secret| text.replace(secret, REMOVED));
            if text.chars().nth(ERROR_PARAM).is_some() {
                text.chars().take(ERROR_PARAM).chain(['…']).collect()
            } else {
                text
            }
        };
        said.into_iter().take(ERROR_PARAMS).map(clean).collect()
    }
}

/// That a page for people came, which says nothing to repeat: it may hold anything.
fn page(body: &[u8]) -> &'static str {
    let start = body.trim_ascii_start();
    let is_page = [&b"<html"[..], b"<!doctype html"]
        .iter()
        .any(|sign| start.get(..sign.len()).is_some_and(|head| head.eq_ignore_ascii_case(sign)));
    if is_page { " (a web page)" } else { "" }
}
