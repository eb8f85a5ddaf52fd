//! `:generateContent` and `:streamGenerateContent`.

use serde_json::{Map, Value};

use super::encode::{Envelope, chunks, whole};
use super::error::Error;
use super::model::generation;
use super::{check, decode, response_id};
use crate::call::Call;
use crate::generate::complete;
use crate::reply::Reply;

/// Words on which the filter blocks a prompt, for tests of what comes of it.
const BLOCKED: &str = "[[blocked]]";

pub(super) fn answer(
    call: &Call<'_>,
    model: &str,
    body: &Map<String, Value>,
    stream: bool,
) -> Result<Reply, Error> {
    let generation = generation(model);
    check::request(body, generation)?;
    let prompt = decode::prompt(body);
    let blocked = prompt.last_user().is_some_and(|turn| turn.text.contains(BLOCKED));
    let envelope = Envelope {
        id: response_id(call),
        model: model.to_owned(),
        number: call.number,
        third: generation.third,
        shows_thoughts: decode::shows_thoughts(body),
    };
    let done = (!blocked).then(|| complete(&prompt));
    Ok(match (done, stream) {
        (Some(done), true) => Reply::frames(chunks(&done, &envelope)),
        (Some(done), false) => Reply::json(&whole(&done, &envelope)),
        (None, true) => Reply::frames(vec![crate::reply::Frame::data(envelope.blocked(&prompt))]),
        (None, false) => Reply::json(&envelope.blocked(&prompt)),
    })
}
