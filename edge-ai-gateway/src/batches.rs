//! OpenAI's files and batches, on top of long work.

mod batch;
mod endpoint;
mod files;
mod lines;
mod memory;
mod multipart;
mod object;
mod run;
mod shown;
mod surface;

#[cfg(feature = "worker")]
mod r2;

pub(crate) use batch::RECORD;
pub use files::{FileStore, StoredFile};
pub use memory::MemoryFiles;
pub(crate) use object::{serve, upkeep};
#[cfg(feature = "worker")]
pub use r2::R2Files;
pub(crate) use surface::{Batches, Surface, has};
