//! The recorded bodies.

use bytes::Bytes;
use serde_json::Value;

macro_rules! fixture {
    ($path:literal) => {
        bytes::Bytes::from_static(include_bytes!(concat!("../fixtures/openai/", $path)))
    };
}

pub(crate) use fixture;

/// A body as JSON, for comparisons without regard to order and space.
pub(crate) fn json(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|error| panic!("{error}: {}", text(body)))
}

/// A body as text.
pub(crate) fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).unwrap()
}

/// The JSON of each event of a stream, and what is left as text.
pub(crate) fn events(stream: &[u8]) -> Vec<Value> {
    let frames = text(stream).split("\n\n").filter(|frame| !frame.is_empty());
    let data = frames.map(|frame| {
        frame
            .strip_prefix("data: ")
            .unwrap_or_else(|| panic!("not data: {frame:?}"))
    });
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| Value::from(data)))
        .collect()
}
