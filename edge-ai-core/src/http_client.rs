use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt};

use crate::{Error, ErrorKind, Handshake, Result};

/// Sends a request to a server: `fetch` in a Worker, any HTTP library natively, a script in tests.
#[async_trait]
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends the request and returns once the head of the answer is there; the body follows as it arrives.
    ///
    /// - Any status is an answer: only a failure to get one is an error.
    /// - The request's method, headers and body go out as they are; no redirect is followed.
    /// - Dropping the future, or the answer's body before its end, closes the exchange with the server.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the server cannot be reached or breaks off before the head is there;
    /// [`ErrorKind::InvalidRequest`] for an address that is not `http` or `https`. A body that breaks off yields
    /// [`ErrorKind::Interrupted`] from its stream.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Body>>;

    /// Opens a WebSocket at an `http` or `https` address. The headers of the handshake are added; no redirect is followed.
    ///
    /// # Errors
    /// As [`send`](Self::send), and [`ErrorKind::Unsupported`] from a client that opens none, which is what it does unless told.
    async fn connect(&self, request: http::Request<()>) -> Result<Handshake> {
        let _ = request;
        Err(Error::new(
            ErrorKind::Unsupported,
            "this HTTP client opens no WebSockets",
        ))
    }
}

/// A body that is still with whoever receives it: a runtime that hands it over whole more cheaply than in pieces.
///
/// Dropping the source, or what came of it before its end, gives up the rest of the body.
#[async_trait]
pub trait BodySource: Any + Send {
    /// Collects the body, at most `limit` bytes of it, whatever length was announced.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] past the limit; [`ErrorKind::Interrupted`] when the body breaks off.
    async fn bytes(self: Box<Self>, limit: usize) -> Result<Bytes>;

    /// The body as it arrives.
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<Bytes>>;
}

#[async_trait]
impl<T: HttpClient + ?Sized> HttpClient for Arc<T> {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Body>> {
        (**self).send(request).await
    }

    async fn connect(&self, request: http::Request<()>) -> Result<Handshake> {
        (**self).connect(request).await
    }
}

/// The body of a request or an answer: whole, arriving, or still with its receiver.
pub struct Body(Kind);

enum Kind {
    Full(Bytes),
    Stream(BoxStream<'static, Result<Bytes>>),
    Source(Box<dyn BodySource>),
}

impl Body {
    /// No body.
    pub const fn empty() -> Self {
        Self(Kind::Full(Bytes::new()))
    }

    /// A body that arrives in pieces.
    pub fn from_stream(stream: impl futures_util::Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self(Kind::Stream(stream.boxed()))
    }

    /// A body that its receiver holds until somebody asks for it, whole or in pieces.
    pub fn from_source(source: impl BodySource) -> Self {
        Self(Kind::Source(Box::new(source)))
    }

