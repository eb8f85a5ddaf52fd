use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;
use edge_ai_core::{ChatOutput, ChatResponse, Error, ErrorKind, Result, Verbatim};
use serde_json::value::RawValue;

use super::nested::rest;
use super::usage::UsageFields;
use super::{RESPONSES, error, item, status};
use crate::openai::error::error_in_body;
use crate::wire::{Fields, Path, elements};

/// Reads an answer.
///
/// Items of a kind that only this dialect knows are parts of the kind [`ContentPart::Other`](edge_ai_core::ContentPart::Other). A response
/// that the vendor goes on with in the background has its status as the reason to stop.
///
/// # Errors
/// [`ErrorKind::BadUpstream`] for a body that is no answer; the error in it, for one that failed.
pub fn decode_responses_response(body: Bytes) -> Result<ChatResponse> {
    let text = std::str::from_utf8(&body).map_err(|error| junk("it is not UTF-8").with_source(error))?;
    let output = output(text, Path::ROOT).map_err(|error| match error.kind() {
        ErrorKind::InvalidRequest if error.native().is_none() => {
            let place = error
                .param()
                .map(|param| format!("`{param}`: "))
                .unwrap_or_default();
            junk(format!("{place}{}", error.message())).with_source(error)
        }
        // An error in the place of an answer.
        _ => error,
    })?;
    Ok(Verbatim::new(output).with_native(RESPONSES, body))
}

fn junk(problem: impl Display) -> Error {
    Error::new(
        ErrorKind::BadUpstream,
        format!("the answer is not a response: {problem}"),
    )
}

/// What a response says, its head and its end included.
pub(super) fn output(text: &str, path: Path<'_>) -> Result<ChatOutput> {
    let mut fields = Fields::parse(text, path)?;
    if let Some(failure) = failure(&mut fields)? {
        return Err(failure);
    }
    let Some(items) = fields.take_raw("output") else {
        return Err(error_in_body(text).unwrap_or_else(|| junk("`output` is missing")));
    };
    let mut output = ChatOutput::default();
    output.id = fields.take("id")?.unwrap_or_default();
    output.model = fields.take("model")?.unwrap_or_default();
    let path = fields.path().field("output");
    for (index, text) in elements(items, &path)?.into_iter().enumerate() {
        item::output(text, path.index(index), &mut output.content)?;
    }
    let has_calls = output.tool_calls().next().is_some();
    let state: Cow<'_, str> = fields.take("status")?.unwrap_or_default();
    let reason = incomplete_reason(&mut fields)?;
    output.finish_reason = status::decode(&state, reason.as_deref(), has_calls);
    let usage: Option<UsageFields> = fields.take("usage")?;
    output.usage = usage.map(Into::into);
    fields.take_raw("object");
    fields.take_raw("output_text");
    output.extra = rest(fields);
    Ok(output)
}

/// The error of a response that failed.
pub(super) fn failure(fields: &mut Fields<'_>) -> Result<Option<Error>> {
    let failed = fields
        .peek::<Cow<'_, str>>("status")
        .is_some_and(|status| status == "failed");
    let cause: Option<&RawValue> = if fields.peek_raw("error").is_some_and(|text| text.starts_with('{')) {
        fields.take("error")?
    } else {
        None
    };
    Ok((failed || cause.is_some()).then(|| error::decode(cause)))
}

fn incomplete_reason(fields: &mut Fields<'_>) -> Result<Option<String>> {
    let Some(text) = fields.take_raw("incomplete_details") else {
        return Ok(None);
    };
    let path = fields.path().field("incomplete_details");
    Fields::parse(text, path)?.take("reason")
}
