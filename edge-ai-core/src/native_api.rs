use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::{Body, Context, Error, ErrorKind, Handshake, Result};

/// A vendor's own API as it is: any method, any path below its address, nothing translated.
///
/// What a gateway's surfaces have no words for, such as pictures, speech or files, goes through it.
#[async_trait]
pub trait NativeApi: fmt::Debug + Send + Sync + 'static {
    /// Sends a request to the vendor.
    ///
    /// - The address is a path with its query, such as `/v1/files?limit=2`, and names something below the vendor's base URL. Where the
    ///   base URL's path ends with what the path begins with, as `…/v1` and `/v1/files` do, the two overlap.
    /// - The credentials of the caller's own key or the operator's are added; those that the request has are taken off.
    /// - Method, other headers and body go out as they are, and any status is an answer.
    ///
    /// # Errors
    /// When there is no answer, as [`HttpClient::send`](crate::HttpClient::send); each names the provider.
    async fn send(&self, request: Request<Bytes>, context: &Context) -> Result<Response<Body>>;

    /// Opens a WebSocket to the vendor: address and credentials as for [`send`](Self::send).
    ///
    /// # Errors
    /// As [`HttpClient::connect`](crate::HttpClient::connect); [`ErrorKind::Unsupported`] where there are none.
    async fn connect(&self, request: Request<()>, context: &Context) -> Result<Handshake> {
        let _ = (request, context);
        Err(Error::new(
            ErrorKind::Unsupported,
            "this provider has no WebSockets",
        ))
    }

    /// What an answer's head says went wrong, for whoever looks after the vendor's health; `None` for an answer that is none of a failure.
    fn failure(&self, status: u16, headers: &HeaderMap) -> Option<Error>;
}

#[async_trait]
impl<T: NativeApi + ?Sized> NativeApi for Arc<T> {
    async fn send(&self, request: Request<Bytes>, context: &Context) -> Result<Response<Body>> {
        (**self).send(request, context).await
    }

    async fn connect(&self, request: Request<()>, context: &Context) -> Result<Handshake> {
        (**self).connect(request, context).await
    }

    fn failure(&self, status: u16, headers: &HeaderMap) -> Option<Error> {
        (**self).failure(status, headers)
    }
}
