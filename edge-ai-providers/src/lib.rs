#![doc = include_str!("../README.md")]

mod client;
mod retry_after;
mod wire;

pub mod anthropic;
pub mod bedrock;
pub mod catalog;
pub mod compatible;
pub mod openai;
pub mod rerank;
pub mod workers_ai;

pub use anthropic::Anthropic;
pub use bedrock::Bedrock;
pub use openai::OpenAi;
pub use workers_ai::WorkersAi;
