//! Key-value stores, and a cache over any of them.

mod cache;
mod memory;
mod rules;

#[cfg(feature = "worker")]
mod workers;

pub use cache::KeyValueCache;
pub use memory::MemoryKeyValue;
#[cfg(feature = "worker")]
pub use workers::WorkersKv;
