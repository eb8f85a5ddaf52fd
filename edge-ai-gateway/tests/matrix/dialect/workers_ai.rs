//! Workers AI's text generation, in its own shape: <https://developers.cloudflare.com/workers-ai/models/>.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Chat, Server, chat, data, halves};
use crate::ask::Ask;
use crate::feature::Feature;
use crate::told::Told;

#[derive(Debug)]
pub(crate) struct WorkersAi;

impl Server for WorkersAi {
    fn title(&self) -> &'static str {
        "run"
    }

    fn read(&self, body: &Value) -> Ask {
        let mut ask = Chat.read(body);
        // The schema itself, without a name.
        ask.schema = body["response_format"].get("json_schema").cloned();
        ask
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        match feature {
            Feature::Citations => Some("The API cites nothing"),
            Feature::Reasoning | Feature::ReasoningTokens => {
                Some("Models of this shape show no thoughts; those of OpenAI's shape do")
            }
            _ => Chat.lacks(feature),
        }
    }

    fn answer(&self, told: &Told) -> Value {
        let calls: Vec<_> = told
            .calls
            .iter()
            .map(|call| json!({"id": call.id, "name": call.name, "arguments": call.arguments}))
            .collect();
        let result = json!({"response": told.text, "tool_calls": calls, "finish_reason": chat::finish(told), "usage": chat::usage(told)});
        json!({"success": true, "errors": [], "messages": [], "result": result})
    }

    fn stream(&self, told: &Told) -> Vec<Bytes> {
        let mut pieces: Vec<_> = halves(&told.text)
            .iter()
            .map(|half| data(&json!({"response": half, "p": "abc"})))
            .collect();
        for call in &told.calls {
            let call = json!({"id": call.id, "name": call.name, "arguments": call.arguments});
            pieces.push(data(&json!({"response": "", "tool_calls": [call]})));
        }
        pieces.push(data(
            &json!({"response": "", "finish_reason": chat::finish(told), "usage": chat::usage(told)}),
        ));
        pieces.push(Bytes::from_static(b"data: [DONE]\n\n"));
        pieces
    }

    fn error(&self, status: u16) -> Value {
        let code = match status {
            400 => 5006,
            401 => 10000,
            404 => 5007,
            429 => 3040,
            _ => 3043,
        };
        json!({"success": false, "result": null, "messages": [], "errors": [{"code": code, "message": "the vendor's words"}]})
    }

    fn error_event(&self) -> Bytes {
        data(&json!({"errors": [{"code": 3043, "message": "the vendor's words"}]}))
    }
}

/// Its models that answer as OpenAI's chat completions do.
#[derive(Debug)]
pub(crate) struct WorkersAiChat;

impl Server for WorkersAiChat {
    fn title(&self) -> &'static str {
        WorkersAi.title()
    }

    fn read(&self, body: &Value) -> Ask {
        WorkersAi.read(body)
    }

    fn lacks(&self, feature: Feature) -> Option<&'static str> {
        Chat.lacks(feature)
    }

    fn answer(&self, told: &Told) -> Value {
        json!({"success": true, "errors": [], "messages": [], "result": Server::answer(&Chat, told)})
    }

    fn stream(&self, told: &Told) -> Vec<Bytes> {
        Chat.stream(told)
    }

    fn error(&self, status: u16) -> Value {
        WorkersAi.error(status)
    }

    fn error_event(&self) -> Bytes {
        WorkersAi.error_event()
    }
}
