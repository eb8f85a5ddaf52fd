//! Doubles that answer by a script and remember what they were asked.
//!
//! A double is a handle: its clones share script and memory, so a test keeps one and gives the other away.

mod chat_model;
mod embedding_model;
mod http_client;
mod http_response;
mod provider;

pub use chat_model::{ScriptedChatModel, StreamStep};
pub use embedding_model::ScriptedEmbeddingModel;
pub use http_client::ScriptedHttpClient;
pub use http_response::ScriptedResponse;
pub use provider::ScriptedProvider;
