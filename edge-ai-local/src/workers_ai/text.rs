//! Text generation, in both of the dialects that Workers AI's models speak.

use serde_json::{Map, Value};

use super::catalog::{Dialect, Model, Task};
use super::error::Error;
use super::native;
use crate::call::Call;
use crate::generate::{Completion, Finish, Format, Prompt, Role, Turn, complete};
use crate::openai::encode::{Envelope, completion, stream};
use crate::reply::Reply;
use crate::{id, openai};

/// Tokens written when the request sets no `max_tokens`.
const MAX_TOKENS: usize = 256;

pub(super) fn answer(
    call: &Call<'_>,
    model: &Model,
    dialect: Dialect,
    reasons: bool,
    inputs: &Map<String, Value>,
) -> Result<Reply, Error> {
    let streams = match inputs.get("stream") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(streams)) => *streams,
        Some(_) => return Err(Error::input("Type mismatch of '/stream', expected 'boolean'")),
    };
    let prompt = prompt(model, dialect, reasons, inputs)?;
    if dialect == Dialect::Native {
        if streams && prompt.format != Format::Text {
            return Err(Error::input("JSON Mode does not support streaming"));
        }
        let done = complete(&prompt);
        return Ok(if streams {
            Reply::frames(native::stream(&done))
        } else {
            Reply::json(&native_json(&prompt, &done)?)
        });
    }
    let done = complete(&prompt);
    let envelope = envelope(model, call.number, call.app.clock.unix_s(), reasons);
    Ok(if streams {
        Reply::frames(stream(&done, &envelope))
    } else {
        Reply::json(&completion(&done, &envelope))
    })
}

/// Answers one request of a batch.
pub(super) fn once(model: &Model, inputs: &Map<String, Value>) -> Result<Value, Error> {
    let Task::Text { dialect, reasons } = model.task else {
        return Err(Error::no_model(model.id));
    };
    let prompt = prompt(model, dialect, reasons, inputs)?;
    let done = complete(&prompt);
    match dialect {
        Dialect::Native => native_json(&prompt, &done),
        Dialect::OpenAi => Ok(completion(&done, &envelope(model, 0, 0, reasons))),
    }
}

fn native_json(prompt: &Prompt, done: &Completion) -> Result<Value, Error> {
    let structured = prompt.format != Format::Text && done.tool_calls.is_empty();
    if structured && done.finish == Finish::Length {
        return Err(Error::json_mode());
    }
    Ok(native::response(done, structured))
}

fn envelope(model: &Model, number: u64, created: u64, reasons: bool) -> Envelope {
    Envelope {
        id: format!("chatcmpl-{}", id::uuid(number, "workers-ai completion")),
        model: model.id.to_owned(),
        created,
        number,
        choices: 1,
        logprobs: false,
        include_usage: true,
        shows_reasoning: reasons,
    }
}

fn prompt(
    model: &Model,
    dialect: Dialect,
    reasons: bool,
    inputs: &Map<String, Value>,
) -> Result<Prompt, Error> {
    check(model, dialect, inputs)?;
    let mut prompt = openai::prompt(inputs);
    if let (true, Some(text)) = (
        prompt.turns.is_empty(),
        inputs.get("prompt").and_then(Value::as_str),
    ) {
        prompt.turns.push(Turn::new(Role::User, text));
    }
    let thinks = inputs
        .get("chat_template_kwargs")
        .and_then(|k| k.get("enable_thinking"))
        != Some(&Value::Bool(false));
    prompt.reasoning = reasons && thinks;
    if dialect == Dialect::Native {
        prompt.max_tokens = prompt.max_tokens.or(Some(MAX_TOKENS));
    }
    let estimated = prompt.tokens() + prompt.max_tokens.unwrap_or(0);
    if estimated > model.context {
        return Err(Error::context(estimated, model.context));
    }
    Ok(prompt)
}

