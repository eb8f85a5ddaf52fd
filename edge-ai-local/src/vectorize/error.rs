//! Vectorize's errors: `{"code", "error"}` with a status other than 200.

use serde_json::json;

use crate::reply::Reply;

/// Code of the refusals whose number in the service is not publicly known.
const UNKNOWN: u32 = 40000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    status: u16,
    pub(super) code: u32,
    pub(super) message: String,
}

impl Error {
    fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code,
            message: message.into(),
        }
    }

    pub(crate) fn of(status: u16, message: &str) -> Self {
        Self {
            status,
            ..Self::new(UNKNOWN, message)
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(UNKNOWN, message)
    }

    pub(super) fn query_dimensions(expected: usize, got: usize) -> Self {
        Self::new(
            40006,
            format!("invalid query vector, expected {expected} dimensions, and got {got} dimensions"),
        )
    }

    pub(super) fn too_many_ids(max: usize, got: usize) -> Self {
        Self::new(
            40007,
            format!("too many ids in payload; max id count is {max}, got {got}"),
        )
    }

    pub(super) fn id_too_long(max: usize, got: usize) -> Self {
        Self::new(40008, format!("id too long; max is {max} bytes, got {got} bytes"))
    }

    pub(super) fn dimensions(id: &str, expected: usize, got: usize) -> Self {
        let message = format!(
            "invalid vector for id=\"{id}\", expected {expected} dimensions, and got {got} dimensions"
        );
        Self::new(40012, message)
    }

    pub(super) fn unparsable(operation: &str, detail: &str) -> Self {
        Self::new(
            40023,
            format!("failed to parse {operation} vectors request in json format: {detail}"),
        )
    }

    pub(super) fn top_k(max: u64, got: u64, full: bool) -> Self {
        let message = if full {
            format!(
                "with returnValues=true or returnMetadata=all, max top K is {max}, but got {got}; for a top K up to \
                 100, retry with returnValues=false and returnMetadata=indexed"
            )
        } else {
            format!("max top K is {max}, but got {got}")
        };
        Self::new(40025, message)
    }

    pub(super) fn malformed(detail: impl std::fmt::Display) -> Self {
        Self::new(
            40026,
            format!("Failed to parse the request body as JSON: {detail}"),
        )
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        Self::json(&json!({ "code": error.code, "error": error.message })).with_status(error.status)
    }
}

/// The error that Vectorize gives with a status.
pub(crate) fn of_status(status: u16, code: Option<&str>) -> Reply {
    let (usual, message) = match status {
        401 | 403 => (10000, "Authentication error"),
        429 => (40041, "Too Many Requests"),
        504 => (50004, "Gateway Timeout"),
        500.. => (50000, "Internal Server Error"),
        _ => (UNKNOWN, "Bad Request"),
    };
    let code = code.and_then(|code| code.parse().ok()).unwrap_or(usual);
    Error {
        status,
        ..Error::new(code, message)
    }
    .into()
}
