//! The dialects as their vendors describe them, written and read by nothing of the code under test.

mod chat;
mod converse;
mod gemini;
mod messages;
mod responses;
mod workers_ai;

use std::fmt::Debug;

use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) use chat::Chat;
pub(crate) use converse::Converse;
pub(crate) use gemini::Gemini;
pub(crate) use messages::Messages;
pub(crate) use responses::Responses;
pub(crate) use workers_ai::{WorkersAi, WorkersAiChat};

use super::ask::Ask;
use super::feature::Feature;
use super::told::Told;

/// What is the client's side of a dialect.
pub(crate) trait Client: Debug + Sync {
    fn title(&self) -> &'static str;
    fn path(&self) -> &'static str;
    /// A request, without model and `stream`; `None` where the dialect has no words for the feature.
    fn request(&self, feature: Feature, ask: &Ask) -> Option<Value>;
    /// What an answer says.
    fn hear(&self, answer: &Value) -> Told;
    /// The answer that a stream's events amount to, and whether its text came in pieces.
    fn collect(&self, events: &[Value]) -> Result<(Value, bool), String>;
    /// The request that goes on after an answer with one call, its result added.
    fn go_on(&self, request: &Value, answer: &Value) -> Value;
    /// The field that an error names.
    fn field(&self, error: &Value) -> Option<String>;
    /// Whether it is the error that clients of the dialect expect with the status.
    fn is_error(&self, status: u16, error: &Value) -> bool;
}

/// What is the vendor's side of a dialect.
pub(crate) trait Server: Debug + Sync {
    fn title(&self) -> &'static str;
    /// What a request asks.
    fn read(&self, body: &Value) -> Ask;
    /// `None` where the dialect has no words for the feature; it says why.
    fn lacks(&self, feature: Feature) -> Option<&'static str>;
    fn answer(&self, told: &Told) -> Value;
    /// The stream's pieces; the last is its end mark.
    fn stream(&self, told: &Told) -> Vec<Bytes>;
    fn media_type(&self) -> &'static str {
        "text/event-stream"
    }
    fn error(&self, status: u16) -> Value;
    /// An error in the place of the rest of a stream.
    fn error_event(&self) -> Bytes;
}

/// An event of a stream.
fn data(value: &Value) -> Bytes {
    format!("data: {value}\n\n").into()
}

/// A text in two pieces.
fn halves(text: &str) -> [&str; 2] {
    text.split_at(text.len() / 2).into()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The JSON in a text.
fn parsed(value: &Value) -> Value {
    serde_json::from_str(value.as_str().unwrap_or("null")).unwrap_or(Value::Null)
}

/// Sets what is there.
fn set<T: Into<Value>>(object: &mut Value, name: &str, value: Option<T>) {
    if let Some(value) = value {
        object[name] = value.into();
    }
}

/// A text with the end of what may be cached.
fn marked(block: &mut Value, mark: bool) {
    if mark {
        block["cache_control"] = json!({"type": "ephemeral"});
    }
}

/// Whether any object in it has the field.
fn anywhere(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| key == name || anywhere(value, name)),
        Value::Array(items) => items.iter().any(|item| anywhere(item, name)),
        _ => false,
    }
}
