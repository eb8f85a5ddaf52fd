//! What an answer took, read from its bytes as they pass, whatever vendor it comes from.
//!
//! A gateway that passes a vendor's answer on as it is learns from it what it costs. Nothing is held back and nothing is collected: of a
//! JSON document only the few fields that tell are kept, of an event stream one event at a time.

mod found;
mod scan;

use bytes::Bytes;
use edge_ai_core::{SseDecoder, Usage};
use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::bedrock::eventstream::{Decoder, MEDIA_TYPE};
use found::Found;
use scan::Scanner;

/// Reads what an answer took as its bytes pass.
///
/// It knows chat completions, Responses, embeddings, pictures, speech and transcriptions as OpenAI has them, Anthropic's messages, Gemini's
/// `generateContent`, Bedrock's Converse and Cohere's answers, whole and streamed. What it does not know passes without tokens.
///
/// ```
/// use edge_ai_core::Usage;
/// use edge_ai_providers::tap::UsageTap;
/// use http::HeaderMap;
///
/// let headers = HeaderMap::from_iter([("content-type".parse().unwrap(), "application/json".parse().unwrap())]);
/// let mut tap = UsageTap::new(&headers);
/// tap.feed(&br#"{"model":"gpt-6","usage":{"prompt_tok"#[..].into());
/// tap.feed(&br#"ens":7,"completion_tokens":2}}"#[..].into());
/// assert_eq!(tap.usage(), Some(Usage::new(7, 2)));
/// assert_eq!(tap.model(), Some("gpt-6"));
/// ```
#[derive(Debug)]
pub struct UsageTap {
    reader: Reader,
    found: Found,
}

#[derive(Debug)]
enum Reader {
    Json(Scanner),
    Events(SseDecoder),
    Messages(Decoder),
    Nothing,
}

impl UsageTap {
    /// A tap for an answer with this head.
    pub fn new(headers: &HeaderMap) -> Self {
        let media_type = headers
            .get(CONTENT_TYPE)
            .map(|value| value.as_bytes().to_ascii_lowercase());
        let media_type = String::from_utf8(media_type.unwrap_or_default()).unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        let reader = match media_type {
            "application/json" => Reader::Json(Scanner::default()),
            "text/event-stream" => Reader::Events(SseDecoder::new()),
            MEDIA_TYPE => Reader::Messages(Decoder::new()),
            media_type if media_type.ends_with("+json") => Reader::Json(Scanner::default()),
            _ => Reader::Nothing,
        };
        let mut found = Found::default();
        found.head(headers);
        Self { reader, found }
    }

    /// A tap for the messages of a WebSocket, such as OpenAI's realtime conversations. The tokens of their answers add up.
    pub fn of_events() -> Self {
        Self {
            reader: Reader::Nothing,
            found: Found::default(),
        }
    }

    /// Takes a message of a WebSocket, as JSON.
    pub fn event(&mut self, json: &[u8]) {
        self.found.realtime(json);
    }

    /// How many answers of a conversation have begun and not told what they took.
    pub fn unfinished(&self) -> u64 {
        self.found.unfinished()
    }

    /// What a conversation took to have what was said written down, by another model and at another price than [`usage`](Self::usage).
    pub fn transcriptions(&self) -> Option<Usage> {
        self.found.transcriptions()
    }

    /// Takes the next bytes of the body. What cannot be read ends the reading, and never the answer.
    pub fn feed(&mut self, piece: &Bytes) {
        let readable = match &mut self.reader {
            Reader::Nothing => return,
            Reader::Json(scanner) => {
                scanner.push(piece, |key, value| self.found.field(key, value));
                true
            }
            Reader::Events(decoder) => match decoder.push(piece.clone()) {
                Ok(events) => {
                    for event in events {
                        self.found.event(event.data.as_bytes());
                    }
                    true
                }
                Err(_) => false,
            },
            Reader::Messages(decoder) => {
                decoder.push(piece);
                loop {
                    match decoder.next_message() {
                        Ok(Some(message)) => self.found.event(&message.payload),
                        Ok(None) => break true,
                        Err(_) => break false,
                    }
                }
            }
        };
        if !readable {
            self.reader = Reader::Nothing;
        }
    }

    /// What the vendor has told so far that the answer took.
    pub fn usage(&self) -> Option<Usage> {
        self.found.usage()
    }

    /// The model that the vendor says has answered.
    pub fn model(&self) -> Option<&str> {
        self.found.model.as_deref()
    }
}

#[cfg(test)]
mod tests;
