use std::time::Duration;

use edge_ai::core::{Body, Clock, ManualClock, Result, Timestamp};
use futures_util::StreamExt;
use serde_json::{Value, json};

/// A client of the gateway, by its dialect and by whether it reads a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) anthropic: bool,
    pub(crate) stream: bool,
}

/// What a client got.
#[derive(Debug)]
pub(crate) enum Got {
    /// A whole answer.
    Answer(String),
    /// An error; before it, this much of an answer.
    Error { status: u16, before: String },
    /// It left.
    Left,
}

impl Client {
    pub(crate) fn request(self, model: &str, question: &str) -> http::Request<Body> {
        let mut body = json!({"model": model, "messages": [{"role": "user", "content": question}], "stream": self.stream});
        let path = if self.anthropic {
            body["max_tokens"] = json!(500);
            "/v1/messages"
        } else {
            "/v1/chat/completions"
        };
        let request = http::Request::post(path).header("authorization", "Bearer a-client");
        request.body(Body::from(body.to_string())).unwrap()
    }

    /// Reads an answer to its end, or leaves after some pieces of a stream. `quiet` is the longest time without a piece.
    pub(crate) async fn read(
        self,
        response: http::Response<Body>,
        leaves_after: Option<u64>,
        clock: &ManualClock,
        quiet: Duration,
    ) -> Got {
        let status = response.status().as_u16();
        if status != 200 || !self.stream {
            let body = response.into_body().bytes(1 << 20).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            if status == 200 {
                return Got::Answer(self.text(&body));
            }
            self.check_error(&body);
            return Got::Error {
                status,
                before: String::new(),
            };
        }
        let mut pieces = response.into_body().into_stream();
        let mut read = Vec::new();
        let mut count = 0;
        let mut last = clock.now();
        while let Some(piece) = pieces.next().await {
            let piece: Result<_> = piece;
            read.extend_from_slice(&piece.unwrap());
            let now: Timestamp = clock.now();
            assert!(now.since(last) <= quiet, "nothing for {:?}", now.since(last));
            last = now;
            count += 1;
            if leaves_after == Some(count) {
                return Got::Left;
            }
        }
        self.check_stream(&String::from_utf8(read).unwrap())
    }

    fn text(self, answer: &Value) -> String {
        let text = if self.anthropic {
            assert_eq!(answer["stop_reason"], "end_turn");
            &answer["content"][0]["text"]
        } else {
            assert_eq!(answer["choices"][0]["finish_reason"], "stop");
            &answer["choices"][0]["message"]["content"]
        };
        text.as_str().unwrap().to_owned()
    }

    /// An error in the client's words, that shows nothing of what lies between the gateway and a vendor.
    fn check_error(self, body: &Value) {
        assert!(!body.to_string().contains("sk-1"), "{body}");
        if self.anthropic {
            assert_eq!(body["type"], "error", "{body}");
        }
        assert!(body["error"]["type"].is_string(), "{body}");
        assert!(!body["error"]["message"].as_str().unwrap().is_empty(), "{body}");
    }

    /// Exactly one end: the mark, or an error and no mark.
    fn check_stream(self, text: &str) -> Got {
        let mut answer = String::new();
        let (mut done, mut failed) = (0, 0);
        for frame in text.split_terminator("\n\n") {
            let Some(data) = frame.lines().find_map(|line| line.strip_prefix("data: ")) else {
                assert!(frame.starts_with(':'), "{frame}: {text}");
                continue;
            };
            assert_eq!((done, failed), (0, 0), "after the end: {frame}");
            if data == "[DONE]" {
                done += 1;
                continue;
            }
            let data: Value = serde_json::from_str(data).unwrap();
            if data.get("error").is_some() {
                self.check_error(&data);
                failed += 1;
            } else if data["type"] == "message_stop" {
                done += 1;
            } else if let Some(word) = data["delta"]["text"].as_str() {
                answer.push_str(word);
            } else if let Some(word) = data["choices"][0]["delta"]["content"].as_str() {
                answer.push_str(word);
            }
        }
        match (done, failed) {
            (1, 0) => Got::Answer(answer),
            (0, 1) => Got::Error {
                status: 200,
                before: answer,
            },
            _ => panic!("no end, or two: {text}"),
        }
    }
}
