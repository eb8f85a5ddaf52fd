use edge_ai_core::{Error, ErrorKind, Result};
use http::Method;

use crate::surface::by_method;

/// What can be done with files and batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchEndpoint<'a> {
    Upload,
    ListFiles,
    ShowFile(&'a str),
    Content(&'a str),
    DeleteFile(&'a str),
    Create,
    List,
    Show(&'a str),
    Cancel(&'a str),
}

impl<'a> BatchEndpoint<'a> {
    /// Whether a path is one of these.
    pub(super) fn has(path: &str) -> bool {
        ["/v1/files", "/v1/batches"].iter().any(|own| {
            path.strip_prefix(own)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Finds what a request asks for.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for another path; status 405 for another method.
    pub(super) fn at(method: &Method, path: &'a str) -> Result<Self> {
        let mut parts = path.trim_end_matches('/').split('/').skip(2);
        let parts = (
            parts.next().unwrap_or_default(),
            parts.next(),
            parts.next(),
            parts.next(),
        );
        let there: &[(&str, Self)] = match parts {
            ("files", None, ..) => &[("POST", Self::Upload), ("GET", Self::ListFiles)],
            ("files", Some(id), None, _) => &[("GET", Self::ShowFile(id)), ("DELETE", Self::DeleteFile(id))],
            ("files", Some(id), Some("content"), None) => &[("GET", Self::Content(id))],
            ("batches", None, ..) => &[("POST", Self::Create), ("GET", Self::List)],
            ("batches", Some(id), None, _) => &[("GET", Self::Show(id))],
            ("batches", Some(id), Some("cancel"), None) => &[("POST", Self::Cancel(id))],
            _ => {
                let message = "there is nothing here; there are /v1/files and /v1/batches";
                return Err(Error::new(ErrorKind::NotFound, message).with_code("unknown_url"));
            }
        };
        by_method(method, there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let at = |method: Method, path: &'static str| BatchEndpoint::at(&method, path);
        assert_eq!(at(Method::POST, "/v1/files").unwrap(), BatchEndpoint::Upload);
        assert_eq!(
            at(Method::GET, "/v1/files/f/content").unwrap(),
            BatchEndpoint::Content("f")
        );
        assert_eq!(
            at(Method::POST, "/v1/batches/b/cancel/").unwrap(),
            BatchEndpoint::Cancel("b")
        );
        assert_eq!(at(Method::PUT, "/v1/files/f").unwrap_err().status(), 405);
        assert_eq!(at(Method::GET, "/v1/batches/b/x").unwrap_err().status(), 404);
        assert!(BatchEndpoint::has("/v1/files") && !BatchEndpoint::has("/v1/filesystem"));
    }
}
