#![doc = include_str!("../README.md")]

mod answer;
mod boundary;
mod digest;
mod document;
pub mod evaluate;
mod index;
mod keyword;
mod load;
mod namespace;
mod parse;
mod retrieve;
mod serve;
mod split;
mod store;
#[cfg(test)]
mod testing;

pub use answer::{Answer, AnswerEvent, AnswerStream, Citation, RagModel, RagProvider, Source};
pub use document::{Chunk, Document, DocumentId, Heading, MediaType, ParentChunk, ParsedDocument};
pub use index::{
    Accepted, BatchLine, BatchOutcome, BucketEvent, ChunkSource, DocumentPage, EventObject, Index,
    IndexBuilder, IndexMessage, IndexOptions, IndexQueue, IndexedDocument, Job, JobAction, JobError,
    JobState, JobStep, LiveDocument, Manifest, MemoryObjects, MemoryQueue, ObjectPage, ObjectStore, Pipeline,
    Ran, StoredChunk, StoredObject, Swept, Synced,
};
#[cfg(feature = "worker")]
pub use index::{R2Objects, WorkerQueue};
pub use keyword::{Fts5Store, Tokenizer};
pub use load::UrlLoader;
pub use namespace::Namespace;
#[cfg(feature = "worker")]
pub use parse::AiMarkdownParser;
#[cfg(feature = "csv")]
pub use parse::CsvParser;
#[cfg(feature = "html")]
pub use parse::HtmlParser;
#[cfg(feature = "markdown")]
pub use parse::MarkdownParser;
#[cfg(feature = "pdf")]
pub use parse::PdfParser;
pub use parse::{Formats, JsonParser, Limits, Parser, TextParser};
pub use retrieve::{
    Boost, Expand, Fusion, ListReranker, Mmr, Passage, QueryWork, Retrieval, RetrievalOptions, Retrieved,
    RetrievedChunk, Retriever, Scores, SearchMode, Threshold, TimeDecay,
};
pub use serve::{Access, AccessTokens, OpenAccess, RagService, ServiceLimits};
pub use split::{
    AutoSplitter, ChunkSize, CodeSplitter, HeadingContext, MarkdownSplitter, ParentChildSplitter,
    RecursiveSplitter, SentenceWindowSplitter, Splitter,
};
#[cfg(any(feature = "worker", test))]
pub use store::ObjectVectorStore;
#[cfg(feature = "vector-object")]
pub use store::VectorObject;
#[cfg(feature = "worker")]
pub use store::VectorizeStore;
pub use store::{MemoryVectorStore, Quantization};
