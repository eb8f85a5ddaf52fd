//! Anthropic's dialect as clients speak it: their requests, and the answers, streams and errors that are written for them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod properties;
mod protocol;
mod requests;
mod responses;
mod streams;

use bytes::Bytes;
use edge_ai_core::{ChatEvent, ChatFrame, Dialect, Extra, RawJson};
use edge_ai_providers::anthropic::{MESSAGES, MessagesStreamDecoder, MessagesStreamEncoder};
use edge_ai_providers::openai::Head;

fn head() -> Head {
    Head {
        id: "msg_ours".into(),
        created: 1_764_000_000,
        model: "smart".into(),
    }
}

fn extra(fields: &[(&str, &str)]) -> Extra {
    let fields = fields
        .iter()
        .map(|(name, json)| ((*name).to_owned(), RawJson::parse(*json).unwrap()));
    Extra::new(MESSAGES, fields.collect())
}

/// What a client of the dialect gets.
fn encode(frames: &[ChatFrame], dialect: Option<&Dialect>) -> Vec<u8> {
    let mut encoder = MessagesStreamEncoder::new(head());
    frames
        .iter()
        .flat_map(|frame| encoder.encode(frame, dialect))
        .collect()
}

fn encode_events(events: Vec<ChatEvent>) -> Vec<u8> {
    let frames: Vec<_> = events
        .into_iter()
        .map(|event| ChatFrame::new(vec![event]))
        .collect();
    encode(&frames, None)
}

fn decode(stream: &[u8]) -> Vec<ChatFrame> {
    let mut decoder = MessagesStreamDecoder::new();
    let mut frames = decoder.push(Bytes::copy_from_slice(stream)).unwrap();
    frames.extend(decoder.finish().unwrap());
    frames
}
