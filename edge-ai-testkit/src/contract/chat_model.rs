//! The contract of [`ChatModel`](edge_ai_core::ChatModel).

mod faults;
mod giving_up;
mod refusals;
mod streams;
mod structured;
mod subject;
mod text;
mod tools;

#[cfg(test)]
mod tests;

pub use subject::{ChatModelSubject, Fault};

use crate::Case;
use crate::case::cases;

/// The cases.
pub fn cases() -> Vec<Case<ChatModelSubject>> {
    cases![
        text::a_question_is_answered_with_text,
        text::a_conversation_goes_on,
        text::a_simple_answer_stops_by_itself,
        text::the_answer_names_its_model,
        text::usage_is_told_and_consistent,
        text::the_output_stays_within_its_limit,
        text::a_stop_text_ends_the_answer_or_is_refused,
        text::requests_do_not_touch_each_other,
        streams::the_last_event_is_done,
        streams::a_stream_accumulates_to_the_answer,
        streams::a_stream_tells_its_usage,
        streams::streams_do_not_touch_each_other,
        tools::a_tool_makes_a_round_trip,
        tools::a_required_tool_is_called,
        tools::a_named_tool_is_called,
        tools::no_tool_is_called_when_none_may_be,
        tools::a_streamed_call_accumulates_to_the_same_call,
        tools::a_call_has_an_id_of_its_own,
        structured::an_answer_fits_its_schema,
        structured::a_streamed_answer_fits_its_schema,
        refusals::an_unknown_model_is_not_found,
        refusals::no_messages_are_an_invalid_request,
        refusals::tools_are_refused_by_a_model_without_them,
        refusals::an_image_is_refused_by_a_model_that_sees_none,
        refusals::a_schema_is_refused_by_a_model_without_them,
        giving_up::a_dropped_stream_is_given_up,
        giving_up::a_dropped_call_is_given_up,
        faults::a_rate_limit_tells_when_to_come_back,
        faults::a_rate_limited_stream_fails_at_the_call,
        faults::a_failing_vendor_may_be_retried,
        faults::a_wrong_key_is_an_authentication_error,
        faults::a_cut_stream_is_interrupted,
        faults::a_stream_without_its_end_mark_is_interrupted,
        faults::an_error_within_a_stream_ends_it,
        faults::a_malformed_frame_is_a_bad_upstream,
        faults::an_answer_that_is_none_is_a_bad_upstream,
    ]
}
