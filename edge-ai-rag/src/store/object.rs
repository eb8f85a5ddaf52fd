//! Vectors resident in a Durable Object.

#[cfg(feature = "vector-object")]
mod class;
#[cfg(feature = "worker")]
mod client;
#[cfg(any(feature = "vector-object", test))]
mod serve;
#[cfg(any(feature = "vector-object", test))]
mod shelf;
#[cfg(any(feature = "worker", test))]
mod store;
#[cfg(any(feature = "worker", test))]
mod wire;

#[cfg(test)]
mod tests;

#[cfg(feature = "vector-object")]
pub use class::VectorObject;
#[cfg(any(feature = "worker", test))]
pub use store::ObjectVectorStore;
