//! `POST /model/{model}/converse` and `/converse-stream`.

use serde_json::{Map, Value};

use super::encode::{self, Envelope};
use super::error::Error;
use super::translate;
use crate::anthropic::{check, decode};
use crate::call::Call;
use crate::generate::complete;
use crate::reply::Reply;

pub(super) fn answer(
    call: &Call<'_>,
    model: &str,
    body: &Map<String, Value>,
    stream: bool,
) -> Result<Reply, Error> {
    let request = translate::request(body)?;
    check::request(&request, false).map_err(|error| Error::invalid(error.message()))?;
    let done = complete(&decode::prompt(&request));
    let now = call.app.clock.unix_ms();
    let cached = call
        .app
        .prompt_cache
        .charge("bedrock", model, &request, done.usage.input, now);
    let envelope = Envelope {
        number: call.number,
        cached,
    };
    if stream {
        Ok(Reply::frames(encode::events(&done, &envelope)))
    } else {
        Ok(Reply::json(&encode::message(&done, &envelope)))
    }
}
