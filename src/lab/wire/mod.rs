//! The server's side of JSON-RPC 1.0, 2.0 and XML-RPC: requests in, answers and errors out, as the real server shapes
//! them. Called by the lab's HTTP.

mod json;
mod xml;

use serde_json::Value;

use super::answer::{Answer, ApiError};

pub(super) use xml::value as xml_value;

/// In which form a request came, and so its answer goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Json1(Value),
    Json2(Value),
    Xml,
}

/// A call, whatever it came in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) form: Form,
    pub(super) method: String,
    pub(super) params: Vec<Value>,
}

/// What the server's parsers say of a body that is no call; goes into its page for HTTP 500.
pub(super) type Malformed = String;

/// Reads the body of a request to this path.
pub(super) fn decode(path: &str, body: &[u8]) -> Result<Request, Malformed> {
    if path == "/jsonrpc" { json::decode(body) } else { xml::decode(body) }
}

/// The body of an answer. `method` tells whether a bare text is a date.
pub(super) fn encode(form: &Form, method: &str, answer: &Answer) -> String {
    match form {
        Form::Json1(id) => json::answer_1(id, answer),
        Form::Json2(id) => json::answer_2(id, answer),
        Form::Xml => xml::answer(method, answer),
    }
}

/// An error that the server raises outside of its dispatch, as in emergency mode: the version and id of the request
/// are lost, and the error is a plain list.
pub(super) fn encode_outside(form: &Form, error: &ApiError) -> String {
    match form {
        Form::Json1(_) | Form::Json2(_) => json::outside(error),
        Form::Xml => xml::answer("", &Err(error.clone())),
    }
}

/// The type of an answer's body.
pub(super) fn content_type(form: &Form) -> &'static str {
    if matches!(form, Form::Xml) { "text/xml" } else { "application/json" }
}
