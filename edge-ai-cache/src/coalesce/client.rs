use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use edge_ai_core::{
    Body, CacheKey, ChatFrame, ChatResponse, ChatStream, Clock, Context, Dialect, Error, ErrorKind, Result,
    timeout,
};
use futures_util::stream::{self, BoxStream, StreamExt};
use http::Request;

use super::CoalescingRooms;
use super::lead::{Lead, Leads};
use super::piece::{Piece, Pieces};
use super::serve::{ENTER, ROLE, TOKEN};

/// What comes of meeting others.
#[derive(Debug)]
pub(crate) enum Joined {
    /// Nobody is met: ask the model.
    Alone,
    /// Ask the model, for all who come.
    Lead(Box<dyn Leads>),
    /// Another one's answer.
    Whole(ChatResponse),
    /// Another one's answer, as it arrives.
    Stream(ChatStream),
}

/// Meets others: a trait, so that a cache that was given no rooms links none of it.
#[async_trait]
pub(crate) trait Meets: fmt::Debug + Send + Sync {
    /// Meets those who ask for the same, and waits until it is clear what to do: for a follower, until there is content.
    ///
    /// # Errors
    /// The leader's, and [`ErrorKind::Timeout`] at the caller's deadline.
    async fn join(&self, key: &CacheKey, clock: &Arc<dyn Clock>, context: &Context) -> Result<Joined>;
}

/// Meets others in rooms.
#[derive(Debug)]
pub(crate) struct Meeting(pub(crate) Arc<dyn CoalescingRooms>);

#[async_trait]
impl Meets for Meeting {
    async fn join(&self, key: &CacheKey, clock: &Arc<dyn Clock>, context: &Context) -> Result<Joined> {
        join(&self.0, key, clock, context).await
    }
}

async fn join(
    rooms: &Arc<dyn CoalescingRooms>,
    key: &CacheKey,
    clock: &Arc<dyn Clock>,
    context: &Context,
) -> Result<Joined> {
    // Without a background nobody tells the room what happens.
    let Some(background) = &context.background else {
        return Ok(Joined::Alone);
    };
    let passed_by = |error: Error| {
        context.trail.warn(format!("cache: equal requests: {error}"));
        Ok(Joined::Alone)
    };
    let begin = |token| Box::new(Lead::begin(rooms, key, clock, background, token));
    let request = match Request::post(ENTER).body(Body::empty()) {
        Ok(request) => request,
        Err(_) => return Ok(Joined::Alone),
    };
    let response = match rooms.ask(key, request).await {
        Ok(response) => response,
        Err(error) => return passed_by(error),
    };
    let (head, body) = response.into_parts();
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    match (header(ROLE), header(TOKEN).and_then(|token| token.parse().ok())) {
        (Some("lead"), Some(token)) => return Ok(Joined::Lead(begin(token))),
        (Some("follow"), _) => {}
        (Some("alone"), _) => return Ok(Joined::Alone),
        _ => {
            let message = format!("the room answered {}", head.status);
            return passed_by(Error::new(ErrorKind::BadUpstream, message));
        }
    }
    let following = Following {
        body: body.into_stream(),
        pieces: Pieces::default(),
    };
    let first = match context.deadline {
        Some(deadline) => timeout(&**clock, deadline.since(clock.now()), following.first()).await?,
        None => following.first().await?,
    };
    Ok(match first {
        First::Lead(token) => Joined::Lead(begin(token)),
        First::Whole(answer) => Joined::Whole(answer),
        First::Stream(stream) => Joined::Stream(stream),
        First::Lost => return passed_by(broken_off()),
    })
}

fn broken_off() -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the request whose answer this is broke off",
    )
}

enum First {
    Lead(u64),
    Whole(ChatResponse),
    Stream(ChatStream),
    /// Nothing was said to this one yet: it may ask for itself.
    Lost,
}

/// What a follower hears.
struct Following {
    body: BoxStream<'static, Result<Bytes>>,
    pieces: Pieces,
}

impl Following {
    async fn next(&mut self) -> Result<Option<Piece>> {
        loop {
            if let Some(piece) = self.pieces.next()? {
                return Piece::decode(&piece).map(Some);
            }
            match self.body.next().await {
                Some(bytes) => self.pieces.add(&bytes?),
                None => return Ok(None),
            }
        }
    }

    /// Waits for the first content, or for what comes in its place.
    async fn first(mut self) -> Result<First> {
        let mut dialect = None;
        loop {
            match self.next().await {
                Ok(Some(Piece::Alive)) => {}
                Ok(Some(Piece::Dialect(new))) => dialect = Some(new),
                Ok(Some(Piece::Frame(frame))) => return Ok(First::Stream(self.stream(dialect, frame))),
                Ok(Some(Piece::Whole(answer))) => return Ok(First::Whole(*answer)),
                Ok(Some(Piece::Failed(error))) => return Err(error),
                Ok(Some(Piece::Lead(token))) => return Ok(First::Lead(token)),
                Ok(Some(Piece::Broken) | None) | Err(_) => return Ok(First::Lost),
            }
        }
    }

    fn stream(self, dialect: Option<Dialect>, first: ChatFrame) -> ChatStream {
        let rest = stream::unfold(self, |mut following| async move {
            let frame = loop {
                match following.next().await {
                    Ok(Some(Piece::Alive | Piece::Dialect(_))) => {}
                    Ok(Some(Piece::Frame(frame))) => break Ok(frame),
                    Ok(Some(Piece::Failed(error))) | Err(error) => break Err(error),
                    Ok(_) => break Err(broken_off()),
                }
            };
            Some((frame, following))
        });
        let frames = stream::once(std::future::ready(Ok(first))).chain(rest);
        match dialect {
            Some(dialect) => ChatStream::in_dialect(dialect, frames),
            None => ChatStream::new(frames),
        }
    }
}
