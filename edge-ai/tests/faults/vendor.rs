use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use edge_ai::async_trait;
use edge_ai::core::{Body, Bytes, Clock, Error, ErrorKind, HttpClient, ManualClock, Result};
use futures_util::stream;
use serde_json::{Value, json};

use crate::fault::{Dice, Fault, Mix};

/// The words that a vendor answers to a question: several frames, letters of several bytes, and the question itself.
pub(crate) fn answer_to(question: &str) -> Vec<String> {
    let mut words = vec!["You asked: ".to_owned(), question.to_owned()];
    let length = question.bytes().fold(3, |sum, byte| sum + usize::from(byte)) % 9;
    words.extend((0..length).map(|at| format!(" — naïve „{at}“ 東京")));
    words
}

/// Two vendors on the network: one speaks OpenAI's dialect, the other Anthropic's.
#[derive(Clone, Debug)]
pub(crate) struct Vendors {
    clock: ManualClock,
    dice: Arc<Dice>,
    mix: Mix,
}

/// A piece of an answer on its way.
enum Piece {
    Bytes(Vec<u8>),
    Wait(Duration),
    Break,
}

const LONG: Duration = Duration::from_secs(10_000_000);

impl Vendors {
    pub(crate) fn new(clock: ManualClock, dice: Arc<Dice>, mix: Mix) -> Self {
        Self { clock, dice, mix }
    }

    fn respond(&self, status: u16, kind: &str) -> http::response::Builder {
        http::Response::builder()
            .status(status)
            .header("content-type", kind)
    }

    /// Pieces that come one after the other, by the clock.
    fn body(&self, pieces: Vec<Piece>) -> Body {
        let clock = self.clock.clone();
        let state = (VecDeque::from(pieces), clock);
        Body::from_stream(stream::unfold(state, |(mut pieces, clock)| async move {
            loop {
                match pieces.pop_front()? {
                    Piece::Bytes(bytes) if bytes.is_empty() => {}
                    Piece::Bytes(bytes) => return Some((Ok(Bytes::from(bytes)), (pieces, clock))),
                    Piece::Wait(time) => clock.sleep(time).await,
                    Piece::Break => {
                        let error = Error::new(ErrorKind::Interrupted, "the connection broke");
                        return Some((Err(error), (VecDeque::new(), clock)));
                    }
                }
            }
        }))
    }

    /// The bytes cut at any place.
    fn cut(&self, bytes: &[u8]) -> Vec<Piece> {
        let mut rest = bytes;
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let length = usize::try_from(1 + self.dice.below(400)).unwrap().min(rest.len());
            let (piece, tail) = rest.split_at(length);
            pieces.push(Piece::Bytes(piece.to_vec()));
            rest = tail;
        }
        pieces
    }

    fn server_error(&self, anthropic: bool) -> (u16, &'static str, Vec<u8>) {
        let status = *self.dice.pick(&[500, 502, 503, 529]);
        if self.dice.chance(0.3) {
            return (
                status,
                "text/html",
                b"<html><body>Bad gateway</body></html>".to_vec(),
            );
        }
        (
            status,
            "application/json",
            error_body(anthropic, "overloaded_error", "try again").into_bytes(),
        )
    }

    async fn fail_early(&self, fault: Fault, anthropic: bool) -> Result<Option<http::Response<Body>>> {
        let answer = |status: u16, kind: &str, body: Vec<u8>| {
            let response = self.respond(status, kind);
            Ok(Some(response.body(Body::from(body)).unwrap()))
        };
        match fault {
            Fault::Refused => Err(Error::new(ErrorKind::Unavailable, "connection refused")),
            Fault::Reset => {
                self.clock.sleep(self.dice.millis(1, 3_000)).await;
                Err(Error::new(ErrorKind::Unavailable, "connection reset"))
            }
            Fault::Hang => {
                self.clock.sleep(LONG).await;
                Err(Error::new(ErrorKind::Internal, "nobody waits so long"))
            }
            Fault::Late => {
                self.clock.sleep(self.dice.millis(1_000, 60_000)).await;
                Ok(None)
            }
            Fault::RateLimited => {
                let body = error_body(anthropic, "rate_limit_error", "slow down").into_bytes();
                let mut response = self.respond(429, "application/json");
                match self.dice.below(4) {
                    0 => response = response.header("retry-after", self.dice.below(30)),
                    1 => response = response.header("retry-after-ms", self.dice.below(9_000)),
                    2 => response = response.header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
                    _ => {}
                }
                Ok(Some(response.body(Body::from(body)).unwrap()))
            }
            Fault::ServerError => {
                let (status, kind, body) = self.server_error(anthropic);
                answer(status, kind, body)
            }
            Fault::KeyRevoked => answer(
                401,
                "application/json",
                error_body(anthropic, "authentication_error", "bad key sk-1").into_bytes(),
            ),
            Fault::Page => answer(200, "text/html", b"<!doctype html><p>Please log in</p>".to_vec()),
            Fault::Empty => answer(200, "application/json", Vec::new()),
            _ => Ok(None),
        }
    }

    /// What goes wrong within the bytes of an answer.
    fn damage(&self, frames: &[Vec<u8>], fault: Option<Fault>, stream: bool, anthropic: bool) -> Vec<Piece> {
        let whole = frames.concat();
        // Somewhere within, and never so late that nothing is missing.
        let place = usize::try_from(self.dice.below(u64::try_from(whole.len() * 9 / 10).unwrap())).unwrap();
        let between =
            usize::try_from(self.dice.below(u64::try_from(frames.len() - 1).unwrap().max(1))).unwrap();
        let error = error_event(anthropic);
        match fault {
            Some(Fault::Malformed) if stream => self.cut(b"data: {\"choices\": [{]}\n\n"),
            Some(Fault::Malformed) => self.cut(b"{\"id\": \"x\", \"choices\": 7}"),
            Some(Fault::ErrorFirst) if stream => self.cut(&error),
            Some(Fault::ErrorLater) if stream => {
                let before = frames[..between].concat();
                self.cut(&[before, error].concat())
            }
            Some(Fault::ErrorFirst | Fault::ErrorLater) => {
                self.cut(error_body(anthropic, "api_error", "inside").as_bytes())
            }
            Some(Fault::Cut) => self.cut(&whole[..place]),
            Some(Fault::Broken) => {
                let mut pieces = self.cut(&whole[..place]);
                pieces.push(Piece::Break);
                pieces
            }
            Some(Fault::Silence) => {
                let mut pieces = self.cut(&whole[..place]);
                pieces.push(Piece::Wait(LONG));
                pieces
            }
            Some(Fault::Drip) => {
                let wait = self.dice.millis(100, 20_000);
                let pieces = self.cut(&whole);
                pieces
                    .into_iter()
                    .flat_map(|piece| [Piece::Wait(wait), piece])
                    .collect()
            }
            _ => self.cut(&whole),
        }
    }
}

