//! JSON-RPC 1.0 and 2.0.

use serde_json::{Map, Value, json};

use super::{Form, Malformed, Request};
use crate::lab::answer::{Answer, ApiError};

pub(super) fn decode(body: &[u8]) -> Result<Request, Malformed> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err("Yojson__Common.Json_error(\"Blank input data\")".to_owned());
    }
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        format!(
            "Yojson__Common.Json_error(\"Line {}, bytes {}-{}: {error}\")",
            error.line(),
            error.column(),
            error.column()
        )
    })?;
    let malformed = |what: &str| format!("Jsonrpc.Malformed_method_request(\"{what}\")");
    let Value::Object(mut call) = value else { return Err(malformed("Invalid request body")) };
    let field = |name: &str| malformed(&format!("Invalid field '{name}' in request body"));
    let id = match call.get("id") {
        Some(id @ (Value::Number(_) | Value::String(_))) => id.clone(),
        _ => return Err(field("id")),
    };
    let form = match call.get("jsonrpc").map(Value::as_str) {
        None => Form::Json1(id),
        Some(Some("2.0")) => Form::Json2(id),
        Some(_) => return Err(field("jsonrpc")),
    };
    let Some(method) = call.get("method").and_then(Value::as_str).map(str::to_owned) else {
        return Err(field("method"));
    };
    let params = match call.remove("params") {
        Some(Value::Array(params)) => params,
        // Named parameters arrive as one, and fail where a session is expected.
        Some(object @ Value::Object(_)) => vec![object],
        None => Vec::new(),
        Some(_) => return Err(field("params")),
    };
    Ok(Request { form, method, params })
}

pub(super) fn answer_1(id: &Value, answer: &Answer) -> String {
    let (result, error) = match answer {
        Ok(value) => (value.clone(), Value::Null),
        Err(error) => (Value::Null, Value::Array(error.list())),
    };
    let body = [("result", result), ("error", error), ("id", id.clone())];
    object(body)
}

pub(super) fn answer_2(id: &Value, answer: &Answer) -> String {
    let outcome = match answer {
        Ok(value) => ("result", value.clone()),
        Err(ApiError { code, params }) => ("error", json!({"code": 1, "message": code, "data": params})),
    };
    object([("jsonrpc", json!("2.0")), outcome, ("id", id.clone())])
}

pub(super) fn outside(error: &ApiError) -> String {
    object([("jsonrpc", json!("2.0")), ("error", Value::Array(error.list())), ("id", json!(0))])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> String {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()).to_string()
}
