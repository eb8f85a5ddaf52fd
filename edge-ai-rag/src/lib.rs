#![doc = include_str!("../README.md")]

mod store;

pub use store::MemoryVectorStore;
#[cfg(feature = "worker")]
pub use store::VectorizeStore;
