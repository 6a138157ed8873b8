//! What a call is answered with.

use serde_json::Value;

/// An error of the server: code and parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code} {params:?}")]
pub struct ApiError {
    /// For example `HOST_IS_SLAVE`.
    pub code: String,
    /// Its parameters.
    pub params: Vec<String>,
}

impl ApiError {
    /// From a code and parameters.
    pub fn new<P: Into<String>>(code: &str, params: impl IntoIterator<Item = P>) -> Self {
        Self { code: code.to_owned(), params: params.into_iter().map(Into::into).collect() }
    }

    /// From a code alone.
    pub fn bare(code: &str) -> Self {
        Self { code: code.to_owned(), params: Vec::new() }
    }

    /// An exception that the server did not foresee.
    pub(super) fn internal(text: impl Into<String>) -> Self {
        Self::new("INTERNAL_ERROR", [text.into()])
    }

    pub(super) fn not_allowed(text: impl Into<String>) -> Self {
        Self::new("OPERATION_NOT_ALLOWED", [text.into()])
    }

    pub(super) fn handle_invalid(class: &str, reference: &str) -> Self {
        Self::new("HANDLE_INVALID", [class, reference])
    }

    /// Code and parameters in one list, as JSON-RPC 1.0 and tasks have them.
    pub(super) fn list(&self) -> Vec<Value> {
        std::iter::once(&self.code).chain(&self.params).map(|text| Value::String(text.clone())).collect()
    }
}

/// A value, or an error of the server.
pub type Answer = Result<Value, ApiError>;
