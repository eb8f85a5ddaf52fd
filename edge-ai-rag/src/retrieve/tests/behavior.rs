use std::time::Duration;

use edge_ai_core::{
    Comparison, EmbeddingPurpose, EmbeddingText, Filter, Message, RerankRequest, RerankResponse,
    RerankResult, Reranker, Role,
};
use edge_ai_testkit::scripted::ScriptedChatModel;

use super::*;
use crate::ParentChunk;

/// Scores documents by their lengths.
#[derive(Debug)]
struct Longest;

#[async_trait]
impl Reranker for Longest {
    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse> {
        let score = |(index, text): (usize, &String)| RerankResult::new(index, text.len() as f32);
        let results = request.documents.iter().enumerate().map(score).collect();
        Ok(RerankResponse::ranked(results, request.top_n))
    }
}

#[test]
fn a_hybrid_search_finds_what_one_of_its_parts_does_and_says_which() {
    let index = handbook(Metric::Cosine);
    let found = find(&index.retriever(), "note", RetrievalOptions::new(3));
    let best = &found.chunks[0];
    assert_eq!(best.chunk.text, "sick leave needs a note ");
    assert_eq!(best.scores.keyword, Some(1.0));
    assert!(best.scores.dense.is_some() && best.scores.rerank.is_none());
    assert_eq!(best.scores.fused, Some(best.score));
    assert_eq!(found.chunks[1].scores.keyword, None);
}

#[test]
fn a_question_is_embedded_as_a_question_and_an_invented_answer_as_a_document() {
    let index = handbook(Metric::Cosine);
    let model = ScriptedChatModel::new().answer("sick leave needs a note ");
    let retriever = index.retriever().query_model(model, "q");
    let options = RetrievalOptions::new(3)
        .mode(SearchMode::Dense)
        .query(QueryWork::default().hyde());
    let found = find(&retriever, "when ill?", options);
    let sick = found
        .chunks
        .iter()
        .find(|one| one.chunk.text.starts_with("sick"))
        .unwrap();
    assert!(sick.scores.dense.is_some_and(|score| score > 0.999));
    assert_eq!(found.queries, ["when ill?", "sick leave needs a note"]);
    let asked = index.embeddings.requests();
    let purposes: Vec<_> = asked.iter().map(|request| request.purpose).collect();
    assert_eq!(
        purposes,
        [Some(EmbeddingPurpose::Query), Some(EmbeddingPurpose::Document)]
    );
}

#[test]
fn a_conversations_last_turn_is_searched_for_by_itself() {
    let index = handbook(Metric::Cosine);
    let model = ScriptedChatModel::new()
        .answer("\"does sick leave need a note?\"")
        .answer("1. ill note\n2. doctor\n3. more");
    let retriever = index.retriever().query_model(model.clone(), "q");
    let work = QueryWork::default().rewrite().variants(2);
    let mut retrieval =
        Retrieval::new(namespace(), "and a note?").with_options(RetrievalOptions::new(3).query(work));
    retrieval.history = vec![Message::from_text(Role::User, "what about sick leave?")];
    retrieval.context.cache.key = Some("mine".into());
    retrieval.context.idempotency_key = Some("once".into());
    let found = block_on(retriever.retrieve(retrieval)).unwrap();
    assert_eq!(
        found.queries,
        ["does sick leave need a note?", "ill note", "doctor"]
    );
    let asked = model.requests();
    assert!(
        asked[0].messages[1]
            .text()
            .contains("user: what about sick leave?\nlast question: and a note?")
    );
    assert!(
        asked[1].messages[1]
            .text()
            .contains("does sick leave need a note?")
    );
    // The client's own keys are those of its answer, not of calls for its sake.
    assert!(
        asked
            .iter()
            .all(|request| request.context.cache.key.is_none() && request.context.idempotency_key.is_none())
    );
    let embedded = index.embeddings.requests();
    assert_eq!(embedded[0].texts.len(), 3);
    assert!(matches!(&embedded[0].texts[2], EmbeddingText::Text(text) if text == "doctor"));

    // Without a conversation there is nothing to rewrite.
    let retriever = index.retriever().query_model(ScriptedChatModel::new(), "q");
    let found = find(
        &retriever,
        "note",
        RetrievalOptions::new(3).query(QueryWork::default().rewrite()),
    );
    assert_eq!((found.queries.len(), found.warnings.len()), (1, 0));
}

#[test]
fn a_reranker_decides_the_order_and_its_threshold_cuts() {
    let index = handbook(Metric::Cosine);
    let retriever = index.retriever().reranker(Longest, "r");
    let options = RetrievalOptions::new(3)
        .rerank()
        .threshold(Threshold::default().rerank(25.0));
    let found = find(&retriever, "sick leave needs a note", options);
    assert_eq!(
        texts(&found),
        ["the canteen opens at noon ", "days of leave are thirty "]
    );
    assert_eq!(found.chunks[0].scores.rerank, Some(26.0));
    assert_eq!(found.chunks[0].score, 26.0);
}

