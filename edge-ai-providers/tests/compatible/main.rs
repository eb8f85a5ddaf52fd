//! The vendors that are compatible with OpenAI, pinned by exchanges in the shapes that they document (`tests/fixtures/compatible`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod exchange;
mod properties;
mod requests;
mod settings;
mod streams;
mod table;
