//! What a conversation knows, and what it says to each event: no socket, no clock.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::turn::{self, Turn};
use crate::fault::{Plan, directive};
use crate::id;

/// What goes to the client.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Event(Value),
    Close(u16, String),
    /// The connection breaks off.
    Cut,
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Conversation {
    number: u64,
    events: u64,
    responses: u64,
    session: Map<String, Value>,
    items: Vec<Value>,
    /// Bytes of sound that are not an item yet.
    sound: usize,
}

/// Bytes of a tenth of a second of sound: 24,000 samples a second of two bytes. It is a token.
const SOUND_TOKEN: usize = 4_800;

/// What `session.update` may set.
const SETTINGS: [&str; 12] = [
    "type",
    "instructions",
    "output_modalities",
    "modalities",
    "tools",
    "tool_choice",
    "max_output_tokens",
    "audio",
    "voice",
    "temperature",
    "tracing",
    "truncation",
];

impl Conversation {
    pub(super) fn new(number: u64, model: String) -> Self {
        let session = json!({
            "type": "realtime", "object": "realtime.session", "model": model,
            "id": format!("sess_{}", id::alphanumeric(number, "realtime session", 21)),
            "output_modalities": ["audio"], "instructions": "", "tools": [], "tool_choice": "auto",
            "max_output_tokens": "inf",
        });
        Self {
            number,
            events: 0,
            responses: 0,
            session: session.as_object().cloned().unwrap_or_default(),
            items: Vec::new(),
            sound: 0,
        }
    }

    pub(super) fn greeting(&mut self) -> Step {
        self.event("session.created", json!({ "session": self.session }))
    }

    pub(super) fn refuse_binary(&mut self) -> Vec<Step> {
        vec![self.error("invalid_event", "Binary messages are not events.", None, None)]
    }

