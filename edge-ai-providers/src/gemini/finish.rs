use edge_ai_core::{Error, ErrorKind, FinishReason};

/// What a `finishReason` means (<https://ai.google.dev/api/generate-content#FinishReason>).
///
/// # Errors
/// [`ErrorKind::BadUpstream`] where the model failed to write an answer: it may be asked again.
/// [`ErrorKind::InvalidRequest`] for signatures that did not come back.
pub(super) fn finish_reason(
    reason: &str,
    message: Option<&str>,
    has_calls: bool,
) -> Result<FinishReason, Error> {
    let failed = |kind, words: &str| {
        let message = message.map(|more| format!(": {more}")).unwrap_or_default();
        Err(Error::new(kind, format!("{words} ({reason}){message}")).with_code(reason))
    };
    Ok(match reason {
        "STOP" if has_calls => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" => {
            return failed(
                ErrorKind::BadUpstream,
                "the model wrote a call of a tool that cannot be made",
            );
        }
        "MALFORMED_RESPONSE" => {
            return failed(
                ErrorKind::BadUpstream,
                "the model wrote an answer that does not read",
            );
        }
        "MISSING_THOUGHT_SIGNATURE" => {
            return failed(
                ErrorKind::InvalidRequest,
                "a call of a tool came back without its thought signature",
            );
        }
        other => FinishReason::Other(other.to_ascii_lowercase()),
    })
}

/// The error of a prompt that was not answered
/// (<https://ai.google.dev/api/generate-content#BlockReason>).
pub(super) fn blocked(reason: &str, message: Option<&str>) -> Error {
    let more = message.map(|more| format!(": {more}")).unwrap_or_default();
    Error::new(
        ErrorKind::ContentFiltered,
        format!("Gemini's filter blocked the prompt ({reason}){more}"),
    )
    .with_code(reason)
}
