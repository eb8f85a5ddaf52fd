#![doc = include_str!("../README.md")]

mod citation;
mod client;
mod quote;
mod retry_after;
mod wire;

pub mod anthropic;
pub mod bedrock;
pub mod catalog;
pub mod compatible;
pub mod gemini;
pub mod openai;
pub mod rerank;
pub mod tap;
pub mod vertex;
pub mod workers_ai;

pub use anthropic::Anthropic;
pub use bedrock::Bedrock;
pub use gemini::Gemini;
pub use openai::OpenAi;
pub use vertex::Vertex;
pub use workers_ai::WorkersAi;
