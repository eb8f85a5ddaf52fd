//! Limits on callers: by address in the isolate, and the headers that tell them.

mod headers;
mod ip;

pub use ip::{IpLimit, Limit};
