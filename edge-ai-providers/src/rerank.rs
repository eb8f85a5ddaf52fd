//! Reranking as Cohere's API has it and others took it over: the dialect in both directions, and what its vendors differ in.
//!
//! A request has `model`, `query`, `documents` and `top_n`, an answer `results` with an `index` and a `relevance_score` each. A gateway's clients
//! are read by [`decode_rerank_request`] and answered by [`encode_rerank_response`]; a vendor that speaks it is a [`RerankApi`] of data.

mod api;
mod call;
mod model;

pub use api::{
    COHERE_RERANK, JINA_RERANK, RerankApi, VOYAGE_RERANK, decode_rerank_answer, encode_rerank_request,
};
pub use call::{RerankCall, decode_rerank_request, encode_rerank_response};

pub(crate) use api::check;
pub(crate) use model::RerankModel;
