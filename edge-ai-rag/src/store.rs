//! Vector stores.

mod memory;
mod object;
mod record;
mod resident;
#[cfg(any(feature = "worker", test))]
mod vectorize;

pub use memory::MemoryVectorStore;
#[cfg(any(feature = "worker", test))]
pub use object::ObjectVectorStore;
#[cfg(feature = "vector-object")]
pub use object::VectorObject;
pub use resident::Quantization;
#[cfg(feature = "worker")]
pub use vectorize::VectorizeStore;
