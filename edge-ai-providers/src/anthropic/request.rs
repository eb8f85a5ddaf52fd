mod block;
mod conversation;
mod thinking;
mod tools;

use bytes::Bytes;
use edge_ai_core::{ChatInput, ChatRequest, Error, ErrorKind, ResponseFormat, Result};

pub(crate) use self::block::Piece;
pub(crate) use self::conversation::{Conversation, Turn};
pub(crate) use self::thinking::Plan;
pub(crate) use self::tools::input_schema;
use super::MESSAGES;
use super::model::Accepts;
use super::schema::close_objects;
use crate::citation::is_foreign;
use crate::openai::end_user;
use crate::wire::{ObjectWriter, splice, write_object};

/// The `max_tokens` of requests that name none, thinking not counted; Anthropic demands one.
pub const DEFAULT_MAX_TOKENS: u32 = 4_096;

/// Writes the body of `POST /v1/messages`.
///
/// A request that came in this dialect goes out as it came, with the model and `stream` set. Any other is translated:
///
/// - Instructions, wherever they stand, become `system`. Neighbors of one role become one message, tool results come
///   first in theirs. Texts of white space alone are left out.
/// - Thoughts go back only with their signature, since Anthropic refuses others; what another vendor's model said in a form of
///   its own does not.
/// - `max_tokens` is `default_max_tokens` where the request has no limit, with room for thinking added, also where the model thinks
///   unasked.
/// - [`ReasoningConfig`](edge_ai_core::ReasoningConfig): models with a thinking budget get `max_tokens`, at least 1,024, or for an effort
///   1,024 (`minimal`), 2,048 (`low`), 8,192 (`medium`), 16,384 (`high`) or 24,576 (`xhigh`, `max`); within a limit of the whole
///   answer, a quarter stays for the answer itself. Models that think adaptively get the effort, `low` for `minimal` and the
///   one that fits for a budget. A thinking budget by effort is a wish: it is left out where Anthropic would refuse it, which is
///   with a forced tool, under a limit of 1,024 tokens, and after a tool call whose thoughts are not there.
/// - `temperature` is cut to Anthropic's 0 to 1: above 1 there is nothing that would match. Sampling parameters are left out
///   where the model refuses them: with thinking, `top_p` beside `temperature`, and on models that take none. Seeds and penalties are
///   left out, since Anthropic has none.
/// - A [`JsonSchema`](ResponseFormat::JsonSchema) becomes `output_config.format`, which the vendor enforces and which goes together
///   with tools, thinking and streams; a forced tool, the older way, goes with none of them. A model without it gets the schema as an
///   instruction, unless the request is strict. JSON without a schema is an instruction.
/// - Citations that another vendor's answer gave are left out, since Anthropic refuses them: a request with such is written anew.
/// - Cache marks (`cache_control`) are kept, also those that an OpenAI client sends.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for what Anthropic has no counterpart for, such as audio or several choices, and
/// [`ErrorKind::InvalidRequest`] for what it would refuse; both name the field.
pub fn encode_messages_request(
    request: &ChatRequest,
    stream: bool,
    default_max_tokens: u32,
) -> Result<Bytes> {
    let native = request.input.native_in(&MESSAGES);
    if let Some(native) = native.filter(|_| !request.input.any_part(is_foreign)) {
        let model = serde_json::Value::from(request.model.as_str()).to_string();
        return splice(
            native,
            &[("model", Some(&model)), ("stream", stream.then_some("true"))],
        );
    }
    let input: &ChatInput = request;
    if input.choices.is_some_and(|choices| choices > 1) {
        let message = "Anthropic gives one answer for a request; ask again for more";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("n"));
    }
    let accepts = Accepts::of(&request.model);
    let format = Format::new(input, accepts)?;
    let plan = Plan::new(input, accepts, default_max_tokens)?;
    let conversation = Conversation::new(input, &MESSAGES)?;
    let body = write_object(|body| {
        body.field("model", &request.model);
        body.field("max_tokens", plan.max_tokens);
        conversation.write_system(body, format.instruction.as_deref())?;
        conversation.write_messages(body)?;
        tools::write(body, input, accepts)?;
        // A client of this dialect says itself how to think, and that it says nothing means something, too.
        let says = |name| input.extra.get(&MESSAGES, name).is_some();
        let planned = !says("thinking") && !says("output_config");
        let effort = plan.effort.as_deref().filter(|_| planned);
        write_sampling(body, input, accepts.sampling && !(planned && plan.thinks()));
        write_stop(body, &input.stop)?;
        if planned {
            plan.write(body)?;
        }
        if !says("output_config") && (effort.is_some() || format.schema.is_some()) {
            body.object("output_config", |config| {
                config.optional("effort", effort);
                if let Some(schema) = &format.schema {
                    config.object("format", |format| {
                        format.field("type", "json_schema");
                        format.raw("schema", schema);
                        Ok(())
                    })?;
                }
                Ok(())
            })?;
        }
        if let (None, Some(user)) = (input.extra.get(&MESSAGES, "metadata"), end_user(&input.extra)) {
            body.object("metadata", |metadata| {
                metadata.field("user_id", user);
                Ok(())
            })?;
        }
        body.extra(&input.extra, &MESSAGES);
        if stream {
            body.field("stream", true);
        }
        Ok(())
    })?;
    Ok(body.into())
}

