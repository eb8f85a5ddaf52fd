use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::{
    Background, Body, CacheKey, ChatFrame, ChatResponse, ChatStream, Clock, ErrorKind, Result,
};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};
use http::Request;

use super::CoalescingRooms;
use super::piece::Piece;
use super::serve::{FOLLOWERS, LEAD, TOKEN};

/// How often a leader gives a sign of life: three times in a [lease](super::room::Room::LEASE).
const ALIVE: Duration = Duration::from_secs(5);

/// What may wait on its way to the room; a room that takes nothing is left behind.
const MAX_WAITING: usize = 4 << 20;

/// Asks the model for all who are in a room. Dropped before the end, it is lost, and another one leads.
pub(crate) trait Leads: fmt::Debug + Send + Sync {
    /// The model has answered, or failed; a failure that is the leader's own is a loss, and another one leads.
    fn finish(self: Box<Self>, outcome: &Result<ChatResponse>);

    /// The leader's stream: the same for its client, and each frame to the room as well. When the client leaves half way and others follow, it
    /// goes on behind the request.
    fn share(self: Box<Self>, stream: ChatStream) -> ChatStream;
}

/// The one who leads in a room.
pub(super) struct Lead {
    rooms: Arc<dyn CoalescingRooms>,
    key: CacheKey,
    background: Arc<dyn Background>,
    pieces: UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

impl Lead {
    /// Begins to lead: from now on the room hears of it.
    pub(super) fn begin(
        rooms: &Arc<dyn CoalescingRooms>,
        key: &CacheKey,
        clock: &Arc<dyn Clock>,
        background: &Arc<dyn Background>,
        token: u64,
    ) -> Self {
        let (pieces, arriving) = unbounded();
        let waiting = Arc::new(AtomicUsize::new(0));
        let lead = Self {
            rooms: Arc::clone(rooms),
            key: key.clone(),
            background: Arc::clone(background),
            pieces,
            waiting: Arc::clone(&waiting),
        };
        let body = Body::from_stream(spoken(arriving, waiting, Arc::clone(clock)));
        let request = Request::post(LEAD).header(TOKEN, token).body(body);
        let (rooms, key) = (Arc::clone(rooms), key.clone());
        background.run(Box::pin(async move {
            if let Ok(request) = request {
                // A room that is lost is its followers' affair: the answer goes to the client all the same.
                let _ = rooms.ask(&key, request).await;
            }
        }));
        lead
    }

    fn say(&self, piece: Option<Bytes>) {
        let Some(piece) = piece else {
            return self.pieces.close_channel();
        };
        let waiting = self.waiting.fetch_add(piece.len(), Ordering::Relaxed);
        if waiting > MAX_WAITING || self.pieces.unbounded_send(piece).is_err() {
            self.pieces.close_channel();
        }
    }

    fn say_frame(&self, frame: &Result<ChatFrame>) {
        self.say(match frame {
            Ok(frame) => Piece::frame(frame),
            Err(error) => Piece::failed(error),
        });
    }

    async fn is_followed(&self) -> bool {
        let Ok(request) = Request::get(FOLLOWERS).body(Body::empty()) else {
            return false;
        };
        let Ok(response) = self.rooms.ask(&self.key, request).await else {
            return false;
        };
        let count = response.into_body().bytes(16).await;
        count.is_ok_and(|count| &*count != b"0")
    }
}

impl Leads for Lead {
    fn finish(self: Box<Self>, outcome: &Result<ChatResponse>) {
        match outcome {
            Ok(answer) => self.say(Piece::whole(answer)),
            Err(error) if matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Cancelled) => {}
            Err(error) => self.say(Piece::failed(error)),
        }
    }

    fn share(self: Box<Self>, stream: ChatStream) -> ChatStream {
        shared(stream, *self)
    }
}

impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lead")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What the room hears: pieces as they come, and signs of life in between.
fn spoken(
    arriving: UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
    clock: Arc<dyn Clock>,
) -> impl stream::Stream<Item = Result<Bytes>> {
    stream::unfold(
        (arriving, waiting, clock),
        |(mut arriving, waiting, clock)| async move {
            let piece = match select(arriving.next(), clock.sleep(ALIVE)).await {
                Either::Left((piece, _)) => {
                    let piece = piece?;
                    waiting.fetch_sub(piece.len(), Ordering::Relaxed);
                    piece
                }
                Either::Right(_) => Piece::Alive.encode()?,
            };
            Some((Ok(piece), (arriving, waiting, clock)))
        },
    )
}

fn shared(stream: ChatStream, lead: Lead) -> ChatStream {
    if let Some(dialect) = stream.dialect() {
        lead.say(Piece::Dialect(dialect.clone()).encode());
    }
    stream.wrap(|stream| {
        let going = Going(Some((stream, lead)));
        stream::unfold(going, |mut going| async move {
            let (stream, lead) = going.0.as_mut()?;
            // It says by itself when it is over: by its last frame, or an error.
            let frame = stream.next().await?;
            lead.say_frame(&frame);
            if frame.as_ref().map_or(true, ChatFrame::is_last) {
                going.0 = None;
            }
            Some((frame, going))
        })
    })
}

/// A stream that has not ended yet.
struct Going(Option<(ChatStream, Lead)>);

impl Drop for Going {
    fn drop(&mut self) {
        let Some((mut stream, lead)) = self.0.take() else {
            return;
        };
        let background = Arc::clone(&lead.background);
        background.run(Box::pin(async move {
            if !lead.is_followed().await {
                return;
            }
            while let Some(frame) = stream.next().await {
                lead.say_frame(&frame);
            }
        }));
    }
}
