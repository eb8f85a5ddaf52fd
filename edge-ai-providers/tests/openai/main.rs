//! OpenAI's dialect, pinned by exchanges in the documented shapes of OpenAI and its compatibles (`tests/fixtures/openai`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod embeddings;
mod errors;
mod fixture;
mod properties;
mod provider;
mod requests;
mod responses;
mod stand_in;
mod streams;
