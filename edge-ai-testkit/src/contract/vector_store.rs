//! The contract of [`VectorStore`](edge_ai_core::VectorStore)(edge_ai_core::VectorStore).

mod filters;
mod limits;
mod queries;
mod subject;
mod writes;

pub use subject::{FILTERED_FIELDS, VectorStoreSubject};

use crate::Case;
use crate::case::cases;

/// The cases.
pub fn cases() -> Vec<Case<VectorStoreSubject>> {
    cases![
        writes::what_was_kept_is_got,
        writes::values_are_kept_as_they_are,
        writes::an_upsert_replaces_the_whole_record,
        writes::of_equal_ids_in_one_call_the_last_counts,
        writes::unknown_ids_are_left_out,
        writes::a_deleted_record_is_gone,
        writes::deleting_an_unknown_id_is_fine,
        writes::a_deleted_id_can_be_used_again,
        writes::no_service_cap_reaches_the_caller,
        writes::nothing_to_do_is_fine,
        writes::a_mutation_says_whether_to_wait,
        writes::info_counts_the_records,
        queries::an_empty_namespace_has_no_match,
        queries::matches_come_nearest_first,
        queries::scores_are_those_of_the_metric,
        queries::there_are_at_most_top_k_matches,
        queries::a_namespace_keeps_records_apart,
        queries::without_a_namespace_all_are_searched,
        queries::a_replaced_vector_is_found_at_its_new_place,
        queries::values_come_only_when_asked_for,
        queries::metadata_comes_as_far_as_asked_for,
        queries::a_match_tells_its_namespace,
        filters::equality,
        filters::order,
        filters::membership,
        filters::missing_fields,
        filters::nested_fields,
        filters::all_conditions_count,
        filters::every_condition_on_one_field_counts,
        filters::a_filter_comes_before_top_k,
        filters::a_filter_stays_within_its_namespace,
        limits::a_vector_of_another_length_is_refused,
        limits::a_value_that_is_not_finite_is_refused,
        limits::a_bad_record_keeps_the_others_out,
        limits::an_empty_id_is_refused,
        limits::an_id_over_the_limit_is_refused,
        limits::metadata_over_the_limit_is_refused,
        limits::a_top_k_of_zero_is_refused,
        limits::a_top_k_over_the_most_is_unsupported,
        limits::the_most_matches_are_served,
    ]
}
