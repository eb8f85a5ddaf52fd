use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Background, Result, Timestamp};
use http::HeaderMap;

use super::{Principal, credential};

/// A way in: reads what a request shows and says whose it is.
///
/// Several stand beside each other, and the first one that recognises its kind of credential answers. So one looks at the form first: a
/// gateway takes `eai_…` keys, tokens of an identity provider and old keys from a variable at once.
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Whose the request is; `None` when it shows nothing of this way's kind.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`](edge_ai_core::ErrorKind::Authentication) for a credential of this kind that is wrong, over, or turned off;
    /// [`ErrorKind::Unavailable`](edge_ai_core::ErrorKind::Unavailable) when that cannot be told for now, which is not the same.
    async fn authenticate(&self, presented: &Presented<'_>) -> Result<Option<Arc<Principal>>>;
}

#[async_trait]
impl<T: Authenticator + ?Sized> Authenticator for Arc<T> {
    async fn authenticate(&self, presented: &Presented<'_>) -> Result<Option<Arc<Principal>>> {
        (**self).authenticate(presented).await
    }
}

/// What a request shows before its body is read.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Presented<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// When it came.
    pub now: Timestamp,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// Where work goes that the answer does not wait for, such as noting that a key was used.
    pub background: &'a Arc<dyn Background>,
}

impl<'a> Presented<'a> {
    /// What these headers show.
    pub const fn new(headers: &'a HeaderMap, now: Timestamp, background: &'a Arc<dyn Background>) -> Self {
        Self {
            headers,
            now,
            address: None,
            background,
        }
    }

    /// Sets [`address`](Self::address).
    #[must_use]
    pub const fn with_address(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// The credential, in OpenAI's way (`authorization: Bearer …`), in Anthropic's (`x-api-key`) or in Azure's and Google's (`api-key`,
    /// `x-goog-api-key`), or in that of pages that open a WebSocket (`sec-websocket-protocol: openai-insecure-api-key.…`); the first that is
    /// there.
    pub fn token(&self) -> Option<&'a [u8]> {
        credential::token(self.headers)
    }
}
