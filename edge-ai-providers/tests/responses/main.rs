//! OpenAI's Responses dialect, pinned by exchanges in its documented shapes (`tests/fixtures/responses`) and by what holds for every input.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod counts;
mod properties;
mod protocol;
mod provider;
mod requests;
mod responses;
mod streams;

use bytes::Bytes;
use edge_ai_core::{ChatEvent, ChatFrame, ErrorKind};
use edge_ai_providers::openai::Head;
use edge_ai_providers::openai::responses::ResponsesStreamDecoder;
use serde_json::Value;

macro_rules! fixture {
    ($path:literal) => {
        bytes::Bytes::from_static(include_bytes!(concat!("../fixtures/responses/", $path)))
    };
}

use fixture;

/// A body as JSON.
fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)))
}

fn head() -> Head {
    Head {
        id: "resp_ours".into(),
        created: 7,
        model: "smart".into(),
    }
}

/// The frames and the kind of the error of a stream in pieces.
fn decode(pieces: &[&[u8]]) -> (Vec<ChatFrame>, Option<ErrorKind>) {
    let mut decoder = ResponsesStreamDecoder::new();
    let mut frames = Vec::new();
    for piece in pieces {
        match decoder.push(Bytes::copy_from_slice(piece)) {
            Ok(more) => frames.extend(more),
            Err(error) => return (frames, Some(error.kind())),
        }
    }
    loop {
        match decoder.finish() {
            Ok(more) if more.is_empty() => return (frames, None),
            Ok(more) => frames.extend(more),
            Err(error) => return (frames, Some(error.kind())),
        }
    }
}

/// The events of a stream in one piece.
fn events(stream: &[u8]) -> (Vec<ChatEvent>, Option<ErrorKind>) {
    let (frames, error) = decode(&[stream]);
    (frames.into_iter().flat_map(|frame| frame.events).collect(), error)
}
