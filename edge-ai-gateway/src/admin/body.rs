use std::time::Duration;

use edge_ai_core::{Body, Error, ErrorKind, Result, timeout};
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::Work;

/// The most bytes of a body: settings are small.
const MOST: usize = 64 << 10;
/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

impl Work<'_> {
    /// Reads a body of JSON.
    ///
    /// # Errors
    /// Status 415 for a body that does not say that it is JSON: a page of another site cannot say so without being asked first.
    /// [`ErrorKind::InvalidRequest`] with the place of what does not read.
    pub(super) async fn read<T: DeserializeOwned>(&self, body: Body) -> Result<T> {
        self.expect_json()?;
        let bytes = timeout(self.desk.clock, PATIENCE, body.bytes(MOST)).await?;
        let bytes = if bytes.is_empty() {
            bytes::Bytes::from_static(b"{}")
        } else {
            bytes
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let field = field_in(&error.to_string()).unwrap_or_else(|| "body".to_owned());
            Error::invalid(field, format!("the body does not read: {error}"))
        })
    }

    pub(super) fn expect_json(&self) -> Result<()> {
        let told = self.desk.head.headers.get(CONTENT_TYPE);
        let media_type = told.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            return Ok(());
        }
        let message = "send `content-type: application/json`";
        Err(Error::new(ErrorKind::InvalidRequest, message)
            .with_status(415)
            .with_param("content-type")
            .with_code("unsupported_media_type"))
    }
}

/// The field that serde's message names.
pub(super) fn field_in(message: &str) -> Option<String> {
    let (what, rest) = message.split_once(" field `")?;
    let known = matches!(what.trim(), "unknown" | "missing" | "duplicate");
    known.then(|| {
        rest.split('`')
            .next()
            .unwrap_or_default()
            .chars()
            .take(64)
            .collect()
    })
}
