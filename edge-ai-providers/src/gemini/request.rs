mod config;
mod contents;
mod google;
mod media;
mod part;
mod thinking;
mod tools;

use bytes::Bytes;
use edge_ai_core::{ChatInput, ChatRequest, Error, ErrorKind, Result};

use self::config::Format;
use self::contents::Contents;
use self::google::GoogleOptions;
use super::GENERATE;
use super::model::Accepts;
use crate::wire::write_object;

/// Writes the body of `models/{model}:generateContent`, which is that of `:streamGenerateContent` too: both name the model in the address.
///
/// A request that came in this dialect goes out as it came. Any other is translated:
///
/// - Instructions, wherever they stand, become `systemInstruction`. Neighbors of one role become one content, the results of functions come first
///   in theirs. A result that is a JSON object goes as it is, any other as `{"output": …}`, and that of a failed call as `{"error": …}`.
/// - Of thoughts only the signatures go back, to the parts on which they stood, and only Gemini's. A call that Gemini 3 did not make gets the
///   signature that tells it so, since it refuses a call without one.
/// - Pictures in base64 must be PNG, JPEG, WebP, HEIC or HEIF. Addresses go as `fileData`, and are for Google to fetch.
/// - [`ReasoningConfig`](edge_ai_core::ReasoningConfig): models with a budget get `max_tokens` within what they take, or for an effort 0 (`none`),
///   512 (`minimal`), 1,024 (`low`), 8,192 (`medium`) or 24,576 (`high` and beyond); later ones the level that the effort names, or that fits the
///   budget. Whoever asks for reasoning is shown the summaries of the thoughts.
/// - Sampling parameters are left out where the model ignores or refuses them, penalties always: most models refuse them. There is no switch for
///   one call at a time, and log probabilities are not asked for.
/// - A [`JsonSchema`](edge_ai_core::ResponseFormat::JsonSchema) becomes `responseJsonSchema`. A model that does not take it beside functions gets it
///   as an instruction, unless the request is strict.
/// - Fields of the dialect that came as unknown ones, such as `safetySettings`, go out as they are; those of `generationConfig` stand above what is
///   translated. So do `safety_settings`, `thinking_config` and `cached_content` in `extra_body.google`, where clients of Google's compatible
///   endpoint have them.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for what Gemini has no counterpart for, such as several choices, and
/// [`ErrorKind::InvalidRequest`] for what it would refuse; both name the field.
pub fn encode_generate_request(request: &ChatRequest) -> Result<Bytes> {
    if let Some(native) = request.input.native_in(&GENERATE) {
        return Ok(native.clone());
    }
    let input: &ChatInput = request;
    if input.choices.is_some_and(|choices| choices > 1) {
        let message = "Gemini's models give one answer for a request; ask again for more";
        return Err(Error::new(ErrorKind::Unsupported, message).with_param("n"));
    }
    let name = request.model.strip_prefix("models/").unwrap_or(&request.model);
    let accepts = Accepts::of(name);
    let format = Format::new(input, accepts)?;
    let contents = Contents::new(input, accepts)?;
    let google = GoogleOptions::of(&input.extra)?;
    let given = |name: &str| input.extra.get(&GENERATE, name).is_some();
    let body = write_object(|body| {
        contents.write(body, format.instruction.as_deref())?;
        tools::write(body, input)?;
        let config = config::write(input, accepts, &format, &google)?;
        if config != "{}" {
            body.raw("generationConfig", &config);
        }
        for (name, value) in google.top() {
            if !given(name) {
                body.raw(name, value);
            }
        }
        for (name, value) in input.extra.fields_for(&GENERATE) {
            if name != "generationConfig" {
                body.raw(name, value.get());
            }
        }
        Ok(())
    })?;
    Ok(body.into())
}
