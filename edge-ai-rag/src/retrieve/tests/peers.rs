//! What other libraries get wrong, each by its name: rig-vectorize, LangChain.js and langchain-cloudflare.

use edge_ai_core::{Comparison, Filter, ReturnMetadata};
use serde_json::json;

use super::*;

#[test]
fn the_score_direction_of_euclidean_and_dot_product_is_theirs() {
    for metric in [Metric::Cosine, Metric::Euclidean, Metric::DotProduct] {
        let index = handbook(metric);
        for mode in [SearchMode::Dense, SearchMode::Hybrid] {
            let found = find(
                &index.retriever(),
                "sick leave needs a note",
                RetrievalOptions::new(3).mode(mode),
            );
            assert_eq!(
                texts(&found)[0],
                "sick leave needs a note ",
                "{metric:?} {mode:?}"
            );
            assert!(found.chunks.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }
    }
}

#[test]
fn a_threshold_compares_in_the_metrics_direction() {
    // The question is one text word for word: its distance is 0, its cosine 1.
    let near = |metric, threshold| {
        let options = RetrievalOptions::new(3)
            .mode(SearchMode::Dense)
            .threshold(Threshold::default().dense(threshold));
        find(&handbook(metric).retriever(), "sick leave needs a note", options)
            .chunks
            .len()
    };
    assert_eq!(near(Metric::Cosine, 0.999), 1);
    assert_eq!(near(Metric::Euclidean, 0.01), 1);
    assert_eq!(near(Metric::DotProduct, -0.999), 1);
    assert_eq!(near(Metric::Euclidean, 100.0), 3);
}

#[test]
fn top_k_is_never_ignored() {
    let index = Index::new(Metric::Cosine);
    let many: Vec<String> = (0..120).map(|number| format!("leave number {number} ")).collect();
    index.add(
        &namespace(),
        "many",
        &many.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let retriever = index.retriever();
    for (mode, top_k) in [
        (SearchMode::Dense, 1),
        (SearchMode::Dense, 7),
        (SearchMode::Dense, 100),
        (SearchMode::Keyword, 110),
    ] {
        let found = find(&retriever, "leave", RetrievalOptions::new(top_k).mode(mode));
        assert_eq!(found.chunks.len(), top_k);
    }
    // More than the store gives is said, not cut.
    let error = refused(
        &retriever,
        "leave",
        RetrievalOptions::new(101).mode(SearchMode::Dense),
    );
    assert_eq!(
        (error.kind(), error.param()),
        (ErrorKind::Unsupported, Some("top_k"))
    );
    assert!(error.message().contains("100") && error.message().contains("101"));
    for top_k in [0, 1_001] {
        assert_eq!(
            refused(&retriever, "leave", RetrievalOptions::new(top_k)).param(),
            Some("top_k")
        );
    }
}

#[test]
fn the_namespace_is_honored_by_both_searches_and_the_rows() {
    let index = handbook(Metric::Cosine);
    let other = Namespace::of(Some("rival"), Some("docs"));
    index.add(&other, "secret", &["days of leave are secret "]);
    for mode in [SearchMode::Dense, SearchMode::Keyword, SearchMode::Hybrid] {
        let found = find(
            &index.retriever(),
            "days of leave",
            RetrievalOptions::new(10).mode(mode),
        );
        assert!(
            found
                .chunks
                .iter()
                .all(|one| one.chunk.document.as_str() == "handbook"),
            "{mode:?}"
        );
        assert!(!found.chunks.is_empty());
    }
    let asked = index.vectors.asked.lock().unwrap();
    assert!(
        asked
            .iter()
            .all(|query| query.namespace.as_deref() == Some("t/acme/docs"))
    );
    let asked = index.words.asked.lock().unwrap();
    assert!(
        asked
            .iter()
            .all(|query| query.namespace.as_deref() == Some("t/acme/docs"))
    );
}

#[test]
fn both_bounds_of_one_field_hold() {
    let index = Index::new(Metric::Cosine);
    for year in 2019..2025 {
        let document = DocumentId::new(year.to_string()).unwrap();
        let mut chunk = StoredChunk::new(year.to_string(), document, 0, format!("leave in {year}"), 0..13);
        chunk.metadata.insert("year".into(), json!(year));
        index.put(&namespace(), chunk);
    }
    let filter = Filter::new()
        .with("year", Comparison::Gt, 2020)
        .with("year", Comparison::Lt, 2023);
    for mode in [SearchMode::Dense, SearchMode::Keyword, SearchMode::Hybrid] {
        let found = find(
            &index.retriever(),
            "leave",
            RetrievalOptions::new(9).mode(mode).filter(filter.clone()),
        );
        let mut years: Vec<&str> = found
            .chunks
            .iter()
            .map(|one| one.chunk.document.as_str())
            .collect();
        years.sort_unstable();
        assert_eq!(years, ["2021", "2022"], "{mode:?}");
    }
}

#[test]
fn a_filter_that_the_store_cuts_to_64_bytes_still_means_the_whole_text() {
    let index = Index::new(Metric::Cosine);
    let prefix = "x".repeat(64);
    for end in ["a", "b"] {
        let mut chunk = StoredChunk::new(
            end,
            DocumentId::new(end).unwrap(),
            0,
            format!("leave {end}"),
            0..7,
        );
        // The store has what a metadata index of Vectorize keeps.
        chunk.metadata.insert("path".into(), json!(prefix));
        index.put(&namespace(), chunk.clone());
        index.chunks.remove(end);
        chunk
            .metadata
            .insert("path".into(), json!(format!("{prefix}{end}")));
        index.chunks.put(&namespace(), chunk);
    }
    let filter = Filter::new().with("path", Comparison::Eq, prefix.as_str());
    let found = find(
        &index.retriever(),
        "leave",
        RetrievalOptions::new(5).filter(filter),
    );
    assert!(found.chunks.is_empty());
}

#[test]
fn metadata_and_vectors_are_not_asked_for_where_nobody_reads_them() {
    let index = handbook(Metric::Cosine);
    find(&index.retriever(), "leave", RetrievalOptions::new(3));
    let asked = index.vectors.asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert!(!asked[0].return_values && asked[0].return_metadata == ReturnMetadata::None);
    assert_eq!(asked[0].top_k, 50);
}

#[test]
fn a_chunk_that_is_not_live_any_more_is_not_found() {
    // Vectorize shows a deleted vector for a while.
    let index = handbook(Metric::Cosine);
    index.chunks.remove("t/acme/docs:handbook:0");
    let found = find(
        &index.retriever(),
        "days of leave are thirty",
        RetrievalOptions::new(2),
    );
    assert_eq!(texts(&found).len(), 2);
    assert!(!texts(&found).contains(&"days of leave are thirty "));
}
