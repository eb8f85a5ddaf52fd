mod filter;
mod limits;
mod wire;

#[cfg(feature = "worker")]
mod index;

#[cfg(feature = "worker")]
pub use index::VectorizeStore;
