use edge_ai_core::{Error, Filter, Result};
use serde::Deserialize;

use super::{Boost, Fusion, TimeDecay};

/// How to search: what all questions of one kind share.
///
/// ```
/// use edge_ai_rag::{Expand, Fusion, Mmr, RetrievalOptions, SearchMode, Threshold};
///
/// let options = RetrievalOptions::new(8)
///     .mode(SearchMode::Hybrid)
///     .fusion(Fusion::Weighted { dense: 0.5 })
///     .threshold(Threshold::default().dense(0.4))
///     .rerank()
///     .expand(Expand::Neighbors(1));
/// assert_eq!(options.top_k, 8);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetrievalOptions {
    /// How many chunks, at most [`MAX_TOP_K`](Self::MAX_TOP_K); 5 unless set.
    pub top_k: usize,
    /// How many each search looks up to choose from; `None` is four times `top_k`, at least 50, as far as the vector store gives that many.
    pub candidates: Option<usize>,
    /// Which searches; `None` is all that the retriever has.
    pub mode: Option<SearchMode>,
    /// How the lists of two searches become one.
    pub fusion: Fusion,
    /// Conditions on the metadata; all of them hold for every chunk found.
    pub filter: Filter,
    /// Whether the reranker puts the candidates in order.
    pub rerank: bool,
    /// What is too weak to be found.
    pub threshold: Threshold,
    /// What a found chunk brings along.
    pub expand: Expand,
    /// Variety among the chunks.
    pub mmr: Option<Mmr>,
    /// What is old counts less.
    pub decay: Option<TimeDecay>,
    /// Chunks that count more or less by their metadata.
    pub boosts: Vec<Boost>,
    /// What a chat model makes of the question first.
    pub query: QueryWork,
}

impl RetrievalOptions {
    /// The most chunks of one search.
    pub const MAX_TOP_K: usize = 1_000;

    /// `top_k` chunks, by all searches that there are.
    pub fn new(top_k: usize) -> Self {
        Self {
            top_k,
            candidates: None,
            mode: None,
            fusion: Fusion::default(),
            filter: Filter::new(),
            rerank: false,
            threshold: Threshold::default(),
            expand: Expand::None,
            mmr: None,
            decay: None,
            boosts: Vec::new(),
            query: QueryWork::default(),
        }
    }

    /// Sets [`top_k`](Self::top_k).
    #[must_use]
    pub fn top_k(mut self, top_k: usize) -> Self {
        self.top_k = top_k;
        self
    }

    /// Sets [`candidates`](Self::candidates).
    #[must_use]
    pub fn candidates(mut self, candidates: usize) -> Self {
        self.candidates = Some(candidates);
        self
    }

    /// Sets [`mode`](Self::mode).
    #[must_use]
    pub fn mode(mut self, mode: SearchMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets [`fusion`](Self::fusion).
    #[must_use]
    pub fn fusion(mut self, fusion: Fusion) -> Self {
        self.fusion = fusion;
        self
    }

    /// Sets [`filter`](Self::filter).
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Turns [`rerank`](Self::rerank) on.
    #[must_use]
    pub fn rerank(mut self) -> Self {
        self.rerank = true;
        self
    }

    /// Sets [`threshold`](Self::threshold).
    #[must_use]
    pub fn threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets [`expand`](Self::expand).
    #[must_use]
    pub fn expand(mut self, expand: Expand) -> Self {
        self.expand = expand;
        self
    }

    /// Sets [`mmr`](Self::mmr).
    #[must_use]
    pub fn mmr(mut self, mmr: Mmr) -> Self {
        self.mmr = Some(mmr);
        self
    }

    /// Sets [`decay`](Self::decay).
    #[must_use]
    pub fn decay(mut self, decay: TimeDecay) -> Self {
        self.decay = Some(decay);
        self
    }

    /// Adds to [`boosts`](Self::boosts).
    #[must_use]
    pub fn boost(mut self, boost: Boost) -> Self {
        self.boosts.push(boost);
        self
    }

    /// Sets [`query`](Self::query).
    #[must_use]
    pub fn query(mut self, query: QueryWork) -> Self {
        self.query = query;
        self
    }

    /// Says what is out of bounds.
    pub(super) fn check(&self) -> Result<()> {
        let invalid = |param: &str, message: String| Err(Error::invalid(param, message));
        if !(1..=Self::MAX_TOP_K).contains(&self.top_k) {
            let message = format!("`top_k` is from 1 to {}, not {}", Self::MAX_TOP_K, self.top_k);
            return invalid("top_k", message);
        }
        if self.candidates.is_some_and(|candidates| candidates < self.top_k) {
            return invalid(
                "candidates",
                "there must be at least `top_k` candidates".to_owned(),
            );
        }
        if let Fusion::Weighted { dense } = self.fusion
            && !(0.0..=1.0).contains(&dense)
        {
            return invalid("fusion.dense", format!("a weight is from 0 to 1, not {dense}"));
        }
        if let Some(mmr) = self.mmr
            && !(0.0..=1.0).contains(&mmr.lambda)
        {
            return invalid(
                "mmr.lambda",
                format!("`lambda` is from 0 to 1, not {}", mmr.lambda),
            );
        }
        if let Expand::Neighbors(count) = self.expand
            && count > Expand::MAX_NEIGHBORS
        {
            let most = Expand::MAX_NEIGHBORS;
            return invalid(
                "expand",
                format!("at most {most} neighbors on each side, not {count}"),
            );
        }
        if self.query.variants > QueryWork::MAX_VARIANTS {
            let most = QueryWork::MAX_VARIANTS;
            return invalid("query.variants", format!("at most {most} variants"));
        }
        if self
            .boosts
            .iter()
            .any(|boost| !(boost.factor.is_finite() && boost.factor > 0.0))
        {
            return invalid("boosts", "a factor is a number over 0".to_owned());
        }
        Ok(())
    }
}

impl Default for RetrievalOptions {
    fn default() -> Self {
        Self::new(5)
    }
}

/// Which searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SearchMode {
    /// By meaning: vectors.
    Dense,
    /// By words: BM25.
    Keyword,
    /// Both, fused.
    Hybrid,
}

