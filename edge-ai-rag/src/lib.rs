#![doc = include_str!("../README.md")]

mod digest;
mod document;
mod index;
mod keyword;
mod namespace;
mod parse;
mod split;
mod store;

pub use document::{Chunk, Document, DocumentId, Heading, MediaType, ParentChunk, ParsedDocument};
pub use index::{ChunkSource, StoredChunk};
pub use keyword::{Fts5Store, Tokenizer};
pub use namespace::Namespace;
pub use parse::Parser;
pub use split::Splitter;
pub use store::MemoryVectorStore;
#[cfg(feature = "worker")]
pub use store::VectorizeStore;
