//! The decoder of server-sent events beside `eventsource-stream`.

use std::hint::black_box;

use edge_ai_core::{Bytes, SseDecoder};
use eventsource_stream::Eventsource;
use futures_util::StreamExt;

use crate::measure::Pair;

const FRAMES: usize = 100;
const FRAME: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"#,
    r#""delta":{"content":"hello"},"finish_reason":null}]}"#,
    "\n\n"
);

pub(crate) fn pairs() -> Vec<Pair> {
    vec![
        sse("100 events, a chunk each / eventsource-stream", FRAME.len()),
        sse("100 events in chunks of 1,400 B / the same", 1_400),
    ]
}

fn sse(name: &'static str, chunk: usize) -> Pair {
    let whole = Bytes::from(FRAME.repeat(FRAMES));
    let chunks: Vec<Bytes> = (0..whole.len())
        .step_by(chunk)
        .map(|start| whole.slice(start..whole.len().min(start + chunk)))
        .collect();
    let peer_chunks = chunks.clone();
    Pair::new(
        name,
        move || {
            let mut decoder = SseDecoder::new();
            let events: usize = chunks
                .iter()
                .map(|chunk| {
                    decoder
                        .push(chunk.clone())
                        .map_or(0, |events| black_box(events).len())
                })
                .sum();
            assert_eq!(events, FRAMES);
        },
        move || {
            let chunks = peer_chunks.clone();
            let stream =
                futures_util::stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>)).eventsource();
            let events = futures_executor::block_on(stream.map(black_box).count());
            assert_eq!(events, FRAMES);
        },
    )
}