/// What is too weak to be found. Each cuts the list of its own score, since no other can be compared with a fixed number: a fused one
/// says only how a chunk stands among the others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Threshold {
    /// The least of the vector store's score, in the direction of its metric: the lowest cosine, or the greatest distance.
    pub dense: Option<f32>,
    /// The least BM25. It depends on the collection and the number of words: measure before you set it.
    pub keyword: Option<f32>,
    /// The least of the reranker's score, on its own scale.
    pub rerank: Option<f32>,
}

impl Threshold {
    /// Sets [`dense`](Self::dense).
    #[must_use]
    pub const fn dense(self, score: f32) -> Self {
        Self {
            dense: Some(score),
            ..self
        }
    }

    /// Sets [`keyword`](Self::keyword).
    #[must_use]
    pub const fn keyword(self, score: f32) -> Self {
        Self {
            keyword: Some(score),
            ..self
        }
    }

    /// Sets [`rerank`](Self::rerank).
    #[must_use]
    pub const fn rerank(self, score: f32) -> Self {
        Self {
            rerank: Some(score),
            ..self
        }
    }
}

/// What a found chunk brings along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expand {
    /// Nothing: the chunk's own text.
    #[default]
    None,
    /// This many chunks on each side, in one text; what overlaps or touches becomes one passage, so that there may be fewer than `top_k`.
    Neighbors(u32),
    /// The passage that it is a part of, of splitters that make one; chunks of one passage are found once, by the best.
    Parent,
}

impl Expand {
    /// The most neighbors on each side.
    pub const MAX_NEIGHBORS: u32 = 10;
}

/// Maximal marginal relevance: chunks that say what the better ones have said already stand back
/// ([Carbonell, Goldstein 1998](https://doi.org/10.1145/290941.291025)).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mmr {
    /// From 1, nearness to the question alone, to 0, variety alone.
    pub lambda: f32,
}

impl Mmr {
    /// A choice between nearness and variety.
    pub const fn new(lambda: f32) -> Self {
        Self { lambda }
    }
}

/// What a chat model makes of the question before it is searched for. Each costs a call, all are short, and what fails is left out: the plain
/// question is searched for in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryWork {
    /// Puts the last turn of a conversation so that it is understood by itself. No call without a conversation.
    pub rewrite: bool,
    /// Searches for this many other wordings too, at most [`MAX_VARIANTS`](Self::MAX_VARIANTS).
    pub variants: u32,
    /// Searches with the vector of an invented answer too: HyDE ([Gao et al. 2022](https://arxiv.org/abs/2212.10496)).
    pub hyde: bool,
}

impl QueryWork {
    /// The most other wordings.
    pub const MAX_VARIANTS: u32 = 5;

    /// Turns [`rewrite`](Self::rewrite) on.
    #[must_use]
    pub const fn rewrite(self) -> Self {
        Self {
            rewrite: true,
            ..self
        }
    }

    /// Sets [`variants`](Self::variants).
    #[must_use]
    pub const fn variants(self, variants: u32) -> Self {
        Self { variants, ..self }
    }

    /// Turns [`hyde`](Self::hyde) on.
    #[must_use]
    pub const fn hyde(self) -> Self {
        Self { hyde: true, ..self }
    }

    /// Whether it takes a chat model.
    pub(super) const fn is_any(self) -> bool {
        self.rewrite || self.variants > 0 || self.hyde
    }
}
