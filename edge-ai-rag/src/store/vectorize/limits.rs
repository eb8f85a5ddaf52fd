//! The service's limits (<https://developers.cloudflare.com/vectorize/platform/limits/>).

/// Vectors in one upsert through the binding.
pub(super) const UPSERT: usize = 1_000;
/// Ids in one `deleteByIds`: not documented, error 40007 names it.
pub(super) const DELETE: usize = 100;
/// Ids in one `getByIds`: not documented, error 40007 names it.
pub(super) const GET: usize = 20;
/// Matches of a query that brings neither vectors nor all metadata.
pub(super) const TOP_K: usize = 100;
/// Matches of a query that brings vectors or all metadata.
pub(super) const TOP_K_FULL: usize = 50;
/// Values of a vector.
pub(super) const DIMENSIONS: usize = 1_536;
/// Bytes of an id.
pub(super) const ID: usize = 64;
/// Bytes of a namespace's name.
pub(super) const NAMESPACE: usize = 64;
/// Bytes of a vector's metadata, as JSON.
pub(super) const METADATA: usize = 10 << 10;
/// A filter, as compact JSON, has fewer bytes than this.
pub(super) const FILTER: usize = 2_048;
/// Characters of a field's name in a filter.
pub(super) const FIELD: usize = 512;
