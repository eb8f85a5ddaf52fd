//! `POST /v1/responses` and `POST /v1/responses/input_tokens`.

use serde_json::{Map, Value, json};

use super::error::Error;
use super::{check as chat_check, decode};
use crate::call::Call;
use crate::generate::complete;
use crate::id;
use crate::reply::Reply;
use encode::Envelope;

mod as_chat;
mod check;
mod encode;
mod seal;
mod stream;

pub(crate) use stream::error_frame;

pub(super) fn answer(call: &Call<'_>, body: &Map<String, Value>) -> Result<Reply, Error> {
    let model = chat_check::model(body)?;
    check::request(body, model)?;
    let done = complete(&decode::prompt(&as_chat::request(body)));
    let asks = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let envelope = Envelope {
        suffix: id::alphanumeric(call.number, "response", 32).to_lowercase(),
        model: model.to_owned(),
        created: call.app.clock.unix_s(),
        number: call.number,
        request: body.clone(),
    };
    if asks("stream") {
        Ok(Reply::frames(stream::events(&done, &envelope)))
    } else {
        Ok(Reply::json(&encode::response(&done, &envelope)))
    }
}

pub(super) fn count(body: &Map<String, Value>) -> Result<Reply, Error> {
    let model = chat_check::model(body)?;
    check::count(body, model)?;
    let tokens = decode::prompt(&as_chat::request(body)).tokens();
    Ok(Reply::json(
        &json!({ "object": "response.input_tokens", "input_tokens": tokens }),
    ))
}
