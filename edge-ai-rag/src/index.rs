//! An index that stays true to its documents.

mod chunk;
mod source;

pub use chunk::StoredChunk;
pub use source::ChunkSource;
