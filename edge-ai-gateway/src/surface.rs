//! The HTTP surface: what clients send and get.

mod body;
mod cache;
mod chat;
mod embeddings;
mod endpoint;
mod models;
mod response;

pub(crate) use body::read_body;
pub(crate) use cache::cache_policy;
pub(crate) use chat::chat_completions;
pub(crate) use embeddings::embeddings;
pub(crate) use endpoint::Endpoint;
pub(crate) use models::{model, models};
pub(crate) use response::{error_response, health};
