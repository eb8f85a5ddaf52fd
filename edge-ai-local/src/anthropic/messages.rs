//! `POST /v1/messages`.

use serde_json::{Map, Value};

use super::encode::{Envelope, events, message};
use super::error::Error;
use super::{check, decode};
use crate::call::Call;
use crate::generate::complete;
use crate::id;
use crate::reply::Reply;

pub(super) fn answer(call: &Call<'_>, body: &Map<String, Value>) -> Result<Reply, Error> {
    let model = check::model(body)?;
    check::max_tokens(body)?;
    check::request(body, super::takes_system_messages(call))?;
    let done = complete(&decode::prompt(body));
    let display = body.get("thinking").and_then(|thinking| thinking.get("display"));
    let key = call
        .header("x-api-key")
        .or(call.header("authorization"))
        .unwrap_or_default();
    let cached = call
        .app
        .prompt_cache
        .charge(key, model, body, done.usage.input, call.app.clock.unix_ms());
    let envelope = Envelope {
        id: format!("msg_01{}", id::alphanumeric(call.number, "anthropic message", 22)),
        model: model.to_owned(),
        number: call.number,
        cached,
        shows_thinking: display.is_none_or(|display| display != "omitted"),
    };
    if body.get("stream") == Some(&Value::Bool(true)) {
        Ok(Reply::frames(events(&done, &envelope)))
    } else {
        Ok(Reply::json(&message(&done, &envelope)))
    }
}
