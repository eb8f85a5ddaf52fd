//! The contract of [`KeywordStore`](edge_ai_core::KeywordStore).

mod filters;
mod searches;
mod subject;
mod writes;

pub use subject::KeywordStoreSubject;

use crate::Case;
use crate::case::cases;

/// The cases.
pub fn cases() -> Vec<Case<KeywordStoreSubject>> {
    cases![
        writes::a_kept_record_is_found_by_its_words,
        writes::an_upsert_replaces_the_whole_record,
        writes::of_equal_ids_in_one_call_the_last_counts,
        writes::a_deleted_record_is_gone,
        writes::deleting_an_unknown_id_is_fine,
        writes::a_deleted_id_can_be_used_again,
        writes::a_record_may_move_to_another_namespace,
        writes::no_service_cap_reaches_the_caller,
        writes::nothing_to_do_is_fine,
        writes::ids_and_texts_may_be_any_text,
        writes::a_bad_record_keeps_the_others_out,
        writes::count_counts_the_records,
        searches::an_empty_namespace_has_no_match,
        searches::more_of_the_words_rank_higher,
        searches::scores_fall_and_are_over_zero,
        searches::a_title_is_searched_and_counts_more,
        searches::a_word_said_twice_counts_twice,
        searches::all_words_or_any,
        searches::there_are_at_most_top_k_matches,
        searches::a_top_k_of_zero_is_refused,
        searches::case_and_accents_do_not_count,
        searches::words_are_found_by_their_stems,
        searches::parts_of_words_are_found,
        searches::scripts_without_spaces_are_searched,
        searches::a_namespace_keeps_records_apart,
        searches::without_a_namespace_all_are_searched,
        searches::no_text_is_an_error,
        searches::a_question_of_stop_words_is_answered,
        filters::equality,
        filters::order,
        filters::membership,
        filters::missing_fields,
        filters::nested_fields,
        filters::types_are_told_apart,
        filters::every_condition_counts,
        filters::a_filter_comes_before_top_k,
        filters::a_long_list_is_one_condition,
    ]
}
