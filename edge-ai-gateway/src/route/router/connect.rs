//! WebSockets that are opened to vendors.

use std::sync::Arc;

use edge_ai_core::{Dialect, Error, ErrorKind, Handshake, Provider, Result, WebSocket};
use http::{HeaderMap, Request};

use super::pass::{LastRefusal, PassedOn, Passing, once};
use super::{Router, cannot, named};
use crate::limit::Permit;
use crate::route::target::Target;

/// What a vendor that was asked for a WebSocket did.
pub(crate) enum Dialed {
    /// It is open.
    Open(Connected),
    /// The vendor answered with something else.
    Refused(PassedOn),
}

/// An open WebSocket to a vendor.
pub(crate) struct Connected {
    pub(crate) socket: Box<dyn WebSocket>,
    pub(crate) headers: HeaderMap,
    /// The model that was asked for.
    pub(crate) model: String,
    /// What the conversation takes of the target's limits.
    pub(crate) permit: Permit,
}

impl Router {
    /// Opens a WebSocket to a provider, once.
    ///
    /// # Errors
    /// When there is neither a WebSocket nor another answer.
    pub(crate) async fn connect_to(
        &self,
        provider: &Arc<dyn Provider>,
        model: &str,
        request: &(dyn Fn(&str) -> Result<Request<()>> + Sync),
        asked: &Passing<'_>,
    ) -> Result<Dialed> {
        let (router, context) = once(self, asked);
        let asked = &Passing {
            context: &context,
            ..*asked
        };
        router
            .dial(vec![Target::new(provider, model)], asked, request)
            .await
    }

    /// Opens a WebSocket to whoever answers a name and speaks `dialect`, one after the other; `request` writes it for a model.
    ///
    /// # Errors
    /// As [`connect_to`](Self::connect_to), and as [`pass_by_name`](Self::pass_by_name).
    pub(crate) async fn connect_by_name(
        &self,
        dialect: &Dialect,
        asked: &Passing<'_>,
        request: &(dyn Fn(&str) -> Result<Request<()>> + Sync),
    ) -> Result<Dialed> {
        self.dial(self.targets_with(dialect, asked)?, asked, request)
            .await
    }

    async fn dial(
        &self,
        targets: Vec<Target>,
        asked: &Passing<'_>,
        request: &(dyn Fn(&str) -> Result<Request<()>> + Sync),
    ) -> Result<Dialed> {
        let attempts = self.attempts(&asked.asked(), self.timeouts.answer);
        let (limit, deadline) = attempts.patience();
        let refused = &LastRefusal::default();
        let outcome = attempts.run(targets, |target, context| async move {
            refused.take();
            let api = target
                .provider
                .native_api()
                .ok_or_else(|| cannot(&target, "WebSockets"))?;
            let request = request(target.model())?;
            let model = target.model().to_owned();
            let dialing = self.within(limit, deadline, api.connect(request, &context));
            match named(dialing.await, &target)? {
                Handshake::Open(opened) => {
                    let (head, socket) = opened.into_parts();
                    Ok(Connected {
                        socket,
                        headers: head.headers,
                        model,
                        permit: Permit::default(),
                    })
                }
                Handshake::Refused(response) => {
                    let error = api.failure(response.status().as_u16(), response.headers());
                    let error =
                        error.unwrap_or_else(|| no_web_socket().with_provider(target.provider.name()));
                    let passed = PassedOn {
                        response,
                        failure: Some(error.clone()),
                        idle: self.timeouts.idle,
                        model,
                        permit: Permit::default(),
                    };
                    refused.keep(passed);
                    Err(error)
                }
                _ => Err(no_web_socket()),
            }
        });
        match outcome.await {
            Ok((connected, permit)) => Ok(Dialed::Open(Connected { permit, ..connected })),
            Err(error) => refused.take().map(Dialed::Refused).ok_or(error),
        }
    }
}

fn no_web_socket() -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        "a WebSocket was asked for, and something else came",
    )
}