#[test]
fn neighbors_come_with_a_chunk_and_overlaps_become_one_passage() {
    let index = Index::new(Metric::Cosine);
    index.add(
        &namespace(),
        "book",
        &["alpha ", "beta ", "gamma ", "delta ", "epsilon "],
    );
    let found = find(
        &index.retriever(),
        "delta",
        RetrievalOptions::new(1).expand(Expand::Neighbors(1)),
    );
    let passage = &found.chunks[0].passage;
    assert_eq!(
        (passage.text.as_str(), passage.range.clone()),
        ("gamma delta epsilon ", 11..31)
    );
    assert_eq!((passage.ordinals.clone(), passage.chunk_ids.len()), (2..5, 3));
    let found = find(
        &index.retriever(),
        "delta beta",
        RetrievalOptions::new(2).expand(Expand::Neighbors(1)),
    );
    assert_eq!(found.chunks.len(), 1);
    assert_eq!(found.chunks[0].passage.text, "alpha beta gamma delta epsilon ");
}

#[test]
fn chunks_of_one_parent_are_found_once_and_top_k_is_filled_from_others() {
    let index = Index::new(Metric::Cosine);
    for ordinal in 0..6_u32 {
        let document = DocumentId::new("book").unwrap();
        let mut chunk = StoredChunk::new(
            format!("c{ordinal}"),
            document,
            ordinal,
            format!("leave part{ordinal}"),
            0..1,
        );
        let parent = ordinal / 3;
        chunk.parent = Some(ParentChunk::new(parent, format!("section {parent}"), 0..9));
        index.put(&namespace(), chunk);
    }
    let found = find(
        &index.retriever(),
        "leave part1",
        RetrievalOptions::new(2).expand(Expand::Parent),
    );
    let passages: Vec<&str> = found.chunks.iter().map(|one| one.passage.text.as_str()).collect();
    assert_eq!(passages, ["section 0", "section 1"]);
    assert_eq!(found.chunks[0].chunk.id, "c1");
}

#[test]
fn variety_passes_over_what_repeats_the_best() {
    let index = Index::new(Metric::Cosine);
    index.add(
        &namespace(),
        "a",
        &["leave days thirty", "leave days thirty", "leave canteen noon"],
    );
    let plain = find(&index.retriever(), "leave days", RetrievalOptions::new(2));
    assert_eq!(texts(&plain), ["leave days thirty", "leave days thirty"]);
    let varied = find(
        &index.retriever(),
        "leave days",
        RetrievalOptions::new(2).mmr(Mmr::new(0.3)),
    );
    assert_eq!(texts(&varied), ["leave days thirty", "leave canteen noon"]);
}

#[test]
fn age_and_boosts_change_the_order() {
    let index = Index::new(Metric::Cosine);
    let day = 86_400_000;
    index.clock.set(Timestamp::from_millis(100 * day));
    for (id, updated, kind) in [
        ("old", 10, "wiki"),
        ("new", 99, "wiki"),
        ("official", 10, "official"),
    ] {
        let mut chunk = StoredChunk::new(id, DocumentId::new(id).unwrap(), 0, "days of leave", 0..13);
        chunk.updated = Timestamp::from_millis(updated * day);
        chunk.metadata.insert("kind".into(), kind.into());
        index.put(&namespace(), chunk);
    }
    let order = |options: RetrievalOptions| {
        let found = find(&index.retriever(), "days of leave", options);
        found
            .chunks
            .iter()
            .map(|one| one.chunk.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(order(RetrievalOptions::new(3)), ["new", "official", "old"]);
    let decay = TimeDecay::new(Duration::from_secs(30 * 86_400));
    assert_eq!(
        order(RetrievalOptions::new(3).decay(decay.clone())),
        ["new", "official", "old"]
    );
    let official = Boost::new(Filter::new().with("kind", Comparison::Eq, "official"), 20.0);
    assert_eq!(
        order(RetrievalOptions::new(3).decay(decay).boost(official)),
        ["official", "new", "old"]
    );
}

#[test]
fn the_same_question_finds_the_same() {
    let index = Index::new(Metric::Cosine);
    let same = ["leave"; 20];
    index.add(&namespace(), "b", &same);
    index.add(&namespace(), "a", &same);
    let ids = || {
        let found = find(&index.retriever(), "leave", RetrievalOptions::new(25));
        found
            .chunks
            .iter()
            .map(|one| (one.chunk.document.clone(), one.chunk.ordinal))
            .collect::<Vec<_>>()
    };
    let first = ids();
    assert!(first.is_sorted());
    assert_eq!(first, ids());
}

#[test]
fn nothing_is_found_in_nothing() {
    let index = Index::new(Metric::Cosine);
    assert_eq!(
        find(&index.retriever(), "leave", RetrievalOptions::new(5)).chunks,
        []
    );
}