    /// What is said to an event.
    pub(super) fn hear(&mut self, text: &str) -> Vec<Step> {
        let Ok(Value::Object(event)) = serde_json::from_str(text) else {
            return vec![self.error("invalid_json", "The event is not a JSON object.", None, None)];
        };
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "session.update" => self.update(&event),
            "conversation.item.create" => self.create_item(&event),
            "conversation.item.delete" => self.delete_item(&event),
            "input_audio_buffer.append" => self.append(&event),
            "input_audio_buffer.commit" => self.commit(&event),
            "input_audio_buffer.clear" => {
                self.sound = 0;
                vec![self.event("input_audio_buffer.cleared", json!({}))]
            }
            "response.create" => self.respond(&event),
            "response.cancel" => {
                let message = "Cancellation failed: no active response found";
                vec![self.error("response_cancel_not_active", message, None, Some(&event))]
            }
            _ => {
                let message = format!(
                    "Invalid value: '{kind}'. Supported values are: 'session.update', 'conversation.item.create', 'response.create' and others."
                );
                vec![self.error("invalid_value", &message, Some("type"), Some(&event))]
            }
        }
    }

    fn update(&mut self, event: &Map<String, Value>) -> Vec<Step> {
        let Some(session) = event.get("session").and_then(Value::as_object) else {
            let message = "Missing required parameter: 'session'.";
            return vec![self.error(
                "missing_required_parameter",
                message,
                Some("session"),
                Some(event),
            )];
        };
        let known = |name: &String| SETTINGS.contains(&name.as_str());
        if let Some(unknown) = session.keys().find(|name| !known(name)) {
            let param = format!("session.{unknown}");
            let message = format!("Unknown parameter: '{param}'.");
            return vec![self.error("unknown_parameter", &message, Some(&param), Some(event))];
        }
        self.session.extend(session.clone());
        vec![self.event("session.updated", json!({ "session": self.session }))]
    }

    fn create_item(&mut self, event: &Map<String, Value>) -> Vec<Step> {
        let item = event
            .get("item")
            .filter(|item| item.get("type").is_some_and(Value::is_string));
        let Some(item) = item else {
            let message = "Missing required parameter: 'item.type'.";
            return vec![self.error(
                "missing_required_parameter",
                message,
                Some("item.type"),
                Some(event),
            )];
        };
        self.add(item.clone())
    }

    fn add(&mut self, mut item: Value) -> Vec<Step> {
        if let Some(fields) = item.as_object_mut() {
            let id = id::alphanumeric(self.number * 1_000 + self.items.len() as u64, "realtime item", 21);
            fields.entry("id").or_insert_with(|| json!(format!("item_{id}")));
            fields.insert("object".into(), json!("realtime.item"));
            fields.insert("status".into(), json!("completed"));
        }
        let before = self.items.last().and_then(|item| item.get("id")).cloned();
        self.items.push(item.clone());
        let fields = json!({ "previous_item_id": before, "item": item });
        vec![
            self.event("conversation.item.added", fields.clone()),
            self.event("conversation.item.done", fields),
        ]
    }

    fn delete_item(&mut self, event: &Map<String, Value>) -> Vec<Step> {
        let id = event.get("item_id");
        let length = self.items.len();
        self.items.retain(|item| item.get("id") != id);
        if self.items.len() == length {
            let message = "Error deleting item: the item is not there.";
            return vec![self.error(
                "item_delete_invalid_item_id",
                message,
                Some("item_id"),
                Some(event),
            )];
        }
        vec![self.event("conversation.item.deleted", json!({ "item_id": id }))]
    }

    fn append(&mut self, event: &Map<String, Value>) -> Vec<Step> {
        let sound = event.get("audio").and_then(Value::as_str);
        match sound.and_then(|sound| STANDARD.decode(sound).ok()) {
            Some(sound) => {
                self.sound += sound.len();
                Vec::new()
            }
            None => {
                let message = "Invalid 'audio'. Expected base64-encoded audio bytes.";
                vec![self.error("invalid_value", message, Some("audio"), Some(event))]
            }
        }
    }

    fn commit(&mut self, event: &Map<String, Value>) -> Vec<Step> {
        let tokens = std::mem::take(&mut self.sound) / SOUND_TOKEN;
        if tokens == 0 {
            let message =
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio.";
            return vec![self.error("input_audio_buffer_commit_empty", message, None, Some(event))];
        }
        let item = json!({ "type": "message", "role": "user",
            "content": [{ "type": "input_audio", "transcript": null, "tokens": tokens }] });
        let mut steps = vec![self.event(
            "input_audio_buffer.committed",
            json!({ "previous_item_id": null }),
        )];
        steps.extend(self.add(item));
        steps
    }

    fn respond(&mut self, event: &Map<String, Value>) -> Vec<Step> {
        self.responses += 1;
        let number = self.number * 1_000 + self.responses;
        let turn = Turn::take(number, &self.session, event.get("response"), &self.items);
        let plan = turn::said(&self.items)
            .and_then(|text| directive::find(&text).map(str::to_owned))
            .and_then(|spec| spec.parse::<Plan>().ok());
        let mut steps: Vec<Step> = turn
            .events()
            .into_iter()
            .map(|(kind, fields)| self.event(kind, fields))
            .collect();
        self.items.push(turn.item());
        let Some(plan) = plan else { return steps };
        if let Some(at) = plan.cut {
            steps.truncate(at);
            steps.push(Step::Cut);
        } else if let Some(at) = plan.end {
            steps.truncate(at);
            steps.push(Step::Close(
                1001,
                "Your session hit the maximum duration of 60 minutes.".into(),
            ));
        } else if let Some(at) = plan.error_event {
            steps.truncate(at);
            steps.push(self.error(
                "server_error",
                "The server had an error while processing your request.",
                None,
                None,
            ));
            steps.push(Step::Close(1011, "server_error".into()));
        }
        steps
    }

    fn event(&mut self, kind: &str, fields: Value) -> Step {
        self.events += 1;
        let id = id::alphanumeric(self.number * 10_000 + self.events, "realtime event", 21);
        let mut event = json!({ "type": kind, "event_id": format!("event_{id}") });
        if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
            event.extend(fields);
        }
        Step::Event(event)
    }

    fn error(
        &mut self,
        code: &str,
        message: &str,
        param: Option<&str>,
        of: Option<&Map<String, Value>>,
    ) -> Step {
        let kind = if code == "server_error" {
            "server_error"
        } else {
            "invalid_request_error"
        };
        let event_id = of.and_then(|event| event.get("event_id"));
        let error =
            json!({ "type": kind, "code": code, "message": message, "param": param, "event_id": event_id });
        self.event("error", json!({ "error": error }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(steps: &[Step]) -> Vec<String> {
        let kind = |step: &Step| match step {
            Step::Event(event) => event["type"].as_str().unwrap_or_default().to_owned(),
            Step::Close(code, _) => code.to_string(),
            Step::Cut => "cut".into(),
        };
        steps.iter().map(kind).collect()
    }

    fn said(text: &str) -> (Conversation, Vec<Step>) {
        let mut conversation = Conversation::new(1, "gpt-realtime".into());
        conversation
            .hear(r#"{"type":"session.update","session":{"type":"realtime","output_modalities":["text"]}}"#);
        let item = json!({ "type": "conversation.item.create", "item": { "type": "message", "role": "user",
            "content": [{ "type": "input_text", "text": text }] } });
        conversation.hear(&item.to_string());
        let steps = conversation.hear(r#"{"type":"response.create"}"#);
        (conversation, steps)
    }

    #[test]
    fn a_text_is_answered_piece_by_piece_with_its_usage() {
        let (_, steps) = said("The capital of France is Paris. What is the capital of France?");
        let kinds = kinds(&steps);
        assert_eq!(kinds.first().map(String::as_str), Some("response.created"));
        assert!(
            kinds
                .iter()
                .filter(|kind| *kind == "response.output_text.delta")
                .count()
                > 1
        );
        let Some(Step::Event(done)) = steps.last() else {
            panic!()
        };
        assert_eq!(done["type"], "response.done");
        let usage = &done["response"]["usage"];
        assert!(usage["input_tokens"].as_u64() > Some(0) && usage["output_tokens"].as_u64() > Some(0));
        assert_eq!(usage["output_token_details"]["audio_tokens"], 0);
    }

    #[test]
    fn faults_cut_close_and_err() {
        assert_eq!(kinds(&said("a [[fault: cut=1]]").1), ["response.created", "cut"]);
        assert_eq!(kinds(&said("a [[fault: end=0]]").1), ["1001"]);
        assert_eq!(kinds(&said("a [[fault: error-event=0]]").1), ["error", "1011"]);
    }

    #[test]
    fn what_is_no_event_is_told() {
        let mut conversation = Conversation::new(1, "gpt-realtime".into());
        for text in [
            "",
            "[]",
            "{}",
            r#"{"type":"nothing"}"#,
            r#"{"type":"session.update","session":{"model":"x"}}"#,
        ] {
            assert_eq!(kinds(&conversation.hear(text)), ["error"], "{text}");
        }
        assert_eq!(
            kinds(&conversation.hear(r#"{"type":"input_audio_buffer.commit"}"#)),
            ["error"]
        );
    }
}
