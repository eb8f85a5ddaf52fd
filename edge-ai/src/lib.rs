#![doc = include_str!("../README.md")]

#[cfg(feature = "gateway")]
mod builder;
#[cfg(feature = "gateway")]
mod caching;
#[cfg(feature = "config")]
pub mod config;
mod isolate;
#[cfg(feature = "config")]
mod live;

pub use edge_ai_cache as cache;
pub use edge_ai_core as core;
#[cfg(feature = "gateway")]
pub use edge_ai_gateway as gateway;
#[cfg(feature = "guard")]
pub use edge_ai_guard as guard;
pub use edge_ai_providers as providers;
#[cfg(feature = "rag")]
pub use edge_ai_rag as rag;
#[cfg(feature = "worker")]
pub use edge_ai_worker as runtime;

#[cfg(feature = "gateway")]
pub use builder::{EdgeAi, EdgeAiBuilder};
pub use edge_ai_core::{
    ChatModel, ChatOutput, ChatRequest, ChatResponse, ChatStream, EmbeddingModel, EmbeddingRequest, Error,
    ErrorKind, Message, Provider, Quota, Result, Secret, async_trait,
};
pub use isolate::PerIsolate;
#[cfg(feature = "config")]
pub use live::{Live, Standing};
