use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use edge_ai_core::{Body, Error, ErrorKind, Result};
use futures_util::stream::{BoxStream, StreamExt};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};

/// What the bodies of all requests that are under way may take together. A request takes several times its body while it is read,
/// rewritten and sent on, and a Worker has 128 MB in all.
#[derive(Debug)]
pub(crate) struct Bodies {
    held: AtomicUsize,
    limit: usize,
}

impl Bodies {
    /// Room for `limit` bytes.
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            held: AtomicUsize::new(0),
            limit,
        }
    }

    /// Makes room for one body, until what is returned is dropped. A single body always has room.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] with a moment to wait.
    pub(crate) fn hold(&self, announced: Option<u64>, most: usize) -> Result<Held<'_>> {
        let bytes = announced.map_or(most, |length| usize::try_from(length).unwrap_or(most).min(most));
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        let held = Held { bodies: self, bytes };
        if before > 0 && before.saturating_add(bytes) > self.limit {
            let message = "too many large requests are under way here; try again in a moment";
            return Err(Error::new(ErrorKind::Unavailable, message).with_retry_after(Duration::from_secs(1)));
        }
        Ok(held)
    }
}

/// Room that is given back when it is dropped.
pub(crate) struct Held<'a> {
    bodies: &'a Bodies,
    bytes: usize,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.bodies.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The most of a refused body that is still taken from the client: Cloudflare lets no more than this through on most plans.
const MAX_DRAINED: u64 = 100 << 20;

/// Reads a body of JSON.
///
/// What is too large is taken from the client all the same, and thrown away: one that is still sending when it is answered sees a broken
/// connection instead of the answer.
///
/// # Errors
/// Status 415 for a type or encoding that is not ours to read; [`ErrorKind::TooLarge`] past `limit`.
pub(crate) async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes> {
    if let Err(error) = check_headers(headers) {
        drain(body.into_stream(), 0).await;
        return Err(error);
    }
    match announced_length(headers) {
        Some(length) if length <= limit as u64 => body.bytes(limit).await,
        Some(_) => {
            drain(body.into_stream(), 0).await;
            Err(too_large(limit))
        }
        None => collect(body.into_stream(), limit).await,
    }
}

/// Reads a body that did not say how long it is.
async fn collect(mut stream: BoxStream<'static, Result<Bytes>>, limit: usize) -> Result<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        if whole.len() + piece.len() > limit {
            let read = (whole.len() + piece.len()) as u64;
            drop(whole);
            drain(stream, read).await;
            return Err(too_large(limit));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

async fn drain(mut stream: BoxStream<'static, Result<Bytes>>, mut read: u64) {
    while read < MAX_DRAINED
        && let Some(Ok(piece)) = stream.next().await
    {
        read += piece.len() as u64;
    }
}

/// What a request says about its length.
pub(crate) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn check_headers(headers: &HeaderMap) -> Result<()> {
    let text = |name| {
        headers.get(name).map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .trim()
                .to_ascii_lowercase()
        })
    };
    if let Some(encoding) = text(CONTENT_ENCODING)
        && encoding != "identity"
    {
        return Err(unsupported(
            "content-encoding",
            &encoding,
            "send the body without compression",
        ));
    }
    if let Some(media_type) = text(CONTENT_TYPE) {
        let media_type = media_type.split(';').next().unwrap_or_default().trim_end();
        if media_type != "application/json" && !media_type.ends_with("+json") {
            return Err(unsupported(
                "content-type",
                media_type,
                "send JSON as `application/json`",
            ));
        }
    }
    Ok(())
}

fn unsupported(header: &str, value: &str, remedy: &str) -> Error {
    let shown: String = value.chars().take(64).collect();
    Error::invalid(
        header,
        format!("the {header} `{shown}` is not supported; {remedy}"),
    )
    .with_status(415)
}

fn too_large(limit: usize) -> Error {
    let message = format!("the request is over the limit of {limit} bytes; send less, or files by address");
    Error::new(ErrorKind::TooLarge, message).with_code("request_too_large")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;

    fn read(headers: &[(&'static str, &'static str)], body: &'static str) -> Result<Bytes> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        block_on(read_body(&headers, Body::from(body), 4))
    }

    #[test]
    fn room_is_given_back() {
        let bodies = Bodies::new(10);
        let first = bodies.hold(Some(99), 8).unwrap();
        assert!(bodies.hold(Some(2), 8).is_ok());
        assert_eq!(bodies.hold(None, 8).err().unwrap().kind(), ErrorKind::Unavailable);
        drop(first);
        assert!(bodies.hold(None, 8).is_ok());
        assert_eq!(bodies.held.into_inner(), 0);
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        assert_eq!(
            read(&[("content-type", "Application/JSON; charset=utf-8")], "1234").unwrap(),
            "1234"
        );
        assert_eq!(read(&[], "1234").unwrap(), "1234");
        assert_eq!(read(&[], "12345").unwrap_err().status(), 413);
        assert_eq!(read(&[("content-length", "99")], "1").unwrap_err().status(), 413);
        assert_eq!(read(&[("content-length", "nonsense")], "1").unwrap(), "1");
        let error = read(&[("content-type", "text/plain")], "1").unwrap_err();
        assert_eq!((error.status(), error.param()), (415, Some("content-type")));
        assert_eq!(
            read(&[("content-encoding", "gzip")], "1").unwrap_err().status(),
            415
        );
    }
}
