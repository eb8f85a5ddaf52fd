use std::sync::Arc;

use edge_ai_core::{
    ChatModel, Clock, EmbeddingModel, Error, ErrorKind, KeywordStore, Reranker, Result, VectorStore,
};
use futures_util::future::join;

use super::expand::{add_neighbors, collapse_parents, neighbors};
use super::fusion::{RankedList, fuse};
use super::question::{Queries, QueryModel, queries};
use super::rank::{RERANKED, Rerank, diversify, join_rows, rerank, sort};
use super::search::{Dense, is_bearable, keyword};
use super::{Expand, Retrieval, Retrieved, RetrievedChunk, Scores, SearchMode, Threshold};
use crate::ChunkSource;

/// Finds the chunks that may answer a question: by meaning, by words, or both, put in order, varied and widened as the question asks.
///
/// The steps, of which all but the searches are off unless asked for:
///
/// 1. a chat model [works on the question](super::QueryWork);
/// 2. vectors and words are searched at the same time, within the namespace and the filter, to the depth of the
///    [candidates](super::RetrievalOptions::candidates), and cut by their [thresholds](super::Threshold);
/// 3. the lists are [fused](super::Fusion);
/// 4. the chunks are read: one that is not live any more, or does not pass the filter by its whole metadata, is left out;
/// 5. the best 50 (or `top_k`, if more) are reranked;
/// 6. [age](super::TimeDecay) and [boosts](super::Boost) count, and the chunks are sorted: equal scores by document and place, so that the same question finds
///    the same;
/// 7. chunks of one [parent](Expand::Parent) become one, [variety](super::Mmr) chooses, `top_k` are kept and get their [neighbors](Expand::Neighbors).
///
/// When one of two searches fails and the other works, the result is the other's, with a [warning](Retrieved::warnings) there and on the request's
/// trail; so for a failing reranker, the vectors for variety and the chat model. A failure that waiting does not mend (a request that is wrong, a
/// binding that is missing) is not borne. Both searches failing, or the chunks' rows, is an error.
///
/// Questions are embedded with [`EmbeddingPurpose::Query`](edge_ai_core::EmbeddingPurpose). An embedding model that keeps vectors, such as
/// `edge-ai-cache`'s `CachedEmbeddingModel`, stands in for the model here, and a repeated question is embedded once.
#[derive(Clone, Debug)]
pub struct Retriever {
    source: Arc<dyn ChunkSource>,
    clock: Arc<dyn Clock>,
    dense: Option<Dense>,
    keyword: Option<Arc<dyn KeywordStore>>,
    rerank: Option<Rerank>,
    query_model: Option<QueryModel>,
}

impl Retriever {
    /// A retriever over the chunks of an index; it needs one of [`dense`](Self::dense) and [`keyword`](Self::keyword).
    pub fn new(source: impl ChunkSource, clock: impl Clock) -> Self {
        Self {
            source: Arc::new(source),
            clock: Arc::new(clock),
            dense: None,
            keyword: None,
            rerank: None,
            query_model: None,
        }
    }

    /// Searches by meaning, with the model that the index was embedded with.
    #[must_use]
    pub fn dense(
        mut self,
        store: impl VectorStore,
        embeddings: impl EmbeddingModel,
        model: impl Into<String>,
    ) -> Self {
        self.dense = Some(Dense {
            store: Arc::new(store),
            embeddings: Arc::new(embeddings),
            model: model.into(),
        });
        self
    }

    /// Searches by words.
    #[must_use]
    pub fn keyword(mut self, store: impl KeywordStore) -> Self {
        self.keyword = Some(Arc::new(store));
        self
    }

    /// Lets requests rerank: a vendor's model, or any chat model by [`ListReranker`](super::ListReranker).
    #[must_use]
    pub fn reranker(mut self, reranker: impl Reranker, model: impl Into<String>) -> Self {
        self.rerank = Some(Rerank {
            reranker: Arc::new(reranker),
            model: model.into(),
        });
        self
    }

    /// Lets requests [work on the question](super::QueryWork) with a chat model: a small, quick one.
    #[must_use]
    pub fn query_model(mut self, chat: impl ChatModel, model: impl Into<String>) -> Self {
        self.query_model = Some(QueryModel {
            chat: Arc::new(chat),
            model: model.into(),
        });
        self
    }

