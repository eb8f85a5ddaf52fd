//! One request to one surface, read whole.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use serde_json::Value;

use crate::app::App;

/// What a surface gets to answer from.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    /// Number of the request, for identifiers.
    pub(crate) number: u64,
    pub(crate) method: &'a Method,
    /// Path below the surface's own root, such as `/v1/models`.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    /// The body, when it is JSON.
    pub(crate) json: Option<&'a Value>,
    /// Vectorize index that the address or a header names.
    pub(crate) index: Option<&'a str>,
    /// Binding that the request came through, where a proxy tells.
    pub(crate) binding: Option<&'a str>,
}

impl Call<'_> {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Value of a query parameter, percent-decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key == name).then(|| percent_decode(value))
        })
    }
}

/// Decodes `%XX` and `+`; what does not decode stays as it is.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                decoded.push(value);
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::percent_decode;

    #[test]
    fn decodes_and_survives_nonsense() {
        assert_eq!(percent_decode("%7B%22a%22+1%"), "{\"a\" 1%");
        assert_eq!(percent_decode("%zz%é"), "%zz%é");
    }
}
