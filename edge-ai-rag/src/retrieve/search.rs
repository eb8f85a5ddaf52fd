//! The two searches.

use std::sync::Arc;

use edge_ai_core::{
    EmbeddingModel, EmbeddingPurpose, EmbeddingRequest, Error, ErrorKind, KeywordQuery, KeywordStore, Result,
    ReturnMetadata, VectorQuery, VectorStore,
};
use futures_util::future::{join, try_join_all};

use super::Retrieval;
use super::fusion::{Part, RankedList};
use super::question::{Queries, apart};

/// What a search by meaning takes.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    pub(super) store: Arc<dyn VectorStore>,
    pub(super) embeddings: Arc<dyn EmbeddingModel>,
    pub(super) model: String,
}

impl Dense {
    /// How many candidates the store gives of those that are wanted.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when not even `top_k`: fewer than asked for would look like all there are.
    pub(super) fn depth(&self, wanted: usize, top_k: usize) -> Result<usize> {
        let most = self.store.capabilities().max_top_k;
        if top_k > most {
            let message = format!(
                "the vector store gives at most {most} matches: ask for `top_k` up to that, not {top_k}"
            );
            return Err(Error::new(ErrorKind::Unsupported, message).with_param("top_k"));
        }
        Ok(wanted.min(most))
    }

    /// A list for each question, and one for the invented answer.
    pub(super) async fn search(
        &self,
        retrieval: &Retrieval,
        queries: &Queries,
        depth: usize,
    ) -> Result<Vec<RankedList>> {
        let questions = self.embed(retrieval, queries.questions.clone(), EmbeddingPurpose::Query);
        let passage = async {
            match &queries.passage {
                // It looks like a document, and is embedded as one.
                Some(passage) => {
                    self.embed(retrieval, vec![passage.clone()], EmbeddingPurpose::Document)
                        .await
                }
                None => Ok(Vec::new()),
            }
        };
        let (questions, passage) = join(questions, passage).await;
        let vectors = questions?.into_iter().chain(passage?);
        try_join_all(vectors.map(|vector| self.nearest(retrieval, vector, depth))).await
    }

    async fn embed(
        &self,
        retrieval: &Retrieval,
        texts: Vec<String>,
        purpose: EmbeddingPurpose,
    ) -> Result<Vec<Vec<f32>>> {
        let wanted = texts.len();
        let request = EmbeddingRequest::new(self.model.as_str(), texts)
            .purpose(purpose)
            .with_context(apart(&retrieval.context));
        let answer = self.embeddings.embed(request).await?;
        if answer.embeddings.len() != wanted {
            let message = format!(
                "{wanted} texts were embedded to {} vectors",
                answer.embeddings.len()
            );
            return Err(Error::new(ErrorKind::BadUpstream, message));
        }
        Ok(answer.into_inner().embeddings)
    }

    async fn nearest(&self, retrieval: &Retrieval, vector: Vec<f32>, depth: usize) -> Result<RankedList> {
        let metric = self.store.capabilities().metric;
        // The rows have what is known of a chunk; without metadata Vectorize gives twice as many matches, faster.
        let query = VectorQuery::new(vector)
            .top_k(depth)
            .namespace(retrieval.namespace.as_str())
            .filter(retrieval.options.filter.clone())
            .return_metadata(ReturnMetadata::None);
        let mut found: Vec<(String, f32)> = self
            .store
            .query(query)
            .await?
            .into_iter()
            .map(|found| (found.id, found.score))
            .collect();
        if let Some(threshold) = retrieval.options.threshold.dense {
            found.retain(|(_, score)| metric.reaches(*score, threshold));
        }
        Ok(RankedList {
            part: Part::Dense,
            found,
            higher_is_better: metric.higher_is_nearer(),
        })
    }
}

/// A list for each question, by its words.
pub(super) async fn keyword(
    store: &dyn KeywordStore,
    retrieval: &Retrieval,
    queries: &Queries,
    depth: usize,
) -> Result<Vec<RankedList>> {
    try_join_all(queries.questions.iter().map(async |question| {
        let query = KeywordQuery::new(question.as_str())
            .top_k(depth)
            .namespace(retrieval.namespace.as_str())
            .filter(retrieval.options.filter.clone());
        let least = retrieval.options.threshold.keyword.unwrap_or(f32::NEG_INFINITY);
        let found = store.search(query).await?.into_iter();
        Ok(RankedList {
            part: Part::Keyword,
            found: found
                .map(|found| (found.id, found.score))
                .filter(|(_, score)| *score >= least)
                .collect(),
            higher_is_better: true,
        })
    }))
    .await
}

/// Whether one search's failure may be borne because the other works. What is the caller's or the operator's to mend is not hidden.
pub(super) fn is_bearable(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::InvalidRequest | ErrorKind::Unsupported | ErrorKind::Configuration
    )
}
