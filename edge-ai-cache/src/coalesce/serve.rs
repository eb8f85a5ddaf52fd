use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use edge_ai_core::Body;
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};
use http::{HeaderValue, Request, Response, StatusCode};

use super::piece::Pieces;
use super::room::{Role, Room};

/// What is asked of a room.
pub(super) const ENTER: &str = "http://room/enter";
pub(super) const LEAD: &str = "http://room/lead";
pub(super) const FOLLOWERS: &str = "http://room/followers";

/// Where a room says what one who enters is to do.
pub(super) const ROLE: &str = "x-role";
/// A leader's token.
pub(super) const TOKEN: &str = "x-token";

/// Answers what one of those who meet in a room asks.
pub(super) async fn serve(room: Arc<Room>, request: Request<Body>) -> Response<Body> {
    match request.uri().path() {
        "/enter" => enter(room),
        "/lead" => lead(room, request).await,
        "/followers" => Response::new(Body::from(room.followers().to_string())),
        _ => status(StatusCode::NOT_FOUND),
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn enter(room: Arc<Room>) -> Response<Body> {
    let (role, token, body) = match room.enter() {
        Role::Lead(token) => ("lead", token, Body::empty()),
        Role::Alone => ("alone", 0, Body::empty()),
        Role::Follow(answer) => ("follow", 0, followed(room, answer)),
    };
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(ROLE, HeaderValue::from_static(role));
    response.headers_mut().insert(TOKEN, HeaderValue::from(token));
    response
}

/// The pieces of an answer as they arrive.
fn followed(room: Arc<Room>, answer: u64) -> Body {
    let present = Present(room);
    Body::from_stream(stream::unfold((present, 0), move |(present, at)| async move {
        let room = &present.0;
        let piece = loop {
            let piece = pin!(poll_fn(|context| room.poll_piece(context, answer, at)));
            // Nobody tells of a leader that says nothing any more.
            match select(piece, room.clock.sleep(LOOK)).await {
                Either::Left((piece, _)) => break piece?,
                Either::Right(_) => {}
            }
        };
        Some((Ok(piece), (present, at + 1)))
    }))
}

/// How often those who wait look after the leader.
const LOOK: Duration = Duration::from_secs(5);

/// One who follows, until it goes.
struct Present(Arc<Room>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Takes what a leader brings, to its end.
async fn lead(room: Arc<Room>, request: Request<Body>) -> Response<Body> {
    let token = request.headers().get(TOKEN);
    let token = token.and_then(|token| token.to_str().ok()?.parse().ok());
    let Some(token) = token else {
        return status(StatusCode::BAD_REQUEST);
    };
    let leading = Leading(Arc::clone(&room), token);
    let (mut body, mut pieces) = (request.into_body().into_stream(), Pieces::default());
    while let Some(Ok(bytes)) = body.next().await {
        if !take(&room, token, &mut pieces, &bytes) {
            return status(StatusCode::CONFLICT);
        }
    }
    drop(leading);
    room.clock.sleep(Room::LINGER).await;
    room.close(token);
    status(StatusCode::NO_CONTENT)
}

fn take(room: &Room, token: u64, pieces: &mut Pieces, bytes: &Bytes) -> bool {
    pieces.add(bytes);
    loop {
        match pieces.next() {
            Ok(Some(piece)) => {
                if !room.add(token, piece) {
                    return false;
                }
            }
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// One who leads, until it says no more.
struct Leading(Arc<Room>, u64);

impl Drop for Leading {
    fn drop(&mut self) {
        self.0.lost(self.1);
    }
}
