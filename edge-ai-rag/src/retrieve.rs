//! Finding: from a question to the chunks that may answer it.

mod adjust;
mod expand;
mod fusion;
mod list_rerank;
mod mmr;
mod options;
mod question;
mod rank;
mod request;
mod retriever;
mod search;

#[cfg(test)]
mod tests;

pub use adjust::{Boost, TimeDecay};
pub use expand::Passage;
pub use fusion::Fusion;
pub use list_rerank::ListReranker;
pub use options::{Expand, Mmr, QueryWork, RetrievalOptions, SearchMode, Threshold};
pub(crate) use question::apart;
pub use request::{Retrieval, Retrieved, RetrievedChunk, Scores};
pub use retriever::Retriever;
