//! An answer of a conversation, event by event.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::decode;
use crate::generate::{Completion, complete, tokens};
use crate::id;
use crate::json::set;

/// An answer under way.
#[derive(Debug)]
pub(super) struct Turn {
    number: u64,
    done: Completion,
    /// Whether it is spoken.
    spoken: bool,
    /// What was heard, in tokens.
    sound: u64,
    /// What has been read before, in tokens.
    cached: u64,
}

impl Turn {
    /// Answers the items with the session's settings, and with those of the answer itself.
    pub(super) fn take(
        number: u64,
        session: &Map<String, Value>,
        own: Option<&Value>,
        items: &[Value],
    ) -> Self {
        let setting = |name: &str| own.and_then(|own| own.get(name)).or_else(|| session.get(name));
        let modalities = setting("output_modalities").and_then(Value::as_array);
        let spoken = modalities.is_some_and(|modalities| modalities.iter().any(|one| one == "audio"));
        let chat = chat(
            setting("instructions"),
            setting("tools"),
            setting("tool_choice"),
            items,
        );
        let sound = items
            .iter()
            .flat_map(content)
            .filter_map(|part| part.get("tokens")?.as_u64())
            .sum();
        let before = items
            .iter()
            .rposition(|item| item.get("role").is_some_and(|role| role == "assistant"));
        let read = items.get(..before.map_or(0, |at| at + 1)).unwrap_or_default();
        let cached = read
            .iter()
            .flat_map(content)
            .filter_map(text)
            .map(|text| tokens::count(text) as u64)
            .sum();
        Self {
            number,
            done: complete(&decode::prompt(&chat)),
            spoken,
            sound,
            cached,
        }
    }

    /// What the conversation has of it.
    pub(super) fn item(&self) -> Value {
        let id = |purpose| id::alphanumeric(self.number, purpose, 21);
        match self.done.tool_calls.first() {
            Some(call) => json!({ "id": format!("item_{}", id("realtime call")), "object": "realtime.item",
                "type": "function_call", "status": "completed", "call_id": format!("call_{}", id("realtime function")),
                "name": call.name, "arguments": call.arguments.to_string() }),
            None => json!({ "id": format!("item_{}", id("realtime message")), "object": "realtime.item",
                "type": "message", "status": "completed", "role": "assistant", "content": [self.part(&self.done.text)] }),
        }
    }

    pub(super) fn events(&self) -> Vec<(&'static str, Value)> {
        let response_id = format!("resp_{}", id::alphanumeric(self.number, "realtime response", 21));
        let response = |status: &str, output: Value, usage: Value| {
            json!({ "response": { "id": response_id, "object": "realtime.response", "status": status,
                "status_details": null, "output": output, "usage": usage,
                "output_modalities": [if self.spoken { "audio" } else { "text" }] } })
        };
        let item = self.item();
        let at = |fields: Value| {
            let mut all = json!({ "response_id": response_id, "item_id": item.get("id"), "output_index": 0 });
            if let (Value::Object(all), Value::Object(fields)) = (&mut all, fields) {
                all.extend(fields);
            }
            all
        };
        let whole = json!({ "response_id": response_id, "output_index": 0, "item": item });
        let mut events = vec![
            (
                "response.created",
                response("in_progress", json!([]), Value::Null),
            ),
            ("response.output_item.added", whole.clone()),
        ];
        match self.done.tool_calls.first() {
            Some(call) => {
                let arguments = call.arguments.to_string();
                let of_call = |fields: Value| {
                    let mut all = at(fields);
                    set(
                        &mut all,
                        "call_id",
                        item.get("call_id").cloned().unwrap_or_default(),
                    );
                    all
                };
                for piece in tokens::pieces(&arguments) {
                    events.push((
                        "response.function_call_arguments.delta",
                        of_call(json!({ "delta": piece })),
                    ));
                }
                let all = json!({ "name": call.name, "arguments": arguments });
                events.push(("response.function_call_arguments.done", of_call(all)));
            }
            None => self.say(&mut events, &at),
        }
        events.push(("response.output_item.done", whole));
        events.push((
            "response.done",
            response("completed", json!([item]), self.usage()),
        ));
        events
    }

