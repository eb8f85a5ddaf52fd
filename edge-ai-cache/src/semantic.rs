//! Kept answers found by meaning.

mod cache;
mod entry;
mod guard;
mod threshold;

pub use cache::SemanticCache;
pub use guard::{Difference, difference};
pub use threshold::{Evidence, Threshold};