/// How the form of the answer is asked for.
#[derive(Default)]
struct Format {
    instruction: Option<String>,
    schema: Option<String>,
}

impl Format {
    fn new(input: &ChatInput, accepts: Accepts) -> Result<Self> {
        match &input.response_format {
            Some(ResponseFormat::JsonSchema { schema, .. }) if accepts.schemas => {
                let schema =
                    close_objects(schema.get()).map_err(|error| error.with_param("response_format"))?;
                Ok(Self {
                    schema: Some(schema),
                    ..Self::default()
                })
            }
            Some(ResponseFormat::JsonSchema {
                strict: Some(true), ..
            }) => Err(Error::new(
                ErrorKind::Unsupported,
                "this model does not enforce JSON schemas; take a newer one, or ask without `strict`",
            )
            .with_param("response_format")),
            Some(ResponseFormat::JsonSchema { schema, .. }) => Ok(Self::instruction(format!(
                "Answer with JSON that matches this JSON schema, and with nothing else:\n{}",
                schema.get()
            ))),
            Some(ResponseFormat::JsonObject) => Ok(Self::instruction(
                "Answer with one JSON object, and with nothing else.".to_owned(),
            )),
            _ => Ok(Self::default()),
        }
    }

    fn instruction(text: String) -> Self {
        Self {
            instruction: Some(text),
            ..Self::default()
        }
    }
}

/// A text of white space alone, such as a line feed, is refused by Anthropic; without it the answer would be another one. An empty one
/// stops nothing.
fn write_stop(body: &mut ObjectWriter<'_>, stop: &[String]) -> Result<()> {
    let blank = |text: &String| !text.is_empty() && text.trim().is_empty();
    if let Some(index) = stop.iter().position(blank) {
        let message = "Anthropic does not stop at white space; take a text with other characters";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param(format!("stop[{index}]")));
    }
    let stop: Vec<_> = stop.iter().filter(|text| !text.is_empty()).collect();
    if !stop.is_empty() {
        body.field("stop_sequences", stop);
    }
    Ok(())
}

fn write_sampling(body: &mut ObjectWriter<'_>, input: &ChatInput, accepted: bool) {
    if !accepted {
        return;
    }
    match input.temperature.filter(|temperature| temperature.is_finite()) {
        Some(temperature) => body.field("temperature", temperature.clamp(0.0, 1.0)),
        None => body.optional("top_p", input.top_p.filter(|top_p| top_p.is_finite())),
    }
    body.optional("top_k", input.top_k);
}
