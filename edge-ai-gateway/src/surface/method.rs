use edge_ai_core::{Error, ErrorKind, Result};
use http::Method;

/// What a method does at a path, of what it takes there; `HEAD` does what `GET` does.
///
/// # Errors
/// As [`not_taken`].
pub(crate) fn by_method<E: Copy>(method: &Method, there: &[(&str, E)]) -> Result<E> {
    let asked = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let found = there.iter().find(|(takes, _)| *takes == asked.as_str());
    found.map(|(_, does)| *does).ok_or_else(|| {
        let takes: Vec<_> = there.iter().map(|(takes, _)| *takes).collect();
        not_taken(method, &takes.join(", "))
    })
}

/// Status 405 with the methods that there are.
pub(crate) fn not_taken(method: &Method, takes: &str) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("this takes {takes}, not {method}"),
    )
    .with_status(405)
    .with_code("method_not_supported")
}
