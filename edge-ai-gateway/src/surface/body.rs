use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use edge_ai_core::{Body, Clock, Error, ErrorKind, Result, timeout};
use futures_util::FutureExt;
use futures_util::stream::{BoxStream, StreamExt};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};

/// What the bodies of all requests that are under way may take together. A request takes several times its body while it is read,
/// rewritten and sent on, and a Worker has 128 MB in all.
///
/// Small bodies have a quarter more among themselves: a few large ones that come slowly must not shut everybody out.
#[derive(Debug)]
pub(crate) struct Bodies {
    held: AtomicUsize,
    limit: usize,
}

/// A body of no more than this part of the limit is small: 64 KiB of the default's 32 MiB.
const SMALL: usize = 512;

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
    /// One that does not say its length gets room [as it comes](Held::grow); one that says more than the `most` that is read is thrown
    /// away as it comes and needs none.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] with a moment to wait.
    pub(crate) fn hold(&self, announced: Option<u64>, most: usize) -> Result<Held<'_>> {
        let mut held = Held {
            bodies: self,
            bytes: 0,
        };
        let announced = announced.and_then(|length| usize::try_from(length).ok());
        held.grow(announced.filter(|length| *length <= most).unwrap_or_default())?;
        Ok(held)
    }
}

/// Room that is given back when it is dropped.
pub(crate) struct Held<'a> {
    bodies: &'a Bodies,
    bytes: usize,
}

impl Held<'_> {
    /// Makes room for more of the body.
    ///
    /// # Errors
    /// As [`Bodies::hold`].
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<()> {
        let Bodies { held, limit } = self.bodies;
        let others = held
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_sub(self.bytes);
        self.bytes += bytes;
        let limit = if self.is_small() {
            limit.saturating_add(limit / 4)
        } else {
            *limit
        };
        if others > 0 && others.saturating_add(self.bytes) > limit {
            let message = "too many large requests are under way here; try again in a moment";
            return Err(Error::new(ErrorKind::Unavailable, message).with_retry_after(Duration::from_secs(1)));
        }
        Ok(())
    }

    fn is_small(&self) -> bool {
        self.bytes <= self.bodies.limit / SMALL
    }

    /// The body is not held any more.
    fn give_back(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.bodies.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// The most of a refused body that is still taken from the client: Cloudflare lets no more than this through on most plans.
const MAX_DRAINED: u64 = 100 << 20;

/// How long a body that may be large has until it is there: 8 MiB at half a megabit a second. It takes room from others meanwhile.
const MAX_TIME: Duration = Duration::from_secs(120);

/// Reads a body, which is one of JSON unless it is told that it may be anything.
///
/// What is too large is taken from the client all the same, and thrown away: one that is still sending when it is answered sees a broken
/// connection instead of the answer.
///
/// # Errors
/// Status 415 for a type or encoding that is not ours to read; [`ErrorKind::TooLarge`] past `limit`; [`ErrorKind::Unavailable`] when
/// there is no more room for one that did not say its length; status 408 for one that takes room for too long.
pub(crate) async fn read_body(
    clock: &dyn Clock,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    held: &mut Held<'_>,
    json: bool,
) -> Result<Bytes> {
    if held.is_small() && announced_length(headers).is_some() {
        return read(headers, body, limit, held, json).await;
    }
    let reading = read(headers, body, limit, held, json).map(Ok);
    timeout(clock, MAX_TIME, reading).await.unwrap_or_else(|_| {
        let message = format!("the body was not there within {} s", MAX_TIME.as_secs());
        Err(Error::new(ErrorKind::Timeout, message).with_status(408))
    })
}

async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    held: &mut Held<'_>,
    json: bool,
) -> Result<Bytes> {
    if let Err(error) = check_headers(headers, json) {
        held.give_back();
        drain(body.into_stream(), 0).await;
        return Err(error);
    }
    match announced_length(headers) {
        Some(length) if length <= limit as u64 => body.bytes(limit).await,
        Some(_) => {
            drain(body.into_stream(), 0).await;
            Err(too_large(limit))
        }
        None => collect(body.into_stream(), limit, held).await,
    }
}

