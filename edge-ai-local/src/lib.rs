#![doc = include_str!("../README.md")]

mod anthropic;
mod app;
mod banner;
mod bedrock;
mod call;
pub mod cli;
mod clock;
mod config;
mod control;
mod embedder;
mod fault;
mod gemini;
mod generate;
mod id;
mod journal;
mod json;
mod openai;
mod reply;
mod rerank;
mod route;
#[cfg(feature = "embeddings")]
mod sentence;
mod server;
mod surface;
mod vectorize;
mod workers_ai;

pub use config::{Config, IndexConfig, Metric, PropertyType};
#[cfg(feature = "embeddings")]
pub use sentence::SentenceModel;
pub use server::Server;
