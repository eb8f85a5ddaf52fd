//! Vector stores: records, queries, filters, and what a store can take.

mod filter;
mod record;
mod store;

pub use filter::{Comparison, Condition, Filter};
pub use record::{ReturnMetadata, VectorMatch, VectorQuery, VectorRecord};
pub use store::{Metric, Mutation, StoreInfo, VectorCapabilities, VectorStore, wait_visible};