    /// Where the chunks are read.
    pub fn source(&self) -> &Arc<dyn ChunkSource> {
        &self.source
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn has_query_model(&self) -> bool {
        self.query_model.is_some()
    }

    /// The models that decide what is found.
    pub(crate) fn fingerprint(&self) -> String {
        let dense = self.dense.as_ref().map(|dense| dense.model.as_str());
        let rerank = self.rerank.as_ref().map(|rerank| rerank.model.as_str());
        let query = self.query_model.as_ref().map(|query| query.model.as_str());
        format!("{dense:?} {rerank:?} {query:?} {}", self.keyword.is_some())
    }

    /// Whether a chunk's scores reach one of those that are set; without any, every chunk does.
    pub(crate) fn is_evidence(&self, threshold: Threshold, scores: &Scores) -> bool {
        let metric = self.dense.as_ref().map(|dense| dense.store.capabilities().metric);
        let reached = [
            threshold.dense.map(|least| {
                let score = scores.dense.zip(metric);
                score.is_some_and(|(score, metric)| metric.reaches(score, least))
            }),
            threshold
                .keyword
                .map(|least| scores.keyword.is_some_and(|score| score >= least)),
            threshold
                .rerank
                .map(|least| scores.rerank.is_some_and(|score| score >= least)),
        ];
        let mut reached = reached.into_iter().flatten().peekable();
        reached.peek().is_none() || reached.any(|reached| reached)
    }

    /// Finds chunks.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] with the field for a question or an option out of bounds; [`ErrorKind::Unsupported`] for what this retriever has not got, such
    /// as a search by words without a keyword store, or more chunks than the vector store gives; the stores' and models' errors as above.
    pub async fn retrieve(&self, retrieval: Retrieval) -> Result<Retrieved> {
        retrieval.check()?;
        let mode = self.mode(&retrieval)?;
        self.check_parts(&retrieval)?;
        let mut result = Retrieved::default();
        let queries = queries(
            self.query_model.as_ref(),
            &*self.clock,
            &retrieval,
            &mut result.warnings,
        )
        .await;
        let lists = self
            .search(mode, &retrieval, &queries, &mut result.warnings)
            .await?;
        let mut fused = fuse(retrieval.options.fusion, &lists);
        fused.truncate(candidates(&retrieval));
        let ids: Vec<String> = fused.iter().map(|one| one.id.clone()).collect();
        let rows = if ids.is_empty() {
            Vec::new()
        } else {
            self.source.chunks(&retrieval.namespace, &ids).await?
        };
        let found = join_rows(fused, rows, &retrieval);
        result.chunks = self
            .order(&retrieval, &queries, found, &mut result.warnings)
            .await?;
        let Queries {
            questions,
            passage,
            usage,
        } = queries;
        result.queries = questions.into_iter().chain(passage).collect();
        result.usage = usage;
        for warning in &result.warnings {
            retrieval.context.trail.warn(warning.as_str());
        }
        Ok(result)
    }

    /// Which searches are made.
    fn mode(&self, retrieval: &Retrieval) -> Result<SearchMode> {
        let missing = |what: &str| {
            let message = format!("this retriever has no {what}: choose another `mode`");
            Error::new(ErrorKind::Unsupported, message).with_param("mode")
        };
        let mode = match (retrieval.options.mode, &self.dense, &self.keyword) {
            (Some(mode), ..) => mode,
            (None, Some(_), Some(_)) => SearchMode::Hybrid,
            (None, Some(_), None) => SearchMode::Dense,
            (None, None, Some(_)) => SearchMode::Keyword,
            (None, None, None) => {
                let message = "the retriever has no store: give it one by `dense` or `keyword`";
                return Err(Error::new(ErrorKind::Configuration, message));
            }
        };
        if mode != SearchMode::Keyword && self.dense.is_none() {
            return Err(missing("vector store"));
        }
        if mode != SearchMode::Dense && self.keyword.is_none() {
            return Err(missing("keyword store"));
        }
        Ok(mode)
    }

    fn check_parts(&self, retrieval: &Retrieval) -> Result<()> {
        let options = &retrieval.options;
        let missing = [
            (options.rerank && self.rerank.is_none(), "rerank", "reranker"),
            (
                options.mmr.is_some() && self.dense.is_none(),
                "mmr",
                "vector store",
            ),
            (
                options.query.is_any() && self.query_model.is_none(),
                "query",
                "chat model for questions",
            ),
        ];
        match missing.into_iter().find(|(missing, ..)| *missing) {
            Some((_, param, what)) => {
                let message = format!("this retriever has no {what}: leave `{param}` out");
                Err(Error::new(ErrorKind::Unsupported, message).with_param(param))
            }
            None => Ok(()),
        }
    }

    async fn search(
        &self,
        mode: SearchMode,
        retrieval: &Retrieval,
        queries: &Queries,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<RankedList>> {
        let wanted = candidates(retrieval);
        let dense = self.dense.as_ref().filter(|_| mode != SearchMode::Keyword);
        let depth = dense
            .map(|dense| dense.depth(wanted, retrieval.options.top_k))
            .transpose()?;
        let by_meaning = async {
            match dense {
                Some(dense) => Some(dense.search(retrieval, queries, depth.unwrap_or(wanted)).await),
                None => None,
            }
        };
        let by_words = async {
            match self.keyword.as_ref().filter(|_| mode != SearchMode::Dense) {
                Some(store) => Some(keyword(&**store, retrieval, queries, wanted).await),
                None => None,
            }
        };
        match join(by_meaning, by_words).await {
            (Some(Ok(mut dense)), Some(Ok(keyword))) => {
                dense.extend(keyword);
                Ok(dense)
            }
            (Some(Ok(lists)), Some(Err(error))) if is_bearable(&error) => {
                warnings.push(format!(
                    "the search by words failed, what was found is by meaning alone: {error}"
                ));
                Ok(lists)
            }
            (Some(Err(error)), Some(Ok(lists))) if is_bearable(&error) => {
                warnings.push(format!(
                    "the search by meaning failed, what was found is by words alone: {error}"
                ));
                Ok(lists)
            }
            (Some(Err(error)), _) => Err(error.with_context("the search by meaning failed")),
            (_, Some(Err(error))) => Err(error.with_context("the search by words failed")),
            (Some(Ok(lists)), None) | (None, Some(Ok(lists))) => Ok(lists),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// Steps 5 to 7.
    async fn order(
        &self,
        retrieval: &Retrieval,
        queries: &Queries,
        mut found: Vec<RetrievedChunk>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<RetrievedChunk>> {
        let options = &retrieval.options;
        if let Some(reranker) = self
            .rerank
            .as_ref()
            .filter(|_| options.rerank && !found.is_empty())
        {
            let question = queries.questions.first().unwrap_or(&retrieval.query);
            match rerank(reranker, question, retrieval, &mut found).await {
                Ok(()) => {}
                Err(error) if is_bearable(&error) => {
                    warnings.push(format!(
                        "reranking failed, the order is that of the search: {error}"
                    ));
                }
                Err(error) => return Err(error.with_context("reranking failed")),
            }
        }
        sort(&mut found, retrieval, self.clock.now());
        if options.expand == Expand::Parent {
            collapse_parents(&mut found);
        }
        if let (Some(mmr), Some(dense)) = (options.mmr, &self.dense) {
            found.truncate(RERANKED.max(options.top_k));
            match diversify(&*dense.store, mmr, options.top_k, found.clone()).await {
                Ok(varied) => found = varied,
                Err(error) => warnings.push(format!(
                    "the chunks are not varied, their vectors cannot be read: {error}"
                )),
            }
        }
        found.truncate(options.top_k);
        match neighbors(options.expand) {
            Some(count) => add_neighbors(&*self.source, &retrieval.namespace, found, count).await,
            None => Ok(found),
        }
    }
}

/// How many each search looks up.
fn candidates(retrieval: &Retrieval) -> usize {
    let options = &retrieval.options;
    options
        .candidates
        .unwrap_or_else(|| options.top_k.saturating_mul(4).max(50))
}
