//! The vendors that are compatible with OpenAI, pinned by exchanges in the shapes that they document (`tests/fixtures/compatible`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod contract;
mod exchange;
mod properties;
mod requests;
mod settings;
#[path = "../openai/stand_in.rs"]
mod stand_in;
mod streams;
mod table;
