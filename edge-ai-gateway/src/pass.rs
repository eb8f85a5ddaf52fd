//! Passing requests on to vendors as they are: the vendors' own APIs, and OpenAI's services that nobody translates.

mod answer;
mod filter;
mod form;
mod media;
mod native;
mod subject;
mod way;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{Body, Context, Error, ErrorKind, Result, Timestamp};
use http::Response;
use http::request::Parts;

use crate::access::Principal;
use crate::gateway::{Caller, Gateway};
use crate::route::RouteTable;
use crate::surface::Client;
pub(crate) use way::Way;

/// Passes requests on to vendors as they are, with keys, limits, records and costs still applied.
///
/// | path | goes to |
/// | --- | --- |
/// | `/{provider}/*` | the provider's own API, below its base URL; any method |
/// | `POST /v1/images/generations`, `/edits`, `/variations` | the model's provider, if it has OpenAI's service; a route's next one if it fails |
/// | `POST /v1/audio/speech`, `/transcriptions`, `/translations` | the same |
/// | `POST /v1/moderations` | the same |
/// | `GET`, `DELETE /v1/responses/{id}`, and what is below it | the only provider that speaks Responses |
///
/// Method, path, body and answer are the client's and the vendor's, byte for byte; of a request to `/v1` the model's name alone is
/// rewritten. What the vendor would learn of the gateway's client, and the client of the gateway's account at the vendor, is taken out of
/// the heads: credentials, cookies, addresses, organization, the account's rate limits. A path is passed on only when it is plainly below
/// the base URL.
///
/// What is passed on goes by no [layer](crate::GatewayBuilder::layer): it is in no cache, **and guardrails do not see it**. Nor is it tried
/// again: the vendors' own clients do that.
///
/// With the operator's key, whoever may use the gateway may use all of the vendor's account this way: its files, its batches, its stored
/// answers. [`models_only`](Self::models_only) leaves what asks a model. A key that may ask for some models only may make other requests if
/// it may ask for everything of the provider (`openai/*`).
///
/// ```
/// use edge_ai_core::{ManualClock, SeededEntropy};
/// use edge_ai_gateway::{Gateway, PassThrough};
///
/// let gateway = Gateway::builder(ManualClock::default(), SeededEntropy::new(1))
///     .pass_through(PassThrough::new().models_only())
///     .build()?;
/// # Ok::<(), edge_ai_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PassThrough {
    models_only: bool,
    refusal: Option<Arc<str>>,
}

impl PassThrough {
    /// Passes everything on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes on what asks a model and nothing else, such as files of the operator's account.
    #[must_use]
    pub fn models_only(self) -> Self {
        Self {
            models_only: true,
            ..self
        }
    }

    /// Answers every request that it would pass on with a refusal that says why: for a gateway whose guardrails must not be gone around.
    #[must_use]
    pub fn refusing(self, why: impl Into<Arc<str>>) -> Self {
        Self {
            refusal: Some(why.into()),
            ..self
        }
    }
}

/// A request to pass on.
pub(crate) struct Passing<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) client: Client,
    pub(crate) way: &'a Way,
    pub(crate) head: &'a Parts,
    pub(crate) body: Bytes,
    pub(crate) context: Context,
    pub(crate) principal: Arc<Principal>,
    pub(crate) caller: Caller,
    pub(crate) arrived: Timestamp,
}

/// What a gateway without it does not link.
#[async_trait]
pub(crate) trait Surface: std::fmt::Debug + Send + Sync {
    /// Where a request goes by its path, when the gateway has nothing of its own there.
    fn way(&self, path: &str, table: &RouteTable) -> Option<Way>;

    /// Passes it on.
    async fn answer(&self, passing: Passing<'_>) -> Result<Response<Body>>;
}

#[async_trait]
impl Surface for PassThrough {
    fn way(&self, path: &str, table: &RouteTable) -> Option<Way> {
        Way::at(path, table)
    }

    async fn answer(&self, passing: Passing<'_>) -> Result<Response<Body>> {
        if let Some(why) = &self.refusal {
            let error = Error::new(ErrorKind::PermissionDenied, &**why);
            return Err(error.with_code("pass_through_refused"));
        }
        match passing.way {
            Way::Native { provider, path } => native::answer(&passing, provider, path, self.models_only).await,
            Way::Media(media) => media::answer(&passing, *media).await,
            Way::Response if self.models_only => {
                let error = Error::new(ErrorKind::PermissionDenied, "this gateway passes on requests that ask a model, and no others");
                Err(error.with_code("pass_through_refused"))
            }
            Way::Response => native::stored_response(&passing).await,
        }
    }
}
