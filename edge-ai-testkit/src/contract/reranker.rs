//! The contract of [`Reranker`].

use std::sync::Arc;

use edge_ai_core::{ErrorKind, RerankRequest, RerankResponse, Reranker};

use super::fails_with;
use crate::case::{cases, ensure};
use crate::{Case, Check, Must, Stop, Subject};

const QUERY: &str = "What is the capital of France?";
const DOCUMENTS: [&str; 4] = [
    "Bread is baked from flour, water and salt.",
    "The capital of France is Paris.",
    "A comet is made of ice and dust.",
    "Glaciers move slowly downhill.",
];
/// Where the answer stands.
const ANSWER: usize = 1;

/// A reranker under test.
#[derive(Clone, Debug)]
pub struct RerankerSubject {
    reranker: Arc<dyn Reranker>,
    model: String,
    unknown_model: Option<String>,
}

impl RerankerSubject {
    /// An implementation, and the model to ask for.
    pub fn new(reranker: impl Reranker, model: impl Into<String>) -> Self {
        Self::shared(Arc::new(reranker), model)
    }

    /// The same of an implementation that is shared already, as a provider gives it.
    pub fn shared(reranker: Arc<dyn Reranker>, model: impl Into<String>) -> Self {
        Self {
            reranker,
            model: model.into(),
            unknown_model: None,
        }
    }

    /// A name that no model has, for an implementation that serves several.
    #[must_use]
    pub fn with_unknown_model(self, model: impl Into<String>) -> Self {
        Self {
            unknown_model: Some(model.into()),
            ..self
        }
    }

    fn request(&self, documents: &[&str]) -> RerankRequest {
        RerankRequest::new(
            self.model.clone(),
            QUERY,
            documents.iter().map(|text| (*text).to_owned()).collect(),
        )
    }

    async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse, Stop> {
        self.reranker
            .rerank(request)
            .await
            .must("`rerank` orders documents")
    }
}

impl Subject for RerankerSubject {
    fn enter(&mut self, _: &'static str) {}
}

/// The cases.
pub fn cases() -> Vec<Case<RerankerSubject>> {
    cases![
        every_document_is_scored_once,
        the_best_comes_first,
        the_document_that_answers_is_the_best,
        equal_documents_keep_their_order,
        top_n_limits_the_results,
        a_top_n_over_the_documents_returns_all,
        one_document_is_ranked,
        no_documents_are_an_invalid_request,
        an_unknown_model_is_not_found,
    ]
}

async fn every_document_is_scored_once(subject: RerankerSubject) -> Check {
    let results = subject.rerank(subject.request(&DOCUMENTS)).await?.results;
    let mut indexes: Vec<_> = results.iter().map(|result| result.index).collect();
    indexes.sort_unstable();
    let all: Vec<_> = (0..DOCUMENTS.len()).collect();
    ensure!(
        indexes == all,
        "every document is scored once, by its index in the request, not {indexes:?}"
    );
    ensure!(
        results.iter().all(|result| result.score.is_finite()),
        "scores are finite"
    );
    Ok(())
}

async fn the_best_comes_first(subject: RerankerSubject) -> Check {
    let results = subject.rerank(subject.request(&DOCUMENTS)).await?.results;
    ensure!(
        results.is_sorted_by(|a, b| a.score >= b.score),
        "results are best first, not {results:?}"
    );
    Ok(())
}

async fn the_document_that_answers_is_the_best(subject: RerankerSubject) -> Check {
    let results = subject.rerank(subject.request(&DOCUMENTS)).await?.results;
    let best = results.first().map(|result| result.index);
    ensure!(
        best == Some(ANSWER),
        "the document that answers the query is the best, not document {best:?}"
    );
    Ok(())
}

async fn equal_documents_keep_their_order(subject: RerankerSubject) -> Check {
    let [bread, paris, ..] = DOCUMENTS;
    let results = subject
        .rerank(subject.request(&[bread, paris, bread, paris, paris]))
        .await?
        .results;
    let order: Vec<_> = results.iter().map(|result| result.index).collect();
    ensure!(
        order == [1, 3, 4, 0, 2],
        "documents of one score keep their order: [1, 3, 4, 0, 2], not {order:?}"
    );
    Ok(())
}

async fn top_n_limits_the_results(subject: RerankerSubject) -> Check {
    let all = subject.rerank(subject.request(&DOCUMENTS)).await?.results;
    let some = subject
        .rerank(subject.request(&DOCUMENTS).top_n(2))
        .await?
        .results;
    let indexes =
        |results: &[edge_ai_core::RerankResult]| results.iter().take(2).map(|r| r.index).collect::<Vec<_>>();
    ensure!(some.len() == 2, "`top_n` of two returns two, not {}", some.len());
    ensure!(
        indexes(&some) == indexes(&all),
        "`top_n` returns the best, not {some:?}"
    );
    Ok(())
}

async fn a_top_n_over_the_documents_returns_all(subject: RerankerSubject) -> Check {
    let results = subject
        .rerank(subject.request(&DOCUMENTS).top_n(50))
        .await?
        .results;
    ensure!(
        results.len() == DOCUMENTS.len(),
        "a large `top_n` returns every document, not {}",
        results.len()
    );
    Ok(())
}

async fn one_document_is_ranked(subject: RerankerSubject) -> Check {
    let results = subject
        .rerank(subject.request(&["Bread is baked from flour."]))
        .await?
        .results;
    ensure!(
        results.len() == 1,
        "one document has one result, not {}",
        results.len()
    );
    Ok(())
}

async fn no_documents_are_an_invalid_request(subject: RerankerSubject) -> Check {
    let answer = subject.reranker.rerank(subject.request(&[])).await;
    fails_with(
        answer,
        ErrorKind::InvalidRequest,
        "a request without documents is refused",
    )
}

async fn an_unknown_model_is_not_found(subject: RerankerSubject) -> Check {
    let Some(model) = subject.unknown_model.clone() else {
        return Err(Stop::skipped("the implementation serves a single model"));
    };
    let mut request = subject.request(&DOCUMENTS);
    request.model = model;
    fails_with(
        subject.reranker.rerank(request).await,
        ErrorKind::NotFound,
        "an unknown model is not found",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_ai_core::{Error, RerankResult, Result, async_trait};
    use futures_executor::block_on;

    /// Counts the words that query and document share.
    #[derive(Debug)]
    struct Overlap;

    #[async_trait]
    impl Reranker for Overlap {
        async fn rerank(&self, request: RerankRequest) -> Result<RerankResponse> {
            if request.documents.is_empty() {
                return Err(Error::invalid("documents", "there are no documents"));
            }
            let score = |document: &String| {
                document
                    .split(' ')
                    .filter(|word| request.query.contains(*word))
                    .count() as f32
            };
            let results = request.documents.iter().map(score).enumerate();
            let results = results
                .map(|(index, score)| RerankResult::new(index, score))
                .collect();
            Ok(RerankResponse::ranked(results, request.top_n))
        }
    }

    #[test]
    fn a_reranker_that_keeps_every_clause_passes() {
        let report = block_on(crate::run(cases(), || RerankerSubject::new(Overlap, "m")));
        report.assert_passed_but(&["an_unknown_model_is_not_found"]);
    }
}
