//! The HTTP surface: what clients send and get.

mod body;
mod call;
mod chat;
mod client;
mod embeddings;
mod endpoint;
mod method;
mod models;
mod rerank;
mod response;
mod tokens;
mod trace;
mod wishes;
mod writes;

pub(crate) use body::{Bodies, announced_length, read_body};
pub(crate) use call::{Call, asked_model, refusal};
pub(crate) use chat::chat;
pub(crate) use client::Client;
pub(crate) use embeddings::embeddings;
pub(crate) use endpoint::Endpoint;
pub(crate) use method::{by_method, not_taken};
pub(crate) use models::{model, models};
pub(crate) use rerank::rerank;
pub(crate) use response::{error_response, event_stream, for_client, health, json, tell};
pub(crate) use tokens::count_tokens;
pub(crate) use trace::span;
pub(crate) use wishes::{cache_policy, collects, metadata, retry_wishes, routing_headers, wants_no_wait};