    /// The bytes, when the body is whole already.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Kind::Full(bytes) => Some(bytes),
            Kind::Stream(_) | Kind::Source(_) => None,
        }
    }

    /// The untouched source, when it is a `T`: a receiver that is also the sender passes the body on without opening it.
    ///
    /// # Errors
    /// The body itself, when it is anything else.
    pub fn into_source<T: BodySource>(self) -> std::result::Result<Box<T>, Self> {
        match self.0 {
            Kind::Source(source) if (&*source as &dyn Any).is::<T>() => {
                (source as Box<dyn Any>).downcast().map_err(|_| Self::empty())
            }
            kind => Err(Self(kind)),
        }
    }

    /// Collects the body, at most `limit` bytes of it.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] past the limit, as soon as it is passed; the stream's own errors.
    pub async fn bytes(self, limit: usize) -> Result<Bytes> {
        let too_large = || {
            Error::new(
                ErrorKind::TooLarge,
                format!("the body is over the limit of {limit} bytes"),
            )
        };
        let mut stream = match self.0 {
            Kind::Full(bytes) if bytes.len() > limit => return Err(too_large()),
            Kind::Full(bytes) => return Ok(bytes),
            Kind::Stream(stream) => stream,
            Kind::Source(source) => return source.bytes(limit).await,
        };
        let first = match stream.next().await {
            None => return Ok(Bytes::new()),
            Some(first) => first?,
        };
        let mut whole: Option<BytesMut> = None;
        let mut length = first.len();
        while length <= limit {
            let Some(next) = stream.next().await else {
                return Ok(whole.map_or(first, BytesMut::freeze));
            };
            let next = next?;
            length = length.saturating_add(next.len());
            whole
                .get_or_insert_with(|| BytesMut::from(&first[..]))
                .extend_from_slice(&next);
        }
        Err(too_large())
    }

    /// The body as it arrives; a whole one is one piece.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        match self.0 {
            Kind::Full(bytes) if bytes.is_empty() => stream::empty().boxed(),
            Kind::Full(bytes) => stream::once(std::future::ready(Ok(bytes))).boxed(),
            Kind::Stream(stream) => stream,
            Kind::Source(source) => source.into_stream(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(Kind::Full(bytes.into()))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Full(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Kind::Stream(_) => f.write_str("Body(stream)"),
            Kind::Source(_) => f.write_str("Body(source)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_executor::block_on;

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
            .collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[test]
    fn pieces_become_one_within_the_limit() {
        assert_eq!(block_on(pieces(&["ab", "c", "def"]).bytes(6)).unwrap(), "abcdef");
        assert_eq!(block_on(pieces(&[]).bytes(0)).unwrap(), "");
        assert_eq!(
            block_on(pieces(&["ab", "c", "def"]).bytes(5)).unwrap_err().kind(),
            ErrorKind::TooLarge
        );
        assert_eq!(
            block_on(Body::from("abc").bytes(2)).unwrap_err().kind(),
            ErrorKind::TooLarge
        );
    }

    #[test]
    fn an_endless_body_is_given_up_at_the_limit() {
        let endless = Body::from_stream(stream::repeat_with(|| Ok(Bytes::from_static(b"1234"))));
        assert_eq!(
            block_on(endless.bytes(1_000)).unwrap_err().kind(),
            ErrorKind::TooLarge
        );
    }
    /// Has its bytes at hand, and says by its answer which way was taken.
    struct Receiver(&'static [u8]);

    #[async_trait]
    impl BodySource for Receiver {
        async fn bytes(self: Box<Self>, limit: usize) -> Result<Bytes> {
            Body::from(self.0).bytes(limit).await
        }

        fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<Bytes>> {
            stream::iter(self.0.chunks(1).map(|piece| Ok(Bytes::from_static(piece)))).boxed()
        }
    }

    /// Never asked.
    struct Other;

    #[async_trait]
    impl BodySource for Other {
        async fn bytes(self: Box<Self>, _: usize) -> Result<Bytes> {
            Ok(Bytes::new())
        }

        fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<Bytes>> {
            stream::empty().boxed()
        }
    }

    #[test]
    fn a_source_is_asked_once_whole_or_in_pieces() {
        let body = || Body::from_source(Receiver(b"abc"));
        assert!(body().as_bytes().is_none());
        assert_eq!(block_on(body().bytes(3)).unwrap(), "abc");
        assert_eq!(block_on(body().bytes(2)).unwrap_err().kind(), ErrorKind::TooLarge);
        assert_eq!(block_on(body().into_stream().count()), 3);
    }

    #[test]
    fn a_source_is_returned_to_its_own_kind_only() {
        let body = Body::from_source(Receiver(b"abc"))
            .into_source::<Other>()
            .err()
            .unwrap();
        assert_eq!(body.into_source::<Receiver>().ok().unwrap().0, b"abc");
        let whole = Body::from("abc").into_source::<Receiver>().err().unwrap();
        assert_eq!(whole.as_bytes().unwrap(), "abc");
    }
}