fn check(model: &Model, dialect: Dialect, inputs: &Map<String, Value>) -> Result<(), Error> {
    match (inputs.get("messages"), inputs.get("prompt")) {
        (Some(Value::Array(messages)), _) if messages.is_empty() => {
            Err(Error::input("Length of '/messages' must be >= 1"))
        }
        (Some(Value::Array(messages)), _) => messages
            .iter()
            .enumerate()
            .try_for_each(|(at, message)| self::message(model.sees, dialect, at, message)),
        (Some(_), _) => Err(Error::input("Type mismatch of '/messages', expected 'array'")),
        (None, Some(Value::String(text))) if text.is_empty() => {
            Err(Error::input("Length of '/prompt' must be >= 1"))
        }
        (None, Some(Value::String(_))) => Ok(()),
        (None, Some(_)) => Err(Error::input("Type mismatch of '/prompt', expected 'string'")),
        (None, None) => Err(Error::input(
            "oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt', required properties at '/' are \
             'messages'",
        )),
    }?;
    match inputs.get("max_tokens") {
        None | Some(Value::Null) => Ok(()),
        Some(value) if value.as_u64().is_some_and(|n| n > 0) => Ok(()),
        Some(_) => Err(Error::input("Type mismatch of '/max_tokens', expected 'integer'")),
    }
}

/// The native models' schema wants every content to be a string: not null beside tool calls and, unless the model sees, not a list
/// of parts.
fn message(sees: bool, dialect: Dialect, at: usize, message: &Value) -> Result<(), Error> {
    if message.get("role").and_then(Value::as_str).is_none() {
        return Err(Error::input(format!(
            "required properties at '/messages/{at}' are 'role,content'"
        )));
    }
    let got = match message.get("content") {
        Some(Value::String(_)) => return Ok(()),
        None => {
            return if dialect == Dialect::OpenAi && message.get("tool_calls").is_some() {
                Ok(())
            } else {
                Err(Error::input(format!(
                    "required properties at '/messages/{at}' are 'role,content'"
                )))
            };
        }
        Some(Value::Null) => "null",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
        Some(Value::Number(_)) => "number",
        Some(Value::Bool(_)) => "boolean",
    };
    if (dialect == Dialect::OpenAi && got == "null") || (sees && got == "array") {
        return Ok(());
    }
    let expected = "string";
    Err(Error::input(format!(
        "oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt', Type mismatch of \
         '/messages/{at}/content', '{got}' not in '{expected}'"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::catalog;
    use super::*;

    fn once(model: &str, inputs: Value) -> Result<Value, Error> {
        super::once(catalog::find(model).unwrap(), inputs.as_object().unwrap())
    }

    const LLAMA: &str = "@cf/meta/llama-3.3-70b-instruct-fp8-fast";
    const GPT_OSS: &str = "@cf/openai/gpt-oss-120b";

    #[test]
    fn an_empty_map_misses_the_required_properties() {
        let error = once(LLAMA, json!({})).unwrap_err();
        assert_eq!(error.code(), 5006);
        assert!(error.text().contains("required properties at '/' are 'prompt'"));
    }

    #[test]
    fn native_models_want_strings_and_the_others_do_not() {
        let parts =
            json!({ "messages": [{ "role": "user", "content": [{ "type": "text", "text": "hi" }] }] });
        assert!(
            once(LLAMA, parts.clone())
                .unwrap_err()
                .text()
                .contains("'array' not in 'string'")
        );
        assert!(once(GPT_OSS, parts).is_ok());
        let call = json!({ "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } });
        let null = json!({ "messages": [{ "role": "assistant", "content": null, "tool_calls": [call] }] });
        assert!(
            once(LLAMA, null)
                .unwrap_err()
                .text()
                .contains("'null' not in 'string'")
        );
    }

    #[test]
    fn each_dialect_has_its_shape() {
        let ask = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
        let native = once(LLAMA, ask.clone()).unwrap();
        assert!(native["response"].is_string() && native["usage"]["total_tokens"].is_u64());
        let openai = once(GPT_OSS, ask).unwrap();
        assert!(openai["choices"][0]["message"]["reasoning_content"].is_string());
        assert!(openai["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    }

    #[test]
    fn structured_output_is_an_object_or_an_error() {
        let schema =
            json!({ "type": "object", "required": ["city"], "properties": { "city": { "type": "string" } } });
        let mut ask = json!({ "prompt": "I live in Oslo", "response_format": { "type": "json_schema", "json_schema": schema } });
        assert_eq!(
            once(LLAMA, ask.clone()).unwrap()["response"],
            json!({ "city": "Oslo" })
        );
        ask["max_tokens"] = json!(2);
        assert_eq!(once(LLAMA, ask).unwrap_err().code(), 5024);
    }

    #[test]
    fn the_context_window_is_kept() {
        let error = once(LLAMA, json!({ "prompt": "word ".repeat(36000) })).unwrap_err();
        assert_eq!(error.code(), 5021);
        assert!(error.text().contains("(24000)"));
    }
}
