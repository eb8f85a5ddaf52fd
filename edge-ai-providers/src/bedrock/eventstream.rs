//! Messages of `application/vnd.amazon.eventstream`, the framing of AWS's streams: a length, headers, a payload, and checksums of all of it.
//!
//! ```
//! use edge_ai_providers::bedrock::eventstream::{Decoder, Message};
//!
//! let message = Message::event("messageStart", r#"{"role":"assistant"}"#);
//! let bytes = message.encode();
//! let mut decoder = Decoder::new();
//! decoder.push(&bytes[..7]);
//! assert_eq!(decoder.next_message()?, None);
//! decoder.push(&bytes[7..]);
//! assert_eq!(decoder.next_message()?, Some(message));
//! # Ok::<(), edge_ai_core::Error>(())
//! ```
//!
//! Source: <https://smithy.io/2.0/aws/amazon-eventstream.html>.

mod decoder;
mod header;
mod message;

pub use decoder::Decoder;
pub use header::HeaderValue;
pub use message::Message;

/// The media type of a stream of messages.
pub const MEDIA_TYPE: &str = "application/vnd.amazon.eventstream";

/// Both lengths and their checksum.
const PRELUDE: usize = 12;

/// The checksum at a message's end.
const CHECKSUM: usize = 4;

/// The most bytes of a message's headers.
const MAX_HEADERS: usize = 128 << 10;

/// The most bytes of a message's payload.
const MAX_PAYLOAD: usize = 24 << 20;
