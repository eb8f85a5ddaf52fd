use bytes::Bytes;
use edge_ai_core::{ChatInput, Error, ErrorKind, ResponseFormat, Result};

use super::google::GoogleOptions;
use super::thinking;
use crate::gemini::GENERATE;
use crate::gemini::model::Accepts;
use crate::wire::{Fields, Path, splice, write_object};

/// The most stop texts that Gemini takes (<https://ai.google.dev/api/generate-content#generationconfig>).
const MAX_STOPS: usize = 5;

/// How the form of the answer is asked for.
#[derive(Debug, Default)]
pub(super) struct Format<'a> {
    pub(super) instruction: Option<String>,
    json: bool,
    schema: Option<&'a str>,
}

impl<'a> Format<'a> {
    pub(super) fn new(input: &'a ChatInput, accepts: Accepts) -> Result<Self> {
        let beside_tools = !input.tools.is_empty() && !accepts.schema_with_tools;
        let instruction = |text: String| Self {
            instruction: Some(text),
            ..Self::default()
        };
        Ok(match &input.response_format {
            Some(ResponseFormat::JsonSchema {
                strict: Some(true), ..
            }) if beside_tools => {
                let message =
                    "this model enforces no JSON schema beside tools; take Gemini 3, or ask without `strict`";
                return Err(Error::new(ErrorKind::Unsupported, message).with_param("response_format"));
            }
            Some(ResponseFormat::JsonSchema { schema, .. }) if beside_tools => instruction(format!(
                "Answer with JSON that matches this JSON schema, and with nothing else:\n{}",
                schema.get()
            )),
            Some(ResponseFormat::JsonObject) if beside_tools => {
                instruction("Answer with one JSON object, and with nothing else.".to_owned())
            }
            Some(ResponseFormat::JsonSchema { schema, .. }) => Self {
                json: true,
                schema: Some(schema.get()),
                ..Self::default()
            },
            Some(ResponseFormat::JsonObject) => Self {
                json: true,
                ..Self::default()
            },
            _ => Self::default(),
        })
    }
}

/// The text of `generationConfig`.
pub(super) fn write(
    input: &ChatInput,
    accepts: Accepts,
    format: &Format<'_>,
    google: &GoogleOptions<'_>,
) -> Result<String> {
    let stop: Vec<_> = input.stop.iter().filter(|text| !text.is_empty()).collect();
    if stop.len() > MAX_STOPS {
        let message = format!(
            "Gemini stops at {MAX_STOPS} texts at most, {} are given",
            stop.len()
        );
        return Err(Error::invalid("stop", message));
    }
    let config = write_object(|config| {
        config.optional("maxOutputTokens", input.max_output_tokens);
        if accepts.sampling {
            let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
            config.optional("temperature", finite(input.temperature));
            config.optional("topP", finite(input.top_p));
            config.optional("topK", input.top_k);
        }
        // A number of 32 bits.
        config.optional("seed", input.seed.and_then(|seed| i32::try_from(seed).ok()));
        if !stop.is_empty() {
            config.field("stopSequences", &stop);
        }
        if format.json {
            config.field("responseMimeType", "application/json");
        }
        if let Some(schema) = format.schema {
            config.raw("responseJsonSchema", schema);
        }
        match google.thinking_config {
            Some(own) => config.raw("thinkingConfig", own),
            None => thinking::write(config, input, accepts)?,
        }
        Ok(())
    })?;
    let config = match input.extra.get(&GENERATE, "generationConfig") {
        None => config,
        Some(own) => {
            let own = Fields::parse(own.get(), Path::ROOT)?;
            let own: Vec<_> = own.into_entries().collect();
            let changes: Vec<_> = own.iter().map(|(name, value)| (&**name, Some(*value))).collect();
            splice(&Bytes::from(config), &changes)?.into()
        }
    };
    Ok(String::from_utf8_lossy(&config).into_owned())
}
