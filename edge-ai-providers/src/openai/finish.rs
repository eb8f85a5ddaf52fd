use std::borrow::Cow;

use edge_ai_core::FinishReason;

/// The reason for OpenAI's word. An answer with calls waits for their results, also where the word is `stop`: with Gemini always, with
/// OpenAI when the request forces a function.
pub(super) fn decode_finish_reason(reason: &str, has_calls: bool) -> FinishReason {
    match reason {
        "stop" if has_calls => FinishReason::ToolCalls,
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// OpenAI's word for the reason.
pub(super) fn encode_finish_reason(reason: &FinishReason) -> Cow<'_, str> {
    Cow::Borrowed(match reason {
        FinishReason::Length | FinishReason::ContextWindow => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter | FinishReason::Refusal => "content_filter",
        FinishReason::Other(reason) => reason,
        // Among them a pause and a stop text, for which there is no other word.
        _ => "stop",
    })
}
