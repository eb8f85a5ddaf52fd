//! Passing requests on to vendors as they are: the vendors' own APIs, and OpenAI's services that nobody translates.

mod answer;
mod filter;
mod form;
mod media;
mod native;
mod protocols;
mod realtime;
mod session;
mod subject;
mod way;

use std::sync::Arc;

use async_trait::async_trait;
use edge_ai_core::{Body, Error, ErrorKind, Result};
use http::Response;
use http::request::Parts;

use crate::route::RouteTable;
use crate::surface::Call;
use crate::usage::failed;
pub(crate) use way::{Way, check_names};

/// Passes requests on to vendors as they are, with keys, limits, records and costs still applied.
///
/// | path | goes to |
/// | --- | --- |
/// | `/{provider}/*` | the provider's own API, below its base URL; any method |
/// | `POST /v1/images/generations`, `/edits`, `/variations` | the model's provider, if it has OpenAI's service; a route's next one if it fails |
/// | `POST /v1/audio/speech`, `/transcriptions`, `/translations` | the same |
/// | `POST /v1/moderations` | the same |
/// | `GET /v1/realtime?model=…`, a WebSocket | the model's provider, if it has OpenAI's service; a route's next one if it does not open |
/// | `GET`, `DELETE /v1/responses/{id}`, and what is below it | the only provider that speaks Responses |
///
/// Method, path, body and answer are the client's and the vendor's, byte for byte; of a request to `/v1` the model's name alone is
/// rewritten. What the vendor would learn of the gateway's client, and the client of the gateway's account at the vendor, is taken out of
/// the heads: credentials, cookies, addresses, organization, the account's rate limits. A path is passed on only when it is plainly below
/// the base URL.
///
/// A WebSocket, of a provider's own API as well, is passed on message by message, and its close with its code. It is one request: it counts
/// among those that run at once until it is over, and has one record, at its end, with the tokens of all its answers together. Limits on
/// tokens and spend hold a new conversation back, never one that is under way. A vendor that opens none answers the client itself. Pages, which
/// set no headers, give their key as OpenAI's do: by the subprotocol `openai-insecure-api-key.…`.
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
    unguarded: bool,
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

    /// Also beside guardrails, which see nothing of what is passed on.
    #[must_use]
    pub fn unguarded(self) -> Self {
        Self {
            unguarded: true,
            ..self
        }
    }

    /// The same for a gateway that has guardrails: it [refuses](Self::refusing) what would go around them, unless it is
    /// [`unguarded`](Self::unguarded).
    #[must_use]
    pub fn beside_guardrails(self) -> Self {
        if self.unguarded {
            return self;
        }
        self.refusing(
            "this gateway has guardrails, which do not see what is passed on to a vendor as it is; ask by /v1/chat/completions, \
             /v1/responses or /v1/messages",
        )
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

/// What a gateway without it does not link.
#[async_trait]
pub(crate) trait Surface: std::fmt::Debug + Send + Sync {
    /// Where a request goes by its path, when the gateway has nothing of its own there.
    fn way(&self, path: &str, table: &RouteTable) -> Option<Way>;

    /// Passes it on.
    async fn answer(&self, call: Call<'_>, way: &Way, head: &Parts) -> Result<Response<Body>>;
}

#[async_trait]
impl Surface for PassThrough {
    fn way(&self, path: &str, table: &RouteTable) -> Option<Way> {
        Way::at(path, table)
    }

    async fn answer(&self, call: Call<'_>, way: &Way, head: &Parts) -> Result<Response<Body>> {
        if let Some(why) = &self.refusal {
            return Err(failed(&call.meter, refused(why)));
        }
        match way {
            Way::Native { provider, path } => {
                native::answer(call, head, provider, path, self.models_only).await
            }
            Way::Media(media) => media::answer(call, head, *media).await,
            Way::Realtime => realtime::by_name(call, head).await,
            Way::Response if self.models_only => Err(failed(&call.meter, refused(MODELS_ONLY))),
            Way::Response => native::stored_response(call, head).await,
        }
    }
}

const MODELS_ONLY: &str = "this gateway passes on requests that ask a model, and no others";

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::PermissionDenied, why).with_code("pass_through_refused")
}
