#![doc = include_str!("../README.md")]

mod chat;
mod expiring;
mod key_value;
mod memory;
#[cfg(any(test, feature = "worker"))]
mod seconds;
mod tiered;

#[cfg(feature = "worker")]
mod cache_api;

#[cfg(feature = "worker")]
pub use cache_api::CacheApiCache;
pub use chat::{CachedChatModel, chat_key};
#[cfg(feature = "worker")]
pub use key_value::WorkersKv;
pub use key_value::{KeyValueCache, MemoryKeyValue};
pub use memory::MemoryCache;
pub use tiered::TieredCache;
