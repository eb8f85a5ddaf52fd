//! Vector stores.

mod memory;
mod record;
#[cfg(any(feature = "worker", test))]
mod vectorize;

pub use memory::MemoryVectorStore;
#[cfg(feature = "worker")]
pub use vectorize::VectorizeStore;
