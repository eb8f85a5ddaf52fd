use edge_ai_core::FinishReason;

/// The reason for a response's status and the reason why it is incomplete.
pub(super) fn decode(status: &str, incomplete: Option<&str>, has_calls: bool) -> FinishReason {
    match (status, incomplete) {
        ("incomplete", Some("content_filter")) => FinishReason::ContentFilter,
        ("incomplete", _) => FinishReason::Length,
        ("completed" | "", _) if has_calls => FinishReason::ToolCalls,
        ("completed" | "", _) => FinishReason::Stop,
        // Of a response that the vendor goes on with in the background.
        (other, _) => FinishReason::Other(other.to_owned()),
    }
}

/// Why a response is incomplete; `None` for one that is complete.
pub(super) const fn incomplete(reason: &FinishReason) -> Option<&'static str> {
    match reason {
        FinishReason::Length | FinishReason::ContextWindow => Some("max_output_tokens"),
        FinishReason::ContentFilter | FinishReason::Refusal => Some("content_filter"),
        _ => None,
    }
}

/// The status of a response and of what was being written when it ended.
pub(super) const fn of(reason: &FinishReason) -> &'static str {
    if incomplete(reason).is_some() {
        "incomplete"
    } else {
        "completed"
    }
}
