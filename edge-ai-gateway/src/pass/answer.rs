use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use edge_ai_core::{Body, Clock, Context, Error, ErrorKind, Operation, Result, Usage};
use edge_ai_providers::tap::UsageTap;
use futures_util::StreamExt;
use futures_util::stream;
use http::Response;

use super::filter;
use super::subject::Subject;
use crate::limit::Permit;
use crate::patience::Patience;
use crate::route::PassedOn;
use crate::surface;
use crate::usage::Meter;

/// What is told of an answer in its record beside what its bytes tell.
#[derive(Default)]
pub(super) struct Extent {
    pictures: Option<u64>,
    characters: Option<u64>,
}

impl Extent {
    /// What `subject` asks for.
    pub(super) fn of(subject: &Subject) -> Self {
        Self {
            pictures: (subject.operation == Operation::Image).then(|| subject.count.unwrap_or(1)),
            characters: subject.characters,
        }
    }

    /// With what the vendor has told. Pictures and characters count where the vendor tells no tokens.
    fn usage(&self, told: Option<Usage>) -> Option<Usage> {
        if told.is_some() || (self.pictures.is_none() && self.characters.is_none()) {
            return told;
        }
        let mut usage = Usage::default();
        usage.images = self.pictures.unwrap_or_default();
        usage.characters = self.characters.unwrap_or_default();
        Some(usage)
    }
}

/// The vendor's answer for the client: the head without what is the operator's, the body as it comes, read as it passes.
///
/// A refusal of the operator's key is told as the gateway's own failure.
///
/// # Errors
/// For that, and for no answer at all.
pub(super) fn answer(
    passed: PassedOn,
    context: &Context,
    meter: Meter,
    extent: Extent,
    clock: Arc<dyn Clock>,
) -> Result<Response<Body>> {
    let PassedOn {
        response,
        failure,
        idle,
        model,
        permit,
    } = passed;
    if let Some(error) = failure {
        meter.fail(&error);
        let of_key = matches!(
            error.kind(),
            ErrorKind::Authentication | ErrorKind::PermissionDenied
        );
        let own = error
            .provider()
            .is_some_and(|provider| context.credentials.get(provider).is_some());
        if of_key && !own {
            return Err(error);
        }
        return Ok(told(response, context));
    }
    let reading = Reading {
        tap: UsageTap::new(response.headers()),
        patience: Patience::new(clock, idle),
        meter: Some(meter),
        extent,
        model,
        permit: Some(permit),
    };
    let (head, body) = response.into_parts();
    let body = stream::unfold(
        (body.into_stream(), reading),
        |(mut body, mut reading)| async move {
            let piece = reading.next(body.next()).await?;
            Some((piece, (body, reading)))
        },
    );
    Ok(told(Response::from_parts(head, Body::from_stream(body)), context))
}

/// An answer on its way.
struct Reading {
    tap: UsageTap,
    patience: Patience,
    /// Closed at the end, or with a failure; dropped before that when the client has left.
    meter: Option<Meter>,
    extent: Extent,
    model: String,
    permit: Option<Permit>,
}

impl Reading {
    async fn next(
        &mut self,
        piece: impl Future<Output = Option<Result<Bytes>>> + Unpin,
    ) -> Option<Result<Bytes>> {
        let meter = self.meter.as_ref()?;
        let piece = self.patience.wait(piece).await.unwrap_or_else(|| {
            let message = format!(
                "the answer was silent for {} ms",
                self.patience.limit().as_millis()
            );
            Some(Err(Error::new(ErrorKind::Timeout, message)))
        });
        match &piece {
            Some(Ok(bytes)) => {
                meter.began();
                self.tap.feed(bytes);
            }
            Some(Err(error)) => {
                meter.fail(error);
                self.meter = None;
            }
            None => {
                let usage = self.extent.usage(self.tap.usage());
                if let Some(permit) = self.permit.take() {
                    permit.answered(usage.or_else(|| Some(Usage::default())));
                }
                meter.settle(self.tap.model().unwrap_or(&self.model), usage);
                self.meter = None;
            }
        }
        piece
    }
}

fn told(response: Response<Body>, context: &Context) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    head.headers = filter::to_client(&head.headers);
    surface::tell(context, &mut head.headers);
    Response::from_parts(head, body)
}
