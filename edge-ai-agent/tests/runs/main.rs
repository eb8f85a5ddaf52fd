//! What a run does, asked of the drivers with a scripted model.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod approvals;
mod contract;
mod fixtures;
mod limits;
mod loops;
mod outputs;
mod stored;
