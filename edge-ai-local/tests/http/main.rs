//! Every surface and every fault over real HTTP on the loopback.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod anthropic;
mod control;
mod faults;
mod gemini;
mod openai;
mod program;
mod support;
mod vectorize;
mod workers_ai;
