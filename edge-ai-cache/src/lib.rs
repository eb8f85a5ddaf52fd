#![doc = include_str!("../README.md")]

mod apart;
mod chat;
mod coalesce;
mod embedding;
mod expiring;
mod key_value;
mod memory;
mod purge;
mod rule;
#[cfg(any(test, feature = "worker"))]
mod seconds;
mod semantic;
mod tiered;

#[cfg(feature = "worker")]
mod cache_api;

#[cfg(feature = "worker")]
pub use cache_api::CacheApiCache;
pub use chat::{CachedChatModel, chat_key};
#[cfg(feature = "durable-object")]
pub use coalesce::CoalescingObject;
#[cfg(feature = "worker")]
pub use coalesce::WorkerRooms;
pub use coalesce::{CoalescingRooms, LocalRooms};
pub use embedding::CachedEmbeddingModel;
#[cfg(feature = "worker")]
pub use key_value::WorkersKv;
pub use key_value::{KeyValueCache, MemoryKeyValue};
pub use memory::MemoryCache;
pub use purge::PurgeLog;
pub use rule::{CacheRule, CacheRules};
pub use semantic::{Difference, Evidence, SemanticCache, Threshold, difference};
pub use tiered::TieredCache;
