//! The service's limits: documented ones, and two seen only in its error texts.

/// Dimensions of a vector.
pub(crate) const DIMENSIONS: usize = 1536;
/// Vectors in one write through a binding.
pub(super) const BATCH: usize = 1000;
/// Bytes of a vector's id.
pub(super) const ID_BYTES: usize = 64;
/// Bytes of a namespace's name.
pub(super) const NAMESPACE_BYTES: usize = 64;
/// Bytes of a vector's metadata as JSON.
pub(super) const METADATA_BYTES: usize = 10 * 1024;
/// Metadata indexes of one index.
pub(crate) const METADATA_INDEXES: usize = 10;
/// Bytes of a string that a metadata index sees.
pub(super) const INDEXED_BYTES: usize = 64;
/// `topK` when neither values nor all metadata are asked for.
pub(super) const TOP_K: u64 = 100;
/// `topK` with values or with all metadata.
pub(super) const TOP_K_FULL: u64 = 50;
/// `topK` when none is given.
pub(super) const TOP_K_DEFAULT: u64 = 5;
/// Ids in `getByIds`; undocumented.
pub(super) const GET_IDS: usize = 20;
/// Ids in `deleteByIds`; undocumented.
pub(super) const DELETE_IDS: usize = 100;
/// Bytes of a filter as compact JSON.
pub(super) const FILTER_BYTES: usize = 2048;
/// Characters of a filter's key.
pub(super) const KEY_CHARS: usize = 512;
