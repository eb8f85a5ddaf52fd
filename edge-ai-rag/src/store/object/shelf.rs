use edge_ai_core::Result;

use crate::store::resident::{Elsewhere, Kept};

/// What an object keeps beyond its memory.
pub(super) trait Shelf: Elsewhere {
    /// What the vectors are searched by, once there are some.
    fn terms(&self) -> Result<Option<String>>;
    fn set_terms(&self, terms: &str) -> Result<()>;
    /// Some blocks from `first` on, in their order, with their codes or else their vectors; none after the last.
    fn blocks(&self, first: usize, coded: bool) -> Result<Vec<Kept>>;
    fn put(&self, kept: &Kept) -> Result<()>;
    fn delete(&self, block: usize) -> Result<()>;
    /// Runs `body`: when it fails, nothing that it has written is kept.
    fn transaction(&self, body: &mut dyn FnMut() -> Result<()>) -> Result<()>;
}
