use edge_ai_core::FinishReason;

/// Reasons of Anthropic's that the vocabulary has no word for.
const OWN: [&str; 1] = ["compaction"];

/// Anthropic's word for why an answer stopped.
///
/// Clients run tools when it is `tool_use` and only then: it says so exactly where there are `calls`, whatever word the
/// vendor has for a finished turn. What the model said in `refused` words is a refusal.
pub(super) fn encode_stop_reason(reason: Option<&FinishReason>, calls: bool, refused: bool) -> &str {
    let finished = if calls {
        "tool_use"
    } else if refused {
        "refusal"
    } else {
        "end_turn"
    };
    match reason {
        Some(FinishReason::StopSequence) => "stop_sequence",
        Some(FinishReason::Length) => "max_tokens",
        Some(FinishReason::ContentFilter | FinishReason::Refusal) => "refusal",
        Some(FinishReason::Pause) => "pause_turn",
        Some(FinishReason::ContextWindow) => "model_context_window_exceeded",
        Some(FinishReason::Other(reason)) if OWN.contains(&reason.as_str()) => reason,
        _ => finished,
    }
}