#[async_trait]
impl HttpClient for Vendors {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Body>> {
        let anthropic = request.uri().path().ends_with("/messages");
        let asked: Value = serde_json::from_slice(request.body()).unwrap();
        let stream = asked["stream"] == true;
        let question = question(&asked);
        let fault = self.mix.draw(&self.dice);
        self.clock.sleep(self.dice.millis(20, 400)).await;
        if let Some(fault) = fault
            && let Some(response) = self.fail_early(fault, anthropic).await?
        {
            return Ok(response);
        }
        let words = answer_to(&question);
        let frames = match (anthropic, stream) {
            (false, false) => vec![openai_answer(&words)],
            (false, true) => openai_frames(&words),
            (true, false) => vec![anthropic_answer(&words)],
            (true, true) => anthropic_frames(&words),
        };
        let kind = if stream {
            "text/event-stream"
        } else {
            "application/json"
        };
        let pieces = self.damage(&frames, fault, stream, anthropic);
        Ok(self.respond(200, kind).body(self.body(pieces)).unwrap())
    }
}

/// The last thing the user said.
fn question(asked: &Value) -> String {
    let content = &asked["messages"].as_array().unwrap().last().unwrap()["content"];
    content
        .as_str()
        .or_else(|| content[0]["text"].as_str())
        .unwrap()
        .to_owned()
}

fn error_body(anthropic: bool, kind: &str, message: &str) -> String {
    if anthropic {
        json!({"type": "error", "error": {"type": kind, "message": message}}).to_string()
    } else {
        json!({"error": {"message": message, "type": kind, "param": null, "code": null}}).to_string()
    }
}

fn error_event(anthropic: bool) -> Vec<u8> {
    let name = if anthropic { "event: error\n" } else { "" };
    format!(
        "{name}data: {}\n\n",
        error_body(anthropic, "overloaded_error", "in the stream")
    )
    .into_bytes()
}

fn openai_answer(words: &[String]) -> Vec<u8> {
    let message = json!({"role": "assistant", "content": words.concat()});
    json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}})
    .to_string()
    .into_bytes()
}

fn openai_frames(words: &[String]) -> Vec<Vec<u8>> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices,
            "usage": usage});
        format!("data: {chunk}\n\n").into_bytes()
    };
    let delta = |delta: Value, reason: Value| {
        chunk(
            json!([{"index": 0, "delta": delta, "finish_reason": reason}]),
            Value::Null,
        )
    };
    let mut frames = vec![delta(json!({"role": "assistant", "content": ""}), Value::Null)];
    frames.extend(
        words
            .iter()
            .map(|word| delta(json!({"content": word}), Value::Null)),
    );
    frames.push(delta(json!({}), json!("stop")));
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14});
    frames.push(chunk(json!([]), usage));
    frames.push(b"data: [DONE]\n\n".to_vec());
    frames
}

fn anthropic_answer(words: &[String]) -> Vec<u8> {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": words.concat()}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 9, "output_tokens": 5}})
    .to_string()
    .into_bytes()
}

fn anthropic_frames(words: &[String]) -> Vec<Vec<u8>> {
    let event = |data: Value| {
        let name = data["type"].as_str().unwrap().to_owned();
        format!("event: {name}\ndata: {data}\n\n").into_bytes()
    };
    let mut frames = vec![
        event(
            json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [], "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 9, "output_tokens": 1}}}),
        ),
        event(
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
    ];
    frames.extend(words.iter().map(|word| {
        event(
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}),
        )
    }));
    frames.extend([
        event(json!({"type": "content_block_stop", "index": 0})),
        event(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 5}})),
        event(json!({"type": "message_stop"})),
    ]);
    frames
}