    fn say(&self, events: &mut Vec<(&'static str, Value)>, at: &dyn Fn(Value) -> Value) {
        let part = |fields: Value| {
            let mut all = at(fields);
            set(&mut all, "content_index", 0);
            all
        };
        let (delta, done, field) = match self.spoken {
            true => (
                "response.output_audio_transcript.delta",
                "response.output_audio_transcript.done",
                "transcript",
            ),
            false => ("response.output_text.delta", "response.output_text.done", "text"),
        };
        events.push((
            "response.content_part.added",
            part(json!({ "part": self.part("") })),
        ));
        for piece in tokens::pieces(&self.done.text) {
            events.push((delta, part(json!({ "delta": piece }))));
            if self.spoken {
                // A hundredth of a second of silence.
                let sound = STANDARD.encode([0; 480]);
                events.push(("response.output_audio.delta", part(json!({ "delta": sound }))));
            }
        }
        events.push((done, part(json!({ field: self.done.text }))));
        if self.spoken {
            events.push(("response.output_audio.done", part(json!({}))));
        }
        events.push((
            "response.content_part.done",
            part(json!({ "part": self.part(&self.done.text) })),
        ));
    }

    fn part(&self, text: &str) -> Value {
        match self.spoken {
            true => json!({ "type": "output_audio", "transcript": text }),
            false => json!({ "type": "output_text", "text": text }),
        }
    }

    /// What is spoken takes as many tokens of sound as its text has.
    fn usage(&self) -> Value {
        let text = self.done.usage.input as u64;
        let output = self.done.usage.output as u64;
        let spoken = if self.spoken && self.done.tool_calls.is_empty() {
            output
        } else {
            0
        };
        let cached = self.cached.min(text);
        json!({
            "total_tokens": text + self.sound + output + spoken,
            "input_tokens": text + self.sound,
            "output_tokens": output + spoken,
            "input_token_details": { "text_tokens": text, "audio_tokens": self.sound, "image_tokens": 0,
                "cached_tokens": cached,
                "cached_tokens_details": { "text_tokens": cached, "audio_tokens": 0, "image_tokens": 0 } },
            "output_token_details": { "text_tokens": output, "audio_tokens": spoken },
        })
    }
}

/// The last text that a user has said.
pub(super) fn said(items: &[Value]) -> Option<String> {
    let user = items
        .iter()
        .rev()
        .find(|item| item.get("role").is_some_and(|role| role == "user"))?;
    Some(content(user).filter_map(text).collect())
}

fn content(item: &Value) -> impl Iterator<Item = &Value> {
    item.get("content")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text(part: &Value) -> Option<&str> {
    part.get("text").or_else(|| part.get("transcript"))?.as_str()
}

/// The conversation in the words of chat completions, which the generator's prompt is read from.
fn chat(
    instructions: Option<&Value>,
    tools: Option<&Value>,
    choice: Option<&Value>,
    items: &[Value],
) -> Map<String, Value> {
    let mut messages = vec![json!({ "role": "system", "content": instructions })];
    for item in items {
        let field = |name: &str| item.get(name).cloned().unwrap_or_default();
        let said = || content(item).filter_map(text).collect::<String>();
        messages.push(match item.get("type").and_then(Value::as_str) {
            Some("function_call") => json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": field("call_id"),
                "type": "function", "function": { "name": field("name"), "arguments": field("arguments") } }] }),
            Some("function_call_output") => {
                json!({ "role": "tool", "tool_call_id": field("call_id"), "content": field("output") })
            }
            _ => json!({ "role": field("role"), "content": said() }),
        });
    }
    let tools = tools.and_then(Value::as_array).into_iter().flatten();
    let tools: Vec<Value> = tools
        .map(|tool| json!({ "type": "function", "function": tool }))
        .collect();
    let mut chat = Map::new();
    chat.insert("messages".into(), messages.into());
    chat.insert("tools".into(), tools.into());
    if let Some(choice) = choice {
        chat.insert("tool_choice".into(), choice.clone());
    }
    chat
}
