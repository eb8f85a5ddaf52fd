use edge_ai_core::{Context, Reranker};
use edge_ai_testkit::scripted::ScriptedChatModel;

use super::*;

#[derive(Debug)]
struct BrokenReranker(ErrorKind);

#[async_trait]
impl Reranker for BrokenReranker {
    async fn rerank(&self, _: edge_ai_core::RerankRequest) -> Result<edge_ai_core::RerankResponse> {
        Err(Error::new(self.0, "no reranker"))
    }
}

#[test]
fn one_search_that_fails_leaves_the_other_and_a_warning() {
    let mut index = handbook(Metric::Cosine);
    index.words.down = Some(ErrorKind::Unavailable);
    let context = Context::default();
    let retrieval = Retrieval::new(namespace(), "sick leave").with_context(context.clone());
    let found = block_on(index.retriever().retrieve(retrieval)).unwrap();
    assert_eq!(found.chunks.len(), 3);
    assert!(
        found.warnings[0].contains("by meaning alone"),
        "{:?}",
        found.warnings
    );
    assert_eq!(context.trail.warnings(), found.warnings);

    let mut index = handbook(Metric::Cosine);
    index.vectors.down = true;
    let found = find(&index.retriever(), "sick leave", RetrievalOptions::new(3));
    assert_eq!(texts(&found)[0], "sick leave needs a note ");
    assert!(found.warnings[0].contains("by words alone"));
    let quota = Error::new(ErrorKind::QuotaExceeded, "no neurons left");
    index.vectors.down = false;
    index.embeddings = ScriptedEmbeddingModel::new(64).fail(quota);
    assert!(
        find(&index.retriever(), "sick leave", RetrievalOptions::new(3)).warnings[0]
            .contains("no neurons left")
    );
}

#[test]
fn both_failing_or_a_failure_to_mend_is_an_error() {
    let mut index = handbook(Metric::Cosine);
    index.vectors.down = true;
    index.words.down = Some(ErrorKind::Unavailable);
    let error = refused(&index.retriever(), "leave", RetrievalOptions::new(3));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().starts_with("the search by meaning failed"));
    index.vectors.down = false;
    for kind in [ErrorKind::InvalidRequest, ErrorKind::Configuration] {
        index.words.down = Some(kind);
        assert_eq!(
            refused(&index.retriever(), "leave", RetrievalOptions::new(3)).kind(),
            kind
        );
    }
    // Alone there is nothing to fall back to.
    index.words.down = Some(ErrorKind::Unavailable);
    let keyword = RetrievalOptions::new(3).mode(SearchMode::Keyword);
    assert_eq!(
        refused(&index.retriever(), "leave", keyword).kind(),
        ErrorKind::Unavailable
    );
}

#[test]
fn a_failing_reranker_leaves_the_order_of_the_search() {
    let index = handbook(Metric::Cosine);
    let plain = find(&index.retriever(), "sick leave", RetrievalOptions::new(3));
    let retriever = index
        .retriever()
        .reranker(BrokenReranker(ErrorKind::Timeout), "r");
    let found = find(&retriever, "sick leave", RetrievalOptions::new(3).rerank());
    assert_eq!(texts(&found), texts(&plain));
    assert!(found.warnings[0].contains("reranking failed"));
    let retriever = index
        .retriever()
        .reranker(BrokenReranker(ErrorKind::Configuration), "r");
    assert_eq!(
        refused(&retriever, "sick leave", RetrievalOptions::new(3).rerank()).kind(),
        ErrorKind::Configuration
    );
}

#[test]
fn a_failing_or_silent_chat_model_leaves_the_plain_question() {
    let index = handbook(Metric::Cosine);
    let down = Error::new(ErrorKind::Unavailable, "down");
    let model = ScriptedChatModel::new()
        .fail(down)
        .answer("  ")
        .with_clock(index.clock.clone());
    let retriever = index.retriever().query_model(model, "q");
    let work = QueryWork::default().variants(2).hyde();
    let found = find(&retriever, "sick leave", RetrievalOptions::new(3).query(work));
    assert_eq!(found.queries, ["sick leave"]);
    assert_eq!(found.warnings.len(), 2);
    // One that never answers is not waited for.
    let retriever = index
        .retriever()
        .query_model(ScriptedChatModel::new().hang(), "q");
    let found = find(
        &retriever,
        "sick leave",
        RetrievalOptions::new(3).query(QueryWork::default().hyde()),
    );
    assert!(found.warnings[0].contains("5000 ms"), "{:?}", found.warnings);
    assert_eq!(found.chunks.len(), 3);
}

#[test]
fn what_the_retriever_has_not_got_is_named() {
    let index = handbook(Metric::Cosine);
    let words = Retriever::new(index.chunks.clone(), index.clock.clone()).keyword(index.words.clone());
    for (options, param) in [
        (RetrievalOptions::new(3).mode(SearchMode::Hybrid), "mode"),
        (RetrievalOptions::new(3).mode(SearchMode::Dense), "mode"),
        (RetrievalOptions::new(3).rerank(), "rerank"),
        (RetrievalOptions::new(3).mmr(Mmr::new(0.5)), "mmr"),
        (
            RetrievalOptions::new(3).query(QueryWork::default().hyde()),
            "query",
        ),
    ] {
        let error = refused(&words, "leave", options);
        assert_eq!(
            (error.kind(), error.param()),
            (ErrorKind::Unsupported, Some(param))
        );
    }
    assert_eq!(
        texts(&find(&words, "sick", RetrievalOptions::new(3))),
        ["sick leave needs a note "]
    );
    let none = Retriever::new(index.chunks.clone(), index.clock.clone());
    assert_eq!(
        refused(&none, "leave", RetrievalOptions::new(3)).kind(),
        ErrorKind::Configuration
    );
}

#[test]
fn what_is_out_of_bounds_is_named() {
    let retriever = handbook(Metric::Cosine).retriever();
    assert_eq!(
        refused(&retriever, " \n", RetrievalOptions::new(3)).param(),
        Some("query")
    );
    assert_eq!(
        refused(&retriever, &"x".repeat(40_000), RetrievalOptions::new(3)).param(),
        Some("query")
    );
    for (options, param) in [
        (RetrievalOptions::new(3).candidates(2), "candidates"),
        (
            RetrievalOptions::new(3).fusion(Fusion::Weighted { dense: f32::NAN }),
            "fusion.dense",
        ),
        (RetrievalOptions::new(3).mmr(Mmr::new(1.5)), "mmr.lambda"),
        (RetrievalOptions::new(3).expand(Expand::Neighbors(99)), "expand"),
        (
            RetrievalOptions::new(3).query(QueryWork::default().variants(99)),
            "query.variants",
        ),
        (
            RetrievalOptions::new(3).boost(Boost::new(edge_ai_core::Filter::new(), 0.0)),
            "boosts",
        ),
    ] {
        assert_eq!(refused(&retriever, "leave", options).param(), Some(param));
    }
}
