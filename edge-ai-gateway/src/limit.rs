//! Limits on callers: by address in the isolate, and the headers that tell them.

mod headers;
mod ip;

pub(crate) use headers::whole_seconds;
pub(crate) use ip::IpLimit;
pub use ip::Limit;
