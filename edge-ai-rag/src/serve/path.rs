use edge_ai_core::{Error, Result};
use percent_encoding::percent_decode_str;

use crate::DocumentId;

/// What a path names.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    Documents,
    Batch,
    Document(DocumentId),
    Sync,
    Job(String),
    Retry(String),
    Query,
    Answer,
}

impl Route {
    /// What a path names; `None` for one that is not the service's.
    pub(super) fn of(path: &str) -> Result<Option<Self>> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Ok(Some(match path {
            "/documents" => Self::Documents,
            "/documents/batch" => Self::Batch,
            "/sync" => Self::Sync,
            "/query" => Self::Query,
            "/answer" => Self::Answer,
            _ => {
                if let Some(id) = path.strip_prefix("/documents/") {
                    Self::Document(DocumentId::new(decoded("id", id)?)?)
                } else if let Some(job) = path.strip_prefix("/jobs/") {
                    match job.strip_suffix("/retry") {
                        Some(job) => Self::Retry(decoded("job", job)?),
                        None => Self::Job(decoded("job", job)?),
                    }
                } else {
                    return Ok(None);
                }
            }
        }))
    }

    /// What may be done there.
    pub(super) const fn methods(&self) -> &'static str {
        match self {
            Self::Documents | Self::Job(_) => "GET",
            Self::Document(_) => "GET, PUT, DELETE",
            Self::Batch | Self::Sync | Self::Retry(_) | Self::Query | Self::Answer => "POST",
        }
    }
}

/// The parameters of an address, by their names.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of(query: Option<&str>) -> Result<Self> {
        let pairs = query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = value.replace('+', " ");
            Ok((decoded("query", name)?, decoded(name, &value)?))
        });
        pairs.collect::<Result<_>>().map(Self)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| &**value)
    }

    /// A switch: `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Error::invalid(
                name,
                format!("`{name}` is `true` or `false`, not {other:?}"),
            )),
        }
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>> {
        let read = |text: &str| {
            text.parse()
                .map_err(|_| Error::invalid(name, format!("`{name}` is a whole number, not {text:?}")))
        };
        self.get(name).map(read).transpose()
    }
}

fn decoded(param: &str, text: &str) -> Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| Error::invalid(param, "the address is not UTF-8 behind its percent signs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_any_name_behind_percent_signs() {
        let of = |path| Route::of(path).unwrap();
        let named = |id| Some(Route::Document(DocumentId::new(id).unwrap()));
        assert_eq!(of("/documents/a.md"), named("a.md"));
        assert_eq!(of("/documents/guide/a%20b.md"), named("guide/a b.md"));
        assert_eq!(of("/documents/%C3%A9"), named("é"));
        assert_eq!(of("/documents/batch"), Some(Route::Batch));
        assert_eq!(of("/documents/"), Some(Route::Documents));
        assert_eq!(of("/jobs/j1/retry"), Some(Route::Retry("j1".to_owned())));
        assert_eq!(of("/elsewhere"), None);
        for wrong in ["/documents/%ff", "/documents/a%00b"] {
            assert!(Route::of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_checked() {
        let parameters = Parameters::of(Some("wait=true&limit=x&namespace=a%2Fb+c")).unwrap();
        assert_eq!(parameters.get("namespace"), Some("a/b c"));
        assert!(parameters.flag("wait").unwrap() && !parameters.flag("other").unwrap());
        assert_eq!(parameters.number("limit").unwrap_err().param(), Some("limit"));
    }
}
