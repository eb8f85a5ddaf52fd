//! Requests that are passed on as they are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{Body, Context, Dialect, Error, ErrorKind, Operation, Provider, Result};
use http::{Request, Response};

use super::{Router, cannot, named};
use crate::limit::{Estimate, Permit};
use crate::route::RetryPolicy;
use crate::route::asked::Asked;
use crate::route::target::Target;

/// What a vendor answered.
pub(crate) struct PassedOn {
    pub(crate) response: Response<Body>,
    /// What its head says went wrong.
    pub(crate) failure: Option<Error>,
    /// How long it may be silent.
    pub(crate) idle: Duration,
    /// The model that was asked.
    pub(crate) model: String,
    /// What the call takes of the target's limits.
    pub(crate) permit: Permit,
}

/// A request that is passed on, as far as a route may look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passing<'a> {
    /// The name that is asked for.
    pub(crate) name: &'a str,
    pub(crate) context: &'a Context,
    /// How long the body is.
    pub(crate) bytes: usize,
    pub(crate) stream: bool,
    pub(crate) operation: Operation,
}

impl<'a> Passing<'a> {
    pub(super) const fn asked(&self) -> Asked<'a> {
        Asked::passed(self)
    }
}

impl Router {
    /// Passes a request on to a provider, once.
    ///
    /// # Errors
    /// When there is no answer; one of a failure is an answer.
    pub(crate) async fn pass_to(
        &self,
        provider: &Arc<dyn Provider>,
        model: &str,
        request: Request<Bytes>,
        asked: &Passing<'_>,
    ) -> Result<PassedOn> {
        let (router, context) = once(self, asked);
        let asked = &Passing {
            context: &context,
            ..*asked
        };
        let targets = vec![Target::new(provider, model)];
        router.pass(targets, asked, &|_| Ok(copy(&request))).await
    }

    /// Passes a request on to whoever answers a name and takes requests in `dialect`, one after the other; `write` writes it for a model.
    ///
    /// # Errors
    /// As [`pass_to`](Self::pass_to); [`ErrorKind::NotFound`] for an unknown name, and [`ErrorKind::Unsupported`] when none of its models has the service.
    pub(crate) async fn pass_by_name(
        &self,
        dialect: &Dialect,
        asked: &Passing<'_>,
        write: &(dyn Fn(&str) -> Result<Request<Bytes>> + Sync),
    ) -> Result<PassedOn> {
        self.pass(self.targets_with(dialect, asked)?, asked, write).await
    }

    /// Those of a name's targets that take requests in `dialect`.
    pub(super) fn targets_with(&self, dialect: &Dialect, asked: &Passing<'_>) -> Result<Vec<Target>> {
        let name = asked.name;
        let mut targets = self.targets(name, &asked.asked())?;
        targets.retain(|target| {
            target.provider.native_api().is_some() && target.provider.speaks(target.model(), dialect)
        });
        if targets.is_empty() {
            let message = format!(
                "no provider of `{name}` is known to have this service (`{}`)",
                dialect.as_str()
            );
            return Err(Error::new(ErrorKind::Unsupported, message).with_param("model"));
        }
        Ok(targets)
    }

    /// What a request is expected to take.
    pub(crate) fn estimate_passed(&self, asked: &Passing<'_>) -> Estimate {
        self.estimate(asked.name, &asked.asked())
    }

    async fn pass(
        &self,
        targets: Vec<Target>,
        asked: &Passing<'_>,
        write: &(dyn Fn(&str) -> Result<Request<Bytes>> + Sync),
    ) -> Result<PassedOn> {
        let attempts = self.attempts(&asked.asked(), self.timeouts.answer);
        let (limit, deadline) = attempts.patience();
        let refused = &LastRefusal::default();
        let outcome = attempts.run(targets, |target, context| async move {
            refused.take();
            let api = target
                .provider
                .native_api()
                .ok_or_else(|| cannot(&target, "requests of its own"))?;
            let request = write(target.model())?;
            let response = named(
                self.within(limit, deadline, api.send(request, &context)).await,
                &target,
            )?;
            let passed = PassedOn {
                failure: api.failure(response.status().as_u16(), response.headers()),
                response,
                idle: self.timeouts.idle,
                model: target.model().to_owned(),
                permit: Permit::default(),
            };
            match passed.failure.clone() {
                None => Ok(passed),
                Some(error) => {
                    refused.keep(passed);
                    Err(error)
                }
            }
        });
        match outcome.await {
            Ok((passed, permit)) => Ok(PassedOn { permit, ..passed }),
            Err(error) => refused.take().ok_or(error),
        }
    }
}

/// For what is asked of one provider: the client's own retries are enough.
pub(super) fn once(router: &Router, asked: &Passing<'_>) -> (Router, Context) {
    let once = RetryPolicy {
        max_attempts: 1,
        rounds: 1,
        ..router.retry
    };
    let mut context = asked.context.clone();
    context.retry = Default::default();
    (router.clone().retry(once), context)
}

/// The last answer that is one of a failure: it is the client's if nobody does better.
#[derive(Default)]
pub(super) struct LastRefusal(Mutex<Option<PassedOn>>);

impl LastRefusal {
    pub(super) fn keep(&self, refused: PassedOn) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
    }

    pub(super) fn take(&self) -> Option<PassedOn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The same request; what it carries beside its head and body is of no concern to a vendor.
fn copy(request: &Request<Bytes>) -> Request<Bytes> {
    let mut copy = Request::new(request.body().clone());
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy
}