/// Reads a body that did not say how long it is.
async fn collect(
    mut stream: BoxStream<'static, Result<Bytes>>,
    limit: usize,
    held: &mut Held<'_>,
) -> Result<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        let read = whole.len() + piece.len();
        let room = if read > limit {
            Err(too_large(limit))
        } else {
            held.grow(piece.len())
        };
        if let Err(error) = room {
            drop(whole);
            held.give_back();
            drain(stream, read as u64).await;
            return Err(error);
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

fn check_headers(headers: &HeaderMap, json: bool) -> Result<()> {
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
    if json && let Some(media_type) = text(CONTENT_TYPE) {
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
    use edge_ai_core::ManualClock;
    use futures_executor::block_on;
    use futures_util::stream;

    fn read(headers: &[(&'static str, &'static str)], body: &'static str) -> Result<Bytes> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let bodies = Bodies::new(10);
        let mut held = bodies.hold(announced_length(&headers), 4)?;
        read_all(&headers, Body::from(body), 4, &mut held)
    }

    fn read_all(headers: &HeaderMap, body: Body, limit: usize, held: &mut Held<'_>) -> Result<Bytes> {
        let clock = ManualClock::jumping(Default::default());
        block_on(read_body(&clock, headers, body, limit, held, true))
    }

    fn refused(held: Result<Held<'_>>) -> bool {
        held.is_err_and(|error| error.kind() == ErrorKind::Unavailable)
    }

    #[test]
    fn room_is_given_back() {
        let bodies = Bodies::new(10);
        let first = bodies.hold(Some(8), 8).unwrap();
        assert!(bodies.hold(Some(2), 8).is_ok());
        assert!(refused(bodies.hold(Some(3), 8)));
        drop(first);
        assert!(bodies.hold(Some(8), 8).is_ok());
        assert_eq!(bodies.held.into_inner(), 0);
    }

    #[test]
    fn a_single_body_always_has_room() {
        let bodies = Bodies::new(4);
        let mut held = bodies.hold(Some(8), 8).unwrap();
        assert!(held.grow(8).is_ok());
    }

    #[test]
    fn what_is_thrown_away_takes_no_room() {
        let bodies = Bodies::new(10);
        let _refused = bodies.hold(Some(99), 8).unwrap();
        assert_eq!(bodies.held.load(Ordering::Relaxed), 0);
        let mut held = bodies.hold(None, 8).unwrap();
        assert!(held.grow(8).is_ok());
        let pieces = Body::from_stream(stream::iter([Ok("123".into()), Ok("45".into())]));
        let mut late = bodies.hold(None, 8).unwrap();
        let outcome = read_all(&HeaderMap::new(), pieces, 8, &mut late);
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!(bodies.held.load(Ordering::Relaxed), 8);
    }

    #[test]
    fn no_body_takes_room_for_ever() {
        let bodies = Bodies::new(10);
        let stuck = || Body::from_stream(stream::iter([Ok("1".into())]).chain(stream::pending()));
        let announced = HeaderMap::from_iter([(CONTENT_LENGTH, "8".parse().unwrap())]);
        for headers in [HeaderMap::new(), announced] {
            let mut held = bodies.hold(announced_length(&headers), 8).unwrap();
            let error = read_all(&headers, stuck(), 8, &mut held).unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Timeout, 408));
        }
        assert_eq!(bodies.held.into_inner(), 0);
    }

    #[test]
    fn large_bodies_do_not_shut_out_small_ones() {
        let bodies = Bodies::new(4 * SMALL);
        let _large: Vec<_> = (0..4).map(|_| bodies.hold(Some(512), 512).unwrap()).collect();
        assert!(refused(bodies.hold(Some(5), 512)));
        let small: Vec<_> = (0..SMALL / 4)
            .map(|_| bodies.hold(Some(4), 512).unwrap())
            .collect();
        assert!(refused(bodies.hold(Some(1), 512)));
        drop(small);
        let mut unannounced = bodies.hold(None, 512).unwrap();
        assert!(unannounced.grow(4).is_ok());
        assert!(unannounced.grow(1).is_err(), "it is not small after all");
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
