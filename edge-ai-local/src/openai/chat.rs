//! `POST /v1/chat/completions`.

use serde_json::{Map, Value};

use super::encode::{Envelope, completion, stream};
use super::error::Error;
use super::{check, decode};
use crate::call::Call;
use crate::generate::complete;
use crate::id;
use crate::reply::Reply;

pub(super) fn answer(call: &Call<'_>, body: &Map<String, Value>) -> Result<Reply, Error> {
    let model = check::model(body)?;
    check::request(body, model)?;
    let done = complete(&decode::prompt(body));
    let flag = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(false);
    let envelope = Envelope {
        id: format!(
            "chatcmpl-{}",
            id::alphanumeric(call.number, "chat completion", 29)
        ),
        model: model.to_owned(),
        created: call.app.clock.unix_s(),
        number: call.number,
        choices: body.get("n").and_then(Value::as_u64).unwrap_or(1) as usize,
        logprobs: flag(body.get("logprobs")),
        include_usage: flag(
            body.get("stream_options")
                .and_then(|options| options.get("include_usage")),
        ),
        shows_reasoning: false,
    };
    if flag(body.get("stream")) {
        Ok(Reply::frames(stream(&done, &envelope)))
    } else {
        Ok(Reply::json(&completion(&done, &envelope)))
    }
}
